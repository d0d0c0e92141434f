# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the lab keeps things, and how what a killed run left behind is found and removed.

Everything of one world carries its prefix: the directory, the namespaces, the control groups.
Whoever is in such a namespace was started by that world, so no list of processes is needed.
"""

import contextlib
import fcntl
import glob
import os
import secrets
import shutil

from . import proc
from .netns import Named

CACHE = os.environ.get("TAILEXIT_LAB_CACHE", "/var/cache/tailexit-lab")
# Not below /run: there it is often noexec, and what dockerd stores would fill memory.
WORLDS = os.path.join(CACHE, "worlds")


def _self():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return f"{os.getpid()} {proc.start_time(os.getpid())} {file.read().strip()}"


def claim():
    """A new directory of a world, owned by this process. Its name is the world's prefix."""
    os.makedirs(WORLDS, exist_ok=True)
    prefix = "t" + secrets.token_hex(3)
    fresh = os.path.join(WORLDS, "." + prefix)
    os.mkdir(fresh)
    with open(os.path.join(fresh, "owner"), "w", encoding="ascii") as file:
        file.write(_self())
    # The directory appears with its owner in it: a sweep meanwhile never sees it without.
    path = os.path.join(WORLDS, prefix)
    os.rename(fresh, path)
    return path


def _owner_lives(path):
    with open(os.path.join(path, "owner"), encoding="ascii") as file:
        pid, start, boot = file.read().split()
    return boot == _self().split()[2] and str(proc.start_time(pid)) == start


def destroy(path):
    """Removes a world: processes, namespaces, control groups, files."""
    prefix = os.path.basename(path)
    for netns in sorted(glob.glob(f"/run/netns/{prefix}-*")):
        Named(os.path.basename(netns)).delete()
    groups = glob.glob(f"/sys/fs/cgroup/{prefix}") + glob.glob(f"/sys/fs/cgroup/*/{prefix}")
    for group in groups:
        for directory, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):  # gone, or busy for a moment longer
                os.rmdir(directory)
    # Mounts of containers vanish with their mount namespaces a moment after the processes.
    proc.wait_for(lambda: _remove(path), f"removal of {path}")


def _remove(path):
    shutil.rmtree(path, ignore_errors=True)
    return not os.path.exists(path)


def sweep():
    """Removes the worlds whose owner is dead; returns their prefixes."""
    os.makedirs(WORLDS, exist_ok=True)
    # One at a time: several runs begin side by side, each with a sweep.
    with open(os.path.join(WORLDS, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _sweep()


def _sweep():
    swept = []
    for path in glob.glob(os.path.join(WORLDS, "t*")):
        try:
            if _owner_lives(path):
                continue
        except (FileNotFoundError, ValueError):
            pass  # half removed
        destroy(path)
        swept.append(os.path.basename(path))
    return swept
