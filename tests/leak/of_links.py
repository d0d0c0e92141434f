# SPDX-License-Identifier: GPL-2.0-or-later
"""Others change the links of a network."""

import time

from .fault import Fault, commands
from .of_tunnel import forward_all


def rename_live(stage):
    """Where the kernel lets one do that; and nobody puts it back for a while."""
    forward_all(stage, "ACCEPT")
    with stage.host.tailexit.paused():
        stage.host.run("ip", "link", "set", stage.subject("killswitch").bridge, "name", "away", check=False)
        time.sleep(0.5)


def faults(_length):
    # Without a bridge nothing gets out: these fail when the repair does not come or is not counted. The name
    # is how the fence knows a bridge, in IPv6 by nothing else.
    return [
        Fault("bridge down", "10", commands("ip link set {bridge} down"), repaired=True),
        Fault("bridge deleted", "10", commands("ip link del {bridge}"), repaired=True),
        Fault("bridge renamed", "10", lambda stage: stage.batch("-4", lines=[
            "link set {bridge} down", "link set {bridge} name away"]), repaired=True, takes="routing"),
        # Seen to fail: without drop_renamed() in compile.c.
        Fault("bridge renamed while it is up, and the host forwards for everybody", "10", rename_live,
              lambda stage: forward_all(stage, "DROP"), takes="routing", alone=True),
        Fault("port taken off its bridge", "10", commands("ip link set {port} nomaster"), repaired=True,
              alone=True),
        Fault("address of the gateway deleted", "10", commands("ip addr del {gateway}/24 dev {bridge}"),
              repaired=True),
    ]
