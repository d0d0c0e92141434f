# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m bench.instructions [--write]: how many instructions the hot calls take, without the kernel's.
Unlike times they hardly vary, so that growth is seen on any machine. Fails when one has grown by more than a
tenth against instructions.txt; --write writes that file anew: say why in the commit."""

import glob
import os
import platform
import re
import shutil
import statistics
import sys

from lab import World, proc, sweep
from lab.tailexitd import REPOSITORY

from .fleet import Fleet, attach_request, endpoint_request, network_request

BASELINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")
BINARY = os.path.join(REPOSITORY, "build", "tailexit")
ALLOWED = 1.10
ROUNDS = 3
SIZES = 1, 100
# All of a call but HTTP. One whose last act is to call another one would not do: that is a jump.
FUNCTION = "handle_call"
TOTAL = re.compile(r"^totals: (\d+)", re.M)


class Counted(Fleet):
    """A daemon under callgrind."""

    def begin(self):
        # Counted while it runs; written, and begun anew, when it returns.
        self.process = self.netns.spawn(
            self.path("log"), "valgrind", "--tool=callgrind", "--toggle-collect=" + FUNCTION,
            "--dump-after=" + FUNCTION, "--callgrind-out-file=" + self.path("calls"), BINARY,
            *self.arguments())

    def count(self, method, request):
        before = set(glob.glob(self.path("calls.*")))
        self.good(method, request)
        new = set(glob.glob(self.path("calls.*"))) - before
        assert len(new) == 1, f"{method}: {len(new)} dumps"
        with open(new.pop(), encoding="utf-8") as file:
            return int(TOTAL.search(file.read())[1])

    def round(self):
        """Of every method, with what is there."""
        network, own = network_request(0), attach_request(1, 200)
        yield "CreateNetwork", self.count("CreateNetwork", network)
        yield "DeleteNetwork", self.count("DeleteNetwork", {"NetworkID": network["NetworkID"]})
        yield "CreateEndpoint", self.count("CreateEndpoint", endpoint_request(1, 200))
        for method in "Join", "Leave", "DeleteEndpoint":
            yield method, self.count(method, own)


def measure():
    counts = {}
    with World() as world:
        daemon = Counted(world)
        there = 0
        for size in SIZES:
            for network in range(there + 1, size + 1):
                daemon.good("CreateNetwork", network_request(network))
            there = size
            for _ in range(ROUNDS):
                for method, count in daemon.round():
                    counts.setdefault(f"{method}, beside {size}", []).append(count)
    return {name: int(statistics.median(values)) for name, values in counts.items()}


def where():
    """What the numbers depend on besides our sources."""
    compiler = proc.run(["cc", "--version"]).stdout.splitlines()[0]
    return f"{platform.machine()}; {compiler}; {' '.join(platform.libc_ver())}"


def read():
    with open(BASELINE, encoding="utf-8") as file:
        lines = [line for line in file.read().splitlines() if line and not line.startswith("#")]
    return lines[0], {name: int(count) for name, count in (line.rsplit(": ", 1) for line in lines[1:])}


def write(counts):
    with open(BASELINE, "w", encoding="utf-8") as file:
        file.write("# Instructions of one call: python3 -m bench.instructions --write. Where and with what:\n"
                   + where() + "\n" + "".join(f"{name}: {count}\n" for name, count in counts.items()))


def compare(known, counts):
    """Prints a line for each; how many are right, and how many have grown."""
    good = bad = 0
    for name, count in counts.items():
        before = known.get(name)
        grown = before is None or count > before * ALLOWED
        change = f"{100 * count / before - 100:+.1f} %" if before else "not in instructions.txt"
        print(f"{'GROWN' if grown else 'ok':6}{name:32}{count:>12,}  {change}", flush=True)
        good, bad = good + (not grown), bad + grown
    return good, bad


def main():
    missing = "valgrind is not installed" if not shutil.which("valgrind") else None
    if "--write" not in sys.argv and not missing and read()[0] != where():
        missing = f"instructions.txt is of {read()[0]}, this is {where()}"
    if missing:
        print(f"skipped: instruction counts: {missing}\n0 passed, 0 failed, 1 skipped")
        return 0
    sweep()
    counts = measure()
    if "--write" in sys.argv:
        write(counts)
    good, bad = compare(read()[1], counts)
    print(f"{good} passed, {bad} failed, 0 skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
