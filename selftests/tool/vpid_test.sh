# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What vpid prints. Read by check.sh.

run "" vpid;			is 0 "vpid"
out '^VM 1: pid 100, qemu-system-x86, 2 vCPUs, measured for 1\.00s$' \
	"measures a second"
out '^0 +5 +3 +- +2 +40 +40 +100 +60\.0% +nobody$' \
	"has tag, flushes and returns of each vCPU"
out '^1 +6 +3 +- +2 +40 +40 +100 +60\.0% +nobody$' "of the other one, too"
out '^invept_global +60 +75\.0% +60$' "has flushes of the VM by kind"
out '^moved +20 +25\.0% +20 +8$' "by cause, and what asked besides"
out '^remote +58 +72\.5% +58 +0$' "each of them"
out '^unattributed +2 +2\.5% +2 +-$' "also those that nothing is known of"
out '^same_cpu +160 +120 +40 +75\.0%$' "has what was kept, by distance"
out '^other_node +40 +0 +40 +0\.0%$' "and what was lost"
! grep -q 'seen by no probe' "$work/out"
ok $? "has no word on missed flushes where there are none"
narrow "vpid"
run missed vpid;		out '^6 more flushes were counted by KVM and seen by no probe$' \
	"tells what was missed"
run onetag vpid;		is 0 "vpid of two vCPUs with one tag"
out '^0 .* 1:1$' "tells who has the same tag"
out '^1 .* 1:0$' "the other way round, too"
narrow "vpid of two vCPUs with one tag"
run onetag,two vpid
out '^0 .* 1:1, 2:0, 2:1$' "also of other VMs"
run onetag,two vpid -p 100
! grep -q ' 2:' "$work/out"
ok $? "with -p only of that VM"
out '^shared: only the VM that was chosen' "and says so"
run onetag,amd vpid
out '^0 +5 +3 +17 .* 1:1$' "AMD: the same tag on the same CPU is one"
run onetag,amd,apart vpid
out '^0 +5 +0 +17 .* nobody$' "AMD: on another CPU it is another"
run onetag,amd,apart,sev vpid
out '^0 +5 +0 +0 .* 1:1$' "AMD: without a generation it is the same everywhere"
run notag vpid
out '^0 +0 +3 .* \(no tag\)$' "tells where there is no tag"
run unread vpid
out '^0 +- +- +- .* -$' "a tag that was not read yet is a dash"
run noswitch vpid;		is 0 "vpid without sched_switch"
out '^0 +5 +3 +- +2 +40 +40 +- +- +nobody$' "a missing figure is a dash"
! grep -q '^BACK ON' "$work/out"
ok $? "and no table of what was kept"
run "" vpid --per-vcpu -i 0.01 -c 2; is 0 "vpid --per-vcpu -i -c"
that "prints each vCPU" [ "$(grep -c '^vCPU [01] ' "$work/out")" -eq 4 ]
run "" vpid --vcpu 1 -c 1;	is 0 "vpid --vcpu"
! grep -q '^invept_global +60\|^0 +5' "$work/out"
ok $? "has that vCPU only"
run nogroups vpid;		is 4 "a module without the group"

run onetag vpid --json;		is 0 "vpid --json"
json "has tags" "5 3 2 1:1" vms/0/tags/0/tag vms/0/tags/0/cpu \
	vms/0/tags/0/changes/value vms/0/tags/0/shared_with
json "has kinds and causes" "invept_global 60 exact moved 20 8 80" \
	vms/0/kinds/0/kind vms/0/kinds/0/count/value vms/0/kinds/0/count/label \
	vms/0/causes/0/cause vms/0/causes/0/count/value \
	vms/0/causes/0/also/value vms/0/flushes/value
json "has what was kept" "same_cpu 120 0.750000 16" vms/0/retention/0/distance \
	vms/0/retention/0/kept/value vms/0/retention/0/share \
	vms/0/sibling_ran/value
run amd vpid --vcpu 0 --json
json "has a vCPU's" "5 17 40" vms/0/vcpus/0/tag/number \
	vms/0/vcpus/0/tag/generation vms/0/vcpus/0/flushes/value

run "" vpid --save "$work/saved"; is 0 "vpid --save"
run pinned vpid --baseline "$work/saved"; is 0 "vpid --baseline"
out '^all +flushes +80\.0/s +80\.0/s +\+0%$' "compares flushes"
out '^all +remote +58\.0/s +58\.0/s +\+0%$' "each cause"
out '^all +same_cpu kept +75\.0% +75\.0% +\+0\.0 points$' "and what was kept"
narrow "vpid --baseline"

run "" help vpid;		is 0 "help on vpid"; narrow "help on vpid"
run "" vpid --help;		is 0 "vpid --help"
run "" vpid --top 3;		is 2 "an unknown option of vpid"
run "" vpid -p 100 --id 1;	is 2 "vpid with both -p and --id"
run "" vpid true;		is 2 "a command of vpid without --"
run novm vpid;			is 6 "vpid without any VM"
run absent vpid;		is 3 "vpid without the module"
run "" vpid -- true;		is 0 "vpid -- COMMAND"
