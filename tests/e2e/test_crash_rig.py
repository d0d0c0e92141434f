# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon without any dockerd that fails at a chosen call, the life of a network as a dockerd would ask
for it, and who judges on the uplink what a container gets out meanwhile."""

import contextlib
import fcntl
import json
import os
import socket
import struct
import time

import pytest

from lab import World, faults, proc
from lab.netns import Named, cable
from lab.shout import datagram
from lab.snapshot import difference
from lab.uplink import uplink
from lab.world import DNS4, ECHO4, ECHO6, ROUTER4, ROUTER6

from test_requests_rig import EP, NET, OTHER, PORTS, STRANGER, Plain, attach, endpoint, network

BRIDGE, INSIDE = "te-" + NET[:12], "tec" + EP[:12]
SUBNETS = "10.80.0.0/24", "fd80::/64"
ADDRESSES = "10.80.0.2", "fd80::2"
SHOTS = [(ADDRESSES[0], ECHO4), (ADDRESSES[1], ECHO6)]
SIOCGIFHWADDR, SIOCBRADDIF = 0x8927, 0x89A2


def dual(name=NET, **options):
    """CreateNetwork, of a network with both families."""
    body = network(name, SUBNETS[0], "10.80.0.1/24", options)
    body["IPv6Data"] = [{"AddressSpace": "LocalDefault", "Pool": SUBNETS[1], "Gateway": "fd80::1/64"}]
    body["Options"]["com.docker.network.enable_ipv6"] = True
    return body


def member(name=EP, net=NET, **options):
    """CreateEndpoint, of a container with resolvers of its own."""
    body = endpoint(name, ADDRESSES[0] + "/24", net)
    body["Interface"]["AddressIPv6"] = ADDRESSES[1] + "/64"
    body["Options"] = {"com.docker.network.endpoint.dnsservers": [DNS4], **options}
    return body


def life(net, one=None):
    """All calls, in the order in which dockerd sends them."""
    return [("CreateNetwork", net), ("CreateEndpoint", one or member()), ("Join", attach()),
            ("ProgramExternalConnectivity", attach(options=PORTS)),
            ("RevokeExternalConnectivity", attach()), ("Leave", attach()),
            ("DeleteEndpoint", attach()), ("DeleteNetwork", {"NetworkID": NET})]


class Frail(Plain):
    """A daemon that fails where .fault says, and a namespace box for the container's end."""

    aliens = True  # the network lets nobody out, whether it knows him or not
    before = ()  # is put in front of the daemon
    root = ""  # of its files, if they are not where everybody sees them

    def __init__(self, world):
        self.fault = faults.Fault(world.path("fault"))
        self.bridge = BRIDGE
        self.box = Named(world.prefix + "-box").create()
        super().__init__(world)
        # Some exit, where all ends: nobody has this address, nor has to be asked for it.
        cable(self.netns, "tailscale0", world.exit, "tun0")
        self.netns.address("tailscale0", "100.64.0.2/32", "fd7a:115c:a1e0::2/128")
        for address in ECHO4, ECHO6:
            self.netns.ip("neigh", "replace", address, "lladdr", "02:00:00:00:00:01",
                          "dev", "tailscale0", "nud", "permanent")
        # Nothing that leaks has to wait for its next hop's address.
        router = mac(world.isp, "lan")
        for address in ROUTER4, ROUTER6:
            self.netns.ip("neigh", "replace", address, "lladdr", router, "dev", "lan0",
                          "nud", "permanent")
        # Whoever else is on the bridge, should there be one.
        cable(self.netns, "alien", self.box, "eth1")
        self.netns.sysctl("ipv6/conf/alien/disable_ipv6", 1)
        # Forwarding stays on after the first network, which shows in routes of the kernel's own.
        self.netns.forward()
        self.clean = self.seen()

    def begin(self):
        # The process starts where this thread is: hundreds of times, without a process in between.
        with self.netns.inside():
            self.process = proc.spawn([*self.before, faults.BINARY, *self.arguments()], self.path("log"),
                                      self.fault.environment)

    def ask(self, method, body):
        """What the reply says; None: there was none."""
        with contextlib.suppress(OSError, IndexError):
            return self.send(method, body)[1]
        return None

    def live(self, calls):
        """Does all of this; the container has its end when dockerd gives it to it."""
        for method, body in calls:
            self.good(method, body)
            if method == "Join":
                self.take(INSIDE)

    def take(self, link):
        with self.netns.inside():
            proc.run(["ip", "link", "set", link, "netns", self.box.name, "name", "eth0", "up"])

    def kill(self):
        self.process.kill()
        self.died()

    def died(self):
        assert self.process.wait(10) == -9

    def unchanged(self, before):
        return difference(before, self.seen())

    def wrong(self):
        """What `tailexit plan --diff` prints: of ours in the kernel that is not as the state wants it."""
        reply = self.exchange(b"POST /diff HTTP/1.1\r\nHost: \r\nConnection: close\r\n"
                              b"Content-Length: 0\r\n\r\n",
                              where=self.path("run", "tailexit", "control.sock"))
        return json.loads(reply.partition(b"\r\n\r\n")[2])

    def remains(self):
        """Of all networks and endpoints, when the last one is gone: the quick way to ask."""
        return self.wrong() + " ".join(name for name, _ in self._files())

    def glance(self):
        """What a request may change, without any process: cheap enough for hundreds of times."""
        proc_net = f"/proc/{self.process.pid}/net/"
        return {"wrong": self.wrong(), "files": dict(self._files()),
                "links": [line.split(":")[0] for line in read(proc_net + "dev").splitlines()[2:]],
                "ports": [line.split()[1:4] for name in ("tcp", "tcp6", "udp", "udp6")
                          for line in read(proc_net + name).splitlines()[1:]]}

    def _files(self):
        for directory in "lib", "run/tailexit":
            for path, _, names in os.walk(self.root + self.path(directory)):
                for name in names:
                    if not name.endswith(".sock"):
                        yield name, read(os.path.join(path, name))

    def fire(self):
        """Packets of the container's, or of an alien's in its place if it has no end yet or no more."""
        bridge = exists(self.netns, self.bridge)
        if bridge and exists(self.netns, INSIDE):
            self.take(INSIDE)
        if bridge and exists(self.box, "eth0"):
            self._fire("eth0")
        elif bridge and self.aliens:
            plug(self.netns, "alien", self.bridge)
            self._fire("eth1")

    def _fire(self, link):
        """By hand: no route has to be there, and nobody has to answer for the gateway."""
        with self.box.inside():
            wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            wire.bind((link, 0))
        ends = mac_bytes(self.netns, self.bridge) + mac_bytes(self.box, link)
        with wire:
            for source, target in SHOTS:
                kind = 0x86DD if ":" in source else 0x0800
                with contextlib.suppress(OSError):
                    wire.send(ends + struct.pack("!H", kind) + datagram(source, target))

    @contextlib.contextmanager
    def silence(self):
        """Nothing that is fired in the block gets to the uplink."""
        with uplink(self.world) as wire:
            yield wire
            time.sleep(0.03)
            assert wire.packets() == [], self.fault.text

    def control(self, **options):
        """What is fired does get there, from an open network: once with the daemon dead."""
        self.live(life(dual(policy="open", **options))[:3])
        self.kill()
        with uplink(self.world) as wire:
            self.fire()
            proc.wait_for(lambda: {packet.dst for packet in wire.packets()} == {ECHO4, ECHO6},
                          "positive control")
        self.start()
        self.live(life(None)[5:])
        assert self.unchanged(self.clean) == ""


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def exists(netns, link):
    with netns.inside(), contextlib.suppress(OSError):
        return socket.if_nametoindex(link)
    return None


def control_link(netns, link, request, index=0):
    with netns.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        return fcntl.ioctl(any_socket, request, struct.pack("16si20x", link.encode(), index))


def mac_bytes(netns, link):
    return control_link(netns, link, SIOCGIFHWADDR)[18:24]


def plug(netns, link, bridge):
    """As a port of the bridge, unless it is one."""
    with contextlib.suppress(OSError):
        control_link(netns, bridge, SIOCBRADDIF, exists(netns, link))


def mac(netns, link):
    return mac_bytes(netns, link).hex(":")


@pytest.fixture(scope="module")
def frail():
    with World() as world:
        yield Frail(world)
