# SPDX-License-Identifier: GPL-2.0-or-later
"""dockerd, the daemon, both and the host, stopped, killed and started again, in every combination.
Afterwards what should run runs, traffic flows, and nothing else is there.

Next to each test: what was taken out of the daemon to see it fail.
"""

import pytest

from test_restart_rig import Rig, flows


@pytest.fixture(scope="module")
def rigs(suite):
    """Holds the host of an engine, from one row to the next as long as they pass."""
    held = []
    yield held
    for rig in held:
        rig.world.down()


@pytest.fixture
def rig(suite, rigs):
    if not rigs:
        rigs.append(Rig(suite))
    yield rigs[0]
    if not rigs[0].clean:
        rigs.pop().world.down()


def test_engine_stops(rig):
    rig.start()
    rig.dockerd.stop()
    rig.dockerd.start()
    rig.check(rig.ALWAYS)
    rig.finish()


def test_engine_stops_live_restore(rig):
    rig.start(live_restore=True)
    with flows(rig):
        rig.dockerd.stop()
        rig.dockerd.start()
    rig.check()
    rig.finish()


def test_engine_killed(rig):
    rig.start()
    rig.dockerd.kill()
    rig.dockerd.start()
    rig.check(rig.ALWAYS)
    rig.finish()
