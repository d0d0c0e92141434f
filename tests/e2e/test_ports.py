# SPDX-License-Identifier: GPL-2.0-or-later
"""Published ports: from another machine, from the host, from containers. The server in the container
answers with the address it was asked from: for outsiders that has to be their own."""

import pytest

from lab import probe
from lab.proc import Failed, wait_for
from lab.sniff import SCTP, Sniffer
from lab.world import HOST4, HOST6, LAN4, LAN6

ENGINE = "in turn"

DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"
PROTOCOLS = pytest.mark.parametrize("proto", ["tcp", "udp"])


@PROTOCOLS
def test_from_another_machine(docker, driver, world, proto):
    docker.run(docker.network(driver, *DUAL), "-p", f"8080:80/{proto}")
    assert probe.ask(world.lan, HOST4, 8080, proto) == LAN4
    assert probe.ask(world.lan, HOST6, 8080, proto) == LAN6
    other = "udp" if proto == "tcp" else "tcp"
    assert probe.ask(world.lan, HOST4, 8080, other, timeout=0.5) is None
    assert probe.ask(world.lan, HOST4, 80, proto, timeout=0.5) is None


@PROTOCOLS
def test_from_the_host(docker, driver, host, proto):
    docker.run(docker.network(driver, *DUAL), "-p", f"8080:80/{proto}")
    for address in HOST4, "127.0.0.1", HOST6, "::1":
        assert probe.ask(host.netns, address, 8080, proto), address


def test_ipv6_to_a_network_without(docker, driver, host):
    """The port is published on every address of the host, whatever the network has."""
    docker.run(docker.network(driver), "-p", "8080:80")
    assert probe.ask(host.world.lan, HOST6, 8080)
    assert probe.ask(host.netns, "::1", 8080)


@PROTOCOLS
def test_from_containers(docker, driver, proto, bridge_since):
    """By the host's address: from the container itself, from its network, and from another one."""
    if proto == "udp":
        bridge_since(28, "docker-proxy that answers UDP from the address that was asked")
    net = docker.network(driver)
    box = docker.run(net, "-p", f"8080:80/{proto}")
    for client in box, docker.run(net), docker.run(docker.network(driver)):
        assert client.ask(HOST4, 8080, proto), client.name


def test_from_containers_of_a_bridge(docker, driver):
    docker.run(docker.network(driver), "-p", "8080:80")
    assert docker.run("bridge").ask(HOST4, 8080)


def test_range(docker, driver, world):
    inside = range(90, 94)
    docker.run(docker.network(driver), "-p", "8000-8003:90-93", ports=inside)
    for port in range(8000, 8004):
        assert probe.ask(world.lan, HOST4, port) == LAN4


def test_port_out_of_a_range(docker, driver, world):
    """Several containers choose from the same range."""
    net = docker.network(driver)
    chosen = set()
    for box in [docker.run(net, "-p", "8000-8001:80") for _ in range(2)]:
        chosen |= {port for _, port in docker.published(box, net, 80)}
    assert chosen == {8000, 8001}
    for port in chosen:
        assert probe.ask(world.lan, HOST4, port) == LAN4
    with pytest.raises(Failed):
        docker.run(net, "-p", "8000-8001:80")


def test_host_address(docker, driver, host):
    docker.run(docker.network(driver), "-p", f"{HOST4}:8080:80", "-p", "127.0.0.1:8081:80")
    lan = host.world.lan
    assert probe.ask(lan, HOST4, 8080) == LAN4
    assert probe.ask(host.netns, "127.0.0.1", 8080) is None
    assert probe.ask(host.netns, "127.0.0.1", 8081)
    assert probe.ask(host.netns, HOST4, 8081) is None
    assert probe.ask(lan, HOST4, 8081) is None


def test_host_address_ipv6(docker, driver, host):
    docker.run(docker.network(driver, *DUAL), "-p", f"[{HOST6}]:8080:80", "-p", "[::1]:8081:80")
    lan = host.world.lan
    assert probe.ask(lan, HOST6, 8080) == LAN6
    assert probe.ask(lan, HOST4, 8080) is None
    assert probe.ask(host.netns, "::1", 8081)
    assert probe.ask(lan, HOST6, 8081) is None


def test_same_port_of_two_addresses(docker, driver, host):
    net = docker.network(driver)
    one = docker.run(net, "-p", f"{HOST4}:8080:80")
    two = docker.run(net, "-p", "127.0.0.1:8080:80")
    for client, address, asked in (host.world.lan, HOST4, one), (host.netns, "127.0.0.1", two):
        with Sniffer(asked.netns, match=lambda packet: packet.dport == 80) as inside:
            assert probe.ask(client, address, 8080)
        assert inside.packets()


