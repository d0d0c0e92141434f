# SPDX-License-Identifier: GPL-2.0-or-later
"""Installation: on machines that were just installed, each in namespaces of its own."""

import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from lab import World, roots, sweep  # noqa: E402

import fresh  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def no_remains():
    sweep()


@pytest.fixture
def make_machine():
    """make_machine(suite, systemd=...): a running machine with make, apt and the sources."""
    machines = []

    def make(suite, **options):
        try:
            fresh.root(suite, options.get("systemd", False))
        except roots.Unavailable as error:
            if suite == roots.MANDATORY:
                raise
            pytest.skip(f"Debian {suite} cannot be had here: {error}")
        machines.append(fresh.Fresh(World(), suite, **options))
        return machines[-1].up()

    yield make
    for machine in machines:
        machine.down()
        machine.world.down()
