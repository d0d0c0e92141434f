#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# init.sh ROOT DIR IPTABLES - process 1 of a Docker host, in fresh mount and pid namespaces and in the
# host's network namespace.
#   ROOT      a Debian root; stays as it is: what the host changes lives in memory, over it
#   DIR       what outlives the host's reboots: docker/, containerd/, etc/, lib/; and run/, its /run
#   IPTABLES  nft or legacy
set -e
root=$1 dir=$2 iptables=$3
new=$dir/root

mount -t tmpfs tmpfs "$new"
mkdir "$new/upper" "$new/work" "$new/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$new/upper,workdir=$new/work" "$new/root"
new=$new/root

mount --rbind /dev "$new/dev"
mount -t sysfs sysfs "$new/sys" # shows this network namespace
mount --rbind /sys/fs/cgroup "$new/sys/fs/cgroup"
mount -t proc proc "$new/proc" # shows this pid namespace
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
# Not a tmpfs: sockets and pid files are to be seen from outside.
mount --bind "$dir/run" "$new/run"
mkdir -p "$new/var/lib/docker" "$new/var/lib/containerd" "$new/etc/docker" "$new/opt/tailexit" \
	"$new/var/lib/tailexit"
mount --bind "$dir/docker" "$new/var/lib/docker"
mount --bind "$dir/containerd" "$new/var/lib/containerd"
mount --bind "$dir/etc" "$new/etc/docker"
mount --bind "$dir/lib" "$new/var/lib/tailexit"
mount --bind "$dir/opt" "$new/opt/tailexit"

cp "$dir/etc/resolv.conf" "$new/etc/resolv.conf"
ln -s /opt/tailexit/run "$new/usr/local/bin/tailexit"
for tool in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
	ln -sf "/usr/sbin/${tool%%-*}-$iptables${tool#ip*tables}" "$new/etc/alternatives/$tool"
done

# A chroot would not do: dockerd remounts /, which has to be a mount point.
mkdir -p "$new/.old"
cd "$new"
pivot_root . .old
umount -l /.old
# As systemd does, for plugins with an rslave mount.
mount --make-rshared /
: > /run/ready
# Nothing of the machine's own system remains in use. An init collects orphans.
exec /bin/sh -c 'while :; do sleep 3600 & wait $!; done'
