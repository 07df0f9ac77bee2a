#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kvmx_guest.ko in a real guest, which is told what to do through its console:
# finds a host that takes hints, and bears with one that does not.
# Cases are called by their names:
# shellcheck disable=SC2317,SC2329
# shellcheck source=lib/host.sh
. "$(dirname "$0")/lib/host.sh"

start=${KVMX_GUEST:-/kvmx/guest/start}
kvmx=${KVMX_TOOL:-$(command -v kvmx)}
told=0
# Seconds until the guest has done what it was told.
answer_within=30

the_qemu()
{
	pgrep -x qemu-system-x86 || pgrep qemu-system
}

# tell LINE: has the guest's shell do LINE; what that said is in $said.
tell()
{
	local t
	told=$((told + 1))
	printf '%s\n' "$*" >"$tmp/control"
	wait_for "$answer_within" grep -qa "GUEST DID $told status" "$tmp/console" ||
		{ fail "no answer to: $*; $(tail -n 3 "$tmp/console")"; return 1; }
	t=$(tr -d '\r' <"$tmp/console")
	said=$(awk -v n="$told" '
		$1 == "GUEST" && ($2 == "DID" && $3 == n - 1 || n == 1 && $2 == "HINTS") { said = ""; next }
		$1 == "GUEST" && $2 == "DID" && $3 == n { printf "%s", said; exit }
		{ said = said $0 "\n" }' <<<"$t")
	grep -qa "^GUEST DID $told status 0" <<<"$t"
}

# status WORD: sets $value to the figure behind WORD in the first line of the
# module's status. Not in a subshell: lines that were told are counted.
status()
{
	value=''
	tell cat /sys/module/kvmx_guest/parameters/status || return 1
	value=$(awk -v k="$1" 'NR == 1 { for (i = 1; i < NF; i++) if ($i == k) print $(i + 1) }' <<<"$said")
}

# status_is WORD VALUE...
status_is()
{
	local all=() s
	tell cat /sys/module/kvmx_guest/parameters/status || return 1
	while [ $# -gt 0 ]; do
		all+=("$1 $2")
		shift 2
	done
	for s in "${all[@]}"; do
		grep -qF " $s " <<<" $(head -n 1 <<<"$said") " || return 1
	done
}

# becomes WORD VALUE...: within the time in which the guest asks again
becomes()
{
	wait_for 20 status_is "$@" || fail "not $*: $said"
}

# The host may know calls only. For cases: no_areas && return
no_areas()
{
	status features
	[ $((${value:-0} & 1)) -eq 0 ] && skip "this host's kvmx knows no areas"
}

# allow KINDS: without any effect, which is another matter
allow()
{
	"$kvmx" hint -p "$qemu" --allow "$1" \
		--effect "${1//,/=none,}=none" >"$tmp/tool" 2>&1 ||
		fail "kvmx hint: $(cat "$tmp/tool")"
}

# The host looks when a vCPU loses its CPU: for that somebody has to want it.
hog_begin()
{
	taskset -c 0 sh -c 'while :; do :; done' &
	hog=$!
	children+=("$hog")
	taskset -apc 0 "$qemu" >/dev/null
}

hog_end()
{
	kill "$hog"
	taskset -apc "$(cat /sys/devices/system/cpu/online)" "$qemu" >/dev/null
}

is_running()
{
	[ -d "/proc/$1" ] && ! grep -q '^State:.*Z' "/proc/$1/status"
}

# counts KIND FIELD: of the whole VM
counts()
{
	"$kvmx" hint -p "$qemu" --show --json |
		jq -r ".vms[0].kinds[] | select(.kind == \"$1\") | .$2"
}

without_kvmx_it_says_so_and_waits()
{
	mkfifo "$tmp/control"
	"$start" --control "$tmp/control" \
		--append "kvmx_guest kvmx_guest.ask_s=2" >"$tmp/console" 2>&1 &
	starter=$!
	children+=("$starter")
	wait_for 150 grep -qa 'GUEST HINTS loaded: status 0' "$tmp/console" ||
		{ fail "console: $(tail -n 5 "$tmp/console")"; return; }
	qemu=$(the_qemu)
	children+=("${qemu:-0}")
	sleep 3
	# The kernel's own words on modules like this one aside.
	tell "dmesg | grep kvmx_guest: | grep -v taint"
	same "what it says" 1 "$(grep -c 'the host takes no hints: it will be asked again, at least every 2 s' <<<"$said")"
	same "says nothing else" 1 "$(grep -c 'kvmx_guest: ' <<<"$said")"
	status_is version 0 registered 0 watching 0 || fail "status: $said"
}

a_program_hears_that_nobody_listens()
{
	tell /kvmx/hint-example info
	same "info" "version 0 kinds 0 cpus 2 registered 0" "$said"
	tell /kvmx/hint-example critical 100 || fail "$said"
	status words
	same "words that are left" 0 "$value"
	tell /kvmx/hint-example call 3
	same "calls" "calls 3 taken 0 again 0" "$said"
}

calls_of_a_user_are_limited()
{
	local param=/sys/module/kvmx_guest/parameters/calls_per_user
	tell "echo 4 >$param"
	tell /kvmx/hint-example call 20
	# Two each, and a second may end meanwhile.
	check "of 20: $said" [ "$(awk '{ print $6 }' <<<"$said")" -ge 10 ]
	tell "echo 1000 >$param"
}

the_device_refuses_what_it_should()
{
	tell /kvmx/hint-check || fail "$(grep -A1 '^not ok' <<<"$said")"
	check "its plan: $said" grep -q '^1\.\.[1-9]' <<<"$said"
	becomes words 0
}

it_is_unloaded_and_loaded_again()
{
	local i
	for i in 1 2 3 4 5; do
		tell "rmmod kvmx_guest && insmod /kvmx/kvmx_guest.ko ask_s=2" ||
			fail "round $i: $said"
	done
}

with_hints_off_nothing_changes()
{
	reload_kvmx stats=ondemand || return
	sleep 5
	status_is version 0 registered 0 || fail "status: $said"
}

hints_allowed_later_reach_it()
{
	allow critical,latency || return
	becomes version 1 kinds 0x6
	tell "dmesg | grep -c 'the host takes hints (kinds 0x6)'"
	same "it says so once" 1 "$said"
}

each_vcpu_is_registered()
{
	no_areas && return
	becomes registered 2 watching 1
	tell /kvmx/hint-example info
	same "info" "version 1 kinds 0x6 cpus 2 registered 2" "$said"
}

# Where the guest's kernel can let it fail: make test-debug.
no_memory_is_said_or_borne()
{
	local answer_within=1800
	no_areas && return
	tell "mount -t debugfs debugfs /sys/kernel/debug"
	tell /kvmx/hint-fail || fail "$(grep -A1 '^not ok' <<<"$said")"
	case $said in
	*'# SKIP'*) skip "in the guest: ${said#*SKIP }" && return ;;
	esac
	say "$(grep -o '[A-Za-z ]*: [0-9]* allocations.*' <<<"$said" | tr '\n' ';')"
	check "its plan: $said" grep -q '^1\.\.[1-9]' <<<"$said"
	becomes registered 2 watching 1
}

a_cpu_that_goes_and_comes_is_registered()
{
	no_areas && return
	tell "echo 0 >/sys/devices/system/cpu/cpu1/online" || fail "$said"
	status_is cpus 1 registered 1 || fail "off: $said"
	tell "echo 1 >/sys/devices/system/cpu/cpu1/online" || fail "$said"
	status_is cpus 2 registered 2 || fail "on: $said"
}

a_real_time_task_hints_by_itself()
{
	local before after
	no_areas && return
	before=$(counts latency given)
	tell /kvmx/hint-example latency 200 || fail "$said"
	say "$said"
	after=$(counts latency given)
	check "given: $before, $after" [ "$after" -gt $((before + 50)) ]
	becomes words 0
}

words_are_followed_wherever_a_thread_goes()
{
	no_areas && return
	tell /kvmx/hint-check || fail "$(grep -A1 '^not ok' <<<"$said")"
	becomes words 0
}

a_program_hints_by_stores()
{
	local before after
	no_areas && return
	before=$(counts critical given)
	hog_begin
	tell /kvmx/hint-example critical 20000 || fail "$said"
	hog_end
	say "$said"
	after=$(counts critical given)
	check "given: $before, $after" [ "$after" -gt "$before" ]
}

a_program_hints_by_calls()
{
	local before after
	before=$(counts critical calls)
	tell /kvmx/hint-example call 50 || fail "$said"
	same "all are taken" "calls 50 taken 50 again 0" "$said"
	after=$(counts critical calls)
	check "calls: $before, $after" [ "$after" -ge $((before + 50)) ]
}

# How much faster it is then is the bench's to say: here it is told only.
a_real_time_task_is_granted_its_time()
{
	local before after
	no_areas && return
	hog_begin
	tell /kvmx/hint-example latency 300 || fail "$said"
	say "counted only: $said"
	before=$(counts latency granted)
	"$kvmx" hint -p "$qemu" --allow critical,latency --budget 2ms/10ms \
		>"$tmp/tool" 2>&1 || fail "kvmx hint: $(cat "$tmp/tool")"
	tell /kvmx/hint-example latency 300 || fail "$said"
	say "granted: $said"
	after=$(counts latency granted)
	hog_end
	check "granted: $before, $after" [ "$after" -gt $((before + 50)) ]
	check "time on grants" [ "$(counts latency time_ns)" -gt 0 ]
}

hints_switched_off_reach_it()
{
	"$kvmx" hint -p "$qemu" --off || { fail "kvmx hint --off"; return; }
	becomes version 0 registered 0 watching 0
}

# As on a host where each VM gets what its file says.
the_default_policy_reaches_it()
{
	printf '%s\n' '# for all' 'allow latency' 'effect latency=none' >"$tmp/policy"
	"$kvmx" hint --default "$tmp/policy" >"$tmp/tool" 2>&1 ||
		fail "kvmx hint --default: $(cat "$tmp/tool")"
	check "who got it: $(cat "$tmp/tool")" grep -q ' set ' "$tmp/tool"
	becomes version 1 kinds 0x4
	"$kvmx" hint --default "$tmp/policy" >"$tmp/tool" 2>&1
	check "it keeps what it has: $(cat "$tmp/tool")" grep -q ' kept ' "$tmp/tool"
	"$kvmx" hint -p "$qemu" --off || fail "kvmx hint --off"
	becomes version 0 registered 0
}

it_is_unloaded_while_the_host_listens()
{
	allow latency || return
	becomes version 1 kinds 0x4
	tell "rmmod kvmx_guest" || fail "$said"
	tell "insmod /kvmx/kvmx_guest.ko ask_s=2" || fail "$said"
	becomes version 1 kinds 0x4
}

it_comes_and_goes_under_load()
{
	tell "/kvmx/hint-example latency 1500 >/dev/null & true"
	tell "for i in 1 2 3 4 5 6 7 8 9 10; do rmmod kvmx_guest || exit 1; insmod /kvmx/kvmx_guest.ko ask_s=2 || exit 1; usleep 200000; done" ||
		fail "$said"
	becomes version 1 kinds 0x4
	no_areas || becomes registered 2 watching 1
	skip_reason=''
}

kvmx_is_unloaded_while_the_guest_hints()
{
	rmmod kvmx || { fail "rmmod kvmx"; return; }
	becomes version 0 registered 0
	tell /kvmx/hint-example latency 20 || fail "$said"
	load_kvmx
	allow latency || return
	becomes version 1
}

the_guest_has_nothing_to_complain_about()
{
	tell "dmesg | grep -E '$complaints'"
	same "its log" "" "$said"
}

# Switching off, rebooting and kexec are one chain of notifiers.
it_switches_off_and_gives_its_areas_back()
{
	local trace=/sys/kernel/tracing/instances/kvmx_guest_hint calls
	local event=$trace/events/kvm/kvm_hypercall
	becomes registered 2
	if mkdir "$trace" 2>/dev/null; then
		# KVMX_HC, KVMX_HC_UNREGISTER
		echo "nr == 0x6b766d78 && a0 == 2" >"$event/filter"
		echo 1 >"$event/enable"
	fi
	printf 'poweroff -f\n' >"$tmp/control"
	wait_for 30 not is_running "$starter" || fail "QEMU does not end"
	same "complaints in its last words" "" "$(grep -aE "$complaints" "$tmp/console")"
	[ -d "$trace" ] || { skip "no tracefs to see its calls in"; return; }
	calls=$(grep -c ' kvm_hypercall: ' "$trace/trace")
	check "both vCPUs unregister: $calls calls" [ "$calls" -ge 2 ]
	echo 0 >"$event/enable"
	rmdir "$trace"
}

[ -x "$start" ] || skip_all "no guest to start here ($start)"
command -v qemu-system-x86_64 >/dev/null || skip_all "no qemu-system-x86_64 here"
# Everything is waited for here, and more than once.
[ "$(nproc)" -gt 1 ] || skip_all "one CPU for a guest and for who talks to it: takes too long"
[ -n "$kvmx" ] || skip_all "the tool kvmx is not here"
host_begin
! is_loaded kvmx || rmmod kvmx
for c in without_kvmx_it_says_so_and_waits \
	a_program_hears_that_nobody_listens \
	calls_of_a_user_are_limited \
	the_device_refuses_what_it_should \
	it_is_unloaded_and_loaded_again \
	with_hints_off_nothing_changes \
	hints_allowed_later_reach_it \
	each_vcpu_is_registered \
	no_memory_is_said_or_borne \
	a_cpu_that_goes_and_comes_is_registered \
	a_real_time_task_hints_by_itself \
	a_program_hints_by_stores \
	words_are_followed_wherever_a_thread_goes \
	a_program_hints_by_calls \
	a_real_time_task_is_granted_its_time \
	hints_switched_off_reach_it \
	the_default_policy_reaches_it \
	it_is_unloaded_while_the_host_listens \
	it_comes_and_goes_under_load \
	kvmx_is_unloaded_while_the_guest_hints \
	the_guest_has_nothing_to_complain_about \
	it_switches_off_and_gives_its_areas_back; do
	run_case "$c"
done
host_end