def test_default_host_address(docker, driver, host):
    net = docker.network(driver, "-o", "com.docker.network.bridge.host_binding_ipv4=127.0.0.1")
    docker.run(net, "-p", "8080:80")
    assert probe.ask(host.netns, "127.0.0.1", 8080)
    assert probe.ask(host.world.lan, HOST4, 8080) is None


@PROTOCOLS
def test_ephemeral(docker, driver, world, proto):
    net = docker.network(driver)
    box = docker.run(net, "-p", f"80/{proto}")
    ports = {port for _, port in docker.published(box, net, 80, proto)}
    low, high = map(int, world.host.sysctl("ipv4/ip_local_port_range").split())
    assert ports and all(low <= port <= high for port in ports)
    assert all(probe.ask(world.lan, HOST4, port, proto) == LAN4 for port in ports)


def test_publish_all(docker, driver, world):
    net = docker.network(driver)
    box = docker.run(net, "-P", "--expose", "80", "--expose", "81/udp", ports=(80, 81))
    for port, proto in (80, "tcp"), (81, "udp"):
        published = docker.published(box, net, port, proto)
        assert published
        assert all(probe.ask(world.lan, HOST4, at, proto) == LAN4 for _, at in published)


def test_two_host_ports_of_one(docker, driver, world):
    docker.run(docker.network(driver), "-p", "8080:80", "-p", "8081:80", "-p", "8080:80/udp")
    for port, proto in (8080, "tcp"), (8081, "tcp"), (8080, "udp"):
        assert probe.ask(world.lan, HOST4, port, proto) == LAN4


def test_taken_by_a_process(docker, driver, world):
    net = docker.network(driver)
    # Among the host's own processes, which is all that counts here.
    squatter = docker.run("host", ports=(8080,))
    for proto in "tcp", "udp":
        with pytest.raises(Failed, match="8080") as refusal:
            docker.run(net, "-p", f"8080:80/{proto}")
        if driver == "tailexit":
            assert "echo-server" in refusal.value.stderr
    squatter.remove()
    # The refusal has left nothing behind.
    docker.run(net, "-p", "8080:80")
    assert probe.ask(world.lan, HOST4, 8080) == LAN4


def test_taken_by_a_container(docker, driver, world):
    net = docker.network(driver)
    first = docker.network(driver)
    owner = docker.run(first, "-p", "8080:80")
    with pytest.raises(Failed, match="8080") as refusal:
        docker.run(net, "-p", "8080:80")
    if driver == "tailexit":
        # A driver does not know the names of containers, but where they are.
        assert owner.endpoint(first)["EndpointID"][:12] in refusal.value.stderr
        assert first.inspect()["Id"][:12] in refusal.value.stderr
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    owner.remove()
    docker.run(net, "-p", "8080:80")
    assert probe.ask(world.lan, HOST4, 8080) == LAN4


def test_taken_across_drivers(docker, driver, world):
    """Ports of the bridge driver and of ours are one space."""
    docker.run("bridge", "-p", "8080:80")
    with pytest.raises(Failed, match="8080"):
        docker.run(docker.network(driver), "-p", "8080:80")
    assert probe.ask(world.lan, HOST4, 8080) == LAN4


def test_released(docker, driver, world):
    net = docker.network(driver)
    box = docker.run(net, "-p", "8080:80")
    assert probe.ask(world.lan, HOST4, 8080) == LAN4
    docker.host.docker("stop", box.name)
    assert probe.ask(world.lan, HOST4, 8080) is None
    docker.host.docker("start", box.name)
    assert wait_for(lambda: probe.ask(world.lan, HOST4, 8080), "restarted server") == LAN4


def test_many_clients(docker, driver, world):
    docker.run(docker.network(driver), "-p", "8080:80")
    flows = [probe.Flow(world.lan, HOST4, 8080) for _ in range(50)]
    try:
        assert all(flow.ask() == LAN4 for flow in flows)
    finally:
        for flow in flows:
            flow.close()


def test_sctp(docker, driver, world):
    """The kernel may have no SCTP sockets, but it can translate SCTP packets made by hand."""
    try:
        box = docker.run(docker.network(driver), "-p", "8080:80/sctp")
    except Failed as error:
        if driver == "bridge" and "protocol not supported" in error.stderr:
            pytest.skip("docker-proxy needs SCTP sockets, which this kernel does not have")
        raise
    with Sniffer(box.netns, match=lambda packet: packet.proto == SCTP) as inside:
        probe.send_sctp_init(world.lan, HOST4, 8080)
        wait_for(lambda: [packet for packet in inside.packets() if packet.dport == 80],
                 "SCTP packet in the container", timeout=3)
    assert inside.packets()[0].src == LAN4
