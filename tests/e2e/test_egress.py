# SPDX-License-Identifier: GPL-2.0-or-later
"""With which address, and whether at all, containers leave the host. The judge is a neighbour on the
LAN, who answers with the address it was asked from."""

import pytest

from lab import probe
from lab.sniff import Sniffer
from lab.world import ECHO4, ECHO6, HOST4, HOST6, LAN4, LAN6

ENGINE = "in turn"

BOX4, BOX6 = "10.80.0.2", "fd00:80::2"
DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"
MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade="
MODE = "com.docker.network.bridge.gateway_mode_ipv"


@pytest.fixture
def known(world):
    """The LAN knows the way to the containers' subnets."""
    for subnet, via in ("10.80.0.0/24", HOST4), ("fd00:80::/64", HOST6):
        world.lan.ip("route", "add", subnet, "via", via)
    yield
    for subnet in "10.80.0.0/24", "fd00:80::/64":
        world.lan.ip("route", "del", subnet)


@pytest.mark.parametrize("options", [[], ["-o", MASQUERADE + "true"]], ids=["default", "true"])
def test_masquerade(docker, driver, known, options):
    box = docker.run(docker.network(driver, *DUAL, *options))
    assert box.ask(LAN4) == HOST4
    assert box.ask(LAN4, proto="udp") == HOST4
    assert box.ask(LAN6) == HOST6


def test_no_masquerade(docker, driver, world, known):
    box = docker.run(docker.network(driver, *DUAL, "-o", MASQUERADE + "false"))
    with Sniffer(world.isp, "lan-host", lambda packet: packet.dport == 80) as wire:
        # The engine since 28 drops the answers: they look like somebody going around the NAT.
        box.ask(LAN4, timeout=0.5)
        box.ask(LAN6, timeout=0.5)
    assert {packet.src for packet in wire.packets()} == {BOX4, BOX6}


@pytest.fixture
def second_address(host):
    added = "192.168.77.3/24", "fd00:77::3/64"
    host.netns.address("lan0", *added)
    yield
    for address in added:
        host.netns.ip("addr", "del", address, "dev", "lan0")


def test_source_address(docker, driver, second_address):
    box = docker.run(docker.network(driver, "-o", "com.docker.network.host_ipv4=192.168.77.3"))
    assert box.ask(LAN4) == "192.168.77.3"
    assert box.ask(LAN4, proto="udp") == "192.168.77.3"


def test_source_address_ipv6(docker, driver, second_address, bridge_since):
    bridge_since(25, "host_ipv6")
    box = docker.run(docker.network(driver, *DUAL, "-o", "com.docker.network.host_ipv6=fd00:77::3"))
    assert box.ask(LAN4) == HOST4
    assert box.ask(LAN6) == "fd00:77::3"


def test_nat_hides_containers(docker, driver, world, known, bridge_since):
    """A neighbour who knows the way does not get to a container directly."""
    box = docker.run(docker.network(driver, *DUAL), "-p", "8080:80", ports=(80, 81))
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    assert probe.open_ways((world.lan, BOX4), port=81) == []
    bridge_since(28, "protection of published ports and of IPv6")
    assert probe.open_ways((world.lan, BOX4), (world.lan, BOX6)) == []


def test_routed(docker, driver, world, known, bridge_since):
    """Mode routed: published ports are open at the container's own address, nothing is translated."""
    bridge_since(28, "gateway mode routed")
    net = docker.network(driver, *DUAL, "-o", MODE + "4=routed", "-o", MODE + "6=routed")
    box = docker.run(net, "-p", "80", ports=(80, 81))
    assert box.ask(LAN4) == BOX4
    assert box.ask(LAN6) == BOX6
    assert probe.ask(world.lan, BOX4) == LAN4
    assert probe.ask(world.lan, BOX6) == LAN6
    beside = probe.open_ways((world.lan, BOX4), (world.lan, BOX6), port=81)
    assert not [way for way in beside if not way.startswith("ping")]


def test_routed_ipv6_nat_ipv4(docker, driver, world, known, bridge_since):
    bridge_since(28, "gateway mode routed")
    net = docker.network(driver, *DUAL, "-o", MODE + "6=routed")
    box = docker.run(net, "-p", "8080:80")
    assert box.ask(LAN4) == HOST4
    assert box.ask(LAN6) == BOX6
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    assert probe.ask(world.lan, BOX6, 80) == LAN6


def test_isolated(docker, driver, host, bridge_since):
    """Mode isolated: the bridge has no address, so that not even the host can be reached."""
    bridge_since(28, "gateway mode isolated")
    net = docker.network(driver, *DUAL, "--internal", "-o", MODE + "4=isolated",
                         "-o", MODE + "6=isolated", "-o", "com.docker.network.bridge.name=br-mine")
    box, other = docker.run(net), docker.run(net)
    assert box.ask(other.ip(net)) == box.ip(net)
    assert box.ask(other.ip6(net)) == box.ip6(net)
    shown = host.netns.ip("addr", "show", "dev", "br-mine")
    assert "10.80.0." not in shown and "fd00:80:" not in shown
    assert probe.open_ways((box.netns, HOST4), (host.netns, box.ip(net))) == []


def from_box(packet):
    return (packet.src.startswith(("10.80.0.", "fd00:80:")) or packet.dst in (ECHO4, ECHO6)
            or packet.dst in (LAN4, LAN6) and packet.dport == 80)


def prove(wire, docker, driver, address):
    """The sniffer sees what leaves a network that is not internal."""
    free = docker.run(docker.network(driver, "--ipv6", "--subnet", "fd00:81::/64"))
    # UDP: nothing of it is still on its way afterwards.
    assert free.ask(address, proto="udp")
    assert wire.packets()
    free.remove()
    wire.seen.clear()


def test_internal(docker, driver, world, known):
    net = docker.network(driver, *DUAL, "--internal")
    with Sniffer(world.isp, "lan-host", from_box) as wire:
        prove(wire, docker, driver, ECHO4)
        box, other = docker.run(net, "-p", "8080:80"), docker.run(net)
        # Inside, all is well; the name service too.
        assert box.ask(other.ip(net)) == box.ip(net)
        assert other.ip(net) in box.execute("nslookup", "-type=a", other.name)
        # No way out, even for who makes a route of its own, and no way in.
        box.netns.ip("route", "replace", "default", "via", "10.80.0.1")
        assert probe.open_ways((box.netns, ECHO4), (box.netns, LAN4), (world.lan, box.ip(net))) == []
        assert probe.open_ways((world.lan, HOST4), port=8080) == ["ping " + HOST4]
    assert wire.packets() == []


def test_internal_ipv6(docker, driver, world, known, bridge_since):
    bridge_since(26, "IPv6 between containers of an internal network, and leaves a default route there")
    net = docker.network(driver, *DUAL, "--internal")
    with Sniffer(world.isp, "lan-host", from_box) as wire:
        prove(wire, docker, driver, ECHO6)
        box, other = docker.run(net, "-p", "8080:80"), docker.run(net)
        assert box.ask(other.ip6(net)) == box.ip6(net)
        assert box.netns.ip("-4", "route", "show", "default") == ""
        assert box.netns.ip("-6", "route", "show", "default") == ""
        box.netns.ip("route", "add", "default", "via", "fd00:80::1")
        assert probe.open_ways((box.netns, ECHO6), (box.netns, LAN6), (world.lan, box.ip6(net))) == []
        assert probe.open_ways((world.lan, HOST6), port=8080) == ["ping " + HOST6]
    assert wire.packets() == []
