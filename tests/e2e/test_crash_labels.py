# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed at any call by which a label takes effect, and started again where Docker cannot be
asked: what the label had closed stays closed. The answers of the Engine API are in the form of recorded ones,
for a dockerd that would restart in the middle of it is not what this is about."""

import contextlib
import itertools
import json
import os
import socket
import threading
import time

import pytest

from lab import proc
from lab.faults import CHANGE, DIE, FILE
from lab.uplink import uplink

from test_crash_rig import EP, NET, dual, frail, life  # noqa: F401

CALLS = life(dual(policy="open"))
LABEL = {"tailexit.policy": "isolated"}


class Engine:
    """The Engine API, which lets everybody wait until it is .ready."""

    def __init__(self, path, of_network, of_container):
        networks = [{"Name": "ours", "Id": NET, "Driver": "tailexit", "Internal": False,
                     "Labels": of_network}]
        ends = {"ours": {"NetworkID": NET, "EndpointID": EP,
                         "Gateway": "10.80.0.1", "IPv6Gateway": "fd80::1"}}
        containers = [{"Id": EP, "Names": ["/box"], "Labels": of_container, "State": "running",
                       "NetworkSettings": {"Networks": ends}}]
        self.answers = {b"/version": {"Version": "28.5.2"}, b"/networks": networks,
                        b"/containers/json": containers}
        self.path, self.ready = path, threading.Event()

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def _serve(self):
        with contextlib.suppress(OSError):  # shut down
            while True:
                with self.socket.accept()[0] as client, contextlib.suppress(OSError):
                    self._answer(client)

    def _answer(self, client):
        target = client.recv(4096).split()[1].partition(b"?")[0]
        self.ready.wait(30)
        body = json.dumps(self.answers[target]).encode()
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def __exit__(self, *_):
        self.ready.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        os.unlink(self.path)


def passes(frail):
    """Several times: a link that was just made may lose the first."""
    with uplink(frail.world) as wire:
        for _ in range(6):
            frail.fire()
            time.sleep(0.05)
            if wire.packets():
                return True
    return False


def is_heard(frail):
    return "are heard" in frail.log()[frail.mark:]


def kill_at(at, frail, *labels):
    """Returns what was hit, or nothing when the label was heard before."""
    frail.mark = len(frail.log())
    with Engine(frail.path("docker.sock"), *labels) as engine:
        frail.live(CALLS[:3])
        assert passes(frail), "not even the positive control was seen"
        frail.fault.arm(FILE | CHANGE, at, DIE, starting=True)
        engine.ready.set()
        proc.wait_for(lambda: frail.process.poll() is not None or is_heard(frail), "label", 20, step=0.02)
    hit = frail.fault.text
    frail.fault.disarm()
    if hit:
        frail.died()
    else:
        frail.kill()
    closed = not passes(frail)
    frail.start()
    assert frail.wrong() == "", hit
    assert not (closed and passes(frail)), hit
    assert closed or hit
    frail.live(CALLS[5:])
    assert frail.remains() == "", hit
    return hit


# Seen to fail: with the words saved after the kernel has them.
@pytest.mark.parametrize("labels", [({}, LABEL), (LABEL, {})], ids=["of a container", "of a network"])
def test_killed_while_a_label_takes_effect(frail, monkeypatch, labels):
    monkeypatch.setattr(frail, "aliens", False)
    hits = []
    for at in itertools.count(1):
        hit = kill_at(at, frail, *labels)
        if not hit:
            break
        hits.append(hit)
    print(f"{len(hits)} places: {hits}")
    assert any(hit.startswith("transaction") for hit in hits)
