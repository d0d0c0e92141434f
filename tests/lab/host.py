# SPDX-License-Identifier: GPL-2.0-or-later
"""A Docker host: network, mount and pid namespaces around a Debian root."""

import os
import shutil
import subprocess

from . import proc, roots
from .dockerd import Dockerd
from .tailexitd import Tailexit, available
from .world import DNS4

ENVIRONMENT = {"HOME": "/root", "TERM": os.environ.get("TERM", "dumb"),
               "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
CLEAN = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in ENVIRONMENT.items())]
INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "init.sh")


class Host:
    """The host of a world. boot() starts everything; up(), tailexit.start() and dockerd.start() are
    its steps.

    dockerd: options of the engine; forward: whether the kernel forwarded packets before dockerd came
    (if not, dockerd sets the policy of FORWARD to DROP); iptables: nft or legacy.
    """

    def __init__(self, world, suite, dockerd=(), forward=False, iptables="nft"):
        self.world = world
        self.suite = suite
        self.version = tuple(map(int, roots.ENGINES[suite].split(".")))
        self.root = roots.root(suite)
        self.forward = forward
        self.iptables = iptables
        self.netns = world.host
        self.init = None
        for name in "docker", "containerd", "etc", "lib", "opt", "run", "root":
            os.makedirs(self.path(name))
        with open(self.path("etc", "resolv.conf"), "w", encoding="ascii") as file:
            file.write(f"nameserver {DNS4}\n")
        self.dockerd = Dockerd(self, dockerd)
        self.tailexit = Tailexit(self)
        world.on_down.append(self.tailexit.stop)

    def path(self, *names):
        """Where a file of the host is, seen from outside: docker/ and lib/ are its /var/lib/docker
        and /var/lib/tailexit, etc/ its /etc/docker, run/ its /run."""
        return self.world.path("host", *names)

    def up(self):
        """Switches the host on: nothing runs in it yet."""
        self.world.create_host()
        if self.forward:
            self.netns.forward()
        unshare = self.netns.spawn(
            self.path("init.log"), "unshare", "--mount", "--pid", "--fork",
            "--propagation", "private", INIT, self.root, self.path(), self.iptables)

        def ready():
            if unshare.poll() is not None:
                with open(self.path("init.log"), encoding="utf-8") as file:
                    raise RuntimeError("init.sh: " + file.read())
            return os.path.exists(self.path("run", "ready"))

        proc.wait_for(ready, "readiness of the host")
        self.init = proc.child_of(unshare.pid)

    def boot(self):
        """Everything, in the order in which systemd would start it."""
        self.up()
        if available():
            self.tailexit.start()
        first = not os.listdir(self.path("docker"))
        self.dockerd.start()
        if first:
            self.dockerd.load_image()

    def power_off(self, clean=False):
        """Afterwards nothing is left but what is on disk. Not clean: a power cut."""
        if clean:
            self.dockerd.stop()
            self.tailexit.stop()
        self.world.delete_host()
        self.init = None
        shutil.rmtree(self.path("run"))
        os.mkdir(self.path("run"))

    def reboot(self, clean=False):
        self.power_off(clean)
        self.boot()

    def _namespaces(self):
        assert self.init, "the host is off"
        return ["nsenter", "-t", str(self.init), "-m", "-n", "-p", "-r", "-w", "--"]

    def enter(self):
        """To be put in front of a command."""
        return self._namespaces() + CLEAN

    def run(self, *argv, **options):
        """A command inside the host, with the root's own programs."""
        return proc.run(argv, via=self._namespaces(), env=ENVIRONMENT, **options)

    def docker(self, *argv, **options):
        """The root's own docker command; returns what it wrote."""
        return self.run("docker", *argv, **options).stdout.strip()

    def shell(self):
        """Leaves a person in a shell inside the host."""
        return subprocess.call([*self.enter(), "DOCKER_HOST=unix:///run/docker.sock", "bash", "-i"])
