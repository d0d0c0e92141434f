# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with three containers, for the restart matrix, and what has to hold after every row of it."""

import contextlib
import json
import re
import signal
import socket

from lab import Host, World, probe
from lab.docker import Container, Docker
from lab.image import NAME
from lab.proc import wait_for
from lab.snapshot import difference, snapshot
from lab.world import ECHO4, ECHO6, HOST4, HOST6, ISP4, ISP6, LAN4, LAN6

from test_restart_remains import wait_until_right

DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"
# A host that was switched on again has other cables and another docker0.
OF_A_BOOT = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|fe80::[0-9a-f:]*|@if\d+|link-netnsid \d+"
                       r"|anycast fe80\S*|dev lo proto kernel metric 0")


def comparable(seen):
    return {command: sorted(OF_A_BOOT.sub("", line) for line in lines)
            for command, lines in seen.items()}


class Rig:
    """web is restarted always and publishes 8080; so is both, which is on a bridge network, too; plain
    stays down until somebody starts it."""

    ALWAYS = {"web", "both"}

    def __init__(self, suite):
        self.world = World()
        try:
            self.host = Host(self.world, suite)
            self.host.tailexit._answers = self._daemon_answers
            self.host.boot()
            self.docker = Docker(self.host)
            self.dockerd, self.tailexit = self.host.dockerd, self.host.tailexit
            # Docker leaves things behind after its first bridge network, and IPv6 forwarding adds
            # routes for good: that is not the question here.
            self._populate()
            self.docker.clean()
            self.before = comparable(snapshot(self.host))
        except BaseException:
            self.world.down()
            raise
        self.clean = True

    def _daemon_answers(self):
        """Asks for nothing: Plugin.Activate would be news to the daemon, of a dockerd that started."""
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(self.host.path("run", "tailexit", "control.sock"))
                return True
            except OSError:
                return False

    def _populate(self):
        self.net = self.docker.network("tailexit", *DUAL, name="ours")
        other = self.docker.network("bridge", name="theirs")
        self._create("web", "--restart", "always", "-p", "8080:80", "-p", "8080:80/udp")
        self._create("plain")
        self._create("both", "--restart", "always")
        self.host.docker("network", "connect", other.name, "both")
        self.host.docker("start", "web", "plain", "both")
        self.boxes = {name: Container(self.docker, name) for name in ("web", "plain", "both")}

    def _create(self, name, *argv):
        self.host.docker("create", "--name", name, "--network", self.net.name, *argv, NAME,
                         "echo-server", "80")

    def start(self, live_restore=False):
        self.clean = False
        self.live_restore(live_restore)
        self._populate()
        self.check()

    def live_restore(self, on):
        """Without a restart, and valid for the next start as well."""
        if self.docker.api("GET", "/info")["LiveRestoreEnabled"] == on:
            return
        with open(self.host.path("etc", "daemon.json"), "w", encoding="ascii") as file:
            json.dump({"live-restore": on}, file)
        self.dockerd.send(signal.SIGHUP)
        wait_for(lambda: self.docker.api("GET", "/info")["LiveRestoreEnabled"] == on, "live-restore")

    def running(self):
        return {container["Names"][0][1:] for container in self.docker.api("GET", "/containers/json")}

    def expect(self, names):
        """Exactly these containers run, by themselves."""
        wait_for(lambda: self.running() == set(names), f"{sorted(names)}; there are {self.running()}")
        for name in names:
            box = self.boxes[name].refresh()
            wait_for(lambda: box.ask("127.0.0.1"), f"server in {name}")

    def traffic(self):
        """From containers outwards, from outside inwards, and between containers, by name."""
        lan, host = self.world.lan, self.host.netns
        for name in self.running():
            box = self.boxes[name]
            assert box.ask(ECHO4) == ISP4, name
            assert box.ask(ECHO6) == ISP6 or name == "both", name
        if "web" in self.running():
            for proto in "tcp", "udp":
                assert probe.ask(lan, HOST4, 8080, proto) == LAN4, proto
                assert probe.ask(lan, HOST6, 8080, proto) == LAN6, proto
                assert probe.ask(host, "127.0.0.1", 8080, proto), proto
                assert probe.ask(host, "::1", 8080, proto), proto
        else:
            assert probe.ask(lan, HOST4, 8080, timeout=0.3) is None

    def names(self):
        names = sorted(self.running())
        for client, server in zip(names, names[1:] + names[:1]):
            self.boxes[client].execute("timeout", "3", "wget", "-qO-", f"http://{server}/")

    def check(self, names=("web", "plain", "both"), timeout=5):
        self.expect(names)
        self.traffic()
        self.names()
        wait_until_right(self.docker, timeout)

    def kill_container(self, name):
        """As the kernel would for want of memory; nobody is told but its parent."""
        self.host.run("sh", "-c", f"kill -9 {self.boxes[name].pid}")

    def finish(self):
        """Everything still can be done with what was carried over, and everything goes away."""
        self.host.docker("start", "plain")
        self.host.docker("restart", "-t", "0", "web")
        self.check()
        self.docker.clean()
        after = comparable(snapshot(self.host))
        assert after == self.before, difference(self.before, after)
        self.clean = True


@contextlib.contextmanager
def flows(rig):
    """Connections that outlive what happens in the block, from outside and from inside."""
    with probe.Flow(rig.world.lan, HOST4, 8080) as inwards, \
            probe.Flow(rig.boxes["plain"].netns, ECHO4) as outwards:
        assert inwards.ask() == LAN4 and outwards.ask() == ISP4
        yield
        assert inwards.ask() == LAN4, "a connection to a published port broke"
        assert outwards.ask() == ISP4, "a connection to the world broke"
