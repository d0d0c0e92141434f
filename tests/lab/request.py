# SPDX-License-Identifier: GPL-2.0-or-later
"""What the docker command asks of the engine for the arguments that tests use most. It takes 0.15 seconds of a
processor to start, thousands of times in a run. None: something else is among them, let the command say.
"""

import re

PORT = re.compile(r"(?:(?:(\d+\.\d+\.\d+\.\d+):)?(\d+):)?(\d+)(?:/(\w+))?")


def _publish(spec, request):
    """[[address:]host port:]port[/protocol]; no ranges."""
    parts = PORT.fullmatch(spec)
    if not parts:
        return False
    address, host_port, port, proto = (part or "" for part in parts.groups())
    key = f"{port}/{proto or 'tcp'}"
    request["ExposedPorts"][key] = {}
    request["HostConfig"]["PortBindings"].setdefault(key, []).append(
        {"HostIp": address, "HostPort": host_port})
    return True


def _dns(server, request):
    request["HostConfig"]["Dns"].append(server)
    return True


def _label(text, request):
    name, _, value = text.partition("=")
    request["Labels"][name] = value
    return True


def _restart(name, request):
    request["HostConfig"]["RestartPolicy"] = {"Name": name}
    return ":" not in name


def _option(text, request):
    name, _, value = text.partition("=")
    request["Options"][name] = value
    return True


def _subnet(subnet, request):
    request["IPAM"]["Config"].append({"Subnet": subnet})
    return True


def _fill(request, argv, words, switches):
    """words: options that have an argument; switches: those that have none, and what they set."""
    rest = [str(arg) for arg in argv]
    while rest:
        option = rest.pop(0)
        if option in switches:
            request[switches[option]] = True
        elif option not in words or not rest or not words[option](rest.pop(0), request):
            return None
    return request


def of_container(image, command, network, argv):
    if "=" in network:  # name=...,driver-opt=...
        return None
    request = {"Image": image, "Cmd": [str(arg) for arg in command], "Labels": {}, "ExposedPorts": {},
               "HostConfig": {"NetworkMode": network, "Dns": [], "PortBindings": {}}}
    words = {"-p": _publish, "--dns": _dns, "--label": _label, "--restart": _restart}
    return _fill(request, argv, words, {})


def of_network(name, driver, argv):
    request = {"Name": name, "CheckDuplicate": True, "Driver": driver, "Options": {}, "Labels": {},
               "IPAM": {"Driver": "default", "Config": []}}
    words = {"-o": _option, "--opt": _option, "--subnet": _subnet, "--label": _label}
    return _fill(request, argv, words, {"--ipv6": "EnableIPv6", "--internal": "Internal"})
