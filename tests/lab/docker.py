# SPDX-License-Identifier: GPL-2.0-or-later
"""Networks and containers that a test makes on a host, as with the docker command a user would type."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

from . import image, probe, proc, request
from .dockerd import ApiError
from .netns import Netns

PREDEFINED = "bridge", "host", "none"


class Network:
    def __init__(self, docker, name, driver):
        self.docker, self.name, self.driver = docker, name, driver

    def inspect(self):
        return self.docker.api("GET", "/networks/" + self.name)

    def gateway(self, version=4):
        """As Docker's IPAM chose it, without the prefix length."""
        for config in self.inspect()["IPAM"]["Config"]:
            if (":" in config["Subnet"]) == (version == 6):
                return config["Gateway"].split("/")[0]
        return None

    def remove(self):
        self.docker.ask("DELETE", "/networks/" + self.name)


class Container:
    def __init__(self, docker, name):
        self.docker, self.name = docker, name
        self.refresh()

    def refresh(self):
        """The pid, and with it the namespace, is another one after every start."""
        self.pid = self.inspect()["State"]["Pid"]
        self.netns = Netns(f"/proc/{self.docker.host.init}/root/proc/{self.pid}/ns/net")
        return self

    def inspect(self):
        return self.docker.api("GET", f"/containers/{self.name}/json")

    def endpoint(self, network):
        """What the engine says about its interface on a network: IPAddress, MacAddress, ..."""
        return self.inspect()["NetworkSettings"]["Networks"][getattr(network, "name", network)]

    def ip(self, network):
        return self.endpoint(network)["IPAddress"]

    def ip6(self, network):
        return self.endpoint(network)["GlobalIPv6Address"]

    def ask(self, address, *argv, **options):
        return probe.ask(self.netns, address, *argv, **options)

    def execute(self, *argv, **options):
        """In all its namespaces, as with `docker exec`, but with no start of docker, runc and a shim; returns
        what it wrote."""
        pid = self.refresh().pid
        return self.docker.host.run("nsenter", "-t", pid, "-a", "--", *argv, **options).stdout.strip()

    def remove(self):
        self.docker.ask("DELETE", f"/containers/{self.name}?force=1")


class Docker:
    def __init__(self, host):
        self.host = host
        self.api = host.dockerd.api
        self.count = 0

    def _name(self, kind):
        self.count += 1
        return f"{kind}{self.count}"

    def ask(self, method, path, body=None):
        """The engine itself; it fails as the docker command would."""
        try:
            return self.api(method, path, body, timeout=120)
        except ApiError as error:
            text = f"Error response from daemon: {error.message}"
            raise proc.Failed(["docker", method, path],
                              subprocess.CompletedProcess([], 1, "", text)) from error

    def network(self, driver, *argv, name=None):
        """docker network create; tailexit networks are plain bridges unless argv names a policy."""
        name = name or self._name("net")
        if driver == "tailexit" and not any(str(arg).startswith("policy=") for arg in argv):
            argv = ["-o", "policy=open", *argv]
        wanted = request.of_network(name, driver, argv)
        if wanted:
            self.ask("POST", "/networks/create", wanted)
        else:
            self.host.docker("network", "create", "-d", driver, *argv, name)
        return Network(self, name, driver)

    def run(self, network, *argv, name=None, ports=(80,)):
        """docker run, of an echo server on these ports; returns when it listens."""
        name = name or self._name("box")
        network, command = getattr(network, "name", network), ("echo-server", *ports)
        wanted = request.of_container(image.NAME, command, network, argv)
        if wanted:
            self.ask("POST", "/containers/create?name=" + name, wanted)
            self.ask("POST", f"/containers/{name}/start")
        else:
            self.host.docker("run", "-d", "--name", name, "--network", network, *argv, image.NAME, *command)
        box = Container(self, name)
        proc.wait_for(lambda: box.ask("127.0.0.1", ports[-1]), f"server in {name}")
        return box

    def published(self, container, network, port, proto="tcp"):
        """Where a port of a container is published: a set of (host address, host port)."""
        if network.driver == "tailexit":
            # The engine shows no ports of a remote driver.
            endpoint = container.endpoint(network)["EndpointID"]
            return {(entry["host_ip"], entry["host_port"]) for entry in self.host.tailexit.ports()
                    if entry["endpoint"] == endpoint and entry["container_port"] == port
                    and entry["proto"] == proto}
        ports = container.inspect()["NetworkSettings"]["Ports"].get(f"{port}/{proto}") or []
        return {(entry["HostIp"], int(entry["HostPort"])) for entry in ports}

    def clean(self):
        """Removes every container and every network of the engine."""
        with ThreadPoolExecutor(max_workers=8) as pool:
            for _ in pool.map(lambda box: self.api("DELETE", f"/containers/{box['Id']}?force=1"),
                              self.api("GET", "/containers/json?all=1")):
                pass
            for _ in pool.map(lambda net: self.api("DELETE", "/networks/" + net["Id"]),
                              [net for net in self.api("GET", "/networks")
                               if net["Name"] not in PREDEFINED]):
                pass
