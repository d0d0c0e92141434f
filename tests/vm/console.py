# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands for a machine, over its second serial port: guest/agent.sh is the other end."""

import base64
import socket
import time

from lab import proc

TICK = 0.5
# To write a line: the emulator takes it at once, until it is stuck.
PATIENCE = 60


class Silent(TimeoutError):
    """No answer in time."""


class Console:
    """path: the socket of the port."""

    def __init__(self, path):
        self.path = path
        self.socket = None
        self.count = 0
        self._unread = b""

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self._unread = None, b""

    def _connect(self):
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(self.path)
        except OSError:
            client.close()
            raise
        self.socket = client

    def _ask(self, command):
        if self.socket is None:
            self._connect()
        self.count += 1
        line = f"{self.count} {base64.b64encode(command.encode()).decode()}\n"
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(line.encode())
        self.socket.settimeout(TICK)

    def _lines(self):
        """The whole lines that have come, after at most a tick."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return []
        if not data:
            raise ConnectionError("the machine is off")
        *lines, self._unread = (self._unread + data).split(b"\n")
        return lines

    def _answer(self, deadline):
        """To the last question. Whatever else comes, a port of before or an echo, is not it."""
        while time.monotonic() < deadline:
            for line in self._lines():
                match line.split(b" "):
                    case [number, status, output] if number == b"%d" % self.count:
                        text = base64.b64decode(output).decode(errors="replace")
                        return int(status), text
        return None

    def wait(self, timeout, is_on):
        """Until there is somebody."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not is_on():
                raise ConnectionError("the machine is off")
            try:
                self._ask("true")
                if self._answer(min(deadline, time.monotonic() + 3)):
                    return
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(TICK)
        raise Silent(f"the machine says nothing for {timeout} s")

    def run(self, command, timeout, check=True):
        """What a command, for bash, writes to either of its outputs."""
        self._ask(command)
        answer = self._answer(time.monotonic() + timeout)
        if answer is None:
            raise Silent(f"{command}: no answer for {timeout} s")
        status, output = answer
        if status and check:
            raise RuntimeError(f"{command}: status {status}: {output.strip()}")
        return output

    def until(self, command, what, timeout):
        """Until the command succeeds; returns what it wrote."""
        def attempt():
            self._ask(command)
            answer = self._answer(time.monotonic() + timeout)
            return answer if answer and answer[0] == 0 else None

        return proc.wait_for(attempt, f"{what} in the machine", timeout, step=TICK)[1]
