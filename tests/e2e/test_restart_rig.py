# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with three containers, for the restart matrix, and what has to hold after every row of it."""

import contextlib
import http.client
import json
import re
import signal
import socket
import threading

import pytest

from lab import Host, World, probe
from lab.docker import Container, Docker
from lab.dockerd import ApiError
from lab.image import NAME
from lab.proc import wait_for
from lab.snapshot import difference, snapshot
from lab.world import ECHO4, ECHO6, HOST4, HOST6, ISP4, ISP6, LAN4, LAN6

from test_restart_remains import wait_until_right

DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"
# A host that was switched on again has other cables and another docker0.
OF_A_BOOT = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|fe80::[0-9a-f:]*|@if\d+|link-netnsid \d+")

# What Docker 20.10 says when it starts, is slow, and starts a container twice: by its restart policy, and
# because it finds it dead. No driver is asked about that, and no further start of the engine mends it.
LOST = "id already in use"


def comparable(seen):
    return {command: sorted(OF_A_BOOT.sub("", line) for line in lines)
            for command, lines in seen.items()}


class Rig:
    """web is restarted always and publishes 8080; so is both, which is on a bridge network, too; plain
    stays down until somebody starts it."""

    ALL = {"web", "plain", "both"}
    ALWAYS = {"web", "both"}

    def __init__(self, suite):
        self.world = World()
        try:
            self.host = Host(self.world, suite)
            self.docker = Docker(self.host)
            self.dockerd, self.tailexit = self.host.dockerd, self.host.tailexit
            self.tailexit._answers = self._daemon_answers
            self.host.boot()
            # Docker leaves things behind after its first bridge network, and IPv6 forwarding adds
            # routes for good: that is not the question here.
            self._populate()
            self.docker.clean()
            self.before = comparable(snapshot(self.host))
            self._populate()
        except BaseException:
            self.world.down()
            raise
        self.clean = True

    def _daemon_answers(self):
        """Without a call of the driver: Plugin.Activate would tell the daemon of a new dockerd."""
        with socket.socket(socket.AF_UNIX) as client:
            with contextlib.suppress(OSError):
                client.connect(self.host.path("run", "tailexit", "control.sock"))
                return True
        return False

    def _populate(self):
        self.net = self.docker.network("tailexit", *DUAL, name="ours")
        self.docker.network("bridge", name="theirs")
        self._create("web", 11, "--restart", "always", "-p", "8080:80", "-p", "8080:80/udp")
        self._create("plain", 77)
        self._create("both", 13, "--restart", "always")
        self.docker.api("POST", "/networks/theirs/connect", {"Container": "both"})
        self.boxes = {name: Container(self.docker, name) for name in sorted(self.ALL)}
        for name in self.boxes:
            self.begin(name)

    def _create(self, name, number, *argv):
        """With addresses of its own: what is stale must not go because another one takes its place."""
        self.host.docker("create", "--name", name, "--network", self.net.name,
                         "--ip", f"10.80.0.{number}", "--ip6", f"fd00:80::{number}", *argv,
                         NAME, "echo-server", "80")

    def call(self, method, **fields):
        """As dockerd would call the driver."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.host.path("run", "docker", "plugins", "tailexit.sock"))
            body = json.dumps(fields).encode()
            client.sendall(b"POST /NetworkDriver.%s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s"
                           % (method.encode(), len(body), body))
            answer = client.makefile("rb").read()
        assert b'"Err"' not in answer, answer

    def begin(self, name):
        self.docker.api("POST", f"/containers/{name}/start")

    def stop(self, name):
        self.docker.api("POST", f"/containers/{name}/stop?t=0")

    def restart(self, name):
        self.docker.api("POST", f"/containers/{name}/restart?t=0")

    def start(self, live_restore=False):
        self.clean = False
        self._live_restore(live_restore)
        for name in self.ALL - self.running():
            self.begin(name)
        self.expect(self.ALL)
        wait_until_right(self.docker)

    def _live_restore(self, on):
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
        try:
            wait_for(lambda: self.running() == names and all(map(self._serves, names)),
                     f"state in which {sorted(names)} run", 15)
        except TimeoutError as error:
            states = {name: box.inspect()["State"] for name, box in self.boxes.items()}
            if any(state["Error"] == LOST for state in states.values()):
                pytest.skip(f"the engine itself lost a container that it started twice: {LOST}")
            raise TimeoutError(f"{error}, but {states}\n{self.dockerd.log()[-4000:]}") from None

    def _serves(self, name):
        with contextlib.suppress(OSError):  # it is ending, its namespace is gone
            box = self.boxes[name].refresh()
            return box.pid and box.ask("127.0.0.1", timeout=0.5)
        return False

    def traffic(self):
        """From containers outwards, and from outside to the published port; needs no dockerd."""
        lan = self.world.lan
        for name in "web", "plain":
            if self.boxes[name].pid:
                assert self.boxes[name].ask(ECHO4) == ISP4, name
                assert self.boxes[name].ask(ECHO6) == ISP6, name
        assert self.boxes["both"].ask(ECHO4) == ISP4
        for proto in "tcp", "udp":
            assert probe.ask(lan, HOST4, 8080, proto) == LAN4, proto
            assert probe.ask(lan, HOST6, 8080, proto) == LAN6, proto

    def relayed(self):
        """What passes through the daemon."""
        for address in "127.0.0.1", "::1":
            for proto in "tcp", "udp":
                assert probe.ask(self.host.netns, address, 8080, proto), (address, proto)

    def names(self):
        names = sorted(self.running())
        for client, server in zip(names, names[1:] + names[:1]):
            self.boxes[client].execute("timeout", "3", "wget", "-qO-", f"http://{server}/")

    def check(self, names=frozenset(ALL), timeout=5):
        self.expect(set(names))
        for name in self.ALL - set(names):
            self.boxes[name].refresh()
        self.traffic()
        self.relayed()
        self.names()
        wait_until_right(self.docker, timeout)

    def kill_container(self, name):
        """As the kernel would for want of memory; nobody is told but its parent."""
        self.host.run("sh", "-c", f"kill -9 {self.boxes[name].pid}")

    def reboot(self, clean):
        self.host.power_off(clean)
        self.host.up()
        self.tailexit.start()
        assert len(links(self)) == 1, "the network has to be there before any container"
        self.dockerd.start()
        # A real machine comes back with the same network card.
        for neighbour in self.world.lan, self.world.isp:
            neighbour.ip("neigh", "flush", "all")

    def end_servers(self):
        self.dockerd.kill()
        self.tailexit.kill()

    @contextlib.contextmanager
    def engine_starting(self):
        """dockerd starts meanwhile, and has started afterwards."""
        starter = threading.Thread(target=self.dockerd.start)
        starter.start()
        try:
            yield
        finally:
            starter.join()

    def finish(self):
        """What was carried over can still be used, by the next row as well."""
        if "plain" not in self.running():
            self.begin("plain")
        self.restart("web")
        self.expect(self.ALL)
        self.traffic()
        wait_until_right(self.docker)
        self.clean = True

    def remove_all(self):
        """As if there had never been anything."""
        self.clean = False
        self.docker.clean()
        after = comparable(snapshot(self.host))
        assert after == self.before, difference(self.before, after)


def during(call, *argv):
    """A call of the engine's API in the background, which may fail."""
    def run():
        with contextlib.suppress(ApiError, OSError, http.client.HTTPException):
            call(*argv)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@contextlib.contextmanager
def flows(rig):
    """Connections that outlive what happens in the block, from outside and from inside."""
    with probe.Flow(rig.world.lan, HOST4, 8080) as inwards, \
            probe.Flow(rig.boxes["plain"].netns, ECHO4) as outwards:
        assert inwards.ask() == LAN4 and outwards.ask() == ISP4
        yield
        assert inwards.ask() == LAN4, "a connection to a published port broke"
        assert outwards.ask() == ISP4, "a connection to the world broke"


def links(rig):
    """Name and index of ours: the same ones afterwards means that they were not made anew."""
    return {(link["ifname"], link["ifindex"])
            for link in json.loads(rig.host.netns.ip("-j", "link"))
            if link["ifname"].startswith("te")}
