# SPDX-License-Identifier: GPL-2.0-or-later
"""`make up` and `make down` as somebody meets them who has nothing but make and apt."""

import re

import pytest

from fresh import SOURCES
from lab import image, probe, proc
from lab.world import HOST4

# What the package manager keeps for itself, and backups of what useradd and groupadd edit.
KEPT = re.compile(r"/var/(log|cache/(apt|debconf|ldconfig))/|/var/lib/(apt|dpkg)/"
                  r"|/etc/g?(shadow|group)-")
LIST = (f"find / -xdev -path {SOURCES}/build -prune -o -printf '%p %y %m %U:%G %l\\n';"
        "find /etc -type f -exec md5sum {} +; dpkg-query -W")


def files(machine):
    return {line for line in machine.run("sh", "-c", LIST).stdout.splitlines()
            if not KEPT.search(line)}


def printed_commands(text):
    commands = re.findall(r"^  ((?:docker|tailexit) .*)$", text, re.M)
    assert len(commands) == 3, text
    return commands


def load_images(machine):
    """There is no registry to pull from: an image of the lab's stands in for nginx."""
    machine.run("docker", "import", "-c", 'CMD ["echo-server","80"]', "-", "nginx",
                input=image.archive())


def published(machine):
    """From another computer: whoever asks the echo server learns its own address."""
    return probe.ask(machine.world.lan, HOST4, 8080)


def fails(machine, *argv):
    """make, which has to fail; returns the sentence."""
    with pytest.raises(proc.Failed) as failure:
        machine.make(*argv)
    return failure.value.stderr


def journal(machine, unit):
    return machine.run("journalctl", "-q", "--no-pager", "-o", "cat", "-b", "-u", unit).stdout


def container(machine, key):
    return machine.run("docker", "inspect", "-f", "{{" + key + "}}", "web").stdout.strip()


def test_without_systemd(make_machine):
    machine = make_machine("bookworm")
    before = files(machine)

    commands = printed_commands(machine.make("up"))
    load_images(machine)
    for command in commands:
        last = machine.run("sh", "-c", command).stdout
    assert re.search(r"tcp +0\.0\.0\.0:8080 +\S+:80$", last, re.M)
    proc.wait_for(lambda: published(machine) == "192.168.77.50", "the web server")
    assert not machine.run("docker", "network", "ls", "-q", "--filter", "name=probe").stdout
    assert re.match(r"\w{12}  open +open +1 container, ", machine.run("tailexit", "status").stdout)

    # Again, which is to upgrade.
    pid, daemon = container(machine, ".State.Pid"), machine.read("/run/tailexit/tailexit.pid")
    record = machine.read("/var/lib/tailexit/made-by-up")
    machine.make("up")
    assert container(machine, ".State.Pid") == pid
    assert machine.read("/run/tailexit/tailexit.pid") != daemon
    assert machine.read("/var/lib/tailexit/made-by-up") == record
    assert published(machine) == "192.168.77.50"

    # Nothing is taken back that somebody would miss.
    assert "home" in fails(machine, "down")
    machine.run("docker", "rm", "-f", "web")
    machine.run("docker", "network", "rm", "home")
    machine.run("docker", "volume", "create", "diary")
    assert "diary" in fails(machine, "down")
    machine.run("tailexit", "ports")
    machine.run("docker", "volume", "rm", "diary")

    machine.make("down")
    after = files(machine)
    assert sorted(after - before) == [] and sorted(before - after) == []
    assert machine.run("sh", "-c", "cat /proc/[0-9]*/comm").stdout.split().count("tailexit") == 0
    assert "gone" in machine.make("down")


