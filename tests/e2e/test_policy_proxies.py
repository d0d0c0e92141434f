# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy next door is a way out as well: on the host, in a container of a network that may leave, on
one of Docker's own bridges; reached in every way that leads there.

Next to each test: what was taken out of the daemon to see it fail.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lab import probe, proc
from lab.world import ECHO4, HOST4, HOST6, ISP4

from test_policy_rig import (DUAL2, GATEWAY4, GATEWAY6, run, tunnel)  # noqa: F401

ENGINE = "in turn"

# Whoever asks at one of these ports is told with whose address the proxy asked.
HOST_PORT, BYPASS_PORT, BRIDGE_PORT = 3128, 3129, 3130
RELAY = "nc", "-ll", "-p", HOST_PORT, "-e", "nc", ECHO4, 80
DOCKER0 = "172.17.0.1"


@pytest.fixture
def relay(host):
    """On every address of the host."""
    busybox = ["busybox", *RELAY[:-3], "busybox", *RELAY[-3:]]
    process = host.netns.spawn(host.path("relay.log"), *busybox)
    proc.wait_for(lambda: probe.ask(host.netns, HOST4, HOST_PORT) == ISP4, "relay")
    yield
    proc.end(process, 9)


@pytest.fixture
def relays(docker, world, relay):
    """The ways to all proxies; each proxy works, for the LAN."""
    bypass = docker.network("tailexit", "-o", "policy=bypass", *DUAL2)
    boxes = [docker.run(bypass, "-p", f"{BYPASS_PORT}:{HOST_PORT}"),
             docker.run("bridge", "-p", f"{BRIDGE_PORT}:{HOST_PORT}")]
    for box in boxes:
        docker.host.docker("exec", "-d", box.name, *map(str, RELAY))
    for port in HOST_PORT, BYPASS_PORT, BRIDGE_PORT:
        proc.wait_for(lambda: probe.ask(world.lan, HOST4, port) == ISP4, f"proxy at {port}")
    addresses = [HOST4, HOST6, GATEWAY4, GATEWAY6, DOCKER0, "10.82.0.1", "fd82::1", "100.64.0.2",
                 "fd7a:115c:a1e0::2", "127.0.0.1"]
    return [(address, port) for address in addresses
            for port in (HOST_PORT, BYPASS_PORT, BRIDGE_PORT)] + [
        (box.ip(net), HOST_PORT) for box, net in zip(boxes, [bypass, "bridge"])]


CONFINED = [["policy=killswitch"], ["policy=killswitch", "lan=on", "tailnet=on"],
            ["policy=killswitch", "lan=10.0.0.0/8,172.16.0.0/12,fc00::/7"], ["policy=isolated"]]


# Seen to fail: without "not to other networks"; without the last rule of hostside.c.
def test_no_proxy_is_reached(docker, tunnel, relays):
    for options in CONFINED:
        box, net = run(docker, *options)
        with ThreadPoolExecutor(max_workers=16) as pool:
            seen = pool.map(lambda way: box.ask(*way, timeout=0.5), relays)
            assert {way: address for way, address in zip(relays, seen) if address} == {}, options
        box.remove()
        net.remove()


# Seen to fail: without the last rule of hostside.c.
def test_host_docker_internal(docker, relay):
    """The name that leads to the host on docker0's address."""
    name = ["--add-host", "host.docker.internal:host-gateway"]
    ask = ["timeout", "2", "wget", "-qO-", f"http://host.docker.internal:{HOST_PORT}/"]
    free, _ = run(docker, "policy=open", argv=name)
    assert free.execute(*ask).split()[0] == ISP4
    free.remove()
    docker.clean()
    box, _ = run(docker, "policy=killswitch", argv=name)
    with pytest.raises(proc.Failed):
        box.execute(*ask)
