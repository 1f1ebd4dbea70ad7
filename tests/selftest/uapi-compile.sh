#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# Compiles the uapi header the ways people do: as C of every standard, as C++,
# for 32 and 64 bit, alone and twice, and compares it with the layout recorded
# in uapi_layout.h. Runs on the build host and needs no module; prints KTAP.
#
# CC, CXX: compilers. A 32-bit C library is not needed, nothing is linked.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
uapi=${TOP:-$here/../..}/uapi
header=$uapi/linux/zcbuf.h
table=$here/uapi_layout.h
CC=${CC:-gcc}
CXX=${CXX:-g++}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0
failed=0

# result STATUS NAME: what was printed meanwhile is in $work/out
result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number $2"
		return
	fi
	failed=$((failed + 1))
	sed 's/^/# /' "$work/out"
	echo "not ok $number $2"
}

check()
{
	name=$1
	shift
	if "$@" >"$work/out" 2>&1; then result 0 "$name"; else result 1 "$name"; fi
}

skip()
{
	number=$((number + 1))
	echo "ok $number $1 # SKIP $2"
}

has()
{
	command -v "$1" >/dev/null 2>&1
}

# compile COMPILER OPTION... SOURCE: nothing but what it says about the source
compile()
{
	"$@" -I"$uapi" -I"$here" -Wall -Wextra -Werror -pedantic-errors \
		-fsyntax-only
}

# Without gcc-multilib <asm/types.h> is there, but not where -m32 looks.
multiarch=$("$CC" -print-multiarch 2>/dev/null || true)
m32=-m32
[ -z "$multiarch" ] || m32="-m32 -idirafter /usr/include/$multiarch"

cat >"$work/alone.c" <<'END'
#include <linux/zcbuf.h>
#include <linux/zcbuf.h>
int main(void)
{
	struct zcbuf_query q;

	q.size = sizeof(q);
	return (int)(zcbuf_buf_offset(q.size) + zcbuf_buf_capacity(q.size, 0) +
		     ZCBUF_IOC_EVENTFD + ZCBUF_IOC_BUF_INFO +
		     ZCBUF_IOC_POOL_GROW + ZCBUF_IOC_TRANSFER +
		     ZCBUF_IOC_PIN_TOKEN + ZCBUF_IOC_SHARE +
		     ZCBUF_IOC_EXPORT + ZCBUF_IOC_POOL_REMOVE +
		     ZCBUF_IOC_POOL_RETIRE + ZCBUF_IOC_PUBLISH +
		     ZCBUF_IOC_QUEUE + ZCBUF_IOC_WATCH +
		     ZCBUF_IOC_READY + ZCBUF_IOC_HEARTBEAT +
		     (int)(ZCBUF_MMAP_CONTROL >> 43));
}
END
cp "$work/alone.c" "$work/alone.cc"

# An array of -1 elements is an error in every standard.
cat >"$work/layout.c" <<'END'
#include <stddef.h>
#include <linux/zcbuf.h>
#define CAT_(a, b)	a##b
#define CAT(a, b)	CAT_(a, b)
#define MUST(cond)	extern char CAT(must_, __LINE__)[(cond) ? 1 : -1];
#define LAYOUT_SIZE(s, n)	MUST(sizeof(struct s) == n)
#define LAYOUT_FIELD(s, f, at, n)					\
	MUST(offsetof(struct s, f) == at &&				\
	     sizeof(((struct s *)0)->f) == n)
#define LAYOUT_NUMBER(name, n)	MUST(name == n)
#include "uapi_layout.h"
END
cp "$work/layout.c" "$work/layout.cc"

# Every struct of the header is in the table, and every field.
structs_of()
{
	sed -n 's/^struct \(zcbuf_[a-z_]*\) {$/\1/p' "$header" | sort
}

structs_recorded()
{
	sed -n 's/^LAYOUT_SIZE(\(zcbuf_[a-z_]*\),.*/\1/p' "$table" | sort
}

fields_of()
{
	sed -n '/^struct zcbuf_[a-z_]* {$/,/^};$/p' "$header" |
		sed -n 's/^\t.*[ \t]\([a-z_0-9]*\)\(\[.*\]\)*;.*/\1/p' | sort
}

fields_recorded()
{
	sed -n 's/^LAYOUT_FIELD([a-z_]*, \([a-z_0-9]*\),.*/\1/p' "$table" | sort
}

same()
{
	"$1" >"$work/a"
	"$2" >"$work/b"
	[ -s "$work/a" ] && diff -u "$work/a" "$work/b"
}

# A wrong table must not compile: these checks can fail.
wrong_layout()
{
	sed 's/LAYOUT_FIELD(zcbuf_alloc, length, 8/LAYOUT_FIELD(zcbuf_alloc, length, 16/' \
		"$table" >"$work/uapi_layout.h"
	! cmp -s "$table" "$work/uapi_layout.h" &&
		! "$CC" -I"$work" -I"$uapi" -fsyntax-only "$work/layout.c"
}

echo 'KTAP version 1'
echo '1..20'
for std in c89 gnu89 c99 c11 c17; do
	check "C, $std" compile "$CC" -std=$std "$work/alone.c"
done
check 'C, kernel dialect' compile "$CC" -std=gnu11 -Wdeclaration-after-statement \
	-Wstrict-prototypes -Wmissing-prototypes "$work/alone.c"
# shellcheck disable=SC2086 # the options are several words
check 'C, 32 bit' compile "$CC" $m32 -std=c89 "$work/alone.c"
check 'layout, C, 64 bit' compile "$CC" -m64 -std=c89 "$work/layout.c"
# shellcheck disable=SC2086
check 'layout, C, 32 bit' compile "$CC" $m32 -std=c89 "$work/layout.c"

if has "$CXX"; then
	for std in c++98 c++11 c++17 c++20; do
		check "$std" compile "$CXX" -std=$std "$work/alone.cc"
	done
	check 'layout, C++, 64 bit' compile "$CXX" -m64 -Wno-invalid-offsetof \
		"$work/layout.cc"
	# shellcheck disable=SC2086
	check 'layout, C++, 32 bit' compile "$CXX" $m32 -Wno-invalid-offsetof \
		"$work/layout.cc"
else
	for what in c++98 c++11 c++17 c++20 'layout, C++, 64 bit' \
		    'layout, C++, 32 bit'; do
		skip "$what" "no $CXX"
	done
fi
if has clang; then
	check 'C, clang' compile clang -std=c89 "$work/layout.c"
	check 'C++, clang' compile clang++ -std=c++11 "$work/layout.cc"
else
	skip 'C, clang' 'no clang'
	skip 'C++, clang' 'no clang'
fi
check 'every struct is recorded' same structs_of structs_recorded
check 'every field is recorded' same fields_of fields_recorded
check 'a wrong layout does not compile' wrong_layout
[ "$failed" = 0 ]
