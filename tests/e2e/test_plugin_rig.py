# SPDX-License-Identifier: GPL-2.0-or-later
"""A host whose only tailexit is the managed plugin, from a registry of its own, with a tunnel and with
containers that send all the time."""

import contextlib
import os
import shlex
import socket
import threading
import time

from lab import Host, World, image, plugin, proc
from lab.docker import Container, Docker
from lab.shout import shout, shouting
from lab.tailexitd import REPOSITORY
from lab.uplink import uplink
from lab.world import ECHO4

from test_policy_leaks import EAGER
from test_policy_rig import DNS, DUAL, DUAL2, NEARBY, WORLD, Judge

SENT = WORLD + NEARBY
# Where a plugin that is away takes the containers with it, nothing is answered for seconds.
GAP = 1
REFERENCE = f"{plugin.REGISTRY}/{plugin.NAME}"


class Pulse:
    """A question through the tunnel every 10 ms, as long as the block lasts. gap: the longest time in
    which no answer came."""

    def __init__(self, netns):
        with netns.inside():
            self.client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.client.settimeout(0.01)
        self.client.connect((ECHO4, 80))
        self.answers = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._beat)

    def _beat(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError):
                self.client.send(b"?\n")
                self.client.recv(256)
                self.answers.append(time.monotonic())
                time.sleep(0.01)

    @property
    def gap(self):
        return max(late - early for early, late in zip(self.answers, self.answers[1:]))

    def __enter__(self):
        self.answers.append(time.monotonic())
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.answers.append(time.monotonic())
        self.client.close()


class Rig:
    def __init__(self, suite, **options):
        plugin.build()
        self.world = World()
        try:
            self.host = Host(self.world, suite, **options)
            self.host.up()
            self.host.dockerd.start()
            self.host.dockerd.load_image()
            self.world.tunnel.up()
            self.docker = Docker(self.host)
            self.registry = plugin.Registry(self.host)
            self.plugin = plugin.Plugin(self.host, REFERENCE + ":latest")
        except BaseException:
            self.world.down()
            raise

    def push(self, *tags, version="", **options):
        """make push, of what is built already, by the engine's own docker command."""
        commands = self.world.path("commands")
        os.makedirs(commands, exist_ok=True)
        docker = os.path.join(commands, "docker")
        with open(docker, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\nexec {shlex.join(self.host.enter())} docker "$@"\n')
        os.chmod(docker, 0o755)
        return proc.run(["env", f"PATH={commands}:{os.environ['PATH']}",
                         "make", "-s", "-C", REPOSITORY, "-o", "plugin", "push",
                         "REGISTRY=" + plugin.REGISTRY, "PLUGIN=" + self.plugin.files(version),
                         "PLUGIN_TAGS=" + " ".join(tags)], **options)

    def install(self):
        """From the registry, as the README says it: without a tag."""
        self.host.docker("plugin", "install", "--grant-all-permissions", REFERENCE)

    def create(self):
        """Without a registry."""
        self.plugin.create()
        self.plugin.enable()

    def populate(self, of_plugin=True):
        """Of both names: a container that may go where it likes, and one that may not."""
        net = self.docker.network("tailexit", "-o", "policy=open", *DUAL2, name="free")
        self.free = self.docker.run(net, "--restart", "always", "-p", "81:80", name="free")
        self.judge = Judge(self.world, self.free, net)
        self.closed = self.docker.network(self.plugin.name if of_plugin else "tailexit",
                                          "-o", "policy=killswitch", *DUAL, name="closed")
        # It sends as soon as it exists, after every start.
        self.host.docker("run", "-d", "--name", "box", "--network", "closed", "--restart", "always", *DNS,
                         "-p", "82:80", image.NAME, "sh", "-c", EAGER)
        self.box = Container(self.docker, "box")
        self.refresh()

    @contextlib.contextmanager
    def confined(self, but=lambda packet: False):
        """What the container sends meanwhile, and a network that may sends it out, stays in the tunnel."""
        self.judge.control(lambda: shout(self.free.netns, SENT), SENT)
        with uplink(self.world) as wire, shouting(self.box.netns, SENT, 0.05):
            yield
        assert [packet for packet in wire.packets() if not but(packet)] == []

    def refresh(self):
        """After they have been started again: the engine may still be at it."""
        for box in self.free, self.box:
            proc.wait_for(lambda box=box: box.refresh().pid and box.ask("127.0.0.1"), "server", 30)

    def diff(self):
        return self.plugin.run("tailexit", "plan", "--diff")
