# SPDX-License-Identifier: GPL-2.0-or-later
"""Between dockerd and the daemon: kills the daemon in the middle of a chosen call."""

import contextlib
import os
import re
import socket
import threading
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.I)


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
        self.calls = []
        self._victim = None
        self._listener = None

    def __enter__(self):
        self.host.tailexit.stop()
        path = self.host.path("run", "docker", "plugins", "tailexit.sock")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
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

    def kill_in(self, method, after=None):
        """The daemon dies when the next call of this method comes: instead of it (None), so many
        seconds after it was passed on, or (inf) when it has been answered, and the answer is lost."""
        self._victim = method, after
        self.killed = threading.Event()

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
                method = request.split()[1].decode().rpartition(".")[2]
                self.calls.append(method)
                reply = self._pass_on(request, method)
                if not reply:
                    return
                client.sendall(reply)

    def _pass_on(self, request, method):
        victim, after = self._victim or (None, None)
        if victim == method:
            self._victim = None
        with socket.socket(socket.AF_UNIX) as daemon:
            if victim == method and after is None:
                self._kill()
                return b""
            daemon.connect(self.host.path("run", self.OWN))
            daemon.sendall(request)
            if victim != method:
                return _message(daemon)
            if after == float("inf"):
                _message(daemon)
            else:
                time.sleep(after)
            self._kill()
            return b""

    def _kill(self):
        self.host.tailexit.kill()
        self.killed.set()
