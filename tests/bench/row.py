# SPDX-License-Identifier: GPL-2.0-or-later
"""One row of the benchmark: what is measured, on which sides, against which goal; and how it is measured.

A module of rows has one function, `rows(setting)`, which returns a list of Row. Rows that follow each other
and have the same stage share one: it is built for the first of them and taken down after the last.
"""

import contextlib
import statistics
from dataclasses import dataclass, field
from typing import Any, Callable, ContextManager, Optional


@dataclass(frozen=True)
class Side:
    """measure() does the thing once and returns what it took, in the row's unit."""
    name: str
    measure: Callable[[], float]


@dataclass(frozen=True)
class Sides:
    """peer: whom we are compared with; without one the goal is a number in the row's unit.
    base: what both contain and is taken off both: `docker run` without any network, say.
    detail(): lines of text about what was measured, asked for when it has been."""
    ours: Side
    peer: Optional[Side] = None
    base: Optional[Side] = None
    detail: Optional[Callable[[], list]] = None

    def __iter__(self):
        return iter([side for side in (self.base, self.peer, self.ours) if side])


@dataclass(frozen=True)
class Goal:
    """sense: "at most" or "at least"; number: of the ratio ours/peer, or in the row's unit."""
    number: float
    sense: str = "at most"

    def met(self, number):
        return number <= self.number if self.sense == "at most" else number >= self.number


def no_stage():
    return contextlib.nullcontext()


@dataclass(frozen=True)
class Row:
    """stage(): a context manager, whose value is handed to prepare.
    prepare(stage): a context manager, whose value is the Sides; what only this row needs is built there.
    better: "less" or "more".
    drawn: in the picture. Not if the peer is the whole of which ours is a part, or the other way round: that
    ratio is no merit; nor if another row shows nearly the same.
    note: what a reader has to know of the way it was measured."""
    name: str
    unit: str
    better: str
    prepare: Callable[[Any], ContextManager[Sides]]
    stage: Callable[[], ContextManager] = no_stage
    goal: Optional[Goal] = None
    rounds: int = 7
    note: str = ""
    drawn: bool = True


@dataclass
class Samples:
    """Of one side. A base has been taken off already, round by round; raw still has it."""
    name: str
    raw: list = field(default_factory=list)
    net: list = field(default_factory=list)

    @property
    def median(self):
        return statistics.median(self.net)

    @property
    def quartiles(self):
        """Half of the samples lie between them."""
        if len(self.net) < 2:
            return self.net[0], self.net[0]
        low, _, high = statistics.quantiles(self.net, n=4, method="inclusive")
        return low, high


@dataclass
class Result:
    row: Row
    ours: Samples
    peer: Optional[Samples] = None
    base: Optional[Samples] = None
    detail: list = field(default_factory=list)

    @property
    def ratio(self):
        """None: there is nobody to compare with, or what the peer took was lost in the noise of the base."""
        return self.ours.median / self.peer.median if self.peer and self.peer.median > 0 else None

    @property
    def judged(self):
        """What the goal is about."""
        return self.ratio if self.peer else self.ours.median

    @property
    def met(self):
        """None: there is no goal, or nothing to say."""
        if not self.row.goal or self.judged is None:
            return None
        return self.row.goal.met(self.judged)


def collect(sides, rounds):
    """Base, peer, ours, base, peer, ours: what the machine does meanwhile hits all alike. The first round
    warms up and is thrown away."""
    samples = {side: Samples(side.name) for side in sides}
    for number in range(rounds + 1):
        taken = {side: side.measure() for side in sides}
        if number == 0:
            continue
        for side, value in taken.items():
            samples[side].raw.append(value)
            samples[side].net.append(value - (taken[sides.base] if sides.base else 0))
    return samples


def play(row, stage, rounds):
    with row.prepare(stage) as sides:
        samples = collect(sides, rounds)
        detail = sides.detail() if sides.detail else []
    return Result(row, samples[sides.ours], samples.get(sides.peer), samples.get(sides.base), detail)
