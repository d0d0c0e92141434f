# SPDX-License-Identifier: GPL-2.0-or-later
"""The tunnel goes, in all the ways in which tunnels go."""

from .fault import Fault, times


def up(stage):
    """As after a start of its daemon, whatever is left of it."""
    stage.tunnel.down()
    stage.tunnel.up()


def faults(length):
    # Each seen to fail: without the last rule of a killswitch in egress.c, the backstop of its path in
    # path.c and the fence in links.c. Two of the three hold.
    return [
        Fault("tunnel killed", "8", lambda stage: stage.tunnel.down(), up),
        Fault("tunnel deleted", "8", lambda stage: stage.tunnel.delete(), up),
        Fault("tunnel down", "8", lambda stage: stage.tunnel.set("down"), up),
        # Its addresses are no exit's any more, and what still arrives for them the host refuses by whatever
        # way it likes.
        Fault("tunnel renamed", "8 10", lambda stage: stage.tunnel.set("name", "other0"), up,
              unguarded=True),
        Fault("tunnel without address", "8", lambda stage: stage.host.run(
            "ip", "addr", "flush", "dev", stage.tunnel.link), up),
        Fault("peer gone", "11", lambda stage: stage.tunnel.peer_gone(), up),
        Fault(f"tunnel recreated, {length(2, 100)} times", "8", times(length(2, 100), up)),
        Fault("exit node of the host, and the tunnel killed", "8 10", exit_node_lost, exit_node_back),
    ]


def exit_node_lost(stage):
    stage.tunnel.exit_node(True)
    stage.tunnel.down()


def exit_node_back(stage):
    stage.tunnel.exit_node(False)
    up(stage)
