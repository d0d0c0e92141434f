# SPDX-License-Identifier: GPL-2.0-or-later
"""Optional tunnels from the host to exit. One is a WireGuard interface named tailscale0, with the
policy rules and the table 52 that tailscaled lays beside its own; wg1 is a plain one, and the world
sees another address of exit when something went through it."""

import os
import signal
from typing import NamedTuple

from . import proc

MTU = 1280
TAILSCALE_MARK = "0x80000"


class Ends(NamedTuple):
    """The two ends of a tunnel, and as whom the world sees what leaves it."""
    link: str
    far_link: str
    port: int
    host: tuple
    exit: tuple
    seen: tuple


TAILSCALE = Ends("tailscale0", "wg0", 51820, ("100.64.0.2/32", "fd7a:115c:a1e0::2/128"),
                 ("100.64.0.1/32", "fd7a:115c:a1e0::1/128"), ("198.51.100.7", "2001:db8:51::7"))
OTHER = Ends("wg1", "wg1", 51821, ("10.99.0.2/32", "fd00:99::2/128"),
             ("10.99.0.1/32", "fd00:99::1/128"), ("198.51.100.8", "2001:db8:51::8"))

# wireguard-go has its socket in /var/run/wireguard for all namespaces: a private directory there
# lets any number of tunnels have the same name.
PRIVATE = """mkdir -p /var/run/wireguard && mount -t tmpfs -o mode=700 tmpfs /var/run/wireguard &&
    exec wireguard-go -f "$1" """


class _End:
    """One end of the tunnel: a wireguard-go process."""

    def __init__(self, netns, link, log):
        self.netns, self.link = netns, link
        self.process = netns.spawn(
            log, "unshare", "--mount", "--propagation", "private", "sh", "-c", PRIVATE, "sh", link)
        proc.wait_for(self._exists, f"interface {link}")

    def _exists(self):
        return self.netns.run("ip", "link", "show", self.link, check=False).returncode == 0

    def wg(self, *argv):
        proc.wait_for(lambda: self._wg("show", check=False).returncode == 0, "answer of " + self.link)
        return self._wg("set", *argv)

    def _wg(self, verb, *argv, **options):
        return proc.run(["wg", verb, self.link, *argv],
                        via=["nsenter", "-t", self.process.pid, "-m", "-n"], **options)

    def up(self, addresses):
        self.netns.address(self.link, *addresses)
        self.netns.ip("link", "set", self.link, "mtu", MTU, "up")

    def kill(self):
        """As `kill -9` of tailscaled: the interface vanishes, with all routes that use it."""
        proc.end(self.process, signal.SIGKILL)


