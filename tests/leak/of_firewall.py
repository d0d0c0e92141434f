# SPDX-License-Identifier: GPL-2.0-or-later
"""Others change the firewall."""

import re

from .fault import Fault, commands, times


def delete_rule(stage):
    """The one that asks which network a packet leaves."""
    text = stage.host.run("nft", "-a", "list", "chain", "inet", "tailexit", "forward").stdout
    handle = re.search(r"net_from.*# handle (\d+)", text).group(1)
    stage.run("nft delete rule inet tailexit forward handle " + handle)


def delete_element(stage):
    stage.host.run("nft", "delete", "element", "inet", "tailexit", "net_from",
                   stage.fill('{{ "{bridge}" }}'))


def open_wide(stage):
    """Somebody's table that lets everything pass, before ours is asked."""
    stage.host.run("nft", "-f", "-", input="""table inet generous {
        chain forward { type filter hook forward priority -300; policy accept; accept; };
        chain output { type filter hook output priority -300; policy accept; accept; }; }""")


def docker_reloads(stage):
    """What a reload of firewalld does to Docker's rules, and to our two among them."""
    for tool in "iptables", "ip6tables":
        stage.host.run(tool, "-F", "DOCKER-USER", check=False)


def faults(length):
    flush = commands("nft flush ruleset")
    # Seen to fail: all that take the whole table away, without compile_fence() in links.c. Where one rule
    # goes, two more are in the way; these fail when the repair does not come or is not counted.
    return [
        # First: the others leave nothing of Docker's rules.
        Fault("iptables -F DOCKER-USER", "9", docker_reloads, repaired=True, alone=True),
        Fault("nft flush ruleset", "9", flush, repaired=True, unguarded=True),
        Fault("nft delete table", "9", commands("nft delete table inet tailexit"), repaired=True,
              unguarded=True),
        Fault("nft flush table", "9", commands("nft flush table inet tailexit"), repaired=True,
              unguarded=True),
        Fault("rule deleted", "9", delete_rule, repaired=True),
        Fault("accept put in front", "9", commands("nft insert rule inet tailexit forward accept"),
              repaired=True),
        Fault("network deleted from the map", "9", delete_element, repaired=True),
        Fault("a table that accepts everything first", "9", open_wide,
              commands("nft delete table inet generous"), alone=True),
        Fault(f"nft flush ruleset, {length(10, 300)} times", "9",
              times(length(10, 300), flush, 0.02), repaired=True, unguarded=True, alone=True),
    ]
