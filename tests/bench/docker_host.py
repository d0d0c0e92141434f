# SPDX-License-Identifier: GPL-2.0-or-later
"""A host with an engine and both drivers, and what a user does with them, timed. Through the Engine API: the
docker command would add the time of its own start to all sides alike."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

from lab import Host, World, image
from lab.docker import Docker
from lab.world import DNS4

# With a policy that has everything to do. No tunnel: it is closed, and opens when one comes.
OPTIONS = {"tailexit": {"policy": "killswitch"}}


@contextlib.contextmanager
def timed(taken):
    began = time.monotonic()
    yield
    taken.append(1000 * (time.monotonic() - began))


class DockerHost:
    def __init__(self, host):
        self.host, self.docker = host, Docker(host)
        self.api = host.dockerd.api
        self.count = 0

    def name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def create_network(self, driver, name, subnet=None):
        """Docker has only some thirty subnets of its own to give."""
        self.api("POST", "/networks/create", {
            "Name": name, "Driver": driver, "CheckDuplicate": True, "Options": OPTIONS.get(driver, {}),
            "IPAM": {"Config": [{"Subnet": subnet}] if subnet else []}})
        return name

    def remove_network(self, name):
        self.api("DELETE", "/networks/" + name)

    @contextlib.contextmanager
    def network(self, driver, subnet=None):
        name = self.create_network(driver, self.name("net"), subnet)
        try:
            yield name
        finally:
            self.remove_network(name)

    @contextlib.contextmanager
    def networks(self, *drivers):
        """One of each, for the time of a row."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(self.network(driver)) for driver in drivers]

    def create_box(self, network, ports=0, command=("true",)):
        name = self.name("box")
        published = {f"{9000 + number}/tcp": [{"HostPort": str(9000 + number)}] for number in range(ports)}
        self.api("POST", "/containers/create?name=" + name, {
            "Image": image.NAME, "Cmd": list(command), "ExposedPorts": {port: {} for port in published},
            "HostConfig": {"NetworkMode": network, "PortBindings": published, "Dns": [DNS4]}})
        return name

    def start_box(self, name):
        self.api("POST", f"/containers/{name}/start", timeout=300)

    def remove_box(self, name):
        self.api("DELETE", f"/containers/{name}?force=1", timeout=300)

    def run(self, network, ports=0):
        """As `docker run --rm` of true; how many milliseconds."""
        began = time.monotonic()
        name = self.create_box(network, ports)
        self.start_box(name)
        self.api("POST", f"/containers/{name}/wait")
        self.remove_box(name)
        return 1000 * (time.monotonic() - began)

    def together(self, network, number):
        """So many containers created and started at once; until all of them run."""
        with ThreadPoolExecutor(max_workers=number) as pool:
            began = time.monotonic()
            names = list(pool.map(lambda _: self.create_box(network, 0, ("sleep", "1000")), range(number)))
            list(pool.map(self.start_box, names))
            taken = 1000 * (time.monotonic() - began)
            list(pool.map(self.remove_box, names))
        return taken

    def calls(self):
        """Of the daemon's own time: by method, how often and how many microseconds."""
        return self.host.tailexit.status()["calls"]

    def own_milliseconds(self, methods, since):
        now = self.calls()
        return sum(now.get(method, {}).get("total_us", 0) - since.get(method, {}).get("total_us", 0)
                   for method in methods) / 1000


@contextlib.contextmanager
def docker_host(engine):
    with World() as world:
        host = Host(world, engine)
        host.boot()
        yield DockerHost(host)
