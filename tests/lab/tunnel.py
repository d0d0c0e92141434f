# SPDX-License-Identifier: GPL-2.0-or-later
"""An optional tunnel from the host to exit: a WireGuard interface named tailscale0, with the policy
rules and the table 52 that tailscaled lays beside its own."""

import os
import signal

from . import proc

MTU = 1280
HOST_ADDRESSES = "100.64.0.2/32", "fd7a:115c:a1e0::2/128"
EXIT_ADDRESSES = "100.64.0.1/32", "fd7a:115c:a1e0::1/128"
TAILSCALE_MARK = "0x80000"

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

    def __init__(self, world):
        self.world = world
        self.here = self.there = None
        self.through = False

    def up(self):
        """The tunnel works; nothing but the tailnet itself is routed through it."""
        if self.there is None:
            self._far_end()
        log = self.world.path("wireguard-host.log")
        self.here = _End(self.world.host, "tailscale0", log)
        # Tailscale puts this mark on the packets that carry the tunnel.
        self.here.wg("private-key", self._key("host"), "fwmark", TAILSCALE_MARK,
                     "peer", self._public("exit"), "allowed-ips", "0.0.0.0/0,::/0",
                     "endpoint", "198.51.100.7:51820", "persistent-keepalive", "25")
        self.here.up(HOST_ADDRESSES)
        self._rules()
        for address in EXIT_ADDRESSES:
            self.world.host.ip("route", "replace", address, "dev", "tailscale0", "table", "52")
        if self.through:
            self.exit_node(True)
        proc.wait_for(
            lambda: self.world.host.run(
                "busybox", "ping", "-c1", "-W1", "100.64.0.1", check=False).returncode == 0,
            "answer through the tunnel")

    def down(self):
        """The host's end is gone, as when tailscaled was killed: its rules stay."""
        if self.here:
            self.here.kill()
            self.here = None

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
                host.ip(family, "route", "add", "default", "dev", "tailscale0", "table", "52")

    def _far_end(self):
        self.there = _End(self.world.exit, "wg0", self.world.path("wireguard-exit.log"))
        self.there.wg("private-key", self._key("exit"), "listen-port", "51820",
                      "peer", self._public("host"), "allowed-ips", ",".join(HOST_ADDRESSES))
        self.there.up(EXIT_ADDRESSES)
        for address in HOST_ADDRESSES:
            self.world.exit.ip("route", "add", address, "dev", "wg0")

    def _rules(self):
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
        path = self.world.path(name + ".key")
        if not os.path.exists(path):
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
                file.write(proc.run(["wg", "genkey"]).stdout)
        return path

    def _public(self, name):
        with open(self._key(name), encoding="ascii") as file:
            return proc.run(["wg", "pubkey"], input=file.read()).stdout.strip()
