# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2016,SC2154
# What exits are measured under: one row per condition. Runs in the machine.
#
# row NAME TEXT [exitcost's options]
#   start_NAME puts the condition up, stop_NAME takes it down and fails where it
#   was not really in force; both may be missing. A condition that cannot be had
#   in this machine says why in $unavailable.

ROWS=() WHAT=() OPTIONS=()

row()
{
	ROWS+=("$1")
	WHAT+=("$2")
	OPTIONS+=("${*:3}")
}

row bare "nothing"
row fentry "bpftrace: fentry program that counts exits"
row perf_stat "perf stat -a -e kvm:kvm_exit"
row filters "kvm_stat's way: perf events on kvm_exit, one filter per reason"
row bpf_count "bpftrace: count of exits by reason"
row trace_cmd "trace-cmd record -e kvm_exit -e kvm_entry"
row perf_kvm "perf kvm stat record -a"
row bpf_same "bpftrace: count, time and histogram by reason and vCPU"
row idle "kvmx loaded, nobody looks"
row other "kvmx counts another VM"
row placed "kvmx: VM placed, nobody looks" -p
row hints "kvmx: VM may hint, is silent, nobody looks" -h
row stat "kvmx: statistics open (kvmx stat)" -s 0
row placed_stat "kvmx: VM placed, statistics open" -p -s 0
row hints_stat "kvmx: VM may hint, is silent, statistics open" -h -s 0
row sched "kvmx: with kvmx sched" -s 1
row ept "kvmx: with kvmx ept" -s 6
row vpid "kvmx: with kvmx vpid" -s 8
row all "kvmx: with all of these" -s 15
row again "nothing, once more"

# The peer in the background: its pid, what it said.
peer=0 said=/tmp/peer.txt

# A group of its own, to which a signal goes as if from a terminal.
launch()
{
	: >"$said"
	set -m
	"$@" >"$said" 2>&1 &
	peer=$!
	set +m
}

# Time on the emulated clock costs next to nothing while it is idle.
settle()
{
	sleep 3
	kill -0 "$peer" 2>/dev/null ||
		unavailable="$(head -c 200 "$said" | tr '\n' ' ')"
}

# land SIGNAL: ends the peer.
land()
{
	kill -s "$1" -- "-$peer" 2>/dev/null
	wait "$peer" 2>/dev/null
	peer=0
}

start_perf_stat()
{
	launch perf stat -a -e kvm:kvm_exit -o /tmp/perf.txt sleep 1000000
	perf_is_up
	settle
}

# perf lets its command run once all events are open.
perf_is_up()
{
	local i child
	for ((i = 0; i < 600; i++)); do
		read -r child 2>/dev/null <"/proc/$peer/task/$peer/children"
		[ "$(cat "/proc/${child:-0}/comm" 2>/dev/null)" != sleep ] || break
		sleep 0.5
	done
}

# counted FILE: perf's count of the first event is not zero.
counted()
{
	awk '/kvm:kvm_exit/ { gsub(/,/, "", $1); n += $1 } END { exit !(n > 0) }' "$1"
}

stop_perf_stat()
{
	land INT
	counted /tmp/perf.txt
}

# The codes that kvm_stat knows.
exit_codes()
{
	case $vendor in
	intel) seq 0 68 ;;
	amd) seq 0 31; seq 96 139; echo 1024 ;;
	esac
}

start_filters()
{
	local args=() code
	for code in $(exit_codes); do
		args+=(-e kvm:kvm_exit --filter "exit_reason==$code")
	done
	ulimit -n 4096
	launch perf stat -a "${args[@]}" -o /tmp/perf.txt sleep 1000000
	perf_is_up
	settle
}

stop_filters()
{
	stop_perf_stat
}

# A recorder is up once it holds perf's events, and opens no more.
events_are_open()
{
	local i n=0 before
	for ((i = 0; i < 100; i++)); do
		before=$n
		n=$(find "/proc/$peer/fd" -lname '*perf_event*' 2>/dev/null | wc -l)
		[ "$n" -eq 0 ] || [ "$n" -ne "$before" ] || break
		sleep 2
	done
}

start_perf_kvm()
{
	launch perf kvm stat record -a -o /tmp/perf.data
	events_are_open
	settle
}

stop_perf_kvm()
{
	land INT
	[ "$(stat -c %s /tmp/perf.data)" -gt 100000 ]
	rm -f /tmp/perf.data
}

start_trace_cmd()
{
	local i
	launch trace-cmd record -e kvm:kvm_exit -e kvm:kvm_entry -o /tmp/trace.dat
	for ((i = 0; i < 100; i++)); do
		[ "$(cat /sys/kernel/tracing/events/kvm/kvm_entry/enable)" != 1 ] || break
		sleep 1
	done
	settle
}

stop_trace_cmd()
{
	land INT
	[ "$(stat -c %s /tmp/trace.dat)" -gt 100000 ]
	rm -f /tmp/trace.dat
}

bpf()
{
	local i
	launch bpftrace -e "$1"
	for ((i = 0; i < 200; i++)); do
		! grep -q '^Attach' "$said" || break
		kill -0 "$peer" 2>/dev/null || break
		sleep 1
	done
	settle
}

# Its maps are printed at its end.
stop_bpf()
{
	land INT
	grep -qE '^@.*: [1-9]' "$said"
}

start_fentry()
{
	case $vendor in
	intel) bpf 'fentry:kvm_intel:vmx_handle_exit { @n = count(); }' ;;
	amd) bpf 'fentry:kvm_amd:svm_handle_exit { @n = count(); }' ;;
	esac
}

stop_fentry()
{
	stop_bpf
}

start_bpf_count()
{
	bpf 'tracepoint:kvm:kvm_exit { @n[args.exit_reason] = count(); }'
}

stop_bpf_count()
{
	stop_bpf
}

start_bpf_same()
{
	bpf 'tracepoint:kvm:kvm_exit {
		@at[tid] = nsecs; @why[tid] = args.exit_reason;
	}
	tracepoint:kvm:kvm_entry /@at[tid]/ {
		$t = nsecs - @at[tid]; $r = @why[tid];
		@n[$r, args.vcpu_id] = count();
		@sum[$r, args.vcpu_id] = sum($t);
		@hist[$r, args.vcpu_id] = hist($t);
		delete(@at[tid]); delete(@why[tid]);
	}'
}

stop_bpf_same()
{
	stop_bpf
}

start_idle()
{
	modprobe kvmx
}

# A VM of somebody else, at rest, with its statistics open.
start_other()
{
	launch exitcost -w
	settle
}

stop_other()
{
	land TERM
	[ "$(cat /sys/module/kvmx/refcnt)" = 0 ]
}

start_again()
{
	rmmod kvmx
}
