# SPDX-License-Identifier: GPL-2.0-or-later
"""What each policy is for, what is refused, and what is told about it. That nothing leaves otherwise
is in test_policy_leaks.py.

Next to each test: what was taken out of the daemon to see it fail.
"""

import pytest

from lab import probe, proc
from lab.world import ECHO4, EXIT4, HOST4, LAN4

from test_policy_rig import (BY_EXIT, BY_UPLINK, DNS, DUAL, ask_all, killswitch, run,  # noqa: F401
                             status, tunnel)

ENGINE = "in turn"


# Seen to fail: without the exit's address in translate.c.
def test_a_plain_network_is_a_killswitch_through_tailscale0(docker, tunnel):
    docker.host.docker("network", "create", "-d", "tailexit", *DUAL, "vpn")
    box = docker.run("vpn", *DNS)
    docker.run("vpn", *DNS, name="friend")
    assert ask_all(box) == BY_EXIT
    assert box.execute("ping", "-c1", "-W1", "friend")


# Seen to fail: without the exit's address in translate.c.
def test_several_networks_take_their_own_ways(docker, tunnel):
    """Those with the same exit share its table."""
    boxes = {policy: docker.run(docker.network("tailexit", "-o", "policy=" + policy), *DNS)
             for policy in ("killswitch", "bypass", "open")}
    docker.host.docker("network", "create", "-d", "tailexit", "-o", "tailexit.policy=killswitch",
                       "twin")
    boxes["twin"] = docker.run("twin", *DNS)

    def ways():
        return {name: box.ask(ECHO4, timeout=0.5) for name, box in boxes.items()}

    uplink, through = BY_UPLINK[0], EXIT4
    assert ways() == {"killswitch": through, "bypass": uplink, "open": uplink, "twin": through}
    tunnel.exit_node(True)
    assert ways() == {"killswitch": through, "bypass": uplink, "open": through, "twin": through}
    boxes.pop("twin").remove()
    docker.host.docker("network", "rm", "twin")
    assert ways() == {"killswitch": through, "bypass": uplink, "open": through}


# Seen to fail: with chains called "mark" and "reject", which are words of nft's.
def test_what_nft_lists_can_be_loaded(docker, tunnel):
    """As by who saves the rules of a host: ours must not keep the others' from loading."""
    for policy in "killswitch", "bypass", "open", "isolated":
        docker.run(docker.network("tailexit", "-o", "policy=" + policy), *DNS, "-p", "80")
    for family in "inet", "bridge":
        text = docker.host.run("nft", "list", "table", family, "tailexit").stdout
        docker.host.run("unshare", "--net", "nft", "-f", "-", input=text)


# Seen to fail: marked as open.
def test_bypass_while_the_host_uses_the_exit_node(docker, world, tunnel):
    tunnel.exit_node(True)
    assert probe.ask(world.host, ECHO4) == EXIT4
    box, _ = run(docker, "policy=bypass")
    assert ask_all(box) == BY_UPLINK
    # The tailnet stays in the tunnel.
    assert probe.ping(box.netns, "100.64.0.1") and probe.ping(box.netns, "fd7a:115c:a1e0::1")
    assert box.ask(LAN4) == HOST4


# Seen to fail: with a gateway in policy_attachment().
def test_isolated_reaches_nothing_but_its_neighbours(docker):
    net = docker.network("tailexit", "-o", "policy=isolated", *DUAL)
    one, two = docker.run(net, *DNS), docker.run(net, *DNS, name="two")
    assert one.ask(two.ip(net)) and one.ask(two.ip6(net))
    assert one.execute("ping", "-c1", "-W1", "two")
    for family in "-4", "-6":
        assert one.netns.ip(family, "route", "show", "default") == ""
    assert "docker_gwbridge" not in docker.host.docker("network", "ls")


# Seen to fail: with a gateway in policy_attachment().
def test_isolated_as_the_second_network_that_applications_share(docker, tunnel):
    """Each leaves by its own first network, and finds the other by name."""
    shared = docker.network("tailexit", "-o", "policy=isolated")
    boxes = []
    for policy in "killswitch", "bypass":
        box = docker.run(docker.network("tailexit", "-o", "policy=" + policy), *DNS, name=policy)
        docker.host.docker("network", "connect", shared.name, box.name)
        boxes.append(box)
    assert [box.ask(ECHO4) for box in boxes] == [EXIT4, BY_UPLINK[0]]
    assert boxes[0].execute("wget", "-qO-", "http://bypass/").split()[0] == boxes[0].ip(shared)
    tunnel.down()
    assert boxes[0].ask(ECHO4) is None
    assert boxes[0].execute("wget", "-qO-", "http://bypass/").split()[0] == boxes[0].ip(shared)


# Seen to fail: always open.
def test_status_follows_the_tunnel(docker, tunnel):
    box, net = killswitch(docker, "via=wg7,tailscale0")
    assert box.ask(ECHO4) == EXIT4
    seen = status(docker.host, net)
    assert (seen["open"], seen["exit"], seen["endpoints"]) == (True, "tailscale0", 1)
    tunnel.down()
    proc.wait_for(lambda: not status(docker.host, net)["open"], "closed")
    assert box.ask(ECHO4) is None
    seen = status(docker.host, net)
    assert "exit" not in seen and "no exit is up" in seen["why"]
    text = docker.host.run("tailexit", "status").stdout
    assert "closed" in text and "via wg7,tailscale0" in text


@pytest.mark.parametrize("option, reason", [
    ("policy=killswich", "use killswitch, bypass, isolated or open"),
    ("via=wg 0", "is not an interface name"),
    ("via=te-0123456789ab", "is no exit but an interface of this host's own"),
    ("lan=0.0.0.0/0", "reply, off, on"),
    ("viia=wg0", 'did you mean "via"?'),
    ("dns=auto", "strict, docker"),
    ("mark=1", "marks nothing"),
    ("host=70000", "off, on, or a list of ports"),
    ("tailnet=yes", "neither on nor off"),
])
def test_bad_options_say_why(docker, option, reason):
    with pytest.raises(proc.Failed) as refusal:
        docker.host.docker("network", "create", "-d", "tailexit", "-o", option, "bad")
    assert reason in refusal.value.stderr


@pytest.mark.parametrize("subnet, reason", [
    ("100.64.7.0/24", "belongs to Tailscale"), ("192.168.77.128/25", "the host's route"),
    ("10.81.0.0/25", "overlap"),
])
def test_bad_subnets_say_why(docker, subnet, reason):
    docker.network("tailexit", "--subnet", "10.81.0.0/24")
    with pytest.raises(proc.Failed) as refusal:
        docker.host.docker("network", "create", "-d", "tailexit", "--subnet", subnet, "bad")
    assert reason in refusal.value.stderr
