#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kvmx is unloaded while VMs are placed: it goes at once, and all threads have back
# what they had. A placement that is committed does not hold it.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

# masks_of PID: every thread and the CPUs that it may use
masks_of()
{
	local t
	for t in /proc/"$1"/task/*; do
		echo "${t##*/} $(awk '$1 == "Cpus_allowed:" { print $2 }' "$t/status")"
	done
}

# place_guest [OPTIONS OF vmm]: not all of its threads have the same, then all are
# placed. Its vCPUs sleep most of the time: where all CPUs of a machine share one of
# its host, those that never do are what takes the time here.
place_guest()
{
	local t
	guest -c 3 -l 120 "${@:--u5000}" cpuid=10 out_user=10 spin=1000
	check "the VM is listed" wait_for 10 is_listed "$guest"
	sleep 1
	for t in /proc/"$guest"/task/*; do
		[ $((${t##*/} % 2)) = 0 ] || taskset -p 7f "${t##*/}" >/dev/null
	done
	before=$(masks_of "$guest")
	check "it can be placed" look place "$guest"
	check "that changed something" [ "$before" != "$(masks_of "$guest")" ]
}

unloaded_it_gives_all_back()
{
	reload_kvmx
	# All the time in the guest, or between it and its VMM.
	place_guest -u0
	same "use count" 0 "$(use_count kvmx)"
	check "rmmod" rmmod kvmx
	same "CPUs of its threads" "$before" "$(masks_of "$guest")"
	check "it loads again" load_kvmx
	same "CPUs of its threads" "$before" "$(masks_of "$guest")"
	check "the VM is listed" wait_for 10 is_listed "$guest"
	check "and can be placed again" look place "$guest"
	end_guest
}

two_vms_get_all_back()
{
	local first first_before
	reload_kvmx
	place_guest
	first=$guest first_before=$before
	place_guest
	check "rmmod" rmmod kvmx
	same "CPUs of the first" "$first_before" "$(masks_of "$first")"
	same "CPUs of the second" "$before" "$(masks_of "$guest")"
	load_kvmx
	end_guest
	guest=$first
	end_guest
}

a_stopped_vmm_does_not_hold_it()
{
	reload_kvmx
	place_guest
	stop_process "$guest" || { fail "the guest does not stop"; return; }
	check "rmmod" timeout 20 rmmod kvmx
	same "CPUs of its threads" "$before" "$(masks_of "$guest")"
	load_kvmx
	end_guest
}

without_hooks_it_still_places()
{
	local after
	reload_kvmx without=sched_setaffinity,set_cpus_allowed_ptr,cpu_hotplug
	place_guest
	after=$(masks_of "$guest")
	sleep 2
	same "after two seconds" "$after" "$(masks_of "$guest")"
	check "rmmod" rmmod kvmx
	same "CPUs of its threads" "$before" "$(masks_of "$guest")"
	load_kvmx
	end_guest
}

without_place_it_says_so()
{
	reload_kvmx without=place
	guest -c 1 -l 60 cpuid=10 spin=1000
	check "the VM is listed" wait_for 10 is_listed "$guest"
	check "it cannot be placed" not look place "$guest"
	same "place" off "$(feature place)"
	end_guest
	reload_kvmx
}

host_begin
if [ "$(nproc)" -ge 4 ]; then
	for c in unloaded_it_gives_all_back \
		two_vms_get_all_back \
		a_stopped_vmm_does_not_hold_it \
		without_hooks_it_still_places \
		without_place_it_says_so; do
		run_case "$c"
	done
else
	skip_all "needs four CPUs"
fi
host_end
