# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel alone takes for what the daemon asks of it: floor.c, built and asked."""

import contextlib
import os
import subprocess

from lab import proc
from lab.tailexitd import REPOSITORY

PROGRAM = "build/tests/bench/floor"


class Floor:
    """Beside so many networks."""

    def __init__(self, networks):
        proc.run(["make", "-s", "-C", REPOSITORY, PROGRAM], timeout=600)
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(REPOSITORY, PROGRAM), str(networks)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline() == "ready\n", "floor did not come up"

    def _ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return [float(word) for word in self.process.stdout.readline().split()]

    def made(self):
        return self._ask("network")[0]

    def removed(self):
        return self._ask("network")[1]

    def container(self):
        return sum(self._ask("container"))

    def looked(self):
        return self._ask("look")[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


@contextlib.contextmanager
def floor(networks):
    with contextlib.closing(Floor(networks)) as built:
        yield built
