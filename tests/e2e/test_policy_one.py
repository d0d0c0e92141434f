# SPDX-License-Identifier: GPL-2.0-or-later
"""One container that differs from its network: driver options of its endpoint. And that a container
sends from its own addresses only, which is how it is told from the others.

Next to each test: what was taken out of the daemon to see it fail.
"""

import socket
import struct
import time

import pytest

from lab import image, probe, proc
from lab.image import echo_program
from lab.shout import Shot, forge, shout
from lab.snapshot import difference, snapshot
from lab.sniff import UDP, Sniffer
from lab.world import DNS4, ECHO4, ECHO6, EXIT4, HOST4, HOST6, ISP4, LAN4

from test_policy_leaks import delete_table, flush_rules, without_daemon
from test_policy_rig import (BY_EXIT, BY_OTHER, BY_UPLINK, DNS, DUAL, GATEWAY4, GATEWAY6, WORLD,  # noqa: F401
                             ask_all, judge, other_tunnel, status, tunnel, uplink, words)

ENGINE = "in turn"


def network(docker, *options):
    return docker.network("tailexit", *words(*options), *DUAL)


def attached(net, *options):
    """As the argument of --network."""
    return ",".join([f"name={net.name}", *(f"driver-opt={option}" for option in options)])


def run_one(docker, net, *options, argv=(), ports=(80,)):
    return docker.run(attached(net, *options), *DNS, *argv, ports=ports)


def containers(docker, net):
    return {entry["endpoint"]: entry for entry in status(docker.host, net)["containers"]}


def one(docker, net, box):
    return containers(docker, net)[box.endpoint(net)["EndpointID"]]


# Seen to fail: endpoints compiled without their exception.
def test_killswitch_among_open_ones(docker, judge, tunnel):
    net = network(docker, "policy=open")
    box = run_one(docker, net, "policy=killswitch")
    free = docker.run(net, *DNS)
    assert ask_all(box) == BY_EXIT and ask_all(free) == BY_UPLINK
    assert box.ask(free.ip(net)) == box.ip(net) and free.ask(box.ip6(net)) == free.ip6(net)
    entry = one(docker, net, box)
    assert (entry["policy"], entry["exit"], entry["open"]) == ("killswitch", "tailscale0", True)
    with judge.silent() as fire:
        tunnel.down()
        fire(box)
    assert ask_all(free) == BY_UPLINK
    assert one(docker, net, box)["drops"]["exit"] > 0
    box.remove()
    assert containers(docker, net) == {}
    assert ask_all(free) == BY_UPLINK


# Seen to fail: without is_fenced() for a network whose containers differ; without the endpoint's chains.
@pytest.mark.parametrize("take", [delete_table, flush_rules])
def test_either_key_holds_alone_for_one(docker, judge, take):
    net = network(docker, "policy=open")
    box = run_one(docker, net, "policy=killswitch")
    with judge.silent() as fire, without_daemon(docker.host):
        take(docker.host)
        fire(box)


def test_isolated_among_confined_ones(docker, judge, tunnel):
    net = network(docker, "policy=killswitch")
    box = run_one(docker, net, "policy=isolated")
    other = docker.run(net, *DNS)
    assert "default" not in box.netns.ip("route")
    for gateway in GATEWAY4, GATEWAY6:
        box.netns.ip("route", "add", "default", "via", gateway)
    with judge.silent() as fire, Sniffer(docker.host.netns, tunnel.link,
                                         lambda packet: packet.dst in (ECHO4, ECHO6)) as inside:
        fire(box)
    assert inside.packets() == []
    assert ask_all(other) == BY_EXIT and other.ask(box.ip(net))


# Seen to fail: the endpoint's path not compiled.
def test_each_its_own_exit(docker, judge, tunnel, other_tunnel):
    net = network(docker, "policy=killswitch", "via=tailscale0,wg1")
    box = run_one(docker, net, "via=wg1")
    other = docker.run(net, *DNS)
    assert ask_all(box) == BY_OTHER and ask_all(other) == BY_EXIT
    with judge.silent() as fire:
        other_tunnel.down()
        fire(box)
        assert ask_all(other) == BY_EXIT
    other_tunnel.up()
    proc.wait_for(lambda: ask_all(box, 0.3) == BY_OTHER, "the exit's return")


def test_looser_only_where_any_is_allowed(docker, tunnel):
    net = network(docker, "policy=killswitch", "override=any")
    box = run_one(docker, net, "policy=open")
    other = docker.run(net, *DNS)
    assert ask_all(box) == BY_UPLINK and ask_all(other) == BY_EXIT


@pytest.mark.parametrize("options, own, sentence", [
    ([], ["policy=open"], "option policy for one container would allow it more"),
    ([], ["lan=on"], "option lan for one container would allow it more"),
    (["override=none"], ["policy=isolated"], "has override=none"),
    ([], ["polcy=isolated"], 'did you mean "policy"?'),
    ([], ["override=any"], "is for a whole network"),
    (["override=any"], ["via=te-0"], "is no exit"),
    (["override=any"], ["policy=bypass", "mark=51820"], "only a whole network can have"),
], ids=str)
def test_refusals(docker, options, own, sentence):
    net = network(docker, "policy=killswitch", *options)
    result = docker.host.run("docker", "run", "-d", "--network", attached(net, *own), *DNS,
                             image.NAME, check=False)
    assert result.returncode != 0 and sentence in result.stderr
    assert status(docker.host, net)["endpoints"] == 0


