# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel tells of changes in a namespace, and when: so that nobody has to ask again and again."""

import socket
import struct
import time

NETLINK_ROUTE, RTMGRP_IPV4_RULE, RTM_NEWRULE, RTM_DELRULE = 0, 0x80, 32, 33
RTMGRP_IPV4_IFADDR, RTM_NEWADDR = 0x10, 20
RTMGRP_LINK, RTM_NEWLINK = 1, 16
NETLINK_NETFILTER, NFNLGRP_NFTABLES, NFT_MSG_NEWRULE, NFT_MSG_DELRULE = 12, 7, 0xA06, 0xA08
HEADER = struct.Struct("=IHHII")


class News:
    """with News(netns, bus, groups) as news: ...; news.when(kind) waits for the next such message."""

    def __init__(self, netns, bus, groups, timeout=60):
        with netns.inside():
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, bus)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((0, groups))
        self.socket.settimeout(timeout)

    def when(self, kind):
        """The time at which it arrived here."""
        while True:
            data = self.socket.recv(1 << 16)
            now = time.monotonic()
            offset = 0
            while offset + HEADER.size <= len(data):
                length, message, *_ = HEADER.unpack_from(data, offset)
                if message == kind:
                    return now
                offset += max((length + 3) & ~3, HEADER.size)

    def between(self, first, then):
        """Milliseconds from one kind to the other."""
        began = self.when(first)
        return 1000 * (self.when(then) - began)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def rules(netns):
    return News(netns, NETLINK_ROUTE, RTMGRP_IPV4_RULE)


def addresses(netns):
    return News(netns, NETLINK_ROUTE, RTMGRP_IPV4_IFADDR)


def links(netns):
    return News(netns, NETLINK_ROUTE, RTMGRP_LINK)


def firewall(netns):
    return News(netns, NETLINK_NETFILTER, 1 << (NFNLGRP_NFTABLES - 1))
