# SPDX-License-Identifier: GPL-2.0-or-later
"""What really passes a wire: packets seen in a namespace while a block of code runs."""

import ipaddress
import socket
import struct

ETH_P_ALL = 3
ETH_P_IP, ETH_P_IPV6 = 0x0800, 0x86DD
SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_RCVBUFFORCE = 33
BUFFER = 32 << 20
ICMP, TCP, UDP, ICMPV6, SCTP = 1, 6, 17, 58, 132


class Packet:
    """src and dst are text; sport and dport are 0 where there are none."""

    def __init__(self, data, link, outgoing):
        self.link, self.outgoing, self.data = link, outgoing, data
        if data[0] >> 4 == 4:
            self.proto, addresses, self.payload = data[9], data[12:20], data[(data[0] & 15) * 4:]
        else:
            self.proto, addresses, self.payload = data[6], data[8:40], data[40:]
        half = len(addresses) // 2
        self.src = str(ipaddress.ip_address(addresses[:half]))
        self.dst = str(ipaddress.ip_address(addresses[half:]))
        self.sport = self.dport = 0
        if self.proto in (TCP, UDP, SCTP) and len(self.payload) >= 4:
            self.sport, self.dport = struct.unpack("!HH", self.payload[:4])

    def __repr__(self):
        direction = "out" if self.outgoing else "in"
        return (f"<{self.link} {direction}: proto {self.proto} "
                f"{self.src} {self.sport} > {self.dst} {self.dport}>")


class Sniffer:
    """with Sniffer(netns, "wan0", lambda p: p.dport == 53) as wire: ...; wire.packets()

    No link: all of them.
    """

    def __init__(self, netns, link=None, match=lambda packet: True):
        self.match = match
        self.seen = []
        with netns.inside():
            # Cooked: the same on a wire with and without Ethernet headers.
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        0 if link else socket.htons(ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
            if link:
                self.socket.bind((link, ETH_P_ALL))
        self.socket.setblocking(False)

    def packets(self):
        """Everything that matched so far."""
        while True:
            try:
                data, (link, ethertype, kind, *_) = self.socket.recvfrom(65536)
            except BlockingIOError:
                break
            if ethertype in (ETH_P_IP, ETH_P_IPV6):
                packet = Packet(data, link, kind == socket.PACKET_OUTGOING)
                if self.match(packet):
                    self.seen.append(packet)
        _, lost = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        # A sniffer that was too slow must not testify that nothing passed.
        assert lost == 0, f"{lost} packets passed unseen"
        return self.seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.packets()
        self.socket.close()
        self.packets = lambda: self.seen
