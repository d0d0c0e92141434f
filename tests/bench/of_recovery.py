# SPDX-License-Identifier: GPL-2.0-or-later
"""How long something is missing: a tunnel that is back, a rule that somebody deleted."""

import contextlib
import functools
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from lab import Host, World, proc
from lab.docker import Docker
from lab.probe import open_socket
from lab.world import DNS4, ECHO4

from . import news
from .row import Goal, Row, Side, Sides

STEP = 0.0005
PATIENCE = 20
# Whoever changes something more than ten times within ten seconds gets it back late: see pace.h.
FIGHT = 7


class Cable:
    """To the exit, in the place of a tunnel that is new each time: it has no handshake of its own, whose time
    would be added."""
    link, near, far, mac = "bench0", "10.98.0.2", "10.98.0.1", "02:00:00:00:00:98"
    listen, sign = staticmethod(news.addresses), news.RTM_NEWADDR

    def __init__(self, world):
        self.world = world
        self.lay()

    def cut(self):
        self.world.host.ip("link", "del", self.link)

    def lay(self):
        """As a tunnel's daemon does at its start: a new interface, then its address."""
        near, far = self.world.host, self.world.exit
        # As on a tunnel nobody asks for hardware addresses: both ends have the same.
        ends = "address", self.mac, "arp", "off"
        near.ip("link", "add", self.link, *ends, "type", "veth", "peer", "name", self.link, *ends,
                "netns", far.name)
        far.ip("link", "set", self.link, "up")
        far.address(self.link, self.far + "/24")
        near.ip("link", "set", self.link, "up")
        near.address(self.link, self.near + "/24")


class WireGuard:
    """A tunnel that is taken down and up. It keeps what it agreed on with the other end."""
    link = "tailscale0"
    listen, sign = staticmethod(news.links), news.RTM_NEWLINK

    def __init__(self, world):
        self.tunnel = world.tunnel
        self.tunnel.up(families=1)

    def cut(self):
        self.tunnel.set("down")

    def lay(self):
        self.tunnel.set("up")


class Recovery:
    """A container on a killswitch network, and a way out that comes and goes."""

    def __init__(self, world, engine, way):
        self.host = Host(world, engine)
        self.host.boot()
        docker = Docker(self.host)
        network = docker.network("tailexit", "-o", "policy=killswitch", "-o", "via=" + way.link)
        self.box = docker.run(network, "--dns", DNS4)
        self.bridge = "te-" + network.inspect()["Id"][:12]
        self.way = way(world)
        proc.wait_for(self._ask, "way out", PATIENCE)

    def _ask(self):
        return self.box.ask(ECHO4, proto="udp", timeout=0.1)

    def first_packet(self):
        """Milliseconds from the return of the link to the first answer to a container that never stopped
        asking."""
        self.way.cut()
        proc.wait_for(lambda: self._ask() is None, "silence")
        with self.way.listen(self.host.netns) as told, ThreadPoolExecutor(max_workers=2) as pool:
            answered = pool.submit(self._first_answer)
            laid = pool.submit(self.way.lay)
            back = told.when(self.way.sign)
            laid.result()
            return 1000 * (answered.result() - back)

    def _first_answer(self):
        with open_socket(self.box.netns, ECHO4, socket.SOCK_DGRAM, timeout=0) as client:
            client.connect((ECHO4, 80))
            return self._answered(client)

    @staticmethod
    def _answered(client):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                client.send(b"?\n")
            with contextlib.suppress(OSError):
                if client.recv(100):
                    return time.monotonic()
            time.sleep(STEP)
        raise TimeoutError("no packet of the container came through")

    def rule_deleted(self):
        """The one that keeps the network from the uplink."""
        netns = self.host.netns
        pref = re.search(rf"^(\d+):.*iif {self.bridge} ", netns.ip("-4", "rule"), re.M)[1]
        with news.rules(netns) as told:
            netns.ip("-4", "rule", "del", "pref", pref, "iif", self.bridge)
            return told.between(news.RTM_DELRULE, news.RTM_NEWRULE)

    def chain_flushed(self):
        netns = self.host.netns
        with news.firewall(netns) as told:
            netns.run("nft", "flush", "chain", "inet", "tailexit", "forward")
            return told.between(news.NFT_MSG_DELRULE, news.NFT_MSG_NEWRULE)


@contextlib.contextmanager
def recovery(engine, way):
    with World() as world:
        yield Recovery(world, engine, way)


def alone(name, measure):
    @contextlib.contextmanager
    def prepare(stage):
        yield Sides(Side(name, functools.partial(measure, stage)))
    return prepare


def at_leisure(measure):
    """A repair waits while the one before it is looked over."""
    def measure_at_leisure(stage):
        time.sleep(1)
        return measure(stage)
    return measure_at_leisure


def rows(setting):
    cable, wireguard = (functools.partial(recovery, setting.engine, way) for way in (Cable, WireGuard))

    def row(name, measure, goal, rounds, note="", stage=cable):
        return Row(name, "ms", "less", alone("tailexit", measure), stage, goal, rounds, note)

    return [
        row("exit back to first packet through", Recovery.first_packet, Goal(50), 100,
            "an interface that was deleted is made anew; from the kernel's news of its address to the "
            "first answer in a container. Below 0: the answer was faster than the reading of the news"),
        row("routing rule deleted to restored", at_leisure(Recovery.rule_deleted), None, FIGHT),
        row("nftables chain flushed to restored", at_leisure(Recovery.chain_flushed), None, FIGHT),
        row("WireGuard back to first packet through", Recovery.first_packet, Goal(50), 100,
            "an interface that was down is set up; from the kernel's news of that", wireguard),
    ]
