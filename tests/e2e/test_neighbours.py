# SPDX-License-Identifier: GPL-2.0-or-later
"""Docker's other bridges are kept apart from our networks, whatever they are called and whenever they
came: their names are known from the engine's API. test_isolation.py has the ordinary case.

Next to each test: what was taken out of the daemon to see it fail. From 28 on, Docker drops by itself most
of what should not reach its bridges: isolation is to be seen failing with an older engine.
"""

import json
import os
import socket
import time

import pytest

from lab import probe, proc, tailexitd
from lab.docker import Docker
from lab.world import HOST4, HOST6

ENGINE = "in turn"

OURS = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"
THEIRS = "--subnet", "10.81.0.0/24", "--ipv6", "--subnet", "fd00:81::/64"
NAMED = *THEIRS, "-o", "com.docker.network.bridge.name=foo0"


def addresses(box, net):
    return [address for address in (box.ip(net), box.ip6(net)) if address]


def ways(box, ours, other, theirs):
    return ([(box.netns, address) for address in addresses(other, theirs)]
            + [(other.netns, address) for address in addresses(box, ours)])


def check_apart(docker, between):
    """All servers answer the host, and nobody of the other network."""
    assert between and all(probe.ask(docker.host.netns, address) for _, address in between)
    assert probe.open_ways(*between) == []


def named_bridges(host):
    """What the daemon has told the kernel."""
    listed = host.run("nft", "-j", "list", "set", "inet", "tailexit", "neighbours").stdout
    sets = [item["set"] for item in json.loads(listed)["nftables"] if "set" in item]
    return set(sets[0].get("elem", ()))


# Seen to fail: dockerd_look() does nothing.
@pytest.mark.parametrize("first", ["theirs", "ours"])
def test_named_bridge(docker, host, driver, first):
    def make_ours():
        net = docker.network(driver, *OURS)
        return net, docker.run(net, "-p", "8080:80")

    if driver == "tailexit":
        # What comes now comes as news.
        proc.wait_for(lambda: "Docker's API" in host.tailexit.log(), "first look at the API")
    if first == "ours":
        ours, box = make_ours()
    theirs = docker.network("bridge", *NAMED)
    other = docker.run(theirs, "-p", "8081:80")
    if first == "theirs":
        ours, box = make_ours()
    check_apart(docker, ways(box, ours, other, theirs))
    # The front door is open to everybody.
    for address in HOST4, HOST6:
        assert box.ask(address, 8081), address
        assert other.ask(address, 8080), address


# Seen to fail: neither dockerd_new() nor dockerd_look() asks anything.
def test_bridge_came_while_daemon_was_away(docker, host):
    ours = docker.network("tailexit", *OURS)
    box = docker.run(ours)
    host.tailexit.stop()
    theirs = docker.network("bridge", *NAMED)
    other = docker.run(theirs)
    host.tailexit.start()
    proc.wait_for(lambda: "foo0" in named_bridges(host), "foo0 in the set", 5)
    check_apart(docker, ways(box, ours, other, theirs))


# Seen to fail: store_load_neighbours() loads nothing.
def test_engine_does_not_answer(docker, host):
    """Names are remembered, and nobody waits."""
    ours, theirs = docker.network("tailexit", *OURS), docker.network("bridge", *NAMED)
    box, other = docker.run(ours), docker.run(theirs)
    between = ways(box, ours, other, theirs)
    check_apart(docker, between)
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.settimeout(5)
        deaf.bind(host.path("run", "deaf.sock"))
        deaf.listen()
        host.tailexit.kill()
        host.tailexit.start("--docker-sock", "/run/deaf.sock")
        try:
            check_apart(docker, between)
            assert deaf.accept(), "the daemon has asked somebody else"
            docker.clean()
        finally:
            host.tailexit.stop()
            host.tailexit.start()
            os.unlink(host.path("run", "deaf.sock"))


# Seen to fail: edit_facts() removes nothing.
def test_name_is_forgotten(docker, host):
    docker.run(docker.network("tailexit", *OURS))
    theirs = docker.network("bridge", *NAMED)
    proc.wait_for(lambda: "foo0" in named_bridges(host), "foo0 in the set", 5)
    theirs.remove()
    proc.wait_for(lambda: "foo0" not in named_bridges(host), "foo0 no longer in the set", 10)
    # Somebody else's bridge of the same name is no concern of ours.
    host.netns.ip("link", "add", "foo0", "type", "bridge")
    try:
        with pytest.raises(TimeoutError):
            proc.wait_for(lambda: "foo0" in named_bridges(host), "", 2)
    finally:
        host.netns.ip("link", "delete", "foo0")


# Seen to fail: the daemon reads another path.
def test_default_bridge_of_another_name(make_host, driver):
    host = make_host(dockerd=["--bridge", "lab0"])
    host.up()
    host.netns.ip("link", "add", "lab0", "up", "type", "bridge")
    host.netns.ip("address", "add", "10.82.0.1/24", "dev", "lab0")
    if tailexitd.available():
        host.tailexit.start()
    host.dockerd.start()
    host.dockerd.load_image()
    docker = Docker(host)
    ours = docker.network(driver, *OURS)
    box, other = docker.run(ours), docker.run("bridge")
    between = [(box.netns, other.inspect()["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]),
               *((other.netns, address) for address in addresses(box, ours)[:1])]
    check_apart(docker, between)


# Seen to fail: a connection to the API is kept open (which takes 5 seconds, from 26 on).
def test_engine_restarts(docker, host):
    """The daemon holds nothing up, and knows the names afterwards."""
    ours, theirs = docker.network("tailexit", *OURS), docker.network("bridge", *NAMED)
    box, other = docker.run(ours, "--restart", "always"), docker.run(theirs, "--restart", "always")
    start = time.monotonic()
    host.dockerd.stop()
    assert time.monotonic() - start < 5
    host.dockerd.start()
    for running in box, other:
        proc.wait_for(lambda: running.inspect()["State"]["Running"], "restart of the container")
        running.refresh()
        proc.wait_for(lambda: running.ask("127.0.0.1"), "server")
    check_apart(docker, ways(box, ours, other, theirs))
