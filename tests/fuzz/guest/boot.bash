# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=bash
#
# For run, replay and merge: builds kfuzz and the module, and has kfuzz run in a
# guest. Source it with $here and $top set. The files in $guest_files come along,
# and what comes of it is in $out:
#
#	console         what the kernel said
#	corpus, crash, places    what kfuzz left

# shellcheck source-path=SCRIPTDIR source=../../vm/console.bash disable=SC2154
. "$top/tests/vm/console.bash"
build=${BUILD:-$top/build}
kernel=x86-debug
module=''
kfuzz=$build/fuzz/kfuzz
splat=$top/tests/vm/splat
guest_files=()
fail_setup()
{
	echo "fuzz: $*" >&2
	exit 2
}

make_in()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		make -s --no-print-directory -j"$(nproc)" -C "$@" >&2
}

build_all()
{
	# shellcheck disable=SC2154
	make_in "$here" TOP="$top" BUILD="$build" all
	case $kernel in
	um-*)
		[ -n "$module" ] || module=$("$top/tests/vm/um" --build) ;;
	*)
		# Others may be building the same.
		{
			flock 9
			[ -n "$module" ] || make_in "$top" BUILD="$build" \
				KERNEL="$kernel" vm-module
			make_in "$top" BUILD="$build" lib tools examples
		} 9>"$build/lock" ;;
	esac
}

# The module's own build is found by the runner.
module_file()
{
	local version
	[ -z "$module" ] || { echo "$module"; return; }
	version=$("$top/scripts/kernel" version "$kernel")
	echo "$build/kmod/$version/zcbuf.ko"
}

# boot_x86 LIMIT COMMAND...
boot_x86()
{
	local limit=$1 file files=()
	shift
	for file in "${guest_files[@]}"; do
		files+=(--file "$file")
	done
	"$top/tests/vm/run" --kernel "$kernel" --timeout "$limit" \
		--log "$out/console" --collect "$out" --leak-limit 0 \
		${module:+--module "$module"} "${files[@]}" -- "$@"
}

# boot_um LIMIT COMMAND...
boot_um()
{
	local limit=$1
	shift
	"$top/tests/vm/um" --module "$module" --dir "$out" --timeout "$limit" -- "$@"
}

# boot LIMIT KFUZZ-ARGUMENT...: kfuzz in the guest, with the patterns of what
# complaints look like and a place for what it finds.
boot()
{
	local limit=$1 job=$2
	shift 2
	mkdir -p "$out"
	out=$(realpath "$out")
	rm -f "$out"/{crash,corpus,places,console}
	case $kernel in
	um-*)
		boot_um "$limit" "$kfuzz" "$job" -p "$splat" -o /mnt "$@" ;;
	*)
		boot_x86 "$limit" "$kfuzz" "$job" -p /vm/splat -o /collect "$@" ;;
	esac
}

# One line for each option all of them have; shifts are up to the caller.
parse_common()
{
	case $1 in
	--kernel)	kernel=$2 ;;
	--module)	module=$(realpath -- "$2") ;;
	*)		return 1 ;;
	esac
}
