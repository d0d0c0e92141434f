# SPDX-License-Identifier: GPL-2.0-or-later
"""Names, and containers on several networks."""

import json

from lab import probe
from lab.proc import wait_for
from lab.world import ECHO4, ECHO6, HOST4, ISP4, LAN4

ENGINE = "in turn"


def web(box, name):
    """The address under which a container is seen by http://NAME/, or None. For every name that Docker
    does not know, this is the echo server of the world."""
    result = box.docker.host.run("docker", "exec", box.name, "timeout", "3", "wget", "-qO-",
                                 f"http://{name}/", check=False)
    return result.stdout.split()[0] if result.returncode == 0 else None


def interfaces(box):
    return {link["ifname"] for link in json.loads(box.netns.ip("-j", "link"))} - {"lo"}


def test_names_and_aliases(docker, driver):
    net = docker.network(driver)
    box = docker.run(net, "--network-alias", "shop", name="web")
    client = docker.run(net)
    assert web(client, "web") == client.ip(net)
    assert web(client, "shop") == client.ip(net)
    assert web(client, box.inspect()["Id"][:12]) == client.ip(net)
    assert web(box, client.name) == box.ip(net)


def test_names_of_the_world(docker, driver):
    box = docker.run(docker.network(driver))
    assert ECHO4 in box.execute("nslookup", "-type=a", "some.example.")
    assert ECHO6 in box.execute("nslookup", "-type=aaaa", "some.example.")


def test_own_dns_server(docker, driver):
    box = docker.run(docker.network(driver), "--dns", "192.0.2.53")
    assert ECHO4 in box.execute("nslookup", "-type=a", "some.example.")


def test_connect_and_disconnect(docker, driver):
    first, second = docker.network(driver), docker.network(driver, "--subnet", "10.81.0.0/24")
    box, friend = docker.run(first), docker.run(second, name="friend")
    assert web(box, "friend") == ISP4
    docker.host.docker("network", "connect", "--ip", "10.81.0.77", "--alias", "guest", second.name,
                       box.name)
    assert interfaces(box) == {"eth0", "eth1"}
    assert web(box, "friend") == "10.81.0.77"
    assert web(friend, "guest") == friend.ip(second)
    assert box.ask(ECHO4) == ISP4
    docker.host.docker("network", "disconnect", second.name, box.name)
    assert interfaces(box) == {"eth0"}
    assert web(box, "friend") == ISP4
    assert box.ask(ECHO4) == ISP4


def test_default_route_moves(docker, driver):
    """When the network goes that was the way out, the other one takes over."""
    nets = [docker.network(driver), docker.network(driver)]
    box = docker.run(nets[0])
    docker.host.docker("network", "connect", nets[1].name, box.name)
    docker.host.docker("network", "disconnect", nets[0].name, box.name)
    assert interfaces(box) == {"eth1"}
    assert box.ask(ECHO4) == ISP4


def test_ports_move(docker, driver, world):
    """Published ports follow the way out."""
    nets = [docker.network(driver), docker.network(driver)]
    box = docker.run(nets[0], "-p", "8080:80")
    docker.host.docker("network", "connect", nets[1].name, box.name)
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    docker.host.docker("network", "disconnect", nets[0].name, box.name)
    assert probe.ask(world.lan, HOST4, 8080) == LAN4


def test_ports_of_a_container_connected_later(docker, driver, world):
    net = docker.network(driver)
    box = docker.run("bridge", "-p", "8080:80")
    docker.host.docker("network", "connect", net.name, box.name)
    docker.host.docker("network", "disconnect", "bridge", box.name)
    assert wait_for(lambda: probe.ask(world.lan, HOST4, 8080), "published port") == LAN4


def test_several_networks_from_the_start(docker, driver):
    nets = [docker.network(driver, name=f"side{number}") for number in range(3)]
    peers = [docker.run(net, name=f"peer{number}") for number, net in enumerate(nets)]
    box = docker.run(nets[0], name="middle")
    for net in nets[1:]:
        docker.host.docker("network", "connect", net.name, "middle")
    # Started with all three, as compose does.
    docker.host.docker("restart", "-t", "0", "middle")
    box.refresh()
    wait_for(lambda: box.ask("127.0.0.1"), "restarted server")
    assert len(interfaces(box)) == 3
    for net, peer in zip(nets, peers):
        assert web(box, peer.name) == box.ip(net)
        assert peer.ask(box.ip(net)) == peer.ip(net)
    assert box.ask(ECHO4) == ISP4


def test_with_a_bridge_network(docker, driver):
    """On one of ours and one of Docker's at once."""
    ours, theirs = docker.network(driver), docker.network("bridge")
    box = docker.run(ours)
    docker.host.docker("network", "connect", theirs.name, box.name)
    for net in ours, theirs:
        peer = docker.run(net)
        assert web(box, peer.name) == box.ip(net)
    assert box.ask(ECHO4) == ISP4
