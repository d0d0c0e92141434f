# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions for names reach the world through the exit or not at all, whoever is asked: Docker's own
resolver, the gateway, the host, public servers, a resolver on the host.

Next to each test: what was taken out of the daemon to see it fail.
"""

import secrets
import socket

import pytest

from lab import proc
from lab.image import echo_program
from lab.probe import open_socket
from lab.shout import LINGER_NOT
from lab.world import DNS4, DNS6, ECHO4, ECHO6, EXIT4, EXIT6, HOST4, HOST6, ISP4, ISP6

from test_policy_rig import (DNS, DUAL, GATEWAY4, GATEWAY6, judge, killswitch, run,  # noqa: F401
                             status, tunnel, uplink)

ENGINE = "in turn"

STUB = "127.0.0.53"


def fresh_name():
    return secrets.token_hex(4) + ".example"


def lookup(box, name):
    """As an application does: by the resolver that Docker put into the container."""
    result = box.docker.host.run("docker", "exec", box.name, "timeout", "1", "nslookup", "-type=a",
                                 name + ".", check=False)
    return ECHO4 in result.stdout


def askers(world, name):
    """Whom the DNS server of the world saw asking for a name."""
    return {line.split()[-1] for line in world.dns_queries() if name in line}


def query(netns, server, name, proto="udp", port=53):
    """Is a question that is asked directly answered?"""
    question = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    message = bytes.fromhex("abcd01000001000000000000") + question + bytes.fromhex("00010001")
    kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
    with open_socket(netns, server, kind, timeout=0.5) as client:
        # Nobody has anything left to say afterwards.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        try:
            client.connect((server, port))
            client.send(message if proto == "udp" else len(message).to_bytes(2, "big") + message)
            return b"\xab\xcd" in client.recv(512)
        except OSError:
            return False


# Seen to fail: without check_resolvers().
def test_names_without_resolvers_of_their_own_are_refused(docker):
    for policy in "killswitch", "isolated":
        net = docker.network("tailexit", "-o", "policy=" + policy)
        with pytest.raises(proc.Failed) as refusal:
            docker.run(net)
        assert "--dns ADDRESS" in refusal.value.stderr


# Seen to fail: marked as open, without egress.c's last rule.
def test_names_are_asked_through_the_exit(docker, world, tunnel):
    box, net = killswitch(docker)
    docker.run(net, *DNS, name="friend")
    name = fresh_name()
    with uplink(world) as wire:
        assert lookup(box, name)
        assert askers(world, name) == {EXIT4}
        assert query(box.netns, DNS6, name)
        assert askers(world, name) == {EXIT4, EXIT6}
        tunnel.down()
        name = fresh_name()
        assert not lookup(box, name)
        assert not query(box.netns, DNS6, name)
        assert askers(world, name) == set()
        # Docker's own names need nobody.
        assert box.execute("ping", "-c1", "-W1", "friend")
    assert wire.packets() == []


@pytest.fixture
def resolver(host):
    """A resolver on the host, on every address, as dnsmasq is there and systemd-resolved on its stub
    address; and something that takes DNS over TLS."""
    upstream = [f"--server={address}" for address in (DNS4, DNS6)]
    servers = [host.netns.spawn(host.path("resolver.log"), "dnsmasq", "--keep-in-foreground",
                                "--conf-file=/dev/null", "--user=root", "--pid-file=", "--no-resolv",
                                "--no-hosts", *upstream),
               host.netns.spawn(host.path("resolver.log"), echo_program(), 853)]
    set_resolver(host, STUB)
    proc.wait_for(lambda: query(host.netns, STUB, fresh_name()), "resolver on the host")
    yield STUB
    set_resolver(host, DNS4)
    for server in servers:
        proc.end(server, 15)


def set_resolver(host, address):
    host.run("sh", "-c", f"echo nameserver {address} > /etc/resolv.conf")


# Seen to fail: without the host's rules for ports 53 and 853, and its last one.
def test_a_resolver_on_the_host_is_not_asked(docker, world, resolver, judge):
    """Closed: whatever is asked, nobody learns of it."""
    box, net = killswitch(docker)
    ways = [(address, proto) for address in (GATEWAY4, GATEWAY6, HOST4, HOST6)
            for proto in ("udp", "tcp")]
    free_name, name = fresh_name(), fresh_name()
    for address, kind in ways:
        neighbour = address.replace("81", "82")
        assert query(judge.free.netns, neighbour, free_name, kind), (address, kind)
        assert judge.free.ask(neighbour, 853, kind)
    assert askers(world, free_name)
    for address, kind in ways:
        assert not query(box.netns, address, name, kind), (address, kind)
        assert not box.ask(address, 853, kind, timeout=0.1)
    assert not lookup(box, name)
    # An address of its own loopback, not of the host's.
    assert not lookup(docker.run(net, "--dns", STUB), name)
    assert askers(world, name) == set()


# Seen to fail: without the host's rules for ports 53 and 853.
def test_host_on_still_keeps_its_resolver_closed(docker, world, resolver):
    """dns=strict is about names; the host's other ports are open."""
    box, net = killswitch(docker, "host=on")
    name = fresh_name()
    assert box.ask(GATEWAY4, 853) is None
    assert not query(box.netns, GATEWAY4, name) and not query(box.netns, HOST4, name, "tcp")
    assert askers(world, name) == set()
    assert status(docker.host, net)["drops"]["dns"] > 0


# Seen to fail: without the warning in status.c.
def test_dns_docker_leaks_and_says_so(docker, world, resolver):
    """With a resolver on the host's loopback every engine asks it from the host. This is what the
    default refuses."""
    net = docker.network("tailexit", "-o", "policy=killswitch", "-o", "dns=docker", *DUAL)
    box = docker.run(net)
    name = fresh_name()
    assert lookup(box, name)
    assert askers(world, name) and askers(world, name) <= {ISP4, ISP6}
    assert "dns=docker" in status(docker.host, net)["warning"]
    strict = docker.network("tailexit", "-o", "policy=killswitch")
    assert "warning" not in status(docker.host, strict)


# Seen to fail: without redirect_names().
def test_a_list_of_servers_gets_every_question(docker, world, tunnel):
    box, _ = run(docker, "policy=killswitch", f"dns={DNS4}", argv=["--dns", "9.9.9.9"])
    name = fresh_name()
    assert lookup(box, name)
    for address in GATEWAY4, HOST4, ECHO4, "9.9.9.9":
        for kind in "udp", "tcp":
            assert query(box.netns, address, name, kind), (address, kind)
    assert askers(world, name) == {EXIT4}
    with uplink(world) as wire:
        tunnel.down()
        name = fresh_name()
        assert not lookup(box, name)
        for address in GATEWAY4, HOST4, "9.9.9.9":
            assert not query(box.netns, address, name)
    assert askers(world, name) == set() and wire.packets() == []


# Seen to fail: without redirect_names().
def test_a_list_with_both_families(docker, world, tunnel):
    box, _ = run(docker, "policy=killswitch", f"dns={DNS4},{DNS6}")
    name = fresh_name()
    assert query(box.netns, ECHO6, name) and query(box.netns, GATEWAY6, name, "tcp")
    assert askers(world, name) == {EXIT6}
