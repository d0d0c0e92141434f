# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine: its processor is emulated, its cable a port of the ISP's bridge, where the cable of a world's
host would be."""

import os
import re
import signal

from lab import proc

from . import disk
from .console import Console

# As the host's, so that whoever looks at the wire finds it there.
PORT = "lan-host"
MEMORY = "1536"
# Old and simple. Emulators get some of what is newer wrong, the 16 byte compare and exchange among it.
PROCESSOR = "qemu64,cx16=off,svm=off"
KERNEL = "root=/dev/vda rw console=ttyS0 net.ifnames=0 panic=-1 quiet"
# What firmware and kernel say to a screen.
CONTROL = re.compile(r"\x1b(\[[0-9;?!]*[A-Za-z]|.)|\r")
# How long anything may take, at worst: everything is emulated, and the machine may be busy.
PATIENCE = 1800


class Machine:
    """with Machine(world, suite) as machine: on(), run(command), pull_plug() and on() again."""

    def __init__(self, world, suite):
        self.world, self.suite = world, suite
        self.dir = world.path("machine")
        os.mkdir(self.dir)
        self.kernel, self.initramfs = disk.boot_files(suite)
        self.disk = disk.make(self.dir, suite)
        self.console = Console(os.path.join(self.dir, "console"))
        self._process = None
        isp = world.isp
        isp.ip("tuntap", "add", PORT, "mode", "tap")
        isp.ip("link", "set", PORT, "master", "lan", "up")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pull_plug()

    def _command(self):
        return ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", PROCESSOR, "-smp", "2",
                "-m", MEMORY, "-kernel", self.kernel, "-initrd", self.initramfs, "-append", KERNEL,
                "-drive", f"file={self.disk},if=virtio,format=raw,cache=unsafe,discard=unmap",
                "-netdev", f"tap,id=uplink,ifname={PORT},script=no,downscript=no",
                "-device", "virtio-net-pci,netdev=uplink,mac=52:54:00:77:00:02,romfile=",
                "-device", "virtio-rng-pci",
                "-chardev", f"file,id=log,append=on,path={self.dir}/boot.log", "-serial", "chardev:log",
                "-chardev", f"socket,id=agent,server=on,wait=off,path={self.console.path}",
                "-serial", "chardev:agent"]

    def on(self):
        """Returns at once."""
        assert self._process is None, "the machine is on"
        self._process = self.world.isp.spawn(os.path.join(self.dir, "qemu.log"), *self._command())

    def is_on(self):
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout=PATIENCE):
        """Until it does what it is told; says how it ended if it does not."""
        try:
            self.console.wait(timeout, self.is_on)
        except (TimeoutError, OSError) as error:
            raise RuntimeError(f"{error}\n{self.log()[-2000:]}") from error

    def pull_plug(self):
        """What was not written to the disk by now never will be."""
        if self._process:
            self.console.close()
            proc.end(self._process, signal.SIGKILL)
            self._process = None

    def run(self, command, timeout=PATIENCE, check=True):
        return self.console.run(command, timeout, check)

    def until(self, command, what, timeout=PATIENCE):
        return self.console.until(command, what, timeout)

    def uptime(self):
        """Seconds since the kernel began."""
        return float(self.run("cat /proc/uptime").split()[0])

    def log(self):
        text = ""
        for name in "qemu.log", "boot.log":
            path = os.path.join(self.dir, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    text += CONTROL.sub("", file.read())
        return text
