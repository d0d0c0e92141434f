# SPDX-License-Identifier: GPL-2.0-or-later
"""What it takes up: disk, memory, and the processor while nothing happens."""

import contextlib
import functools
import glob
import os
import time

from lab import proc
from lab.tailexitd import BINARY, REPOSITORY

from .docker_host import docker_host
from .row import Row, Side, Sides

ROOTFS = os.path.join(REPOSITORY, "build", "tailexit-plugin", "rootfs")


def megabytes(path):
    return sum(os.lstat(file).st_size for file in glob.glob(path + "/**", recursive=True)
               if os.path.isfile(file) and not os.path.islink(file)) / 1e6


def stripped():
    """Megabytes of the program as it is installed."""
    copy = f"/tmp/tailexit-stripped-{os.getpid()}"
    proc.run(["strip", "-o", copy, BINARY])
    try:
        return os.path.getsize(copy) / 1e6
    finally:
        os.unlink(copy)


class Idle:
    """A host with a network and a container, and the daemon's doings while nobody asks for any."""

    def __init__(self, stage, seconds):
        self.stage, self.seconds = stage, seconds
        self.pid = stage.host.tailexit.pid
        self.wakeups = 0

    def _read(self):
        """Seconds of processor time, and how often it went to sleep by itself."""
        with open(f"/proc/{self.pid}/schedstat", encoding="ascii") as file:
            used = int(file.read().split()[0]) / 1e9
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            slept = next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        return used, slept

    def seconds_per_hour(self):
        used, slept = self._read()
        time.sleep(self.seconds)
        used_now, slept_now = self._read()
        self.wakeups = (slept_now - slept) * 60 / self.seconds
        return (used_now - used) * 3600 / self.seconds

    def wakeups_per_minute(self):
        """In the same time."""
        return self.wakeups

    def rss(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


@contextlib.contextmanager
def idle(engine, seconds):
    with docker_host(engine) as stage, stage.networks("tailexit") as (network,):
        box = stage.create_box(network, command=("sleep", "100000"))
        stage.start_box(box)
        # Whatever a start is followed by is over.
        time.sleep(min(seconds, 15))
        yield Idle(stage, seconds)
        stage.remove_box(box)


def alone(name, measure):
    @contextlib.contextmanager
    def prepare(stage):
        yield Sides(Side(name, functools.partial(measure, stage)))
    return prepare


def of_file(name, measure):
    @contextlib.contextmanager
    def prepare(_):
        yield Sides(Side(name, measure))
    return prepare


def rows(setting):
    seconds = setting.size(60, 2)
    stage = functools.partial(idle, setting.engine, seconds)

    def once(name, unit, prepare, note="", **options):
        return Row(name, unit, "less", prepare, rounds=1, note=note, **options)

    found = [once("program, as it is installed", "MB", of_file("stripped", stripped))]
    if os.path.isdir(ROOTFS):
        found.append(once("managed plugin, unpacked", "MB",
                          of_file("rootfs", functools.partial(megabytes, ROOTFS))))
    return found + [
        once("memory with one network and one container", "MB", alone("RSS", Idle.rss), stage=stage),
        once("processor time while nothing happens", "s/h", alone("tailexit", Idle.seconds_per_hour),
             f"measured over {seconds} s, and multiplied", stage=stage),
        once("wake-ups meanwhile", "/min", alone("tailexit", Idle.wakeups_per_minute), stage=stage),
    ]
