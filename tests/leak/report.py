# SPDX-License-Identifier: GPL-2.0-or-later
"""The table that comes of it."""

import datetime
import os
from functools import partial

from lab import proc
from lab.roots import ENGINES
from lab.tailexitd import BINARY

from .wires import KINDS

HEAD = f"{'policy':12}{'rounds':>7}" + "".join(f"{kind:>10}" for kind in KINDS) + f"{'by the exit':>13}"


def cell(counter, name, kind):
    """IPv4/IPv6."""
    return f"{counter.get((name, kind, 4), 0)}/{counter.get((name, kind, 6), 0)}"


def counts_of(row, subject):
    name = subject.name
    return (f"{name:12}{row.rounds.get(name, 0):7}"
            + "".join(f"{cell(row.uplink, name, kind):>10}" for kind in KINDS)
            + f"{sum(count for (whose, _, _), count in row.exit.items() if whose == name):13}")


def print_row(row, subjects, everything):
    """everything: also the counts of a row in which all is as it should be."""
    leaks = " ".join(sorted({number for fault in row.faults for number in fault.leaks.split()}, key=int))
    repaired = f"; repaired after {max(row.repaired_ms)} ms" if row.repaired_ms else ""
    left = sum(count for (name, _, _), count in row.uplink.items()
               if next(subject for subject in subjects if subject.name == name).confined)
    lines = [f"{'NOT ' if row.wrong else ''}ok  Docker {ENGINES[row.engine]}  {row.name} [{leaks}]: "
             f"{left} packets left by the uplink, 0 expected{repaired}; "
             f"all as before {row.settled_ms:.0f} ms later"
             + (f"; {row.refusals} refusals of the host's own" if row.refusals else "")]
    lines += ["      " + line for line in row.wrong + [row.remark] if line]
    if everything or row.wrong:
        lines += ["      " + line for line in (HEAD, *map(partial(counts_of, row), subjects[1:]))]
    # In one go: engines may be played side by side.
    print("\n".join(lines) + "\n", end="", flush=True)


def print_head(seeds):
    version = proc.run([BINARY, "--version"]).stdout.strip()
    machine = f"Linux {os.uname().release}, {os.cpu_count()} processors"
    print(f"""{version}, {machine}, {datetime.date.today()}, seed {seeds}

Each row: a fault, while containers on five networks send packets of every kind. For each policy: how often
everything was sent, and how many packets left by the uplink, IPv4/IPv6, of new flows by their kind, and of
flows that had begun before. Numbers in brackets: kinds of leaks, see tests/leak/README.md.
""", flush=True)
