# SPDX-License-Identifier: GPL-2.0-or-later
"""A host in the world with an engine, the daemon, a tunnel, and all subjects; what faults are done to."""

import contextlib
import json
import time

from lab import Host, World, proc
from lab.docker import Docker
from lab.image import echo_program

from .subject import ESTABLISHED, all_subjects

PATH_TABLE, LOCAL_TABLE = "2113929217", "2113929216"


class Stage:
    """with Stage(engine) as stage: everything runs, and works."""

    def __init__(self, engine):
        self.engine = engine
        self.world = World()
        self.subjects = all_subjects()
        self.control = self.subjects[0]
        try:
            self._build()
        except BaseException:
            self.world.down()
            raise

    def _build(self):
        world = self.world
        for subject in self.subjects:
            world.net.address("lo", subject.targets[0] + "/32", subject.targets[1] + "/128")
        world.net.spawn(world.path("echo.log"), echo_program(), str(ESTABLISHED))
        self.host = Host(world, self.engine)
        self.host.boot()
        self.docker = Docker(self.host)
        self.tunnel = world.tunnel
        self.tunnel.up()
        for subject in self.subjects:
            subject.create(self.docker)
        self.settle()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.world.down()

    def subject(self, name):
        return next(subject for subject in self.subjects if subject.name == name)

    def run(self, *commands):
        """Commands on the host, with the names of the killswitch's parts filled in."""
        for command in commands:
            self.host.run(*self.fill(command).split())

    def fill(self, text):
        subject = self.subject("killswitch")
        # Asked only if needed: the engine may be dead.
        port = subject.box.endpoint(subject.net)["EndpointID"][:12] if "{port}" in text else ""
        return text.format(bridge=subject.bridge, port="tev" + port, path=PATH_TABLE, local=LOCAL_TABLE,
                           gateway=subject.subnet4 + ".1")

    def batch(self, *families, lines):
        """Lines of ip, without a pause between them."""
        for family in families:
            self.host.run("ip", family, "-batch", "-", input=self.fill("\n".join(lines)) + "\n")

    def is_right(self):
        """Everything of ours is in the kernel as it should be."""
        return self.host.run("tailexit", "plan", "--diff", check=False).stdout == ""

    def repairs(self):
        with contextlib.suppress(proc.Failed, ValueError):
            return sum(json.loads(self.host.run("tailexit", "status", "--json").stdout)["repairs"].values())
        return 0

    def answers(self):
        """Who may talk to the world can, and nobody else."""
        return all(subject.refresh() and subject.answers() == (subject.way is not None)
                   for subject in self.subjects)

    def settle(self, timeout=30):
        """Returns after how many seconds everything worked."""
        start = time.monotonic()
        proc.wait_for(lambda: self.is_right() and self.answers(),
                      "state in which all works that should", timeout)
        return time.monotonic() - start
