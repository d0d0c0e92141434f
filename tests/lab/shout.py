# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of every kind sent out of a namespace at once, for a sniffer to see or not to see. Nobody
waits for answers; what the sender's own kernel refuses is refused."""

import contextlib
import socket
import struct
import threading
import time
from typing import NamedTuple

from . import probe, proc
from .sniff import ICMP, ICMPV6, TCP, UDP

LINGER_NOT = struct.pack("ii", 1, 0)
BIG = 8000
NUMBERS = {"tcp": TCP, "udp": UDP}


class Shot(NamedTuple):
    """proto: tcp, udp or ping; size above 1400: leaves in fragments."""
    proto: str
    dst: str
    port: int = 0
    size: int = 2

    def seen_in(self, packets):
        """Fragments but the first have no ports."""
        return any(packet.dst == self.dst and (
            self.size > 1400 or packet.proto in (ICMP, ICMPV6) and self.proto == "ping"
            or packet.proto == NUMBERS.get(self.proto) and packet.dport == self.port)
            for packet in packets)


def _open(netns, shot, source_port):
    v6 = ":" in shot.dst
    family = socket.AF_INET6 if v6 else socket.AF_INET
    with netns.inside():
        if shot.proto == "ping":
            # Also where the kernel lets nobody use its ping sockets.
            client = socket.socket(family, socket.SOCK_RAW, ICMPV6 if v6 else ICMP)
        else:
            client = socket.socket(family, socket.SOCK_STREAM if shot.proto == "tcp"
                                   else socket.SOCK_DGRAM)
    client.setblocking(False)
    if shot.proto == "tcp":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
    else:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if not v6:
            # Otherwise nobody would forward it.
            client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
    if source_port and shot.proto != "ping":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        client.bind(("", source_port))
    return client


def _fire(client, shot, scope):
    target = (shot.dst, shot.port, 0, scope) if ":" in shot.dst else (shot.dst, shot.port)
    data = (probe.PING6 if ":" in shot.dst else probe.PING4) if shot.proto == "ping" else b"?\n"
    data += bytes(max(0, shot.size - len(data)))
    with contextlib.suppress(OSError):
        if shot.proto == "tcp":
            client.connect(target)
        else:
            client.sendto(data, target)


def shout(netns, shots, *, source_port=None, link="eth0", seconds=0.3):
    """link: for addresses that belong to one, such as multicast."""
    with contextlib.ExitStack() as stack:
        with netns.inside():
            try:
                scope = socket.if_nametoindex(link)
            except OSError:
                scope = 0
        for shot in shots:
            client = stack.enter_context(_open(netns, shot, source_port))
            _fire(client, shot, scope if shot.dst.startswith(("fe80:", "ff02:")) else 0)
        time.sleep(seconds)


@contextlib.contextmanager
def shouting(netns, shots, seconds=0.005):
    """Again and again, as long as the block lasts."""
    over = threading.Event()
    rounds = []

    def send():
        while not over.is_set():
            shout(netns, shots, seconds=seconds)
            rounds.append(1)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        proc.wait_for(lambda: rounds, "traffic")
        yield
    finally:
        over.set()
        thread.join()
    assert len(rounds) > 1


def _checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


TENTATIVE = 0x40


def _may_solicit():
    """No address of this namespace is still being checked for a duplicate: a link-local one that is may
    not ask for the next hop's link address, and what waits for the answer is lost."""
    with open("/proc/thread-self/net/if_inet6", encoding="ascii") as file:
        return not any(int(line.split()[4], 16) & TENTATIVE for line in file)


def datagram(source, target, port=80, source_port=4000, damaged=False):
    """A UDP packet from its IP header on, with this source address, whoever's it is."""
    v6 = ":" in source
    family = socket.AF_INET6 if v6 else socket.AF_INET
    ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
    udp = struct.pack("!HHHH", source_port, port, 10, 0) + b"?\n"
    pseudo = ends + struct.pack("!II", len(udp), UDP)
    udp = udp[:6] + struct.pack("!H", _checksum(pseudo + udp) ^ (0x0FF0 if damaged else 0)) + udp[8:]
    if v6:
        return struct.pack("!IHBB", 6 << 28, len(udp), UDP, 64) + ends + udp
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, UDP, 0) + ends
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + udp


def forge(netns, source, target, port=80, source_port=4000, damaged=False):
    """Sends such a packet. It may leave a moment later, when the next hop's link address is known.
    damaged: its checksum is wrong."""
    v6 = ":" in source
    packet = datagram(source, target, port, source_port, damaged)
    with netns.inside():
        proc.wait_for(lambda: not v6 or _may_solicit(), "link-local address")
        raw = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW,
                            socket.IPPROTO_RAW)
    with raw, contextlib.suppress(OSError):
        raw.sendto(packet, (target, 0))
