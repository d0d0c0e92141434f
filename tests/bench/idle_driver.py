# SPDX-License-Identifier: GPL-2.0-or-later
"""A network driver that says yes to everything and does nothing: what is left is what the engine itself takes
for a network of any driver's."""

import contextlib
import http.server
import json
import os
import socketserver
import threading

NAME = "idle"
ANSWERS = {"/Plugin.Activate": {"Implements": ["NetworkDriver"]},
           "/NetworkDriver.GetCapabilities": {"Scope": "local", "ConnectivityScope": "local"},
           "/NetworkDriver.EndpointOperInfo": {"Value": {}}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(ANSWERS.get(self.path, {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.docker.plugins.v1.2+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "dockerd"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def idle_driver(host):
    path = host.path("run", "docker", "plugins", NAME + ".sock")
    with Server(path, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield NAME
        finally:
            server.shutdown()
            os.unlink(path)
