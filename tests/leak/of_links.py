# SPDX-License-Identifier: GPL-2.0-or-later
"""Others change the links of a network."""

from .fault import Fault, commands


def faults(_length):
    # Without a bridge nothing gets out: these fail when the repair does not come or is not counted. Seen to
    # fail: "bridge renamed", and set up again under its new name, without compile_fence() in links.c.
    return [
        Fault("bridge down", "10", commands("ip link set {bridge} down"), repaired=True),
        Fault("bridge deleted", "10", commands("ip link del {bridge}"), repaired=True),
        Fault("bridge renamed", "10", lambda stage: stage.batch("-4", lines=[
            "link set {bridge} down", "link set {bridge} name away"]), repaired=True),
        Fault("port taken off its bridge", "10", commands("ip link set {port} nomaster"), repaired=True,
              alone=True),
        Fault("address of the gateway deleted", "10", commands("ip addr del {gateway}/24 dev {bridge}"),
              repaired=True),
    ]
