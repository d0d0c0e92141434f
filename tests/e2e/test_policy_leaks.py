# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing leaves but through the exit: at start, when the tunnel goes in whatever way, with forged
packets, when others change rules, when addresses change hands.

Next to each test: what was taken out of the daemon to see it fail.
"""

import contextlib
import socket
import struct
import time

import pytest

from lab import image, probe, proc
from lab.docker import Container
from lab.shout import Shot, forge, shout
from lab.sniff import Sniffer
from lab.world import ECHO4, ECHO6, EXIT4, EXIT6, HOST4, HOST6, ISP4, LAN4, LAN6, ROUTER4

from test_policy_rig import (BY_EXIT, BY_OTHER, DNS, EVERYTHING, WORLD, Judge, ask_all,  # noqa: F401
                             judge, killswitch, other_tunnel, run, status, tunnel, uplink)

ENGINE = "in turn"


def in_the_tunnel(tunnel):
    """What is sent into the world through it."""
    return Sniffer(tunnel.world.host, tunnel.link, lambda packet: packet.dst in (ECHO4, ECHO6))


# Sends as soon as it exists, for as long as a network may take to become whatever it becomes.
EAGER = f"""for n in 1 2 3 4 5 6 7 8; do
    for a in {ECHO4} {ECHO6}; do
        ping -c1 -W1 $a & nc -w1 $a 80 < /dev/null &
    done
    sleep 0.05
