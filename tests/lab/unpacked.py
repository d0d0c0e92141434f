# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of Debian packages that are not installed: they would start a service of the machine's, or tell
its kernel how to run other programs."""

import fcntl
import os
import tempfile

from . import proc
from .rundir import CACHE

FETCH = """cd "$0"
get() { apt-get download -qq "$1"; }
get "$1" || { apt-get update -qq; get "$1"; }
dpkg-deb -x "$1"_*.deb .
mv "usr/bin/$2" "$3" """


def program(package, name):
    """The path of usr/bin/NAME of the package."""
    path = os.path.join(CACHE, name)
    os.makedirs(CACHE, exist_ok=True)
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                proc.run(["sh", "-ec", FETCH, folder, package, name, path], timeout=300)
    return path
