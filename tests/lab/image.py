# SPDX-License-Identifier: GPL-2.0-or-later
"""The one image of the lab, lab/busybox:1: the machine's static busybox and the echo server."""

import fcntl
import hashlib
import io
import os
import shutil
import tarfile

from . import proc
from .rundir import CACHE

NAME = "lab/busybox:1"
SOURCE = os.path.join(os.path.dirname(__file__), "echo.c")


def program(source):
    """The path of a compiled static program; compiled again whenever its source changes."""
    name = os.path.join(CACHE, os.path.basename(source).removesuffix(".c"))
    with open(source, "rb") as file:
        path = f"{name}-{hashlib.sha256(file.read()).hexdigest()[:12]}"
    os.makedirs(CACHE, exist_ok=True)
    with open(name + ".lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            proc.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-static", "-o", path + ".new",
                      source])
            os.rename(path + ".new", path)
    return path


def echo_program():
    return program(SOURCE)


def archive():
    """A tar file for `docker import`."""
    busybox = shutil.which("busybox")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in "bin", "etc", "tmp", "proc", "sys", "dev", "root":
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, path in ("bin/busybox", busybox), ("bin/echo-server", echo_program()):
            tar.add(path, name)
        for applet in proc.run([busybox, "--list"]).stdout.split():
            entry = tarfile.TarInfo("bin/" + applet)
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            if applet != "busybox":
                tar.addfile(entry)
        passwd = b"root:x:0:0:root:/root:/bin/sh\n"
        entry = tarfile.TarInfo("etc/passwd")
        entry.size = len(passwd)
        tar.addfile(entry, io.BytesIO(passwd))
    return out.getvalue()
