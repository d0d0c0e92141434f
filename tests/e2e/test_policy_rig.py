# SPDX-License-Identifier: GPL-2.0-or-later
"""Where containers may go is judged on the ISP's wire: everything that comes out of the host, but for
what carries its tunnels. Every test that nothing leaves first lets the same packets leave from a
network that may (the positive control), so that a silent wire means something."""

import contextlib
import json
import time

import pytest

from lab import proc
from lab.shout import BIG, Shot, shout
from lab.uplink import uplink
from lab.world import (DNS4, DNS6, ECHO4, ECHO6, EXIT4, EXIT6, ISP4, ISP6, LAN4, LAN6, OTHER4, OTHER6,
                       ROUTER4, ROUTER6)

DNS = ["--dns", DNS4]
DUAL = ["--ipv6", "--subnet", "10.81.0.0/24", "--subnet", "fd81::/64"]
GATEWAY4, GATEWAY6 = "10.81.0.1", "fd81::1"
DUAL2 = ["--ipv6", "--subnet", "10.82.0.0/24", "--subnet", "fd82::/64"]
# Nobody answers at these: their packets leave in fragments.
BIG4, BIG6 = ["192.0.2.81", "192.0.2.82"], ["2001:db8:80::81", "2001:db8:80::82"]
METADATA = "169.254.169.254"

WORLD = [Shot(proto, dst, port) for dst in (ECHO4, ECHO6)
         for proto, port in (("tcp", 80), ("udp", 80), ("udp", 443), ("ping", 0))]
NAMES = [Shot(proto, dst, port) for dst in (DNS4, DNS6, ROUTER4)
         for proto, port in (("udp", 53), ("tcp", 53), ("tcp", 853), ("udp", 853))]
LARGE = [Shot(proto, dst, port, BIG) for proto, port, dst in
         [("udp", 80, BIG4[0]), ("ping", 0, BIG4[1]), ("udp", 80, BIG6[0]), ("ping", 0, BIG6[1])]]
NEARBY = [Shot(proto, dst, 80) for dst in (LAN4, LAN6, ROUTER6, METADATA) for proto in ("tcp", "udp")]
# The other end of the tunnel, outside of the tunnel.
PINHOLE = [Shot("udp", EXIT4, 51820), Shot("tcp", EXIT4, 51820), Shot("udp", EXIT6, 51820)]
EVERYTHING = WORLD + NAMES + LARGE + NEARBY + PINHOLE


class Judge:
    """free: a container that may go where it likes, on net."""

    def __init__(self, world, free, net):
        self.world, self.free, self.net = world, free, net

    def control(self, send, shots):
        with uplink(self.world) as wire:
            send()

            def missed():
                return [shot for shot in shots if not shot.seen_in(wire.packets())]

            with contextlib.suppress(TimeoutError):
                proc.wait_for(lambda: not missed(), "positive control", timeout=3)
            assert not missed(), "not even the positive control was seen"
        with uplink(self.world) as wire:
            proc.wait_for(lambda: self.quiet(wire), "silence")

    @staticmethod
    def quiet(wire):
        before = len(wire.packets())
        time.sleep(0.05)
        return len(wire.packets()) == before

    @contextlib.contextmanager
    def silent(self, shots=(), **options):
        """with silent(...) as fire: fire(box) sends what was just seen to leave another network;
        nothing at all leaves during the block."""
        shots = shots or EVERYTHING
        self.control(lambda: shout(self.free.netns, shots, **options), shots)
        with uplink(self.world) as wire:
            yield lambda box: shout(box.netns, shots, **options)
        assert wire.packets() == []


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
