# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose packets are judged: a container on a network with a policy, which starts with its host and has
a place in the world of its own to talk to, so that every packet says whose it is."""

import contextlib
import http.client

from lab.dockerd import ApiError
from lab.docker import Container
from lab.image import NAME
from lab.shout import BIG, Shot
from lab.tunnel import TAILSCALE
from lab.world import DNS4

ESTABLISHED = 7
PUBLISHED = 81
# A burst as an application makes it that speaks QUIC and gets no answer.
BURST = 5
# The other end of the tunnel, outside of the tunnel. It is one place for all.
PINHOLE = [Shot("udp", address, TAILSCALE.port) for address in TAILSCALE.seen]


class Subject:
    """ways: where its packets may be seen, at the "exit", at the "uplink" or at neither (None)."""

    def __init__(self, name, number, way, options):
        self.name, self.way, self.options = name, way, options
        self.targets = f"192.0.2.{100 + number}", f"2001:db8:80::{100 + number:x}"
        self.subnet4, self.subnet6 = f"10.8{number}.0", f"fd8{number}:"
        self.box = self.net = self.bridge = None

    @property
    def confined(self):
        return self.way != "uplink"

    def shots(self):
        """One of each kind, over each family."""
        kinds = [("tcp", 80, 2), ("tcp", 53, 2), ("tcp", 853, 2), ("udp", 80, 2), ("udp", 53, 2),
                 ("ping", 0, 2), ("udp", 80, BIG)] + BURST * [("udp", 443, 2)]
        return [Shot(proto, target, port, size) for target in self.targets
                for proto, port, size in kinds] + (PINHOLE if self.confined else [])

    def network_options(self):
        return [*(arg for option in self.options for arg in ("-o", option)), "--ipv6",
                "--subnet", self.subnet4 + ".0/24", "--subnet", self.subnet6 + ":/64"]

    def box_options(self):
        return ["--name", "of-" + self.name, "--restart", "always", "--network", self.name,
                "--dns", DNS4, *(["-p", f"{PUBLISHED}:{PUBLISHED}"] if self.way == "exit" else [])]

    def create(self, docker):
        self.net = docker.network("tailexit", *self.network_options(), name=self.name)
        self.bridge = "te-" + self.net.inspect()["Id"][:12]
        docker.host.docker("run", "-d", *self.box_options(), NAME, "echo-server", "80")
        self.box = Container(docker, "of-" + self.name)
        self.make_routes()

    def refresh(self):
        """It may have been started again, with another namespace; False: it does not run."""
        with contextlib.suppress(OSError, ApiError, http.client.HTTPException, KeyError):
            before = self.box.pid
            if self.box.refresh().pid != before:
                self.make_routes()
            return bool(self.box.pid)
        return False

    def make_routes(self):
        """On an isolated network there is no default route. A privileged container makes its own."""
        if self.options[0] == "policy=isolated" and self.box.pid:
            for gateway in self.subnet4 + ".1", self.subnet6 + ":1":
                self.box.netns.run("ip", "route", "add", "default", "via", gateway, check=False)

    def answers(self, timeout=0.3):
        """Does somebody in the world answer, over both families?"""
        with contextlib.suppress(OSError):
            return all(self.box.ask(target, timeout=timeout) for target in self.targets)
        return False


def all_subjects():
    """The first is the positive control, which no policy holds back."""
    return [Subject(name, number, way, options) for number, (name, way, options) in enumerate([
        ("open", "uplink", ["policy=open"]),
        ("killswitch", "exit", ["policy=killswitch"]),
        ("closed", None, ["policy=killswitch", "via=absent0"]),
        ("isolated", None, ["policy=isolated"]),
        ("bypass", "uplink", ["policy=bypass"])])]
