# SPDX-License-Identifier: GPL-2.0-or-later
"""Address families, IPAM, and how interfaces look like."""

import ipaddress
import json

import pytest

from lab import probe
from lab.proc import Failed
from lab.world import ECHO4, ECHO6, ISP4, ISP6

ENGINE = "in turn"

V4 = "--subnet", "10.80.0.0/24"
V6 = "--ipv6", "--subnet", "fd00:80::/64"


def links(netns):
    """Interfaces other than lo, by name."""
    found = json.loads(netns.ip("-j", "addr"))
    return {link["ifname"]: link for link in found if link["ifname"] != "lo"}


def addresses(link):
    return {entry["local"] for entry in link["addr_info"] if entry["scope"] == "global"}


def default_route(netns, family):
    routes = json.loads(netns.ip(family, "-j", "route", "show", "default"))
    return routes[0].get("gateway") if routes else None


def test_ipv4(docker, driver, host):
    net = docker.network(driver, *V4)
    box = docker.run(net)
    assert box.ip(net) == "10.80.0.2"
    assert box.ask(ECHO4) == ISP4
    assert box.ask(ECHO4, proto="udp") == ISP4
    assert probe.ping(box.netns, ECHO4)
    # The host talks to its containers from the address that is their gateway, and they to it.
    assert probe.ask(host.netns, "10.80.0.2") == "10.80.0.1"
    assert probe.ping(box.netns, "10.80.0.1")
    assert default_route(box.netns, "-4") == "10.80.0.1"
    assert box.ask(ECHO6) is None


def test_dual_stack(docker, driver, host):
    net = docker.network(driver, *V4, *V6)
    box, other = docker.run(net), docker.run(net)
    assert box.ip6(net) == "fd00:80::2"
    assert box.ask(ECHO4) == ISP4
    assert box.ask(ECHO6) == ISP6
    assert box.ask(ECHO6, proto="udp") == ISP6
    assert probe.ping(box.netns, ECHO6)
    assert box.ask(other.ip6(net)) == "fd00:80::2"
    assert probe.ask(host.netns, "fd00:80::2") == "fd00:80::1"
    assert default_route(box.netns, "-6") == "fd00:80::1"


def test_ipv6_only(docker, driver, engine_since):
    engine_since(28, "networks without IPv4")
    net = docker.network(driver, "--ipv4=false", *V6)
    box, other = docker.run(net), docker.run(net)
    assert box.ip(net) == ""
    assert box.ask(ECHO6) == ISP6
    assert box.ask(other.ip6(net)) == box.ip6(net)
    assert box.ask(ECHO4) is None


def test_default_pools(docker, driver):
    """Docker's IPAM chooses the subnets."""
    nets = [docker.network(driver) for _ in range(2)]
    subnets = [ipaddress.ip_network(net.inspect()["IPAM"]["Config"][0]["Subnet"]) for net in nets]
    assert not subnets[0].overlaps(subnets[1])
    for net, subnet in zip(nets, subnets):
        box = docker.run(net)
        assert ipaddress.ip_address(box.ip(net)) in subnet
        assert box.ask(ECHO4) == ISP4


def test_default_pool_ipv6(docker, driver, engine_since):
    engine_since(27, "default pool of IPv6 addresses")
    net = docker.network(driver, "--ipv6")
    box = docker.run(net)
    assert ipaddress.ip_address(box.ip6(net)).is_private
    assert box.ask(ECHO6) == ISP6


def test_subnet_gateway_range(docker, driver, host):
    net = docker.network(driver, *V4, "--gateway", "10.80.0.254", "--ip-range", "10.80.0.128/30",
                         "--aux-address", "printer=10.80.0.129")
    boxes = [docker.run(net) for _ in range(3)]
    assert {box.ip(net) for box in boxes} == {"10.80.0.128", "10.80.0.130", "10.80.0.131"}
    for box in boxes:
        assert default_route(box.netns, "-4") == "10.80.0.254"
        assert box.ask(ECHO4) == ISP4
    assert probe.ask(host.netns, boxes[0].ip(net)) == "10.80.0.254"


def test_static_addresses(docker, driver):
    net = docker.network(driver, *V4, *V6)
    box = docker.run(net, "--ip", "10.80.0.77", "--ip6", "fd00:80::77",
                     "--mac-address", "02:00:00:00:00:77")
    link = links(box.netns)["eth0"]
    assert link["address"] == "02:00:00:00:00:77"
    assert addresses(link) == {"10.80.0.77", "fd00:80::77"}
    other = docker.run(net)
    assert other.ask("10.80.0.77") == other.ip(net)
    assert box.ask(ECHO4) == ISP4
    assert box.ask(ECHO6) == ISP6


def test_mac_is_reported(docker, driver):
    """What docker inspect says is what the container has."""
    net = docker.network(driver, *V4)
    box = docker.run(net)
    assert box.endpoint(net)["MacAddress"] == links(box.netns)["eth0"]["address"]


def test_mtu(docker, driver):
    net = docker.network(driver, *V4, "-o", "com.docker.network.driver.mtu=1400")
    box = docker.run(net)
    assert links(box.netns)["eth0"]["mtu"] == 1400
    assert box.ask(ECHO4) == ISP4


def test_interface_prefix(docker, driver):
    net = docker.network(driver, *V4, "-o", "com.docker.network.container_iface_prefix=uplink")
    box = docker.run(net)
    assert set(links(box.netns)) == {"uplink0"}
    assert box.ask(ECHO4) == ISP4


def test_bridge_name(docker, driver, host):
    net = docker.network(driver, *V4, "-o", "com.docker.network.bridge.name=br-mine")
    box = docker.run(net)
    assert addresses(links(host.netns)["br-mine"]) == {"10.80.0.1"}
    assert box.ask(ECHO4) == ISP4
    box.remove()
    net.remove()
    assert "br-mine" not in links(host.netns)


def test_bridge_name_taken(docker, driver):
    docker.network("bridge", "-o", "com.docker.network.bridge.name=br-mine", name="theirs")
    with pytest.raises(Failed, match="br-mine"):
        docker.network(driver, "-o", "com.docker.network.bridge.name=br-mine", name="mine")


def test_one_interface(docker, driver):
    """No second way out, such as docker_gwbridge."""
    box = docker.run(docker.network(driver))
    assert set(links(box.netns)) == {"eth0"}
