# SPDX-License-Identifier: GPL-2.0-or-later
"""Where containers may go, judged on the ISP's wire. Every leak test first lets the same probe leave by
the uplink from a network that may (the positive control), so that a silent wire means something."""

import contextlib

import pytest

from lab import probe, proc
from lab.sniff import Sniffer
from lab.world import ECHO4, ECHO6, EXIT4, EXIT6, HOST4, ISP4, ISP6

DNS = ["--dns", "192.0.2.53"]
DUAL = ["--ipv6", "--subnet", "10.81.0.0/24", "--subnet", "fd81::/64"]
DUAL2 = ["--ipv6", "--subnet", "10.82.0.0/24", "--subnet", "fd82::/64"]
TUNNEL_PORT = 51820


@pytest.fixture
def tunnel(world):
    world.tunnel.up()
    yield world.tunnel
    world.tunnel.exit_node(False)
    world.tunnel.down()


def on_the_wire(world):
    """What leaves the ISP's customer, but for the tunnel itself."""
    return Sniffer(world.isp, "lan-host", lambda packet: not packet.outgoing and
                   packet.dst in (ECHO4, ECHO6) or packet.dport in (53, 853))


PROBES = [("tcp", ECHO4), ("udp", ECHO4), ("tcp", ECHO6), ("udp", ECHO6)]


def ask_all(box):
    return [box.ask(address, 80, proto, timeout=1) for proto, address in PROBES]


@pytest.fixture
def sealed(docker, world):
    """with sealed(): the block's probes would be seen on the wire, and are not."""
    free = docker.run(docker.network("tailexit", "-o", "policy=open", *DUAL2))

    @contextlib.contextmanager
    def check():
        with on_the_wire(world) as wire:
            assert ask_all(free) == [ISP4, ISP4, ISP6, ISP6]
        assert len(wire.packets()) >= 4
        with on_the_wire(world) as wire:
            yield
        assert wire.packets() == []
    return check


def test_a_plain_network_is_a_killswitch_through_tailscale0(docker, world, tunnel):
    docker.host.docker("network", "create", "-d", "tailexit", *DUAL, "vpn")
    box = docker.run("vpn", *DNS)
    assert ask_all(box) == [EXIT4, EXIT4, EXIT6, EXIT6]


def test_without_the_tunnel_nothing_leaves(docker, sealed):
    net = docker.network("tailexit", "-o", "policy=killswitch", *DUAL)
    box = docker.run(net, *DNS)
    with sealed():
        assert ask_all(box) == [None] * 4


def test_the_tunnel_goes_and_comes_back(docker, sealed, tunnel):
    net = docker.network("tailexit", "-o", "policy=killswitch", *DUAL)
    box = docker.run(net, *DNS)
    assert ask_all(box) == [EXIT4, EXIT4, EXIT6, EXIT6]
    with probe.Flow(box.netns, ECHO4) as flow:
        assert flow.ask() == EXIT4
        tunnel.down()
        with sealed():
            assert flow.ask() is None
            assert ask_all(box) == [None] * 4
    tunnel.up()
    proc.wait_for(lambda: box.ask(ECHO4) == EXIT4, "the exit")
    assert ask_all(box) == [EXIT4, EXIT4, EXIT6, EXIT6]


def test_either_key_holds_alone(docker, sealed, tunnel):
    net = docker.network("tailexit", "-o", "policy=killswitch", *DUAL)
    box = docker.run(net, *DNS)
    with sealed():
        docker.host.run("nft", "delete", "table", "inet", "tailexit")
        assert ask_all(box) == [None] * 4
    # the next request puts it back
    docker.network("tailexit", "-o", "policy=killswitch")
    proc.wait_for(lambda: box.ask(ECHO4) == EXIT4, "the exit")
    tunnel.down()
    with sealed():
        for family in "-4", "-6":
            for rule in docker.host.run("ip", family, "rule").stdout.splitlines():
                if "proto 231" in rule:
                    docker.host.run("ip", family, "rule", "del", "pref", rule.split(":")[0])
        assert ask_all(box) == [None] * 4


