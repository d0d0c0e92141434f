# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests that no dockerd should send, to a daemon in a namespace without any dockerd: each is answered
as the contract with dockerd wants it, in a sentence, and changes nothing."""

import contextlib
import copy
import json
import os
import re
import resource
import socket
import subprocess
import threading
import time

import pytest

from lab import World, proc
from lab.snapshot import difference, snapshot
from lab.tailexitd import BINARY

MIB = 1 << 20
# Follows some time after the link.
CARRIER = re.compile(r"<[^>]*>|state [A-Z]+| linkdown")
NET, OTHER, EP, STRANGER = "a" * 64, "c" * 64, "b" * 64, "d" * 64
PORTS = {"com.docker.network.portmap": [
    {"Proto": 6, "IP": "", "Port": 80, "HostIP": "", "HostPort": 8080, "HostPortEnd": 8080}]}


def network(name=OTHER, pool="10.81.0.0/24", gateway="10.81.0.1/24", options=None):
    return {"NetworkID": name, "IPv6Data": [],
            "IPv4Data": [{"AddressSpace": "LocalDefault", "Pool": pool, "Gateway": gateway}],
            "Options": {"com.docker.network.enable_ipv6": False,
                        "com.docker.network.generic": {"policy": "open"} if options is None
                        else options}}


def endpoint(name=EP, address="10.80.0.2/24", net=NET):
    return {"NetworkID": net, "EndpointID": name, "Options": {},
            "Interface": {"Address": address, "AddressIPv6": "", "MacAddress": ""}}


def attach(name=EP, net=NET, options=None):
    return {"NetworkID": net, "EndpointID": name, "Options": options or {},
            "SandboxKey": "/var/run/docker/netns/1"}


# A request that each method takes, in the order in which dockerd sends them.
REQUESTS = {
    "GwAllocCheck": network(),
    "CreateNetwork": network(),
    "CreateEndpoint": endpoint(OTHER, "10.80.0.9/24"),
    "Join": attach(),
    "ProgramExternalConnectivity": attach(options=PORTS),
    "EndpointOperInfo": attach(),
    "RevokeExternalConnectivity": attach(),
    "Leave": attach(),
    "DeleteEndpoint": attach(),
    "DeleteNetwork": {"NetworkID": NET},
}


class Plain:
    """A daemon in the host's namespace of a world, and what snapshot() wants to know of a host."""

    def __init__(self, world):
        world.create_host()
        self.world, self.netns = world, world.host
        os.makedirs(self.path("run"))
        self.socket = self.path("driver.sock")
        self.process = self.netns.spawn(
            self.path("log"), BINARY, "serve", "--socket", self.socket,
            "--state-dir", self.path("lib"), "--run-dir", self.path("run", "tailexit"))
        proc.wait_for(lambda: os.path.exists(self.path("run", "tailexit", "control.sock")), "daemon")

    def path(self, *names):
        return self.world.path("host", *names)

    def run(self, *argv):
        if argv[0].endswith("-save"):
            return subprocess.CompletedProcess(argv, 0, stdout="")
        return self.netns.run(*argv)

    def seen(self):
        seen = {command: [CARRIER.sub("", line) for line in lines]
                for command, lines in snapshot(self).items()}
        return {**seen, "sockets": sorted(self.run("ss", "-Hlntu").stdout.splitlines())}

    def exchange(self, data, timeout=10):
        """Bytes there, bytes back."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(self.socket)
            reply = b""
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(data)
            with contextlib.suppress(ConnectionResetError, TimeoutError):
                while piece := client.recv(65536):
                    reply += piece
            return reply

    def send(self, method, body=b"", verb="POST"):
        """Status and what the JSON of the reply says."""
        if "." not in method:
            method = "NetworkDriver." + method
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        reply = self.exchange(b"%s /%s HTTP/1.1\r\nHost: \r\nContent-Length: %d\r\n\r\n%s"
                              % (verb.encode(), method.encode(), len(body), body))
        head, _, rest = reply.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(rest)

    def good(self, method, body=b""):
        status, reply = self.send(method, body)
        assert status == 200 and not reply.get("Err"), reply
        return reply

    def bad(self, method, body, sentence, status=200):
        """Refused with a sentence that matches."""
        got, reply = self.send(method, body)
        assert got == status, reply
        text = reply.get("Err", "")
        assert re.search(sentence, text), f"{text!r} does not match {sentence!r}"
        assert "\n" not in text and len(text) > 15, text


@pytest.fixture(scope="module")
def daemon():
    """Knows one network with one endpoint that publishes a port."""
    with World() as world:
        daemon = Plain(world)
        daemon.good("CreateNetwork", network(NET, "10.80.0.0/24", "10.80.0.1/24"))
        daemon.good("CreateEndpoint", endpoint())
        daemon.good("Join", attach())
        # As dockerd does: an endpoint that no container takes is swept.
        daemon.netns.ip("link", "set", "tec" + EP[:12], "netns", world.lan.name)
        daemon.good("ProgramExternalConnectivity", attach(options=PORTS))
        yield daemon


@pytest.fixture
def unchanged(daemon):
    before = daemon.seen()
    yield
    assert difference(before, daemon.seen()) == ""
    assert daemon.process.poll() is None


def test_the_eye_sees(daemon):
    """What a request changes shows, and goes away with it."""
    before = daemon.seen()
    daemon.good("CreateNetwork", network())
    daemon.good("CreateEndpoint", endpoint(STRANGER, "10.81.0.2/24", OTHER))
    shown = difference(before, daemon.seen())
    for what in "te-cccc", "tevdddd", "tecdddd", "10.81.0.0/24", "networks/cccc", "endpoints/dddd":
        assert what in shown, what
    daemon.good("DeleteEndpoint", attach(STRANGER, OTHER))
    daemon.good("DeleteNetwork", {"NetworkID": OTHER})
    assert difference(before, daemon.seen()) == ""


BODIES = {
    b"": "no body",
    b"{": "not valid JSON",
    b"\xff\xfe": "not valid JSON",
    b'{"NetworkID": "a"} {}': "not valid JSON",
    b'{"NetworkID": "a", "NetworkID": "b"}': "not valid JSON",
    b'{"NetworkID": "a\\u0000b"}': "not valid JSON",
    b"[" * 100000: "not valid JSON",
    b"[]": "not a JSON object",
    b"{}": "NetworkID|no policy",
    b'{"NetworkID": null}': "NetworkID|no policy",
}


@pytest.mark.parametrize("method", REQUESTS)
@pytest.mark.usefixtures("unchanged")
def test_not_a_request(daemon, method):
    for body, sentence in BODIES.items():
        daemon.bad(method, body, sentence)
    # The most that is read, and one byte more.
    daemon.bad(method, b" " * MIB, "not valid JSON")
    daemon.bad(method, b" " * (MIB + 1), "larger than 1048576 bytes", 413)


def _paths(value, path=()):
    """Every place in a request."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(
        value if isinstance(value, list) else ())
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _replaced(request, path, value):
    request = copy.deepcopy(request)
    place = request
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return request


