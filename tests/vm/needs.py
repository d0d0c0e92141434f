# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machine that runs the tests must have before a virtual one can be started on it."""

import os
import platform
import re
import subprocess

from lab import proc
from lab.roots import Unavailable
from lab.tailexitd import REPOSITORY

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "needs.txt")


def _names():
    with open(LIST, encoding="ascii") as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def install_needed():
    """Raises Unavailable when it cannot be had here."""
    if platform.machine() != "x86_64":
        raise Unavailable("the kernel that is tried is the one for amd64")
    try:
        proc.run([os.path.join(REPOSITORY, "contrib", "packages.sh"), "-", *_names()], timeout=1800)
    except proc.Failed as error:
        why = re.findall(r"^E: .*", error.stderr, re.M) or error.stderr.strip().splitlines()[-1:]
        raise Unavailable("".join(why[:1]) or "the packages did not come") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable("the packages did not come in time") from error
