# SPDX-License-Identifier: GPL-2.0-or-later
"""What the host's own kernel says to a container's peers: that nobody is here, that a packet is too big
or came too late. It leaves through the exit or not at all. That something was said, and dropped, is
seen by the counter `refusals`.

Next to each test: what was taken out of the daemon to see it fail.
"""

import contextlib
import json
import socket
import struct
import time

import pytest

from lab import probe, proc
from lab.world import ECHO4, ECHO6, EXIT4, EXIT6, HOST4

from test_policy_leaks import without_daemon
from test_policy_rig import DNS, DUAL, killswitch, tunnel, uplink, words  # noqa: F401

ENGINE = "in turn"

HERE4, HERE6 = "100.64.0.2", "fd7a:115c:a1e0::2"
FAMILIES = pytest.mark.parametrize("echo, seen", [(ECHO4, EXIT4), (ECHO6, EXIT6)], ids=["v4", "v6"])
IP_NODEFRAG = 22


def refused(host):
    """Refusals dropped so far."""
    listed = json.loads(host.run("nft", "-j", "list", "counter", "inet", "tailexit", "refusals").stdout)
    return next(entry["counter"]["packets"] for entry in listed["nftables"] if "counter" in entry)


@contextlib.contextmanager
def nothing_said(docker):
    """The kernel refuses something during the block, and none of it is on the ISP's wire."""
    before = refused(docker.host)
    with uplink(docker.host.world) as wire:
        yield
        proc.wait_for(lambda: refused(docker.host) > before or wire.packets(), "refusal", timeout=20)
        # The next one is sent or not sent by then as well.
        time.sleep(0.3)
    assert wire.packets() == []


class Peer:
    """Of a container, in the world: with Peer(world, box, ECHO4, EXIT4, "udp") as peer: peer.speak()

    fin: as tcp, but it hangs up. conntrack then knows of no connection at all.
    """

    def __init__(self, world, box, echo, seen, how):
        self.how = how
        kind = socket.SOCK_DGRAM if how == "udp" else socket.SOCK_STREAM
        self.server = probe.open_socket(world.net, echo, kind, source=echo)
        if how != "udp":
            self.server.listen()
        self.client = probe.open_socket(box.netns, echo, kind)
        self.client.connect(self.server.getsockname()[:2])
        if how == "udp":
            self.client.send(b"?\n")
            _, address = self.server.recvfrom(16)
            self.server.connect(address[:2])
            self.end = self.server
        else:
            self.end, address = self.server.accept()
        assert address[0] == seen

    def speak(self, data=b"still there?"):
        if self.how == "fin":
            self.end.shutdown(socket.SHUT_WR)
        else:
            self.end.send(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self.client, self.end, self.server:
            end.close()


# Seen to fail: without the note of exit-input (tcp, udp); without the rules for exit4 and exit6 (fin).
@pytest.mark.parametrize("how", ["tcp", "udp", "fin"])
@FAMILIES
def test_nobody_answers_for_a_container_that_is_gone(docker, world, tunnel, echo, seen, how):
    """Its peers go on sending, through the exit, to the address that it had there."""
    box, _ = killswitch(docker)
    with Peer(world, box, echo, seen, how) as peer:
        box.remove()
        with nothing_said(docker):
            peer.speak()


# Seen to fail: without the note in translate.c.
@pytest.mark.parametrize("how", ["tcp", "udp"])
@FAMILIES
def test_errors_about_a_connection(docker, world, tunnel, echo, seen, how):
    """The bridge is down: the kernel knows the connection, but no way to the container."""
    box, net = killswitch(docker)
    bridge = "te-" + net.inspect()["Id"][:12]
    with Peer(world, box, echo, seen, how) as peer, without_daemon(docker.host):
        docker.host.run("ip", "link", "set", bridge, "down")
        with nothing_said(docker):
            peer.speak()


# Seen to fail: without the note in translate.c.
def test_too_big_for_the_network(docker, world, tunnel):
    """A small MTU is for networks without IPv6."""
    net = docker.network("tailexit", *words("policy=killswitch", "mtu=1000"), "--subnet", DUAL[2])
    box = docker.run(net, *DNS)
    with Peer(world, box, ECHO4, EXIT4, "udp") as peer, nothing_said(docker):
        peer.speak(bytes(1100))


# Seen to fail: without the rules for exit4 and exit6.
def test_fragments_that_never_become_whole(docker, world, tunnel):
    """The first of a datagram to the exit's address: after a while the kernel says that it gives up."""
    killswitch(docker)
    world.host.sysctl("ipv4/ipfrag_time", 1)
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + 16, 7, 0x2000, 64, socket.IPPROTO_UDP, 0)
    header += socket.inet_aton(ECHO4) + socket.inet_aton(HERE4)
    with world.exit.inside():
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)
    try:
        with raw, nothing_said(docker):
            raw.sendto(header + struct.pack("!HHHH", 80, 4000, 1000, 0) + bytes(8), (HERE4, 0))
    finally:
        world.host.sysctl("ipv4/ipfrag_time", 30)


def connect(netns, address):
    """What comes of it: an errno, None for silence."""
    with probe.open_socket(netns, address, socket.SOCK_STREAM, timeout=1) as client:
        try:
            client.connect((address, 9))
        except OSError as error:
            return error.errno


# Seen to fail: without the rule for who came by another way.
def test_the_host_refuses_as_ever(docker, world, tunnel):
    """Who asks the host itself is told that nobody listens: through the exit, and from the LAN."""
    killswitch(docker)
    world.lan.ip("route", "add", HERE4, "via", HOST4)
    before = refused(docker.host)
    assert connect(world.exit, HERE4) == connect(world.exit, HERE6) == 111
    assert connect(world.lan, HERE4) == 111
    assert connect(world.lan, HOST4) == 111
    assert refused(docker.host) == before


# Seen to fail: without compile_exits() in exits.c.
def test_addresses_of_an_exit_come_and_go(docker, world, tunnel):
    killswitch(docker)

    def known(set_name):
        return docker.host.run("nft", "list", "set", "inet", "tailexit", set_name).stdout

    assert HERE4 in known("exit4") and HERE6 in known("exit6")
    world.host.ip("addr", "add", "100.64.0.9/32", "dev", tunnel.link)
    proc.wait_for(lambda: "100.64.0.9" in known("exit4") and "100.64.0.9" in known("exit4_own"),
                  "new address")
    world.host.ip("addr", "del", "100.64.0.9/32", "dev", tunnel.link)
    proc.wait_for(lambda: "100.64.0.9" not in known("exit4_own"), "absence of the old address")
    assert HERE4 in known("exit4") and HERE4 in known("exit4_own")
    # What is under way to it may still come in.
    assert "100.64.0.9" in known("exit4") and "100.64.0.9" in known("exit4_strays")
