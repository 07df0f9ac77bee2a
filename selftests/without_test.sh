#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that lacks something (module parameter without=): each missing hook is
# a feature that is off, with a reason; figures that need it are left out, with a
# note; all others are right, and nothing breaks.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

# begin HOOK: kvmx without it, counting, and a guest that has made its exits.
begin()
{
	reload_kvmx stats=always "without=$1" || { fail "kvmx does not load"; return 1; }
	same "state of $1" off "$(feature "$1")"
	look features | grep "^$1 off .*without" >/dev/null ||
		fail "the reason does not tell: $(look features | grep "^$1 ")"
	guest -s 120 cpuid=500 out_user=50 hlt=20 hypercall=50
	wait_for 30 grep -qiE '^0 (vmcall|hypercall)' "$guest_out" ||
		fail "the guest does not run: $(cat "$guest_out")"
}

end()
{
	end_guest
	check "the VM is listed no more" wait_for 10 not is_listed "$guest"
}

# What the guest provoked is what was counted, but for EOIs (interrupts).
counts_are_right()
{
	local vcpu reason n figures
	figures=$(look figures "$guest" 0)
	while read -r vcpu reason n; do
		[ "$vcpu" = 0 ] || continue
		same "$reason" "$n" "$(figure "exit.$reason.count" <<<"$figures")"
	done <"$guest_out"
	same "sum of all exits" "$(exits_of "$guest")" "$(sum_exits <<<"$figures")"
}

# missing FIGURE...: not among the names, but among the notes as unavailable
missing()
{
	local name names notes
	names=$(look names "$guest" 0 groups)
	notes=$(look notes "$guest" 0 groups)
	for name in "$@"; do
		if grep -qE "^${name//\*/.*}\$" <<<"$names"; then
			fail "$name is there"
		fi
		grep -qF "unavailable $name " <<<"$notes" || fail "no note on $name"
	done
}

# there FIGURE...: still there
there()
{
	local name names
	names=$(look names "$guest" 0 groups)
	for name in "$@"; do
		grep -qE "^${name//\*/.*}\$" <<<"$names" || fail "$name is missing"
	done
}

# The classes still add up: nothing is lost, it is billed elsewhere.
time_adds_up()
{
	look figures "$guest" 0 | awk '
		/^time\./ { sum += $2 }
		$1 == "accounted" { sum -= $2 }
		$1 == "counting_since" { sum += $2 }
		END { exit sum != 0 }' || fail "the classes of time do not add up"
}

nothing_can_be_counted()
{
	begin "$1" || return
	check "the VM is listed" wait_for 10 is_listed "$guest"
	look figures "$guest" vm >"$tmp/out" 2>&1 && fail "statistics were opened"
	grep -q "Operation not supported" "$tmp/out" || fail "it says $(cat "$tmp/out")"
	end
}

without_kvm_entry_nothing_can_be_counted()
{
	nothing_can_be_counted kvm_entry
}

without_kvm_exit_nothing_can_be_counted()
{
	nothing_can_be_counted kvm_exit
}

without_kvm_userspace_exit_there_is_no_time_of_the_vmm()
{
	begin kvm_userspace_exit || return
	missing time.user user_exits 'exit.*.net'
	there time.guest time.exit time.halted 'exit.*.gross'
	counts_are_right
	time_adds_up
	end
}

without_kvm_fpu_the_vmms_time_is_labelled()
{
	begin kvm_fpu || return
	there time.guest time.exit time.user user_exits 'exit.*.net'
	look notes "$guest" 0 | grep -q '^late time.user ' || fail "no note on time.user"
	counts_are_right
	time_adds_up
	end
}

without_kvm_vcpu_wakeup_there_is_no_polling()
{
	begin kvm_vcpu_wakeup || return
	missing time.poll 'sched.poll.*'
	there time.halted time.ready 'exit.*.net' sched.delay.hist
	counts_are_right
	time_adds_up
	end
}

without_sched_switch_there_is_no_time_off_the_cpu()
{
	begin sched_switch || return
	missing time.poll time.halted time.ready time.wait 'exit.*.net' 'sched.*'
	there time.guest time.exit time.user 'exit.*.gross'
	counts_are_right
	time_adds_up
	end
}

without_sched_process_exit_neither()
{
	begin sched_process_exit || return
	same "sched_switch" off "$(feature sched_switch)"
	missing time.poll time.halted time.ready time.wait 'exit.*.net' 'sched.*'
	counts_are_right
	end
}

