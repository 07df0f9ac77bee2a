# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What hint prints, takes and refuses.

run "" hint;			is 0 "hint"
out '^VM 1: pid 100, qemu-system-x86, is not allowed to hint$' \
	"tells that a VM is not allowed to"
run hinted hint;		is 0 "hint of a VM that is"
out '^each vCPU: 1ms in 20ms, 10000 calls a second$' "has the budget"
out '^critical +nice:-5 +100us +0 +0 +0 +0 +0 ' "has kinds and their effect"
out '^latency +fifo +500us +100 +80 +20 +10 +3 +40\.0ms +25' \
	"has what came of them"
out '^latency refused: 0 off, 15 over budget, 0 host busy, 5 malformed$' \
	"tells why some were refused"
! grep -q '^batch' "$work/out"
ok $? "has no kind that is off"
narrow "hint"
run hinted,two hint;		is 0 "hint of two VMs"
out '^VM 2: pid 200, .* is not allowed to hint$' "has the other one, too"
run hinted,two hint --id 1
! grep -q '^VM 2' "$work/out"
ok $? "with --id only that one"
run hinted hint --vcpu 1;	is 0 "hint --vcpu"
out '^7 times the area of a vCPU could not be reached$' "has that vCPU's counts"
run hinted,two hint --vcpu 2;	is 6 "hint of a vCPU that is not there"
err 'there is no vCPU 2: ' "says so"
that "and nothing else" [ ! -s "$work/out" ]
run hinted,two,large hint --vcpu 2 --json; is 0 "hint of a vCPU that one VM has"
json "has that one" "1 2" vms vms/0/id
run novm hint --vcpu 0;		is 6 "hint --vcpu without any VM"
run hinted hint --show -i 0.01 -c 2; is 0 "hint --show -i -c"
that "each interval has what is new" \
	[ "$(grep -Ec '^latency +fifo +500us +100 +80' "$work/out")" -eq 2 ]
run hinted hint --json -i 0.01 -c 2; is 0 "hint --json -i"
json "but the cost as it is" "9 2 9 2" \
	vms/0/kinds/1/taken_off vms/0/kinds/1/cost
run leaves,two hint -p 100 -i 0.01 -c 100
that "hint -i ends with its VM" [ "$status" -eq 0 ]
err '^kvmx: VM 1 is gone$' "and says so"
that "after its last figures" [ "$(grep -c '^VM 1: ' "$work/out")" -eq 1 ]
run leaves,two hint -i 0.01 -c 3; is 0 "hint -i of all"
out '^VM 2: ' "goes on with those that are left"

run "" hint -p 100 --allow critical,latency --budget 1ms/20ms \
	--grant latency=1ms --effect latency=nice:-10; is 0 "hint --allow"
out '^each vCPU: 1ms in 20ms, 10000 calls a second$' "sets budget and defaults"
out '^critical +fifo +- ' "sets the usual effect"
out '^latency +nice:-10 +1ms ' "sets an effect that was asked for"
run "" hint --id 1 --allow batch,yield-to --effect batch=slice:6ms --calls 5
is 0 "hint --id --allow"
out '^batch +slice:6ms ' "knows slices"
out '^yield-to +yield ' "and directed yield"
out '5 calls a second$' "and how many calls"
run "" hint -p 100 --allow latency --effect latency=poll:200us --json
is 0 "hint --allow --json"
json "has the policy" "latency poll:200us 500 10000" \
	vms/0/kinds/0/kind vms/0/kinds/0/effect vms/0/budget_us vms/0/period_us
run "" hint -p 100 --allow latency --effect latency=fit:1ms
is 0 "hint --effect latency=fit"
out '^latency +fit:1ms ' "knows polling to fit"
run hinted hint --json;		is 0 "hint --json"
json "has counts" "latency fifo 500 100 15 5 70 40000000 10000000 9 2" \
	vms/0/kinds/1/kind vms/0/kinds/1/effect vms/0/kinds/1/grant_us \
	vms/0/kinds/1/given vms/0/kinds/1/refused_budget \
	vms/0/kinds/1/refused_bad vms/0/kinds/1/released \
	vms/0/kinds/1/time_ns vms/0/kinds/1/useful_ns \
	vms/0/kinds/1/taken_off vms/0/kinds/1/cost
