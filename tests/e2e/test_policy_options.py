# SPDX-License-Identifier: GPL-2.0-or-later
"""What the other options of a network mean, and what works through an exit as it does without one.

Next to each test: what was taken out of the daemon to see it fail.
"""

import contextlib
import socket
import threading
import time

import pytest

from lab import probe, proc
from lab.image import echo_program
from lab.shout import Shot, shout
from lab.sniff import TCP, Sniffer
from lab.world import (ECHO4, ECHO6, EXIT4, EXIT6, HOST4, HOST6, ISP4, LAN4, LAN6, ROUTER4)

from test_policy_rig import (BY_EXIT, BY_UPLINK, DNS, DUAL2, GATEWAY4, GATEWAY6, NEARBY,  # noqa: F401
                             WORLD, ask_all, judge, killswitch, other_tunnel, run, status, tunnel,
                             uplink)

ENGINE = "in turn"
POLICIES = pytest.mark.parametrize("policy", ["killswitch", "bypass", "open"])
CLIENT, CLIENT6 = "100.64.0.1", "fd7a:115c:a1e0::1"


def ask_port(world, port=8080):
    """As whom a published port sees computers of the LAN, the internet, the tailnet."""
    return [probe.ask(world.lan, HOST4, port, timeout=1),
            probe.ask(world.isp, HOST4, port, source=ISP4, timeout=1),
            probe.ask(world.exit, "100.64.0.2", port, timeout=1)]


# Seen to fail: without the first note of ingress.c, which says that answers go by the main table; for
# bypass, which goes by it in any case, without the one for the tailnet.
@POLICIES
def test_published_ports_while_the_host_uses_the_exit_node(docker, world, tunnel, policy):
    box, net = run(docker, "policy=" + policy, argv=["-p", "8080:80", "-p", "8080:80/udp"])
    tunnel.exit_node(True)
    assert ask_port(world) == [LAN4, ISP4, CLIENT]
    assert probe.ask(world.lan, HOST6, 8080) == LAN6
    assert probe.ask(world.isp, HOST4, 8080, "udp", source=ISP4) == ISP4
    neighbour = docker.run(net, *DNS)
    assert neighbour.ask(box.ip(net)) == neighbour.ip(net)
    assert neighbour.ask(HOST4, 8080)
    other = docker.run(docker.network("tailexit", "-o", "policy=bypass", *DUAL2))
    assert other.ask(HOST4, 8080)


# Seen to fail: without the rule for LAN_OFF in ingress.c.
def test_lan_off_does_not_even_answer_it(docker, world, tunnel):
    killswitch(docker, "lan=off", argv=["-p", "8080:80"])
    # The tailnet's addresses are private ones, too, if they are IPv6.
    assert ask_port(world) == [None, ISP4, CLIENT]


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_lan_reply_is_for_answers(docker, world, tunnel):
    box, _ = killswitch(docker, argv=["-p", "8080:80"])
    assert ask_port(world) == [LAN4, ISP4, CLIENT]
    with uplink(world) as wire:
        shout(box.netns, NEARBY)
    assert wire.packets() == []


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_lan_on(docker, world, tunnel):
    box, _ = killswitch(docker, "lan=on")
    assert (box.ask(LAN4), box.ask(LAN6)) == (HOST4, HOST6)
    assert ask_all(box) == BY_EXIT
    # Private, and not on the LAN: no business of the default route.
    far = [Shot("udp", "10.1.2.3", 80), Shot("udp", "172.16.1.1", 80), Shot("udp", "fd12::1", 80)]
    with uplink(world) as wire:
        shout(box.netns, far)
        tunnel.down()
        shout(box.netns, far + WORLD)
    assert wire.packets() == []
    assert box.ask(LAN4) == HOST4


# Seen to fail: ports of the list not compared.
def test_lan_list(docker, world, tunnel):
    box, _ = killswitch(docker, f"lan={LAN4}/32:80/tcp,fd00:77::/64:80")
    assert box.ask(LAN4) == HOST4
    assert (box.ask(LAN6), box.ask(LAN6, proto="udp")) == (HOST6, HOST6)
    with uplink(world) as wire:
        shout(box.netns, [Shot("udp", LAN4, 80), Shot("tcp", LAN4, 81), Shot("ping", LAN4),
                          Shot("udp", LAN6, 81), Shot("tcp", ROUTER4, 80)])
    assert wire.packets() == []


