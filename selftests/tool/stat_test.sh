# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What stat prints, and when. Read by check.sh.

# column N ROW: that column of a row of the last run.
column() { awk -v n="$1" -v row="$2" '$1 == row { print $n; exit }' "$work/out"; }

run "" stat;			is 0 "stat"
out '^VM 1: pid 100, qemu-system-x86, 2 vCPUs, measured for 1\.00s$' \
	"measures a second where nobody was counting"
that "has the count of each reason" [ "$(column 2 HLT) $(column 2 IO_INSTRUCTION) $(column 2 CPUID)" = "200 400 1400" ]
out '^all +50\.0% +10\.0% +0\.0% +10\.0% +30\.0%' "splits the time"
out '^TOTAL +2000 100\.0% 100\.0% ' "has a total"
out '^HLT .* ≤4\.[0-9]+ms' "quotes p99 as an upper bound"
! grep -q '^TRIPLE_FAULT' "$work/out"
ok $? "leaves out what did not happen"
out '^late: time.halted, exit.\*.net: told when' "has a footnote on late figures"
narrow "stat"
LC_ALL=C run "" stat;		out '^HLT .* <4\.[0-9]+ms' "is plain ASCII where that is wanted"
run "" stat --all;		out '^TRIPLE_FAULT +0 ' "--all has what did not happen"
run "" stat --all;		out '^unlisted_1 +0 ' "and slots without a code"
run counting stat;		is 0 "stat where somebody was counting"
out 'totals of 1\.00s since counting began$' "prints totals and says so"
out '^IO_INSTRUCTION .* 900us$' "with the exact maximum"
run counting,runs stat
out 'totals of 1\.00s in several runs$' "also of earlier runs"

for by in count:CPUID time:HLT mean:HLT p99:HLT max:HLT name:CPUID; do
	run "" stat --sort "${by%:*}"
	that "--sort ${by%:*} begins with ${by#*:}" [ "$(awk '/^REASON/ { getline; print $1; exit }' "$work/out")" = "${by#*:}" ]
done

run "" stat -i 0.01 -c 3;	is 0 "stat -i -c"
that "prints as many intervals as were asked for" [ "$(grep -c '^== .*, interval' "$work/out")" -eq 3 ]
that "each with what happened in it" [ "$(grep -c '^HLT +*200 \|^HLT  *200 ' "$work/out")" -eq 3 ]
that "and the footnotes once" [ "$(grep -c '^late:' "$work/out")" -eq 1 ]
that "and what counting costs under each" [ "$(grep -c '^cost of counting: 50\.0ns an exit (measured now), 0\.[0-9]*% of one CPU$' "$work/out")" -eq 3 ]
narrow "stat -i"
run nocost stat;		is 0 "stat where the cost cannot be measured"
out '^cost of counting: not known: it can be measured while a VM exists' "says so, and why"
run old stat;			out '^cost of counting: not known: this module does not measure it$' "also of an older module"
run "" stat --json;		json "has it in JSON" "50.000000" cost/exit_ns
start=$(date +%s%N)
run "" stat -c 1
that "-c without -i means intervals of a second" [ $(($(date +%s%N) - start)) -ge 1000000000 ]
run "" stat -i 0.01 -c 3 --json; is 0 "stat -i --json"
json "is one document a line" "1 200 2 200 3 200" \
	interval vms/0/exits/0/count/value

run halted stat --per-vcpu -i 0.01 -c 1; is 0 "stat --per-vcpu"
out '^1 +halted +1h00m +.* 100\.0% ' "shows how long a vCPU is halted"
out '^vCPU 0 \(vcpu_id 10, tid 101\)$' "has a table for each vCPU"
narrow "stat --per-vcpu"
run "" stat --vcpu 1 -i 0.01 -c 1; is 0 "stat --vcpu"
! grep -q '^all \|^vCPU 0' "$work/out"
ok $? "has that vCPU only"
out '^CPUID +700 ' "with its own counts"

run new,odd stat;		is 0 "stat with a module of the future"
out '^A_REASON_OF_THE_NEXT_GENERATION_OF_CPUS$' "names a reason that it never heard of"
out '^ +100 +[0-9.]+% .*' "and has its figures below"
out '^code 0x4d +10 ' "shows a code that has no name"
out ' wait +shiny$' "shows a class of time that it never heard of"
out 'not timed: 2 entries without an exit' "tells of entries without an exit"
! grep -q 'flux_capacity' "$work/out"
ok $? "leaves other new figures alone"
narrow "a long name"
run new stat --json -i 0.01 -c 1; is 0 "the same as JSON"
json "has the new figures" "77 bytes 3 12" \
	vms/0/figures/flux_capacity/value vms/0/figures/flux_capacity/unit \
	vms/0/figures/flushes/delta vms/0/figures/exit.HLT.dreams/delta
