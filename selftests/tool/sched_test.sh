# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What sched prints. Read by check.sh.

run "" sched;			is 0 "sched"
out '^VM 1: pid 100, qemu-system-x86, 2 vCPUs, measured for 1\.00s$' \
	"measures a second"
out '^0 +guest +[0-9.]+s +50\.0% +10\.0% +0\.0% +10\.0% +30\.0%' \
	"splits the time of each vCPU"
out '^0 +2 +50 +10 +40 +12 +5 +0 +3 +≤.* +≤' \
	"has CPU, switches, distances and delays of each vCPU"
out '^fairness 1\.000 of 2 vCPUs .*; no skew$' "has fairness and skew"
out '^0 +hog +555 +7 +28\.0ms +4\.00ms$' "names who took the CPU"
out '^0 +\(others\) +- +1 +10\.0us' "with the others, so that it adds up"
that "longest first" [ "$(awk '/TAKEN BY/ { getline; print $2; exit }' "$work/out")" = hog ]
out '^vcpu +2 +1\.30s +253ms$' "has classes of threads"
out '^io +IO iothread1 +110 +5 +30\.0ms +0ns$' "and each thread with its last CPU"
out '^main +qemu-system-x86 +100 +0 +20\.0ms' "with what it did in that second"
out '^vhost +vhost-100 +9 ' "vhost, too, where it is the kernel's"
out '^0 +other +0 +1024 +3\.00ms ' "has policy, nice, weight and slice"
out '^1 +fifo +- +- +- ' "what does not apply is a dash"
out 'VRUNTIME \(only within one run queue\)' "says what vruntime is good for"
narrow "sched"
out '^HLT +203 +50\.0us +100us +150us +- +250us$' "has what exits cost after a move"
out '^code 0x4d +4 ' "also of a code without a name"
that "dearest reason first" [ "$(awk '/BY MOVE/ { getline; print $1; exit }' "$work/out")" = HLT ]
out '^0 +6 +2 +180us +400us$' "has halt polling, and what of it was for nothing"
! grep -q QUOTA "$work/out"
ok $? "has no table of quotas where there are none"
run quota,nopoll sched;		is 0 "sched of a vCPU with a quota"
out '^1 +9 +720ms /machine/vm/vcpu1$' "has what its cgroup says"
! grep -q POLLS "$work/out"
ok $? "has no table of polls where nobody polled"
narrow "sched with a quota"

run hogged sched;		is 0 "sched beside a hog"
out '^fairness 0\.9[0-9]+ .*; skew 300ms: vCPU 1 waited longest,' \
	"shows who waits"
run "" sched --top 1
that "--top is how many it names" [ "$(grep -c '^[01] .*\(hog\|kworker\)' "$work/out")" -eq 2 ]
out '^0 +\(others\) +- +3 ' "the rest are the others"
run "" sched --vcpu 1 -i 0.01 -c 1; is 0 "sched --vcpu"
! grep -q '^0 \|^fairness\|^main' "$work/out"
ok $? "has that vCPU only"
run "" sched -i 0.01 -c 2;	is 0 "sched -i -c"
that "prints what happened in each interval" [ "$(grep -c '^0 .* hog  *555  *7 ' "$work/out")" -eq 2 ]

run noproc sched;		is 0 "sched of a process that cannot be looked into"
out '^0 +- +50 +10 ' "has what the module says"
! grep -q '^CLASS' "$work/out"
ok $? "and no table of threads"
run noswitch sched;		is 0 "sched without sched_switch"
out '^0 +2 +- +- +- +-$' "a missing figure is a dash"
run nogroups sched;		is 4 "a module without the group"
err 'older than this tool' "says that it is older"

run new sched --json;		is 0 "sched --json"
json "has each vCPU's figures" "50 exact 10 40 3" \
	vms/0/vcpus/0/voluntary/value vms/0/vcpus/0/voluntary/label \
	vms/0/vcpus/0/involuntary/value vms/0/vcpus/0/placed/same_cpu/value \
	vms/0/vcpus/0/placed/other_node/value
json "with its preemptors, delays and policy" "hog 555 7 28000000 upper other" \
	vms/0/vcpus/0/preemptors/0/name vms/0/vcpus/0/preemptors/0/tid \
	vms/0/vcpus/0/preemptors/0/count vms/0/vcpus/0/preemptors/0/time/ns \
	vms/0/vcpus/0/delay/p99/bound vms/0/vcpus/0/policy/name
json "with what exits cost" "HLT 203 20 5000000 150000" vms/0/exit_cost/0/reason \
	vms/0/exit_cost/0/count vms/0/exit_cost/0/other_node/count \
	vms/0/exit_cost/0/same_cpu/net/ns vms/0/exit_cost/0/same_llc/mean/ns
json "with polling" "6 exact 400000" vms/0/vcpus/0/poll/success/value \
	vms/0/vcpus/0/poll/failure/label vms/0/vcpus/0/poll/wasted/ns
json "has the balance" "2 0 0" vms/0/balance/vcpus \
	vms/0/balance/most_delayed vms/0/balance/least_delayed
json "has threads and their classes" "vcpu 2 700000000" \
	vms/0/thread_classes/0/class vms/0/thread_classes/0/threads \
	vms/0/threads/0/ran
json "has figures that it never heard of" "4" \
	vms/0/vcpus/0/figures/sched.yawns/delta

run "" sched --save "$work/saved"; is 0 "sched --save"
"$get" vms/0/vcpus/0/voluntary/value <"$work/saved" >"$work/out" 2>"$work/err"
that "saves JSON" [ "$(cat "$work/out")" = 50 ]
run hogged sched --baseline "$work/saved"; is 0 "sched --baseline"
out '^VM 1, compared with the baseline \(VM 1, pid 100\)$' "finds the VM in it"
out '^1 +halted +30\.0% +0\.0% +-30\.0 points$' "shows before, now and change"
out '^1 +ready +0\.0% +30\.0% +\+30\.0 points$' "of each class of time"
out '^0 +voluntary +50\.0/s +50\.0/s +\+0%$' "of counters per second"
out '^0 +other_node +3\.0/s +3\.0/s ' "of each distance"
out '^0 +delay p99 +4\.19ms +4\.19ms ' "and of delays"
narrow "sched --baseline"
run hogged sched --json --baseline "$work/saved"; is 0 "the same as JSON"
json "has both sides" "guest 0.500000 0.500000" compared/0/figures/0/figure \
	compared/0/figures/0/before compared/0/figures/0/now
run two sched --baseline "$work/saved"
out '^VM 2 is not in the baseline$' "tells which VM is not in it"
run "" sched -i 0.01 -c 3 --save "$work/saved"
that "saves each interval in a line" [ "$(wc -l <"$work/saved")" -eq 3 ]

run "" help sched;		is 0 "help on sched"; narrow "help on sched"
run "" sched --help;		is 0 "sched --help"
run "" sched --top x;		is 2 "sched --top x"
run "" sched --dance;		is 2 "an unknown option of sched"
run "" sched -p 100 --id 1;	is 2 "sched with both -p and --id"
run "" sched true;		is 2 "a command of sched without --"
run novm sched;			is 6 "sched without any VM"
run "" sched --vcpu 2;		is 6 "a vCPU of sched that does not exist"
run absent sched;		is 3 "sched without the module"
run "" sched -- true;		is 0 "sched -- COMMAND"
