# SPDX-License-Identifier: GPL-2.0-or-later
"""Where containers may go is judged on the ISP's wire: everything that comes out of the host, but for
what carries its tunnels. Every test that nothing leaves first lets the same packets leave from a
network that may (the positive control), so that a silent wire means something."""

import contextlib
import time

from . import proc
from .shout import BIG, Shot, shout
from .uplink import uplink
from .world import DNS4, DNS6, ECHO4, ECHO6, EXIT4, EXIT6, LAN4, LAN6, ROUTER4, ROUTER6

# Nobody answers at these: their packets leave in fragments.
BIG4, BIG6 = ["192.0.2.81", "192.0.2.82"], ["2001:db8:80::81", "2001:db8:80::82"]
METADATA = "169.254.169.254"

WORLD = [Shot(proto, dst, port) for dst in (ECHO4, ECHO6)
         for proto, port in (("tcp", 80), ("udp", 80), ("udp", 443), ("ping", 0))]
NAMES = [Shot(proto, dst, port) for dst in (DNS4, DNS6, ROUTER4)
         for proto, port in (("udp", 53), ("tcp", 53), ("tcp", 853), ("udp", 853))]
LARGE = [Shot(proto, dst, port, BIG) for proto, port, dst in
         [("udp", 80, BIG4[0]), ("ping", 0, BIG4[1]), ("udp", 80, BIG6[0]), ("ping", 0, BIG6[1])]]
NEARBY = [Shot(proto, dst, 80) for dst in (LAN4, LAN6, ROUTER6, METADATA) for proto in ("tcp", "udp")]
# The other end of the tunnel, outside of the tunnel.
PINHOLE = [Shot("udp", EXIT4, 51820), Shot("tcp", EXIT4, 51820), Shot("udp", EXIT6, 51820)]
EVERYTHING = WORLD + NAMES + LARGE + NEARBY + PINHOLE


class Judge:
    """free: a container that may go where it likes, on net."""

    def __init__(self, world, free, net):
        self.world, self.free, self.net = world, free, net

    def control(self, send, shots):
        with uplink(self.world) as wire:
            send()

            def missed():
                return [shot for shot in shots if not shot.seen_in(wire.packets())]

            with contextlib.suppress(TimeoutError):
                proc.wait_for(lambda: not missed(), "positive control", timeout=3)
            assert not missed(), "not even the positive control was seen"
        with uplink(self.world) as wire:
            proc.wait_for(lambda: self.quiet(wire), "silence")

    @staticmethod
    def quiet(wire):
        before = len(wire.packets())
        time.sleep(0.05)
        return len(wire.packets()) == before

    @contextlib.contextmanager
    def silent(self, shots=(), **options):
        """with silent(...) as fire: fire(box), or fire(netns), sends what was just seen to leave another
        network; nothing at all leaves during the block."""
        shots = shots or EVERYTHING
        self.control(lambda: shout(self.free.netns, shots, **options), shots)
        with uplink(self.world) as wire:
            yield lambda sender: shout(getattr(sender, "netns", sender), shots, **options)
        assert wire.packets() == []
