# SPDX-License-Identifier: GPL-2.0-or-later
"""What packets pay: for one network and for many, for one published port and for many; beside Docker's own
driver, and beside the script that people write where there is no driver.

What is measured is said in traffic.c, and what it passes in lane.py. Links of type veth hand on what TCP has
not cut into packets yet, up to 64 kB at a time, as they do between containers and with most network
cards: the rows "TCP" are like that, and say little about rules; in the rows "TCP, packet by packet" it is
cut before it is sent. Nothing is put together on arrival (GRO) in either.
"""

import contextlib
from dataclasses import dataclass
from functools import partial

from . import lane
from .row import Goal, Row, Side, Sides

SECONDS = 0.5


@dataclass(frozen=True)
class Metric:
    name: str
    what: str  # is asked of traffic.c
    unit: str
    read: callable
    better: str = "more"
    one_by_one: bool = False

    def take(self, traffic, seconds):
        return self.read(traffic(self.what, seconds))


def per_second(result):
    """As many as there would be if none took longer than the median; what did not arrive does not count."""
    return result["each"] / result["p50"] * result["arrived"] / result["sent"]


def gigabits(result):
    return result["arrived"] * 8 / result["seconds"] / 1e9


OUT = Metric("UDP out", "udp", "/s", per_second)
BACK = Metric("UDP answers", "udp-back", "/s", per_second)
TCP = Metric("TCP", "tcp", "Gbit/s", gigabits)
CUT = Metric("TCP, packet by packet", "tcp", "Gbit/s", gigabits, one_by_one=True)
CONNECTIONS = Metric("connections", "connections", "/s", per_second)
P50 = Metric("round trip, p50", "round-trips", "us", lambda result: result["p50"] * 1e6, "less")
P99 = Metric("round trip, p99", "round-trips", "us", lambda result: result["p99"] * 1e6, "less")
NOTES = {
    OUT: "64 bytes, of which 18 are content; of a connection that is established. One thread sends 32 and "
         "receives them, on one processor: 32 in the median of the times that takes.",
    TCP: "Up to 64 kB at a time pass the rules as one packet.",
    CONNECTIONS: "Each is opened, answered with a byte, and reset.",
}


class Lanes:
    """Built when they are asked for, and kept until all are taken down."""

    def __init__(self, stack):
        self.stack, self.built = stack, {}

    def get(self, make):
        key = make.func, make.args, tuple(sorted(make.keywords.items()))
        if key not in self.built:
            self.built[key] = self.stack.enter_context(make())
        return self.built[key]


@contextlib.contextmanager
def stage():
    with contextlib.ExitStack() as stack:
        yield Lanes(stack)


def new_stage():
    """Rows that have the same one share their lanes."""
    return partial(stage)


@contextlib.contextmanager
def two_lanes(ours, peer, metric, seconds, lanes):
    """ours, peer: name and how to make the lane."""
    sides = []
    with contextlib.ExitStack() as stack:
        for name, make in ours, peer:
            built = lanes.get(make)
            if metric.one_by_one:
                stack.enter_context(built.one_by_one())
            traffic = built.published if built.ports else built.traffic
            sides.append(Side(name, partial(metric.take, traffic, seconds)))
        yield Sides(*sides)


def plural(number, what):
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class Catalogue:
    def __init__(self, setting):
        self.setting, self.rows = setting, []
        self.seconds = setting.size(SECONDS, 0.1)
        self.many = setting.size((100, 1000), (2, 3))
        self.stage, self.notes = None, dict(NOTES)

    def ours(self, policy, networks=1, **more):
        return plural(networks, "network"), partial(lane.ours, self.setting, policy, networks, **more)

    def add(self, metric, label, ours, peer, goal=None, drawn=None):
        """Of what is measured of the same lanes, one is drawn unless drawn says so."""
        self.rows.append(Row(
            name=f"{metric.name}: {label}", unit=metric.unit, better=metric.better, stage=self.stage,
            prepare=partial(two_lanes, ours, peer, metric, self.seconds),
            goal=goal and Goal(goal, "at least"), note=self.notes.pop(metric, ""),
            drawn=metric is OUT if drawn is None else drawn))

    def beside_bridge(self, policy):
        for metric in OUT, BACK, CUT, TCP, CONNECTIONS, P50, P99:
            self.add(metric, policy, self.ours(policy),
                     ("bridge", partial(lane.bridge, self.setting)),
                     1.0 if metric in (OUT, BACK) else None)
        for metric in OUT, BACK, P50:
            self.add(metric, policy + ", Tailscale's rules", self.ours(policy, tailscale=True),
                     ("bridge", partial(lane.bridge, self.setting, tailscale=True)))

    def kernels_part(self, policy):
        """What would be left if we asked for nothing but the way."""
        least = "turned" if policy == "killswitch" else "plain"
        for metric in OUT, BACK, P50:
            self.add(metric, f"{policy}, the kernel's part", self.ours(policy),
                     ("the least by hand", partial(lane.scripted, self.setting, least)), drawn=False)

    def beside_as_many(self, policy):
        """Of either; those of bridge are made by Docker itself, one by one."""
        number = self.many[0]
        for metric in OUT, BACK, CONNECTIONS, P50:
            self.add(metric, f"{policy}, {number:,} networks, bridge", self.ours(policy, number),
                     (f"bridge, {number:,} networks", partial(lane.bridge, self.setting, number)))

    def beside_one(self, policy):
        for number in self.many:
            for metric in OUT, BACK, CONNECTIONS, P50:
                self.add(metric, f"{policy}, {number:,} networks", self.ours(policy, number),
                         self.ours(policy),
                         0.95 if metric in (OUT, BACK) else None)

    def beside_script(self, policy):
        for number in (1, *self.many):
            for metric in OUT, BACK, CONNECTIONS, P50:
                self.add(metric, f"{policy}, {plural(number, 'network')}, script",
                         self.ours(policy, number),
                         ("script", partial(lane.scripted, self.setting, policy, number)))

    def through_wireguard(self):
        for metric in TCP, P50:
            self.add(metric, "killswitch, WireGuard", self.ours("killswitch", link=lane.TUNNEL),
                     ("script", partial(lane.scripted, self.setting, "killswitch", link=lane.TUNNEL)))

    def published(self):
        # With 1,000 of them a container of bridge was not up after two minutes.
        for number in (1, self.many[0]):
            self.add(CONNECTIONS, f"{plural(number, 'published port')}", self.ours("open", ports=number),
                     ("bridge", partial(lane.bridge, self.setting, ports=number)), drawn=True)
        for number in self.many:
            self.add(CONNECTIONS, f"{number:,} published ports, one", self.ours("open", ports=number),
                     ("1 port", self.ours("open", ports=1)[1]), drawn=True)


def rows(setting):
    catalogue = Catalogue(setting)
    for policy in "open", "bypass", "killswitch":
        catalogue.stage = new_stage()
        catalogue.beside_bridge(policy)
        catalogue.kernels_part(policy)
        if policy != "bypass":
            catalogue.beside_as_many(policy)
        catalogue.beside_one(policy)
        if policy != "open":
            catalogue.beside_script(policy)
    catalogue.stage = new_stage()
    catalogue.through_wireguard()
    catalogue.stage = new_stage()
    catalogue.published()
    return catalogue.rows
