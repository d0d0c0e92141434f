# SPDX-License-Identifier: GPL-2.0-or-later
"""A small internet of namespaces around one Docker host.

    lan ---+
           |
    host --+-- isp ==203.0.113.0/24== net ==198.51.100.0/24== exit

isp and exit translate addresses of what leaves through them. Everything has an IPv6 twin. All
addresses are documentation or private ranges and exist only inside the namespaces.
"""

import os

from . import proc, rundir
from .image import echo_program
from .netns import Named, cable
from .tunnel import OTHER, TAILSCALE, Tunnel

HOST4, HOST6 = "192.168.77.2", "fd00:77::2"
LAN4, LAN6 = "192.168.77.50", "fd00:77::50"
ROUTER4, ROUTER6 = "192.168.77.1", "fd00:77::1"
ISP4, ISP6 = "203.0.113.7", "2001:db8:113::7"
EXIT4, EXIT6 = TAILSCALE.seen
OTHER4, OTHER6 = OTHER.seen
ECHO4, ECHO6 = "192.0.2.80", "2001:db8:80::80"
DNS4, DNS6 = "192.0.2.53", "2001:db8:80::53"


class World:
    """lan, isp, net and exit; the host's own namespace is made by Host."""

    def __init__(self):
        self.dir = rundir.claim()
        self.prefix = os.path.basename(self.dir)
        self.host = self._named("host")
        self.on_down = []  # what is to be called first
        try:
            self._build()
        except BaseException:
            self.down()
            raise
        self.tunnel = Tunnel(self)
        self.other_tunnel = Tunnel(self, OTHER)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def down(self):
        try:
            while self.on_down:
                self.on_down.pop()()
        finally:
            rundir.destroy(self.dir)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def _named(self, name):
        return Named(f"{self.prefix}-{name}")

    def _build(self):
        self.lan, self.isp, self.net, self.exit = (
            self._named(name).create() for name in ("lan", "isp", "net", "exit"))
        isp, net, far = self.isp, self.net, self.exit

        isp.ip("link", "add", "lan", "type", "bridge")
        isp.ip("link", "set", "lan", "up")
        isp.address("lan", ROUTER4 + "/24", ROUTER6 + "/64")
        self._attach(self.lan, "lan-lan", LAN4, LAN6)

        cable(isp, "wan0", net, "isp0")
        isp.address("wan0", ISP4 + "/24", ISP6 + "/64")
        net.address("isp0", "203.0.113.254/24", "2001:db8:113::fe/64")
        cable(far, "wan0", net, "exit0")
        far.address("wan0", EXIT4 + "/24", EXIT6 + "/64")
        net.address("exit0", "198.51.100.254/24", "2001:db8:51::fe/64")
        net.address("lo", ECHO4 + "/32", ECHO6 + "/128", DNS4 + "/32", DNS6 + "/128")

        isp.ip("route", "add", "default", "via", "203.0.113.254")
        isp.ip("route", "add", "default", "via", "2001:db8:113::fe")
        far.ip("route", "add", "default", "via", "198.51.100.254")
        far.ip("route", "add", "default", "via", "2001:db8:51::fe")
        for router in isp, net, far:
            router.forward()
        isp.masquerade("wan0")
        far.masquerade("wan0")

        for machine in net, self.lan:
            machine.spawn(self.path("echo.log"), echo_program(), "80")
        net.spawn(
            self.path("dns.log"), "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
            "--user=root", "--pid-file=", "--no-resolv", "--no-hosts", "--bind-interfaces",
            "--listen-address=" + DNS4, "--listen-address=" + DNS6, "--log-queries=extra",
            f"--address=/#/{ECHO4}", f"--address=/#/{ECHO6}",
            "--log-facility=" + self.path("dns-queries.log"))
        proc.wait_for(lambda: os.path.exists(self.path("dns-queries.log")), "DNS server")

    def _attach(self, machine, port, addr4, addr6):
        """Plugs a machine into the LAN as its lan0."""
        cable(machine, "lan0", self.isp, port)
        self.isp.ip("link", "set", port, "master", "lan")
        machine.address("lan0", addr4 + "/24", addr6 + "/64")
        machine.ip("route", "add", "default", "via", ROUTER4)
        machine.ip("route", "add", "default", "via", ROUTER6)

    def create_host(self):
        """A fresh namespace for the host, as after switching it on."""
        self.host.create()
        self._attach(self.host, "lan-host", HOST4, HOST6)

    def delete_host(self):
        """As after pulling the plug. Its cable goes at once, the rest of a namespace a bit later."""
        self.host.delete()
        self.isp.run("ip", "link", "del", "lan-host", check=False)

    def dns_queries(self):
        """Lines of the DNS server's log that name a question and who asked it."""
        with open(self.path("dns-queries.log"), encoding="utf-8") as file:
            return [line for line in file if " query[" in line]