# Nobody asks for these.
UNREAD = {"AddressSpace", "IP"}


@pytest.mark.parametrize("method", ["CreateNetwork", "CreateEndpoint", "Join"])
@pytest.mark.usefixtures("unchanged")
def test_wrong_types(daemon, method):
    request = REQUESTS[method] if method != "Join" else attach(options=PORTS)
    tried = 0
    for path in _paths(request):
        for value in 1.5, [1], {"a": 1}, True, "\u00fc" * 1000:
            old = request
            for key in path:
                old = old[key]
            if path[-1] in UNREAD or isinstance(value, type(old)) and value != "\u00fc" * 1000:
                continue
            if isinstance(value, str) and path[-1] == "policy":
                continue
            daemon.bad(method, _replaced(request, path, value), ".")
            tried += 1
    assert tried > 10


@pytest.mark.usefixtures("unchanged")
def test_not_http(daemon):
    for junk in b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"\r\n" * 1000, b"x" * 70000:
        assert b" 200 " not in daemon.exchange(junk, 0.2)
    assert daemon.send("NoSuchMethod", b"{}")[0] == 404
    assert "Err" in daemon.send("NoSuchMethod", b"{}")[1]
    assert daemon.send("Join", attach(), "GET")[0] == 405
    assert b" 413 " in daemon.exchange(
        b"POST /NetworkDriver.Join HTTP/1.1\r\nHost: \r\nContent-Length: 99999999999\r\n\r\n")
    assert not daemon.exchange(b"POST /" + b"x" * MIB).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("unchanged")
