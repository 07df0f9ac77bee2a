#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kvmx comes and goes at any time: before KVM, after it, under running guests; and
# KVM comes and goes under kvmx.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

# Exact, by stopping the guest around the time that is measured.
counts_like_kvm()
{
	local pid=$1 exits before after
	stop_process "$pid" || { fail "the guest does not stop"; return; }
	hold "$pid" || { fail "cannot be opened"; return; }
	before=$(look figures "$pid" vm | sum_exits)
	exits=$(exits_of "$pid")
	kill -CONT "$pid"
	sleep 1
	stop_process "$pid"
	after=$(look figures "$pid" vm | sum_exits)
	exits=$(($(exits_of "$pid") - exits))
	release
	kill -CONT "$pid"
	same "exits in a second" "$exits" "$((after - before))"
	check "the guest exits at all" [ "$exits" -gt 100 ]
}

busy=(cpuid=100 out_user=10 hlt=2 hypercall=10 spin=1000)
# The same, but mostly asleep: where all CPUs of a machine share one of its host, vCPUs
# that never sleep are what takes the time here.
provoke=(-h 5000 "${busy[@]}")

loaded_before_kvm_it_sees_vms()
{
	! is_loaded kvmx || rmmod kvmx
	unload_kvm || { fail "KVM cannot be unloaded"; return; }
	check "kvmx loads without KVM" load_kvmx
	same "kvm_entry" off "$(feature kvm_entry)"
	same "VMs" 0 "$(info nr_vms)"
	load_kvm
	same "kvm_entry" ready "$(feature kvm_entry)"
	guest -c 2 -l 60 "${provoke[@]}"
	check "the VM is listed" wait_for 10 is_listed "$guest"
	counts_like_kvm "$guest"
	end_guest
	check "it is listed no more" wait_for 10 not is_listed "$guest"
}

loaded_after_kvm_it_sees_vms()
{
	! is_loaded kvmx || rmmod kvmx
	load_kvm
	check "kvmx loads" load_kvmx
	same "kvm_entry" ready "$(feature kvm_entry)"
	guest -c 2 -l 60 "${provoke[@]}"
	check "the VM is listed" wait_for 10 is_listed "$guest"
	same "it was born under kvmx" born \
		"$(look list | awk -v p="$guest" '$2 == p { print $4 }')"
	counts_like_kvm "$guest"
	end_guest
}

loaded_under_a_running_guest_it_finds_and_counts_it()
{
	local line
	! is_loaded kvmx || rmmod kvmx
	guest -c 3 -l 60 "${provoke[@]}"
	sleep 1
	check "kvmx loads" load_kvmx
	line=$(look list | awk -v p="$guest" '$2 == p { print $3, $4, $5 }')
	same "vCPUs, state and name" "3 adopted vmm" "$line"
	counts_like_kvm "$guest"
	end_guest
	check "it is listed no more" wait_for 10 not is_listed "$guest"
}

with_an_fd_open_it_is_in_use_and_goes_on()
{
	local before out
	reload_kvmx
	guest -c 2 -l 60 "${provoke[@]}"
	wait_for 10 is_listed "$guest"
	hold "$guest"
	before=$(look figures "$guest" vm | sum_exits)
	check "it is used" [ "$(use_count kvmx)" -gt 0 ]
	if out=$(rmmod kvmx 2>&1); then
		fail "it was unloaded with an fd open"
		return
	fi
	case $out in
	*"in use"*) ;;
	*) fail "rmmod says '$out'" ;;
	esac
	sleep 0.5
	check "the figures move" [ "$(look figures "$guest" vm | sum_exits)" -gt "$before" ]
	release
	check "it can be unloaded now" rmmod kvmx
	check "the guest goes on" kill -0 "$guest"
	end_guest
}

