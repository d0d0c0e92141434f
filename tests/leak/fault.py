# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fault is. The catalogue is in the modules beside this one; each says in a comment what was taken
out of the daemon to see its rows fail.

Besides, all rows but the last four of of_process.py and the virtual machine's were seen to fail in one go, with
neither the last rule of a killswitch in egress.c, nor backstop and closed paths in path.c, nor the fence in
links.c: then the closed network leaks whatever happens, and the killswitch where its tunnel goes.
"""

import time
from dataclasses import dataclass
from typing import Callable


def nothing(_stage):
    pass


@dataclass(frozen=True)
class Fault:
    """do is done to the stage, undo takes back what the daemon cannot.

    leaks: the numbers of the kinds of leak (README.md) that it may open.
    repaired: the daemon has to put it right by itself, and to count that.
    seconds: how long the subjects go on sending before undo.
    unguarded: the firewall's table is gone for a while, and only that table keeps what the host's own
        kernel refuses from the uplink. No packets of a container's,
        but they name its peer: counted apart.
    takes: the key that it takes away until that is repaired, the packet filter's or the routing's: one of
        them holds without the other, so a pair never takes both.
    alone: never one of a pair.
    """
    name: str
    leaks: str
    do: Callable
    undo: Callable = nothing
    repaired: bool = False
    seconds: float = 0.3
    unguarded: bool = False
    takes: str = ""
    alone: bool = False


def commands(*lines):
    return lambda stage: stage.run(*lines)


def times(count, do, pause=0.0):
    """The same again and again."""
    def loop(stage):
        for _ in range(count):
            do(stage)
            time.sleep(pause)
    return loop
