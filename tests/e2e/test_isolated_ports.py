# SPDX-License-Identifier: GPL-2.0-or-later
"""Published ports of containers whose networks lead nowhere. dockerd asks no driver for them, and the
container has no route to who asks: it sees its gateway. Whether another network of the container has
the ports is known only when it runs, and may change.

Above a test: what was changed in the daemon to see it fail.
"""

import pytest

from lab import probe
from lab.docker import Container
from lab.image import NAME
from lab.proc import wait_for
from lab.world import HOST4, HOST6, ISP4, LAN4

from test_policy_leaks import KEYS, without_daemon
from test_policy_rig import DUAL, GATEWAY4, GATEWAY6, run

# A fixture, which pytest finds where it is imported.
from test_policy_rig import judge  # noqa: F401

ENGINE = "in turn"

PORTS = "-p", "8080:80", "-p", "8080:80/udp"
SHARED = "-o", "policy=isolated", "-o", "dns=docker", *DUAL
PROTOCOLS = "tcp", "udp"
REFUSED = "are not published: port 8080"


def isolated(docker, *argv):
    net = docker.network("tailexit", *SHARED)
    return docker.run(net, *PORTS, *argv), net


def held(docker, box, net):
    """Does the daemon publish anything for it there?"""
    return bool(docker.published(box, net, 80))


def published(world, source=GATEWAY4):
    return probe.ask(world.lan, HOST4, 8080) == source


def wait_until_published(world, source=GATEWAY4):
    wait_for(lambda: published(world, source), f"port that sees {source}", 15)


def settled(docker, net, box, here):
    wait_for(lambda: held(docker, box, net) == here, f"ports {'' if here else 'not '}here", 15)


# Seen to fail: without as_gateway().
def test_reached_from_everywhere_as_the_gateway(docker, world, host):
    isolated(docker)
    other = docker.run(docker.network("tailexit"))
    theirs = docker.run("bridge")
    wait_until_published(world)
    for proto in PROTOCOLS:
        for client, address, options in (
                (world.lan, HOST4, {}), (world.lan, HOST6, {}), (world.isp, HOST4, {"source": ISP4}),
                (host.netns, HOST4, {}), (host.netns, HOST6, {}),
                (host.netns, "127.0.0.1", {}), (host.netns, "::1", {}),
                (other.netns, HOST4, {}), (theirs.netns, HOST4, {})):
            gateway = GATEWAY6 if ":" in address else GATEWAY4
            assert probe.ask(client, address, 8080, proto, **options) == gateway, (address, proto)
    assert probe.ask(world.lan, HOST4, 80, timeout=0.5) is None


# Seen to fail: without the last rule of isolated; without compile_fence().
@KEYS
def test_answers_and_nothing_else_leaves(docker, judge, take):  # noqa: F811
    box, _ = run(docker, "policy=isolated", argv=PORTS)
    wait_until_published(judge.world)
    with probe.Flow(judge.world.lan, HOST4, 8080) as flow:
        assert flow.ask() == GATEWAY4
        with judge.silent() as fire:
            fire(box)
        assert flow.ask() == GATEWAY4
        with judge.silent() as fire, without_daemon(docker.host):
            take(docker.host)
            fire(box)


# Seen to fail: internal networks want ports as well.
def test_internal_publishes_nothing(docker, world):
    net = docker.network("tailexit", *SHARED, "--internal")
    box = docker.run(net, *PORTS)
    other = docker.network("tailexit", "-o", "policy=isolated", "-o", "dns=docker")
    settled(docker, other, docker.run(other, "-p", "8081:80"), True)
    assert not held(docker, box, net) and not published(world)


# Seen to fail: wanted ports are not saved.
@pytest.mark.parametrize("when", ["published", "before"])
def test_the_daemon_starts_again(docker, world, host, when):
    net = docker.network("tailexit", *SHARED)
    if when == "before":
        # It dies before it has been able to look at the container.
        host.tailexit.stop()
        host.tailexit.start("--docker-sock", "/run/nobody.sock")
        box = docker.run(net, *PORTS)
        assert not held(docker, box, net)
    else:
        box = docker.run(net, *PORTS)
        wait_until_published(world)
    host.tailexit.kill()
    assert published(world) == (when == "published"), "the kernel goes on"
    host.tailexit.start()
    wait_until_published(world)
    assert probe.ask(host.netns, "127.0.0.1", 8080) == GATEWAY4
    assert held(docker, box, net)


