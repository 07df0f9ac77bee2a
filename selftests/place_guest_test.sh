#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An experiment of 2012 (Computer Systems & Applications 21(1)): a guest computes
# Fibonacci numbers and sleeps 15 ms in a loop, its disk makes QEMU start and end
# AIO workers, and no thread of it shall ever be seen on another CPU than the one
# it was given, however idle the others are. What is seen is what sched_switch
# says, counted in the kernel: nothing is sampled, nothing is lost.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

start=${KVMX_GUEST:-/kvmx/guest/start}
tool=${KVMX_TOOL:-$(command -v kvmx)}
# How long is looked; QEMU's workers live for ten seconds after a burst.
period=${KVMX_TEST_PERIOD:-20}

tracing=/sys/kernel/tracing
[ -d $tracing/events ] || tracing=/sys/kernel/debug/tracing
switches=$tracing/events/sched/sched_switch
births=$tracing/events/task/task_newtask
switch_hist='hist:keys=next_pid,common_cpu:size=16384'
birth_hist='hist:keys=common_pid,pid:size=16384'

the_vm_of()
{
	look list | awk -v name="$1" '$5 ~ name { print $2; exit }'
}

one_vcpu()
{
	[ "$(look list | awk '$5 ~ /^qemu/ { print $3 }')" = 1 ]
}

look_on()
{
	look_off
	echo "$switch_hist" >"$switches/trigger"
}

look_off()
{
	echo "!$switch_hist" >"$switches/trigger" 2>/dev/null
}

# pairs FILE: the two keys of each row of a histogram, and how often.
pairs()
{
	sed -nE 's/^\{ [a-z_]+: *([0-9]+), [a-z_]+: *([0-9]+) \} hitcount: *([0-9]+).*/\1 \2 \3/p' "$1"
}

