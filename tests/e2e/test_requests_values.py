# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests in good form for what cannot be: each is refused with the reason and the way out, and changes
nothing."""

import re

import pytest

from test_requests_rig import (  # noqa: F401, F811
    NET, OTHER, attach, daemon, endpoint, network, unchanged)


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
    ({"policy": "opne"}, '"opne" is not a policy; use killswitch, bypass, isolated or open'),
    ({"polcy": "open"}, r'"polcy" is not known \(did you mean "policy"\?\)'),
    ({"colour": "red"}, '"colour" is not known; valid ones are policy, via'),
    ({"Policy": "open"}, r'did you mean "policy"\?'),
    ({"policy": "open", "tailexit.policy": "open"}, "two spellings of one"),
    ({"via": "tail scale"}, "not an interface name; use one like tailscale0"),
    ({"via": "a,,b"}, "separate with single commas"),
    ({"policy": "open", "via": "wg0"}, "remove via, or use policy=killswitch"),
    ({"lan": "maybe"}, "none of reply, off, on, or a list"),
    ({"tailnet": "yes"}, "neither on nor off"),
    ({"host": "ssh"}, "none of off, on, or a list of ports"),
    ({"dns": "nowhere"}, "none of strict, docker, or a list of server addresses"),
    ({"policy": "bypass", "mark": "1/0"}, "like 0x80000/0xff0000"),
    ({"ipv6": "on"}, "neither auto nor off"),
    ({"override": "always"}, "is none of tighten, any, none; use one of them"),
    ({"mtu": "big"}, "not an MTU; use auto or a number from"),
    ({"mtu": "67"}, "not an MTU"),
    ({"icc": "maybe"}, "neither true nor false"),
    ({"com.docker.network.bridge.nmae": "x"}, r'did you mean "com.docker.network.bridge.name"\?'),
    ({"com.docker.network.bridge.name": "much-too-long-name"}, "not an interface name"),
    ({"com.docker.network.bridge.name": "a/b"}, "not an interface name"),
    ({"com.docker.network.bridge.gateway_mode_ipv4": "bridged"}, "not a gateway mode; use nat"),
    ({"com.docker.network.bridge.gateway_mode_ipv4": "isolated"}, "for internal networks only"),
    ({"com.docker.network.host_ipv4": "fd00::1"}, "not an IPv4 address"),
    ({"com.docker.network.bridge.host_binding_ipv4": "here"}, "not an address"),
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
