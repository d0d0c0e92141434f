#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# push.sh DIR REGISTRY NAME TAG... - pushes the plugin in DIR as REGISTRY/NAME, with every tag. The
# engine keeps nothing of it, whether it succeeds or fails; done again, it completes what was missing.
set -eu

dir=$1
registry=${2%/}
name=$3
shift 3

die() {
	echo "push.sh: $*" >&2
	exit 1
}

[ -n "$registry" ] || die "where to? make push REGISTRY=host[:port][/path]"
pushed=
trap '[ -z "$pushed" ] || docker plugin rm "$pushed" > /dev/null' EXIT
for tag in "$@"; do
	reference=$registry/$name:$tag
	# One after the other: an engine has the same content only once.
	docker plugin create "$reference" "$dir" > /dev/null ||
		die "the engine did not take the plugin, see above; if it is there already," \
			"push from another engine, or remove it"
	pushed=$reference
	docker plugin push "$reference" > /dev/null ||
		die "$reference is not in the registry, or not all of it, see above; run this again"
	docker plugin rm "$reference" > /dev/null
	pushed=
	echo "$reference"
done
