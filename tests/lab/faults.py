# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong below the daemon, at a chosen call: tests/faults/fault.so in front of the C library.
The fields are those of tests/faults/fault.h."""

import os
import struct

from .tailexitd import REPOSITORY

# The plain build: the library of a sanitizer wants to be loaded before any other.
BINARY = os.path.join(REPOSITORY, "build", "tailexit")
LIBRARY = os.path.join(REPOSITORY, "build", "tests", "faults", "fault.so")

FILE, CHANGE, READ, RECEIVE, REPLY = 1, 2, 4, 8, 16
NONE, DIE, FAIL, REFUSE, LOSE = range(5)
FIELDS = struct.Struct("6I104s")


class Fault:
    """A place where a daemon that is started with .environment is to fail."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.write(bytes(FIELDS.size))
        self.environment = {"LD_PRELOAD": LIBRARY, "TAILEXIT_FAULT": path}

    def arm(self, kinds, at, action, error=0, starting=False):
        """The at-th call of these kinds, from now on; starting: not only within a client's call."""
        self._write(FIELDS.pack(kinds, at, action, error, starting, 0, b""))

    def disarm(self):
        self._write(bytes(FIELDS.size))

    def _write(self, data):
        # In place: the daemon has the file mapped.
        with open(self.path, "r+b") as file:
            file.write(data)

    def _read(self):
        with open(self.path, "rb") as file:
            return FIELDS.unpack(file.read())

    @property
    def count(self):
        """So many calls were counted since."""
        return self._read()[5]

    @property
    def text(self):
        """What was hit; empty: nothing yet."""
        return self._read()[6].partition(b"\0")[0].decode()