def test_the_container_starts_again(docker, world, host):
    box, net = isolated(docker)
    wait_until_published(world)
    host.docker("stop", "-t", "0", box.name)
    assert not published(world)
    assert host.tailexit.ports() == []
    host.docker("start", box.name)
    wait_until_published(world)
    host.docker("restart", "-t", "0", box.name)
    wait_until_published(world)
    box.remove()
    assert host.tailexit.ports() == []


# Seen to fail: leads_out is not looked at.
@pytest.mark.parametrize("kind", ["bridge", "tailexit"])
@pytest.mark.parametrize("order", ["isolated-first", "other-first"])
def test_a_network_that_leads_out_has_the_ports(docker, world, host, kind, order):
    """From the start, after a restart, and no longer when it is gone. Ours are not even tried."""
    refusals = host.tailexit.log().count(REFUSED)
    shared = docker.network("tailexit", *SHARED)
    other = docker.network(kind)
    first, second = (shared, other) if order == "isolated-first" else (other, shared)
    host.docker("create", "--name", "app", "--network", first.name, *PORTS, NAME, "echo-server",
                "80")
    host.docker("network", "connect", second.name, "app")
    host.docker("start", "app")
    wait_until_published(world, LAN4)
    box = Container(docker, "app")
    settled(docker, shared, box, False)
    host.docker("restart", "-t", "0", "app")
    wait_until_published(world, LAN4)
    host.docker("network", "disconnect", other.name, "app")
    wait_until_published(world)
    host.docker("network", "connect", other.name, "app")
    wait_until_published(world, LAN4)
    assert not held(docker, box, shared)
    assert host.tailexit.log().count(REFUSED) == refusals


# Seen to fail: EndpointOperInfo gives no way; a settled endpoint need not wait before it takes the
# ports again.
@pytest.mark.parametrize("kind", ["bridge", "tailexit"])
def test_connected_later(docker, world, host, kind):
    """The engine binds the ports within the command, and would fail if they were still held."""
    box, shared = isolated(docker)
    other = docker.network(kind)
    for _ in range(3):
        wait_until_published(world)
        host.docker("network", "connect", other.name, box.name)
        wait_until_published(world, LAN4)
        assert not held(docker, box, shared)
        host.docker("network", "disconnect", other.name, box.name)


def test_connected_later_to_what_leads_nowhere(docker, world, host):
    """Another isolated network, an internal one, and the first one taken away."""
    box, first = isolated(docker)
    second = docker.network("tailexit", "-o", "policy=isolated", "-o", "dns=docker",
                            "--subnet", "10.83.0.0/24")
    internal = docker.network("bridge", "--internal")
    wait_until_published(world)
    for net in second, internal:
        host.docker("network", "connect", net.name, box.name)
    wait_until_published(world)
    assert not held(docker, box, second)
    host.docker("network", "disconnect", first.name, box.name)
    wait_until_published(world, "10.83.0.1")


# Seen to fail: a refusal is told each time.
def test_taken(docker, world, host):
    """The container starts all the same; the log says who has the port, and it is published later."""
    refusals = host.tailexit.log().count(REFUSED)
    squatter = docker.run("bridge", "-p", "8080:80")
    box, net = isolated(docker)
    wait_for(lambda: host.tailexit.log().count(REFUSED) > refusals, "line in the log", 15)
    assert not held(docker, box, net)
    squatter.remove()
    wait_for(lambda: held(docker, box, net), "published port", 45)
    assert published(world)
    assert host.tailexit.log().count(REFUSED) == refusals + 1


def test_many_and_ephemeral(docker, world, host):
    net = docker.network("tailexit", *SHARED)
    boxes = [docker.run(net, "-p", "80") for _ in range(3)]
    for box in boxes:
        settled(docker, net, box, True)
    ports = {port for box in boxes for _, port in docker.published(box, net, 80)}
    assert len(ports) >= 3
    assert all(probe.ask(world.lan, HOST4, port) == GATEWAY4 for port in ports)
