# SPDX-License-Identifier: GPL-2.0-or-later
"""Many at once."""

from concurrent.futures import ThreadPoolExecutor

from lab import image, probe
from lab.docker import Container
from lab.proc import wait_for
from lab.snapshot import difference, snapshot
from lab.world import ECHO4, ISP4

ENGINE = "in turn"


def together(work, items):
    with ThreadPoolExecutor(max_workers=len(items)) as pool:
        return list(pool.map(work, items))


def test_50_containers(docker, host):
    # Stays on once a network needs it, and shows in routes of the kernel's own.
    host.netns.sysctl("ipv6/conf/all/forwarding", 1)
    before = snapshot(host)
    net = docker.network("tailexit")
    names = [f"box{number}" for number in range(50)]

    def create(name):
        docker.api("POST", "/containers/create?name=" + name,
                   {"Image": image.NAME, "Cmd": ["echo-server", "80"],
                    "HostConfig": {"NetworkMode": net.name}})

    def start(name):
        docker.api("POST", f"/containers/{name}/start", timeout=120)

    together(create, names)
    together(start, names)
    boxes = [Container(docker, name) for name in names]
    addresses = {box.ip(net) for box in boxes}
    assert len(addresses) == 50
    for box in boxes:
        wait_for(lambda: box.ask("127.0.0.1"), "server in " + box.name)
    assert all(probe.ask(host.netns, address) for address in addresses)
    assert all(box.ask(ECHO4) == ISP4 for box in boxes)
    together(lambda name: docker.api("DELETE", f"/containers/{name}?force=1", timeout=120), names)
    net.remove()
    assert difference(before, snapshot(host)) == ""


def test_20_networks(docker, host):
    before = snapshot(host)
    numbers = range(20)
    nets = together(lambda number: docker.network(
        "tailexit", "--subnet", f"10.90.{number}.0/24", name=f"many{number}"), numbers)
    # One container on all of them, and one on each of a few.
    boxes = [docker.run(net) for net in nets[::5]]
    assert all(box.ask(ECHO4) == ISP4 for box in boxes)
    everywhere = docker.run(nets[0])
    for net in nets[1:]:
        docker.host.docker("network", "connect", net.name, everywhere.name)
    assert all(probe.ask(host.netns, everywhere.ip(net)) for net in nets)
    for box in [*boxes, everywhere]:
        box.remove()
    together(lambda net: net.remove(), nets)
    assert difference(before, snapshot(host)) == ""