def test_with_systemd(make_machine):
    machine = make_machine("trixie", systemd=True)

    commands = printed_commands(machine.make("up"))
    verify = machine.run("systemd-analyze", "verify", "--man=no", "tailexit.service",
                         "tailexit.socket", "tailexit-guard.service")
    assert verify.stdout + verify.stderr == ""
    load_images(machine)

    # What the unit's sandbox must not forbid: the sysctl, the low port, whose port it is.
    for sysctl in "ipv4/ip_forward", "ipv6/conf/all/forwarding":
        machine.netns.sysctl(sysctl, 0)
    machine.run("docker", "network", "create", "-d", "tailexit", "-o", "policy=open", "--ipv6",
                "--subnet", "fd00:9::/64", "six")
    machine.run("docker", "run", "--rm", "--network", "six", "-p", "80:80", "nginx", "true")
    # Turned on with the first container of a family.
    assert machine.netns.sysctl("ipv4/ip_forward") == "1"
    assert machine.netns.sysctl("ipv6/conf/all/forwarding") == "1"
    machine.run("systemd-run", "-q", "--expand-environment=no", "-p", "User=nobody", "perl",
                "-MIO::Socket::INET", "-e", "$s = IO::Socket::INET->new(Listen => 1, "
                "LocalPort => 8099) or die; sleep 60")
    refused = proc.wait_for(lambda: machine.run(
        "docker", "run", "--rm", "--network", "six", "-p", "8099:80", "nginx", "true",
        check=False).stderr, "refusal of a port in use")
    assert 'in use by "perl"' in refused
    machine.run("docker", "network", "rm", "six")

    machine.run("sh", "-c", commands[0])
    machine.run("sh", "-c", commands[1].replace("-d ", "-d --restart always ", 1))
    proc.wait_for(lambda: published(machine) == "192.168.77.50", "the web server")

    # Killed, it comes back; and so does everything after a reboot.
    machine.run("systemctl", "kill", "--signal=KILL", "tailexit.service")
    machine.run("docker", "network", "create", "-d", "tailexit", "-o", "policy=open", "again")
    machine.run("docker", "network", "rm", "again")
    assert published(machine) == "192.168.77.50"
    assert machine.run("systemctl", "is-enabled", "tailexit-guard", check=False).stdout == "disabled\n"
    machine.run("systemctl", "enable", "-q", "tailexit-guard")
    machine.reboot()
    proc.wait_for(lambda: published(machine) == "192.168.77.50", "the web server after a reboot",
                  timeout=30)
    # Done before there was a network, and then the daemon found it.
    said = journal(machine, "tailexit-guard")
    assert "1 network has its fences; " in said and "; 0 parts" not in said
    times = [int(machine.run("systemctl", "show", "--value", "-p", what, unit).stdout)
             for unit, what in (("tailexit-guard", "ActiveEnterTimestampMonotonic"),
                                ("network-pre.target", "ActiveEnterTimestampMonotonic"),
                                ("tailexit", "ExecMainStartTimestampMonotonic"))]
    assert 0 < times[0] <= times[1] and times[0] <= times[2]
    assert machine.run("tailexit", "plan", "--diff").stdout == ""
    assert "8080" in machine.run("tailexit", "ports").stdout

    # The engine is kept on request. Then it is somebody's, and another `down` leaves it alone.
    assert "home" in fails(machine, "down", "KEEP_DOCKER=1")
    machine.make("down", "KEEP_DOCKER=1", "FORCE=1")
    assert container(machine, ".State.Running") == "true"
    assert "te-" not in machine.netns.ip("-o", "link")
    assert "tailexit" not in machine.netns.run("nft", "list", "tables").stdout
    assert machine.run("docker", "network", "ls", "-q", "--filter", "driver=tailexit").stdout == ""
    assert machine.run("sh", "-c", "command -v gcc tailexit", check=False).stdout == ""
    machine.make("up")
    assert not re.search(r"docker|containerd", machine.read("/var/lib/tailexit/made-by-up"))
    machine.make("down")
    assert container(machine, ".State.Running") == "true"


def test_sentences(make_machine):
    machine = make_machine("bookworm")
    nobody = "setpriv", "--reuid=65534", "--clear-groups", "make", "-C", SOURCES
    for command in "up", "down":
        result = machine.run(*nobody, command, check=False)
        assert result.returncode != 0
        assert f"this needs root; run: sudo make {command}\n" in result.stderr

    # An archive that is not there: what apt says, and which packages it is about.
    machine.run("sh", "-c", "echo 'deb http://127.0.0.1:9 bookworm main' > /etc/apt/sources.list")
    text = fails(machine, "up")
    assert "apt-get could not install gcc" in text and "Unable to locate package gcc" in text
    machine.run("sh", "-c", "rm /usr/bin/apt-get")
    assert "install what corresponds to Debian's gcc libc6-dev pkgconf" in fails(machine, "up")