# Seen to fail: without limit_lan().
@pytest.mark.parametrize("policy", ["bypass", "open"])
def test_lan_off_where_the_uplink_is_open(docker, world, policy):
    box, _ = run(docker, "policy=" + policy, "lan=off")
    assert ask_all(box) == BY_UPLINK
    assert box.ask(LAN4) is None and box.ask(LAN6) is None


@pytest.fixture
def host_server(host):
    process = host.netns.spawn(host.path("server.log"), echo_program(), 7001, 7002)
    proc.wait_for(lambda: probe.ask(host.netns, HOST4, 7002), "server on the host")
    yield
    proc.end(process, 15)


@pytest.mark.parametrize("options, reached", [
    (["policy=killswitch"], set()), (["policy=isolated"], set()),
    (["policy=killswitch", "host=7001"], {7001}), (["policy=killswitch", "host=on"], {7001, 7002}),
    (["policy=bypass", "host=off"], set()), (["policy=bypass"], {7001, 7002}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
# Seen to fail: without the last rule of hostside.c.
def test_host(docker, host_server, options, reached):
    box, _ = run(docker, *options)
    for address in GATEWAY4, GATEWAY6, HOST4, HOST6:
        for proto in "tcp", "udp":
            assert {port for port in (7001, 7002)
                    if box.ask(address, port, proto, timeout=0.2)} == reached, (address, proto)


# Seen to fail: without the rules that refuse the tailnet.
def test_tailnet_of_a_killswitch(docker, judge, world, tunnel, other_tunnel):
    """Which leaves through another tunnel; and the tailnet's one is no exit."""
    box, _ = killswitch(docker, "via=wg1", "tailnet=on")
    tailnet = [Shot("ping", CLIENT), Shot("udp", CLIENT, 80), Shot("udp", CLIENT6, 80)]
    assert probe.ping(box.netns, CLIENT) and probe.ping(box.netns, CLIENT6)
    assert not probe.ping(killswitched(docker).netns, CLIENT)
    tunnel.down()
    with judge.silent(tailnet) as fire:
        fire(box)
        other_tunnel.down()
        fire(box)


def killswitched(docker):
    """Another one, through the tailnet's own tunnel and with no business in the tailnet."""
    net = docker.network("tailexit", "-o", "policy=killswitch")
    return docker.run(net, *DNS)


# Seen to fail: without limit_tailnet().
def test_tailnet_of_bypass(docker, world, tunnel):
    tunnel.exit_node(True)
    box, net = run(docker, "policy=bypass", "tailnet=off")
    assert ask_all(box) == BY_UPLINK
    # What else arrives there may be the engine's own, late, question for a name.
    with Sniffer(tunnel.there.netns, "wg0", lambda packet: packet.dst in (CLIENT, CLIENT6)) as inside:
        assert not probe.ping(box.netns, CLIENT)
        assert not probe.ping(box.netns, CLIENT6)
    assert inside.packets() == []
    assert status(docker.host, net)["drops"]["tailnet"] >= 2


# Seen to fail: without v6_off in egress.c and mark.c.
@POLICIES
def test_ipv6_off(docker, world, tunnel, policy):
    box, net = run(docker, "policy=" + policy, "ipv6=off")
    with uplink(world) as wire:
        shout(box.netns, [shot for shot in WORLD + NEARBY if ":" in shot.dst])
    assert [packet for packet in wire.packets() if ":" in packet.dst] == []
    assert box.ask(ECHO6, timeout=0.3) is None
    assert box.ask(ECHO4) == (EXIT4 if policy == "killswitch" else ISP4)


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_an_exit_without_ipv6(docker, judge, world):
    world.tunnel.up(families=1)
    try:
        box, net = killswitch(docker)
        with judge.silent() as fire:
            fire(box)
            assert box.ask(ECHO4) == EXIT4
            assert refused_after(box, ECHO6) < REFUSED
        assert "no IPv6" in status(docker.host, net)["why"]
    finally:
        world.tunnel.down()


# Otherwise Linux's TCP takes note when it sends for the second time, after a second.
REFUSED = 0.5


def refused_after(box, address):
    began = time.monotonic()
    assert box.ask(address, timeout=5) is None
    return time.monotonic() - began


# Seen to fail: without compile_closed(); without the reset in the chain "refuse".
@pytest.mark.parametrize("policy", ["killswitch", "isolated"])
def test_closed_says_no_at_once(docker, policy):
    box, net = run(docker, "policy=" + policy)
    neighbour = docker.run(net, *DNS)
    for address in ECHO4, ECHO6:
        assert refused_after(box, address) < REFUSED
        with probe.open_socket(box.netns, address, socket.SOCK_DGRAM, timeout=REFUSED) as client:
            client.connect((address, 80))
            client.send(b"?\n")
            with pytest.raises(OSError) as refusal:
                client.recv(10)
            assert not isinstance(refusal.value, TimeoutError)
    assert status(docker.host, net)["drops"]["exit" if policy == "killswitch" else "isolated"] >= 4
    # What goes nowhere else is not meant.
    assert box.ask(neighbour.ip(net)) and box.ask(neighbour.ip6(net))
    assert probe.ping(box.netns, GATEWAY4) and probe.ping(box.netns, GATEWAY6)


# Seen to fail: ports of the bridge not isolated, and accepted in egress.c.
def test_icc_off(docker, tunnel):
    box, net = killswitch(docker, "icc=false")
    other = docker.run(net, *DNS)
    assert probe.open_ways((other.netns, box.ip(net)), (other.netns, box.ip6(net))) == []
    assert ask_all(box) == ask_all(other) == BY_EXIT


def transfer(world, box, address, amount=5 << 20):
    """Both ways at once, over one connection; returns what arrived."""
    with world.net.inside():
        server = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address
                                      else socket.AF_INET)
    client = probe.open_socket(box.netns, address, socket.SOCK_STREAM, timeout=20)
    with server, client:
        client.connect(server.getsockname()[:2])
        peer, _ = server.accept()
        peer.settimeout(20)
        arrived = {}

        def send(end):
            with contextlib.suppress(OSError):
                end.sendall(bytes(amount))
                end.shutdown(socket.SHUT_WR)

        def receive(name, end):
            with contextlib.suppress(OSError):
                arrived[name] = sum(len(part) for part in iter(lambda: end.recv(1 << 16), b""))

        threads = [threading.Thread(target=send, args=[end]) for end in (client, peer)]
        threads += [threading.Thread(target=receive, args=pair)
                    for pair in (("here", client), ("there", peer))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        peer.close()
    return arrived


def segment_size(packet):
    """What a SYN announces in its first option."""
    return int.from_bytes(packet.payload[22:24], "big") if packet.payload[13] & 2 else None


def large_ones_pass(box, address):
    # The first one teaches the far side what fits.
    assert " 0% packet loss" in [
        box.netns.run("busybox", "ping", "-c1", "-W1", "-s4000", address, check=False).stdout
        for _ in range(2)][1]
    # The last one does not have to be cut by the container, and has to be for the exit.
    for size in 8000, 1400:
        with probe.open_socket(box.netns, address, socket.SOCK_DGRAM) as client:
            client.connect((address, 80))
            client.send(bytes(size))
            with contextlib.suppress(OSError):  # it is told that it does not fit
                assert client.recv(100)
                continue
            client.send(bytes(size))
            assert client.recv(100)


# Seen to fail: without "fits the exit"; auto without the exit's MTU.
@pytest.mark.parametrize("mtu", ["auto", "1500"])
def test_sizes(docker, world, tunnel, mtu):
    """The exit carries 1280 bytes."""
    box, _ = killswitch(docker, "mtu=" + mtu)
    assert f"mtu {1280 if mtu == 'auto' else mtu} " in box.netns.ip("link", "show", "eth0")
    amount = 5 << 20
    for address in ECHO4, ECHO6:
        with Sniffer(world.host, "tailscale0", lambda packet: packet.outgoing
                     and packet.proto == TCP) as inside:
            assert transfer(world, box, address, amount) == {"here": amount, "there": amount}
        assert {segment_size(packet) for packet in inside.packets()} == {
            None, 1280 - (40 if address == ECHO4 else 60)}
        large_ones_pass(box, address)


# Seen to fail: with the host's end of the cable as narrow as the exit.
def test_an_exit_that_comes_later_and_is_narrow(docker, world):
    """The container has begun with what an uplink carries, and keeps that."""
    box, _ = killswitch(docker)
    assert "mtu 1500 " in box.netns.ip("link", "show", "eth0")
    world.tunnel.up()
    try:
        proc.wait_for(lambda: box.ask(ECHO4) == EXIT4 and box.ask(ECHO6) == EXIT6, "the exit")
        for address in ECHO4, ECHO6:
            large_ones_pass(box, address)
    finally:
        world.tunnel.down()
