# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests run against each engine, and most of them with Docker's own bridge driver (of the newest one) as
well as with ours: the same thing done, the same assertions. bridge says what is right; it also proves that a
test can pass. Where bridge cannot do something before a certain engine, ours has to all the same.
"""

import os
import sys
import zlib

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import Host, World, roots, sweep, tailexitd  # noqa: E402
from lab.docker import Docker  # noqa: E402

ENGINES = [pytest.param(suite, id=f"{suite}-{version}") for suite, version in roots.ENGINES.items()]


EVERY = os.environ.get("EVERY_ENGINE")
NEWEST = list(roots.ENGINES)[-1]


# The oldest is slow, and the newest has the cases of the bridge driver besides: so that all end together.
TURNS = 2 * ["bookworm"] + 3 * ["trixie"] + ["sid"] + ["bookworm"] + 4 * ["trixie"] + ["sid"]


def _turn(item, suite):
    """Of the cases of a function every engine has its share, always the same one."""
    case = item.nodeid.replace(f"{suite}-{roots.ENGINES[suite]}", "")
    return TURNS[zlib.crc32(case.encode()) % len(TURNS)]


def _belongs(item):
    params = item.callspec.params if hasattr(item, "callspec") else {}
    marked = item.get_closest_marker("engine")
    suite = params.get("suite")
    engine = marked.args[0] if marked else getattr(item.module, "ENGINE", None)
    if suite is None or EVERY:
        return True
    if params.get("driver") == "bridge" and engine in (None, "in turn"):
        return suite == NEWEST
    # Not every engine can take its turn with what only some of them have.
    if engine == "in turn":
        return "engine_since" in item.fixturenames or suite == _turn(item, suite)
    return suite == (engine or suite)


def pytest_configure(config):
    config.addinivalue_line("markers", "engine(which): as ENGINE of a module")


def pytest_collection_modifyitems(config, items):
    """What only the kernel decides is asked once: ENGINE of a module, or the mark engine of a test, says
    with which engine, or that they share the cases. The bridge driver of the newest engine speaks for
    those before, which can do less. With EVERY_ENGINE=1 every engine is asked everything."""
    others = [item for item in items if not _belongs(item)]
    items[:] = [item for item in items if _belongs(item)]
    config.hook.pytest_deselected(items=others)


@pytest.fixture(scope="session", autouse=True)
def no_remains():
    sweep()


@pytest.fixture(scope="session", params=ENGINES)
def suite(request):
    try:
        roots.root(request.param)
    except roots.Unavailable as error:
        if request.param == roots.MANDATORY:
            raise
        pytest.skip(f"engine {roots.ENGINES[request.param]} cannot be had here: {error}")
    return request.param


@pytest.fixture(scope="session")
def host(suite):
    """A running host, the same for all tests of an engine."""
    with World() as world:
        host = Host(world, suite)
        host.boot()
        yield host


@pytest.fixture
def make_host(suite):
    """Hosts of a test's own: make_host(dockerd=..., forward=..., iptables=...), not booted yet."""
    worlds = []

    def make(**options):
        worlds.append(World())
        return Host(worlds[-1], suite, **options)

    yield make
    for world in worlds:
        world.down()


@pytest.fixture
def world(host):
    return host.world


@pytest.fixture(params=["bridge", "tailexit"])
def driver(request):
    if request.param == "tailexit" and not tailexitd.available():
        pytest.fail(f"{tailexitd.BINARY} is not built")
    return request.param


@pytest.fixture
def docker(host):
    """Networks and containers that vanish after the test."""
    if tailexitd.available() and not host.tailexit.running:
        host.tailexit.start()
    docker = Docker(host)
    yield docker
    docker.clean()
    assert not tailexitd.available() or host.tailexit.running, "the daemon died:\n" + (
        host.tailexit.log()[-2000:])


@pytest.fixture
def engine_since(suite):
    """engine_since(28, "IPv6 only") skips where the engine has no such thing, whatever the driver."""
    def check(version, what):
        if float(roots.ENGINES[suite]) < version:
            pytest.skip(f"Docker {roots.ENGINES[suite]} has no {what}")
    return check


@pytest.fixture
def bridge_since(suite, driver):
    """bridge_since(28, "...") skips where only the bridge driver of the engine has no such thing."""
    def check(version, what):
        if driver == "bridge" and float(roots.ENGINES[suite]) < version:
            pytest.skip(f"the bridge driver of {roots.ENGINES[suite]} has no {what}")
    return check
