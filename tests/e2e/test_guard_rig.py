# SPDX-License-Identifier: GPL-2.0-or-later
"""A host that is switched off and on again, with a daemon or without, and what somebody might put there
who has only the names of its networks."""

import contextlib
import os
import shutil
import signal

from lab import proc
from lab.netns import Named, cable
from lab.shout import Shot, shout
from lab.sniff import TCP
from lab.tailexitd import BINARY
from lab.uplink import uplink
from lab.world import ECHO4, ECHO6, HOST4, HOST6

from test_requests_rig import Plain

WAYS = [Shot("udp", ECHO4, 80), Shot("tcp", ECHO4, 80), Shot("ping", ECHO4),
        Shot("udp", ECHO6, 80), Shot("tcp", ECHO6, 80), Shot("ping", ECHO6)]
# Number of a network: its policy. See ident().
NETWORKS = {1: "killswitch", 2: "isolated", 3: "bypass", 4: "open"}


def ident(number):
    return f"{number:02x}" * 32


def bridge(number):
    return "te-" + ident(number)[:12]


def dual(number, policy, **options):
    """CreateNetwork, with both families."""
    return {"NetworkID": ident(number),
            "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": f"10.80.{number}.0/24",
                          "Gateway": f"10.80.{number}.1/24"}],
            "IPv6Data": [{"AddressSpace": "LocalDefault", "Pool": f"fd80:{number}::/64",
                          "Gateway": f"fd80:{number}::1/64"}],
            "Options": {"com.docker.network.enable_ipv6": True,
                        "com.docker.network.generic": {"policy": policy, **options}}}


def is_of_the_past(packet):
    """Somebody has not given up a connection that was there before the host was switched off: the host
    says that it knows of none."""
    return packet.proto == TCP and packet.src in (HOST4, HOST6) and packet.payload[13] & 4


class Machine(Plain):
    def kill(self):
        """The daemon; the kernel keeps everything."""
        proc.end(self.process, signal.SIGKILL)

    def power_off(self):
        """Afterwards nothing is left but what is on disk."""
        self.kill()
        self.world.delete_host()
        shutil.rmtree(self.path("run", "tailexit"), ignore_errors=True)

    def reboot(self):
        """Without a daemon. It forwards, as somebody else may want it to, and looks at no way back:
        what is blocked is blocked by us."""
        self.power_off()
        self.world.create_host()
        self.netns.forward()
        for link in "all", "default", "lan0":
            self.netns.sysctl(f"ipv4/conf/{link}/rp_filter", 0)

    def guard(self, *options, status=0):
        """What it says, on one line or more."""
        result = self.netns.run(BINARY, "guard", "--state-dir", self.path("lib"),
                                "--run-dir", self.path("run", "tailexit"), *options, check=False)
        assert result.returncode == status, result.stderr
        assert result.stdout == ""
        return result.stderr

    def difference(self):
        return self.netns.run(BINARY, "plan", "--diff", "--run-dir",
                              self.path("run", "tailexit")).stdout

    def handles(self):
        """The packet filter, with numbers that tell what was made anew."""
        return self.netns.run("nft", "-s", "-a", "list", "ruleset").stdout

    def delete_tables(self):
        for family in "inet", "bridge":
            self.netns.run("nft", "delete", "table", family, "tailexit")

    def flush_rules(self):
        """Ours: without the others the host itself has no routes."""
        for family in "-4", "-6":
            self.netns.ip(family, "rule", "flush", "protocol", "231")

    @contextlib.contextmanager
    def paused(self):
        """The daemon, which must not repair what is done to its rules."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def wire(self):
        """Of the uplink."""
        wire = uplink(self.world)
        leaves = wire.match
        wire.match = lambda packet: leaves(packet) and not is_of_the_past(packet)
        return wire

    def sent(self, netns):
        """What comes out of the uplink of what is sent to everybody."""
        with self.wire() as wire:
            shout(netns, WAYS, seconds=0.5)
        return wire.packets()

    def container(self, name):
        """A namespace of this name; one that is left of an earlier one goes."""
        netns = Named(f"{self.world.prefix}-{name}")
        netns.delete()
        return netns.create()

    def by_hand(self, number):
        """The bridge of a network and a container on it, made by somebody who heeds no rules."""
        host, name = self.netns, bridge(number)
        host.ip("link", "add", name, "type", "bridge")
        host.ip("link", "set", name, "alias", "tailexit network " + ident(number))
        host.ip("link", "set", name, "up")
        host.address(name, f"10.80.{number}.1/24", f"fd80:{number}::1/64")
        box = self.container(f"hand{number}")
        cable(host, f"hand{number}", box, "eth0")
        host.ip("link", "set", f"hand{number}", "master", name)
        self.addresses(box, number)
        return box

    def attached(self, number, name, last, **options):
        """A container as the driver makes it."""
        self.good("CreateEndpoint", {
            "NetworkID": ident(number), "EndpointID": name * 64,
            "Options": {"com.docker.network.endpoint.dnsservers": ["9.9.9.9"], **options},
            "Interface": {"Address": f"10.80.{number}.{last}/24",
                          "AddressIPv6": f"fd80:{number}::{last}/64", "MacAddress": ""}})
        self.good("Join", {"NetworkID": ident(number), "EndpointID": name * 64, "Options": {},
                           "SandboxKey": "/var/run/docker/netns/1"})
        box, link = self.container("box" + name), "tec" + name * 12
        self.netns.ip("link", "set", link, "netns", box.name)
        box.ip("link", "set", link, "name", "eth0")
        self.addresses(box, number, last)
        return box

    @staticmethod
    def addresses(box, number, last=2):
        box.ip("link", "set", "eth0", "up")
        box.address("eth0", f"10.80.{number}.{last}/24", f"fd80:{number}::{last}/64")
        box.ip("route", "add", "default", "via", f"10.80.{number}.1")
        box.ip("route", "add", "default", "via", f"fd80:{number}::1")

    def state(self):
        """Every file and directory of the state, as stat() and read() show it."""
        found = {}
        for folder, _, names in os.walk(self.path("lib")):
            for path in folder, *(os.path.join(folder, name) for name in names):
                st = os.lstat(path)
                content = b""
                if not os.path.isdir(path):
                    with open(path, "rb") as file:
                        content = file.read()
                found[path] = st.st_ino, st.st_mode, st.st_mtime_ns, st.st_ctime_ns, content
        return found


def seen_all(packets):
    return all(shot.seen_in(packets) for shot in WAYS)