def ask_from(box, port):
    """As ask(), over UDP and from this port."""
    with probe.open_socket(box.netns, ECHO4, socket.SOCK_DGRAM, timeout=1) as client:
        client.bind(("", port))
        client.connect((ECHO4, 80))
        client.send(b"?\n")
        try:
            return client.recv(128).decode().split()[0]
        except OSError:
            return None


# Seen to fail: without connections_forget_endpoint().
def test_another_policy_after_a_reconnection(docker, world, tunnel):
    """With the same address: what was begun by the uplink does not go on there."""
    net = network(docker, "policy=open", "override=any")
    box = docker.run(net, *DNS, ports=(81,))
    address, address6 = box.ip(net), box.ip6(net)
    assert ask_from(box, 4000) == ISP4
    docker.host.docker("network", "disconnect", net.name, box.name)
    docker.host.docker("network", "connect", "--driver-opt", "policy=killswitch", "--ip", address,
                       "--ip6", address6, net.name, box.name)
    with uplink(world) as wire:
        time.sleep(0.3)
        wire.seen.clear()
        shout(box.netns, WORLD, source_port=4000)
        assert wire.packets() == []
    # The same ports: what the kernel knew of them is forgotten.
    assert ask_from(box, 4000) == EXIT4
    assert ask_all(box) == BY_EXIT
    # And back: through the exit no more.
    docker.host.docker("network", "disconnect", net.name, box.name)
    docker.host.docker("network", "connect", "--ip", address, "--ip6", address6, net.name, box.name)
    assert ask_all(box) == BY_UPLINK


# Seen to fail: with the port as narrow as the container's end.
def test_a_narrow_one_leaves_the_bridge_alone(docker, host):
    net = network(docker, "policy=open")
    box, free = run_one(docker, net, "mtu=1300"), docker.run(net, *DNS)
    wide = run_one(docker, net, "mtu=9000")
    assert "mtu 1300 " in box.netns.ip("link", "show", "eth0")
    for other in free, wide:
        assert "mtu 1500 " in other.netns.ip("link", "show", "eth0")
    assert "mtu 1500 " in host.netns.ip("link", "show", status(host, net)["bridge"])
    assert ask_all(box) == ask_all(free) == BY_UPLINK
    assert "put back" not in host.tailexit.log().split("added, bridge")[-1]


def test_host_and_names_of_one(docker, host, world):
    """host= and dns= of one container, among others that are free."""
    server = host.netns.spawn(host.path("server.log"), echo_program(), 7001, 7002)
    proc.wait_for(lambda: probe.ask(host.netns, HOST4, 7002), "server on the host")
    try:
        net = network(docker, "policy=open")
        box, free = run_one(docker, net, "host=7001"), docker.run(net, *DNS)
        named = run_one(docker, net, "dns=" + DNS4)
        for address in GATEWAY4, GATEWAY6, HOST4:
            assert box.ask(address, 7001) and not box.ask(address, 7002, timeout=0.3)
            assert free.ask(address, 7002)
        # Nor by an address that does not tell who it is.
        link_local = host.netns.ip("-6", "addr", "show", "dev", status(host, net)["bridge"],
                                   "scope", "link").split("inet6 ")[1].split("/")[0]
        assert knocks(free, link_local, 7002) and not knocks(box, link_local, 7002)
        # A question to anybody is answered by the server of its choice.
        before = len(world.dns_queries())
        named.netns.run("busybox", "nslookup", "asked.example", "192.0.2.99", check=False)
        assert any("asked.example" in line for line in world.dns_queries()[before:])
    finally:
        proc.end(server, 15)


def knocks(box, link_local, port):
    with box.netns.inside():
        client = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        scope = socket.if_nametoindex("eth0")
    client.settimeout(0.5)
    with client:
        return client.connect_ex((link_local, port, 0, scope)) == 0


# Seen to fail: without the rules of the chain "pass".
def test_icc_off_for_one(docker, tunnel):
    net = network(docker, "policy=killswitch")
    box, other = run_one(docker, net, "icc=false"), docker.run(net, *DNS)
    third = docker.run(net, *DNS)
    assert probe.open_ways((other.netns, box.ip(net)), (other.netns, box.ip6(net)),
                           (box.netns, other.ip(net)), (box.netns, other.ip6(net))) == []
    assert other.ask(third.ip(net)) and third.ask(other.ip6(net))
    assert ask_all(box) == ask_all(other) == BY_EXIT
    assert one(docker, net, box)["drops"]["icc"] > 0


