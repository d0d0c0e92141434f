# SPDX-License-Identifier: GPL-2.0-or-later
"""State that cannot be written or read: the disk is full, the directory read-only, a file is not what the
daemon has written. What there is stays closed and is not lost, and says what is the matter."""

import json
import os
import re

import pytest

from lab import World, proc
from test_crash_rig import (  # noqa: F401
    EP, NET, STRANGER, Frail, attach, dual, frail, life, member, network, read)

CALLS = life(dual(policy="killswitch", via="tailscale0"))
JOINED, LEFT = CALLS[:3], CALLS[5:]

# In a mount namespace that outlives daemons: nobody else sees it.
HOLD = """mount -t tmpfs -o size=64k tmpfs "$1" && echo ready && exec sleep infinity"""


class Mounted(Frail):
    """Its state directory is a file system of its own, of 64 KiB."""

    def __init__(self, world):
        self.lib = world.path("host", "lib")
        os.makedirs(self.lib)
        self.holder = proc.spawn(["unshare", "--mount", "--propagation", "private", "sh", "-ec", HOLD,
                                  "sh", self.lib], world.path("holder"))
        world.on_down.append(lambda: proc.end(self.holder, 9))
        proc.wait_for(lambda: read(world.path("holder")) == "ready\n", "file system")
        self.root = f"/proc/{self.holder.pid}/root"
        self.before = ["nsenter", "-t", str(self.holder.pid), "-m", "--"]
        super().__init__(world)

    def remount(self, how):
        proc.run(["mount", "-o", "remount," + how, self.lib], via=self.before)

    def fill(self):
        """Returns what has to be removed again."""
        path = f"{self.root}{self.lib}/filler"
        with pytest.raises(OSError, match="No space left"), open(path, "wb", 0) as file:
            while file.write(bytes(4096)):
                pass
        return path


@pytest.fixture(scope="module")
def mounted():
    with World() as world:
        yield Mounted(world)


# Seen to fail: with a network that stays when its file cannot be saved.
def test_disk_full(mounted):
    mounted.live(JOINED)
    filler = mounted.fill()
    before = mounted.glance()
    mounted.bad("CreateNetwork", network(),
                "^cannot save state file cccc.*: No space left on device; nothing was changed")
    assert mounted.glance() == before
    with mounted.silence():
        mounted.kill()
        mounted.start()
        mounted.fire()
        assert mounted.wrong() == ""
    mounted.live(LEFT)
    os.unlink(filler)
    assert mounted.remains() == ""
    mounted.live([("CreateNetwork", network()), ("DeleteNetwork", {"NetworkID": "c" * 64})])


# Seen to fail: with a network removed whose file stays.
def test_read_only(mounted):
    mounted.live(JOINED)
    mounted.kill()
    mounted.remount("ro")
    with mounted.silence():
        mounted.start()
        assert mounted.wrong() == ""
        before = mounted.glance()
        mounted.bad("CreateNetwork", network(),
                    "^cannot save state file cccc.*: Read-only file system; nothing was changed")
        mounted.bad("DeleteNetwork", {"NetworkID": NET},
                    "^cannot remove state file aaaa.*: Read-only file system")
        assert mounted.glance() == before
        mounted.fire()
    mounted.remount("rw")
    mounted.live(LEFT)
    assert mounted.remains() == ""


# Seen to fail: with what mkdir() says left to the next call, which misses a directory.
def test_read_only_from_the_beginning(mounted):
    mounted.kill()
    os.rmdir(f"{mounted.root}{mounted.lib}/networks")
    mounted.remount("ro")
    mounted.begin()
    assert mounted.process.wait(10) == 1
    assert f"directory {mounted.lib}/networks: Read-only file system" in mounted.log()[-300:]
    mounted.remount("rw")
    mounted.start()


BROKEN = {
    "empty": (lambda text: "", r"'\[' or '{' expected near end of file"),
    "truncated": (lambda text: text[:len(text) // 2], "line [0-9]+: "),
    "foreign": (lambda text: '["a list"]', "not a state file of tailexit"),
    "newer": (lambda text: json.dumps({**json.loads(text), "format": 1000}), "written by a newer version"),
    "of another": (lambda text: text.replace("aaaa", "cccc").replace("bbbb", "dddd"), 'contains "id"'),
}


def break_file(frail, name, how):
    """Returns what it was, and what is said about it."""
    path = frail.path(*name.split("/"))
    text = read(path)
    change, sentence = BROKEN[how]
    with open(path, "w", encoding="utf-8") as file:
        file.write(change(text))
    return path, text, sentence


# Seen to fail: with endpoints of a network that is not known forgotten, whatever the reason; with the
# network taken for one that never was, which sweeps it; with DeleteNetwork answered as if it were done.
@pytest.mark.parametrize("how", BROKEN)
def test_network_file(frail, how):
    frail.live(JOINED)
    frail.kill()
    path, text, sentence = break_file(frail, f"lib/networks/{NET}.json", how)
    broken = read(path)
    with frail.silence():
        frail.fire()
        frail.start()
        frail.fire()
        frail.bad("CreateEndpoint", member(STRANGER), "not known here .a state file could not be read")
        frail.bad("DeleteNetwork", {"NetworkID": NET}, "its state file could not be read, see the log")
        frail.fire()
    assert read(path) == broken
    assert re.search(f"state file networks/{NET}.json: .*{sentence}.*; its network stays as the kernel "
                     "has it", frail.log()[-2000:])
    frail.kill()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    with frail.silence():
        frail.start()
        assert frail.wrong() == ""
        assert frail.good("Join", attach())
        frail.fire()
    frail.live(LEFT)
    assert frail.remains() == ""


def test_network_file_given_up(frail):
    """As the sentence says: the file is removed, the daemon started again."""
    frail.live(JOINED)
    frail.kill()
    path, _, _ = break_file(frail, f"lib/networks/{NET}.json", "empty")
    frail.start()
    assert frail.wrong() != ""
    os.unlink(path)
    frail.kill()
    with frail.silence():
        frail.start()
        frail.fire()
    assert frail.remains() == ""


# Seen to fail: with the file of an endpoint that is not known left by DeleteEndpoint.
@pytest.mark.parametrize("how", BROKEN)
def test_endpoint_file(frail, how):
    frail.live(JOINED)
    frail.kill()
    _, _, sentence = break_file(frail, f"run/tailexit/endpoints/{EP}.json", how)
    with frail.silence():
        frail.fire()
        frail.start()
        frail.fire()
    assert re.search(f"state file endpoints/{EP}.json: .*{sentence}.*; the container has to be restarted",
                     frail.log()[-2000:])
    frail.live(LEFT)
    assert frail.remains() == ""
