# SPDX-License-Identifier: GPL-2.0-or-later
"""What a host has to have for the containers that run, and nothing besides: links, routes, elements of
our table, listening sockets, files. Compared with what the engine says, not with what the daemon says.
"""

import json
import os
import re

import pytest

from lab import proc

TABLE = "2113929216"
RULES = range(5000, 5190)


def _bindings(container):
    """(protocol, host port, container port) of what a container publishes on every address."""
    for port, hosts in (container["HostConfig"]["PortBindings"] or {}).items():
        number, proto = port.split("/")
        for host in hosts:
            yield proto, int(host["HostPort"]), int(number)


class Wanted:
    """What should be there, by the engine's account."""

    def __init__(self, docker):
        self.networks, self.endpoints, self.veths, self.addresses = set(), set(), {}, set()
        self.sockets, self.dnat = set(), {"dnat4_any": set(), "dnat6_any": set()}
        self.own = set()
        for network in docker.api("GET", "/networks"):
            if network["Driver"] == "tailexit":
                self.networks.add(network["Id"])
        for listed in docker.api("GET", "/containers/json"):
            container = docker.api("GET", f"/containers/{listed['Id']}/json")
            for endpoint in container["NetworkSettings"]["Networks"].values():
                if endpoint["NetworkID"] in self.networks:
                    self._add(container, endpoint)

    def _add(self, container, endpoint):
        self.endpoints.add(endpoint["EndpointID"])
        self.veths["tev" + endpoint["EndpointID"][:12]] = container["State"]["Pid"]
        self.addresses |= {(endpoint["IPAddress"],), (endpoint["GlobalIPv6Address"],)}
        bridge = "te-" + endpoint["NetworkID"][:12]
        for proto, outside, inside in _bindings(container):
            self.own.add((bridge, proto, outside))
            self.sockets |= {(proto, f"0.0.0.0:{outside}"), (proto, f"[::]:{outside}")}
            for name, address in (("dnat4_any", endpoint["IPAddress"]),
                                  ("dnat6_any", endpoint["GlobalIPv6Address"])):
                self.dnat[name].add((proto, outside, address, inside))


def _compare(what, wanted, seen):
    wanted, seen = set(wanted), set(seen)
    return [f"{what}: missing {item}" for item in sorted(wanted - seen, key=str)] + [
        f"{what}: left over {item}" for item in sorted(seen - wanted, key=str)]


def _links(docker, wanted):
    """Ours in the host's namespace, and that their other ends are in the right containers."""
    links = {link["ifname"]: link for link in json.loads(docker.host.netns.ip("-j", "link"))}
    wrong = _compare("link", {"te-" + name[:12] for name in wanted.networks} | set(wanted.veths),
                     (name for name in links if name.startswith("te")))
    for name, pid in wanted.veths.items():
        inside = docker.host.run("nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-j", "link",
                                 check=False).stdout
        ends = {link["ifindex"] for link in json.loads(inside or "[]")
                if link.get("link_index") == links.get(name, {}).get("ifindex")}
        if name in links and links[name].get("link_index") not in ends:
            wrong.append(f"link {name}: its other end is not in the container")
    return wrong


def _words(value):
    """"tcp", 8080, "10.80.0.2", 80 of a set's or a map's element, as nft prints it."""
    if isinstance(value, list):
        for part in value:
            yield from _words(part)
    elif isinstance(value, dict) and "concat" in value:
        yield from _words(value["concat"])
    else:
        yield json.dumps(value) if isinstance(value, dict) else value


def _firewall(docker, wanted):
    answer = docker.host.run("nft", "-j", "list", "table", "inet", "tailexit", check=False)
    if answer.returncode != 0:
        return ["no table inet tailexit"] if wanted.networks else []
    objects = [next(iter(item.items())) for item in json.loads(answer.stdout)["nftables"]]
    sets = {entry["name"]: {tuple(_words(element)) for element in entry.get("elem", ())}
            for kind, entry in objects if kind in ("set", "map")}
    bridges = {"te-" + name[:12] for name in wanted.networks}
    links = {(link["ifname"],) for link in json.loads(docker.host.netns.ip("-j", "link"))}
    wrong = []
    for name, elements in sets.items():
        if name in wanted.dnat:
            wrong += _compare(name, wanted.dnat[name], elements)
        elif name in ("own4_any", "own6_any"):
            wrong += _compare(name, wanted.own, elements)
        elif name in ("confined4", "confined6"):
            wrong += _compare(name, elements & wanted.addresses, elements)
        elif name == "neighbours":
            wrong += [f"neighbours: left over {element}" for element in elements - links]
        else:
            found = {element[0] for element in elements}
            # The others have elements of networks only, and not all of every network.
            wrong += _compare(name, bridges if name in ("net_from", "net_to") else bridges & found,
                              found)
    owned = {re.search(r"te-\w+", entry["name"])[0] for kind, entry in objects
             if kind in ("chain", "counter") and "te-" in entry["name"]}
    return wrong + _compare("chains and counters of", bridges, owned)


def _routing(docker, wanted):
    wrong = []
    for family in "-4", "-6":
        rules = [rule["priority"]
                 for rule in json.loads(docker.host.run("ip", "-j", family, "rule").stdout)
                 if rule["priority"] in RULES]
        if bool(rules) != bool(wanted.networks) or len(set(rules)) != len(rules):
            wrong.append(f"rules {rules} ({family})")
        listed = docker.host.run("ip", "-j", family, "route", "show", "table", TABLE, check=False)
        routes = [(route["dst"], route.get("type", "unicast"))
                  for route in json.loads(listed.stdout or "[]")]
        subnets = [config["Subnet"] for name in wanted.networks
                   for config in docker.api("GET", "/networks/" + name)["IPAM"]["Config"]
                   if (":" in config["Subnet"]) == (family == "-6")]
        wrong += _compare("route", [(subnet, kind) for subnet in subnets
                                    for kind in ("unicast", "unreachable")], routes)
    return wrong


def _sockets(docker, wanted):
    lines = docker.host.run("ss", "-Hlntu").stdout.splitlines()
    return _compare("listening socket", wanted.sockets,
                    [(line.split()[0], line.split()[4].replace("*:", "0.0.0.0:")) for line in lines])


def _files(docker, wanted):
    def names(*directory):
        return os.listdir(docker.host.path(*directory))

    return (_compare("run file", {name + ".json" for name in wanted.endpoints},
                     names("run", "tailexit", "endpoints"))
            + _compare("state file", {name + ".json" for name in wanted.networks},
                       names("lib", "networks")))


def _forward(docker, wanted):
    """The one pair of rules among Docker's own."""
    wrong = []
    for tool in "iptables", "ip6tables":
        lines = docker.host.run(tool, "-S").stdout.splitlines()
        for way in "-i", "-o":
            count = sum(bool(re.match(rf"-A (DOCKER-USER|FORWARD) {way} te-", line))
                        for line in lines)
            if count != bool(wanted.networks):
                wrong.append(f"{tool}: {count} rules {way} te-+")
    return wrong


def differences(docker):
    """Everything that is not as the containers that run want it; one line each."""
    wanted = Wanted(docker)
    return [line for part in (_links, _firewall, _routing, _sockets, _files, _forward)
            for line in part(docker, wanted)]


def wait_until_right(docker, timeout=5):
    """Some things are removed when the kernel tells, some after a while."""
    last = []

    def right():
        last[:] = differences(docker)
        return not last

    try:
        proc.wait_for(right, "order on the host", timeout)
    except TimeoutError:
        pytest.fail(f"after {timeout} s:\n" + "\n".join(last), pytrace=False)
