# SPDX-License-Identifier: GPL-2.0-or-later
"""What containers do themselves: start, pose as somebody else, lead their neighbours astray."""

import contextlib
import json
import socket
import struct
import time

from lab import proc
from lab.docker import Container
from lab.image import NAME
from lab.shout import forge
from lab.sniff import ICMPV6
from lab.world import DNS4, HOST4, HOST6, ISP4, LAN4, LAN6

from .fault import Fault

# Sends as soon as it exists, for as long as a network may take to become whatever it becomes.
EAGER = """for n in 1 2 3 4 5 6; do
    for a in {0} {1}; do
        ping -c1 -W1 $a & nc -w1 $a 80 < /dev/null & nc -u -w1 $a 443 < /etc/passwd &
    done
    nslookup example.org {0} &
    sleep 0.03
done > /dev/null 2>&1"""


def start_eager(stage, subject):
    stage.host.docker("run", "--rm", "--network", subject.name, "--dns", DNS4, NAME, "sh", "-c",
                      EAGER.format(*subject.targets))


def cold_starts(count):
    """With the tunnel down."""
    def do(stage):
        stage.tunnel.down()
        for number in range(count):
            start_eager(stage, stage.subject(("killswitch", "closed", "isolated")[number % 3]))
    return do


def recreate(stage):
    """Another network, with the same name and the same addresses."""
    subject = stage.subject("closed")
    stage.host.docker("rm", "-f", "of-" + subject.name)
    subject.net.remove()
    subject.create(stage.docker)


def forge_everything(stage):
    free = stage.control
    for subject in stage.subjects:
        if not subject.confined:
            continue
        sources = [HOST4, LAN4, ISP4, free.box.ip(free.net), HOST6, LAN6, free.box.ip6(free.net)]
        for source in sources:
            forge(subject.box.netns, source, subject.targets[":" in source])


def i_am_your_router():
    return struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 600, 0, 0)


def the_gateway_is_me(gateway, mac):
    """An unsolicited answer, to be believed at once."""
    target, link = socket.inet_pton(socket.AF_INET6, gateway), bytes.fromhex(mac.replace(":", ""))
    return struct.pack("!BBHI16sBB6s", 136, 0, 0, 0x20000000, target, 2, 1, link)


def advertise(raw, messages, scope):
    with contextlib.suppress(OSError):  # the address to send from is too young
        return all([raw.sendto(message, ("ff02::1", 0, 0, scope)) for message in messages])
    return False


@contextlib.contextmanager
def raw_socket(box):
    with box.netns.inside():
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, ICMPV6)
    with raw:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        yield raw


def rogue_router(stage):
    """A neighbour that is on an open network as well offers itself to everybody, the host included."""
    subject = stage.subject("killswitch")
    stage.host.docker("run", "-d", "--name", "rogue", "--network", subject.name, "--dns", DNS4, NAME)
    stage.docker.api("POST", "/networks/open/connect", {"Container": "rogue"})
    rogue = Container(stage.docker, "rogue")
    rogue.netns.sysctl("ipv6/conf/all/forwarding", 1)
    rogue.netns.run("ip", "-6", "route", "replace", "default", "via", stage.control.subnet6 + ":1")
    link = json.loads(rogue.netns.ip("-j", "link", "show", "eth0"))[0]
    messages = [i_am_your_router(), the_gateway_is_me(subject.subnet6 + ":1", link["address"])]
    with raw_socket(rogue) as raw:
        proc.wait_for(lambda: advertise(raw, messages, link["ifindex"]), "link-local address")
        for _ in range(5):
            time.sleep(0.1)
            advertise(raw, messages, link["ifindex"])


def rogue_gone(stage):
    stage.host.docker("rm", "-f", "rogue")


def second_network(stage):
    """As apps share one; it must not bring a way out."""
    stage.docker.api("POST", "/networks/isolated/connect", {"Container": "of-killswitch"})


def second_network_gone(stage):
    stage.docker.api("POST", "/networks/isolated/disconnect", {"Container": "of-killswitch"})


def faults(length):
    starts = length(3, 1000, shared=True)
    return [
        # Seen to fail: without the last rule of a killswitch in egress.c, the backstop of its path in path.c
        # and the fence in links.c.
        Fault(f"{starts} cold starts, tunnel down", "1", cold_starts(starts),
              lambda stage: stage.tunnel.up(), alone=True),
        # Seen to fail: without the rules "forged source" in mark.c and guard.c: what is refused is then
        # answered to whom they name.
        Fault("forged sources", "13", forge_everything, alone=True),
        # Seen to fail: without refuse_routers() in guard.c, and without its last rule.
        Fault("a neighbour as router", "12", rogue_router, rogue_gone, alone=True),
        # Seen to fail: when the second network with the same subnet is an open one, whatever it was told.
        Fault("network recreated", "19", recreate, alone=True),
        # Seen to fail: when Join offers a gateway on an isolated network as well, and what that network's
        # chains refuse is all from the address of its first container.
        Fault("isolated network attached", "5", second_network, second_network_gone, alone=True),
    ]
