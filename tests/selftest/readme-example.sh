#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# readme-example.sh DIRECTORY: takes the C program out of README.md and builds
# it there as hello, as it is printed and by the command that is printed after
# it. The library is the one in BUILD.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=${TOP:-$here/../..}
build=${BUILD:-$top/build}
readme=$top/README.md

die()
{
	echo "readme-example.sh: README.md: $*" >&2
	exit 1
}

# shellcheck disable=SC2016 # the marks of a block of C
[ "$(grep -c '^```c$' "$readme")" = 1 ] || die "not one block of C"
mkdir -p "$1"
# shellcheck disable=SC2016
sed -n '/^```c$/,/^```$/p' "$readme" | sed '1d;$d' >"$1/hello.c"
[ "$(wc -l <"$1/hello.c")" -le 40 ] || die "the example is no short one"
command=$(sed -n 's/^ *\(cc -o hello hello\.c .*\)$/\1/p' "$readme")
[ -n "$command" ] || die "does not say how to compile hello.c"

cd "$1"
PKG_CONFIG_PATH=$build/lib sh -c "$command"
