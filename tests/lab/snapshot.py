# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a network driver could leave behind on a host, as text, to be compared."""

import os
import re

COMMANDS = (
    "ip -o link", "ip -4 rule", "ip -6 rule", "ip -o addr",
    "ip -4 route show table all", "ip -6 route show table all",
    "nft -s list ruleset",
)
TABLES = "filter", "nat", "mangle", "raw"
# Numbers that change without anybody having left anything.
VOLATILE = re.compile(r"^\d+: (?=\S)|\bexpires \d+sec|valid_lft \d+sec|preferred_lft \d+sec", re.M)


def _iptables(host):
    for tool in "iptables-save", "ip6tables-save":
        for table in TABLES:
            text = host.run(tool, "-t", table).stdout
            text = re.sub(r"^#.*\n", "", text, flags=re.M)
            yield f"{tool} -t {table}", re.sub(r"\[\d+:\d+\]", "", text)


def _files(host):
    for directory in host.path("lib"), host.path("run", "tailexit"):
        for path, _, names in os.walk(directory):
            yield path
            yield from (os.path.join(path, name) for name in names)


def snapshot(host):
    """A dict: command -> what it showed."""
    seen = {command: host.run(*command.split()).stdout for command in COMMANDS}
    seen.update(_iptables(host))
    seen = {command: sorted(VOLATILE.sub("", text).splitlines()) if "nft" not in command
            else text.splitlines() for command, text in seen.items()}
    seen["files"] = sorted(_files(host))
    return seen


def difference(before, after):
    """Lines that came (+) and went (-), for the message of an assertion."""
    lines = []
    for command, old in before.items():
        new = after[command]
        lines += [f"{command}: - {line}" for line in old if line not in new]
        lines += [f"{command}: + {line}" for line in new if line not in old]
    return "\n".join(lines)
