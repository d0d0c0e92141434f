# SPDX-License-Identifier: GPL-2.0-or-later
"""Built elsewhere, by somebody else with other habits: the same bytes."""

import os
import shutil

from lab import proc
from lab.tailexitd import REPOSITORY

import fresh

MAKE = ["make", "-s", "--no-print-directory", "-j2"]
# Compiled again; the others would be no different.
SAMPLE = ["build/plugin/main.o", "build/plugin/serve.o", "build/policy/engine.o"]


def same(name, elsewhere):
    return proc.run(["cmp", os.path.join(REPOSITORY, name), os.path.join(elsewhere, name)],
                    check=False).stdout


# Seen to fail: without -ffile-prefix-map; without SOURCE_DATE_EPOCH; without the umask of plugin.sh.
def test_same_bytes(tmp_path):
    proc.run([*MAKE, "-C", REPOSITORY, "plugin", "deb"], timeout=600)
    elsewhere = str(tmp_path / "elsewhere")
    for name in fresh.sources():
        target = os.path.join(elsewhere, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(os.path.join(REPOSITORY, name), target)
    other = ["env", "-i", "PATH=" + os.environ["PATH"], "TZ=Asia/Tokyo", "sh", "-c",
             'umask 077; exec "$@"', "sh", *MAKE, "-C", elsewhere]
    proc.run([*other, *SAMPLE], timeout=300)
    for name in SAMPLE:
        assert same(name, elsewhere) == ""
    # Packed again, of the program that is there: -o has make take it for finished.
    shutil.copy(REPOSITORY + "/build/tailexit", elsewhere + "/build/tailexit")
    old = ["-o", "build/tailexit"]
    proc.run([*other, *old, "MAKE=" + " ".join(["make", *old]), "plugin", "deb"], timeout=300)
    packed = [name for name in os.listdir(elsewhere + "/build") if name.endswith((".tar.gz", ".deb"))]
    assert len(packed) == 2
    for name in packed:
        assert same("build/" + name, elsewhere) == ""
