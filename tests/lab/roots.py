# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian roots that carry the Docker engines, bootstrapped once and then shared, read-only.

The mirror is the one of this machine's own apt sources; it is not kept in the root.
"""

import fcntl
import glob
import os
import re
import shutil
import zlib

from . import proc
from .rundir import CACHE

ENGINES = {"bookworm": "20.10", "trixie": "26.1", "sid": "28.5"}
# The engine that every machine must be able to fetch; without one of the others, its tests are
# skipped by name.
MANDATORY = "bookworm"

PACKAGES = """docker.io docker-compose containerd runc iptables nftables iproute2 busybox-static
    ca-certificates procps kmod""".split()
# Where the docker command is a package of its own.
MORE_PACKAGES = {"trixie": ["docker-cli"], "sid": ["docker-cli"]}


def packages(suite):
    return PACKAGES + MORE_PACKAGES.get(suite, [])


class Unavailable(Exception):
    """The root of an engine cannot be had here."""


def _sources():
    """The machine's apt sources, as pairs (address, components)."""
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        with open(path, encoding="utf-8") as file:
            for stanza in file.read().split("\n\n"):
                fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.M))
                for address in fields.get("URIs", "").split():
                    yield address, fields.get("Components", "")
    for path in glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*.list"):
        with open(path, encoding="utf-8") as file:
            yield from re.findall(r"^deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+\S+\s+(.*)$", file.read(), re.M)


def mirror():
    """The first that is Debian's own archive: has main, and is not the one for security."""
    for address, components in _sources():
        if "main" in components.split() and "debian" in address and "security" not in address:
            return address
    raise Unavailable("no Debian archive in this machine's apt sources")


def _remove(path):
    """What a killed build left, and not what is mounted in it: /proc, maybe /dev and /sys."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        below = [point for point in (line.split()[1] for line in file) if point.startswith(path + "/")]
    for point in reversed(below):
        proc.run(["umount", point])
    shutil.rmtree(path, ignore_errors=True)


def _bootstrap(suite, names, target):
    result = proc.run(
        [
            "mmdebstrap", "--variant=minbase", "--mode=root", "--components=main",
            "--include=" + ",".join(names),
            '--aptopt=APT::Install-Recommends "false"',
            '--aptopt=Acquire::Languages "none"',
            # A mirror may be a snapshot whose Release file is past its date.
            '--aptopt=Acquire::Check-Valid-Until "false"',
            "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            '--customize-hook=rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*',
            suite, target, mirror(),
        ],
        timeout=1800, check=False,
    )
    if result.returncode != 0:
        _remove(target)
        why = re.findall(r"^E: .*", result.stderr, re.M) or ["no message"]
        raise Unavailable(f"mmdebstrap {suite}: " + re.sub(r"https?://\S+", "MIRROR", why[0]))


def root(suite, more=()):
    """The path of an engine's root, and of one with more packages; builds it if it is not there yet, with
    these packages."""
    names = [*packages(suite), *more]
    path = os.path.join(CACHE, "roots", f"{suite}-{zlib.crc32(' '.join(names).encode()):08x}")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # One builder at a time; whoever waited finds the finished root.
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            unfinished = path + ".unfinished"
            _remove(unfinished)
            _bootstrap(suite, names, unfinished)
            os.rename(unfinished, path)
    if not os.path.exists(path + "/usr/sbin/dockerd"):
        raise Unavailable(f"{path} has no dockerd; remove it, and it is built again")
    return path
