# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel refuses one request of the daemon's, or its answer is lost: every request of every call in
turn. The call fails with a sentence and leaves everything as it was, or is done in full. What dockerd
takes for gone whatever it is told goes, without being asked again."""

import errno
import itertools
import os
import re

import pytest

from lab import proc
from lab.faults import CHANGE, FAIL, FILE, LOSE, READ, RECEIVE, REFUSE

from test_crash_rig import NET, dual, frail, life  # noqa: F401

WAYS = {
    "ENOMEM": (CHANGE | READ, REFUSE, errno.ENOMEM),
    "EBUSY": (CHANGE | READ, REFUSE, errno.EBUSY),
    "EINVAL": (CHANGE | READ, REFUSE, errno.EINVAL),
    "cannot be sent": (CHANGE | READ, FAIL, errno.ENOBUFS),
    "answer lost": (RECEIVE, LOSE, errno.ENOBUFS),
    "ENOSPC": (FILE, FAIL, errno.ENOSPC),
    "EIO": (FILE, FAIL, errno.EIO),
}

# After an error in these dockerd goes on as if there were none.
FORGETTING = "RevokeExternalConnectivity", "Leave", "DeleteEndpoint", "DeleteNetwork"


def judge_sentence(text, error):
    """Says what could not be done and why, and does not tell the way down to it."""
    assert re.match(r"cannot [a-z]+ |nftables ", text), text
    assert os.strerror(error) in text or "nftables did not answer" in text
    # Elements of maps are printed with a colon between spaces.
    assert text.count(": ") - text.count(" : ") <= 2 and "\n" not in text, text


def settle_files(frail):
    """A file that could not be removed: of a network, it is the network that stays until dockerd's list
    of networks is seen, see test_restart.py; of an endpoint, the next start removes it."""
    frail.live([("DeleteNetwork", {"NetworkID": NET})])
    restart(frail)


def restart(frail):
    frail.kill()
    frail.start()


def refuse_at(frail, way, at, calls, number):
    """Returns what was hit, or nothing when the call was over before; and what was answered."""
    kinds, action, error = WAYS[way]
    method, body = calls[number]
    frail.live(calls[:number])
    before = frail.glance()
    frail.fault.arm(kinds, at, action, error)
    answer = frail.ask(method, body)
    hit = frail.fault.text
    frail.fault.disarm()
    assert answer is not None, hit
    text = answer.get("Err")
    if text:
        judge_sentence(text, error)
    if text and method not in FORGETTING:
        # Of what was done but is not known to be, the daemon has to find out first.
        proc.wait_for(lambda: frail.glance() == before, f"state from before {hit}",
                      1 if action == LOSE else 0, step=0.02)
        frail.live([(method, body)])
    elif "half" in hit:
        # What the next start reads is whole all the same.
        restart(frail)
        assert frail.wrong() == ""
    frail.live(calls[number + 1:])
    if hit.startswith("unlinkat"):
        settle_files(frail)
    proc.wait_for(lambda: frail.remains() == "", f"end of what {hit} left", 3, step=0.02)
    return hit, text or "done"


# Seen to fail: without repair_unfinished(), from DeleteEndpoint on; without apply_undo(); with an endpoint
# that stays when its file cannot be saved; with a write() that is taken for whole when half was written;
# with a network's file left under its name when the directory could not be synced.
@pytest.mark.parametrize("way", WAYS)
def test_refused(frail, way):
    calls = life(dual(policy="killswitch", via="tailscale0"))
    for number, (method, _) in enumerate(calls):
        for at in itertools.count(1):
            hit, said = refuse_at(frail, way, at, calls, number)
            print(f"{method} {at}: {hit}: {said}")
            if not hit:
                break
        assert frail.unchanged(frail.clean) == "", method
