# SPDX-License-Identifier: GPL-2.0-or-later
"""The ISP's wire, where a leak is a leak: what comes out of the host, but for what carries its
tunnels."""

from .sniff import ICMP, ICMPV6, TCP, UDP, Sniffer
from .tunnel import OTHER, TAILSCALE

TUNNEL_PORTS = TAILSCALE.port, OTHER.port
FAR_END = TAILSCALE.seen[0]


def is_envelope(packet):
    """WireGuard's: a type from 1 to 4 and three zeros. Or: nobody is here any more to open one."""
    if packet.proto == UDP:
        return (packet.dst == FAR_END and packet.dport in TUNNEL_PORTS
                and packet.payload[8] in (1, 2, 3, 4) and packet.payload[9:12] == bytes(3))
    quoted = packet.payload[8:]
    return (packet.proto == ICMP and packet.payload[:2] == b"\3\3" and packet.dst == FAR_END
            and int.from_bytes(quoted[20:22], "big") in TUNNEL_PORTS)


def is_own_noise(packet):
    """What every IPv6 interface says to its link: neighbour and router discovery, MLD."""
    return (packet.proto == 0 and packet.dst == "ff02::16"
            or packet.proto == ICMPV6 and 133 <= packet.payload[0] <= 137)


def is_refusal(packet):
    """By the host itself, of what came in through the tunnel: only the firewall's table keeps these in.
    They are no packets of a container's, but name its peer."""
    if packet.src not in [address.split("/")[0] for address in TAILSCALE.host]:
        return False
    if packet.proto == TCP:
        return packet.payload[13] & 4
    return {ICMP: 3, ICMPV6: 1}.get(packet.proto) == packet.payload[0]


def uplink(world):
    return Sniffer(world.isp, "lan-host", lambda packet: not (
        packet.outgoing or is_envelope(packet) or is_own_noise(packet)))
