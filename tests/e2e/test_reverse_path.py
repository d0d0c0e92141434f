# SPDX-License-Identifier: GPL-2.0-or-later
"""The loose reverse-path filter, which systemd sets on many hosts: what comes in is dropped unless there is
some way back, and for the kernel the way back from a container has no mark.

Seen to fail: those of networks that are not open without compile_nowhere(); test_it_is_no_way_out, where a
table is deleted, with the rules of fences.c leading into the main table.
"""

import pytest

from lab import probe, proc
from lab.world import HOST4, ISP4, LAN4

from test_policy_leaks import delete_table, flush_rules, without_daemon
from test_policy_rig import (BY_EXIT, BY_UPLINK, DNS, DUAL, ask_all, judge, run, status,  # noqa: F401
                             tunnel, words)

ENGINE = "trixie"


@pytest.fixture
def loose(host):
    """Of interfaces that are there, and of those to come."""
    for name in "all", "default":
        host.netns.sysctl(f"ipv4/conf/{name}/rp_filter", 2)
    yield
    for name in "all", "default":
        host.netns.sysctl(f"ipv4/conf/{name}/rp_filter", 0)


def published(world):
    return [probe.ask(world.lan, HOST4, 8080, timeout=1),
            probe.ask(world.isp, HOST4, 8080, source=ISP4, timeout=1)]


@pytest.mark.parametrize("policy, seen", [("killswitch", BY_EXIT), ("bypass", BY_UPLINK),
                                          ("open", BY_UPLINK)])
def test_answers_and_clients(docker, loose, world, tunnel, policy, seen):
    box, net = run(docker, "policy=" + policy, argv=["-p", "8080:80"])
    assert ask_all(box) == seen
    assert published(world) == [LAN4, ISP4]
    tunnel.exit_node(True)
    assert published(world) == [LAN4, ISP4]
    tunnel.exit_node(False)
    tunnel.down()
    assert published(world) == [LAN4, ISP4]
    neighbour = docker.run(net, *DNS)
    assert neighbour.ask(box.ip(net)) == neighbour.ip(net)


def test_isolated(docker, loose, world):
    """Who comes in is the gateway to such a container."""
    net = docker.network("tailexit", "-o", "policy=isolated", *DUAL)
    docker.run(net, *DNS, "-p", "8080:80")
    proc.wait_for(lambda: all(published(world)), "published port", timeout=10)


def test_one_container(docker, loose, world, tunnel):
    net = docker.network("tailexit", *words("policy=open"), *DUAL)
    box = docker.run(f"name={net.name},driver-opt=policy=killswitch", *DNS, "-p", "8080:80")
    free = docker.run(net, *DNS)
    assert ask_all(box) == BY_EXIT and ask_all(free) == BY_UPLINK
    assert published(world) == [LAN4, ISP4]


@pytest.mark.parametrize("take", [delete_table, flush_rules])
@pytest.mark.parametrize("policy", ["killswitch", "isolated"])
def test_it_is_no_way_out(docker, loose, judge, policy, take):
    box, _ = run(docker, "policy=" + policy)
    with judge.silent() as fire, without_daemon(docker.host):
        take(docker.host)
        fire(box)
