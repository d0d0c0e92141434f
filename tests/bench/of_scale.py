# SPDX-License-Identifier: GPL-2.0-or-later
"""Ourselves at another size: what the 1,000th network costs against the 1st, and what so many do to a start
and to a repair. The daemon is asked by its socket, with the requests that dockerd sends."""

import contextlib
import functools
from dataclasses import dataclass

from .fleet import Fleet, fleet
from .floor import Floor, floor
from .row import Goal, Row, Side, Sides

ENDPOINTS_EACH = 2
CROWD_EACH = 5


@dataclass(frozen=True)
class Sizes:
    hundred: int
    thousand: int


class Fleets:
    """The same daemon with no network, with one, with a hundred, and with a thousand and two thousand
    containers."""

    def __init__(self, stack, sizes):
        self.sizes = sizes
        self.idle, self.one, self.hundred, self.thousand = (
            stack.enter_context(fleet(networks, each)) for networks, each in (
                (0, 0), (1, ENDPOINTS_EACH), (sizes.hundred, ENDPOINTS_EACH),
                (sizes.thousand, ENDPOINTS_EACH)))


@contextlib.contextmanager
def fleets(sizes):
    with contextlib.ExitStack() as stack:
        yield Fleets(stack, sizes)


def against_one(which, name, measure):
    @contextlib.contextmanager
    def prepare(stage):
        ours = getattr(stage, which)
        yield Sides(Side(name, functools.partial(measure, ours)),
                    Side("beside 1", functools.partial(measure, stage.one)))
    return prepare


def alone(which, name, measure):
    @contextlib.contextmanager
    def prepare(stage):
        yield Sides(Side(name, functools.partial(measure, getattr(stage, which))))
    return prepare


def made(a_fleet: Fleet):
    return a_fleet.one_more_network()[0]


def removed(a_fleet: Fleet):
    return a_fleet.one_more_network()[1]


def container(a_fleet: Fleet):
    return a_fleet.one_more_container(1)


def over_floor(which, name, measure, of_floor, networks):
    """Whole and part: what the kernel takes of it."""
    @contextlib.contextmanager
    def prepare(stage):
        with floor(networks) as alone_with_kernel:
            yield Sides(Side(name, functools.partial(of_floor, alone_with_kernel)),
                        Side("tailexit", functools.partial(measure, getattr(stage, which))))
    return prepare


def transaction_of_one_more(a_fleet: Fleet):
    return a_fleet.transaction(a_fleet.one_more_network) / 1000


def transaction_of_rebuild(a_fleet: Fleet):
    return a_fleet.transaction(a_fleet.flush_ruleset) / 1000


def talkative(which, name, measure, peer=True):
    """What the daemon says of its transactions, it says at log level debug."""
    @contextlib.contextmanager
    def prepare(stage):
        asked = [getattr(stage, which)] + [stage.one] * peer
        for each in asked:
            each.options = ["--log-level", "debug"]
            each.restart()
        yield Sides(*(Side(text, functools.partial(measure, each))
                      for text, each in zip((name, "beside 1"), asked)))
        for each in asked:
            each.options = []
            each.restart()
    return prepare


def crowded(sizes, name, measure):
    """The last rows: from two to five containers on each of the networks."""
    @contextlib.contextmanager
    def prepare(stage):
        stage.thousand.crowd(sizes.thousand, ENDPOINTS_EACH, CROWD_EACH)
        yield Sides(Side(name, functools.partial(measure, stage.thousand)),
                    Side("beside 2", functools.partial(measure, stage.one)))
    return prepare


def rows(setting):
    sizes = Sizes(setting.size(100, 3), setting.size(1000, 6))
    # One function for all rows: they share what it builds.
    stage = functools.partial(fleets, sizes)
    many, more = f"{sizes.thousand:,}", f"{sizes.thousand * ENDPOINTS_EACH:,}"
    most = f"{sizes.thousand * CROWD_EACH:,}"

    def row(name, unit, prepare, goal=None, rounds=15, note="", drawn=True):
        return Row(name, unit, "less", prepare, stage, goal, rounds, note, drawn)

    def kernels_part(name, measure, of_floor):
        return row(f"{name}, beside {many}: the kernel's part", "ms",
                   over_floor("thousand", "the same netlink requests and nothing else", measure, of_floor,
                              sizes.thousand), drawn=False)

    return [
        row("memory without networks", "MB", alone("idle", "RSS", Fleet.rss), Goal(6), 3),
        row(f"memory with {many} networks and {more} containers", "MB",
            alone("thousand", "RSS", Fleet.rss), Goal(16), 3),
        row(f"CreateNetwork, beside {sizes.hundred}", "ms",
            against_one("hundred", f"beside {sizes.hundred}", made)),
        row(f"CreateNetwork, beside {many}", "ms", against_one("thousand", f"beside {many}", made), Goal(1.3),
            note="not the very first one of all, which costs more: it makes the tables"),
        row(f"DeleteNetwork, beside {many}", "ms", against_one("thousand", f"beside {many}", removed)),
        row(f"all calls for a container, beside {many} networks", "ms",
            against_one("thousand", f"beside {many}", container),
            note="CreateEndpoint, Join, Leave, DeleteEndpoint"),
        kernels_part("CreateNetwork", made, Floor.made),
        kernels_part("DeleteNetwork", removed, Floor.removed),
        kernels_part("all calls for a container", container, Floor.container),
        row(f"start, {many} networks and {more} containers there", "ms",
            alone("thousand", "kill to answer", Fleet.restart), Goal(1000), 5),
        kernels_part("start", Fleet.restart, Floor.looked),
        row(f"memory after that, {many} networks", "MB", alone("thousand", "RSS", Fleet.rss), Goal(16), 3),
        row(f"nft flush ruleset to all back, {many} networks", "ms",
            alone("thousand", "repair", Fleet.rebuild), rounds=3),
        row(f"nftables transaction of one more, beside {many}", "kB",
            talkative("thousand", f"beside {many}", transaction_of_one_more), rounds=1),
        row(f"nftables transaction of all, {many} networks", "kB",
            talkative("thousand", "rebuild", transaction_of_rebuild, peer=False), rounds=1),
        row(f"all calls for a container, beside {most}", "ms",
            crowded(sizes, f"beside {most}", container)),
        row(f"memory with {most} containers", "MB", alone("thousand", "RSS", Fleet.rss), rounds=1),
    ]
