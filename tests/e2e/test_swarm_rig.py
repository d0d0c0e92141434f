# SPDX-License-Identifier: GPL-2.0-or-later
"""A Docker swarm of two hosts with the managed plugin. Each has an internet of its own around it, and leaves
it by another tunnel; between them is a cable. What one of them lets out, only its own wires can show."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor
from urllib import parse

from lab import Host, World, image, plugin, proc
from lab.docker import Container, Docker
from lab.dockerd import ApiError
from lab.netns import cable
from lab.snapshot import difference, snapshot
from lab.sniff import Sniffer
from lab.uplink import is_own_noise

from test_policy_leaks import EAGER
from test_policy_rig import BY_EXIT, BY_OTHER, DNS, DUAL2, NEARBY, WORLD, Judge, words

LINK = "node0"
SENT = WORLD + NEARBY
DRIVER = f"{plugin.NAME}:latest"
OF_SERVICE = "com.docker.swarm.service.name"


class Node:
    """address: on the cable; subnets: of the networks made here."""

    def __init__(self, suite, number):
        self.number, self.address = number, f"10.40.0.{number}"
        self.world = World()
        try:
            self.host = Host(self.world, suite)
            self.host.up()
        except BaseException:
            self.world.down()
            raise
        self.tunnel, self.seen = ((self.world.tunnel, BY_EXIT) if number == 1 else
                                  (self.world.other_tunnel, BY_OTHER))
        self.docker = Docker(self.host)
        self.plugin = plugin.Plugin(self.host)

    def boot(self):
        self.host.dockerd.start()
        self.plugin.create()
        self.plugin.enable()
        self.tunnel.up()

    def populate(self):
        """A container of no service that may go where it likes."""
        net = self.docker.network("tailexit", "-o", "policy=open", *DUAL2, name="free")
        self.judge = Judge(self.world, self.docker.run(net, name="free"), net)

    def config(self, name, *options, third=0):
        """What the network of this name is going to be here."""
        n = 100 * self.number + third
        self.host.docker("network", "create", "--config-only", "--subnet", f"10.83.{n}.0/24", "--ipv6",
                         "--subnet", f"fd83:{n}::/64", *words(*options), name)

    def remove_configs(self):
        """False: of one there is still a network."""
        names = [name for name in self.networks() if name.endswith("-config")]
        for name in names:
            with contextlib.suppress(ApiError):
                self.docker.api("DELETE", "/networks/" + name)
        return not names

    def boxes(self, service):
        filters = parse.quote(json.dumps({"label": [f"{OF_SERVICE}={service}"]}))
        return [Container(self.docker, entry["Id"])
                for entry in self.docker.api("GET", f"/containers/json?filters={filters}")]

    def networks(self):
        return {entry["Name"] for entry in self.docker.api("GET", "/networks")}

    def cable(self):
        """What passes between the nodes and is none of the swarm's own."""
        return Sniffer(self.host.netns, LINK, lambda packet: not (
            packet.dst.startswith("10.40.0.") or is_own_noise(packet)))

    @contextlib.contextmanager
    def silent(self):
        """Nothing of what a container sends leaves but through the tunnel."""
        with self.cable() as wire, self.judge.silent(SENT) as fire:
            yield fire
        assert wire.packets() == []

    def remains(self):
        """What is there of networks but the free one."""
        links = self.host.netns.ip("-o", "link", "show", "type", "bridge").split()
        own = "te-" + self.judge.net.inspect()["Id"][:12]
        return [link for link in links if link.startswith("te-") and link.rstrip(":") != own]


