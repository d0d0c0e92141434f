# SPDX-License-Identifier: GPL-2.0-or-later
"""After the last network is gone, the host looks as it did before the first."""

from lab.docker import Docker
from lab.snapshot import difference, snapshot

DUAL = "--subnet", "10.80.0.0/24", "--ipv6", "--subnet", "fd00:80::/64"


def use(docker):
    """A bit of everything that makes objects in the kernel."""
    docker.run(docker.network("tailexit", *DUAL), "-p", "8080:80", "-p", "8080:80/udp")
    named = docker.network("tailexit", "-o", "com.docker.network.bridge.name=br-mine",
                           "-o", "com.docker.network.bridge.enable_icc=false")
    quiet = docker.network("tailexit", "--internal")
    box = docker.run(named, "-p", "127.0.0.1::80")
    docker.run(quiet)
    docker.host.docker("network", "connect", quiet.name, box.name)
    docker.host.docker("restart", "-t", "0", box.name)


def test_nothing_is_left(make_host):
    host = make_host()
    host.boot()
    # Whoever needs forwarding may switch it on for good, which shows in routes of the kernel's own.
    host.netns.sysctl("ipv6/conf/all/forwarding", 1)
    docker = Docker(host)
    before = snapshot(host)
    for _ in range(2):
        use(docker)
        assert difference(before, snapshot(host))
        docker.clean()
        assert difference(before, snapshot(host)) == ""
    assert snapshot(host) == before  # the order as well
