# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# shellcheck shell=bash
#
# For scripts that report in KTAP: source it, plan, then one call for each test.

ktap_number=0
ktap_failed=0

# ktap_plan N
ktap_plan()
{
	ktap_number=0
	ktap_failed=0
	echo 'KTAP version 1'
	echo "1..$1"
}

# ktap_result STATUS NAME: what a finished test has come to.
ktap_result()
{
	ktap_number=$((ktap_number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $ktap_number $2"
	else
		ktap_failed=$((ktap_failed + 1))
		echo "not ok $ktap_number $2"
	fi
}

ktap_skip()
{
	ktap_number=$((ktap_number + 1))
	echo "ok $ktap_number $1 # SKIP $2"
}

# ktap_quiet NAME COMMAND...: shows what the command says only if it fails.
ktap_quiet()
{
	local name=$1 output status=0
	shift
	output=$("$@" 2>&1) || status=$?
	[ $status = 0 ] || printf '# %s\n' "${output//$'\n'/$'\n'# }"
	ktap_result $status "$name"
}

# ktap_nested NAME COMMAND...: the command reports in KTAP itself. Its status
# counts as well: 4 is the kselftest way to skip everything. Says how long it took.
ktap_nested()
{
	local name=$1 line status=0 start=$SECONDS
	shift
	echo "# $name"
	set -o pipefail
	"$@" 2>&1 | while IFS= read -r line || [ -n "$line" ]; do
		printf '  %s\n' "$line"
	done || status=${PIPESTATUS[0]}
	echo "# $name: $((SECONDS - start)) s"
	if [ "$status" = 4 ]; then
		ktap_skip "$name" "see above"
	else
		[ "$status" = 0 ] || echo "# $name: exit status $status"
		ktap_result "$status" "$name"
	fi
}

# The exit status of the script.
ktap_end()
{
	[ "$ktap_failed" = 0 ]
}