class Tunnel:
    """Belongs to a world; nothing exists before up()."""

    def __init__(self, world, ends=TAILSCALE):
        self.world, self.ends, self.link = world, ends, ends.link
        self.here = self.there = None
        self.through = False

    def up(self, families=2):
        """The tunnel works; nothing but the tailnet itself is routed through it. 1 family: IPv4."""
        self.far_end()
        ends = self.ends
        self.here = _End(self.world.host, ends.link, self.world.path(ends.link + "-host.log"))
        # Tailscale puts this mark on the packets that carry the tunnel.
        self.here.wg("private-key", self._key("host"), "fwmark", TAILSCALE_MARK,
                     "peer", self._public("exit"), "allowed-ips", "0.0.0.0/0,::/0",
                     "endpoint", f"{TAILSCALE.seen[0]}:{ends.port}", "persistent-keepalive", "25")
        self.here.up(ends.host[:families])
        if ends is TAILSCALE:
            self.rules()
        for address in ends.exit[:families]:
            self.world.host.ip("route", "replace", address, "dev", ends.link,
                               *(["table", "52"] if ends is TAILSCALE else []))
        if self.through:
            self.exit_node(True)
        proc.wait_for(
            lambda: self.world.host.run(
                "busybox", "ping", "-c1", "-W1", self._far_address(), check=False).returncode == 0,
            "answer through the tunnel")

    def down(self):
        """The host's end is gone, as when tailscaled was killed: its rules stay."""
        if self.here:
            self.here.kill()
            self.here = None

    def peer_gone(self):
        """The other end is gone, and nobody here is told."""
        self.there.kill()
        self.there = None

    def set(self, *argv):
        """ip link set LINK ..."""
        self.world.host.ip("link", "set", self.link, *argv)

    def delete(self):
        self.world.host.ip("link", "del", self.link)

    def exit_node(self, on):
        """As `tailscale set --exit-node=... --exit-node-allow-lan-access`."""
        host = self.world.host
        self.through = on
        for family, direct in ("-4", ["127.0.0.0/8", "192.168.77.0/24"]), ("-6", ["fd00:77::/64"]):
            for prefix in direct:
                host.run("ip", family, "route", "del", "throw", prefix, "table", "52", check=False)
                if on:
                    host.ip(family, "route", "add", "throw", prefix, "table", "52")
            host.run("ip", family, "route", "del", "default", "table", "52", check=False)
            if on:
                host.ip(family, "route", "add", "default", "dev", self.link, "table", "52")

    def _far_address(self):
        return self.ends.exit[0].split("/")[0]

    def keys(self):
        """The private one of this end and the public one of the other, for an end made elsewhere."""
        with open(self._key("host"), encoding="ascii") as file:
            return file.read().strip(), self._public("exit")

    def far_end(self):
        """The other end waits for this one."""
        if self.there is not None:
            return
        ends, far = self.ends, self.world.exit
        self.there = _End(far, ends.far_link, self.world.path(ends.link + "-exit.log"))
        self.there.wg("private-key", self._key("exit"), "listen-port", ends.port,
                      "peer", self._public("host"), "allowed-ips", ",".join(ends.host))
        self.there.up(ends.exit)
        for address in ends.host:
            far.ip("route", "add", address, "dev", ends.far_link)
        if ends is not TAILSCALE:
            self._translate()

    def _translate(self):
        """To addresses of its own, before exit translates all else to its first ones."""
        ends, far = self.ends, self.world.exit
        if ends.seen[0] in far.ip("addr"):
            return
        # For nothing else: deprecated.
        for address in ends.seen[0] + "/24", ends.seen[1] + "/64":
            far.ip("addr", "add", address, "dev", "wan0", "nodad", "preferred_lft", 0)
        far.run("nft", "-f", "-", input=f"""table inet {ends.link} {{ chain post {{
            type nat hook postrouting priority srcnat - 1;
            oifname "wan0" ip saddr {ends.host[0]} snat ip to {ends.seen[0]}
            oifname "wan0" ip6 saddr {ends.host[1]} snat ip6 to {ends.seen[1]}; }}; }}""")

    def rules(self):
        """Tailscale's own, which its daemon would see to."""
        host, mark = self.world.host, TAILSCALE_MARK + "/0xff0000"
        for family in "-4", "-6":
            if "5210:" in host.ip(family, "rule"):
                continue
            host.ip(family, "rule", "add", "pref", 5210, "fwmark", mark, "lookup", "main")
            host.ip(family, "rule", "add", "pref", 5230, "fwmark", mark, "lookup", "default")
            host.ip(family, "rule", "add", "pref", 5250, "fwmark", mark, "unreachable")
            host.ip(family, "rule", "add", "pref", 5270, "lookup", 52)

    def _key(self, name):
        """The file with the private key of one end."""
        path = self.world.path(f"{self.link}-{name}.key")
        if not os.path.exists(path):
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write(proc.run(["wg", "genkey"]).stdout)
        return path

    def _public(self, name):
        with open(self._key(name), encoding="ascii") as file:
            return proc.run(["wg", "pubkey"], input=file.read()).stdout.strip()