def test_without_arguments(daemon):
    """Whatever comes with them: a dockerd that got no answer once does not ask again."""
    for body in b"", b"{", b"[]":
        assert daemon.good("Plugin.Activate", body) == {"Implements": ["NetworkDriver"]}
        assert daemon.good("GetCapabilities", body)["Scope"] == "local"
        daemon.good("DiscoverNew", body)


@pytest.mark.parametrize("name, net", [(EP, STRANGER), (STRANGER, NET), (STRANGER, STRANGER)],
                         ids=["network", "endpoint", "both"])
@pytest.mark.usefixtures("unchanged")
def test_unknown(daemon, name, net):
    """What is to go is gone already; everything else needs it."""
    for method in "RevokeExternalConnectivity", "Leave", "DeleteEndpoint":
        assert daemon.good(method, attach(name, net)) == {}
    for method in "Join", "EndpointOperInfo":
        daemon.bad(method, attach(name, net), "(network|endpoint) (bbbb|dddd).* not known")
    daemon.bad("ProgramExternalConnectivity", attach(name, net, PORTS), "not known")
    daemon.good("DeleteNetwork", {"NetworkID": STRANGER})
    if net == STRANGER:
        daemon.bad("CreateEndpoint", endpoint(STRANGER, "10.80.0.9/24", net),
                   "not known here; remove it and create it again")


@pytest.mark.usefixtures("unchanged")
def test_repeated(daemon):
    """An answer was lost, and dockerd asks again."""
    for _ in range(2):
        daemon.good("CreateNetwork", network(NET, "10.80.0.0/24", "10.80.0.1/24"))
        daemon.good("CreateEndpoint", endpoint())
        assert daemon.good("Join", attach()) == {
            "Gateway": "10.80.0.1",
            "InterfaceName": {"SrcName": "tec" + EP[:12], "DstPrefix": "eth"}}
        daemon.good("ProgramExternalConnectivity", attach(options=PORTS))


@pytest.mark.usefixtures("unchanged")
def test_repeated_differently(daemon):
    daemon.bad("CreateNetwork", network(NET, "10.82.0.0/24", "10.82.0.1/24"),
               "exists with other options; remove it first")
    daemon.bad("CreateNetwork", network(NET, "10.80.0.0/24", "10.80.0.1/24",
                                        {"policy": "open", "icc": "false"}), "exists with other")
    daemon.bad("CreateEndpoint", endpoint(EP, "10.80.0.3/24"), "exists with other addresses")


@pytest.mark.usefixtures("unchanged")
def test_a_life_in_doubles(daemon):
    """Every call twice, and nothing remains."""
    new = attach(OTHER)
    published = attach(OTHER, options={"com.docker.network.portmap": [
        {"Proto": 17, "Port": 53, "HostIP": "", "HostPort": 8053, "HostPortEnd": 8053}]})
    for method, body in (("CreateEndpoint", endpoint(OTHER, "10.80.0.9/24")),
                         ("Join", new), ("ProgramExternalConnectivity", published),
                         ("RevokeExternalConnectivity", new), ("Leave", new),
                         ("DeleteEndpoint", new)):
        assert daemon.good(method, body).get("Err") is None
        before = daemon.seen()
        daemon.good(method, body)
        assert difference(before, daemon.seen()) == "", method


@pytest.mark.usefixtures("unchanged")
def test_out_of_order(daemon):
    daemon.bad("Join", attach(OTHER), "not known")
    daemon.bad("ProgramExternalConnectivity", attach(OTHER, options=PORTS), "not known")
    # Ports before Join, then the end without Revoke and without Leave.
    daemon.good("CreateEndpoint", endpoint(OTHER, "10.80.0.9/24"))
    daemon.good("ProgramExternalConnectivity", attach(OTHER, options={
        "com.docker.network.portmap": [{"Proto": 6, "Port": 80, "HostIP": "", "HostPort": 8081,
                                        "HostPortEnd": 8081}]}))
    assert "8081" in difference({"sockets": []}, daemon.seen())
    daemon.good("DeleteEndpoint", attach(OTHER))
    # A network that goes first takes its endpoints along.
    daemon.good("CreateNetwork", network())
    daemon.good("CreateEndpoint", endpoint(OTHER, "10.81.0.9/24", OTHER))
    daemon.good("DeleteNetwork", {"NetworkID": OTHER})
    daemon.good("DeleteEndpoint", attach(OTHER, OTHER))


