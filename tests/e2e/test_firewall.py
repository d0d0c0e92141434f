# SPDX-License-Identifier: GPL-2.0-or-later
"""Beside Docker's own firewall rules, in both kinds of iptables and with both policies of FORWARD."""

import pytest

from lab import probe
from lab.docker import Docker
from lab.world import ECHO4, ECHO6, HOST4, HOST6, ISP4, ISP6, LAN4, LAN6

ENGINE = "in turn"

DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"


@pytest.mark.parametrize("iptables, policy", [("nft", "DROP"), ("nft", "ACCEPT"), ("legacy", "DROP")])
def test_beside_docker(make_host, driver, iptables, policy):
    host = make_host(iptables=iptables, forward=policy == "ACCEPT")
    host.boot()
    assert iptables == "nft" or "legacy" in host.run("iptables", "--version").stdout
    assert f"-P FORWARD {policy}" in host.run("iptables", "-S", "FORWARD").stdout
    docker = Docker(host)
    everything_works(docker, driver)
    # dockerd writes its rules anew, on top of what is there.
    host.dockerd.stop()
    host.dockerd.start()
    docker.clean()
    everything_works(docker, driver)


def everything_works(docker, driver):
    lan = docker.host.world.lan
    net, other = docker.network(driver, *DUAL), docker.network("bridge")
    box, stranger = docker.run(net, "-p", "8080:80"), docker.run(other)
    assert box.ask(ECHO4) == ISP4
    assert box.ask(ECHO6) == ISP6
    assert probe.ask(lan, HOST4, 8080) == LAN4
    assert probe.ask(lan, HOST6, 8080) == LAN6
    assert stranger.ask(ECHO4) == ISP4
    assert stranger.ask(HOST4, 8080)
    assert probe.open_ways((box.netns, stranger.ip(other)), (stranger.netns, box.ip(net))) == []
