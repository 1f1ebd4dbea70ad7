#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# demo.sh [PATH]...: the main job of zcbuf on real files, in two acts. Needs the
# module, and a current directory on a file system that can do O_DIRECT.
set -eu -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../build}
PATH=$build/bin:$build/examples:$here:$PATH

# Kernel headers are real files, many, and of all sizes.
[ $# -gt 0 ] || set -- /usr/src/linux-headers-*

# The output is large, and nobody wants it afterwards.
dir=$(mktemp -d zcbuf-demo.XXXXXX)
trap 'rm -rf "$dir"' EXIT

caption()
{
	printf '\n== %s\n' "$@"
}

# act NAME ARG...: one run of ingest, which also leaves $dir/NAME.*
act()
{
	local name=$1
	shift
	ingest --producers 4 --threshold 1M --out "$dir/$name.out" \
		--manifest "$dir/$name.manifest" "$@" | tee "$dir/$name.log"
}

# value ACT NAME: from the last line of an act, "ingest: OK files=N bytes=N..."
value()
{
	tail -n 1 "$dir/$1.log" | sed -n "s/^ingest: OK .*$2=\([0-9]*\).*/\1/p"
}

# The same by other means: take some files out of the output as the manifest
# says, and have sha256sum look at them.
spot_check()
{
	local state offset length sum path found
	while read -r state offset length sum path; do
		found=$(set +o pipefail; tail -c +$((offset + 1)) "$dir/$1.out" |
			head -c "$length" | sha256sum)
		[ "${found%% *}" = "$sum" ] || {
			echo "demo: $path is not at $offset" >&2
			return 1
		}
		printf '%s %10s %8s  %.12s...  %s\n' "$state" "$offset" \
			"$length" "$sum" "$path"
	done < <(grep '^file ' "$dir/$1.manifest" | awk 'NR % 2000 == 1')
}

caption "Act 1: four processes read, one writes, nobody copies a byte"
act one "$@"

caption "Some lines of the manifest, checked with tail, head and sha256sum"
spot_check one

caption "Act 2: the same, and one of the four is killed in the middle of it"
act two --kill "$@"

[ "$(value two failed)" -ge 1 ] || {
	echo "demo: nothing was lost with the killed process?" >&2
	exit 1
}

# The files and bytes of act 1, the groups and losses of both.
echo
printf 'demo: OK files=%d bytes=%d groups=%d failed=%d\n' \
	"$(value one files)" "$(value one bytes)" \
	$(($(value one groups) + $(value two groups))) \
	$(($(value one failed) + $(value two failed)))
