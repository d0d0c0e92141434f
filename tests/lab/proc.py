# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes of the lab: run one to its end, start one in the background, wait for something.

Knows nothing about namespaces; netns.py and host.py put the right nsenter in front.
"""

import os
import subprocess
import time


class Failed(Exception):
    """A command ended with a status other than 0; says which, and what it wrote."""

    def __init__(self, argv, result):
        self.status = result.returncode
        self.stdout = result.stdout
        self.stderr = result.stderr
        super().__init__(
            f"{' '.join(map(str, argv))}: status {self.status}: "
            f"{(result.stderr or result.stdout).strip()}"
        )


def run(argv, *, via=(), env=None, input=None, timeout=120, check=True):
    """Runs a command to its end; the result has .stdout, .stderr and .returncode.

    via: what is put in front of the command, and is of no interest when it fails. env: all that is in its
    environment.
    """
    result = subprocess.run(
        [str(arg) for arg in (*via, *argv)],
        input=input,
        stdin=subprocess.DEVNULL if input is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=not isinstance(input, bytes),
        timeout=timeout,
        env=env,
        check=False,
    )
    if check and result.returncode != 0:
        raise Failed(argv, result)
    return result


def spawn(argv, log, more=()):
    """Starts a command in a session of its own; what it writes is appended to the file log. more: for its
    environment."""
    with open(log, "ab") as out:
        return subprocess.Popen(
            [str(arg) for arg in argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **dict(more)},
            start_new_session=True,
        )


def child_of(pid):
    """The only child of a process, or None: `nsenter --pid` and `unshare --fork` have one."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(children[0]) if children else None


def start_time(pid):
    """A pid may have been reused; together with its start time it names one process for good."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return None


def end(popen, sig, timeout=30):
    """Sends a signal to a process of spawn() and waits until it is gone."""
    if popen.poll() is None:
        os.kill(popen.pid, sig)
    return popen.wait(timeout)


def wait_for(condition, what, timeout=10, step=0.05):
    """Waits until condition() is true and returns what it returned."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s still no {what}")
        time.sleep(step)
