# SPDX-License-Identifier: GPL-2.0-or-later
"""dockerd, the daemon, both and the host, stopped, killed and started again, in every combination.
Afterwards what should run runs, traffic flows, and nothing else is there.

Above a test: what was changed in the daemon to see it fail.
"""

import contextlib
import os
import random
import signal
import time

import pytest

from lab.dockerd import ApiError
from lab.proc import wait_for

from test_restart_remains import TABLE, wait_until_right
from test_restart_rig import Rig, during, flows, links
from test_restart_tap import ANSWERED, Tap

# No rows of the matrix.
IN_TURN = pytest.mark.engine("in turn")
LIVE_RESTORE = pytest.mark.parametrize("live_restore", [False, True], ids=["", "live-restore"])


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


# Fails when DeleteEndpoint does nothing.
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
        rig.traffic()
        rig.dockerd.start()
    rig.check()
    rig.finish()


# Fails when link events remove no endpoint.
def test_engine_killed(rig):
    rig.start()
    rig.dockerd.kill()
    rig.dockerd.start()
    rig.check(rig.ALWAYS)
    rig.finish()


def test_engine_killed_live_restore(rig):
    rig.start(live_restore=True)
    with flows(rig):
        rig.dockerd.kill()
        rig.traffic()
        rig.dockerd.start()
    rig.check()
    rig.finish()


# Fails when link events remove no endpoint.
@LIVE_RESTORE
def test_engine_and_containers_killed(rig, live_restore):
    rig.start(live_restore)
    rig.dockerd.kill()
    rig.kill_container("web")
    rig.kill_container("plain")
    rig.dockerd.start()
    rig.check(rig.ALWAYS)
    rig.finish()


# Fails when ports are not reopened; endpoints, or networks, are not saved; the end of the daemon takes
# the networks down.
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_daemon_ends(rig, how):
    rig.start()
    before = links(rig)
    with flows(rig):
        rig.tailexit.stop(how)
        rig.traffic()
        rig.tailexit.start()
    assert links(rig) == before
    rig.check()
    rig.finish()


# Fails when no reconciliation at the start.
def test_daemon_finds_another_kernel(rig):
    """What was taken away comes back, and what the daemon left half-done when it died goes away."""
    rig.start()
    rig.tailexit.kill()
    host, ip = rig.host, rig.host.netns.ip
    host.run("nft", "flush", "chain", "inet", "tailexit", "forward")
    host.run("nft", "add", "element", "inet", "tailexit", "dnat4_any",
             "{ tcp . 9999 : 10.80.0.11 . 80 }")
    ip("rule", "del", "pref", "5000")
    ip("route", "flush", "table", TABLE)
    ip("link", "add", "te-0123456789ab", "type", "bridge")
    ip("link", "add", "tev0123456789ab", "type", "veth", "peer", "name", "tec0123456789ab")
    ip("link", "set", "te-0123456789ab", "alias", "tailexit network 0123456789ab")
    ip("link", "set", "tev0123456789ab", "alias", "tailexit endpoint 0123456789ab")
    rig.tailexit.start()
    rig.check()
    rig.finish()


# Fails when DeleteEndpoint does nothing.
def test_container_dies_without_daemon(rig):
    """dockerd calls, again and again for 15 seconds."""
    rig.start()
    rig.tailexit.kill()
    rig.kill_container("plain")
    rig.kill_container("web")
    time.sleep(0.5)
    rig.tailexit.start()
    rig.check(rig.ALWAYS)
    rig.finish()


# Fails when DeleteEndpoint does nothing.
def test_engine_starts_without_daemon(rig):
    """There is no socket yet; one where nobody answers: test_both_killed."""
    rig.start()
    rig.dockerd.stop()
    rig.tailexit.stop()
    with rig.engine_starting():
        time.sleep(0.5)
        rig.tailexit.start()
    rig.check(rig.ALWAYS)
    rig.finish()


# Fails when link events remove no endpoint; ports are not reopened; endpoints are not saved.
@LIVE_RESTORE
@pytest.mark.parametrize("first", ["daemon", "engine"])
def test_both_killed(rig, first, live_restore):
    rig.start(live_restore)
    rig.end_servers()
    rig.traffic()
    if first == "daemon":
        rig.tailexit.start()
        rig.dockerd.start()
    else:
        with rig.engine_starting():
            time.sleep(0.5)
            rig.tailexit.start()
    rig.check(rig.ALL if live_restore else rig.ALWAYS)
    rig.finish()


# Fails when endpoints without a link are not dropped at the start.
def test_containers_end_unseen(rig):
    """Nobody tells the daemon that they ended: no call, no event."""
    rig.start()
    rig.host.docker("update", "--restart", "no", "web", "both")
    rig.end_servers()
    rig.dockerd.start()
    wait_for(lambda: len(links(rig)) == 1, "end of the containers' links")
    rig.tailexit.start()
    rig.host.docker("update", "--restart", "always", "web", "both")
    for name in rig.ALWAYS:
        rig.begin(name)
    rig.check(rig.ALWAYS)
    rig.finish()


# Fails when no reconciliation at the start; networks are not saved; forwarding is switched on before
# there is an endpoint, and dockerd leaves FORWARD open.
@pytest.mark.parametrize("clean", [True, False], ids=["clean", "power-cut"])
def test_reboot(rig, clean):
    rig.start()
    rig.reboot(clean)
    rig.check(rig.ALWAYS)
    rig.finish()


