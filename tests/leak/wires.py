# SPDX-License-Identifier: GPL-2.0-or-later
"""Where packets are seen: on the ISP's wire, and behind the exit. Counted by whose they are, by the kind
and by the family."""

import struct
import threading
from collections import Counter

from lab.sniff import ICMP, ICMPV6, TCP, UDP, Sniffer
from lab.uplink import is_envelope, is_own_noise, is_refusal

from .subject import ESTABLISHED

KINDS = "tcp", "udp", "quic", "dns", "ping", "large", "begun", "other"
FRAGMENT6 = 44
PORTS = {ESTABLISHED: "begun", 443: "quic", 53: "dns", 853: "dns"}


def kind_of(packet):
    if packet.proto == FRAGMENT6 or "." in packet.dst and struct.unpack("!H", packet.data[6:8])[0] & 0x3FFF:
        return "large"
    if packet.proto in (ICMP, ICMPV6):
        return "ping" if packet.payload[0] in (8, 128) else "other"
    name = {TCP: "tcp", UDP: "udp"}.get(packet.proto, "other")
    return PORTS.get(packet.dport, name)


class Wires:
    """with Wires(world, subjects) as wires: ...; wires.uplink and wires.exit count by
    (name, kind, 4 or 6); what belongs to nobody is in wires.strays."""

    def __init__(self, world, subjects):
        self.owners = {target: subject.name for subject in subjects for target in subject.targets}
        # Not bound to the link: it is another one after a power cut.
        self._uplink = Sniffer(world.isp, match=lambda packet: packet.link == "lan-host" and not (
            packet.outgoing or is_envelope(packet) or is_own_noise(packet)))
        self._exit = Sniffer(world.exit, "wan0",
                             lambda packet: packet.outgoing and packet.dst in self.owners)
        self.uplink, self.exit, self.strays, self.refusals = Counter(), Counter(), [], []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._error = None

    def _watch(self):
        """All the time, so that no buffer overflows."""
        try:
            while not self._over.wait(0.03):
                self._look()
            self._look()
        except AssertionError as error:
            self._error = error

    def _take(self, sniffer, counter):
        packets = list(sniffer.packets())
        sniffer.seen.clear()
        for packet in packets:
            owner = self.owners.get(packet.dst)
            if is_refusal(packet):
                self.refusals.append(packet)
            elif owner:
                counter[owner, kind_of(packet), 6 if ":" in packet.dst else 4] += 1
            else:
                self.strays.append(packet)

    def _look(self):
        self._take(self._uplink, self.uplink)
        self._take(self._exit, self.exit)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
        for sniffer in self._uplink, self._exit:
            sniffer.socket.close()
        if self._error:
            raise self._error


def of(counter, name):
    """How many packets of one subject."""
    return sum(number for (owner, _, _), number in counter.items() if owner == name)
