# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that were just installed: a minimal Debian with make and apt, nothing else."""

import fcntl
import glob
import os
import shutil

from lab import proc, roots
from lab.host import CLEAN
from lab.rundir import CACHE
from lab.tailexitd import REPOSITORY

import mirror

INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "init.sh")
SYSTEMD = "systemd-sysv", "dbus", "adduser"
# None of them is missed by what is tested, and some concern the real machine.
WITHHELD = ("-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog,-mac_admin,-mac_override,"
            "-audit_control")
GROUPS = "/sys/fs/cgroup"
SOURCES = "/srv/tailexit"


def root(suite, systemd):
    """The path of a root; built if it is not there yet. Raises roots.Unavailable."""
    packages = ["make", *(SYSTEMD if systemd else ())]
    path = os.path.join(CACHE, "roots", "-".join(["fresh", suite, *packages]))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            shutil.rmtree(path + ".unfinished", ignore_errors=True)
            result = proc.run(
                ["mmdebstrap", "--variant=minbase", "--mode=root", "--components=main",
                 "--include=" + ",".join(packages),
                 '--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=force-unsafe-io",
                 f'--customize-hook=echo "deb {mirror.URL} {suite} main" '
                 '> "$1"/etc/apt/sources.list',
                 '--customize-hook=echo 127.0.0.1 localhost > "$1"/etc/hosts',
                 suite, path + ".unfinished", roots.mirror()],
                timeout=900, check=False)
            if result.returncode != 0:
                raise roots.Unavailable(f"mmdebstrap {suite} failed")
            os.rename(path + ".unfinished", path)
    return path


def sources():
    """The files of the repository as they are now, without what was built."""
    listing = proc.run(["git", "-c", "safe.directory=*", "-C", REPOSITORY, "ls-files", "-z",
                        "--cached", "--others", "--exclude-standard"]).stdout
    return [name for name in listing.split("\0")
            if name and os.path.exists(os.path.join(REPOSITORY, name))]


class Fresh:
    """A machine. The mirror is on its loopback, the sources are in /root/tailexit."""

    def __init__(self, world, suite, systemd=False):
        self.world = world
        self.suite = suite
        self.root = root(suite, systemd)
        self.systemd = systemd
        self.netns = world.host
        self.init = self.mirror = None
        os.makedirs(self.path())

    def path(self, *names):
        return self.world.path("host", *names)

    def _copy_sources(self):
        for name in sources():
            target = self.path("upper" + SOURCES, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(REPOSITORY, name), target)

    def _control_groups(self):
        """One in each hierarchy; what is below them is all that the machine sees."""
        hierarchies = [path for path in [GROUPS, *glob.glob(GROUPS + "/*/")]
                       if os.path.exists(os.path.join(path, "cgroup.procs"))]
        for hierarchy in hierarchies[:1] if hierarchies[0] == GROUPS else hierarchies:
            group = os.path.join(hierarchy, self.world.prefix)
            os.makedirs(group, exist_ok=True)
            # A new group of cpuset has no processors until it is told.
            for name in "cpuset.cpus", "cpuset.mems":
                if os.path.exists(os.path.join(hierarchy, name)):
                    shutil.copyfile(os.path.join(hierarchy, name), os.path.join(group, name))
            yield os.path.join(group, "cgroup.procs")

    def _confined(self):
        """To be put in front of a command that is to be in our control groups."""
        return ["sh", "-c", f'for group in {" ".join(self.groups)}; do echo $$ > $group; done; '
                'exec "$@"', "sh"]

    def up(self):
        self._copy_sources()
        self.world.create_host()
        self.mirror = mirror.Mirror(self.netns)
        self.groups = list(self._control_groups())
        unshare = self.netns.spawn(
            self.path("init.log"), *self._confined(),
            "setpriv", "--bounding-set=" + WITHHELD, "--inh-caps=-all",
            "unshare", "--mount", "--pid", "--cgroup", "--uts", "--ipc", "--fork",
            "--propagation", "private", INIT, self.root, self.path())

        def ready():
            assert unshare.poll() is None, self.log("init.log")
            self.init = proc.child_of(unshare.pid)
            return self.init and os.path.exists(f"/proc/{self.init}/root/run/fresh")

        proc.wait_for(ready, "the machine")
        if self.systemd:
            proc.wait_for(lambda: self.run("systemctl", "is-system-running", check=False).stdout
                          in ("running\n", "degraded\n"), "systemd", timeout=30)
        return self

    def down(self):
        if self.mirror:
            self.mirror.close()

    def reboot(self):
        """As after a power cut: what is left is on the disk."""
        self.down()
        self.world.delete_host()
        self.world.lan.ip("neigh", "flush", "all")  # its network card has another address then
        self.up()

    def read(self, path):
        return self.run("cat", path).stdout

    def log(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def run(self, *argv, **options):
        """A command inside, as root."""
        via = [*self._confined(), "nsenter", "-t", str(self.init), "-m", "-n", "-p", "-C", "-u",
               "-i", "-r", "-w", "--", "setpriv", "--bounding-set=" + WITHHELD, *CLEAN]
        return proc.run(argv, via=via, **options)

    def make(self, *argv, **options):
        """make, in the sources; returns what it wrote."""
        options.setdefault("timeout", 900)
        return self.run("make", "-C", SOURCES, "--no-print-directory", *argv, **options).stdout