def test_bypass_while_the_host_uses_the_exit_node(docker, world, tunnel):
    tunnel.exit_node(True)
    assert probe.ask(world.host, ECHO4) == EXIT4
    net = docker.network("tailexit", "-o", "policy=bypass", *DUAL)
    box = docker.run(net, "-p", "8080:80")
    assert ask_all(box) == [ISP4, ISP4, ISP6, ISP6]
    # the tailnet stays in the tunnel, and both kinds of clients are answered
    assert probe.ping(box.netns, "100.64.0.1")
    assert probe.ask(world.lan, HOST4, 8080) == "192.168.77.50"


def test_published_ports_while_the_host_uses_the_exit_node(docker, world, tunnel):
    tunnel.exit_node(True)
    for number, policy in enumerate(["killswitch", "bypass", "open"]):
        net = docker.network("tailexit", "-o", "policy=" + policy)
        docker.run(net, *DNS, "-p", f"{8080 + number}:80")
        assert probe.ask(world.lan, HOST4, 8080 + number) == "192.168.77.50", policy
        assert probe.ask(world.isp, HOST4, 8080 + number), policy
        assert probe.ask(world.exit, "100.64.0.2", 8080 + number) == "100.64.0.1", policy


def test_isolated_reaches_nothing_but_its_neighbours(docker, sealed):
    net = docker.network("tailexit", "-o", "policy=isolated", *DUAL)
    one = docker.run(net, *DNS)
    two = docker.run(net, *DNS, name="two")
    assert one.ask(two.ip(net))
    assert one.execute("ping", "-c1", "-W1", "two")
    with sealed():
        assert ask_all(one) == [None] * 4
    assert one.netns.run("ip", "route", "show", "default").stdout == ""
    assert "docker_gwbridge" not in docker.host.docker("network", "ls")


def test_the_host_and_the_lan_are_closed(docker, world, tunnel):
    net = docker.network("tailexit", "-o", "policy=killswitch", "--subnet", "10.81.0.0/24",
                         "--gateway", "10.81.0.1")
    box = docker.run(net, *DNS)
    server = docker.run("bridge", "-p", "8090:80")
    assert probe.ask(world.lan, HOST4, 8090)
    for target in HOST4, "10.81.0.1", "192.168.77.50", server.ip("bridge"), "100.64.0.2":
        assert probe.open_ways((box.netns, target), port=8090) in ([], [f"ping {target}"]), target
        assert probe.open_ways((box.netns, target), port=53) in ([], [f"ping {target}"]), target


def test_lan_on_reaches_the_lan_and_no_more(docker, world, tunnel):
    net = docker.network("tailexit", "-o", "policy=killswitch", "-o", "lan=on", *DUAL)
    box = docker.run(net, *DNS)
    assert box.ask("192.168.77.50") == HOST4
    assert ask_all(box) == [EXIT4, EXIT4, EXIT6, EXIT6]


def test_names_without_resolvers_of_their_own_are_refused(docker):
    net = docker.network("tailexit", "-o", "policy=killswitch")
    with pytest.raises(proc.Failed) as refusal:
        docker.run(net)
    assert "--dns ADDRESS" in refusal.value.stderr


@pytest.mark.parametrize("option, reason", [
    ("policy=killswich", "use killswitch, bypass, isolated or open"),
    ("via=wg 0", "is not an interface name"),
    ("lan=0.0.0.0/0", "reply, off, on"),
    ("viia=wg0", 'did you mean "via"?'),
    ("dns=auto", "strict, docker"),
])
def test_bad_options_say_why(docker, option, reason):
    with pytest.raises(proc.Failed) as refusal:
        docker.host.docker("network", "create", "-d", "tailexit", "-o", option, "bad")
    assert reason in refusal.value.stderr
