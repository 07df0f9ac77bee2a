#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tool beside the real module: what it measures, and what it says when
# something is missing. Without a module it is tested in selftests/tool.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

tool=${KVMX_TOOL:-$(command -v kvmx)}

# Runs the tool: its status in $status, what it wrote in out and err.
kvmx()
{
	status=0
	"$tool" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
}

# complains STATUS WORD: ended so, with one line on stderr that has the word
complains()
{
	same "status" "$1" "$status"
	same "lines on stderr" 1 "$(wc -l <"$tmp/err")"
	grep -q '^kvmx: ' "$tmp/err" || fail "stderr: $(cat "$tmp/err")"
	grep -qi "$2" "$tmp/err" || fail "no '$2' in: $(cat "$tmp/err")"
}

works()
{
	same "status" 0 "$status"
	same "stderr" "" "$(cat "$tmp/err")"
	check "it prints something" [ -s "$tmp/out" ]
}

fits_80_columns()
{
	awk 'length > 80 { print "# too long: " $0; bad = 1 } END { exit bad }' "$tmp/out" ||
		fail "lines of more than 80 columns"
}

running()
{
	guest "$@"
	wait_for 10 is_listed "$guest" || fail "the guest does not run"
}

without_the_module_it_says_modprobe()
{
	local c
	rmmod kvmx
	for c in ept info list sched stat "place --all --show"; do
		# shellcheck disable=SC2086 # words
		kvmx $c
		complains 3 modprobe
	done
	load_kvmx
}

without_permission_it_says_so()
{
	local c
	for c in ept info list sched stat "place --all --clear"; do
		status=0
		# shellcheck disable=SC2086 # words
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$tool" $c >"$tmp/out" 2>"$tmp/err" || status=$?
		complains 5 root
	done
}

without_a_vm_there_is_nothing_to_measure()
{
	kvmx list
	same "status of list" 0 "$status"
	kvmx stat
	complains 6 VM
}

a_pid_without_a_vm_is_refused()
{
	local gone
	sleep 0 &
	gone=$!
	wait "$gone"
	kvmx stat -p "$gone"
	complains 6 "$gone"
	kvmx stat -p $$
	complains 6 $$
	kvmx stat -p nonsense
	same "status of nonsense" 2 "$status"
	kvmx stat --id 123456789
	complains 6 123456789
}

info_tells_every_feature()
{
	local name
	kvmx info
	works
	fits_80_columns
	for name in $(look features | awk '{ print $1 }'); do
		grep -q "$name" "$tmp/out" || fail "no $name"
	done
}

list_shows_a_vm_and_its_vcpus()
{
	running -c 2 -l 60 cpuid=100
	kvmx list
	works
	fits_80_columns
	grep -w "$guest" "$tmp/out" | grep -qw vmm || fail "$(cat "$tmp/out")"
	kvmx list -v
	works
	end_guest
}

stat_measures_a_running_vm()
{
	local reason
	running -c 2 -l 60 cpuid=100 out_user=10
	reason=$([ "$vendor_module" = kvm_intel ] && echo CPUID || echo cpuid)
	kvmx stat -p "$guest"
	works
	fits_80_columns
	grep -qE "^ *$reason +[0-9]" "$tmp/out" || fail "no $reason in: $(cat "$tmp/out")"
	kvmx stat -p "$guest" -i 0.3 -c 3 --per-vcpu
	works
	fits_80_columns
	kvmx stat -p "$guest" --vcpu 7
	complains 6 7
	end_guest
}

ept_shows_violations_pages_and_ports()
{
	running -l 60 touch=50 mmio=20 out_user=30
	kvmx ept -p "$guest" -c 2 -i 1
	works
	fits_80_columns
	grep -qE '^cause +not_present +[1-9]' "$tmp/out" || fail "no violations: $(cat "$tmp/out")"
	grep -qE '^4K +[1-9]' "$tmp/out" || fail "nothing is mapped: $(cat "$tmp/out")"
	grep -qE '^walk: [45] levels' "$tmp/out" || fail "no walk: $(cat "$tmp/out")"
	grep -qE '^0x5e4 +[1-9]' "$tmp/out" || fail "no port 0x5e4: $(cat "$tmp/out")"
	grep -qE '^0x3fe00000 +[1-9]' "$tmp/out" || fail "no MMIO: $(cat "$tmp/out")"
	kvmx ept -p "$guest" --vcpu 7
	complains 6 "vCPU 7"
	end_guest
}

ept_says_what_it_cannot_tell()
{
	reload_kvmx stats=ondemand without=kvm_page_fault
	running -l 60 touch=50 mmio=20 out_user=30
	kvmx ept -p "$guest" -c 1
	works
	fits_80_columns
	! grep -q '^cause ' "$tmp/out" || fail "causes without kvm_page_fault: $(cat "$tmp/out")"
	tr '\n' ' ' <"$tmp/out" | tr -s ' ' | grep -q 'unavailable: mmu.access.\*.* needs the tracepoint kvm_page_fault' ||
		fail "no note: $(cat "$tmp/out")"
	grep -qE '^4K +[1-9]' "$tmp/out" || fail "nothing is mapped: $(cat "$tmp/out")"
	end_guest
	reload_kvmx stats=ondemand
}

