# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What info and list print. Read by check.sh.

run "" info;			is 0 "info"
out '^Module +0\.0-fake$' "has the module's version"
out '^Clock +TSC, 2000\.000 MHz$' "has the clock"
out '^kvm_userspace_exit +off +this kernel has' "has features with reasons"
narrow "info"
run "" info --json;		is 0 "info --json"
json "is JSON" "0.0-fake 1 intel 2000000 4 off" \
	version abi vendor clock_khz features features/1/state

run "" list;			is 0 "list"
out '^ +1 +100 +2 +1h02m +- qemu-system-x86$' "has a row for the VM"
run novm list;			is 0 "list without any VM"
run novm list --json
json "an empty list is JSON" 0 vms
run two,counting list -v;	is 0 "list -v"
out '^ +1 +11 +102 guest +0\.0s$' "has a row for each vCPU with its state"
narrow "list -v"
run two list -v
out '^ +1 +11 +102 - +-$' "has no state where nothing is counted"
run odd list
out '>1h02m' "an age that is not known is a lower bound"
! grep -q $'\x1b' "$work/out"
ok $? "a name cannot steer the terminal"
run odd,counting list -v --json
json "list -v --json is JSON, whatever a process calls itself" \
	"evil?[31m? true 2 102 guest" \
	vms/0/name vms/0/older_than_kvmx vms/0/vcpus vms/0/vcpus/1/tid \
	vms/0/vcpus/0/state
