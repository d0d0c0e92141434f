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
from lab.world import DNS4, ECHO4, EXIT4, HOST4, ISP4

from test_policy_rig import status, tunnel  # noqa: F401


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
        """The running containers of a service, by their numbers."""
        names = self.host.docker("ps", "--format", "{{.Names}}",
                                 "--filter", "label=com.docker.compose.project=" + self.name,
                                 "--filter", "label=com.docker.compose.service=" + service).split()
        return [Container(self.docker, name) for name in sorted(names)]

    def box(self, service):
        box, = self.boxes(service)
        return box

    def end(self):
        self("down", "-t", "0")
        shutil.rmtree(self.folder)


@pytest.fixture
def project(docker):
    projects = []

    def make(name, text):
        projects.append(Project(docker, name, text))
        return projects[-1]

    yield make
    for one in reversed(projects):
        one.end()


def seen_as(box, address):
    proc.wait_for(lambda: box.ask(ECHO4, timeout=1) == address, f"sight of {box.name} as {address}")


STACK = """
services:
  confined: BOX, networks: [vpn, inside], ports: ["8080:80"], labels: {traefik.enable: "true"}}
  free: BOX, networks: [direct, inside]}
  alone: BOX, networks: [inside]}
  extra: BOX, networks: [vpn], profiles: [more]}
networks:
  vpn: {driver: tailexit, driver_opts: {policy: killswitch}, labels: {whose: mine}}
  direct: {driver: tailexit, driver_opts: {policy: bypass}}
  inside: {driver: tailexit, driver_opts: {policy: isolated}}
"""


def check(world, stack):
    confined, free, alone = (stack.box(name) for name in ("confined", "free", "alone"))
    seen_as(confined, EXIT4)
    seen_as(free, ISP4)
    assert "default" not in alone.netns.ip("route")
    proc.wait_for(lambda: ask(world.lan, HOST4, 8080, timeout=1), "published port")
    assert "traefik.enable" in confined.inspect()["Config"]["Labels"]
    return confined, free, alone


# Seen to fail: link_remove() of a bridge left out; routes not deleted. Everything a day does, once with each
# Compose.
def test_a_day_of_a_project(docker, world, tunnel, project):  # noqa: F811
    host = docker.host
    before = snapshot(host)
    stack = project("day", STACK)
    stack("up", "-d")
    confined, _, _ = check(world, stack)
    network = Network(docker, "day_vpn", "tailexit")
    assert network.inspect()["Labels"]["whose"] == "mine"

    stack("restart", "-t", "0")
    check(world, stack)
    stack("up", "-d", "--force-recreate", "-t", "0")
    assert check(world, stack)[0].inspect()["Id"] != confined.inspect()["Id"]

    stack("up", "-d", "--scale", "alone=3")
    assert len(stack.boxes("alone")) == 3
    assert status(host, Network(docker, "day_inside", "tailexit"))["endpoints"] == 5
    stack("up", "-d", "--scale", "alone=1", "-t", "0")
    check(world, stack)

    # A profile comes and goes.
    stack("--profile", "more", "up", "-d")
    seen_as(stack.box("extra"), EXIT4)
    stack("--profile", "more", "rm", "-f", "-s", "extra")
    assert status(host, network)["endpoints"] == 1
    check(world, stack)

    stack("down", "-t", "0")
    assert difference(before, snapshot(host)) == ""


OUTER = """
services:
  app: BOX, networks: [shared]}
networks:
  shared: {external: true}
"""


# Seen to fail: with the policy of a network forgotten when its last container goes.
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
    other("down", "-t", "0")
    assert status(docker.host, net)["endpoints"] == 0
    one("up", "-d")
    seen_as(one.box("app"), EXIT4)
    tunnel.down()
    assert one.box("app").ask(ECHO4, timeout=0.5) is None


ATTACHED = """
services:
  app: BOX, networks: {vpn: {driver_opts: {policy: isolated}}}}
networks:
  vpn: {driver: tailexit, driver_opts: {policy: killswitch}}
"""


# Seen to fail: endpoints compiled without their exception.
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