run hinted hint --off;		is 0 "hint --off"
run hinted,two,taken hint --off
that "hint --off where another decides" [ "$status" -eq 1 ]
that "asks for each VM" [ "$(grep -c ': another program' "$work/err")" -eq 2 ]
run hinted,two hint -p 100 --off; is 0 "hint -p --off"

for bad in "--allow sleep" "--allow" "--allow ,latency" "--effect latency=fifo" \
	"--allow latency --effect latency" "--allow latency --effect latency=nice" \
	"--allow latency --effect latency=fifo:3" "--allow latency --effect latency=warp" \
	"--allow latency --effect latency=nice:20" "--allow latency --effect latency=slice:3" \
	"--allow latency --grant batch=1ms" "--allow latency --grant latency=1" \
	"--allow latency --budget 1ms" "--allow latency --budget 3ms/2ms" \
	"--allow latency --budget 0us/2ms" "--allow latency --calls 0" \
	"--allow latency --calls 5x" "--allow latency --off" "--allow latency -i 1" \
	"--allow latency --grant latency=99999999999s" "sleep" "--vcpu x" "--sleep"; do
	# shellcheck disable=SC2086 # words are meant
	run "" hint -p 100 $bad;	is 2 "hint $bad"
done
run "" hint --allow latency;	is 2 "hint --allow without a VM"
err 'by -p or --id, or give all a policy by --default' "says how to choose"
run "" hint -p 100 --id 1;	is 2 "hint with both -p and --id"
run notroot hint -p 100 --allow latency; is 5 "hint --allow by anybody"
run readonly hint -p 100 --allow latency; is 5 "hint --allow on a node one may only read"
run readonly hint;		is 0 "looking is allowed then"
run taken hint -p 100 --allow latency; is 1 "hint --allow beside another"
run noslice hint -p 100 --allow batch --effect batch=slice:5ms
is 1 "an effect that this kernel does not have"
run alone hint -p 100 --allow critical --effect critical=nice:-5
is 1 "a nice value where there is nobody else"
err 'nobody else; use fifo or slice' "says what to do"
run "" hint -p 100 --allow latency --effect latency=yield
is 2 "an effect that is not for this kind"
run nohints hint;		is 4 "hint with an old module"
run nohints hint -p 100 --allow latency; is 4 "hint --allow with an old module"
run novm hint -p 100;		is 6 "hint of a process that is not there"
run absent hint;		is 3 "hint without the module"

cat >"$work/policy" <<-'TEXT'
	# what guests may do here
	allow   critical,latency

	effect  critical=none   # only look
	budget  2ms/10ms
TEXT
run hinted,two hint --default "$work/policy"; is 0 "hint --default"
out '^ +1 +100 kept +qemu' "leaves a VM alone that has a policy"
out '^ +2 +200 set +qemu' "gives it to one that has none"
run two,taken1 hint --default "$work/policy"
is 1 "hint --default where another decides on one VM"
err 'VM 1: another program' "says so"
out '^ +1 +100 failed +qemu' "that one is not given it"
out '^ +2 +200 set +qemu' "but the others are"
run two,taken1 hint --default "$work/policy" -i 0.01 -c 3
that "--default -i goes on, too" [ "$(grep -c ' kept ' "$work/out")" -eq 2 ]
run two hint --default "$work/policy" -i 0.01 -c 2; is 0 "hint --default -i"
that "gives it once" [ "$(grep -c ' set ' "$work/out")" -eq 2 ]
that "and keeps it then" [ "$(grep -c ' kept ' "$work/out")" -eq 2 ]
run two hint --default "$work/policy" --json; is 0 "hint --default --json"
json "has who got it" "1 set" vms/0/id vms/0/policy
for bad in "allow sleep" "allow" "allow latency batch" "dance latency" "" \
	"effect latency=fifo"; do
	printf '%s\n' "$bad" >"$work/policy"
	run "" hint --default "$work/policy"; is 2 "a policy of \"$bad\""
done
err ': ' "names the file"
run "" hint --default "$work/nothing"; is 1 "a policy that is not there"
run "" hint --default "$work/policy" -p 100; is 2 "hint --default for one VM"

run "" help hint;		is 0 "help on hint"; narrow "help on hint"
run "" hint --help;		is 0 "hint --help"
