# SPDX-License-Identifier: GPL-2.0-or-later
"""What conntrack makes nothing of is not translated: it leaves nowhere where addresses are translated.

Next to each test: what was taken out of the daemon to see it fail.
"""

import pytest

from lab import proc
from lab.shout import forge
from lab.sniff import Sniffer
from lab.world import ECHO4, ECHO6

from test_policy_leaks import in_the_tunnel, settled
from test_policy_rig import run, status, tunnel, uplink  # noqa: F401

ENGINE = "bookworm"


def own_packets(box, net, damaged):
    """From its own addresses into the world."""
    for source, target in (box.ip(net), ECHO4), (box.ip6(net), ECHO6):
        forge(box.netns, source, target, damaged=damaged)


# Seen to fail: without not_untranslated().
@pytest.mark.parametrize("policy", ["open", "bypass", "killswitch"])
def test_nothing_leaves_untranslated(docker, world, tunnel, policy):
    """What conntrack calls invalid is not translated."""
    box, net = run(docker, "policy=" + policy)
    own = {box.ip(net), box.ip6(net)}
    with uplink(world) as wire, in_the_tunnel(tunnel) as inside:
        own_packets(box, net, damaged=False)
        way = inside if policy == "killswitch" else wire
        proc.wait_for(lambda: {packet.dst for packet in way.packets()} >= {ECHO4, ECHO6},
                      "packets that are not damaged")
        settled(way)
        own_packets(box, net, damaged=True)
        proc.wait_for(lambda: status(docker.host, net)["drops"]["invalid"] >= 2 or own & {
            packet.src for packet in wire.packets() + inside.packets()}, "end of damaged packets")
    assert not own & {packet.src for packet in wire.packets() + inside.packets()}
    assert status(docker.host, net)["drops"]["invalid"] == 2


# Seen to fail: not_untranslated() before between_containers(), and for routed networks as well.
def test_what_nobody_translates_passes(docker, world):
    """Inside of a network, and out of a routed one: another way may have seen the rest of it."""
    routed = [f"com.docker.network.bridge.gateway_mode_ipv{version}=routed" for version in (4, 6)]
    box, net = run(docker, "policy=open", *routed)
    other = docker.run(net)
    with uplink(world) as wire, Sniffer(other.netns, "eth0") as inside:
        own_packets(box, net, damaged=True)
        forge(box.netns, box.ip(net), other.ip(net), damaged=True)
        proc.wait_for(lambda: {packet.dst for packet in wire.packets()} >= {ECHO4, ECHO6},
                      "packets of a routed network")
        proc.wait_for(lambda: [packet for packet in inside.packets() if packet.sport == 4000],
                      "packet inside of the network")
