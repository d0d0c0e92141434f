# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m lab.demo [engine] - the one-minute story, told with what was really seen. Fails if
anything is not as told."""

import contextlib
import sys
import time

from . import Host, World, image, probe, proc, roots, sweep
from .docker import Container, Docker
from .shout import Shot, shout
from .sniff import Sniffer
from .snapshot import difference, snapshot
from .uplink import is_envelope, uplink
from .world import DNS4, ECHO4, ECHO6, EXIT4, EXIT6, HOST4, ISP4, ISP6, LAN4

# What an application might try, over IPv4 and IPv6.
TRIES = [Shot(proto, address, port) for address in (ECHO4, ECHO6) for proto, port in
         (("tcp", 80), ("tcp", 443), ("udp", 443), ("udp", 53), ("tcp", 853), ("ping", 0))]


class Story:
    def __init__(self, world, engine):
        self.world, self.wrong = world, 0
        self.host = Host(world, engine)
        self.host.boot()
        # Docker leaves things behind after its first network, Tailscale its rules: that is not the
        # question here.
        world.tunnel.up()
        world.tunnel.down()
        docker = Docker(self.host)
        docker.run(docker.network("bridge", "--ipv6", "--subnet", "fd80::/64"))
        docker.clean()
        self.before = snapshot(self.host)

    def check(self, what, seen, told):
        """told: what is to be seen, or whether this is right."""
        right = told if told is True or told is False else seen == told
        self.wrong += not right
        text = " and ".join(map(str, seen)) if isinstance(seen, list) else seen
        print(f"    {'' if right else 'NOT AS TOLD: '}{what}: {text}", flush=True)

    def docker(self, command):
        print(f"  $ docker {command}", flush=True)
        self.host.docker(*command.split())

    def run(self, name, options):
        self.docker(f"run -d --name {name} {options} {image.NAME}")
        box = Container(Docker(self.host), name)
        proc.wait_for(lambda: box.ask("127.0.0.1"), name)
        return box

    def send(self, box):
        """Tries everything; returns how many packets the container sent, and how many of them, or
        of what they became, the ISP saw outside of the tunnel."""
        with Sniffer(box.netns, "eth0", lambda packet: packet.outgoing and packet.dst in (
                ECHO4, ECHO6)) as inside, uplink(self.world) as wire:
            shout(box.netns, TRIES, seconds=1)
        return len(inside.packets()), len(wire.packets())


def asks(netns):
    return [probe.ask(netns, address, timeout=1) for address in (ECHO4, ECHO6)]


def tell(world, engine):
    print(f"A host with Docker {roots.ENGINES[engine]} behind an ISP who sees {ISP4} and {ISP6},\n"
          f"and a tunnel, tailscale0, to an exit with {EXIT4} and {EXIT6}.", flush=True)
    story = Story(world, engine)
    tunnel = world.tunnel
    tunnel.up()
    print("\nThe tunnel is up. A network needs no options: tunnel or nothing.")
    story.docker("network create -d tailexit --ipv6 --subnet fd81::/64 vpn")
    box = story.run("app", f"--network vpn --dns {DNS4} -p 8080:80")
    story.check("the world sees the app as", asks(box.netns), [EXIT4, EXIT6])
    with Sniffer(world.isp, "lan-host", is_envelope) as envelopes:
        sent, leaked = story.send(box)
    carriers = len(envelopes.packets())
    story.check(f"the app sends {sent} packets; the ISP sees {carriers} of the tunnel, and others",
                leaked, 0)

    print("\nThe tunnel is cut: its daemon is killed, its interface gone.")
    tunnel.down()
    story.docker("network create -d tailexit -o policy=open --ipv6 --subnet fd82::/64 plain")
    sent, leaked = story.send(story.run("control", "--network plain"))
    story.check(f"to prove that we look: an app without policy sends {sent} packets; the ISP sees",
                leaked, leaked >= len(TRIES))
    sent, leaked = story.send(box)
    story.check(f"ours sends {sent} packets; the ISP sees", leaked, sent > 0 and leaked == 0)
    story.check("the world sees it as", asks(box.netns), [None, None])

    print("\nThe tunnel is back.")
    tunnel.up()
    began = time.monotonic()
    with contextlib.suppress(TimeoutError):
        proc.wait_for(lambda: box.ask(ECHO4, timeout=0.2), "the exit", step=0.005)
    took = 1000 * (time.monotonic() - began)
    story.check(f"the app gets through {took:.0f} ms after the host's first ping; the world sees it as",
                asks(box.netns), [EXIT4, EXIT6])

    print("\nNow the host itself uses the exit node. Some things must not.")
    tunnel.exit_node(True)
    story.docker("network create -d tailexit -o policy=bypass --ipv6 --subnet fd83::/64 direct")
    direct = story.run("plex", "--network direct -p 32400:80")
    story.check("the world sees the host as", asks(world.host), [EXIT4, EXIT6])
    story.check("the world sees plex as", asks(direct.netns), [ISP4, ISP6])

    print(f"\nPublished ports, from {LAN4} on the LAN.")
    for name, port in ("app", 8080), ("plex", 32400):
        story.check(f"http://{HOST4}:{port}/ answers, {name} sees its client as",
                    probe.ask(world.lan, HOST4, port), LAN4)

    print("\nAnd everything is gone again.")
    tunnel.exit_node(False)
    tunnel.down()
    story.docker("rm -f app control plex")
    story.docker("network rm vpn plain direct")
    proc.wait_for(lambda: "te-" not in story.host.netns.ip("link"), "end of the bridges")
    left = difference(story.before, snapshot(story.host))
    story.check("rules, routes, links and files that are left", left or "none", "none")
    return story.wrong


def main(engine="bookworm"):
    began = time.monotonic()
    sweep()
    with World() as world:
        wrong = tell(world, engine)
    print(f"\n{time.monotonic() - began:.0f} s;", f"{wrong} things were not as told." if wrong
          else "all of it as told.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
