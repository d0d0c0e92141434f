# SPDX-License-Identifier: GPL-2.0-or-later
"""The table that comes of it."""

import datetime
import os

from lab import proc
from lab.roots import ENGINES
from lab.tailexitd import BINARY

from .wires import KINDS

HEAD = f"{'policy':12}{'rounds':>7}" + "".join(f"{kind:>10}" for kind in KINDS) + f"{'by the exit':>13}"


def cell(counter, name, kind):
    """IPv4/IPv6."""
    return f"{counter.get((name, kind, 4), 0)}/{counter.get((name, kind, 6), 0)}"


def print_row(row, subjects, everything):
    """everything: also the counts of a row in which all is as it should be."""
    leaks = " ".join(sorted({number for fault in row.faults for number in fault.leaks.split()}, key=int))
    repaired = f"; repaired after {max(row.repaired_ms)} ms" if row.repaired_ms else ""
    left = sum(count for (name, _, _), count in row.uplink.items()
               if next(subject for subject in subjects if subject.name == name).confined)
    print(f"{'NOT ' if row.wrong else ''}ok  Docker {ENGINES[row.engine]}  {row.name} [{leaks}]: "
          f"{left} packets left by the uplink, 0 expected{repaired}; "
          f"all as before {row.settled_ms:.0f} ms later"
          + (f"; {row.refusals} refusals of the host's own" if row.refusals else ""), flush=True)
    for line in row.wrong:
        print("      " + line, flush=True)
    if row.remark:
        print("      " + row.remark, flush=True)
    if not (everything or row.wrong):
        return
    print("      " + HEAD)
    for subject in subjects[1:]:
        print("      " + f"{subject.name:12}{row.rounds.get(subject.name, 0):7}"
              + "".join(f"{cell(row.uplink, subject.name, kind):>10}" for kind in KINDS)
              + f"{sum(count for (name, _, _), count in row.exit.items() if name == subject.name):13}",
              flush=True)


def print_head(seeds):
    version = proc.run([BINARY, "--version"]).stdout.strip()
    machine = f"Linux {os.uname().release}, {os.cpu_count()} processors"
    print(f"""{version}, {machine}, {datetime.date.today()}, seed {seeds}

Each row: a fault, while containers on five networks send packets of every kind. For each policy: how often
everything was sent, and how many packets left by the uplink, IPv4/IPv6, of new flows by their kind, and of
flows that had begun before. Numbers in brackets: kinds of leaks, see tests/leak/README.md.
""", flush=True)
