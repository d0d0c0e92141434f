# SPDX-License-Identifier: GPL-2.0-or-later
"""The managed plugin for arm64, built on another machine with Debian's cross compiler, in a root of its own.
It takes minutes: only with EVERY_ENGINE=1."""

import fcntl
import os
import platform
import shutil

import pytest

from lab import proc, roots, unpacked
from lab.rundir import CACHE
from lab.tailexitd import BINARY, REPOSITORY

import fresh

PACKAGES = ["make", "pkgconf", "gcc-aarch64-linux-gnu", "libc6-dev:arm64", "libmicrohttpd-dev:arm64",
            "libjansson-dev:arm64", "libnftnl-dev:arm64", "libmnl-dev:arm64", "iptables:arm64"]
BUILD = ("cd /src && PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig "
         "make -s -j2 CC=aarch64-linux-gnu-gcc AR=aarch64-linux-gnu-ar plugin")

pytestmark = [
    pytest.mark.skipif(not os.environ.get("EVERY_ENGINE"), reason="a cross build: EVERY_ENGINE=1"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="no other machine to build it on")]


def cross_root():
    """The path of the root; built if it is not there yet."""
    path = os.path.join(CACHE, "roots", "cross-bookworm-arm64")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            shutil.rmtree(path + ".unfinished", ignore_errors=True)
            proc.run(["mmdebstrap", "--variant=minbase", "--mode=root", "--components=main",
                      "--architectures=amd64,arm64", "--include=" + ",".join(PACKAGES),
                      '--aptopt=APT::Install-Recommends "false"',
                      '--aptopt=Acquire::Check-Valid-Until "false"', "--dpkgopt=force-unsafe-io",
                      "bookworm", path + ".unfinished", roots.mirror()], timeout=1800)
            os.rename(path + ".unfinished", path)
    return path


def test_starts_under_qemu():
    root = cross_root()
    shutil.rmtree(root + "/src", ignore_errors=True)
    try:
        for name in fresh.sources():
            os.makedirs(os.path.dirname(f"{root}/src/{name}"), exist_ok=True)
            shutil.copy(os.path.join(REPOSITORY, name), f"{root}/src/{name}")
        proc.run(["chroot", root, "sh", "-c", BUILD], timeout=900)
        rootfs = root + "/src/build/tailexit-plugin/rootfs"
        emulator = unpacked.program("qemu-user-static", "qemu-aarch64-static")

        def emulated(program, *argv, **options):
            return proc.run([emulator, "-L", rootfs, rootfs + program, *argv], **options)

        plan = "plan", "-o", "policy=killswitch", "-o", "via=wg0"
        assert emulated("/usr/bin/tailexit", *plan).stdout == proc.run([BINARY, *plan]).stdout != ""
        assert "legacy" in emulated("/usr/sbin/xtables-legacy-multi", "iptables-legacy", "--version").stdout
        # As far as qemu's kernel goes.
        served = emulated("/usr/bin/tailexit", "serve", "--socket", root + "/src/socket", "--run-dir",
                          root + "/src/run", "--state-dir", root + "/src/state", check=False)
        assert "cannot open a netlink socket: Protocol not supported" in served.stderr
    finally:
        shutil.rmtree(root + "/src", ignore_errors=True)
