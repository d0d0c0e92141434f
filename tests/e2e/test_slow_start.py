# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon whose start takes long, as on a machine that has much else to do."""

import os
import signal

import pytest

from lab import World, proc

from test_requests_rig import OTHER, Plain, network


def is_reading(daemon, directory):
    """Is it in the middle of its state files?"""
    opened = f"/proc/{daemon.process.pid}/fd"
    paths = [os.path.realpath(os.path.join(opened, fd)) for fd in os.listdir(opened)]
    return paths.count(os.path.realpath(directory)) == 2


# Seen to fail: with the signals blocked from the beginning in serve.c, as they are once it serves.
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_meanwhile(number):
    """Nothing has to be waited for, and nothing is lost."""
    with World() as world:
        daemon = Plain(world)
        daemon.good("CreateNetwork", network())
        before = daemon.seen()
        assert proc.end(daemon.process, number) == 0
        networks = daemon.path("lib", "networks")
        endless = os.path.join(networks, "e" * 64 + ".json")
        # Whoever opens it waits for somebody who writes.
        os.mkfifo(endless)
        daemon.begin()
        proc.wait_for(lambda: is_reading(daemon, networks), "daemon that reads its state", timeout=30)
        assert proc.end(daemon.process, number) == 0, daemon.log()
        os.remove(endless)
        daemon.start()
        assert daemon.seen() == before
        daemon.good("DeleteNetwork", {"NetworkID": OTHER})
        assert proc.end(daemon.process, number) == 0
