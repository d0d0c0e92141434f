# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of a machine: a Debian with its own kernel and systemd, Docker, the daemon under test with the
units that users get, and what the tests need in it."""

import glob
import json
import os
import re
import shutil

from lab import image, proc, roots, tailexitd
from lab.dockerd import OPTIONS
from lab.world import DNS4, HOST4, HOST6, ROUTER4, ROUTER6

PACKAGES = ["systemd-sysv", "dbus", "udev", "wireguard-tools", "initramfs-tools", "linux-image-cloud-amd64"]
GUEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest")
UNITS = os.path.join(tailexitd.REPOSITORY, "contrib", "systemd")
SYSTEMD = "etc/systemd/system"
# Of no interest here, and slow where every instruction is emulated. What the initramfs has found is enough.
UNWANTED = [
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service", "serial-getty@ttyS0.service",
    "modprobe@.service", "systemd-udev-trigger.service", "systemd-update-utmp.service",
    "systemd-logind.service", "systemd-user-sessions.service", "systemd-random-seed.service",
    "dev-hugepages.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"]
SIZE = "4G"
UPLINK = "eth0"

NETWORK = f"""ip link set {UPLINK} up
ip addr add {HOST4}/24 dev {UPLINK}
ip addr add {HOST6}/64 dev {UPLINK} nodad
ip route add default via {ROUTER4}
ip route add default via {ROUTER6}
"""

# With private mounts, so that nothing is left.
MAKE = """mount -t overlay overlay -o "lowerdir=$1:$2" "$3"
truncate -s "$4" "$5"
mke2fs -q -t ext4 -m 0 -d "$3" "$5"
"""


def root(suite):
    return roots.root(suite, PACKAGES)


def boot_files(suite):
    """Debian's kernel, and the initramfs that Debian's own tools made for it."""
    found = [sorted(glob.glob(os.path.join(root(suite), "boot", name))) for name in
             ("vmlinuz-*", "initrd.img-*")]
    if not all(found):
        raise roots.Unavailable(f"{root(suite)} has no kernel; remove it, and it is built again")
    return [names[-1] for names in found]


def kernel_version(suite):
    return os.path.basename(boot_files(suite)[0]).removeprefix("vmlinuz-")


class _Files:
    """A tree that is laid over the root."""

    def __init__(self, path):
        self.path = path

    def _place(self, name):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, name, content):
        with open(self._place(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def copy(self, source, name):
        shutil.copy(source, self._place(name))

    def link(self, target, name):
        os.symlink(target, self._place(name))

    def unit(self, source):
        """A unit, enabled as its [Install] says."""
        name = os.path.basename(source)
        self.copy(source, f"{SYSTEMD}/{name}")
        with open(source, encoding="utf-8") as file:
            for kind, targets in re.findall(r"^(Wanted|Required)By=(.*)$", file.read(), re.M):
                for target in targets.split():
                    directory = f"{target}.{'wants' if kind == 'Wanted' else 'requires'}"
                    self.link(f"/{SYSTEMD}/{name}", f"{SYSTEMD}/{directory}/{name}")


def _system(files):
    files.write("etc/hostname", "machine\n")
    files.write("etc/hosts", "127.0.0.1 localhost machine\n::1 localhost\n")
    files.write("etc/resolv.conf", f"nameserver {DNS4}\n")
    files.write("etc/fstab", "")  # the kernel is told
    # Without one it is a first boot, at which systemd enables whatever it likes.
    files.write("etc/machine-id", "7461696c65786974" * 2 + "\n")
    # And without these, one after an upgrade.
    for directory in "etc", "var":
        files.write(directory + "/.updated", "")
    files.link("/lib/systemd/system/multi-user.target", f"{SYSTEMD}/default.target")
    for unit in UNWANTED:
        files.link("/dev/null", f"{SYSTEMD}/{unit}")


def _tailexit(files):
    os.makedirs(os.path.join(files.path, "opt", "tailexit"))
    tailexitd.install(os.path.join(files.path, "opt", "tailexit"))
    files.link("/opt/tailexit/run", "usr/local/bin/tailexit")
    for unit in glob.glob(os.path.join(UNITS, "*.*")):
        files.unit(unit)


def _lab(files, suite):
    files.write("etc/docker/daemon.json", json.dumps(
        {option.removeprefix("--"): True for option in OPTIONS[suite]}))
    files.write("opt/lab/network.sh", NETWORK)
    files.copy(os.path.join(GUEST, "agent.sh"), "opt/lab/agent.sh")
    files.copy(image.program(os.path.join(GUEST, "eager.c")), "opt/lab/eager")
    files.write("opt/lab/image.tar", image.archive())
    for unit in glob.glob(os.path.join(GUEST, "*.service")):
        files.unit(unit)


def make(directory, suite):
    """Returns the path of the image; what has never been written to in it takes no space."""
    files, mount = os.path.join(directory, "files"), os.path.join(directory, "mount")
    os.makedirs(files)
    os.mkdir(mount)
    _system(_Files(files))
    _tailexit(_Files(files))
    _lab(_Files(files), suite)
    path = os.path.join(directory, "disk")
    proc.run(["unshare", "--mount", "--propagation", "private", "sh", "-ec", MAKE, "sh",
              files, root(suite), mount, SIZE, path], timeout=600)
    shutil.rmtree(files)
    return path
