# SPDX-License-Identifier: GPL-2.0-or-later
"""The managed plugin where something is wrong: the registry, the state, another daemon, old iptables, a
plugin that is removed too early. One engine each.

Above a test: what was changed to see it fail.
"""

import json
import os

import pytest

from lab import probe, proc
from lab.uplink import is_refusal
from lab.world import ECHO4, EXIT4, HOST4, ISP4, LAN4

from test_plugin_rig import GAP, REFERENCE, Pulse, Rig

ENGINE = "in turn"


@pytest.fixture
def make_rig(suite):
    rigs = []

    def make(**options):
        rigs.append(Rig(suite, **options))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.world.down()


def fails(rig, *argv):
    """docker, which has to fail; returns what it said."""
    result = rig.host.run("docker", *argv, check=False)
    assert result.returncode != 0, result.stdout
    return result.stdout + result.stderr


def upgrade(rig, tag):
    return ("plugin", "upgrade", "--skip-remote-check", "--grant-all-permissions", rig.plugin.name,
            f"{REFERENCE}:{tag}")


def test_registry_fails(make_rig):
    rig = make_rig()
    push = rig.push("latest", check=False)  # nobody is there
    assert push.returncode != 0 and "or not all of it, see above; run this again" in push.stderr
    assert rig.host.docker("plugin", "ls", "-q") == ""

    rig.registry.start()
    rig.push("latest")
    largest = rig.registry.blobs()[0]
    whole = read(largest)
    write(largest, whole[:len(whole) // 2])
    assert fails(rig, "plugin", "install", "--grant-all-permissions", REFERENCE)
    assert rig.host.docker("plugin", "ls", "-q") == ""
    write(largest, whole)
    rig.install()
    rig.populate()

    # An upgrade that comes half way leaves what was there.
    rig.push("next", version="2")
    before = rig.plugin.inspect()["Config"]["rootfs"]
    new = [blob for blob in rig.registry.blobs() if os.path.getsize(blob) > 1 << 20 and blob != largest]
    whole = read(new[0])
    with rig.confined():
        rig.plugin("disable", "-f")
        write(new[0], whole[:len(whole) // 2])
        assert fails(rig, *upgrade(rig, "next"))
        rig.registry.stop()
        assert fails(rig, *upgrade(rig, "next"))
        assert rig.plugin.inspect()["Config"]["rootfs"] == before
        rig.plugin.enable()
    assert rig.diff() == ""
    rig.registry.start()
    write(new[0], whole)
    rig.plugin("disable", "-f")
    rig.host.docker(*upgrade(rig, "next"))
    rig.plugin.enable()
    assert rig.box.ask(ECHO4) == EXIT4 and rig.diff() == ""


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


# Seen to fail: with what cannot be read swept like what is not there; with networks taken down at the end
# of the daemon.
def test_newer_state_and_removed_too_early(make_rig):
    rig = make_rig()
    rig.create()
    rig.populate()

    # A version to come has written a state file, and then the upgrade was taken back.
    state = rig.host.path("docker", "plugins", rig.plugin.inspect()["Id"], "propagated-mount", "networks",
                          rig.closed.inspect()["Id"] + ".json")
    text = read(state)
    newer = json.dumps({**json.loads(text), "format": 1000}).encode()
    with rig.confined(), Pulse(rig.box.netns) as pulse:
        rig.plugin("disable", "-f")
        write(state, newer)
        rig.plugin.enable()
        assert rig.box.ask(ECHO4) == EXIT4
    assert pulse.gap < GAP
    with rig.judge.silent():
        rig.host.docker("restart", "-t", "0", "box", check=False)
    assert "written by a newer version" in rig.host.dockerd.log()
    assert read(state) == newer
    rig.plugin("disable", "-f")
    write(state, text)
    rig.plugin.enable()
    rig.host.docker("restart", "-t", "0", "box")
    rig.refresh()
    assert rig.box.ask(ECHO4) == EXIT4 and rig.diff() == ""

    # Removed with its networks: what it knew of them is gone, and so is their way out. What the host then
    # says to their peers by itself is nothing of the container's.
    with rig.confined(but=is_refusal):
        rig.plugin("disable", "-f")
        assert "is in use" in fails(rig, "plugin", "rm", rig.plugin.name)
        rig.plugin("rm", "-f")
        rig.create()
        proc.wait_for(lambda: "te-" not in rig.host.netns.ip("-o", "link"), "end of what is left")
    rig.docker.clean()
    rig.populate()
    assert rig.box.ask(ECHO4) == EXIT4 and rig.free.ask(ECHO4) == ISP4


# Seen to fail: without iptables-legacy in the plugin.
def test_legacy_iptables_and_beside_the_service(make_rig):
    rig = make_rig(iptables="legacy")
    assert "-P FORWARD DROP" in rig.host.run("iptables-legacy", "-w", "5", "-S", "FORWARD").stdout
    rig.create()
    rig.populate()
    assert "-A DOCKER-USER -i te-+ -j ACCEPT" in rig.host.run("iptables-legacy", "-w", "5", "-S").stdout
    assert rig.free.ask(ECHO4) == ISP4 and rig.box.ask(ECHO4) == EXIT4
    assert probe.ask(rig.world.lan, HOST4, 81) == LAN4
    rig.docker.clean()
    proc.wait_for(lambda: "te-" not in rig.host.run("iptables-legacy", "-w", "5", "-S").stdout, "withdrawal")

    # Only one of both: the plugin stays away, and says why.
    rig.plugin("disable")
    rig.host.tailexit.start()
    rig.populate(of_plugin=False)
    with rig.confined():
        fails(rig, "plugin", "enable", rig.plugin.name)
    assert "another daemon works in /run/tailexit; stop it" in rig.host.dockerd.log()
    assert rig.host.run("tailexit", "plan", "--diff").stdout == ""
