# SPDX-License-Identifier: GPL-2.0-or-later
"""`tailexit plan --diff`: what the kernel has otherwise than it should, and nothing else."""

import subprocess
import time

from lab import proc

from test_policy_rig import DNS, DUAL, GATEWAY6, tunnel, words  # noqa: F401

ENGINE = "in turn"


def difference(host):
    return host.run("tailexit", "plan", "--diff").stdout.splitlines()


def difference_after(host, change):
    """Asked while the daemon stands still, so that it answers before it repairs. Should it be too slow
    for that, once more."""
    for _ in range(10):
        proc.wait_for(lambda: difference(host) == [], "everything as it should be")
        with host.tailexit.paused():
            change()
            asked = subprocess.Popen([*map(str, host.enter()), "tailexit", "plan", "--diff"],
                                     stdout=subprocess.PIPE, text=True)
            time.sleep(0.3)
        text, _ = asked.communicate(timeout=30)
        if text:
            return text.splitlines()
    raise AssertionError("never anything different")


# Seen to fail: with the MTU overlooked by equal_bridge(); with addresses left out of what is printed.
def test_what_others_changed_is_named(docker, world, tunnel):
    """By somebody who knows exactly what he does."""
    host = docker.host
    net = docker.network("tailexit", *words("policy=killswitch"), *DUAL)
    docker.run(net, *DNS, "-p", "8080:80")
    bridge = "te-" + net.inspect()["Id"][:12]
    named = difference_after(host, lambda: host.run("sh", "-ec", f"""
        ip -4 rule del pref 5020
        nft flush chain inet tailexit from-{bridge}
        nft delete element inet tailexit networks '{{ "{bridge}" }}'
        ip -6 route del default dev tailscale0 table 2113929217
        ip link set {bridge} mtu 1400
        ip addr del {GATEWAY6}/64 dev {bridge}"""))
    for line in (
            "+ rule v4 priority 5020 fwmark 0x11000000/0xff000000 lookup path-1",
            f"~ chain from-{bridge}",
            f'+ element of networks: "{bridge}"',
            "+ route ::/0 dev tailscale0 table path-1 metric 1024",
            f"~ bridge {bridge} mtu 1280",
            f"+ address {GATEWAY6}/64 dev {bridge}"):
        assert line in named
        named.remove(line)
    # The kernel may take the route along with the address.
    assert named in ([], [f"+ route fd81::/64 dev {bridge} table local-containers metric 1024"])
    proc.wait_for(lambda: difference(host) == [], "repair")


# Seen to fail: without the lines with a minus.
def test_what_others_added_is_named(docker):
    host = docker.host
    docker.network("tailexit", *words("policy=killswitch"), *DUAL)
    named = difference_after(host, lambda: host.run("sh", "-ec", """
        ip rule add pref 5012 iif lan0 lookup main protocol 231
        nft add chain inet tailexit mine"""))
    assert sorted(named) == ["- chain mine", "- rule v4 priority 5012 iif lan0 lookup main"]
    proc.wait_for(lambda: difference(host) == [], "repair")