without_an_fd_it_is_unloaded_under_load_at_once()
{
	local i rounds=3 vcpus=4
	# A round takes minutes where a slow kernel hardly has an idle CPU.
	[ "$patience" = 1 ] || rounds=2 vcpus=2
	guest -c "$vcpus" -l 600 "${busy[@]}"
	sleep 0.5
	for ((i = 1; i <= rounds; i++)); do
		check "load $i" reload_kvmx "stats=$([ $((i % 2)) = 0 ] && echo always || echo ondemand)" ||
			return
		[ $((i % 2)) = 0 ] || { hold "$guest"; release; }
		check "the guest runs" kill -0 "$guest" || return
		check "unload $i" rmmod kvmx || return
	done
	check "the guest runs" kill -0 "$guest"
	load_kvmx
	counts_like_kvm "$guest"
	end_guest
}

unloaded_while_its_vm_is_stopped_it_does_not_wait()
{
	reload_kvmx stats=always
	guest -c 2 -l 60 "${provoke[@]}"
	wait_for 10 is_listed "$guest"
	stop_process "$guest"
	check "it is unloaded" timeout $((20 * patience)) rmmod kvmx
	kill -CONT "$guest"
	check "the guest goes on" kill -0 "$guest"
	end_guest
}

it_never_holds_kvm()
{
	local before
	! is_loaded kvmx || rmmod kvmx
	load_kvm
	before="$(use_count kvm) $(use_count "$vendor_module")"
	load_kvmx stats=always
	same "use counts of KVM" "$before" "$(use_count kvm) $(use_count "$vendor_module")"
	if [ -r "$KVMX_KO" ]; then
		same "modules that it depends on" "" "$(modinfo -F depends "$KVMX_KO")"
	fi
	guest -l 60 "${provoke[@]}"
	wait_for 10 is_listed "$guest"
	end_guest
	wait_for 10 not is_listed "$guest"
	check "KVM is unloaded while kvmx counts" unload_kvm
	same "kvm_entry" off "$(feature kvm_entry)"
}

kprobes_of_the_vendors_module_come_and_go_with_it()
{
	local name=svm_flush_tlb_all
	! grep -qw vmx /proc/cpuinfo || name=vmx_flush_tlb_all
	! is_loaded kvmx || rmmod kvmx
	unload_kvm || { fail "KVM cannot be unloaded"; return; }
	check "kvmx loads without KVM" load_kvmx
	same "without KVM" off "$(feature "$name")"
	load_kvm
	same "with KVM, nobody asks" ready "$(feature "$name")"
	same "kvm_arch_vcpu_load" ready "$(feature kvm_arch_vcpu_load)"
	guest -c 2 -l 60 "${provoke[@]}"
	wait_for 10 is_listed "$guest"
	# Of the group nobody asks.
	hold "$guest"
	same "somebody counts, not this" ready "$(feature kvm_arch_vcpu_load)"
	release
	hold "$guest" vm groups
	check "somebody asks" wait_for 10 is_hit kvm_arch_vcpu_load
	check "it is not off" [ "$(feature "$name")" != off ]
	release
	same "nobody asks any more" "ready ready" \
		"$(feature "$name") $(feature kvm_arch_vcpu_load)"
	end_guest
	wait_for 10 not is_listed "$guest"
	check "KVM can be unloaded" unload_kvm
	same "without KVM again" "off off" \
		"$(feature "$name") $(feature kvm_arch_vcpu_load)"
	load_kvm
}

is_hit()
{
	[ "$(feature "$1")" = on ]
}

kvm_may_be_reloaded_under_it()
{
	local i
	reload_kvmx
	for i in 1 2; do
		check "unload KVM, round $i" unload_kvm || return
		load_kvm
		guest -c 2 -l 60 "${provoke[@]}"
		check "the VM is listed, round $i" wait_for 10 is_listed "$guest"
		counts_like_kvm "$guest"
		end_guest
		wait_for 10 not is_listed "$guest"
	done
	# The same while everything is counted.
	echo always >"$PARAM"
	check "unload KVM while all is counted" unload_kvm
	load_kvm
	same "kvm_entry" on "$(feature kvm_entry)"
	guest cpuid=1000 -s 60
	wait_for 20 grep -qi cpuid "$guest_out"
	provoked_is_counted
	end_guest
	echo ondemand >"$PARAM"
}

