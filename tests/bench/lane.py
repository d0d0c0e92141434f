# SPDX-License-Identifier: GPL-2.0-or-later
"""A way for packets: a container, a host with so and so many networks of somebody's making, and somebody far
away.

    box --veth-- bridge [host] up0 --veth-- far          by the uplink
                               exit0 --veth-- far        through an exit that costs nothing
                               wg1 ==WireGuard== exit    through one that does

On every host there is a dockerd of the same version, with the rules that it makes for itself. The container
is on the network in the middle.
"""

import contextlib
import http.client
import json
import os
import socket

from lab import Host, World, image
from lab.docker import Docker
from lab.netns import Named, cable
from lab.world import OTHER

from . import script

GENERATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "traffic.c")
LINKS = {"up0": ("198.18.0.1", "198.18.0.2"), "exit0": ("198.18.1.1", "198.18.1.2")}
TUNNEL = OTHER.link
# Of the container; as a published port of the host, that and PUBLISHED.
PORT, PUBLISHED = 7000, 20000


def subnet(number):
    return f"10.{64 + number // 256}.{number % 256}"


class Lane:
    def __init__(self, world, box, link, ports=0):
        self.world, self.box, self.link, self.ports = world, box, link, ports
        self.far = world.exit if link == TUNNEL else far_of(world)
        self.there = OTHER.exit[0].split("/")[0] if link == TUNNEL else LINKS[link][1]

    def traffic(self, what, seconds):
        """From the container to somebody far away."""
        return self._run(what, self.box, self.far, self.there, PORT, PORT, seconds)

    def published(self, what, seconds):
        """From far away to the published port in the middle."""
        number = self.ports // 2
        return self._run(what, self.far, self.box, LINKS["up0"][0], PUBLISHED + number, PORT + number,
                         seconds)

    def _run(self, what, client, server, *arguments):
        out = self.world.host.run  # only for its errors: the generator enters the namespaces itself
        return json.loads(out(image.program(GENERATOR), what, client.path, server.path, *arguments).stdout)

    @contextlib.contextmanager
    def one_by_one(self):
        """No packet of TCP is larger than the links carry: what a network card that cannot cut them would
        get, and what makes every single one pass all the rules."""
        self.box.ip("link", "set", "eth0", "gso_max_segs", 1)
        try:
            yield self
        finally:
            self.box.ip("link", "set", "eth0", "gso_max_segs", 65535)


def far_of(world):
    return Named(world.prefix + "-far")


@contextlib.contextmanager
def site(setting, tunnel=False, tailscale=False, dockerd=()):
    """A host with its engine, cables and nothing else. tailscale: and the routing rules of Tailscale, without
    which the kernel takes a shortcut when it looks for routes."""
    with World() as world:
        host = Host(world, setting.engine, dockerd=dockerd)
        host.up()
        far = far_of(world).create()
        for number, (link, (here, there)) in enumerate(LINKS.items()):
            cable(host.netns, link, far, f"eth{number}")
            host.netns.address(link, here + "/24")
            far.address(f"eth{number}", there + "/24")
        if tailscale:
            world.tunnel.rules()
        if tunnel:
            world.other_tunnel.up(families=1)
        host.dockerd.start()
        # A port that a connection had is free for the next one a second later, not ten.
        host.netns.sysctl("netfilter/nf_conntrack_tcp_timeout_close", 1)
        yield host


