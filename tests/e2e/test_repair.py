# SPDX-License-Identifier: GPL-2.0-or-later
"""What others change of ours is put back, and until then the other key holds: a container that may
leave by the tunnel only keeps sending all the while, and nothing is seen at the uplink.

Next to each test: what was taken out of the daemon to see it fail.
"""

import re
import time

import pytest

from lab import Host, World, proc
from lab.shout import shout, shouting
from lab.uplink import is_refusal, uplink

from test_policy_rig import (BY_EXIT, EVERYTHING, ask_all, host_status, judge, killswitch,  # noqa: F401
                             tunnel)

ENGINE = "bookworm"

LOCAL, PATH = "2113929216", "2113929217"
REPAIRED = re.compile(r"put back what was changed(.*), (\d+) ms after the first sign of it: (.*)")
# A machine that is busy with other things may take a while to let the daemon run at all.
BOUND = 1


@pytest.fixture(scope="module")
def host(suite):
    """Not the one of the other tests: its firewall is flushed here."""
    with World() as world:
        host = Host(world, suite)
        host.boot()
        yield host


class Scene:
    """A container on a killswitch network through the tunnel."""

    def __init__(self, docker):
        self.host = docker.host
        self.box, self.net = killswitch(docker)
        self.bridge = "te-" + self.net.inspect()["Id"][:12]
        self.port = "tev" + self.box.endpoint(self.net)["EndpointID"][:12]
        self.mark = len(self.host.tailexit.log())

    def run(self, *commands):
        for command in commands:
            self.host.run(*command.format(bridge=self.bridge, port=self.port, local=LOCAL,
                                          path=PATH).split())

    def repairs(self):
        """What the log says of repairs: by whom, after how many ms, of what."""
        return [(by, int(ms), what)
                for by, ms, what in REPAIRED.findall(self.host.tailexit.log()[self.mark:])]

    def is_right(self):
        return self.host.run("tailexit", "plan", "--diff").stdout == ""


def delete_rule(scene):
    """The one that asks which network a packet leaves."""
    text = scene.host.run("nft", "-a", "list", "chain", "inet", "tailexit", "forward").stdout
    handle = re.search(r"net_from.*# handle (\d+)", text).group(1)
    scene.run("nft delete rule inet tailexit forward handle " + handle)


def delete_element(scene):
    scene.host.run("nft", "delete", "element", "inet", "tailexit", "net_from",
                   f'{{ "{scene.bridge}" }}')


def insert_rule(scene):
    scene.run("nft insert rule inet tailexit forward accept")


def flush_rules(scene):
    """But for those without which the host itself has no routes."""
    for family in "-4", "-6":
        scene.host.run("ip", family, "-batch", "-",
                       input="rule flush\nrule add pref 32766 table main\n"
                       "rule add pref 32767 table default\n")


def batch(*lines):
    """Without a pause in between."""
    def change(scene):
        text = "".join(line.format(bridge=scene.bridge) + "\n" for line in lines)
        scene.host.run("ip", "-batch", "-", input=text)
    return change


def command(line):
    return lambda scene: scene.run(line)


# By the part of which status counts the repairs: what is done, and the beginning of what is said of it.
FAULTS = {
    "firewall": [
        (command("nft flush ruleset"), "table inet tailexit was missing"),
        (command("nft delete table inet tailexit"), "table inet tailexit was missing"),
        (command("nft flush table inet tailexit"), "chain"),
        (delete_rule, "chain forward was different"),
        (insert_rule, "chain forward was different"),
        (delete_element, "element of net_from"),
    ],
    "rules": [
        (flush_rules, "rule v4 priority 5000"),
        (command("ip -6 rule del pref 5082"), "rule v6 priority 5082"),
        (command("ip rule del pref 5020"), "rule v4 priority 5020"),
    ],
    "routes": [
        (command("ip route flush table {path}"), "route unreachable 0.0.0.0/0 table path-1"),
        (command("ip -6 route flush table {path}"), "route unreachable ::/0 table path-1"),
        (command("ip route flush table {local}"), "route unreachable 10.81.0.0/24"),
        (command("ip route replace default dev lan0 table {path} metric 1024"),
         "route 0.0.0.0/0 dev tailscale0"),
        (command("sysctl -qw net.ipv4.ip_forward=0"), "IPv4 forwarding"),
        (batch("link set {bridge} down", "link set {bridge} up"), ""),
    ],
    "links": [
        (command("ip link set {bridge} down"), ""),
        (command("ip link del {bridge}"), ""),
        (batch("link set {bridge} down", "link set {bridge} name away"), ""),
        (command("ip link set {bridge} mtu 900"), "bridge {bridge}"),
        (command("ip addr del 10.81.0.1/24 dev {bridge}"), "address 10.81.0.1/24"),
        (command("ip addr del fd81::1/64 dev {bridge}"), "address fd81::1/64"),
        (command("ip link set {port} down"), "veth {port}"),
        (command("ip link set {port} nomaster"), "veth {port}"),
        (command("ip link set {port} type bridge_slave isolated on"), "veth {port}"),
    ],
    # Ten of a kind in a row are a fight.
    "links, shared": [
        (command("ip link set te-fence mtu 900"), "bridge te-fence"),
        (command("ip link set te-fence down"), ""),
        (command("ip link del te-fence"), "bridge te-fence"),
    ],
}


def leaks(wire, part):
    return [packet for packet in wire.packets() if part != "firewall" or not is_refusal(packet)]


def put_back(scene, wire, part, change, what):
    scene.mark = len(scene.host.tailexit.log())
    before = host_status(scene.host)["repairs"][part]
    change(scene)
    proc.wait_for(lambda: host_status(scene.host)["repairs"][part] > before and scene.is_right(),
                  f"repair after {scene.repairs()}", timeout=5)
    repairs = scene.repairs()
    print(repairs)
    assert repairs and max(ms for _, ms, _ in repairs) < BOUND * 1000
    what = what.format(bridge=scene.bridge, port=scene.port)
    assert any(words.startswith(what) for _, _, words in repairs)
    if part == "firewall":
        assert " by nft (process " in repairs[0][0]
    proc.wait_for(lambda: ask_all(scene.box, 0.3) == BY_EXIT, "the exit")
    assert leaks(wire, part) == []


# What is taken out of the daemon to see this fail is in tests/netns/test_engine.c, where the same
# things are done without traffic.
@pytest.mark.parametrize("faults", FAULTS)
def test_what_others_change_is_put_back(docker, judge, tunnel, world, faults):
    part = faults.partition(",")[0]
    if part != faults:
        time.sleep(11)  # those before it are forgotten
    scene = Scene(docker)
    assert ask_all(scene.box) == BY_EXIT
    judge.control(lambda: shout(judge.free.netns, EVERYTHING), EVERYTHING)
    with uplink(world) as wire, shouting(scene.box.netns, EVERYTHING):
        for change, what in FAULTS[faults]:
            put_back(scene, wire, part, change, what)
    assert leaks(wire, part) == []
