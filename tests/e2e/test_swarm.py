# SPDX-License-Identifier: GPL-2.0-or-later
"""Services of a Docker swarm: on each node a network leaves by the exit of that node, and Docker's own
networks are no way around it.

Above a test: what was changed in the daemon to see it fail.
"""

import contextlib

import pytest

from lab import probe, proc
from lab.world import HOST4

from test_policy_rig import ask_all
from test_swarm_rig import DRIVER, Swarm

ENGINE = "in turn"
NOBODY = [None] * 4


@pytest.fixture(scope="module")
def hosts(suite):
    swarm = Swarm(suite)
    try:
        yield swarm
    finally:
        swarm.down()


@pytest.fixture
def swarm(hosts):
    hosts.form()
    yield hosts
    hosts.leave()


def fire_all(fires, boxes):
    for fire, here in zip(fires, boxes):
        for box in here:
            fire(box)


def by_own_exit(swarm, boxes):
    for node, here in zip(swarm.nodes, boxes):
        for box in here:
            proc.wait_for(lambda box=box, node=node: ask_all(box) == node.seen, "way through the exit")


# Seen to fail: marked as open, and without egress.c's last rule of a killswitch; with lan=on; with the
# uplink as one more exit; with networks that are not removed.
def test_each_node_has_its_own_exit(swarm):
    first, second = swarm.nodes
    before = swarm.snapshots()
    with swarm.silent() as fires:
        swarm.killswitch()
        swarm.service("app", "--network", "vpn", "--endpoint-mode", "dnsrr")
        boxes = swarm.running("app", 2)
        by_own_exit(swarm, boxes)
        fire_all(fires, boxes)

    # Without its exit the one node's are closed, and the other's go on.
    with swarm.silent() as fires:
        first.tunnel.down()
        fire_all(fires, boxes)
        assert [ask_all(box, timeout=0.3) for box in boxes[0]] == [NOBODY] * 2
        by_own_exit(swarm, [[], boxes[1]])
    first.tunnel.up()
    by_own_exit(swarm, boxes)

    with swarm.silent() as fires:
        for replicas in 6, 2:
            swarm.docker("service", "update", "-d", "--replicas-max-per-node", replicas // 2,
                         "--replicas", replicas, "app")
            boxes = swarm.running("app", replicas // 2)
            by_own_exit(swarm, boxes)
            fire_all(fires, boxes)

    swarm.docker("service", "rm", "app")
    proc.wait_for(lambda: not any(node.boxes("app") for node in swarm.nodes), "end of the service", 30)
    swarm.docker("network", "rm", "vpn")
    with contextlib.suppress(TimeoutError):
        proc.wait_for(lambda: not swarm.changed_since(before), "the state before", 30, step=1)
    assert swarm.changed_since(before) == []
    assert [node.remains() for node in swarm.nodes] == [[], []]


# Seen to fail: without swarm_keep_gateway().
def test_published_ports_are_no_way_out(swarm):
    """Docker puts these containers on its networks ingress and, if there is no gateway, docker_gwbridge.
    They still run when the nodes leave the swarm."""
    for node in swarm.nodes:
        node.config("quiet-config", "policy=isolated", third=1)
    swarm.network("quiet")
    swarm.killswitch()
    with swarm.silent() as fires:
        swarm.service("routed", "--network", "quiet", "-p", "8080:80", replicas=2)
        swarm.service("except", "--network", "name=vpn,driver-opt=policy=isolated", "-p", "8081:80",
                      replicas=2)
        swarm.service("direct", "--network", "quiet", "-p", "mode=host,published=8082,target=80",
                      replicas=2)
        for name in "routed", "except", "direct":
            boxes = swarm.running(name, 1)
            assert ("ingress" in boxes[0][0].inspect()["NetworkSettings"]["Networks"]) == (name != "direct")
            fire_all(fires, boxes)
            assert [ask_all(box, timeout=0.3) for here in boxes for box in here] == [NOBODY] * 2
    swarm.service("vpn", "--network", "vpn", "-p", "8083:80", replicas=2)
    by_own_exit(swarm, swarm.running("vpn", 1))
    for node in swarm.nodes:
        assert probe.ask(node.world.lan, HOST4, 8082)


# Seen to fail: without swarm_check().
def test_wrong_scopes_are_refused(swarm):
    def refused(sentence, *argv):
        result = swarm.manager.host.run("docker", *argv, check=False)
        assert result.returncode != 0 and sentence in result.stderr, result

    def rejected(sentence, network):
        """Not before a node is to run something."""
        swarm.service("on-" + network, "--network", network, replicas=2)
        proc.wait_for(lambda: sentence in swarm.errors("on-" + network), sentence, 30, step=0.3)

    create = "network", "create", "-d", DRIVER
    of_swarm = *create, "--scope", "swarm"
    swarm.killswitch()

    # Of these options Docker hands on none: it would be a killswitch.
    swarm.docker(*of_swarm, "-o", "policy=isolated", "dropped")
    rejected("Docker hands on none of `network create --scope swarm`", "dropped")
    for node in swarm.nodes:
        node.config("internal-config", "policy=open", third=1)
    swarm.network("internal", "--internal")
    rejected("use -o policy=isolated instead", "internal")
    assert not any(node.boxes(name) for name in ("on-dropped", "on-internal") for node in swarm.nodes)
    refused("leave --scope out, or in a swarm use --scope swarm with --config-from",
            *create, "--scope", "global", "-o", "policy=open", "global")

    # What Docker says by itself.
    swarm.docker(*create, "-o", "policy=open", "local")
    refused("local", "service", "create", "--network", "local", swarm.image)
    swarm.docker("network", "rm", "local")
    config = "--config-from", "vpn-config"
    refused("legacy plugin tailexit of type NetworkDriver is not supported in swarm mode",
            "network", "create", "-d", "tailexit", "--scope", "swarm", *config, "legacy")
    refused("could not resolve driver", "network", "create", "-d", DRIVER.removesuffix(":latest"),
            "--scope", "swarm", *config, "untagged")
    refused("network driver options are not supported if the network depends on a configuration network",
            *of_swarm, *config, "-o", "policy=open", "both")
    swarm.manager.config("partial-config", "policy=open", third=2)
    swarm.network("partial")
    rejected('configuration network "partial-config" does not exist', "partial")
