# SPDX-License-Identifier: GPL-2.0-or-later
"""`tailexit guard`: a host that boots is closed before it has a network, without daemon and engine.

Above each test: what was changed in policy/guard.c, if no other file is named, to see it fail.
"""

import contextlib
import fcntl
import os
import threading
import time

import pytest

from lab import World, probe, proc
from lab.shout import shout, shouting
from lab.sniff import Sniffer
from lab.snapshot import difference
from lab.world import ECHO4, EXIT4

from test_guard_rig import NETWORKS, WAYS, Machine, bridge, dual, ident, seen_all

KILLSWITCH, ISOLATED, BYPASS, OPEN = 1, 2, 3, 4


@pytest.fixture(scope="module")
def machine():
    """Has a network of every policy on disk."""
    with World() as world:
        machine = Machine(world)
        for number, policy in NETWORKS.items():
            machine.good("CreateNetwork", dual(number, policy))
        yield machine


@pytest.fixture
def tunnel(machine):
    """tailscale0 from now on; reboot before."""
    yield machine.world.tunnel
    machine.world.tunnel.down()


LOST = {"nothing": [], "tables": ["delete_tables"], "rules": ["flush_rules"],
        "both": ["delete_tables", "flush_rules"]}


# Seen to fail: without the routing or the firewall in keep_fences(); without the rules of IPv6.
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("number", [KILLSWITCH, ISOLATED], ids=NETWORKS.get)
def test_each_key_closes(machine, number, lost):
    """Made by hand before there is a daemon, a network of this name leads nowhere, whichever key is
    taken away; without any, all that is sent is seen, so nothing else is in its way."""
    machine.reboot()
    machine.guard()
    for taken in LOST[lost]:
        getattr(machine, taken)()
    packets = machine.sent(machine.by_hand(number))
    if lost == "both":
        assert seen_all(packets)
    else:
        assert packets == []


# Seen to fail: with every network taken for an isolated one.
@pytest.mark.parametrize("number", [BYPASS, OPEN], ids=NETWORKS.get)
def test_what_may_leave_leaves(machine, number):
    machine.reboot()
    machine.guard()
    assert seen_all(machine.sent(machine.by_hand(number)))


def test_without_it_all_leave(machine):
    """The control: what is seen is what a container sends, of any network."""
    machine.reboot()
    for number in NETWORKS:
        assert seen_all(machine.sent(machine.by_hand(number)))


# Seen to fail: with the kinds of items that is_routing() leaves out.
def test_only_what_closes(machine):
    """No link, no way, and no forwarding, which Docker looks at."""
    machine.reboot()
    machine.netns.sysctl("ipv4/ip_forward", 0)
    machine.netns.sysctl("ipv6/conf/all/forwarding", 0)
    before = machine.seen()
    assert "4 networks have their fences" in machine.guard()
    after = machine.seen()
    made = difference(before, after).splitlines()
    for line in made:
        assert line.startswith("nft") or "proto 231" in line, line
        assert " route " not in line or "unreachable" in line, line
    for number in KILLSWITCH, ISOLATED, BYPASS:
        for family in "-4", "-6":
            assert any(f"ip {family} rule: +" in line and "unreachable" in line
                       and bridge(number) in line for line in made), (number, family)
    assert not any("rule: +" in line and bridge(OPEN) in line for line in made)
    assert machine.netns.sysctl("ipv4/ip_forward") == "0"
    # And once more: there is nothing left to do.
    assert "; 0 parts" in machine.guard()
    assert difference(after, machine.seen()) == ""


# Seen to fail: with nft_replace() at every reconciliation in policy/engine.c; and by what was seen at the
# uplink, with tables and rules removed before the first of them.
def test_daemon_takes_over(machine, tunnel):
    """While it starts nothing is open; then all is as it should be, and the exit is taken."""
    machine.reboot()
    machine.guard()
    handles = machine.handles()
    boxes = [machine.by_hand(number) for number in (KILLSWITCH, ISOLATED)]
    with contextlib.ExitStack() as stack:
        wire = stack.enter_context(machine.wire())
        for box in boxes:
            stack.enter_context(shouting(box, WAYS))
        machine.start()
        assert machine.difference() == ""
        # Not even written again.
        assert machine.handles() == handles
        time.sleep(0.3)
        tunnel.up()
        proc.wait_for(lambda: probe.ask(boxes[0], ECHO4) == EXIT4, "way through the tunnel",
                      timeout=30)
        assert probe.ask(boxes[1], ECHO4, timeout=0.5) is None
    assert wire.packets() == []
    assert machine.difference() == ""


def through_tunnel(machine, box):
    with Sniffer(machine.netns, "tailscale0", lambda packet: packet.outgoing) as inner:
        shout(box, WAYS)
    return inner.packets()


# Seen to fail: without store_load_endpoints() in policy/engine.c; with an exit that is there not usable.
def test_networks_without_a_daemon_go_on(machine, tunnel):
    """Run by hand after the daemon was killed: what is there stays, and what was taken away is put back
    as the daemon would, for the network and for one container that differs from it."""
    machine.reboot()
    machine.start()
    tunnel.up()
    box = machine.attached(KILLSWITCH, "e", 3)
    lone = machine.attached(KILLSWITCH, "f", 4, policy="isolated")
    proc.wait_for(lambda: probe.ask(box, ECHO4) == EXIT4, "way through the tunnel", timeout=30)
    machine.kill()
    before = machine.seen()
    assert "; 0 parts" in machine.guard()
    assert difference(before, machine.seen()) == ""
    for taken in machine.delete_tables, machine.flush_rules:
        taken()
        with machine.wire() as wire:
            machine.guard()
            assert seen_all(through_tunnel(machine, box))
            time.sleep(0.2)  # the last words of its connections
            assert through_tunnel(machine, lone) == []
        assert wire.packets() == []
    assert difference(before, machine.seen()) == ""