def test_published_port_of_one(docker, world, tunnel):
    net = network(docker, "policy=open")
    box = run_one(docker, net, "policy=killswitch", argv=["-p", "8080:80", "-p", "8080:80/udp"])
    free = docker.run(net, *DNS)
    tunnel.exit_node(True)
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    assert probe.ask(world.isp, HOST4, 8080, "udp", source=ISP4) == ISP4
    assert free.ask(HOST4, 8080)
    assert box.ask(ECHO4) == EXIT4


# Seen to fail: as_gateway() asking for the network's policy.
def test_published_port_of_an_isolated_one(docker, world):
    """Which has no route: whoever asks is the gateway to it."""
    net = network(docker, "policy=open")
    box, free = run_one(docker, net, "policy=isolated", argv=["-p", "8080:80"]), docker.run(net, *DNS)
    assert "default" not in box.netns.ip("route")
    proc.wait_for(lambda: probe.ask(world.lan, HOST4, 8080) == GATEWAY4, "published port", timeout=10)
    assert probe.ask(world.isp, HOST4, 8080, source=ISP4) == GATEWAY4
    assert probe.ask(world.lan, HOST6, 8080) == GATEWAY6
    assert free.ask(box.ip(net)) == free.ip(net) and ask_all(free) == BY_UPLINK


# Seen to fail: exceptions not written to the endpoint's file.
def test_it_outlives_the_daemon(docker, host, tunnel):
    before = snapshot(host)
    net = network(docker, "policy=open")
    box, free = run_one(docker, net, "policy=killswitch"), docker.run(net, *DNS)
    for stop in host.tailexit.kill, host.tailexit.stop:
        stop()
        assert ask_all(box) == BY_EXIT and ask_all(free) == BY_UPLINK
        host.tailexit.start()
        assert host.run("tailexit", "plan", "--diff").stdout == ""
        assert ask_all(box) == BY_EXIT and ask_all(free) == BY_UPLINK
    assert one(docker, net, box)["policy"] == "killswitch"
    for thing in box, free, net:
        thing.remove()
    assert difference(before, snapshot(host)) == ""


# Seen to fail: without the chain "enter".
@pytest.mark.parametrize("policy", ["killswitch", "isolated", "bypass"])
def test_nobody_sends_as_his_neighbour(docker, policy):
    """Not even to each other, and not in answers to who has which address."""
    net = network(docker, "policy=" + policy)
    box, victim, third = (docker.run(net, *DNS) for _ in range(3))
    # So that everybody knows everybody's link address.
    assert box.ask(third.ip(net)) and box.ask(third.ip6(net))
    with Sniffer(third.netns, "eth0", lambda packet: packet.sport == 4444) as seen:
        for source in victim.ip(net), box.ip(net):
            forge(box.netns, source, third.ip(net), source_port=4444)
        for source in victim.ip6(net), box.ip6(net):
            forge(box.netns, source, third.ip6(net), source_port=4444)
        proc.wait_for(lambda: len({packet.src for packet in seen.packets()}) >= 2, "its own packets")
        time.sleep(0.2)
    assert {packet.src for packet in seen.packets()} == {box.ip(net), box.ip6(net)}
    claim(box, victim.ip(net), third.ip(net))
    claim(box, box.ip(net), third.ip(net))
    proc.wait_for(lambda: link_address(third, box.ip(net)) == FALSE_MAC, "its own claim")
    assert link_address(third, victim.ip(net)) != FALSE_MAC
    assert status(docker.host, net)["drops"]["forged"] >= 3


FALSE_MAC = "02:00:00:00:be:ef"


def claim(box, address, target):
    """An ARP request that tells target: this address is at FALSE_MAC."""
    with box.netns.inside():
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        raw.bind(("eth0", 0x0806))
    mac = bytes.fromhex(FALSE_MAC.replace(":", ""))
    message = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(address) \
        + bytes(6) + socket.inet_aton(target)
    with raw:
        raw.send(b"\xff" * 6 + mac + struct.pack("!H", 0x0806) + message)


def link_address(box, address):
    for line in box.netns.ip("neigh", "show", address).splitlines():
        if "lladdr" in line:
            return line.split("lladdr ")[1].split()[0]
    return None


# Seen to fail: without the chain "enter".
def test_one_does_not_pose_as_another(docker, world, tunnel):
    """A confined container, with the address of a free one on the same network."""
    net = network(docker, "policy=open")
    box, free = run_one(docker, net, "policy=killswitch"), docker.run(net, *DNS)
    with uplink(world) as wire:
        forge(free.netns, free.ip(net), ECHO4)
        forge(free.netns, free.ip6(net), ECHO6)
        proc.wait_for(lambda: {ECHO4, ECHO6} <= {packet.dst for packet in wire.packets()},
                      "packets of the free one")
        # Told apart by the port they go to: that of the sender may be translated.
        forge(box.netns, free.ip(net), ECHO4, port=81)
        forge(box.netns, free.ip6(net), ECHO6, port=81)
        time.sleep(0.5)
        # The free one may answer, with an error, what the echo answers it: those are its own packets.
        assert {packet.dport for packet in wire.packets() if packet.proto == UDP} == {80}
    assert one(docker, net, box)["drops"]["forged"] >= 2
