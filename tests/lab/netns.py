# SPDX-License-Identifier: GPL-2.0-or-later
"""A network namespace, and the virtual cables between two of them.

No link is ever created in the namespace the lab itself runs in.
"""

import contextlib
import ctypes
import os
import signal

from . import proc

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns: " + os.strerror(ctypes.get_errno()))


class Netns:
    """An existing namespace, named by a path: /run/netns/NAME or /proc/PID/ns/net."""

    def __init__(self, path):
        self.path = str(path)

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is in the namespace; sockets made meanwhile stay there for good."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(self.path, "rb") as there:
            _setns(there.fileno())
            try:
                yield
            finally:
                _setns(home.fileno())

    def enter(self):
        """To be put in front of a command."""
        # Not `ip netns exec`: that mounts a new /sys, which hides the cgroups from dockerd.
        return ["nsenter", "--net=" + self.path, "--"]

    def run(self, *argv, **options):
        # A child is where the thread is that starts it: no nsenter for thousands of short commands.
        with self.inside():
            return proc.run(argv, **options)

    def spawn(self, log, *argv):
        return proc.spawn([*self.enter(), *argv], log)

    def ip(self, *argv, **options):
        return self.run("ip", *argv, **options).stdout

    def sysctl(self, name, value=None):
        """Reads or sets net.NAME; /proc/sys/net shows the namespace of whoever opens it."""
        path = "/proc/sys/net/" + name
        with self.inside(), open(path, "r" if value is None else "w", encoding="ascii") as file:
            return file.read().strip() if value is None else file.write(str(value))

    def address(self, link, *addresses):
        for address in addresses:
            self.ip("addr", "add", address, "dev", link, *(["nodad"] if ":" in address else []))

    def forward(self):
        self.sysctl("ipv4/ip_forward", 1)
        self.sysctl("ipv6/conf/all/forwarding", 1)

    def masquerade(self, link):
        self.run(
            "nft", "-f", "-",
            input="table inet nat { chain post { type nat hook postrouting priority srcnat; "
            f'oifname "{link}" masquerade; }}; }}',
        )


class Named(Netns):
    """A namespace of our own, visible in `ip netns`."""

    def __init__(self, name):
        super().__init__("/run/netns/" + name)
        self.name = name

    def create(self):
        proc.run(["ip", "netns", "add", self.name])
        # No duplicate address detection: v6 addresses are usable at once.
        for scope in "all", "default":
            self.sysctl(f"ipv6/conf/{scope}/accept_dad", 0)
        self.ip("link", "set", "lo", "up")
        return self

    def delete(self):
        """Ends every process in the namespace, and the namespace."""
        if not os.path.exists(self.path):
            return
        proc.wait_for(self._kill, f"end of the processes in {self.name}")
        proc.run(["ip", "netns", "del", self.name])

    def _kill(self):
        pids = proc.run(["ip", "netns", "pids", self.name]).stdout.split()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        return not pids


def cable(a, a_link, b, b_link):
    """A veth pair: a_link in namespace a, b_link in namespace b, both up."""
    proc.run(["ip", "-n", a.name, "link", "add", a_link, "type", "veth",
              "peer", "name", b_link, "netns", b.name])
    a.ip("link", "set", a_link, "up")
    b.ip("link", "set", b_link, "up")
