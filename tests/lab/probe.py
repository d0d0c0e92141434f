# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions asked from inside a namespace, with plain sockets: no process is started for them."""

import socket
import struct

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

def reachable(netns, address, port=80):
    """Does TCP, UDP or ping get through? For tests that nothing may: one timeout for all three."""
    sockets = []
    try:
        for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
            client = open_socket(netns, address, kind)
            sockets.append(client)
            client.setblocking(False)
            try:
                client.connect((address, port))
            except BlockingIOError:
                pass
            except OSError:  # refused by a route
                continue
            if kind == socket.SOCK_DGRAM:
                client.send(b"?\n")
        if ping(netns, address):
            return True
        tcp, udp = sockets
        try:
            tcp.getpeername()
            return True
        except OSError:
            pass
        try:
            return bool(udp.recv(128))
        except OSError:
            return False
    finally:
        for client in sockets:
            client.close()

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