@pytest.mark.usefixtures("unchanged")
def test_port_taken(daemon):
    """By a container of ours; the endpoint stays as it was."""
    daemon.good("CreateEndpoint", endpoint(OTHER, "10.80.0.9/24"))
    before = daemon.seen()
    daemon.bad("ProgramExternalConnectivity", attach(OTHER, options=PORTS), "8080/tcp on 0.0.0.0 is already in use by container")
    assert difference(before, daemon.seen()) == ""
    daemon.good("DeleteEndpoint", attach(OTHER))


CLASHES = {
    "10.80.0.0/24": "overlaps 10.80.0.0/24 of network aaaaaaaaaaaa; choose another with --subnet",
    "10.80.0.128/25": "of network aaaa",
    "10.0.0.0/8": "of network aaaa",
    "192.168.77.0/24": "overlaps the host's route 192.168.77.0/24 dev lan0; choose another",
    "192.168.0.0/16": "dev lan0",
    "10.90.1.0/24": "overlaps the host's route 10.90.1.0/24 dev lan0",
}


@pytest.mark.parametrize("pool", CLASHES)
def test_clash(daemon, request, pool):
    daemon.netns.ip("route", "replace", "10.90.1.0/24", "via", "192.168.77.50")
    request.getfixturevalue("unchanged")
    gateway = re.sub(r"\d+/", lambda last: str(int(last[0][:-1]) + 1) + "/", pool)
    daemon.bad("CreateNetwork", network(pool=pool, gateway=gateway), re.escape(CLASHES[pool])
               if "overlaps" in CLASHES[pool] else CLASHES[pool])


ADDRESSES = {
    ("", "10.81.0.1/24"): "no IPv4 subnet",
    ("0.0.0.0/0", ""): "no IPv4 subnet",
    ("fd00::/64", ""): "not an IPv4 address",
    ("10.81.0.0/33", ""): "not an IPv4 address",
    ("10.81.0.0/24", "10.82.0.1/24"): "gateway 10.82.0.1 is not in subnet 10.81.0.0/24",
}


@pytest.mark.parametrize("pool, gateway", ADDRESSES)
@pytest.mark.usefixtures("unchanged")
def test_impossible_subnet(daemon, pool, gateway):
    daemon.bad("CreateNetwork", network(pool=pool, gateway=gateway), ADDRESSES[pool, gateway])


@pytest.mark.usefixtures("unchanged")
def test_impossible_endpoint(daemon):
    daemon.bad("CreateEndpoint", endpoint(OTHER, "10.99.0.2/24"), "not in a subnet of network aaaa")
    daemon.bad("CreateEndpoint", endpoint(OTHER, ""), "no address")
    request = endpoint(OTHER, "10.80.0.9/24")
    for mac in "01:00:00:00:00:01", "00:00:00:00:00:00", "02:42", "zz:42:00:00:00:01":
        request["Interface"]["MacAddress"] = mac
        daemon.bad("CreateEndpoint", request, "not the MAC address of an interface")


@pytest.mark.parametrize("name", ["../../etc/x", ".", "..", "a/b", "a b", "x" * 65, "", "\u00fc"])
@pytest.mark.usefixtures("unchanged")
def test_names_that_are_paths(daemon, name):
    daemon.bad("CreateNetwork", network(name), "NetworkID")
    daemon.bad("DeleteNetwork", {"NetworkID": name}, "NetworkID")
    daemon.bad("CreateEndpoint", endpoint(name, "10.80.0.9/24"), "EndpointID")
    daemon.bad("DeleteEndpoint", attach(name), "EndpointID")