class Swarm:
    def __init__(self, suite):
        plugin.build()
        self.nodes = []
        try:
            for number in 1, 2:
                self.nodes.append(Node(suite, number))
            self.manager, self.worker = self.nodes
            cable(self.manager.world.host, LINK, self.worker.world.host, LINK)
            for node in self.nodes:
                node.host.netns.address(LINK, node.address + "/24")
            self.each(Node.boot)
            self._share_image()
            self.each(Node.populate)
        except BaseException:
            self.down()
            raise

    def down(self):
        with contextlib.ExitStack() as stack:
            for node in self.nodes:
                stack.callback(node.world.down)

    def each(self, do):
        """On all nodes at once."""
        with ThreadPoolExecutor() as pool:
            return list(pool.map(do, self.nodes))

    def _share_image(self):
        """By its id, which is looked for in no registry; the same one everywhere."""
        self.manager.host.dockerd.load_image()
        self.worker.host.dockerd.api("POST", "/images/load", self.manager.host.dockerd.api(
            "GET", f"/images/{image.NAME}/get"))
        ids = self.each(lambda node: node.docker.api("GET", f"/images/{image.NAME}/json")["Id"])
        assert ids[0] == ids[1]
        self.image = ids[0]

    def form(self):
        first = self.manager
        first.host.docker("swarm", "init", "--advertise-addr", first.address)
        token = first.host.docker("swarm", "join-token", "-q", "worker")
        self.worker.host.docker("swarm", "join", "--token", token, "--advertise-addr",
                                self.worker.address, first.address + ":2377")
        # Docker makes docker_gwbridge a moment after it has said that it is done.
        proc.wait_for(lambda: all({"docker_gwbridge", "ingress"} <= node.networks() for node in self.nodes),
                      "networks of the swarm", 30)

    def leave(self):
        """With everything that still runs. Nothing is left of it."""
        for node in reversed(self.nodes):
            node.host.docker("swarm", "leave", "--force")
        for node in self.nodes:
            try:
                proc.wait_for(lambda node=node: not node.remains(), "end of what is left", 90)
            except TimeoutError as error:
                raise AssertionError(f"{node.remains()} stay on {node.address}, where Docker knows "
                                     f"{node.networks()}\n{node.host.dockerd.log()[-6000:]}") from error
            proc.wait_for(node.remove_configs, "end of the networks on " + node.address, 30, step=0.5)

    def network(self, name, *argv):
        """On the manager, from what each node has as NAME-config."""
        self.docker("network", "create", "-d", DRIVER, "--scope", "swarm", "--config-from",
                    name + "-config", *argv, name)

    def killswitch(self, name="vpn"):
        for node in self.nodes:
            node.config(name + "-config", "policy=killswitch", "via=" + node.tunnel.link)
        self.network(name)

    def docker(self, *argv, **options):
        return self.manager.host.docker(*argv, **options)

    def service(self, name, *argv, replicas=4):
        """Its containers send as soon as they exist."""
        self.docker("service", "create", "-d", "--no-resolve-image", "--name", name, "--replicas", replicas,
                    "--replicas-max-per-node", replicas // 2, *DNS, *argv, self.image, "sh", "-c", EAGER)

    def running(self, service, replicas):
        """Waits until so many containers of it run on each node; returns each node's."""
        def running():
            found = [node.boxes(service) for node in self.nodes]
            return found if all(len(boxes) == replicas and all(box.ask("127.0.0.1") for box in boxes)
                                for boxes in found) else None

        try:
            return proc.wait_for(running, "service " + service, 60, step=0.2)
        except TimeoutError as error:
            raise AssertionError(self.errors(service)) from error

    def errors(self, service):
        return self.docker("service", "ps", "--no-trunc", "--format", "{{.Error}}", service)

    @contextlib.contextmanager
    def silent(self):
        """As a node's, on all of them: with silent() as fires."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(node.silent()) for node in self.nodes]

    def snapshots(self):
        return [snapshot(node.host) for node in self.nodes]

    def changed_since(self, before):
        """But for the link-local address of a tunnel, which is another one after each start."""
        return [line for old, new in zip(before, self.snapshots())
                for line in difference(old, new).split("\n")
                if line and not ("fe80::" in line and any(node.tunnel.link in line for node in self.nodes))]
