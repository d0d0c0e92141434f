#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Before: a killswitch for a subnet, as it is found in many places. Run after Docker has started.
#
#	docker network create --subnet 172.30.7.0/24 vpn
#	docker network create --subnet 172.30.8.0/24 direct
set -e
VPN=172.30.7.0/24
DIRECT=172.30.8.0/24
TUNNEL=tailscale0

# What comes from vpn goes into the tunnel ...
ip route replace default dev "$TUNNEL" table 100
ip rule add from "$VPN" lookup 100 priority 5000
iptables -t nat -A POSTROUTING -s "$VPN" -o "$TUNNEL" -j MASQUERADE

# ... or nowhere.
iptables -I DOCKER-USER -s "$VPN" ! -o "$TUNNEL" -j DROP

# What comes from direct is marked so that Tailscale lets it pass.
iptables -t mangle -A PREROUTING -s "$DIRECT" -j MARK --set-mark 0x80000/0xff0000
