# SPDX-License-Identifier: GPL-2.0-or-later
"""The table, and everything behind it as JSON."""

import datetime
import os

from lab import proc, roots
from lab.tailexitd import BINARY

HEAD = (f"{'':52} {'ours: median':>13} {'quartiles':>17}   {'compared with':28} {'median':>9} "
        f"{'quartiles':>17} {'ratio':>7}  goal")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine


def surroundings(setting):
    """What has to be known of where it was measured."""
    return {
        "version": proc.run([BINARY, "--version"]).stdout.strip(),
        "binary_bytes": os.path.getsize(BINARY),
        "docker": roots.ENGINES[setting.engine],
        "kernel": os.uname().release,
        "processor": processor(),
        "processors": os.cpu_count(),
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "load_before": os.getloadavg()[0],
        "quick": setting.quick,
    }


def number(value):
    """Three digits that mean something."""
    if value is None:
        return "-"
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"


def span(samples):
    low, high = samples.quartiles
    return f"{number(low)}..{number(high)}"


def goal_text(row, peer):
    if not row.goal:
        return ""
    unit = "x" if peer else row.unit
    return f"{row.goal.sense} {row.goal.number:g} {unit}"


def verdict(result):
    return {True: ", met", False: ", MISSED", None: ""}[result.met]


def peer_text(result):
    if not result.peer:
        return result.ours.name
    return result.peer.name + (f", over {result.base.name}" if result.base else "")


def line(result):
    ours, peer, row = result.ours, result.peer, result.row
    left = f"{row.name:52} {number(ours.median) + ' ' + row.unit:>13} {span(ours):>17}"
    if peer:
        middle = f"{peer_text(result):28} {number(peer.median):>9} {span(peer):>17} {number(result.ratio):>7}"
    else:
        middle = f"{ours.name:28} {'':9} {'':17} {'':7}"
    return f"{left}   {middle}  {goal_text(row, peer)}{verdict(result)}".rstrip()


def print_head(where):
    print(f"{where['version']}, Docker {where['docker']}, Linux {where['kernel']}, "
          f"{where['processors']} x {where['processor']}, {where['date']}, load {where['load_before']:.1f}\n"
          "Medians; half of the measurements lie between the quartiles. Of each pair one is measured after\n"
          "the other, in turns. Ratio: ours to theirs."
          + ("\nQUICK: everything is small and done once; the numbers mean nothing."
             if where["quick"] else "") + "\n\n" + HEAD, flush=True)


def print_row(result):
    print(line(result), flush=True)
    for text in [result.row.note] * bool(result.row.note) + result.detail:
        print("    " + text, flush=True)


def print_foot(results, failed, seconds):
    met = sum(result.met is True for result in results)
    missed = [result.row.name for result in results if result.met is False]
    print(f"\n{len(results)} rows in {seconds:.0f} s; goals: {met} met, {len(missed)} missed"
          + "".join(f"\n  missed: {name}" for name in missed)
          + "".join(f"\n  NOT MEASURED: {name}" for name in failed), flush=True)


def as_json(where, results, failed):
    def side(samples):
        return samples and {"name": samples.name, "raw": samples.raw, "net": samples.net,
                            "median": samples.median, "quartiles": samples.quartiles}

    return {
        "where": where,
        "rows": [{
            "name": result.row.name, "unit": result.row.unit, "better": result.row.better,
            "note": result.row.note, "detail": result.detail,
            "goal": result.row.goal and {"sense": result.row.goal.sense, "number": result.row.goal.number,
                                         "of": "ratio" if result.peer else "ours"},
            "ours": side(result.ours), "peer": side(result.peer), "base": side(result.base),
            "ratio": result.ratio, "met": result.met,
        } for result in results],
        "not_measured": failed,
    }
