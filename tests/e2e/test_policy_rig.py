# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of policies share: networks, tunnels, and the judge of what leaves."""

import json

import pytest

from lab.judge import EVERYTHING, LARGE, NAMES, NEARBY, WORLD, Judge  # noqa: F401
from lab.uplink import uplink  # noqa: F401
from lab.world import DNS4, ECHO4, ECHO6, EXIT4, EXIT6, ISP4, ISP6, OTHER4, OTHER6

DNS = ["--dns", DNS4]
DUAL = ["--ipv6", "--subnet", "10.81.0.0/24", "--subnet", "fd81::/64"]
GATEWAY4, GATEWAY6 = "10.81.0.1", "fd81::1"
DUAL2 = ["--ipv6", "--subnet", "10.82.0.0/24", "--subnet", "fd82::/64"]


@pytest.fixture
def judge(docker, world):
    net = docker.network("tailexit", "-o", "policy=open", *DUAL2)
    return Judge(world, docker.run(net), net)


@pytest.fixture
def tunnel(world):
    world.tunnel.up()
    yield world.tunnel
    world.tunnel.exit_node(False)
    world.tunnel.down()


@pytest.fixture
def other_tunnel(world):
    world.other_tunnel.up()
    yield world.other_tunnel
    world.other_tunnel.down()


ALL_WAYS = [("tcp", ECHO4), ("udp", ECHO4), ("tcp", ECHO6), ("udp", ECHO6)]
BY_EXIT = [EXIT4, EXIT4, EXIT6, EXIT6]
BY_OTHER = [OTHER4, OTHER4, OTHER6, OTHER6]
BY_UPLINK = [ISP4, ISP4, ISP6, ISP6]


def ask_all(box, timeout=1):
    """As whom the world sees us; its answers to ALL_WAYS."""
    return [box.ask(address, 80, proto, timeout=timeout) for proto, address in ALL_WAYS]


def words(*options):
    """Options of ours, for the command line."""
    return [arg for option in options for arg in ("-o", option)]


def run(docker, *options, argv=(), ports=(80,)):
    """A container on a network of its own with these options; and the network."""
    net = docker.network("tailexit", *words(*options), *DUAL)
    box = docker.run(net, *DNS, *argv, ports=ports)
    if "policy=isolated" in options:
        # It gets no default route. A privileged one makes its own.
        for gateway in GATEWAY4, GATEWAY6:
            box.netns.ip("route", "add", "default", "via", gateway)
    return box, net


def killswitch(docker, *options, **more):
    return run(docker, "policy=killswitch", *options, **more)


def status(host, network):
    """What `tailexit status` says of a network."""
    networks = host_status(host)["networks"]
    return next(entry for entry in networks if entry["network"] == network.inspect()["Id"])


def host_status(host):
    """All that `tailexit status` says."""
    return json.loads(host.run("tailexit", "status", "--json").stdout)
