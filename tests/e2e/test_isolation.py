# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers of different networks do not see each other, unless they use a published port."""

import pytest

from lab import probe

ENGINE = "in turn"

DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"
OTHER = "--subnet", "10.81.0.0/24", "--ipv6", "--subnet", "fd00:81::/64"
THEIRS = {
    "default": None,
    "bridge": ("bridge", []),
    "named-bridge": ("bridge", ["-o", "com.docker.network.bridge.name=br-theirs"]),
    "own-kind": (None, []),
    "own-named": (None, ["-o", "com.docker.network.bridge.name=br-other"]),
}


@pytest.mark.parametrize("theirs", THEIRS)
def test_networks_are_apart(docker, driver, host, theirs):
    box = docker.run(docker.network(driver, *DUAL), name="box")
    if THEIRS[theirs] is None:
        other = docker.run("bridge", name="other")
        pairs = [(box.ip("net1"), other.inspect()["NetworkSettings"]["IPAddress"])]
    else:
        kind, options = THEIRS[theirs]
        net = docker.network(kind or driver, *OTHER, *options)
        other = docker.run(net, name="other")
        pairs = [(box.ip("net1"), other.ip(net)), (box.ip6("net1"), other.ip6(net))]
    for mine, its in pairs:
        # Both servers work: the host gets answers.
        assert probe.ask(host.netns, mine) and probe.ask(host.netns, its)
    ways = [way for mine, its in pairs for way in ((box.netns, its), (other.netns, mine))]
    assert probe.open_ways(*ways) == []


def test_no_talk_inside(docker, driver, host):
    """enable_icc=false: not even with neighbours of the same network."""
    net = docker.network(driver, *DUAL, "-o", "com.docker.network.bridge.enable_icc=false")
    box, other = docker.run(net, "-p", "8080:80"), docker.run(net)
    ways = [(one.netns, address) for one, two in ((box, other), (other, box))
            for address in (two.ip(net), two.ip6(net))]
    assert all(probe.ask(host.netns, address) for _, address in ways)
    assert probe.open_ways(*ways) == []