OPTIONS = [
    ({}, "no policy; add -o policy=open"),
    ({"policy": "opne"}, '"opne" is not a policy; use open'),
    ({"policy": "killswitch"}, "not available in this version"),
    ({"policy": "open", "polcy": "open"}, r'"polcy" is not known \(did you mean "policy"\?\)'),
    ({"policy": "open", "colour": "red"}, '"colour" is not known; valid ones are policy, mtu'),
    ({"policy": "open", "tailexit.policy": "open"}, "two spellings of one"),
    ({"policy": "open", "mtu": "big"}, "not an MTU; use auto or a number from"),
    ({"policy": "open", "mtu": "67"}, "not an MTU"),
    ({"policy": "open", "icc": "maybe"}, "neither true nor false"),
    ({"policy": "open", "lan": "off"}, "not available in this version; remove it"),
    ({"policy": "open", "com.docker.network.bridge.nmae": "x"},
     r'did you mean "com.docker.network.bridge.name"\?'),
    ({"policy": "open", "com.docker.network.bridge.name": "much-too-long-name"},
     "not an interface name"),
    ({"policy": "open", "com.docker.network.bridge.name": "a/b"}, "not an interface name"),
    ({"policy": "open", "com.docker.network.bridge.gateway_mode_ipv4": "bridged"},
     "not a gateway mode; use nat"),
    ({"policy": "open", "com.docker.network.bridge.gateway_mode_ipv4": "isolated"},
     "for internal networks only"),
    ({"policy": "open", "com.docker.network.host_ipv4": "fd00::1"}, "not an IPv4 address"),
    ({"policy": "open", "com.docker.network.bridge.host_binding_ipv4": "here"}, "not an address"),
]


@pytest.mark.parametrize("options, sentence", OPTIONS)
@pytest.mark.usefixtures("unchanged")
def test_option(daemon, options, sentence):
    daemon.bad("CreateNetwork", network(options=options), sentence)
    # With the same words as early as dockerd asks anything.
    daemon.bad("GwAllocCheck", network(options=options), sentence)


@pytest.mark.parametrize("name, sentence", [
    ("lan0", "there is an interface of that name which is not ours"),
    ("br-theirs", "there is an interface of that name which is not ours"),
    ("te-" + NET[:12], "taken by network aaaa"),
])
def test_bridge_name(daemon, request, name, sentence):
    if name == "br-theirs":
        daemon.netns.ip("link", "add", name, "type", "bridge")
    request.getfixturevalue("unchanged")
    daemon.bad("CreateNetwork", network(options={
        "policy": "open", "com.docker.network.bridge.name": name}), sentence)


def quick(daemon):
    """What an ordinary call takes, in seconds."""
    took = []
    for _ in range(15):
        for method, body in (("EndpointOperInfo", attach()),
                             ("CreateEndpoint", endpoint(OTHER, "10.80.0.9/24")),
                             ("DeleteEndpoint", attach(OTHER))):
            start = time.monotonic()
            daemon.good(method, body)
            took.append(time.monotonic() - start)
    return sorted(took)[len(took) // 2]


def descriptors(daemon):
    pid = proc.child_of(daemon.process.pid) or daemon.process.pid
    return len(os.listdir(f"/proc/{pid}/fd"))


@pytest.mark.usefixtures("unchanged")
def test_slow_clients(daemon):
    """One byte a second, of headers and of a body."""
    def trickle(client, data):
        with contextlib.suppress(OSError):
            for byte in data:
                client.send(bytes([byte]))
                if done.wait(1):
                    return

    idle = descriptors(daemon)
    done = threading.Event()
    with contextlib.ExitStack() as stack:
        threads = []
        for number in range(20):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(daemon.socket)
            if number % 2:
                client.send(b"POST /NetworkDriver.Join HTTP/1.1\r\nHost: \r\n"
                            b"Content-Length: 100\r\n\r\n")
            threads.append(threading.Thread(target=trickle, args=(client, b"POST /x" * 9)))
            threads[-1].start()
        time.sleep(1.5)
        slowest = quick(daemon)
        done.set()
        for thread in threads:
            thread.join()
    assert slowest < 0.05
    proc.wait_for(lambda: descriptors(daemon) == idle, "end of their connections")


@pytest.mark.usefixtures("unchanged")
def test_thousand_connections(daemon):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    idle = descriptors(daemon)
    with contextlib.ExitStack() as stack:
        for number in range(1000):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(daemon.socket)
            if number % 2:
                client.send(b"POST /NetworkDriver.Join HTTP/1.1\r\n")
        proc.wait_for(lambda: descriptors(daemon) >= idle + 1000, "connections")
        assert quick(daemon) < 0.05
    proc.wait_for(lambda: descriptors(daemon) == idle, "end of the connections")


@pytest.mark.usefixtures("unchanged")
def test_gone_before_the_answer(daemon):
    for _ in range(200):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(daemon.socket)
            client.send(b"POST /NetworkDriver.EndpointOperInfo HTTP/1.1\r\nHost: \r\n"
                        b"Content-Length: 2\r\n\r\n{}")
    assert quick(daemon) < 0.05
