# SPDX-License-Identifier: GPL-2.0-or-later
"""What people write who have no driver for it: a few commands per subnet of a plain bridge, run once more
for each network. It is what the answers to "route a Docker network through a VPN" have in common, with the
mistakes left out: a policy rule, a table that leads into the tunnel, address translation, and DOCKER-USER,
where an accept is needed and a reject is the killswitch.

Loaded with iptables-restore and `ip -batch`, which leaves the kernel with what the commands one by one would
have made, sooner. In favour of the script, the networks have no rules of Docker's own besides.
"""

TABLE = 100


def killswitch(subnet, exit_link):
    return [
        ("nat", f"-A POSTROUTING -s {subnet} -o {exit_link} -j MASQUERADE"),
        ("mangle", f"-A FORWARD -s {subnet} -o {exit_link} -p tcp --tcp-flags SYN,RST SYN "
                   "-j TCPMSS --clamp-mss-to-pmtu"),
        ("filter", f"-A DOCKER-USER -s {subnet} -o {exit_link} -j ACCEPT"),
        ("filter", f"-A DOCKER-USER -i {exit_link} -d {subnet} "
                   "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        ("filter", f"-A DOCKER-USER -s {subnet} -j REJECT"),
    ], [f"rule add from {subnet} lookup {TABLE}"]


def bypass(subnet, uplink):
    return [
        ("nat", f"-A POSTROUTING -s {subnet} -o {uplink} -j MASQUERADE"),
        ("mangle", f"-A PREROUTING -s {subnet} -j MARK --set-xmark 0x80000/0xff0000"),
        ("filter", f"-A DOCKER-USER -s {subnet} -o {uplink} -j ACCEPT"),
        ("filter", f"-A DOCKER-USER -i {uplink} -d {subnet} "
                   "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
        ("filter", f"-A DOCKER-USER -s {subnet} -o tailscale+ -j REJECT"),
    ], [f"rule add from {subnet} lookup main"]


def plain(subnet, uplink):
    """No policy: what any packet needs that leaves a bridge, beside a dockerd."""
    return [
        ("nat", f"-A POSTROUTING -s {subnet} -o {uplink} -j MASQUERADE"),
        ("filter", f"-A DOCKER-USER -s {subnet} -o {uplink} -j ACCEPT"),
        ("filter", f"-A DOCKER-USER -i {uplink} -d {subnet} -j ACCEPT"),
    ], []


def turned(subnet, exit_link):
    """And the least that makes it leave elsewhere; nothing holds it when the link is gone."""
    return plain(subnet, exit_link)[0], [f"rule add from {subnet} lookup {TABLE}"]


# The last two protect nobody: they are what the kernel takes in any case.
POLICIES = {"killswitch": killswitch, "bypass": bypass, "plain": plain, "turned": turned}


def by_hand(policy, subnet, link, undo=False):
    """The commands themselves, for one subnet: a shell script."""
    rules, commands = POLICIES[policy](subnet, link)
    lines = [f"iptables -t {table} {rule.replace('-A', '-D', 1) if undo else rule}" for table, rule in rules]
    lines += ["ip " + (command.replace("add", "del", 1) if undo else command) for command in commands]
    return "\n".join(lines)


def run(netns, policy, subnets, link):
    """For every subnet; link: by which they leave."""
    rules, commands = [], []
    for subnet in subnets:
        more_rules, more_commands = POLICIES[policy](subnet, link)
        rules += more_rules
        commands += more_commands
    text = "".join(f"*{table}\n" + "".join(rule + "\n" for where, rule in rules if where == table)
                   + "COMMIT\n" for table in ("nat", "mangle", "filter"))
    netns.run("iptables-restore", "--noflush", input=text)
    if policy in ("killswitch", "turned"):
        netns.ip("route", "add", "default", "dev", link, "table", TABLE)
        netns.ip("route", "add", "unreachable", "default", "metric", 4278198272, "table", TABLE)
    netns.run("ip", "-batch", "-", input="".join(command + "\n" for command in commands))
