# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon without any dockerd that knows a network with an endpoint, and that nothing of it changes."""

import pytest

from lab import World
from lab.plain import (  # noqa: F401
    EP, NET, OTHER, PORTS, STRANGER, Plain, attach, endpoint, network)
from lab.snapshot import difference


@pytest.fixture(scope="module")
def daemon():
    """Knows one network with one endpoint that publishes a port."""
    with World() as world:
        daemon = Plain(world)
        daemon.good("CreateNetwork", network(NET, "10.80.0.0/24", "10.80.0.1/24"))
        daemon.good("CreateEndpoint", endpoint())
        daemon.good("Join", attach())
        # As dockerd does: an endpoint that no container takes is swept.
        daemon.netns.ip("link", "set", "tec" + EP[:12], "netns", world.lan.name)
        daemon.good("ProgramExternalConnectivity", attach(options=PORTS))
        yield daemon


@pytest.fixture
def unchanged(daemon):
    before = daemon.seen()
    yield
    after = daemon.seen()
    # Should one have been created after all, the next tests are not about it.
    daemon.good("DeleteNetwork", {"NetworkID": OTHER})
    assert difference(before, after) == ""
    assert daemon.process.poll() is None