STARTING = "CreateEndpoint", "Join", "ProgramExternalConnectivity", "EndpointOperInfo"
STOPPING = "RevokeExternalConnectivity", "Leave", "DeleteEndpoint"


def kill_daemon_in(rig, tap, method, after, call, *argv):
    tap.plan(method, rig.tailexit.kill, after)
    running = during(call, *argv)
    assert tap.happened.wait(10), f"no call of {method}"
    tap.start_daemon()
    running.join()


# Fails when the daemon's own start is no reason to sweep; the sweep does nothing.
def test_daemon_killed_in_calls(rig):
    """The call is lost, or its answer, or nobody knows; dockerd repeats it without its body."""
    seed = random.randrange(1000000)
    print("seed", seed)
    chance = random.Random(seed)
    kills = [(method, after) for method in STARTING + STOPPING for after in (None, ANSWERED)]
    kills += [(chance.choice(STARTING + STOPPING), chance.uniform(0, 0.004)) for _ in range(2)]
    rig.start()
    with Tap(rig.host) as tap:
        for method, after in kills:
            if method in STARTING:
                rig.stop("web")
                kill_daemon_in(rig, tap, method, after, rig.begin, "web")
            else:
                kill_daemon_in(rig, tap, method, after, rig.stop, "web")
                # Not every engine's answer to a stop waits for all of it.
                wait_for(lambda: "web" not in rig.running(), "end of web")
            rig.begin("web")
        kill_daemon_in(rig, tap, "DeleteEndpoint", None, rig.stop, "web")
        wait_until_right(rig.docker, 13)
    rig.begin("web")
    rig.check()
    rig.finish()


def create(rig):
    rig.docker.api("POST", "/networks/create", {
        "Name": "more", "Driver": "tailexit", "Options": {"policy": "open"},
        "IPAM": {"Config": [{"Subnet": "10.99.0.0/24"}]}})


def remove(rig):
    rig.docker.api("DELETE", "/networks/more")


def create_in_time(rig):
    """At once, or when the daemon has found out that nobody has the network any more that is in the
    way."""
    def created():
        try:
            create(rig)
        except ApiError as error:
            assert "try again in a few seconds" in str(error), error
            return False
        return True

    wait_for(created, "network in the place of the old one", 15)


def kill_daemon_around_network(rig, create_after, delete_after):
    rig.start()
    with Tap(rig.host) as tap:
        kill_daemon_in(rig, tap, "CreateNetwork", create_after, create, rig)
        create_in_time(rig)
        kill_daemon_in(rig, tap, "DeleteNetwork", delete_after, remove, rig)
        create_in_time(rig)
        remove(rig)
    rig.check()
    rig.finish()


# Fails when the state file of a removed network stays.
@IN_TURN
def test_daemon_killed_in_network_calls(rig):
    kill_daemon_around_network(rig, None, ANSWERED)


# Both fail when the daemon does not ask the engine for networks; when a network in the way is not
# asked about.
@IN_TURN
def test_network_created_unheard(rig):
    kill_daemon_around_network(rig, ANSWERED, ANSWERED)


@IN_TURN
def test_network_removed_unheard(rig):
    kill_daemon_around_network(rig, None, None)


# Which lists remove a network, and which must not: tests/netns/test_forgotten.c.
@pytest.mark.engine("sid")
def test_network_removed_while_nobody_listens(rig):
    """Nobody wants its subnet again. One engine is enough: the daemon takes a minute to be sure."""
    rig.start()
    create(rig)
    wait_for(lambda: os.path.exists(rig.host.path("lib", "client.json")), "look at the networks")
    # It is the same engine afterwards.
    rig.dockerd.stop()
    rig.dockerd.start()
    rig.tailexit.kill()
    with contextlib.suppress(ApiError):
        remove(rig)
    rig.tailexit.start()
    assert len(os.listdir(rig.host.path("lib", "networks"))) == 2
    wait_until_right(rig.docker, 75)
    assert "does not have it any more" in rig.tailexit.log()
    rig.check(rig.ALWAYS)
    rig.finish()


def make_half(rig, address):
    """What a dockerd that died while it started a container leaves: an endpoint without one."""
    rig.call("CreateEndpoint", NetworkID=rig.net.inspect()["Id"], EndpointID="f" * 64,
             Interface={"Address": address, "AddressIPv6": "", "MacAddress": ""})


# Fails when the sweep does nothing; it takes endpoints in containers as well.
@IN_TURN
def test_half_made_is_swept(rig):
    """Once the next dockerd has had its chance; what containers have from an earlier one stays."""
    rig.start(live_restore=True)
    make_half(rig, "10.80.0.200/24")
    rig.dockerd.kill()
    rig.dockerd.start()
    assert ("tev" + "f" * 12) in dict(links(rig)), "swept before the new dockerd could take it over"
    # Up to version 26 it says nothing before that.
    rig.restart("web")
    wait_until_right(rig.docker, 13)
    rig.check()
    rig.finish()


# Fails when a new endpoint evicts nobody.
@IN_TURN
def test_half_made_makes_room(rig):
    """For a container with the same address, before it is swept."""
    rig.start()
    rig.stop("plain")
    make_half(rig, "10.80.0.77/24")
    rig.begin("plain")
    rig.check(timeout=1)
    rig.finish()


# Fails when DeleteNetwork leaves the bridge.
def test_all_of_it_goes(rig):
    """Whatever the rows before have left would still be there."""
    rig.remove_all()
