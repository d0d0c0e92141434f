# SPDX-License-Identifier: GPL-2.0-or-later
"""An example on a host of the lab: brought up with the lab's image in place of the real ones, and asked
whether what its test.sh says is so. example.sh has the words."""

import json
import os
import re
import shutil
import socket
import subprocess

from lab import image, probe, proc
from lab.docker import Container
from lab.judge import WORLD
from lab.sniff import UDP, Sniffer
from lab.tunnel import OTHER, TAILSCALE
from lab.world import ECHO4, ECHO6, EXIT4, HOST4, ISP4, OTHER4

FOLDER = "/etc/docker/example"  # in the host
WHOM = {"exit": EXIT4, "other": OTHER4, "isp": ISP4}
# Here the second tunnel has another name.
OTHER_LINK = "wg0"
RESOLVER = "127.0.0.11"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def services(text):
    """The names of the services of a compose file."""
    return re.findall(r"^  ([\w-]+):$", re.search(r"^services:\n(.*?)^(?=\S|\Z)", text, re.M | re.S)[1],
                      re.M)


def question(name):
    head = bytes.fromhex("abcd01000001000000000000")
    parts = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return head + parts + b"\0" + bytes.fromhex("00010001")


def look_up(netns, name, timeout=2):
    """The address that Docker's resolver knows for a name, or None."""
    with probe.open_socket(netns, RESOLVER, socket.SOCK_DGRAM, timeout=timeout) as client:
        try:
            client.sendto(question(name), (RESOLVER, 53))
            answer = client.recv(512)
        except OSError:
            return None
    return socket.inet_ntoa(answer[-4:]) if answer[6:8] != b"\0\0" else None


class Example:
    """judge: of who leaves by the uplink."""

    def __init__(self, host, path, judge):
        self.host, self.world, self.path, self.judge = host, host.world, path, judge
        self.api = host.dockerd.api
        self.folder = host.path("etc", "example")
        self.boxes = {}

    def _compose(self, *argv, files=("compose.yaml", "stand-in.yaml")):
        named = [arg for name in files for arg in ("-f", f"{FOLDER}/{name}")]
        return self.host.run("docker-compose", "--project-directory", FOLDER, "-p", "example", *named,
                             *argv)

    def _copy(self, name):
        """A compose file, and the settings that a user begins with."""
        os.makedirs(self.folder, exist_ok=True)
        for source, target in (name, name), (".env.example", ".env"):
            text = read(os.path.join(self.path, source)).replace(OTHER_LINK, OTHER.link)
            with open(os.path.join(self.folder, target), "w", encoding="utf-8") as file:
                file.write(text)
        return read(os.path.join(self.folder, name))

    def understand(self, name):
        """Fails if Compose does not."""
        self._copy(name)
        self._compose("config", "-q", files=[name])
        shutil.rmtree(self.folder)

    def _stand_in(self, text):
        """The lab's image as each of the example's, on all ports that any of them publishes."""
        for name in set(re.findall(r"image: (\S+)", text)):
            repository, _, tag = name.partition(":")
            self.api("POST", f"/images/{image.NAME}/tag?repo={repository}&tag={tag or 'latest'}")
        ports = sorted({"80", *re.findall(r'"\d+:(\d+)"', text)})
        command = json.dumps(["echo-server", *ports])
        lines = ["services:"] + [f"  {name}: {{command: {command}}}" for name in services(text)]
        with open(os.path.join(self.folder, "stand-in.yaml"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def up(self):
        text = self._copy("compose.yaml")
        self._stand_in(text)
        self._compose("up", "-d")
        for box in self.api("GET", "/containers/json"):
            if box["Labels"].get("com.docker.compose.project") == "example":
                self.boxes[box["Labels"]["com.docker.compose.service"]] = Container(
                    self.judge.free.docker, box["Id"])
        assert set(self.boxes) == set(services(text))

    def down(self):
        self._compose("down", "-v", "-t", "0")
        shutil.rmtree(self.folder)
        self.tunnel("down")
        self.tunnel("down", OTHER_LINK)
        self.exit_node("off")

    def play(self):
        """Runs test.sh to its end and fails at the first sentence that does not hold."""
        with subprocess.Popen(["sh", "-eu", os.path.join(self.path, "test.sh")], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as script:
            try:
                for sentence in script.stdout:
                    word, *rest = sentence.split()
                    try:
                        getattr(self, word)(*rest)
                    except (AssertionError, TimeoutError) as error:
                        raise AssertionError(f"{sentence.strip()}: {error}") from error
                    script.stdin.write("yes\n")
                    script.stdin.flush()
            finally:
                script.stdin.close()
        assert script.returncode == 0, "test.sh has failed"

    def _netns(self, service):
        return self.host.netns if service == "host" else self.boxes[service].netns

    def _tunnel(self, link):
        return self.world.tunnel if link == TAILSCALE.link else self.world.other_tunnel

    # The words of example.sh.

    def tunnel(self, what, link=TAILSCALE.link):
        getattr(self._tunnel(link), what)()

    def exit_node(self, what):
        self.world.tunnel.exit_node(what == "on")

    def seen_as(self, whom, *names):
        spaces = [self._netns(name) for name in names]
        if whom == "nobody":
            self._silent(spaces)
            return
        for name, netns in zip(names, spaces):
            proc.wait_for(lambda netns=netns: {probe.ask(netns, ECHO4, proto=proto, timeout=1)
                                               for proto in ("tcp", "udp")} == {WHOM[whom]},
                          f"sight of {name} as {WHOM[whom]}")

    def _silent(self, spaces):
        with self.judge.silent(WORLD) as fire:
            for netns in spaces:
                fire(netns)
            found = probe.open_ways(*[(netns, address) for netns in spaces
                                      for address in (ECHO4, ECHO6)], seconds=0.5)
        assert found == []

    def page(self, *ports):
        self._pages("the LAN", self.world.lan, HOST4, ports)

    def page_from_world(self, *ports):
        self._pages("the world", self.world.isp, HOST4, ports, source=ISP4)

    def page_through(self, link, *ports):
        tunnel = self._tunnel(link)
        self._pages(f"the other end of {link}", tunnel.there.netns,
                    tunnel.ends.host[0].split("/")[0], ports)

    @staticmethod
    def _pages(who, netns, address, ports, **options):
        for port in ports:
            proc.wait_for(lambda port=port: probe.ask(netns, address, int(port), timeout=1, **options),
                          f"answer to {who} at port {port}")

    def reaches(self, service, other):
        netns = self._netns(service)
        address = proc.wait_for(lambda: look_up(netns, other), f"address of {other}")
        proc.wait_for(lambda: probe.ask(netns, address, timeout=1), f"answer of {other}")

    def reaches_not(self, service, other):
        ends = self.boxes[other].inspect()["NetworkSettings"]["Networks"].values()
        found = probe.open_ways(*[(self._netns(service), end["IPAddress"]) for end in ends],
                                seconds=0.5)
        assert found == []

    def resolver_of(self, service, address):
        netns = self._netns(service)
        # Whichever interface that is; what Docker's own resolver is asked stays on the loopback.
        with Sniffer(netns, match=lambda packet: packet.proto == UDP and packet.dport == 53
                     and packet.dst != RESOLVER) as asked:
            look_up(netns, "somebody.example", timeout=0.3)
            proc.wait_for(asked.packets, "question for a name", timeout=3)
        assert {packet.dst for packet in asked.packets()} == {address}

    def label(self, service, key, value):
        assert self.boxes[service].inspect()["Config"]["Labels"][key] == value
