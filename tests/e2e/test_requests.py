# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests that no dockerd should send: each is answered as the contract with dockerd wants it, in a
sentence, and changes nothing."""

import contextlib
import copy
import os
import resource
import socket
import threading
import time

import pytest

from lab import proc
from lab.snapshot import difference

from test_requests_rig import (  # noqa: F401, F811
    EP, NET, OTHER, PORTS, STRANGER, attach, daemon, endpoint, network, unchanged)

MIB = 1 << 20

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
    b"{}": '"NetworkID" of the request is missing',
    b'{"NetworkID": null}': '"NetworkID" of the request is missing',
}


@pytest.mark.parametrize("method", REQUESTS)
@pytest.mark.usefixtures("unchanged")
def test_not_a_request(daemon, method):
    for body, sentence in BODIES.items():
        # The one that is asked before there is an id.
        if method != "GwAllocCheck" or "NetworkID" not in sentence:
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
    daemon.bad("ProgramExternalConnectivity", attach(OTHER, options=PORTS),
               "8080/tcp on 0.0.0.0 is already in use by container")
    assert difference(before, daemon.seen()) == ""
    daemon.good("DeleteEndpoint", attach(OTHER))


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