@contextlib.contextmanager
def bridge(setting, networks=1, ports=0, tailscale=False):
    """Docker's own driver."""
    # Otherwise each port costs a process, or two.
    with site(setting, tailscale=tailscale, dockerd=["--userland-proxy=false"]) as host:
        host.dockerd.load_image()
        docker = Docker(host)
        nets = [docker.network("bridge", "--subnet", subnet(number) + ".0/24") for number in range(networks)]
        published = ["-p", f"{PUBLISHED}-{PUBLISHED + ports - 1}:{PORT}-{PORT + ports - 1}"] if ports else []
        box = docker.run(nets[networks // 2], *published)
        yield Lane(host.world, box.netns, "up0", ports)


def empty_box(host, link, number):
    """What stands for a container: a namespace that has the link as its eth0."""
    box = Named(host.world.prefix + "-box").create()
    host.netns.ip("link", "set", link, "netns", box.name)
    box.ip("link", "set", link, "name", "eth0")
    box.address("eth0", subnet(number) + ".2/24")
    box.ip("link", "set", "eth0", "up")
    box.ip("route", "add", "default", "via", subnet(number) + ".1")
    return box


@contextlib.contextmanager
def scripted(setting, policy, networks=1, link=None):
    link = link or ("exit0" if policy in ("killswitch", "turned") else "up0")
    with site(setting, tunnel=link == TUNNEL) as host:
        numbers, middle = range(networks), networks // 2
        host.netns.run("ip", "-batch", "-", input="".join(
            f"link add br{number} type bridge\naddr add {subnet(number)}.1/24 dev br{number}\n"
            f"link set br{number} up\n" for number in numbers))
        script.run(host.netns, policy, [subnet(number) + ".0/24" for number in numbers], link)
        host.netns.ip("link", "add", "veth0", "type", "veth", "peer", "name", "box0")
        host.netns.ip("link", "set", "veth0", "master", f"br{middle}", "up")
        yield Lane(host.world, empty_box(host, "box0", middle), link)


class Daemon:
    """Ours, asked as a dockerd would. The dockerd that is there does not know of these networks, so the
    daemon is not to ask it about them."""

    def __init__(self, host):
        self.socket = host.path("run", "docker", "plugins", "tailexit.sock")
        host.tailexit.start("--docker-sock", "/run/no-docker.sock")

    def call(self, method, body):
        link = http.client.HTTPConnection("docker")
        with contextlib.closing(link):
            link.sock = socket.socket(socket.AF_UNIX)
            link.sock.connect(self.socket)
            link.request("POST", "/NetworkDriver." + method, json.dumps(body))
            answer = json.loads(link.getresponse().read())
        assert not answer.get("Err"), f"{method}: {answer}"
        return answer

    def network(self, number, options):
        self.call("CreateNetwork", {
            "NetworkID": f"{number:012x}" + "0" * 52, "IPv6Data": [],
            "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": subnet(number) + ".0/24",
                          "Gateway": subnet(number) + ".1/24"}],
            "Options": {"com.docker.network.enable_ipv6": False, "com.docker.network.generic": options}})

    def endpoint(self, number, ports):
        """Returns the name of the container's link."""
        body = {"NetworkID": f"{number:012x}" + "0" * 52, "EndpointID": "e" * 64,
                "Options": {"com.docker.network.endpoint.dnsservers": ["9.9.9.9"]}}
        self.call("CreateEndpoint", {**body, "Interface": {
            "Address": subnet(number) + ".2/24", "AddressIPv6": "", "MacAddress": ""}})
        joined = self.call("Join", {**body, "SandboxKey": "/var/run/docker/netns/1"})
        if ports:
            self.call("ProgramExternalConnectivity", {**body, "Options": {"com.docker.network.portmap": [
                {"Proto": 6, "IP": "", "Port": PORT + port, "HostIP": "", "HostPort": PUBLISHED + port,
                 "HostPortEnd": PUBLISHED + port} for port in range(ports)]}})
        return joined["InterfaceName"]["SrcName"]


@contextlib.contextmanager
def ours(setting, policy, networks=1, ports=0, link=None, tailscale=False):
    link = link or ("exit0" if policy == "killswitch" else "up0")
    options = {"policy": policy, **({"via": link} if policy == "killswitch" else {})}
    with site(setting, tunnel=link == TUNNEL, tailscale=tailscale) as host:
        daemon = Daemon(host)
        for number in range(networks):
            daemon.network(number, options)
        box = empty_box(host, daemon.endpoint(networks // 2, ports), networks // 2)
        yield Lane(host.world, box, link, ports)
