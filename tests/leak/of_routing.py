# SPDX-License-Identifier: GPL-2.0-or-later
"""Others change routes and the rules that choose among them."""

from lab.world import HOST4, HOST6, ROUTER4, ROUTER6

from .fault import Fault, commands

FAMILIES = "-4", "-6"
# Without these the host itself has no routes.
FLUSH_RULES = ["rule flush", "rule add pref 32766 table main", "rule add pref 32767 table default"]


def flush_rules(stage):
    stage.batch(*FAMILIES, lines=FLUSH_RULES)


def tailscale_rules(stage):
    """Those of the tunnel's own daemon, which it would see to."""
    stage.tunnel.rules()


def flush_all_routes(stage):
    """Even the kernel's own, which nobody but the host's administrator can put back."""
    for family in FAMILIES:
        stage.host.run("ip", family, "route", "flush", "table", "all", check=False)


def restart_networking(stage):
    """Links that go up bring the kernel's routes with them."""
    host = stage.host.netns
    stage.tunnel.down()
    for link in "lo", "lan0":
        host.ip("link", "set", link, "down")
    host.ip("addr", "flush", "dev", "lan0")
    for link in "lo", "lan0":
        host.ip("link", "set", link, "up")
    host.address("lan0", HOST4 + "/24", HOST6 + "/64")
    for gateway in ROUTER4, ROUTER6:
        host.ip("route", "replace", "default", "via", gateway)
    for subject in stage.subjects:
        stage.batch("-4", lines=[f"link set {subject.bridge} down", f"link set {subject.bridge} up"])
    stage.tunnel.up()


def shadow(stage):
    """A better default route in the table of the path, by the uplink."""
    stage.run("ip route add default via %s dev lan0 metric 1 table {path}" % ROUTER4,
              "ip -6 route add default via %s dev lan0 metric 1 table {path}" % ROUTER6)


def unshadow(stage):
    stage.run("ip route del default via %s dev lan0 metric 1 table {path}" % ROUTER4,
              "ip -6 route del default via %s dev lan0 metric 1 table {path}" % ROUTER6)


def trap(stage, *pref):
    for family in FAMILIES:
        stage.host.run("ip", family, "rule", "add", *pref, "lookup", "main")


def untrap(stage, *pref):
    for family in FAMILIES:
        stage.host.run("ip", family, "rule", "del", *pref, "lookup", "main", check=False)


def faults(_length):
    # Seen to fail: "ip rule flush" and all that put something in front, without the last rule of a
    # killswitch in egress.c. Where one object goes, two more are in the way; these fail when the repair
    # does not come or is not counted.
    return [
        Fault("ip rule flush", "10", flush_rules, tailscale_rules, repaired=True),
        Fault("fence deleted", "10", lambda stage: stage.batch(*FAMILIES, lines=["rule del pref 5082"]),
              repaired=True),
        Fault("rule of the path deleted", "10", lambda stage: stage.batch(
            *FAMILIES, lines=["rule del pref 5020"]), repaired=True),
        Fault("routes of the path flushed", "10", lambda stage: stage.batch(
            *FAMILIES, lines=["route flush table {path}"]), repaired=True),
        Fault("routes to the networks flushed", "10", lambda stage: stage.batch(
            *FAMILIES, lines=["route flush table {local}"]), repaired=True),
        Fault("ip route flush table all", "10", flush_all_routes, restart_networking, alone=True),
        Fault("default route by the uplink put in front", "10", shadow, unshadow, alone=True),
        Fault("rule put in front", "10", lambda stage: trap(stage, "pref", "1"),
              lambda stage: untrap(stage, "pref", "1"), alone=True),
        Fault("rule without a priority", "10", trap, untrap, alone=True),
        Fault("forwarding switched off", "10", commands("sysctl -qw net.ipv4.ip_forward=0"),
              repaired=True),
    ]