sched_shows_who_takes_the_cpu()
{
	local cpu hog line
	cpu=$(($(nproc) - 1))
	running -l 60 cpuid=100 spin=100000
	taskset -c "$cpu" sh -c 'while :; do :; done' &
	hog=$!
	taskset -acp "$cpu" "$guest" >/dev/null || fail "the guest cannot be bound"
	kvmx sched -p "$guest" -i 1 -c 2
	works
	fits_80_columns
	# Somebody is on the list, and it is the hog.
	line=$(awk -v tid="$hog" '$1 == "0" && $2 == "sh" && $3 == tid { print; exit }' "$tmp/out")
	check "the hog ($hog) is named in: $(cat "$tmp/out")" [ -n "$line" ]
	grep -qE "^vcpu +.* $cpu " "$tmp/out" || fail "no thread of class vcpu on CPU $cpu"
	grep -q '^main ' "$tmp/out" || fail "no main thread"
	kill "$hog"
	wait "$hog" 2>/dev/null
	kvmx sched -p "$guest" --vcpu 7
	complains 6 7
	end_guest
}

json_is_json()
{
	command -v jq >/dev/null || { skip "no jq here"; return; }
	running -c 2 -l 60 cpuid=100 out_user=10
	kvmx info --json
	check "info" jq -e . "$tmp/out" >/dev/null
	kvmx list --json
	check "list" jq -e . "$tmp/out" >/dev/null
	kvmx stat --json -p "$guest"
	check "stat" jq -e . "$tmp/out" >/dev/null
	kvmx ept --json -p "$guest"
	check "ept" jq -e '.vms[0].violations[0].count.value, .vms[0].walk.levels' "$tmp/out" >/dev/null
	kvmx sched --json -p "$guest"
	check "sched" jq -e '.vms[0].vcpus[1].voluntary.value, .vms[0].threads[0].tid' "$tmp/out" >/dev/null
	kvmx stat --json -p "$guest" -i 0.3 -c 3
	check "stat -i" jq -e . "$tmp/out" >/dev/null
	same "objects, one a line" "3 3" "$(wc -l <"$tmp/out") $(jq -c . "$tmp/out" | wc -l)"
	end_guest
}

a_command_is_measured_exactly()
{
	local reason
	echo always >"$PARAM"
	reason=$([ "$vendor_module" = kvm_intel ] && echo CPUID || echo cpuid)
	kvmx stat -- "$here/vmm" -s 1 cpuid=1234
	same "status" 0 "$status"
	grep -qE "^ *$reason +1234 " "$tmp/out" || fail "no 1234 $reason in: $(cat "$tmp/out")"
	echo ondemand >"$PARAM"
}

it_ends_with_the_commands_status()
{
	kvmx stat -- sh -c 'exit 7'
	same "status" 7 "$status"
	# shellcheck disable=SC2016 # the inner shell's pid
	kvmx stat -- sh -c 'kill -9 $$'
	same "killed" 137 "$status"
	kvmx stat -- /does/not/exist
	same "not found" 127 "$status"
	kvmx stat -- /dev/null
	same "not executable" 126 "$status"
}

a_vm_that_vanishes_ends_the_measuring()
{
	running -l 2 cpuid=100
	kvmx stat -p "$guest" -i 0.5 -c 60
	same "status" 0 "$status"
	check "it prints something" [ -s "$tmp/out" ]
	check "one line on stderr at most" [ "$(wc -l <"$tmp/err")" -le 1 ]
	end_guest
}

ctrl_c_prints_the_last_state()
{
	running -l 60 cpuid=100
	status=0
	timeout --preserve-status -s INT 3 \
		"$tool" stat -p "$guest" -i 30 >"$tmp/out" 2>"$tmp/err" || status=$?
	same "status" 130 "$status"
	check "it prints something" [ -s "$tmp/out" ]
	same "stderr" "" "$(cat "$tmp/err")"
	end_guest
}

a_reader_that_ends_is_no_error()
{
	running -l 60 cpuid=100
	"$tool" stat -p "$guest" -i 0.2 -c 20 2>"$tmp/err" | head -n 1 >/dev/null
	same "stderr" "" "$(cat "$tmp/err")"
	end_guest
}

afterwards_nothing_is_open()
{
	same "statistics fds" 0 "$(info nr_stats_fds)"
	same "counting" 0 "$(info counting)"
}

[ -n "$tool" ] || skip_all "the tool is not installed here"
host_begin
reload_kvmx stats=ondemand
for c in without_the_module_it_says_modprobe \
	without_permission_it_says_so \
	without_a_vm_there_is_nothing_to_measure \
	a_pid_without_a_vm_is_refused \
	info_tells_every_feature \
	list_shows_a_vm_and_its_vcpus \
	stat_measures_a_running_vm \
	ept_shows_violations_pages_and_ports \
	ept_says_what_it_cannot_tell \
	sched_shows_who_takes_the_cpu \
	json_is_json \
	a_command_is_measured_exactly \
	it_ends_with_the_commands_status \
	a_vm_that_vanishes_ends_the_measuring \
	ctrl_c_prints_the_last_state \
	a_reader_that_ends_is_no_error \
	afterwards_nothing_is_open; do
	run_case "$c"
done
host_end
