# SPDX-License-Identifier: GPL-2.0-or-later
"""The Docker engine of a host, and its API."""

import contextlib
import http.client
import json
import os
import socket

from . import image
from .service import Service

# Before 27, bridge networks have IPv6 address translation and isolation only on request.
OPTIONS = {"bookworm": ["--experimental", "--ip6tables"],
           "trixie": ["--experimental", "--ip6tables"],
           "sid": []}


class ApiError(Exception):
    def __init__(self, status, message):
        self.status, self.message = status, message
        super().__init__(f"{status}: {message}")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("docker", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Dockerd(Service):
    def __init__(self, host, options=()):
        super().__init__(host, "dockerd")
        self.options = list(options)

    def start(self, *extra):
        # A pid file from before a power cut may name a process that exists again.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.host.path("run", "docker.pid"))
        self._start(
            ["dockerd", "--host", "unix:///run/docker.sock",
             "--cgroup-parent", "/" + self.host.world.prefix,
             *OPTIONS[self.host.suite], *self.options, *extra],
            self._answers)

    def _answers(self):
        try:
            self.api("GET", "/_ping", timeout=5)
            return True
        except (OSError, ApiError, http.client.HTTPException):
            return False

    def api(self, method, path, body=None, timeout=60):
        """One call of the Engine API; returns what the JSON answer says, or its bytes."""
        with contextlib.closing(_Connection(self.host.path("run", "docker.sock"), timeout)) as link:
            if isinstance(body, (bytes, type(None))):
                link.request(method, path, body, {"Content-Type": "application/x-tar"})
            else:
                link.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            answer = link.getresponse()
            data = answer.read()
            if answer.getheader("Content-Type", "").startswith("application/json"):
                # An import answers with a stream of objects.
                data = json.loads(data.splitlines()[-1] if data.strip() else "null")
            if answer.status >= 400:
                message = data.get("message") if isinstance(data, dict) else data
                raise ApiError(answer.status, message)
            return data

    def load_image(self):
        name, tag = image.NAME.split(":")
        self.api("POST", f"/images/create?fromSrc=-&repo={name}&tag={tag}"
                 "&changes=CMD+%5B%22echo-server%22%2C%2280%22%5D", image.archive())
