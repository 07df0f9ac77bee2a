#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Trace events of kvmx in the hands of who will use them: trace-cmd and perf find
# them, record them while a guest runs, and print them with names and numbers.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# a_while is two words on purpose:
# shellcheck disable=SC2046
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

events=/sys/kernel/tracing/events/kvmx

# A guest whose violations are certain; it may never move, and never wait.
running()
{
	guest -l 60 cpuid=100 touch=20 mmio=5
	wait_for 10 is_listed "$guest" || fail "the guest does not run"
}

# A command to record meanwhile: probes are attached a moment after it began.
a_while()
{
	cat >"$tmp/a_while" <<-END
	for _ in {1..300}; do
		! "$here/look" list | grep -q ",counting" || break
		sleep 0.1
	done
	sleep $((2 * patience))
	END
	echo "bash $tmp/a_while"
}

# prints FILE EVENT...: each is in it, of a VM that has a number
prints()
{
	local e
	for e in "${@:2}"; do
		grep -qE "$e: +vm=[0-9]+ vcpu=0 " "$1" ||
			fail "no $e in: $(head -n 20 "$1")"
	done
}

trace_cmd_lists_them()
{
	local e
	command -v trace-cmd >/dev/null || { skip "no trace-cmd"; return; }
	trace-cmd list -e '^kvmx:' >"$tmp/list" || fail "trace-cmd list"
	for e in ept_violation flush migrate ready; do
		check "$e" grep -qx "kvmx:$e" "$tmp/list"
	done
}

trace_cmd_records_and_reports_them()
{
	command -v trace-cmd >/dev/null || { skip "no trace-cmd"; return; }
	running
	trace-cmd record -q -e kvmx -o "$tmp/trace.dat" $(a_while) >"$tmp/record" 2>&1 ||
		fail "trace-cmd record: $(cat "$tmp/record")"
	end_guest
	trace-cmd report -i "$tmp/trace.dat" >"$tmp/report" 2>&1 ||
		fail "trace-cmd report"
	prints "$tmp/report" ept_violation
	check "causes by name" grep -q 'cause=not_present outcome=fixed' "$tmp/report"
	same "what its parser does not take" "" "$(grep -E 'kvmx|FAILED TO PARSE' "$tmp/report")"
}

trace_cmd_filters()
{
	command -v trace-cmd >/dev/null || { skip "no trace-cmd"; return; }
	running
	trace-cmd record -q -e kvmx:ept_violation -f 'cause == 5' -o "$tmp/trace.dat" \
		$(a_while) >"$tmp/record" 2>&1 || fail "trace-cmd record: $(cat "$tmp/record")"
	end_guest
	trace-cmd report -i "$tmp/trace.dat" >"$tmp/report" 2>&1
	prints "$tmp/report" ept_violation
	check "MMIO alone" not grep -q 'cause=not_present' "$tmp/report"
}

perf_records_and_prints_them()
{
	command -v perf >/dev/null || { skip "no perf"; return; }
	running
	perf record -q -a -e 'kvmx:*' -o "$tmp/perf.data" $(a_while) >"$tmp/record" 2>&1 ||
		fail "perf record: $(cat "$tmp/record")"
	end_guest
	perf script -i "$tmp/perf.data" >"$tmp/script" 2>"$tmp/err" || fail "perf script"
	sed -i 's/kvmx:\([a-z_]*\):/\1:/' "$tmp/script"
	prints "$tmp/script" ept_violation
	check "causes by name" grep -q 'cause=mmio' "$tmp/script"
}

nobody_counts()
{
	[ "$(info counting)" = 0 ]
}

nobody_traces_any_more()
{
	same "events enabled" 0 "$(cat "$events/enable")"
	check "probes are attached" wait_for 5 nobody_counts
	wait_for 5 not_in_use || fail "kvmx is in use"
}

host_begin
is_loaded kvmx || load_kvmx || skip_all "kvmx cannot be loaded"
[ -d "$events" ] || skip_all "no tracefs, or a kernel without trace events"
run_case trace_cmd_lists_them
run_case trace_cmd_records_and_reports_them
run_case trace_cmd_filters
run_case perf_records_and_prints_them
run_case nobody_traces_any_more
host_end