# provoked_is_counted [except REASON...]: all that the guest says it provoked
# on vCPU 0 is in the figures.
provoked_is_counted()
{
	local vcpu reason n got
	while read -r vcpu reason n; do
		[ "$vcpu" = 0 ] || continue
		got=$(look figures "$guest" 0 | figure "exit.$reason.count")
		same "$reason" "$n" "$got"
	done <"$guest_out"
}

the_parameter_stats_is_checked_and_works()
{
	local bad
	reload_kvmx
	same "default" ondemand "$(cat "$PARAM")"
	same "counting" 0 "$(info counting)"
	for bad in '' x Always 1 'always ondemand' ondemandx; do
		check "'$bad' is refused" not sh -c "echo '$bad' >$PARAM" 2>/dev/null
	done
	same "unchanged" ondemand "$(cat "$PARAM")"
	echo always >"$PARAM"
	same "switched on" "always 1 1" "$(cat "$PARAM") $(info always) $(info counting)"
	echo ondemand >"$PARAM"
	same "switched off" "ondemand 0 0" "$(cat "$PARAM") $(info always) $(info counting)"
	rmmod kvmx
	check "at load, nonsense is refused" not load_kvmx stats=nonsense 2>/dev/null
	check "and it is not loaded" not is_loaded kvmx
	load_kvmx stats=always
	same "given at load" "always 1" "$(cat "$PARAM") $(info counting)"
}

# Until the file goes; nobody may be left counting in a module that is gone.
write_the_parameter()
{
	while :; do
		{ echo always >"$PARAM" && echo ondemand >"$PARAM"; } 2>/dev/null || return
	done
}

unloaded_while_the_parameter_is_written_it_is_gone_for_good()
{
	local i writers
	guest -l 60 "${provoke[@]}"
	for i in 1 2; do
		check "load $i" reload_kvmx || return
		writers=()
		for _ in 1 2; do
			write_the_parameter &
			writers+=($!)
		done
		children+=("${writers[@]}")
		sleep 0.5
		check "unload $i" rmmod kvmx || return
		wait "${writers[@]}"
		check "the guest runs" kill -0 "$guest"
		no_kprobes_left || fail "kprobes are left"
	done
	end_guest
	load_kvmx
}

probes_are_attached_just_while_somebody_counts()
{
	local before
	reload_kvmx
	same "at first" 0 "$(info counting)"
	guest -l 60 "${provoke[@]}"
	wait_for 10 is_listed "$guest"
	same "with a VM" 0 "$(info counting)"
	hold "$guest"
	same "with an fd" 1 "$(info counting)"
	same "state of kvm_exit" on "$(feature kvm_exit)"
	sleep 0.3
	stop_process "$guest"
	before=$(look figures "$guest" vm | sum_exits)
	check "it has counted" [ "$before" -gt 0 ]
	release
	same "without it" 0 "$(info counting)"
	same "state of kvm_exit" ready "$(feature kvm_exit)"
	kill -CONT "$guest"
	sleep 0.5
	stop_process "$guest"
	same "counted while nobody looked" "$before" "$(look figures "$guest" vm | sum_exits)"
	end_guest
}

host_begin
for c in loaded_before_kvm_it_sees_vms \
	loaded_after_kvm_it_sees_vms \
	loaded_under_a_running_guest_it_finds_and_counts_it \
	with_an_fd_open_it_is_in_use_and_goes_on \
	without_an_fd_it_is_unloaded_under_load_at_once \
	unloaded_while_its_vm_is_stopped_it_does_not_wait \
	it_never_holds_kvm \
	kprobes_of_the_vendors_module_come_and_go_with_it \
	kvm_may_be_reloaded_under_it \
	the_parameter_stats_is_checked_and_works \
	unloaded_while_the_parameter_is_written_it_is_gone_for_good \
	probes_are_attached_just_while_somebody_counts; do
	run_case "$c"
done
host_end
