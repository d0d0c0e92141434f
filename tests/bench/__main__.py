# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m bench [--only TEXT] [--quick] [--engine E] [--json FILE] [--svg FILE]: measures, and prints the
table."""

import argparse
import importlib
import itertools
import json
import os
import sys
import time
import traceback

from lab import roots, sweep
from lab.tailexitd import BINARY

from . import chart, report
from .row import play
from .setting import Setting

# of_NAME.py, if it is there. Last what leaves thousands of links to the kernel, which goes on removing them
# for a while.
MODULES = "control_path", "recovery", "footprint", "data_path", "scale"


def arguments():
    parser = argparse.ArgumentParser(prog="bench", description="tailexit's benchmark")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    parser.add_argument("--quick", action="store_true",
                        help="small and once: to see that it works; the numbers mean nothing")
    parser.add_argument("--engine", choices=roots.ENGINES, default="sid")
    parser.add_argument("--json", metavar="FILE", help="every sample, and where it was taken")
    parser.add_argument("--svg", metavar="FILE", help="a chart of the ratios")
    parser.add_argument("--list", action="store_true", help="the names of the rows")
    return parser.parse_args()


def is_sanitized():
    with open(BINARY, "rb") as file:
        return b"__asan_init" in file.read()


def modules():
    here = os.path.dirname(os.path.abspath(__file__))
    return [importlib.import_module("bench.of_" + name) for name in MODULES
            if os.path.exists(os.path.join(here, f"of_{name}.py"))]


def catalogue(setting, only):
    return [row for module in modules() for row in module.rows(setting) if only in row.name]


def attempt(row, stage, setting):
    """None: it could not be measured, and the others go on."""
    try:
        return play(row, stage, setting.rounds(row))
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        return None


def measure(rows, setting):
    """Yields each row with its result."""
    for stage, group in itertools.groupby(rows, key=lambda row: row.stage):
        group = list(group)
        left = group.copy()
        try:
            with stage() as built:
                while left:
                    row = left.pop(0)
                    yield row, attempt(row, built, setting)
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            for row in left:
                yield row, None


def save(options, where, results, failed):
    """After every row: who ends it early has what there is."""
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report.as_json(where, results, failed), file, indent=1)
    if options.svg:
        with open(options.svg, "w", encoding="utf-8") as file:
            file.write(chart.draw(results, where))


def main():
    options = arguments()
    setting = Setting(options.engine, options.quick)
    rows = catalogue(setting, options.only)
    if options.list:
        print("\n".join(row.name for row in rows))
        return 0
    if is_sanitized():
        sys.exit(f"bench: {BINARY} was built with a sanitizer, which makes it slow; unset TAILEXIT")
    sweep()
    began = time.monotonic()
    results, failed = [], []
    where = report.surroundings(setting)
    report.print_head(where)
    for row, result in measure(rows, setting):
        if result:
            results.append(result)
            report.print_row(result)
        else:
            failed.append(row.name)
        save(options, where, results, failed)
    report.print_foot(results, failed, time.monotonic() - began)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
