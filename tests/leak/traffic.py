# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of every kind from every subject, all the time, on new flows and on ones that began before."""

import contextlib
import socket
import threading

from lab.probe import open_socket
from lab.shout import Shot, shout

from .subject import ESTABLISHED, PUBLISHED


class Flows:
    """A TCP connection and a connected UDP socket for each family, held open whatever happens."""

    def __init__(self, subject):
        self.sockets = []
        for target in subject.targets:
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                with contextlib.suppress(OSError):
                    client = open_socket(subject.box.netns, target, kind, timeout=0.5)
                    self.sockets.append(client)
                    client.connect((target, ESTABLISHED))
                    client.send(b"?\n")
                    client.recv(100)
        for client in self.sockets:
            client.setblocking(False)

    def send(self):
        for client in self.sockets:
            with contextlib.suppress(OSError):
                client.send(b"?\n")
            with contextlib.suppress(OSError):
                client.recv(4096)

    def close(self):
        for client in self.sockets:
            client.close()


class Traffic:
    """with Traffic(subjects): ...; rounds counts, by the subject's name."""

    def __init__(self, subjects):
        self.subjects = subjects
        self.rounds = {subject.name: 0 for subject in subjects}
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run), threading.Thread(target=self._pulse)]
        self.flows = {}

    def _run(self):
        while not self.over.is_set():
            for subject in self.subjects:
                self._round(subject)

    def _pulse(self):
        """What is open for a few milliseconds only is found by flows that send all the time."""
        while not self.over.wait(0.002):
            for flows in self.flows.values():
                flows.send()

    def _round(self, subject):
        try:
            shots = subject.shots()
            shout(subject.box.netns, shots, seconds=0.002)
            # From the port that is published, as an answer would come.
            shout(subject.box.netns, [Shot("udp", target, 80) for target in subject.targets],
                  source_port=PUBLISHED, seconds=0)
            self.rounds[subject.name] += 1
        except OSError:
            # Its namespace is gone.
            self.over.wait(0.05)
            subject.refresh()

    def __enter__(self):
        self.flows = {subject.name: Flows(subject) for subject in self.subjects}
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        for flows in self.flows.values():
            flows.close()
