#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# program.sh ZCCTL MANPAGE: the built program and its man page. What it says to
# a machine without the module can only be seen on one.
#
# shellcheck disable=SC2317 # point calls the functions
set -eu

zcctl=$1 manpage=$2 number=0 failed=0

# point NAME COMMAND...
point()
{
	name=$1
	shift
	number=$((number + 1))
	if "$@"; then
		echo "ok $number zcctl.$name"
	else
		failed=1
		echo "not ok $number zcctl.$name"
	fi
}

# says STATUS OUTPUT ARG...: both outputs together, and the exit status
says()
{
	want_status=$1 want=$2 status=0
	shift 2
	out=$("$zcctl" "$@" 2>&1) || status=$?
	[ "$status:$out" = "$want_status:$want" ] && return
	printf '%s\n' "status $status" "$out" | sed 's/^/# /'
	return 1
}

missing="the zcbuf module is not loaded (no generic netlink family 'zcbuf'): modprobe zcbuf"

not_loaded()
{
	says 3 "zcctl: $missing" "$@"
}

not_loaded_json()
{
	says 3 "zcctl: $missing
{\"error\":\"$missing\"}" -j "$@"
}

plain_page()
{
	sed 's/\\-/-/g' "$manpage"
}

# section VERB: all that the page has of it
section()
{
	plain_page | awk -v verb="$1" '/^\.S[HS] / { on = $2 == verb } on'
}

options_in()
{
	grep -Eo -- '--[a-z][a-z-]*' | sort -u
}

# verb_documented VERB: what its help names, and its part of the page does not
verb_documented()
{
	section "$1" | grep -q . || echo "$1"
	"$zcctl" help "$1" | sed -n '1s/\[[^]]*\]//g; 1s/.*zcctl *[a-z]* *//p' |
		grep -Eow '[a-z]+' | while read -r word; do
		section "$1" | grep '^\.SS' | grep -qw "$word" || echo "$1 $word"
	done
	"$zcctl" help "$1" | options_in | while read -r option; do
		section "$1" | options_in | grep -qxe "$option" ||
			echo "$1 $option"
	done
}

# Every verb and option that the help names.
documented()
{
	"$zcctl" help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | while read -r verb; do
		verb_documented "$verb"
	done
	"$zcctl" help | options_in | while read -r option; do
		plain_page | options_in | grep -qxe "$option" || echo "$option"
	done
}

man_page_is_complete()
{
	forgotten=$(documented)
	[ -z "$forgotten" ] && return
	echo "$forgotten" | sed 's/^/# not in the man page: /'
	return 1
}

check_fails()
{
	! "$zcctl" check >/dev/null
}

echo 'KTAP version 1'
echo '1..9'
point man_page man_page_is_complete
if [ -e /sys/module/zcbuf ]; then
	for name in pool session channel holders json with_name grow check; do
		number=$((number + 1))
		echo "ok $number zcctl.not_loaded_$name # SKIP the module is loaded"
	done
	exit $failed
fi
point not_loaded_pool not_loaded pool list
point not_loaded_session not_loaded session list
point not_loaded_channel not_loaded channel list
point not_loaded_holders not_loaded holders
point not_loaded_json not_loaded_json pool list
point not_loaded_with_name not_loaded pool show some-name
point not_loaded_grow not_loaded pool grow some-name
point not_loaded_check check_fails
exit $failed