# The vendor's functions that flush begin so.
flush()
{
	if is_loaded kvm_intel; then echo "vmx_flush_tlb_$1"; else echo "svm_flush_tlb_$1"; fi
}

without_a_kprobe_one_row_is_missing()
{
	begin "$(flush all)" || return
	missing 'tlb.*.remote'
	there tlb.flushes tlb.cause.moved tlb.cause.unattributed tlb.cause.new_root tlb.tag.number
	if is_loaded kvm_intel; then
		missing tlb.kind.invept_global 'tlb.kept.*' 'tlb.lost.*'
		there tlb.kind.invept_context tlb.kind.guest
	else
		there tlb.kind.new_asid tlb.kept.same_cpu tlb.lost.same_cpu
	fi
	counts_are_right
	end
}

without_kvm_arch_vcpu_load_moves_are_labelled()
{
	begin kvm_arch_vcpu_load || return
	there tlb.cause.moved tlb.kept.same_cpu
	look notes "$guest" 0 groups | grep -q '^late tlb.cause.moved ' ||
		fail "no note on tlb.cause.moved"
	counts_are_right
	end
}

without_kvm_arch_vcpu_postcreate_vms_are_found_when_they_run()
{
	local all
	begin kvm_arch_vcpu_postcreate || return
	check "the VM is listed" wait_for 10 is_listed "$guest"
	# What came before its record is counted apart, not lost in silence.
	all=$(($(look figures "$guest" 0 | sum_exits) + $(info uncounted)))
	check "$all exits of $(exits_of "$guest")" [ "$all" -le "$(exits_of "$guest")" ]
	check "some were counted" [ "$all" -gt 400 ]
	end
}

without_kvm_arch_vcpu_destroy_vms_end_all_the_same()
{
	begin kvm_arch_vcpu_destroy || return
	counts_are_right
	end
}

without_kvm_arch_destroy_vm_vms_end_all_the_same()
{
	begin kvm_arch_destroy_vm || return
	counts_are_right
	end
}

without_both_of_them_a_vm_that_is_watched_ends()
{
	reload_kvmx without=kvm_arch_vcpu_destroy,kvm_arch_destroy_vm
	same "both are off" "off off" \
		"$(feature kvm_arch_vcpu_destroy) $(feature kvm_arch_destroy_vm)"
	guest -c 2 -l 60 cpuid=100
	wait_for 10 is_listed "$guest"
	hold "$guest"
	end_guest
	check "it is listed no more" wait_for 10 not is_listed "$guest"
	release
	same "gone" 1 "$(figure gone <"$held")"
}

without_anything_it_loads_and_says_so()
{
	local all
	all=$(look features | awk '$1 ~ /^(kvm_|sched_)/ { printf "%s%s", n++ ? "," : "", $1 }')
	reload_kvmx stats=always "without=$all" || { fail "kvmx does not load"; return; }
	same "hooks that are on" "" \
		"$(look features | awk '$1 ~ /^(kvm_|sched_)/ && $2 != "off" { print $1 }')"
	guest cpuid=100
	wait "$guest"
	same "status of the guest" 0 $?
	check "it lists" look list
}

unknown_names_are_refused()
{
	local bad
	for bad in nothing kvm_entryx xkvm_entry kvm_entry,nothing; do
		! is_loaded kvmx || rmmod kvmx
		check "$bad" not load_kvmx "without=$bad" 2>/dev/null
		check "it is not loaded" not is_loaded kvmx
	done
	check "it loads again" load_kvmx
}

host_begin
is_loaded kvmx || load_kvmx
for c in without_kvm_entry_nothing_can_be_counted \
	without_kvm_exit_nothing_can_be_counted \
	without_kvm_userspace_exit_there_is_no_time_of_the_vmm \
	without_kvm_fpu_the_vmms_time_is_labelled \
	without_kvm_vcpu_wakeup_there_is_no_polling \
	without_sched_switch_there_is_no_time_off_the_cpu \
	without_sched_process_exit_neither \
	without_a_kprobe_one_row_is_missing \
	without_kvm_arch_vcpu_load_moves_are_labelled \
	without_kvm_arch_vcpu_postcreate_vms_are_found_when_they_run \
	without_kvm_arch_vcpu_destroy_vms_end_all_the_same \
	without_kvm_arch_destroy_vm_vms_end_all_the_same \
	without_both_of_them_a_vm_that_is_watched_ends \
	without_anything_it_loads_and_says_so \
	unknown_names_are_refused; do
	run_case "$c"
done
host_end
