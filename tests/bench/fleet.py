# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon with as many networks and endpoints as somebody wants, told of them with the requests that dockerd
would send. dockerd itself would take hours for a thousand networks."""

import contextlib
import re
import signal
import time

from lab import World, proc
from lab.plain import Plain
from lab.tailexitd import BINARY
from lab.world import DNS4

POLICY = {"policy": "killswitch"}
RESOLVERS = {"com.docker.network.endpoint.dnsservers": [DNS4]}
TRANSACTION = re.compile(r"a transaction of \d+ messages, (\d+) bytes")
REPAIRED = "put back what was changed"
BASIS = 1 << 44  # ids differ in their first 12 digits, of which names are made


def network_id(number):
    return f"{BASIS + number:012x}".ljust(64, "0")


def endpoint_id(network, number):
    return f"{(network << 20) + BASIS + number:012x}".ljust(64, "e")


def network_request(number):
    subnet = f"10.{number >> 8}.{number & 255}"
    return {"NetworkID": network_id(number), "IPv6Data": [],
            "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": subnet + ".0/24",
                          "Gateway": subnet + ".1/24"}],
            "Options": {"com.docker.network.enable_ipv6": False, "com.docker.network.generic": POLICY}}


def endpoint_request(network, number):
    return {"NetworkID": network_id(network), "EndpointID": endpoint_id(network, number),
            "Options": RESOLVERS, "Interface": {
                "Address": f"10.{network >> 8}.{network & 255}.{number + 2}/24", "AddressIPv6": "",
                "MacAddress": ""}}


def attach_request(network, number):
    return {"NetworkID": network_id(network), "EndpointID": endpoint_id(network, number), "Options": {},
            "SandboxKey": "/var/run/docker/netns/1"}


class Fleet(Plain):
    """Network 0, and endpoint 200 of the others, are those that come and go while something is measured."""

    def __init__(self, world, options=()):
        self.options = list(options)
        super().__init__(world)

    def arguments(self):
        return super().arguments() + self.options

    def exchange(self, data, timeout=60, where=None):
        return super().exchange(data, timeout, where)

    def call(self, method, request):
        """How many milliseconds, from the connection to the reply's end."""
        began = time.monotonic()
        self.good(method, request)
        return 1000 * (time.monotonic() - began)

    def grow(self, networks, endpoints_each=0):
        for network in range(1, networks + 1):
            self.good("CreateNetwork", network_request(network))
            for number in range(endpoints_each):
                self.add_endpoint(network, number)
        self.plug_in()

    def crowd(self, networks, before, after):
        """From so many endpoints in each network to so many."""
        for network in range(1, networks + 1):
            for number in range(before, after):
                self.add_endpoint(network, number)
        self.plug_in()

    def add_endpoint(self, network, number):
        self.good("CreateEndpoint", endpoint_request(network, number))
        self.good("Join", attach_request(network, number))

    def plug_in(self):
        """The containers' ends go elsewhere, as dockerd would see to: who is in no container is swept after a
        new start."""
        links = re.findall(r"^\d+: (tec\w+)", self.netns.ip("-o", "link"), re.M)
        self.netns.run("ip", "-batch", "-", timeout=600, input="".join(
            f"link set {link} netns {self.world.lan.name}\n" for link in links))

    def one_more_network(self):
        """Made and removed again: what the making took, and what the removal took."""
        request = network_request(0)
        made = self.call("CreateNetwork", request)
        return made, self.call("DeleteNetwork", {"NetworkID": request["NetworkID"]})

    def one_more_container(self, network, number=200):
        """All that dockerd asks for one container's sake."""
        own = attach_request(network, number)
        return sum([self.call("CreateEndpoint", endpoint_request(network, number)), self.call("Join", own),
                    self.call("Leave", own), self.call("DeleteEndpoint", own)])

    def rss(self):
        """Megabytes."""
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024

    def restart(self):
        """Milliseconds from the start of the program to its answer to dockerd's greeting."""
        proc.end(self.process, signal.SIGKILL)
        began = time.monotonic()
        self.begin()
        proc.wait_for(self._greets, "answer of the daemon", 60, step=0.001)
        return 1000 * (time.monotonic() - began)

    def _greets(self):
        with contextlib.suppress(OSError):
            return b"NetworkDriver" in self.exchange(
                b"POST /Plugin.Activate HTTP/1.0\r\nContent-Length: 0\r\n\r\n", timeout=60)
        return False

    def transaction(self, do):
        """Bytes of the largest nftables transaction meanwhile. At log level debug."""
        before = len(self.log())
        do()
        return max(map(int, TRANSACTION.findall(self.log()[before:])))

    def flush_ruleset(self):
        """Milliseconds from there until the daemon says that everything is back."""
        before = len(self.log())
        began = time.monotonic()
        self.netns.run("nft", "flush", "ruleset")
        proc.wait_for(lambda: REPAIRED in self.log()[before:], "repair", 120, step=0.002)
        return 1000 * (time.monotonic() - began)

    def rebuild(self):
        """The same, and nothing is missing afterwards."""
        taken = self.flush_ruleset()
        difference = self.run(BINARY, "plan", "--diff", "--run-dir", self.path("run", "tailexit")).stdout
        assert difference == "", "the daemon said that all is back, but: " + difference[:2000]
        return taken


@contextlib.contextmanager
def fleet(networks=0, endpoints_each=0):
    with World() as world:
        built = Fleet(world)
        built.grow(networks, endpoints_each)
        yield built
