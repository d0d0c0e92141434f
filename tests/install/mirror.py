# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian mirror on the loopback of a namespace that has no way out. What it does not have yet it
fetches from this machine's own mirror, and keeps.

So apt works in a host of the lab, and the second run needs no network at all.
"""

import contextlib
import http.server
import os
import shutil
import threading
import time
import urllib.error
import urllib.request

from lab import roots
from lab.rundir import CACHE

ADDRESS = ("127.0.0.1", 3142)
URL = "http://{}:{}".format(*ADDRESS)
FILES = os.path.join(CACHE, "mirror")
# What names the current version of everything else may be this old.
RELEASE_AGE = 24 * 3600


def _is_current(path):
    with contextlib.suppress(FileNotFoundError):
        fresh = time.time() - os.stat(path).st_mtime < RELEASE_AGE
        return fresh or os.path.basename(path) not in ("InRelease", "Release", "Release.gpg")
    return False


def _fetch(name, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    part = f"{path}.{os.getpid()}.{threading.get_ident()}"
    with (urllib.request.urlopen(roots.mirror().rstrip("/") + name, timeout=60) as answer,
          open(part, "wb") as file):
        shutil.copyfileobj(answer, file)
    os.rename(part, path)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802 - the name is http.server's
        path = os.path.normpath(FILES + "/" + self.path)
        if not path.startswith(FILES + "/"):
            self.send_error(400)
            return
        if not _is_current(path):
            try:
                _fetch(self.path, path)
            except urllib.error.HTTPError as error:
                self.send_error(error.code)
                return
            except OSError as error:
                if not os.path.exists(path):  # rather an old release than none
                    self.send_error(504, str(error))
                    return
        with open(path, "rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            shutil.copyfileobj(file, self.wfile)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(netns):
    """The mirror is at URL, inside netns; what it fetches, it fetches from outside."""
    with netns.inside():
        server = http.server.ThreadingHTTPServer(ADDRESS, _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