run new stat --raw;		is 0 "stat --raw"
out '^flux_capacity +bytes +exact +77$' "has every figure with unit and label"
out '^exit\.HLT\.net +cycles +late ' "late ones among them"
narrow "stat --raw"
run new stat --raw --json;	is 0 "stat --raw --json"
json "is JSON" "cumulative cycles exact" vms/0/figures/time.guest/type \
	vms/0/figures/time.guest/unit vms/0/figures/time.guest/label

run huge,two stat --per-vcpu;	narrow "a table of huge figures"
run huge counting stat --all;	narrow "all of it"
run nouser stat;		is 0 "stat without a figure of time"
out '^unavailable: time.user: needs the tracepoint' "says what is missing and why"
! awk '/^VCPU/ && / user / { found = 1 } END { exit !found }' "$work/out"
ok $? "and has no column for it"
run nonet stat;			out '^HLT +200 .* - ' "a missing net is a dash"
run nonet stat --json
! grep -q '"net"' "$work/out"
ok $? "and not in the JSON, rather than 0"
run open stat --json;		is 0 "stat with an exit that goes on"
json "labels each figure" "late exact" \
	vms/0/exits/0/net/label vms/0/exits/0/gross/label

run gone stat -p 100 -i 0.01;	status=$((status || $(wc -l <"$work/err") != 1))
ok "$status" "a VM that vanishes ends stat -p, with a line on stderr"
err 'VM 1 \(pid 100\) is gone' "which says so"
out '2 vCPUs, measured for 1\.00s, gone$' "after its last figures"
run gone,two stat -i 0.01 -c 4
that "among others it is printed once more, and then not again" [ "$(grep -c ', gone$' "$work/out")" -eq 1 ]
run born stat -i 0.01 -c 3;	is 0 "stat with a VM that is born meanwhile"
out '^VM 2: ' "picks it up"
run born stat -i 0.01 -c 4 --json
that "its figures begin with its birth once" \
	[ "$(grep -o '"since":"birth"' "$work/out" | wc -l)" -eq 1 ]
run hotplug stat --per-vcpu -i 0.01 -c 4
out '^vCPU 1 ' "and a vCPU that is plugged in"

run "" stat -- true;		is 0 "stat -- COMMAND"
out '^VM 1: .*measured for' "measures"
run "" stat -- sh -c 'exit 7'
that "ends with the command's exit status" [ "$status" -eq 7 ]
run "" stat -- sh -c 'kill -9 $$'
that "or 128 and the signal that killed it" [ "$status" -eq 137 ]
run "" stat -- /no/such/command; is 127 "a command that is not there"
run "" stat -- /etc/passwd;	is 126 "a command that is not executable"
run novm stat -- true;		is 0 "a command while there is no VM"
out '^no VM$' "has nothing to show"
run "" stat -p 100 --per-vcpu -- true; is 0 "options before a command"
run "" stat -- sh -c 'echo $# $*' sh -i 9; out '^2 -i 9$' "options behind it are its own"

# waits PID: does it sit in rt_sigtimedwait(), which is 128 on x86-64?
waits()
{
	local nr
	read -r nr _ 2>/dev/null <"/proc/$1/syscall" && [ "$nr" = 128 ]
}

# cut_short SIGNAL ARGS...: the tool, and what it runs, get a signal after a bit.
cut_short()
{
	# Shells have background jobs ignore SIGINT.
	FAKE=$cut_fake env --default-signal=INT setsid "$fake" "${@:2}" \
		>"$work/out" 2>"$work/err" &
	local pid=$!
	# On a busy machine it may take its time to get there.
	for _ in {1..100}; do
		! waits "$pid" || break
		sleep 0.05
	done
	kill -"$1" -- "-$pid"
	wait "$pid"
	status=$?
}

cut_fake=""
cut_short INT stat -i 100
that "Ctrl-C ends it as a signal does" [ "$status" -eq 130 ]
out '^HLT +200 ' "after what happened up to then"
cut_short TERM stat
that "so does SIGTERM" [ "$status" -eq 143 ]
out '^HLT +200 ' "also after what happened up to then"
cut_short INT stat --json -i 100
json "the same in JSON" "1 200" interval vms/0/exits/0/count/value
cut_short INT stat -- sleep 100
that "Ctrl-C ends a command, too" [ "$status" -eq 130 ]
out '^VM 1: ' "and prints what was measured"
cut_short INT stat -- sh -c 'trap "exit 3" INT; sleep 100 & wait'
that "whatever the command makes of it" [ "$status" -eq 130 ]
