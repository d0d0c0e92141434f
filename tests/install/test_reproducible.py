# SPDX-License-Identifier: GPL-2.0-or-later
"""Built elsewhere, by somebody else with other habits: the same bytes."""

import glob
import os
import shutil

from lab import proc
from lab.tailexitd import REPOSITORY

import fresh

MAKE = ["make", "-s", "--no-print-directory", "-j2"]
# Compiled again; the others would be no different.
SAMPLE = ["build/plugin/main.o", "build/plugin/serve.o", "build/policy/engine.o"]


def copy(name, elsewhere):
    """With its time, for make to see."""
    target = os.path.join(elsewhere, name)
    if not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.join(REPOSITORY, name), target)


def same(name, elsewhere):
    result = proc.run(["cmp", os.path.join(REPOSITORY, name), os.path.join(elsewhere, name)], check=False)
    return result.stdout + result.stderr


# Seen to fail: without -ffile-prefix-map.
def test_same_bytes(tmp_path):
    proc.run([*MAKE, "-C", REPOSITORY, *SAMPLE, "plugin", "deb"], timeout=600)
    elsewhere = str(tmp_path / "elsewhere")
    for name in fresh.sources():
        copy(name, elsewhere)
    other = ["env", "-i", "PATH=" + os.environ["PATH"], "TZ=Asia/Tokyo", "sh", "-c",
             'umask 077; exec "$@"', "sh", *MAKE, "-C", elsewhere]
    proc.run([*other, *SAMPLE], timeout=300)
    for folder in "plugin", "policy", "policy/*":
        for path in glob.glob(f"{REPOSITORY}/build/{folder}/*.[od]"):
            copy(os.path.relpath(path, REPOSITORY), elsewhere)
    proc.run([*other, "plugin", "deb"], timeout=300)
    packed = [name for name in os.listdir(elsewhere + "/build") if name.endswith((".tar.gz", ".deb"))]
    assert len(packed) == 2
    for name in [*SAMPLE, *("build/" + name for name in packed)]:
        assert same(name, elsewhere) == ""
