# SPDX-License-Identifier: GPL-2.0-or-later
"""Docker Compose, 1.29 and 2: what people do with it all day, and what it hands to a driver. The files of
examples/ are played in tests/install.

Next to each test: what was taken out of the daemon to see it fail.
"""

import os
import shutil

import pytest

from lab import proc
from lab.docker import Container, Network
from lab.image import NAME as IMAGE
from lab.probe import ask
from lab.snapshot import difference, snapshot
from lab.world import DNS4, ECHO4, EXIT4, HOST4

from conftest import ENGINES
from test_policy_rig import status, tunnel  # noqa: F401

# 1.29 and 2.40; 2.26.
OLD_AND_NEW, BETWEEN = [ENGINES[0], ENGINES[-1]], ENGINES[1:2]


def on(engines):
    return pytest.mark.parametrize("suite", engines, indirect=True, scope="session")


class Project:
    """A folder with a compose file; text as in a file, but for what all have."""

    def __init__(self, docker, name, text):
        self.docker, self.host, self.name = docker, docker.host, name
        self.folder = self.host.path("etc", name)
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "compose.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace("BOX", f"{{image: {IMAGE}, dns: [{DNS4}]"))

    def __call__(self, *argv, **options):
        return self.host.run("docker-compose", "-f", f"/etc/docker/{self.name}/compose.yaml", *argv,
                             **options)

    def boxes(self, service):
        """The running containers of a service."""
        mine = {"com.docker.compose.project": self.name, "com.docker.compose.service": service}
        return [Container(self.docker, box["Id"]) for box in self.docker.api("GET", "/containers/json")
                if mine.items() <= box["Labels"].items()]

    def box(self, service):
        box, = self.boxes(service)
        return box


@pytest.fixture
def project(docker):
    """What a test leaves of a project goes with everything else of the engine."""
    projects = []

    def make(name, text):
        projects.append(Project(docker, name, text))
        return projects[-1]

    yield make
    for one in projects:
        shutil.rmtree(one.folder)


def seen_as(box, address):
    proc.wait_for(lambda: box.ask(ECHO4, timeout=1) == address, f"sight of {box.name} as {address}")


STACK = """
services:
  confined: BOX, networks: [vpn, inside], ports: ["8080:80"], labels: {traefik.enable: "true"}}
  alone: BOX, networks: [inside]}
  extra: BOX, networks: [vpn], profiles: [more]}
networks:
  vpn: {driver: tailexit, driver_opts: {policy: killswitch}, labels: {whose: mine}}
  inside: {driver: tailexit, driver_opts: {policy: isolated}}
"""


def check(world, stack, n_alone=1):
    """Each is where it was, and there are so many of the isolated ones."""
    confined, alone = stack.box("confined"), stack.boxes("alone")
    seen_as(confined, EXIT4)
    assert len(alone) == n_alone
    for box in alone:
        assert "default" not in box.netns.ip("route") and box.ask(confined.ip(stack.name + "_inside"))
    proc.wait_for(lambda: ask(world.lan, HOST4, 8080, timeout=1), "published port")
    assert "traefik.enable" in confined.inspect()["Config"]["Labels"]


# Seen to fail: without what policy_network_remove() changes in the kernel.
@on(OLD_AND_NEW)
def test_a_day_of_a_project(docker, world, tunnel, project):  # noqa: F811
    before = snapshot(docker.host)
    stack = project("day", STACK)
    stack("up", "-d")
    check(world, stack)
    network = Network(docker, "day_vpn", "tailexit")
    assert network.inspect()["Labels"]["whose"] == "mine"
    first = stack.box("confined").name

    stack("restart", "-t", "0")
    check(world, stack)
    assert stack.box("confined").name == first
    stack("up", "-d", "-t", "0", "--force-recreate", "--scale", "alone=2")
    check(world, stack, n_alone=2)
    assert stack.box("confined").name != first

    # A profile comes and goes.
    stack("--profile", "more", "up", "-d", "-t", "0", "--scale", "alone=1")
    check(world, stack)
    seen_as(stack.box("extra"), EXIT4)
    stack("--profile", "more", "rm", "-f", "-s", "extra")
    assert status(docker.host, network)["endpoints"] == 1

    stack("down", "-t", "0")
    assert difference(before, snapshot(docker.host)) == ""


OUTER = """
services:
  app: BOX, networks: [shared]}
networks:
  shared: {external: true}
"""


# Seen to fail: with all endpoints of the network removed for one.
@on(BETWEEN)
def test_an_external_network_of_two_projects(docker, tunnel, project):  # noqa: F811
    """Made once by hand; either project comes and goes without the other one."""
    net = docker.network("tailexit", "-o", "policy=killswitch", name="shared")
    one, other = project("one", OUTER), project("other", OUTER)
    for each in one, other:
        each("up", "-d")
    assert one.box("app").ask(other.box("app").ip(net)) == one.box("app").ip(net)
    one("down", "-t", "0")
    seen_as(other.box("app"), EXIT4)
    assert status(docker.host, net)["endpoints"] == 1
    tunnel.down()
    assert other.box("app").ask(ECHO4, timeout=0.5) is None


ATTACHED = """
services:
  app: BOX, networks: {vpn: {driver_opts: {policy: isolated}}}}
networks:
  vpn: {driver: tailexit, driver_opts: {policy: killswitch}}
"""


# Seen to fail: endpoints added without their exception.
def test_options_of_an_attachment(docker, suite, project):
    """What the README says of it: 2.40 hands them on, 2.26 drops them, 1.29 refuses the file."""
    stack = project("attached", ATTACHED)
    result = stack("up", "-d", check=False)
    if suite == "bookworm":
        assert result.returncode != 0 and "driver_opts" in result.stderr
        return
    assert result.returncode == 0, result.stderr
    entries = status(docker.host, Network(docker, "attached_vpn", "tailexit"))["containers"]
    assert [entry["policy"] for entry in entries] == (["isolated"] if suite == "sid" else [])


# What Docker 20.10 does, of which the README warns. Seen to fail: expected of the newest one as well.
@on(OLD_AND_NEW)
def test_name_servers_of_a_container_that_publishes_elsewhere(docker, suite):
    """A service with a port on the project's default network, which is Docker's own, and on one of ours."""
    box = docker.run(docker.network("bridge"), "--dns", DNS4, "-p", "8080:80")
    net = docker.network("tailexit", "-o", "policy=isolated")
    result = docker.host.run("docker", "network", "connect", net.name, box.name, check=False)
    assert ("dns=strict" in result.stderr) == (result.returncode != 0) == (suite == "bookworm")
