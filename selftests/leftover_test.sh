#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# After all other tests, in the same boot: kvmx is unloaded, and nothing of it
# is left, nor is any memory lost; and the kernel's own checks are still at work,
# so that their silence means something. What the running kernel has no check
# for is a skip, but not on a debug kernel of the lab: there it is a failure.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

debugfs=/sys/kernel/debug
kmemleak=$debugfs/kmemleak
text=0 size=0

# no_check WHAT: the kernel lacks it
no_check()
{
	case $(uname -r) in
	*-kvmx-debug) fail "$1, and that on a debug kernel" ;;
	*) skip "$1" ;;
	esac
}

# What leaked, or nothing. kmemleak reports what is older than five seconds, was
# found without a reference and has not changed between two scans; what was only
# on its way when both looked is gone from the report after another one.
leaks()
{
	local i
	for i in 1 2 3; do
		[ "$i" = 1 ] || sleep 6
		echo scan >"$kmemleak" || return
		[ "$i" = 1 ] || [ -n "$(cat "$kmemleak")" ] || return 0
	done
	cat "$kmemleak"
}

# Functions of a module that is gone have no names: adds their distance from its
# beginning, as nm kvmx.ko has it.
name_functions()
{
	local line word
	while IFS= read -r line; do
		word=${line##*[ \]]}
		if [[ $word =~ ^0x[0-9a-f]{16}$ ]] &&
		   [ $((word - text)) -ge 0 ] && [ $((word - text)) -lt "$size" ]; then
			line+=$(printf ' (kvmx: .text+0x%x)' $((word - text)))
		fi
		echo "# $line"
	done
}

it_is_loaded()
{
	is_loaded kvmx || load_kvmx || { fail "it does not load"; return; }
	text=$(cat /sys/module/kvmx/sections/.text)
	size=$(cat /sys/module/kvmx/coresize)
}

it_can_be_unloaded()
{
	check "it is in use" wait_for 5 not_in_use
	check "rmmod" rmmod kvmx
}

no_module_is_left()
{
	check "/proc/modules" not grep -w kvmx /proc/modules
	check "/sys/module" [ ! -e /sys/module/kvmx ]
	check "/proc/kallsyms" not grep -F '[kvmx]' /proc/kallsyms
}

no_device_is_left()
{
	check "/dev/kvmx" [ ! -e /dev/kvmx ]
	check "/sys/class/misc" [ ! -e /sys/class/misc/kvmx ]
	check "/proc/misc" not grep -w kvmx /proc/misc
}

no_kprobe_is_left()
{
	check "/sys/kernel/debug is not mounted" [ -e "$debugfs/kprobes/list" ]
	check "kprobes/list" no_kprobes_left
}

no_slab_cache_is_left()
{
	check "/proc/slabinfo" not grep '^kvmx' /proc/slabinfo
	check "/sys/kernel/slab" not compgen -G '/sys/kernel/slab/kvmx*'
}

# A worker is called after the queue that it is working for, behind a plus; threads
# of the kernel have no command line.
no_kernel_thread_is_left()
{
	local p name
	for p in /proc/[0-9]*; do
		name=$(cat "$p/comm" 2>/dev/null)
		case $name in
		kvmx* | *+kvmx*) check "$name" grep -qz . "$p/cmdline" ;;
		esac
	done
}

no_memory_is_lost()
{
	local found
	[ -e "$kmemleak" ] || { no_check "no kmemleak in this kernel"; return; }
	found=$(leaks) || { fail "kmemleak does not scan any more"; return; }
	[ -z "$found" ] || fail "$(grep -c '^unreferenced' <<<"$found") leaks
$(head -n 60 <<<"$found" | name_functions)"
}

# After its first report lockdep looks at nothing any more.
lockdep_is_still_watching()
{
	[ -e /proc/lockdep_stats ] || { no_check "no lockdep in this kernel"; return; }
	same "debug_locks" 1 "$(awk '$1 == "debug_locks:" { print $2 }' /proc/lockdep_stats)"
}

host_begin
for c in it_is_loaded \
	it_can_be_unloaded \
	no_module_is_left \
	no_device_is_left \
	no_kprobe_is_left \
	no_slab_cache_is_left \
	no_kernel_thread_is_left \
	no_memory_is_lost \
	lockdep_is_still_watching; do
	run_case "$c"
done
host_end