# All threads that QEMU has or had: those that are there, and all that were born
# of one of them.
threads()
{
	cp "$births/hist" "$tmp/births"
	{
		printf '%s\n' /proc/"$qemu"/task/* | sed 's/.*\///; s/$/ there/'
		pairs "$tmp/births" | awk '{ print $1, $2 }'
	} | awk '$2 == "there" { is[$1] = 1; next }
		{ parent[NR] = $1; child[NR] = $2 }
		END {
			do {
				more = 0
				for (i in child)
					if (is[parent[i]] && !is[child[i]])
						more = is[child[i]] = 1
			} while (more)
			# Asking for one has made an entry of it.
			for (t in is)
				if (is[t])
					print t
		}' | sort -n
}

# seen_elsewhere CPU: "THREAD CPU TIMES" of the VM's threads on other CPUs.
seen_elsewhere()
{
	cp "$switches/hist" "$tmp/switches"
	threads >"$tmp/threads"
	pairs "$tmp/switches" | awk -v cpu="$1" '
		NR == FNR { is[$1] = 1; next }
		is[$1] && $2 != cpu' "$tmp/threads" -
}

nothing_was_dropped()
{
	! grep -hE '^ *Dropped: *[1-9]' "$switches/hist" "$births/hist"
}


# observe CPU: looks for a while, and until a thread was born; leaves what it saw in
# $tmp/elsewhere, and the number of threads born meanwhile in $born.
observe()
{
	local before end
	before=$(threads | wc -l)
	end=$((SECONDS + period * patience))
	look_on
	while [ "$SECONDS" -lt "$end" ] || { [ "$(threads | wc -l)" = "$before" ] &&
		[ "$SECONDS" -lt $((end + 60 * patience)) ]; }; do
		sleep 2
	done
	seen_elsewhere "$1" >"$tmp/elsewhere"
	look_off
	born=$(($(wc -l <"$tmp/threads") - before))
	check "rows of a histogram were dropped" nothing_was_dropped
	check "no thread was born: nothing is shown" [ "$born" -gt 0 ]
	seen=$(awk '{ n += $3 } END { print n + 0 }' "$tmp/elsewhere")
	say "$born threads were born; of $(wc -l <"$tmp/threads") threads" \
		"$(awk '{ print $1 }' "$tmp/elsewhere" | sort -u | wc -l) were on other CPUs, $seen times"
}

free_all()
{
	taskset -a -p -c "$all_cpus" "$qemu" >/dev/null
}

vcpu_thread()
{
	grep -l '^CPU 0/KVM' /proc/"$qemu"/task/*/comm | sed 's/.*task\///; s/\/comm//'
}

masks()
{
	grep -H Cpus_allowed_list /proc/"$qemu"/task/*/status 2>/dev/null | sed 's/.*task\///' | sort -n
}

a_guest_computes_and_writes()
{
	echo "$birth_hist" >"$births/trigger"
	truncate -s 16M "$tmp/disk"
	"$start" --cpus 1 --load 3000 --work fib --disk none -- \
		-drive "id=d0,if=none,file=$tmp/disk,format=raw,aio=threads" \
		-device virtio-blk-device,drive=d0 >"$tmp/console" 2>&1 &
	children+=($!)
	wait_for 120 one_vcpu || fail "not listed: $(look list) $(cat "$tmp/console")"
	qemu=$(the_vm_of qemu)
	children+=("${qemu:-0}")
	wait_for 240 grep -qa 'GUEST READY' "$tmp/console" ||
		fail "console: $(tail -n 5 "$tmp/console")"
	masks >"$tmp/masks"
}

# The first of the scripts that people use.
with_the_vcpus_pinned_other_threads_are_seen_elsewhere()
{
	local t
	for t in $(vcpu_thread); do
		taskset -p -c "$cpu" "$t" >/dev/null
	done
	observe "$cpu"
	free_all
	check "no thread was seen elsewhere: the experiment shows nothing" [ "$seen" -gt 0 ]
}

# The second one. It loses only where a thread is born while it runs: told, not
# judged.
with_all_threads_pinned_it_depends_on_the_moment()
{
	local end=$((SECONDS + period * patience / 2)) n=0 lost=0
	while [ "$SECONDS" -lt "$end" ]; do
		free_all
		taskset -a -p -c "$cpu" "$qemu" >/dev/null 2>&1
		n=$((n + 1))
		# One that is just being born is seen before it is through.
		wait_for 1 all_on_cpu || lost=$((lost + 1))
	done
	free_all
	say "in $lost of $n times a thread was left out"
	check "it was never done" [ "$n" -gt 0 ]
}

with_kvmx_none_is_ever_seen_elsewhere()
{
	"$tool" place -p "$qemu" --policy isolate --cpus "$cpu" --emulator "$cpu" --io "$cpu" \
		--explain >"$tmp/place" 2>&1 || fail "place: $(cat "$tmp/place")"
	sed 's/^/# /' "$tmp/place"
	observe "$cpu"
	same "seen elsewhere" "" "$(cat "$tmp/elsewhere")"
	"$tool" place -p "$qemu" --show >"$tmp/show" 2>&1 || fail "show: $(cat "$tmp/show")"
	sed 's/^/# /' "$tmp/show"
	"$tool" place -p "$qemu" --clear >/dev/null 2>&1 || fail "clear"
	same "births counted" 1 "$(awk '$1 == "Births" { print ($2 > 0) }' "$tmp/show")"
}

# New ones in the middle of them, as the guest's bursts have it.
not_even_in_one_placement_after_the_other()
{
	local end=$((SECONDS + period * patience / 2)) n=0 before
	before=$(threads | wc -l)
	while [ "$SECONDS" -lt "$end" ] && [ "$case_failed" = 0 ]; do
		"$tool" place -p "$qemu" --policy isolate --cpus "$cpu" --emulator "$cpu" \
			--io "$cpu" --replace >"$tmp/place" 2>&1 || {
			fail "place: $(cat "$tmp/place")"; return; }
		n=$((n + 1))
		look_on
		check "after placement $n not all are on CPU $cpu" wait_for 1 all_on_cpu
		sleep 0.2
		seen_elsewhere "$cpu" >"$tmp/elsewhere"
		look_off
		same "seen elsewhere after placement $n" "" "$(cat "$tmp/elsewhere")"
		"$tool" place -p "$qemu" --clear >/dev/null 2>&1 || fail "clear"
	done
	say "$n placements, $(($(threads | wc -l) - before)) threads born meanwhile"
}

cleared_each_thread_is_as_it_was()
{
	"$tool" place -p "$qemu" --clear >/dev/null 2>&1
	# Threads that were born or have ended since are of no interest.
	same "masks that differ" "" "$(masks | awk 'NR == FNR { was[$1] = $2; next }
		$1 in was && was[$1] != $2 || !($1 in was) && $2 != all' all="$all_cpus" \
		"$tmp/masks" -)"
}

while_a_command_runs_and_not_longer()
{
	local tool_pid
	"$tool" place -p "$qemu" --policy isolate --cpus "$cpu" --emulator "$cpu" --io "$cpu" \
		-- sleep 60 >/dev/null 2>&1 &
	tool_pid=$!
	children+=("$tool_pid")
	check "not placed" wait_for 20 all_on_cpu
	kill -KILL "$tool_pid"
	check "the placement outlives a tool that was killed" wait_for 10 not all_on_cpu
	cleared_each_thread_is_as_it_was
}

all_on_cpu()
{
	! masks | awk '{ print $2 }' | grep -qvx "$cpu"
}

[ -x "$start" ] || skip_all "no guest to start here ($start)"
command -v qemu-system-x86_64 >/dev/null || skip_all "no qemu-system-x86_64 here"
[ -e $switches/hist ] || skip_all "this kernel's trace events have no histograms"
[ "$(nproc)" -gt 1 ] || skip_all "one CPU: nowhere else to be seen"
host_begin
# shellcheck disable=SC2119 # no parameters are meant
reload_kvmx
all_cpus=$(cat /sys/devices/system/cpu/online)
cpu=$(($(nproc) - 1))
trap 'look_off; echo "!$birth_hist" >"$births/trigger" 2>/dev/null; host_leave' EXIT
run_case a_guest_computes_and_writes
# Without a guest all the others would say nothing.
[ "$failures" = 0 ] || host_end
for c in with_the_vcpus_pinned_other_threads_are_seen_elsewhere \
	with_all_threads_pinned_it_depends_on_the_moment \
	with_kvmx_none_is_ever_seen_elsewhere \
	while_a_command_runs_and_not_longer \
	not_even_in_one_placement_after_the_other \
	cleared_each_thread_is_as_it_was; do
	run_case "$c"
done
look_off
echo "!$birth_hist" >"$births/trigger" 2>/dev/null
host_end
