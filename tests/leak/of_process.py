# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes end, and the host."""

import contextlib

from . import of_tunnel
from .fault import Fault, times


def kill_daemon(stage):
    stage.host.tailexit.kill()


def start_daemon(stage):
    if not stage.host.tailexit.running:
        stage.host.tailexit.start()


def kill_engine(stage):
    stage.host.dockerd.kill()


def start_all(stage):
    start_daemon(stage)
    if not stage.host.dockerd.running:
        stage.host.dockerd.start()


def kill_and_start(stage):
    kill_daemon(stage)
    start_daemon(stage)


def kill_after_loss(stage):
    """What answers still come in for, the next daemon has never seen."""
    of_tunnel.forward_all(stage, "ACCEPT")
    of_tunnel.lose_address(stage)
    kill_and_start(stage)


def come_back_after_loss(stage):
    of_tunnel.forward_all(stage, "DROP")
    of_tunnel.up(stage)


def kill_and_start_all(stage):
    kill_daemon(stage)
    kill_engine(stage)
    start_all(stage)


def kill_all(stage):
    """The order in which what confines goes first."""
    kill_daemon(stage)
    stage.tunnel.down()
    kill_engine(stage)


def come_back(stage):
    stage.tunnel.down()
    start_all(stage)
    stage.tunnel.up()


def stop_in_wrong_order(stage):
    stage.host.tailexit.stop()
    stage.host.dockerd.stop()


def power_cut(stage):
    """And a boot at which the tunnel is not there."""
    stage.tunnel.down()
    stage.host.power_off()
    stage.host.boot()
    for subject in stage.subjects:
        with contextlib.suppress(Exception):
            subject.refresh()
    for neighbour in stage.world.lan, stage.world.isp:
        neighbour.ip("neigh", "flush", "all")


def faults(length):
    # Seen to fail: those in which the daemon ends, with one that takes its table and its rules away when it
    # starts (policy_open() in engine.c); "engine killed" with one that does so when an engine has started
    # (policy_client_started() in events.c); the last two without the last rule of a killswitch in egress.c,
    # the backstop of its path in path.c and the fence in links.c.
    return [
        Fault("daemon killed", "3", kill_daemon, start_daemon),
        Fault(f"daemon killed, {length(3, 100)} times", "3", times(length(3, 100), kill_and_start),
              alone=True),
        # Seen to fail: without exits_recall() in exits.c.
        Fault("tunnel without address, the daemon killed, and the host forwards for everybody", "3 8",
              kill_after_loss, come_back_after_loss, seconds=1, alone=True),
        Fault("engine killed", "3", kill_engine, start_all, seconds=0.5),
        Fault("engine and daemon stopped, the daemon first", "3 21", stop_in_wrong_order, start_all,
              alone=True),
        Fault(f"engine and daemon killed, {length(1, 30)} times", "3 21",
              times(length(1, 30), kill_and_start_all), alone=True),
        Fault("everything killed", "21", kill_all, come_back, alone=True),
        Fault("power cut, and no tunnel at boot", "2 21", power_cut, come_back, seconds=1, alone=True),
    ]
