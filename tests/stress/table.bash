# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=bash
#
# Reads tests/stress/programs.

# table_read pelt|beside short|long: sets wanted, the programs to be run; known,
# those that have a line; and wrong, what is wrong with the table.
table_read()
{
	local name pelt beside why how
	known=() wanted=() wrong=()
	while read -r name pelt beside why; do
		case $name in
		'' | '#'*) continue ;;
		esac
		known+=("$name")
		how=$pelt
		[ "$1" = pelt ] || how=$beside
		case $how in
		short)	wanted+=("$name") ;;
		long)	[ "$2" = short ] || wanted+=("$name") ;;
		never)	[ -n "$why" ] || wrong+=("$name: why never?") ;;
		*)	wrong+=("$name: neither short, long nor never: $how") ;;
		esac
	done <"$(dirname "${BASH_SOURCE[0]}")/programs"
}

# table_check DIRECTORY: also, that every program there has its line.
table_check()
{
	local status=0 file
	local programs=()
	for file in "$1"/*; do
		[ ! -f "$file" ] || [ ! -x "$file" ] || programs+=("${file##*/}")
	done
	diff <(printf '%s\n' "${known[@]}" | sort) \
	     <(printf '%s\n' "${programs[@]}" | sort) || status=1
	[ ${#wrong[@]} = 0 ] || { printf '%s\n' "${wrong[@]}"; status=1; }
	return $status
}