done > /dev/null 2>&1
exec echo-server 80"""


FIRST = [shot for shot in WORLD if shot.proto != "udp"]


def start_eager(docker, net, name):
    docker.host.docker("run", "-d", "--name", name, "--network", net.name, *DNS, image.NAME, "sh",
                       "-c", EAGER)
    box = Container(docker, name)
    proc.wait_for(lambda: box.ask("127.0.0.1"), "end of the first packets")
    return box


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_first_packets(docker, judge, tunnel):
    box, net = killswitch(docker)
    judge.control(lambda: start_eager(docker, judge.net, "free"), FIRST)
    with uplink(docker.host.world) as wire:
        with in_the_tunnel(tunnel) as inside:
            start_eager(docker, net, "eager")
        assert {packet.dst for packet in inside.packets()} == {ECHO4, ECHO6}
        tunnel.down()
        docker.host.docker("restart", "-t", "0", "eager")
        start_eager(docker, net, "closed")
    assert wire.packets() == []


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
@pytest.mark.parametrize("policy", ["killswitch", "isolated"])
def test_closed(docker, judge, policy):
    box, net = run(docker, "policy=" + policy)
    with judge.silent() as fire:
        fire(box)


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_open_through_the_exit(docker, judge, tunnel):
    """What is not for the exit does not leave by the uplink instead."""
    box, _ = killswitch(docker)
    with judge.silent() as fire:
        fire(box)
        assert ask_all(box) == BY_EXIT


VANISH = {
    "killed": lambda tunnel: tunnel.down(),
    "deleted": lambda tunnel: tunnel.delete(),
    "down": lambda tunnel: tunnel.set("down"),
    "peer-gone": lambda tunnel: tunnel.peer_gone(),
    "renamed": lambda tunnel: tunnel.set("name", "other0"),
    "no-address": lambda tunnel: tunnel.world.host.ip("addr", "flush", "dev", tunnel.link),
}


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
@pytest.mark.parametrize("how", VANISH)
def test_the_tunnel_vanishes(docker, judge, tunnel, how):
    box, _ = killswitch(docker)
    assert ask_all(box) == BY_EXIT
    with probe.Flow(box.netns, ECHO4, timeout=0.3) as four, \
            probe.Flow(box.netns, ECHO6, timeout=0.3) as six:
        assert (four.ask(), six.ask()) == (EXIT4, EXIT6)
        with judge.silent() as fire:
            VANISH[how](tunnel)
            assert four.ask() is None and six.ask() is None
            fire(box)
    tunnel.down()
    tunnel.up()
    proc.wait_for(lambda: box.ask(ECHO4) == EXIT4, "the exit")
    assert ask_all(box) == BY_EXIT


@contextlib.contextmanager
def without_daemon(host):
    host.tailexit.kill()
    try:
        yield
    finally:
        host.tailexit.start()


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_the_tunnel_vanishes_unheard(docker, judge, tunnel):
    box, _ = killswitch(docker)
    with probe.Flow(box.netns, ECHO4, timeout=0.3) as flow:
        assert flow.ask() == EXIT4
        with judge.silent() as fire, without_daemon(docker.host):
            tunnel.down()
            assert flow.ask() is None
            fire(box)


def our_rules(host, family):
    return [line.split(":")[0] for line in host.run("ip", family, "rule").stdout.splitlines()
            if "proto 231" in line]


def flush_rules(host):
    for family in "-4", "-6":
        for pref in our_rules(host, family):
            host.run("ip", family, "rule", "del", "pref", pref)
        assert not our_rules(host, family)


def delete_table(host):
    host.run("nft", "delete", "table", "inet", "tailexit")


KEYS = pytest.mark.parametrize("take", [delete_table, flush_rules])


# Seen to fail: without the last rules of killswitch and isolated; without compile_fence().
@KEYS
@pytest.mark.parametrize("policy", ["killswitch", "isolated"])
def test_either_key_holds_alone(docker, judge, policy, take):
    """The daemon, which would put it back, is not there."""
    box, _ = run(docker, "policy=" + policy)
    with judge.silent() as fire, without_daemon(docker.host):
        take(docker.host)
        fire(box)


def client_of(box, tunnel):
    """Somebody at the other end who asked a published port, where nobody listens. What an application
    sends from that port later is an answer to him: returns how to send one."""
    here, there = tunnel.ends.host[0].split("/")[0], tunnel.ends.exit[0].split("/")[0]
    client = probe.open_socket(tunnel.there.netns, here, socket.SOCK_DGRAM)
    client.connect((here, 8080))
    # An answer before the question would be a connection of its own.
    with Sniffer(box.netns, "eth0", lambda packet: packet.dport == 80) as arriving:
        client.send(b"?\n")
        proc.wait_for(arriving.packets, "question through the tunnel")
    answer = Shot("udp", there, client.getsockname()[1])
    with Sniffer(tunnel.there.netns, tunnel.ends.far_link,
                 lambda packet: packet.sport == 8080) as inside:
        proc.wait_for(lambda: shout(box.netns, [answer], source_port=80) or inside.packets(),
                      "answer through the tunnel", step=0)
    return lambda: shout(box.netns, [answer], source_port=80)


# Seen to fail: all answers accepted, whichever way they go.
@pytest.mark.parametrize("via, how", [("wg1", ""), ("wg1", "unheard"), ("tailscale0", "unheard"),
                                      ("tailscale0", "without rules")])
def test_answers_to_the_tailnet_stay_in_it(docker, judge, tunnel, other_tunnel, via, how):
    box, _ = killswitch(docker, "via=" + via, argv=["-p", "8080:80/udp"], ports=(81,))
    answer = client_of(box, tunnel)
    with judge.silent(WORLD), contextlib.ExitStack() as stack:
        if how:
            stack.enter_context(without_daemon(docker.host))
        if how == "without rules":
            flush_rules(docker.host)
        tunnel.down()
        answer()


# Seen to fail: noted as to be answered by the main table, as clients by other ways are.
@pytest.mark.parametrize("how", ["", "unheard"])
def test_answers_to_another_tunnel_stay_in_it(docker, judge, tunnel, other_tunnel, how):
    """To a client who came through a tunnel that no network names."""
    box, _ = killswitch(docker, argv=["-p", "8080:80/udp"], ports=(81,))
    answer = client_of(box, other_tunnel)
    with judge.silent(WORLD), contextlib.ExitStack() as stack:
        if how:
            stack.enter_context(without_daemon(docker.host))
        other_tunnel.down()
        answer()


def forged_sources(neighbour, neighbour_net):
    four = [HOST4, LAN4, ISP4, neighbour.ip(neighbour_net), "127.0.0.1"]
    six = [HOST6, LAN6, "2001:db8:113::7", neighbour.ip6(neighbour_net)]
    return [(source, ECHO4) for source in four] + [(source, ECHO6) for source in six]


# Seen to fail: without drop_forged().
@pytest.mark.parametrize("policy", ["killswitch", "isolated", "bypass"])
def test_forged_sources(docker, judge, tunnel, policy):
    box, net = run(docker, "policy=" + policy)
    packets = forged_sources(judge.free, judge.net)

    def send(sender):
        for source, target in packets:
            forge(sender.netns, source, target)
        time.sleep(0.2)

    with uplink(docker.host.world) as wire:
        send(judge.free)
        # The host's own IPv4 address is refused by the host's kernel in any case.
        proc.wait_for(lambda: {LAN4, ISP4, HOST6, LAN6} <= {packet.src for packet in wire.packets()},
                      "forged packets of a network that may")
    before = status(docker.host, net)["drops"]["forged"]
    with uplink(docker.host.world) as wire, in_the_tunnel(tunnel) as inside:
        send(box)
    assert wire.packets() == [] and inside.packets() == []
    assert status(docker.host, net)["drops"]["forged"] - before == len(packets)


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
@pytest.mark.parametrize("up", [True, False], ids=["open", "closed"])
def test_new_flows_from_a_published_port(docker, judge, world, up):
    box, _ = killswitch(docker, argv=["-p", "81:81", "-p", "81:81/udp", "-p", "8080:80"])
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    if up:
        world.tunnel.up()
    try:
        with judge.silent([shot for shot in EVERYTHING if shot.proto != "ping"],
                          source_port=81) as fire:
            fire(box)
    finally:
        world.tunnel.down()


GROUPS = [Shot("udp", "224.0.0.251", 5353), Shot("udp", "239.255.255.250", 1900),
          Shot("udp", "255.255.255.255", 67), Shot("udp", "192.168.77.255", 137),
          Shot("udp", "169.254.7.7", 80), Shot("udp", "ff02::fb", 5353), Shot("udp", "ff02::1", 80)]


# Of <linux/mroute.h>.
MRT_INIT, MRT_ADD_VIF, MRT_ADD_MFC, VIFF_USE_IFINDEX = 200, 202, 204, 8


@contextlib.contextmanager
def multicast_router(docker, group, *senders):
    """Forwards a group from (container, network) to the LAN, as smcroute does."""
    with docker.host.netns.inside():
        router = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_IGMP)
        links = [socket.if_nametoindex(link) for link in
                 ["lan0"] + ["te-" + net.inspect()["Id"][:12] for _, net in senders]]
    with router:
        router.setsockopt(socket.IPPROTO_IP, MRT_INIT, 1)
        for number, link in enumerate(links):
            router.setsockopt(socket.IPPROTO_IP, MRT_ADD_VIF, struct.pack(
                "=HBBIi4x", number, VIFF_USE_IFINDEX, 1, 0, link))
        for number, (box, net) in enumerate(senders, start=1):
            router.setsockopt(socket.IPPROTO_IP, MRT_ADD_MFC, struct.pack(
                "=4s4sH32s2x16x", socket.inet_aton(box.ip(net)), socket.inet_aton(group), number,
                bytes([1])))
        yield


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_multicast_that_somebody_forwards(docker, judge, world, tunnel):
    box, net = killswitch(docker, "lan=on", "host=on")
    group = [shot for shot in GROUPS if shot.dst == "239.255.255.250"]
    with multicast_router(docker, group[0].dst, (judge.free, judge.net), (box, net)), \
            judge.silent(group) as fire:
        fire(box)


# Seen to fail: marked as open, and without egress.c's rules for link-local addresses and its last one
# of a killswitch.
def test_multicast_and_broadcast(docker, judge, world, tunnel):
    box, _ = killswitch(docker, "lan=on", "host=on")
    judge.control(lambda: shout(world.host, GROUPS, link="lan0"), GROUPS)
    with uplink(world) as wire, Sniffer(world.lan, "lan0", lambda packet: not packet.outgoing) as lan:
        shout(box.netns, GROUPS)
    assert wire.packets() == []
    assert not [packet for packet in lan.packets() if packet.dst in {shot.dst for shot in GROUPS}]


@contextlib.contextmanager
def main_table_into(tunnel, host):
    """A tunnel that takes over the main table, as OpenVPN does."""
    routes = [["-4", "route", "add", EXIT4, "via", ROUTER4, "dev", "lan0"]] + [
        [family, "route", "add", half, "dev", tunnel.link] for family, halves in
        (("-4", ["0.0.0.0/1", "128.0.0.0/1"]), ("-6", ["::/1", "8000::/1"])) for half in halves]
    for route in routes:
        host.run("ip", *route)
    assert probe.ask(host.netns, ECHO4) == EXIT4
    yield
    for family, _, _, *route in routes:
        host.run("ip", family, "route", "del", *route)


def settled(wire):
    proc.wait_for(lambda: Judge.quiet(wire), "silence")
    wire.seen.clear()


# Seen to fail: without compile_fence(); without the rules for tunnel_kinds.
@KEYS
def test_bypass_enters_no_tunnel_with_one_key(docker, tunnel, take):
    box, _ = run(docker, "policy=bypass")
    tunnel.exit_node(True)
    with without_daemon(docker.host), in_the_tunnel(tunnel) as inside:
        assert probe.ask(docker.host.netns, ECHO4) == EXIT4
        assert len(inside.packets()) > 0
        settled(inside)
        take(docker.host)
        shout(box.netns, WORLD)
        assert inside.packets() == []
        with main_table_into(tunnel, docker.host):
            settled(inside)
            shout(box.netns, WORLD)
            assert inside.packets() == []


# Seen to fail: without the rules for tunnel_kinds.
def test_bypass_enters_no_tunnel_of_the_main_table(docker, tunnel):
    box, net = run(docker, "policy=bypass")
    with main_table_into(tunnel, docker.host), in_the_tunnel(tunnel) as inside:
        settled(inside)
        shout(box.netns, WORLD)
        assert inside.packets() == []
    assert status(docker.host, net)["drops"]["tunnel"] > 0


# Seen to fail: without connections_forget_endpoint() and _ports().
def test_an_address_changes_hands(docker, judge, world):
    """An open network becomes a killswitch with the same addresses: nothing that was begun goes on."""
    box, net = run(docker, "policy=open", argv=["-p", "8080:80/udp"], ports=(81,))
    address = box.ip(net)
    client = probe.open_socket(world.isp, HOST4, socket.SOCK_DGRAM, source=ISP4)
    client.connect((HOST4, 8080))
    client.send(b"?\n")
    shots = [Shot("udp", ISP4, client.getsockname()[1]), *WORLD]
    with client, uplink(world) as wire:
        # As an answer from the published port, and as a flow of its own.
        shout(box.netns, shots, source_port=80)
        shout(box.netns, shots, source_port=4000)
        assert [packet for packet in wire.packets() if packet.sport == 8080]
        box.remove()
        net.remove()
        settled(wire)
        box, net = killswitch(docker, ports=(81,))
        assert box.ip(net) == address
        shout(box.netns, shots, source_port=80)
        shout(box.netns, shots, source_port=4000)
    assert wire.packets() == []


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch.
def test_failover_never_by_the_uplink(docker, judge, tunnel, other_tunnel):
    box, net = killswitch(docker, "via=wg1,tailscale0")
    assert ask_all(box) == BY_OTHER
    assert status(docker.host, net)["exit"] == "wg1"
    with judge.silent() as fire:
        other_tunnel.down()
        fire(box)
        proc.wait_for(lambda: ask_all(box, 0.3) == BY_EXIT, "the second exit")
        other_tunnel.up()
        fire(box)
        proc.wait_for(lambda: ask_all(box, 0.3) == BY_OTHER, "the first exit")
        tunnel.down()
        fire(box)
        assert ask_all(box) == BY_OTHER
        other_tunnel.down()
        fire(box)
    assert status(docker.host, net)["open"] is False
