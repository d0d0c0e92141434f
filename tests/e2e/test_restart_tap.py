# SPDX-License-Identifier: GPL-2.0-or-later
"""Between dockerd and the daemon: something happens in the middle of a chosen call."""

import contextlib
import os
import re
import socket
import threading
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.I)
ANSWERED = float("inf")


def _message(stream):
    """A whole request or reply; b"" when the other side hung up before its end."""
    data = b""
    while True:
        head, gap, body = data.partition(b"\r\n\r\n")
        if gap and len(body) >= int((LENGTH.search(head) or [0, 0])[1]):
            return data
        piece = stream.recv(65536)
        if not piece:
            return b""
        data += piece


class Tap:
    """Serves the driver's socket and passes everything on to the daemon's own."""

    OWN = "tailexit-own.sock"

    def __init__(self, host):
        self.host = host
        self._planned = None, None, None
        self._listener = None
        self.happened = None

    def __enter__(self):
        self.host.tailexit.stop()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.host.path("run", "docker", "plugins", "tailexit.sock"))
        self._listener.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()
        self.start_daemon()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        os.unlink(self.host.path("run", "docker", "plugins", "tailexit.sock"))
        self.host.tailexit.stop()
        self.host.tailexit.start()

    def start_daemon(self):
        self.host.tailexit.start("--socket", "/run/" + self.OWN)

    def plan(self, method, action, after=None):
        """At the next call of this method something is done: instead of passing it on (None), so many
        seconds after, or when it has been ANSWERED. dockerd gets no answer."""
        self.happened = threading.Event()
        self._planned = method, action, after

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with client, contextlib.suppress(OSError):
            while request := _message(client):
                reply = self._pass_on(request)
                if not reply:
                    return
                client.sendall(reply)

    def _pass_on(self, request):
        method, action, after = self._planned
        planned = request.split()[1].decode().rpartition(".")[2] == method
        if planned:
            self._planned = None, None, None
        with socket.socket(socket.AF_UNIX) as daemon:
            if not planned or after is not None:
                daemon.connect(self.host.path("run", self.OWN))
                daemon.sendall(request)
            if not planned:
                return _message(daemon)
            if after == ANSWERED:
                _message(daemon)
            elif after is not None:
                time.sleep(after)
            action()
            self.happened.set()
        return b""
