# SPDX-License-Identifier: GPL-2.0-or-later
"""A tunnel that comes and goes: closed at once, opened at once, moved back when it has settled.

Next to a test: what was taken out of the daemon to see it fail.
"""

import contextlib
import statistics
import threading
import time

from lab import proc
from lab.probe import open_socket
from lab.sniff import Sniffer
from lab.uplink import uplink
from lab.world import ECHO4, EXIT4, OTHER4

from test_policy_rig import (judge, killswitch, other_tunnel, status, tunnel)  # noqa: F401

ENGINE = "trixie"


def takeovers(host, mark):
    return host.tailexit.log()[mark:].count("takes over from")


def way(box):
    return box.ask(ECHO4, timeout=0.3)


# Seen to fail: with rests_back() always false (back at once, and once for every flap).
def test_back_to_the_preferred_one_when_it_has_settled(docker, tunnel, other_tunnel):
    box, net = killswitch(docker, "via=wg1,tailscale0")
    assert way(box) == OTHER4
    mark = len(docker.host.tailexit.log())
    for _ in range(3):
        other_tunnel.set("down")
        proc.wait_for(lambda: status(docker.host, net)["exit"] == "tailscale0", "the second exit")
        other_tunnel.set("up")
        time.sleep(0.3)
    assert takeovers(docker.host, mark) == 1
    assert way(box) == EXIT4
    # It was lost three times: 8 seconds.
    start = time.monotonic()
    proc.wait_for(lambda: status(docker.host, net)["exit"] == "wg1", "the first exit", timeout=20)
    assert time.monotonic() - start > 4
    proc.wait_for(lambda: way(box) == OTHER4, "the first exit")
    assert takeovers(docker.host, mark) == 2


# What is taken out to see it fail is in tests/unit/test_foreign_rule.c.
def test_one_that_rests_is_better_than_none(docker, tunnel, other_tunnel):
    box, net = killswitch(docker, "via=wg1,tailscale0")
    for _ in range(2):
        other_tunnel.set("down")
        proc.wait_for(lambda: status(docker.host, net)["exit"] == "tailscale0", "the second exit")
        other_tunnel.set("up")
    tunnel.down()
    proc.wait_for(lambda: way(box) == OTHER4, "the first exit", timeout=1.5)
    # And it keeps it, resting or not, when the other one is back.
    mark = len(docker.host.tailexit.log())
    tunnel.up()
    time.sleep(5)
    assert status(docker.host, net)["exit"] == "wg1"
    assert takeovers(docker.host, mark) == 0


@contextlib.contextmanager
def clock(box):
    """A packet every millisecond that says when it was sent."""
    over = threading.Event()

    def send():
        with open_socket(box.netns, ECHO4, 2) as client:
            client.setblocking(False)
            while not over.wait(0.001):
                with contextlib.suppress(OSError):
                    client.sendto(b"at %d\n" % time.monotonic_ns(), (ECHO4, 7))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def first_packet(tunnel, box):
    """Milliseconds from the command that brings the tunnel up to when the first packet was sent that
    went through."""
    def matches(packet):
        return packet.link == tunnel.link and b"at " in packet.payload

    # On all links: one that is down can be bound to, but not read from.
    with Sniffer(tunnel.world.host, match=matches) as inside:
        start = time.monotonic_ns()
        tunnel.set("up")
        proc.wait_for(inside.packets, "packet", step=0.01)
    sent = int(inside.packets()[0].payload.split(b"at ")[1].split()[0])
    return (sent - start) / 1e6


def test_the_first_packet_follows_the_tunnel_at_once(docker, world, tunnel):
    """And no flow of before keeps the path, or finds another one."""
    box, _ = killswitch(docker)
    times = []
    with uplink(world) as wire, clock(box):
        for _ in range(7):
            tunnel.set("down")
            time.sleep(0.2)
            times.append(first_packet(tunnel, box))
            time.sleep(0.1)
    print("first packets after", [round(ms) for ms in times], "median", statistics.median(times))
    assert statistics.median(times) < 1000
    assert wire.packets() == []
