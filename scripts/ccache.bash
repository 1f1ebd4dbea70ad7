# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=bash
#
# Sourced by what builds a lot, with $top set: what one clone has compiled the
# next need not compile again. Without ccache, or a cache to write to, nothing
# changes.

# shellcheck disable=SC2154 # $top
ccache_dir=$("$top/scripts/kernel" cache)/ccache
if [ -x /usr/lib/ccache/gcc ] && mkdir -p "$ccache_dir" 2>/dev/null &&
   [ -w "$ccache_dir" ]; then
	export PATH=/usr/lib/ccache:$PATH CCACHE_DIR=$ccache_dir
	# Another clone lies elsewhere.
	export CCACHE_BASEDIR=$top CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=400M
fi
