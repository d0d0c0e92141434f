# SPDX-License-Identifier: GPL-2.0-or-later
"""What others have set up that is in our way is named by `tailexit status`, with what to do about it.
"""

import contextlib

import pytest

from lab import probe, proc
from lab.world import ECHO4, EXIT4, HOST4, LAN4

from test_policy_rig import host_status, killswitch, tunnel  # noqa: F401

ENGINE = "sid"


def warnings(host):
    return host_status(host)["warnings"]


@contextlib.contextmanager
def done(host, command, undo):
    host.run("sh", "-c", command)
    try:
        yield
    finally:
        host.run("sh", "-c", undo)


FOREIGN = [
    # Without a priority it lands in front of everybody's.
    ("ip rule add from all lookup 123", "ip rule del lookup 123",
     ["from all lookup 123", "ip rule del pref"]),
    ("ip rule add from all lookup 123 pref 100", "ip rule del lookup 123",
     ['"100: from all lookup 123" of IPv4', "ip rule del pref 100", "ip rule add pref 5300"]),
    ("ip -6 rule add not fwmark 0xca6c lookup 51820 pref 4999", "ip -6 rule del lookup 51820",
     ["4999: not from all fwmark 0xca6c lookup 51820", "ip -6 rule del pref 4999"]),
    ("ip rule add from 10.81.0.0/16 lookup 123 pref 5050", "ip rule del lookup 123",
     ["from 10.81.0.0/16 lookup 123"]),
    ("ip route add 8.8.8.0/24 dev lan0 table 2113929217",
     "ip route del 8.8.8.0/24 table 2113929217",
     ["a route to 8.8.8.0/24 into table 2113929217",
      "ip route del 8.8.8.0/24 table 2113929217 metric 0"]),
    ("nft 'add table inet mullvad; add chain inet mullvad forward "
     "{ type filter hook forward priority 0; policy drop; }'", "nft delete table inet mullvad",
     ["chain forward of table inet mullvad", "nft add rule inet mullvad forward iifname"]),
    ("sysctl -qw net.ipv4.conf.tailscale0.rp_filter=1",
     "sysctl -qw net.ipv4.conf.tailscale0.rp_filter=0",
     ["rp_filter of tailscale0 is 1", "sysctl -w net.ipv4.conf.tailscale0.rp_filter=2"]),
]


@pytest.mark.parametrize("command, undo, words", FOREIGN)
def test_who_is_in_the_way(docker, tunnel, command, undo, words):
    box, _ = killswitch(docker)
    assert warnings(docker.host) == [] and box.ask(ECHO4) == EXIT4
    with done(docker.host, command, undo):
        if "rp_filter" in command:
            assert box.ask(ECHO4, timeout=0.5) is None
        said = warnings(docker.host)
        assert len(said) == 1
        assert all(word in said[0] for word in words), said
        assert "warning: " + said[0] in docker.host.run("tailexit", "status").stdout
        if "sysctl" not in command:
            # Nobody has to ask.
            proc.wait_for(lambda: said[0] in docker.host.tailexit.log(), "line in the log")
    assert warnings(docker.host) == []


def test_a_reverse_path_filter_of_the_uplink(docker, world, tunnel):
    """The strict one; with the loose one there is nothing to be said."""
    killswitch(docker, argv=["-p", "8080:80"])
    with done(docker.host, "sysctl -qw net.ipv4.conf.all.rp_filter=1",
              "sysctl -qw net.ipv4.conf.all.rp_filter=0"):
        assert probe.ask(world.lan, HOST4, 8080, timeout=0.5) is None
        said = warnings(docker.host)
        assert [line.split(":")[0] for line in said] == ["rp_filter of tailscale0 is 1",
                                                         "rp_filter of lan0 is 1"]
        for line in said:
            docker.host.run("sh", "-c", line.split("less strict: ")[1].replace("-w", "-qw"))
        assert probe.ask(world.lan, HOST4, 8080) == LAN4
        assert warnings(docker.host) == []
    docker.host.run("sh", "-c", "sysctl -qw net.ipv4.conf.tailscale0.rp_filter=0 "
                    "net.ipv4.conf.lan0.rp_filter=0")


def test_a_flowtable(docker, tunnel):
    killswitch(docker)
    try:
        docker.host.run("nft", "add table inet fast; add flowtable inet fast ft "
                        "{ hook ingress priority 0; devices = { lan0 }; }")
    except proc.Failed:
        docker.host.run("nft", "delete", "table", "inet", "fast", check=False)
        pytest.skip("this kernel has no flowtables")
    try:
        said = warnings(docker.host)
        assert len(said) == 1 and "flowtable ft of table inet fast" in said[0]
        assert '"flow add @ft"' in said[0]
    finally:
        docker.host.run("nft", "delete", "table", "inet", "fast")


HARMLESS = [
    ("ip rule add from all lookup 123 pref 6000", "ip rule del lookup 123"),
    ("ip rule add to 192.168.0.0/16 lookup main pref 2500", "ip rule del pref 2500"),
    ("ip rule add from 172.31.0.0/16 lookup 123 pref 100", "ip rule del pref 100"),
    ("ip rule add fwmark 0x77 lookup 123 pref 100", "ip rule del pref 100"),
    ("ip rule add iif lo lookup 123 pref 100", "ip rule del pref 100"),
    ("nft 'add table inet mine; add chain inet mine f { type filter hook forward priority 0; "
     "policy drop; }; add rule inet mine f iifname \"te-*\" accept'", "nft delete table inet mine"),
]


# Which rules are in the way is tested without a kernel as well: tests/unit/test_foreign_rule.c.
@pytest.mark.parametrize("command, undo", HARMLESS)
def test_who_is_not(docker, tunnel, command, undo):
    box, _ = killswitch(docker)
    with done(docker.host, command, undo):
        assert warnings(docker.host) == []
        if "mine" not in command:
            assert box.ask(ECHO4) == EXIT4
