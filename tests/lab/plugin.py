# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon as a managed plugin of an engine, built as a user would build it."""

import contextlib
import fcntl
import json
import os
import shutil

from . import proc
from .rundir import CACHE
from .tailexitd import REPOSITORY
from .unpacked import program

BUILD = os.path.join(REPOSITORY, "build", "tailexit-plugin")
PORT = 5000
REGISTRY = f"127.0.0.1:{PORT}/lab"
NAME = "tailexit-plugin"
CONFIG = """version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {path}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def build():
    """make plugin, by one process at a time; what it said."""
    with open(os.path.join(CACHE, "plugin.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return proc.run(["make", "-s", "-C", REPOSITORY, "plugin"], timeout=600).stdout


class Registry:
    """On the loopback of a host; what is in it stays when it is stopped."""

    def __init__(self, host):
        self.host = host
        self.path = host.path("registry")
        self.config = host.path("registry.yml")
        self.process = None
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(path=self.path, port=PORT))

    def start(self):
        registry = program("docker-registry", "docker-registry")
        self.process = self.host.netns.spawn(self.host.path("registry.log"), registry, "serve", self.config)
        proc.wait_for(lambda: str(PORT) in self.host.netns.run("ss", "-Hltn", f"sport = {PORT}").stdout,
                      "registry")

    def stop(self):
        proc.end(self.process, 9)

    def blobs(self):
        """Files with the parts of plugins, the largest one first."""
        found = [os.path.join(folder, name) for folder, _, names in os.walk(self.path)
                 for name in names if name == "data"]
        return sorted(found, key=os.path.getsize, reverse=True)


class Plugin:
    """As `docker plugin` calls it: name has a tag."""

    def __init__(self, host, name=f"{NAME}:latest"):
        self.host, self.name = host, name

    def files(self, version=""):
        """The path, in the host, of what was built. version: another one, for an upgrade to."""
        path = self.host.path("opt", "plugin" + version)
        if not os.path.exists(path):
            shutil.copytree(BUILD, path, symlinks=True)
            if version:
                with open(os.path.join(path, "rootfs", "etc", "version"), "w", encoding="ascii") as file:
                    file.write(version)
        return "/opt/tailexit/plugin" + version

    def create(self, version=""):
        self.host.docker("plugin", "create", self.name, self.files(version))

    def __call__(self, verb, *argv, **options):
        """docker plugin VERB ARGV... NAME"""
        return self.host.docker("plugin", verb, *argv, self.name, **options)

    def enable(self):
        self("enable")

    def inspect(self):
        return json.loads(self("inspect"))[0]

    @property
    def pid(self):
        """Seen from outside the host; None without a process."""
        for path in os.listdir(f"/proc/{self.host.init}/root/proc"):
            with contextlib.suppress(OSError, ValueError):
                if open(f"/proc/{self.host.init}/root/proc/{int(path)}/comm").read() == "tailexit\n":
                    return int(path)
        return None

    def kill(self):
        """As the kernel would for want of memory; dockerd starts it again."""
        old = self.pid
        self.host.run("kill", "-9", old)
        proc.wait_for(lambda: self.pid not in (None, old), "plugin that was killed")
        return old

    def run(self, *argv):
        """A command inside the plugin, as the manual page says."""
        return self.host.run("nsenter", "-t", self.pid, "-m", *argv).stdout
