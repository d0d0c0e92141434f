#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# init.sh ROOT DIR - process 1 of a machine that was just installed, in fresh mount, pid, cgroup,
# uts and ipc namespaces and in the machine's network namespace.
#   ROOT  a Debian root; stays as it is
#   DIR   takes what changes: upper/ lies over the root
# If there is systemd in the root, it runs; otherwise nothing does.
set -e
root=$1 dir=$2
new=$dir/root

mkdir -p "$dir/upper" "$dir/work" "$new"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$dir/upper,workdir=$dir/work" "$new"

# Of the real machine's devices only the harmless ones, and nothing of its /proc and /sys that could
# be written to, but the network's.
mount -t tmpfs -o mode=755 tmpfs "$new/dev"
mkdir "$new/dev/pts" "$new/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$new/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$new/dev/shm"
ln -s pts/ptmx "$new/dev/ptmx"
ln -s /proc/self/fd "$new/dev/fd"
for device in null zero full random urandom tty; do
	: > "$new/dev/$device"
	mount --bind "/dev/$device" "$new/dev/$device"
done
mount -t proc proc "$new/proc"
mount --bind "$new/proc/sys" "$new/proc/sys"
mount -o remount,bind,ro "$new/proc/sys"
mount -t proc proc "$new/mnt"
mount --bind "$new/mnt/sys/net" "$new/proc/sys/net"
umount "$new/mnt"
[ ! -e "$new/proc/sysrq-trigger" ] || mount --bind /dev/null "$new/proc/sysrq-trigger"
mount -t sysfs -o ro sysfs "$new/sys"
mount -t tmpfs -o mode=755 tmpfs "$new/run"
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"

# The control groups are those below the one this process is in.
if [ -x "$root/sbin/init" ] || [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
	mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
else
	mount -t tmpfs -o mode=755 tmpfs "$new/sys/fs/cgroup"
	for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
		mkdir "$new/sys/fs/cgroup/$controller"
		mount -t cgroup -o "$controller" cgroup "$new/sys/fs/cgroup/$controller"
	done
fi

hostname fresh
mkdir -p "$new/.old"
cd "$new"
pivot_root . .old
umount -l /.old
rmdir /.old
mount --make-rshared /
: > /run/fresh
if [ -x /sbin/init ]; then
	exec env -i container=lab /sbin/init
fi
exec /bin/sh -c 'while :; do sleep 3600 & wait $!; done'
