# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian roots that carry the Docker engines, bootstrapped once and then shared, read-only.

The mirror is the one of this machine's own apt sources; it is not kept in the root.
"""

import contextlib
import fcntl
import os
import re
import shutil

from . import proc
from .rundir import CACHE

ENGINES = {"bookworm": "20.10", "trixie": "26.1", "sid": "28.5"}
# The engine that every machine must be able to fetch; without one of the others, its tests are
# skipped by name.
MANDATORY = "bookworm"

PACKAGES = """docker.io docker-cli docker-compose containerd runc iptables nftables iproute2
    busybox-static ca-certificates procps kmod""".split()
DEBIAN = re.compile(r"\bdebian\b(?!-security)", re.I)


class Unavailable(Exception):
    """The root of an engine cannot be had here."""


def _mirrors():
    """Archive addresses of the machine's apt sources: deb822 files first, then one-line ones."""
    files = ["/etc/apt/sources.list"]
    with contextlib.suppress(FileNotFoundError):
        files += sorted(os.path.join("/etc/apt/sources.list.d", name)
                        for name in os.listdir("/etc/apt/sources.list.d"))
    for path in sorted(files, key=lambda name: not name.endswith(".sources")):
        with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
            for line in file:
                found = re.match(r"URIs:\s*(\S+)", line) or re.match(
                    r"deb\s+(?:\[[^]]*\]\s+)?(\S+)", line)
                if found:
                    yield found[1]


def mirror():
    """The first address that looks like Debian's own archive, and not like its security one."""
    candidates = [uri for uri in _mirrors() if DEBIAN.search(uri)]
    if not candidates:
        raise Unavailable("no Debian archive in this machine's apt sources")
    return candidates[0]


def _bootstrap(suite, target):
    result = proc.run(
        [
            "mmdebstrap", "--variant=minbase", "--mode=root", "--components=main",
            "--include=" + ",".join(PACKAGES),
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
        last = result.stderr.strip().splitlines()[-1:] or ["no message"]
        raise Unavailable(f"mmdebstrap {suite}: " + re.sub(r"https?://\S+", "MIRROR", last[0]))


def root(suite):
    """The path of an engine's root; builds it if it is not there yet."""
    path = os.path.join(CACHE, "roots", suite)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # One builder at a time; whoever waited finds the finished root.
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            unfinished = path + ".unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            _bootstrap(suite, unfinished)
            os.rename(unfinished, path)
    if not os.path.exists(path + "/usr/sbin/dockerd"):
        raise Unavailable(f"{path} has no dockerd; remove it, and it is built again")
    return path
