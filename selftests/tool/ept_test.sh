# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# What ept prints. Read by check.sh.

run "" ept;			is 0 "ept"
out '^VM 1: pid 100, qemu-system-x86, 2 vCPUs, measured for 1\.00s$' \
	"measures a second"
out '^access +write +300 +75\.0% +300$' "has violations by access"
out '^cause +not_present +360 +90\.0% +360$' "by cause"
out '^outcome +fixed +400 +100\.0% +400$' "and by outcome"
out '^7 in walks of .*; 90 handled without' "tells walks and the fast path"
out '^400 +4\.00ms +10\.0us ' "has the time that handling took"
out '^mapped +250 +250$' "has operations on mappings, and how many a second"
out '^split +2 +2$' "of each kind"
out '^\(unattributed, all VMs\) +9 +9$' "and those that nobody knows the owner of"
out '^4K +1000 +\+500 +4000 KiB' "has pages of each size, and their change"
out '^2M +3 +-1 ' "also down"
out '^page tables: 80 KiB$' "has the size of the tables"
out '^walk: 4 levels, accessed and dirty bits, page-modification log off$' \
	"tells how they are walked"
out '^ports +60 +60 ' "has exits for ports"
out '^mmio +10 +10 ' "and for MMIO"
out '^0x40000000 +30 +75\.0% +3\.00ms +100us$' "has the hottest ranges"
out '^\(others\) +10 +25\.0% ' "and the rest of them"
out '^backing of the whole VMM: 512 MiB resident, of it 400 MiB in THP; 16 MiB of' \
	"has what backs the memory"
out '^1 +112 MiB$' "node by node"
narrow "ept"
run noops ept;			is 0 "ept of a module that cannot tell operations"
! grep -q '^OPERATIONS' "$work/out"
ok $? "has no table of them"
run noproc ept;			is 0 "ept of a process that cannot be looked into"
! grep -q '^backing' "$work/out"
ok $? "has no word on what backs it"
run "" ept --top 0
that "--top is how many rows" [ "$(grep -c '^0x4' "$work/out")" -eq 0 ]
out '^\(others\) +40 +100\.0% ' "the rest are the others"
run "" ept --per-vcpu -i 0.01 -c 2; is 0 "ept --per-vcpu -i -c"
that "prints each vCPU" [ "$(grep -c '^vCPU [01] ' "$work/out")" -eq 4 ]
run "" ept --vcpu 1 -c 1;	is 0 "ept --vcpu"
! grep -q '^4K ' "$work/out"
ok $? "has no pages, for these are the VM's"
run amd ept;			out 'page-modification log not on AMD$' "says what AMD has not"
run unread ept;			out '^what is mapped is not known: ' "says what is not known"
run nogroups ept;		is 4 "a module without the group"
run "" ept --sort count;	is 2 "an unknown option of ept"
run "" ept -p 100 --id 1;	is 2 "ept with both -p and --id"
run novm ept;			is 6 "ept without any VM"

run "" ept --json;		is 0 "ept --json"
json "has violations" "access read 100 exact" vms/0/violations/0/by \
	vms/0/violations/0/what vms/0/violations/0/count/value \
	vms/0/violations/0/count/label
json "has operations" "mapped 250 exact 250 unattributed" \
	vms/0/operations/0/what vms/0/operations/0/count/value \
	vms/0/operations/0/count/label vms/0/operations/0/per_second \
	vms/0/operations/4/what
json "has pages" "4K 1000 500 -1" vms/0/pages/0/size \
	vms/0/pages/0/pages/value vms/0/pages/0/change vms/0/pages/1/change
json "has lists" "1073741824 30 10" vms/0/ranges/0/address \
	vms/0/ranges/0/count vms/0/ranges/1/count
json "has what backs it" "536870912 0 117440512" vms/0/backing/resident \
	vms/0/backing/swap vms/0/backing/nodes/1/bytes
json "has the walk" "4 false 81920" vms/0/walk/levels vms/0/walk/pml \
	vms/0/tables
