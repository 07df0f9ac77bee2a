#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# check.sh BUILD: the tool's tests that need no module. Prints TAP.
set -u

here=$(dirname "$0")
build=$1
fake=$build/kvmx-fake
get=$build/json_get
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8
nr=0 failed=0

# ok STATUS NAME: a case that went well if STATUS is 0.
ok()
{
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $nr - $2"
	sed 's/^/# /' "$work/out" "$work/err" 2>/dev/null | head -n 40
}

# that NAME COMMAND...: a case that went well if COMMAND does.
that()
{
	"${@:2}"
	ok $? "$1"
}

# run FAKE ARGS...: output and exit status of the tool with that device.
run()
{
	FAKE=$1 "$fake" "${@:2}" >"$work/out" 2>"$work/err"
	status=$?
}

# is STATUS NAME: the last run ended so, with one line on stderr if it failed.
is()
{
	local lines=0
	[ "$1" -eq 0 ] || lines=1
	[ "$status" -eq "$1" ] &&
		[ "$(wc -l <"$work/err")" -eq "$lines" ] &&
		{ [ "$lines" -eq 0 ] || grep -q '^kvmx: ' "$work/err"; }
	ok $? "$2 (status $1)"
}

# out REGEX NAME / err REGEX NAME: the last run printed that.
out() { grep -Eq -- "$1" "$work/out"; ok $? "$2"; }
err() { grep -Eq -- "$1" "$work/err"; ok $? "$2"; }

# narrow NAME: no line of the last run is wider than a screen.
narrow()
{
	# awk may count bytes.
	! sed 's/≤/</g' "$work/out" |
		awk 'length > 80 { wide = 1 } END { exit !wide }'
	ok $? "$1 fits into 80 columns"
}

# json NAME EXPECTED PATH...: the last run printed JSON with that in it.
json()
{
	local got
	got=$("$get" "${@:3}" <"$work/out" 2>>"$work/err" | paste -sd' ')
	[ "$got" = "$2" ] || echo "got \"$got\" instead of \"$2\"" >>"$work/err"
	that "$1" [ "$got" = "$2" ]
}

# unit PROGRAM: its cases, among ours.
unit()
{
	local line
	"$1" >"$work/unit" 2>&1
	local unit_status=$?
	: >"$work/out"; : >"$work/err"
	while IFS= read -r line; do
		case $line in
		"ok "*)	ok 0 "${line#*- }" ;;
		"not ok "*) ok 1 "${line#*- }" ;;
		"#"*)	echo "$line" ;;
		esac
	done <"$work/unit"
	grep -q '^1\.\.' "$work/unit" && [ "$unit_status" -le 1 ]
	ok $? "$(basename "$1") ran to its end"
}

echo "TAP version 13"
unit "$build/maths_test"
unit "$build/tally_test"
unit "$build/sched_test"
unit "$build/rules_test"
for part in "$here"/*_test.sh; do
	# shellcheck source=/dev/null
	. "$part"
done
echo "1..$nr"
echo "# $((nr - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
