# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions asked from inside a namespace, with plain sockets: no process is started for them."""

import select
import socket
import struct
import time

SO_MARK = 36
SCTP = 132

def _family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET

def open_socket(netns, address, kind, *, source=None, device=None, mark=None, timeout=2):
    """A socket of that namespace for talking to the address."""
    with netns.inside():
        client = socket.socket(_family(address), kind)
    client.settimeout(timeout)
    if mark is not None:
        client.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
    if device is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    if source is not None:
        client.bind((source, 0))
    return client

def ask(netns, address, port=80, proto="tcp", **options):
    """The address an echo server saw us come from; None: no answer."""
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    with open_socket(netns, address, kind, **options) as client:
        try:
            client.connect((address, port))
            client.send(b"?\n")
            return client.recv(128).decode().split()[0]
        except (OSError, IndexError):
            return None

def ping(netns, address, seconds=1):
    return netns.run("busybox", "ping", "-c1", f"-W{seconds}", address,
                     check=False).returncode == 0

# Echo requests; the kernel fills in the checksum of the second.
PING4 = struct.pack("!BBHHH", 8, 0, 0xF7FD, 1, 1)
PING6 = struct.pack("!BBHHH", 128, 0, 0, 1, 1)
ECHO_REPLIES = 0, 129


def _attempt(netns, address, port, kind):
    """A socket on which an answer may arrive; None: refused by the sender's own kernel."""
    raw = socket.IPPROTO_ICMPV6 if ":" in address else socket.IPPROTO_ICMP
    with netns.inside():
        client = socket.socket(_family(address), kind, raw if kind == socket.SOCK_RAW else 0)
    client.setblocking(False)
    try:
        client.connect((address, port))
        if kind == socket.SOCK_DGRAM:
            client.send(b"?\n")
        elif kind == socket.SOCK_RAW:
            client.send(PING6 if ":" in address else PING4)
    except BlockingIOError:
        pass
    except OSError:
        client.close()
        return None
    return client


def _answered(client):
    """True, False, or None if nothing was said about the question."""
    try:
        if client.type == socket.SOCK_STREAM:
            return client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        data = client.recv(256)
        if client.type == socket.SOCK_DGRAM:
            return True
        kind = data[0] if client.family == socket.AF_INET6 else data[(data[0] & 15) * 4]
        return True if kind in ECHO_REPLIES else None
    except OSError:
        return False


def open_ways(*ways, port=80, seconds=1):
    """Which of the ways (netns, address) are open to TCP, UDP or ping? For tests that none may be: it
    takes as long for many ways as for one."""
    waiting, found = {}, []
    for netns, address in ways:
        for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM),
                           ("ping", socket.SOCK_RAW)):
            client = _attempt(netns, address, port, kind)
            if client:
                waiting[client] = f"{name} {address}"
    deadline = time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        readers = [client for client in waiting if client.type != socket.SOCK_STREAM]
        writers = [client for client in waiting if client.type == socket.SOCK_STREAM]
        ready = select.select(readers, writers, [], max(0, deadline - time.monotonic()))
        for client in ready[0] + ready[1]:
            answer = _answered(client)
            if answer is not None:
                if answer:
                    found.append(waiting[client])
                del waiting[client]
                client.close()
    for client in waiting:
        client.close()
    return found


def _crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF

def send_sctp_init(netns, address, port, source_port=40000):
    """The first packet of an SCTP association, by hand: the kernel may have no SCTP sockets."""
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 0x12345678, 65536, 1, 1, 1)
    header = struct.pack("!HHI", source_port, port, 0)
    checksum = struct.pack("<I", _crc32c(header + b"\0\0\0\0" + chunk))
    with netns.inside():
        raw = socket.socket(_family(address), socket.SOCK_RAW, SCTP)
    with raw:
        raw.sendto(header + checksum + chunk, (address, 0))

class Flow:
    """A TCP connection to an echo server that is kept open."""

    def __init__(self, netns, address, port=80, **options):
        self.socket = open_socket(netns, address, socket.SOCK_STREAM, **options)
        self.socket.connect((address, port))

    def ask(self):
        """As ask(), through the same connection again."""
        try:
            self.socket.send(b"?\n")
            return self.socket.recv(128).decode().split()[0]
        except (OSError, IndexError):
            return None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

