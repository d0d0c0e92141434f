# SPDX-License-Identifier: GPL-2.0-or-later
"""One row of the suite: a fault, or several, under traffic, and what was seen on the wires."""

import contextlib
import re
import time
from dataclasses import dataclass, field

from lab import proc
from lab.shout import shout

from .traffic import Traffic
from .wires import Wires, of

# What the daemon says of a repair.
REPAIRED = re.compile(r"put back what was changed.*, (\d+) ms after the first sign of it")


@dataclass
class Row:
    engine: str
    faults: tuple
    rounds: dict = field(default_factory=dict)
    uplink: dict = field(default_factory=dict)
    exit: dict = field(default_factory=dict)
    refusals: int = 0
    repaired_ms: list = field(default_factory=list)
    settled_ms: float = 0
    wrong: list = field(default_factory=list)
    remark: str = ""

    @property
    def name(self):
        return " + ".join(fault.name for fault in self.faults)


def control(stage):
    """What everybody is about to send is seen on the ISP's wire when a network that may sends it."""
    free = stage.control
    shots = free.shots()
    with Wires(stage.world, [free]) as wires:
        def seen():
            shout(free.box.netns, shots, seconds=0.05)
            return {(kind, family) for _, kind, family in list(wires.uplink)} >= {
                (kind, family) for family in (4, 6)
                for kind in ("tcp", "udp", "quic", "dns", "ping", "large")}

        proc.wait_for(seen, "packet of every kind of the positive control", timeout=10)
    assert not of(wires.exit, free.name), "the control went by the exit"


def strike(stage, row, fault, last):
    """last: nothing follows that would keep the daemon from repairing."""
    before, mark = stage.repairs() if fault.repaired else 0, len(stage.host.tailexit.log())
    fault.do(stage)
    if not (fault.repaired and last and stage.host.tailexit.running):
        time.sleep(fault.seconds)
        return
    proc.wait_for(lambda: stage.is_right() and stage.repairs() > before, "repair", 20)
    row.repaired_ms += map(int, REPAIRED.findall(stage.host.tailexit.log()[mark:]))


def play(stage, faults, pause=0.0):
    row = Row(stage.engine, tuple(faults))
    control(stage)
    judged = stage.subjects[1:]
    with Wires(stage.world, stage.subjects) as wires, Traffic(judged) as traffic:
        # Everything works, and is seen where it should be, before anything happens.
        proc.wait_for(lambda: all(count > 1 for count in traffic.rounds.values()), "traffic")
        try:
            for number, fault in enumerate(faults):
                strike(stage, row, fault, number == len(faults) - 1)
                time.sleep(pause)
            for fault in reversed(faults):
                fault.undo(stage)
            row.settled_ms = 1000 * stage.settle()
        except (TimeoutError, proc.Failed, RuntimeError) as error:
            row.wrong.append(str(error))
    row.rounds = traffic.rounds
    row.uplink, row.exit, row.refusals = wires.uplink, wires.exit, len(wires.refusals)
    row.wrong += verdict(judged, wires)
    if row.refusals and not any(fault.unguarded for fault in faults):
        row.wrong.append(f"{row.refusals} refusals of the host's own left by the uplink")
    return row


def verdict(judged, wires):
    wrong = [f"{packet} left by the uplink" for packet in wires.strays[:5]]
    for subject in judged:
        by_uplink, by_exit = of(wires.uplink, subject.name), of(wires.exit, subject.name)
        if subject.confined and by_uplink:
            wrong.append(f"{by_uplink} packets of {subject.name} left by the uplink")
        if not subject.confined and not by_uplink:
            wrong.append(f"nothing of {subject.name} was seen")
        if subject.way != "exit" and by_exit:
            wrong.append(f"{by_exit} packets of {subject.name} left by the exit")
        if subject.way == "exit" and not by_exit:
            wrong.append(f"nothing of {subject.name} was seen at the exit")
    return wrong


def mend(stage):
    """After a row that went wrong: whatever can be put right, so that the next one says something."""
    with contextlib.suppress(TimeoutError):
        stage.settle(timeout=10)
        return True
    return False