# Seen to fail: without find_unknown_port().
def test_unknown_container(machine):
    """By what it differs from its network no file tells: nothing is written over its chains."""
    machine.reboot()
    machine.start()
    lone = machine.attached(OPEN, "d", 3, policy="isolated")
    machine.kill()
    other = "--run-dir", machine.path("run", "other")
    before = machine.seen()
    said = machine.guard(*other, status=1)
    assert "interface 'tevdddddddddddd' is of a container" in said and "--run-dir" in said
    assert difference(before, machine.seen()) == ""
    machine.delete_tables()
    machine.flush_rules()
    machine.guard(*other, status=1)
    assert "tailexit" not in machine.netns.run("nft", "list", "tables").stdout
    assert bridge(KILLSWITCH) in machine.netns.ip("-6", "rule")
    machine.guard()
    assert machine.sent(lone) == []
    # Nobody knows better by now.
    os.unlink(machine.path("run", "tailexit", "endpoints", "d" * 64 + ".json"))


# Seen to fail: with store_open(); with what is_temporary() removed, in policy/store.c.
def test_state_is_only_read(machine):
    """Not even what a write that was cut short has left."""
    machine.reboot()
    with open(machine.path("lib", "networks", ".half.json"), "wb") as file:
        file.write(b"{")
    before = machine.state()
    machine.guard()
    assert machine.state() == before and len(before) >= 7
    assert not os.path.exists(machine.path("run", "tailexit"))
    os.unlink(machine.path("lib", "networks", ".half.json"))


@contextlib.contextmanager
def cut_short(path):
    with open(path, encoding="utf-8") as file:
        good = file.read()
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(good[:100])
        yield
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(good)


# Seen to fail: without the error of what was not read; with removals kept in keep_fences().
def test_state_that_cannot_be_read(machine):
    """The others are closed; and what the kernel has of this one, it keeps."""
    name = "networks/" + ident(ISOLATED) + ".json"
    machine.reboot()
    with cut_short(machine.path("lib", name)):
        said = machine.guard(status=1).splitlines()[-1]
        assert said.startswith(f"tailexit guard: state file {name}: line ")
        assert "repair the file" in said
        assert machine.sent(machine.by_hand(KILLSWITCH)) == []
    machine.reboot()
    machine.guard()
    before = machine.seen()
    with cut_short(machine.path("lib", name)):
        machine.guard(status=1)
    # The subnet of bypass shared a rule with the one that nothing is known of: that stays, beside its own.
    new = difference(before, machine.seen()).splitlines()
    assert [line for line in new if "+ 5081:\tfrom 10.80.3.0/24 " not in line] == []


# Seen to fail: with store_open(); with the lock ignored in plugin/guard.c.
def test_nothing_to_do(machine):
    """No state, no networks, or a daemon that takes care of them."""
    machine.reboot()
    before = machine.seen()
    missing, empty = machine.path("missing"), machine.path("empty")
    assert machine.guard("--state-dir", missing) == "" and not os.path.exists(missing)
    os.makedirs(empty, exist_ok=True)
    assert machine.guard("--state-dir", empty) == "" and os.listdir(empty) == []
    assert difference(before, machine.seen()) == ""
    machine.start()
    with machine.paused():
        machine.flush_rules()
        before = machine.seen()
        said = machine.guard()
        assert said.count("\n") == 1
        assert "a daemon works in " + machine.path("run", "tailexit") in said
        assert difference(before, machine.seen()) == ""
    proc.wait_for(lambda: machine.difference() == "", "repair")


# Seen to fail: without LOCKS_PATIENCE_MS in plugin/serve.c.
def test_daemon_waits(machine):
    """For the locks, which are taken for a moment."""
    machine.reboot()
    os.makedirs(machine.path("run", "tailexit"))
    for directory in machine.path("run", "tailexit"), machine.path("lib"):
        lock = os.open(directory, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.3, os.close, [lock]).start()
    machine.start()
    assert machine.difference() == ""


# Seen to fail: with a pause of 300 ms for each network. A machine with nothing else to do takes about 20 ms,
# most of which is the start of a program, and one more for each network; see the output of -s.
@pytest.mark.parametrize("networks", [1, 100])
def test_time(networks, record_property):
    with World() as world:
        machine = Machine(world)
        for number in range(networks):
            machine.good("CreateNetwork", dual(number, "killswitch"))
        # The kernel changes links and routes of all namespaces one after the other, and others are at it;
        # once in three times there is room. In time for the unit's TimeoutStartSec, and with sanitizers.
        for _ in range(3):
            machine.reboot()
            start = time.monotonic()
            machine.guard()
            took = time.monotonic() - start
            if took < 20:
                break
        record_property("milliseconds", round(took * 1000))
        print(f"{networks} networks: {took * 1000:.0f} ms")
        assert took < 20
