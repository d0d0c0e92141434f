# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m leak [--long] [--engine E]... [--seed N]... [--only TEXT]: plays the rows, prints the table,
fails when a packet left that may not, or something did not come back."""

import argparse
import multiprocessing
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from lab import roots, sweep

from . import cold_boot, of_container, of_firewall, of_links, of_process, of_routing, of_tunnel, report
from .row import mend, play
from .stage import Stage

# Debian's current release, with a kernel of its own.
ENGINE_OF_MACHINE = "trixie"
CATALOGUE = of_tunnel, of_firewall, of_routing, of_links, of_container, of_process


def arguments():
    parser = argparse.ArgumentParser(prog="leak", description="tailexit's leak suite")
    parser.add_argument("--long", action="store_true",
                        help="every row on every engine, long loops, and the boot of a virtual machine")
    parser.add_argument("--engine", action="append", choices=roots.ENGINES, help="default: all")
    parser.add_argument("--seed", action="append", type=int, help="of the random pairs; several play the "
                        "pairs of each, and everything else once")
    parser.add_argument("--only", default="", help="rows whose name contains this; vm: the "
                        "virtual machine, without --long as well")
    parser.add_argument("--pairs", type=int, help="how many of each seed on each engine")
    parser.add_argument("--jobs", type=int, default=1, help="engines side by side")
    options = parser.parse_args()
    options.seed = options.seed or [random.SystemRandom().randrange(10000)]
    options.engine = options.engine or list(roots.ENGINES)
    if options.pairs is None:
        options.pairs = 15 if options.long else 3
    return options


def groups_of_faults(options):
    """What takes long in the long form is as long in all, however many engines share it."""
    def length(short, long, shared=False):
        engines = len(options.engine) if shared else 1
        return -(-long // engines) if options.long else short

    return [module.faults(length) for module in CATALOGUE]


def random_pair(chance, groups):
    """Two that do not destroy the same thing, nor both keys, and the seconds between them."""
    mild = [group for group in ([fault for fault in group if not fault.alone] for group in groups) if group]
    while True:
        pair = tuple(chance.choice(group) for group in chance.sample(mild, 2))
        if {fault.takes for fault in pair} != {"filter", "routing"}:
            return pair, chance.choice([0, 0.005, 0.05])


def rows_of(options, number):
    """What is played on one engine: everything, or its share of it, and pairs of its own."""
    groups = groups_of_faults(options)
    faults = [fault for group in groups for fault in group]
    mine = faults if options.long or options.only else faults[number::len(options.engine)]
    rows = [((fault,), 0) for fault in mine]
    for seed in options.seed:
        chance = random.Random(f"{seed} {number}")
        rows += [random_pair(chance, groups) for _ in range(options.pairs)]
    # What ends the host comes last.
    rows.sort(key=lambda row: row[0][0].name.startswith("power cut"))
    return [row for row in rows if options.only in " + ".join(fault.name for fault in row[0])]


def play_rows(engine, rows, long):
    """Returns how many rows went well, and wrong."""
    good = bad = 0
    with Stage(engine) as stage:
        for faults, pause in rows:
            row = play(stage, faults, pause)
            report.print_row(row, stage.subjects, long)
            good, bad = good + (not row.wrong), bad + bool(row.wrong)
            if row.wrong and not mend(stage):
                print("      nothing works after that; the other rows were not played", flush=True)
                break
    return good, bad


def play_engine(options, number):
    """Returns how many rows went well, wrong, and could not be tried."""
    engine = options.engine[number]
    rows = rows_of(options, number)
    try:
        return (*play_rows(engine, rows, options.long), 0) if rows else (0, 0, 0)
    except roots.Unavailable as error:
        if engine == roots.MANDATORY:
            raise
        print(f"skipped: engine {roots.ENGINES[engine]} cannot be had here: {error}", flush=True)
        return 0, 0, len(rows)


def play_engines(options):
    play_one = partial(play_engine, options)
    numbers = range(len(options.engine))
    if options.jobs == 1:
        return list(map(play_one, numbers))
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("fork")) as pool:
        return list(pool.map(play_one, numbers))


def play_cold_boot(options):
    """Once, whatever the engines. Returns how often it went well, wrong, and could not be tried."""
    if not (options.only in cold_boot.TITLE and (options.long or options.only.startswith("vm"))):
        return 0, 0, 0
    try:
        row, subjects = cold_boot.play(ENGINE_OF_MACHINE)
    except roots.Unavailable as error:
        print(f"skipped: {cold_boot.TITLE}: {error}")
        return 0, 0, 1
    report.print_row(row, subjects, True)
    return int(not row.wrong), int(bool(row.wrong)), 0


def main():
    options = arguments()
    seeds = ", ".join(map(str, options.seed))
    sweep()
    began = time.monotonic()
    report.print_head(seeds)
    counts = [*play_engines(options), play_cold_boot(options)]
    good, bad, skipped = map(sum, zip(*counts))
    print(f"\nseed {seeds}, {time.monotonic() - began:.0f} s")
    print(f"{good} passed, {bad} failed, {skipped} skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
