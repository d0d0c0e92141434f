# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon in a namespace without any dockerd, the requests a dockerd would send it, and what all of its
doings look like from outside."""

import contextlib
import json
import os
import re
import socket
import subprocess

from . import proc
from .snapshot import snapshot
from .tailexitd import BINARY

# Follows some time after the link.
CARRIER = re.compile(r"<[^>]*>|state [A-Z]+| linkdown")
# The kernel gives these to a link up to a second after it has come up.
LINK_LOCAL = re.compile(r"\bfe80:|\bff00::/8 dev te-")
NET, OTHER, EP, STRANGER = "a" * 64, "c" * 64, "b" * 64, "d" * 64
PORTS = {"com.docker.network.portmap": [
    {"Proto": 6, "IP": "", "Port": 80, "HostIP": "", "HostPort": 8080, "HostPortEnd": 8080}]}


def network(name=OTHER, pool="10.81.0.0/24", gateway="10.81.0.1/24", options=None):
    return {"NetworkID": name, "IPv6Data": [],
            "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": pool, "Gateway": gateway}],
            "Options": {"com.docker.network.enable_ipv6": False,
                        "com.docker.network.generic": {"policy": "open"} if options is None
                        else options}}


def endpoint(name=EP, address="10.80.0.2/24", net=NET):
    return {"NetworkID": net, "EndpointID": name, "Options": {},
            "Interface": {"Address": address, "AddressIPv6": "", "MacAddress": ""}}


def attach(name=EP, net=NET, options=None):
    return {"NetworkID": net, "EndpointID": name, "Options": options or {},
            "SandboxKey": "/var/run/docker/netns/1"}


class Plain:
    """A daemon in the host's namespace of a world, and what snapshot() wants to know of a host."""

    def __init__(self, world):
        world.create_host()
        self.world, self.netns = world, world.host
        os.makedirs(self.path("run"))
        self.socket = self.path("driver.sock")
        self.process = None
        self.start()

    def start(self):
        self.begin()
        proc.wait_for(lambda: self.answers() or self.process.poll() is not None, "daemon",
                      timeout=30, step=0.005)
        assert self.process.poll() is None, "the daemon ended at once:\n" + self.log()[-2000:]

    def begin(self):
        """Does not wait until it serves."""
        self.process = self.netns.spawn(self.path("log"), BINARY, *self.arguments())

    def arguments(self):
        return ["serve", "--socket", self.socket,
                "--state-dir", self.path("lib"), "--run-dir", self.path("run", "tailexit"),
                "--docker-sock", self.path("docker.sock")]

    def answers(self):
        """To people, which it does last."""
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.connect(self.path("run", "tailexit", "control.sock"))
            return True
        return False

    def log(self):
        with open(self.path("log"), encoding="utf-8") as file:
            return file.read()

    def path(self, *names):
        return self.world.path("host", *names)

    def run(self, *argv):
        if argv[0].endswith("-save"):
            return subprocess.CompletedProcess(argv, 0, stdout="")
        return self.netns.run(*argv)

    def seen(self):
        seen = {command: [CARRIER.sub("", line) for line in lines if not LINK_LOCAL.search(line)]
                for command, lines in snapshot(self).items()}
        return {**seen, "sockets": sorted(self.run("ss", "-Hlntu").stdout.splitlines())}

    def exchange(self, data, timeout=10, where=None):
        """Bytes there, bytes back."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(where or self.socket)
            reply = b""
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(data)
            with contextlib.suppress(ConnectionResetError, TimeoutError):
                while piece := client.recv(65536):
                    reply += piece
            return reply

    def send(self, method, body=b"", verb="POST"):
        """Status and what the JSON of the reply says."""
        if "." not in method:
            method = "NetworkDriver." + method
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        reply = self.exchange(b"%s /%s HTTP/1.1\r\nHost: \r\nContent-Length: %d\r\n\r\n%s"
                              % (verb.encode(), method.encode(), len(body), body))
        head, _, rest = reply.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(rest)

    def good(self, method, body=b""):
        status, reply = self.send(method, body)
        assert status == 200 and not reply.get("Err"), reply
        return reply

    def bad(self, method, body, sentence, status=200):
        """Refused with a sentence that matches."""
        got, reply = self.send(method, body)
        assert got == status, reply
        text = reply.get("Err", "")
        assert re.search(sentence, text), f"{text!r} does not match {sentence!r}"
        assert "\n" not in text and len(text) > 15, text
