# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=bash
#
# Judges what a kernel wrote to its console. Source it.

console_judge=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# complaints FILE [GREP-OPTION]...: its lines that are complaints, about the
# module where a kernel has many other things to complain about. Fails if there
# are none. Reads all of the file: a pipe must not break.
complaints()
{
	awk -f "$console_judge/kcsan" "$1" |
		grep -aEf "$console_judge/splat" "${@:2}"
}

# show_console FILE PREFIX: the part that matters, from the first complaint on;
# without any, the end.
show_console()
{
	local first
	first=$({ complaints "$1" -n || :; } | sed -n '1s/:.*//p')
	if [ -n "$first" ]; then
		echo "from line $first:"
		sed -n "$first,$((first + 59))p" "$1"
	else
		echo "its end:"
		tail -n 40 "$1"
	fi | tr -d '\r' | sed "s/^/$2/"
}
