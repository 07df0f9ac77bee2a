#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A real guest: Linux in QEMU, two vCPUs, from its first exit to its end.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

start=${KVMX_GUEST:-/kvmx/guest/start}

the_vm_of()
{
	look list | awk -v name="$1" '$5 ~ name { print $2; exit }'
}

it_is_listed_with_name_and_vcpus()
{
	"$start" --load 600 >"$tmp/console" 2>&1 &
	children+=($!)
	wait_for 60 two_vcpus || fail "not listed: $(look list)"
	qemu=$(the_vm_of qemu)
	children+=("${qemu:-0}")
	same "state and name" "born,counting qemu-system-x86" \
		"$(look list | awk -v p="$qemu" '$2 == p { print $4, $5 }')"
}

two_vcpus()
{
	[ "$(look list | awk '$5 ~ /^qemu/ { print $3 }')" = 2 ]
}

it_boots()
{
	local t
	wait_for 150 grep -qa 'GUEST READY' "$tmp/console" && return
	for t in /proc/"$qemu"/task/*; do
		say "$(cat "$t/comm"): $(cut -d' ' -f3,14,15 "$t/stat"), $(cat "$t/wchan")"
	done
	look figures "$qemu" 0 | grep -E '^state |^exit.*count [1-9]' | sed 's/^/# /'
	fail "console: $(tail -n 5 "$tmp/console")"
}

the_figures_of_both_vcpus_move()
{
	local i before after
	for i in 0 1; do
		before=$(look figures "$qemu" "$i" | sum_exits)
		sleep 2
		after=$(look figures "$qemu" "$i" | sum_exits)
		check "vCPU $i: $before, $after" [ "$after" -gt "$before" ]
	done
}

its_exits_are_kvms_exits()
{
	local round
	for round in 1 2 3; do
		stop_process "$qemu" || { fail "QEMU does not stop"; return; }
		same "round $round" "$(exits_of "$qemu")" \
			"$(look figures "$qemu" vm | sum_exits)"
		kill -CONT "$qemu"
		sleep 0.5
	done
}

the_time_of_its_vcpus_adds_up()
{
	local i
	for i in 0 1; do
		look figures "$qemu" "$i" | awk '
			/^time\./ { sum += $2 }
			$1 == "accounted" { sum -= $2 }
			$1 == "counting_since" { sum += $2 }
			END { exit sum != 0 }' || fail "vCPU $i"
	done
}

every_reason_of_its_exits_is_known()
{
	local odd
	odd=$(look figures "$qemu" vm |
		awk '/^exit\.(unlisted_.|not_read)\.count / && $2 { print $1, $2 }')
	same "without a name" "" "$odd"
	same "entries and exits out of step" 0 \
		"$(look figures "$qemu" vm | figure exits_without_entry)"
}

when_it_is_killed_its_last_figures_stay()
{
	local before
	hold "$qemu"
	before=$(look figures "$qemu" vm | sum_exits)
	kill -KILL "$qemu"
	check "it is listed no more" wait_for 20 not is_listed "$qemu"
	release
	same "gone" 1 "$(figure gone <"$held")"
	check "the figures stay" [ "$(sum_exits <"$held")" -ge "$before" ]
}

[ -x "$start" ] || skip_all "no guest to start here ($start)"
command -v qemu-system-x86_64 >/dev/null || skip_all "no qemu-system-x86_64 here"
host_begin
reload_kvmx stats=always
for c in it_is_listed_with_name_and_vcpus \
	it_boots \
	the_figures_of_both_vcpus_move \
	its_exits_are_kvms_exits \
	the_time_of_its_vcpus_adds_up \
	every_reason_of_its_exits_is_known \
	when_it_is_killed_its_last_figures_stay; do
	run_case "$c"
done
host_end
