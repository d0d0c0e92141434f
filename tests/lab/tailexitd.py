# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon under test, inside a host: the machine's own build, whatever Debian the host is."""

import json
import os
import re
import shutil
import signal
import socket

from . import proc
from .service import Service

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("TAILEXIT", os.path.join(REPOSITORY, "build", "tailexit"))

# The program brings the libraries and the loader of the machine it was linked on.
RUN = """#!/bin/sh
exec /opt/tailexit/ld.so --argv0 tailexit --library-path /opt/tailexit /opt/tailexit/tailexit "$@"
"""

# What a daemon built with SAN=address,undefined writes when it did something it must not, or when
# it ends and has left something unfreed.
REPORT = re.compile(r"(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")


def available():
    return os.access(BINARY, os.X_OK)


def _copy(source, target):
    # A running program cannot be written to, but replaced.
    shutil.copy(source, target + ".new")
    os.rename(target + ".new", target)


def install(directory, binary=BINARY):
    """Fills what will be /opt/tailexit; to be started is the file run in it."""
    _copy(binary, os.path.join(directory, "tailexit"))
    for library in re.findall(r"(/\S+) \(0x", proc.run(["ldd", binary]).stdout):
        name = os.path.basename(library)
        _copy(library, os.path.join(directory, "ld.so" if name.startswith("ld-linux") else name))
    with open(os.path.join(directory, "run"), "w", encoding="ascii") as file:
        file.write(RUN)
        os.chmod(file.fileno(), 0o755)


class Tailexit(Service):
    def __init__(self, host):
        super().__init__(host, "tailexit")
        self._judged = 0  # so much of the log

    def install(self, binary=BINARY):
        """Puts the program into the host as /usr/local/bin/tailexit."""
        install(self.host.path("opt"), binary)

    def start(self, *extra):
        self.install()
        # systemd would have made the directory; a socket of a killed daemon may still be there.
        os.makedirs(self.host.path("run", "docker", "plugins"), exist_ok=True)
        self._start(
            ["tailexit", "serve", "--socket", "/run/docker/plugins/tailexit.sock",
             "--state-dir", "/var/lib/tailexit", "--run-dir", "/run/tailexit",
             "--docker-sock", "/run/docker.sock", *extra],
            self._answers, timeout=30)

    def stop(self, number=signal.SIGTERM, timeout=60):
        """Fails when it did not end as it should."""
        status = super().stop(number, timeout)
        self._judge()
        wanted = -number if number == signal.SIGKILL else 0
        assert status in (None, wanted), f"the daemon ended with status {status}:\n{self.log()[-2000:]}"
        return status

    def _judge(self):
        if not os.path.exists(self.log_path):
            return
        log, seen = self.log(), self._judged
        self._judged = len(log)
        found = REPORT.search(log, seen)
        assert not found, "the daemon's sanitizers:\n" + log[found.start():][:8000]

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(self.host.path("run", "docker", "plugins", "tailexit.sock"))
                client.sendall(b"POST /Plugin.Activate HTTP/1.0\r\nContent-Length: 0\r\n\r\n")
                return b"200" in client.recv(64)
            except OSError:
                return False

    def ports(self):
        """What `docker port` cannot show."""
        return json.loads(self.host.run("tailexit", "ports", "--json").stdout)

    def status(self):
        return json.loads(self.host.run("tailexit", "status", "--json").stdout)
