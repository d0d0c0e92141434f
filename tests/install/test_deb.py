# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package, on the Debian that it was built on: from installing to purging it."""

import os
import re
import shutil

import pytest

from lab import proc
from lab.tailexitd import REPOSITORY

from test_machine import files

APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y", "--no-install-recommends"]
GREETING = ("printf 'POST /Plugin.Activate HTTP/1.0\\r\\nContent-Length: 0\\r\\n\\r\\n' | "
            "perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die $!; "
            "print $s <STDIN>; print while <$s>' /run/docker/plugins/tailexit.sock")


@pytest.fixture(scope="module")
def package():
    path = proc.run(["make", "-s", "-C", REPOSITORY, "deb"], timeout=300).stdout.split()[-1]
    return os.path.join(REPOSITORY, path)


def release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.M)[1]


def state(machine, unit):
    return machine.run("systemctl", "is-active", unit, check=False).stdout.strip()


# Seen to fail: with a prerm that stops nothing.
def test_install_and_purge(make_machine, package):
    machine = make_machine(release(), systemd=True)
    machine.run(*APT, "update")
    before = files(machine)
    shutil.copy(package, machine.path("upper", "srv"))
    deb = "/srv/" + os.path.basename(package)

    machine.run(*APT, "install", deb)
    proc.wait_for(lambda: state(machine, "tailexit.service") == "active", "the daemon")
    assert state(machine, "tailexit.socket") == "active"
    assert '"NetworkDriver"' in machine.run("sh", "-c", GREETING).stdout
    assert machine.run("tailexit", "status").returncode == 0
    for unit in "tailexit.socket", "tailexit.service":
        assert machine.run("systemctl", "is-enabled", unit).stdout == "enabled\n"
    assert machine.run("systemctl", "is-enabled", "tailexit-guard", check=False).stdout == "disabled\n"
    level = machine.run("systemd-analyze", "security", "tailexit.service", check=False).stdout
    assert float(re.search(r"exposure level for tailexit.service: ([\d.]+)", level)[1]) <= 3.0

    # Again, which is to upgrade: another process, and what somebody has set up stays.
    pid = machine.run("pidof", "tailexit").stdout
    machine.run("sh", "-c", "echo TAILEXIT_LOG_LEVEL=debug > /etc/default/tailexit")
    machine.run(*APT, "install", "--reinstall", deb)
    proc.wait_for(lambda: machine.run("pidof", "tailexit", check=False).stdout not in ("", pid), "another")
    assert machine.read("/etc/default/tailexit") == "TAILEXIT_LOG_LEVEL=debug\n"

    machine.run(*APT, "remove", "tailexit")
    assert not machine.run("pidof", "tailexit", check=False).stdout
    assert machine.run("sh", "-c", "ls /run/docker/plugins /var/lib/tailexit").returncode == 0
    machine.run(*APT, "purge", "--autoremove", "tailexit")
    machine.run("sh", "-c", f"rm {deb}")
    after = files(machine)
    assert sorted(after - before) == [] and sorted(before - after) == []
    assert machine.run("sh", "-c", "ls -d /run/tailexit", check=False).returncode != 0

    # Units of make up would hide those of the package.
    shutil.copy(package, machine.path("upper", "srv"))
    machine.run("sh", "-c", "mkdir /var/lib/tailexit; : > /var/lib/tailexit/made-by-up")
    refused = machine.run(*APT, "install", deb, check=False)
    assert refused.returncode != 0 and "sudo make down" in refused.stdout + refused.stderr
