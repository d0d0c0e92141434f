# SPDX-License-Identifier: GPL-2.0-or-later
"""A long-running process inside a host: start, stop, kill -9."""

import contextlib
import os
import signal

from . import proc


class Service:
    """start() says how; a service that is started again appends to the same log."""

    def __init__(self, host, name):
        self.host = host
        self.log_path = host.path(name + ".log")
        self.name = name
        self._process = None

    def _start(self, argv, ready, timeout=60):
        assert not self.running, f"{self.name} runs already"
        self._process = proc.spawn([*self.host.enter(), *argv], self.log_path)

        def settled():
            return self._process.poll() is not None or ready()

        try:
            proc.wait_for(settled, self.name, timeout)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; its log ends:\n{self.log()[-2000:]}") from error
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended at once:\n" + self.log()[-2000:])

    @property
    def running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self):
        """Seen from outside the host."""
        return proc.wait_for(lambda: proc.child_of(self._process.pid), f"process {self.name}")

    def send(self, number):
        proc.run(["kill", f"-{int(number)}", self.pid])

    @contextlib.contextmanager
    def paused(self):
        """It stands still, and with it nsenter, which started it."""
        self.send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.send(signal.SIGCONT)
            os.kill(self._process.pid, signal.SIGCONT)

    def stop(self, number=signal.SIGTERM, timeout=60):
        """Returns the exit status; negative: the signal that ended it."""
        if not self.running:
            return None
        self.send(number)
        return self._process.wait(timeout)

    def kill(self):
        return self.stop(signal.SIGKILL)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()
