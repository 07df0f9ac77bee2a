# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# For tests in shell: TAP, kvmx and KVM loaded and unloaded, and the host as it
# was when the test ends. A case is a function whose name is its sentence; it
# fails where one of its checks does, or where it returns something else than 0.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
KVMX_KO=${KVMX_KO:-/kvmx/kvmx.ko}
PARAM=/sys/module/kvmx/parameters/stats
# What a time limit is multiplied by: a kernel that checks itself is slow. The
# same rule as patience() in lib/host.c.
patience=${KVMX_TEST_PATIENCE:-$([ -e /proc/lockdep_stats ] && echo 5 || echo 1)}
number=0 failures=0 skips=0
children=()

say()
{
	printf '# %s\n' "$*"
}

skip_all()
{
	printf 'TAP version 13\n1..0 # SKIP %s\n' "$*"
	exit 4
}

if grep -qw vmx /proc/cpuinfo; then
	vendor_module=kvm_intel
else
	vendor_module=kvm_amd
fi

is_loaded()
{
	[ -d "/sys/module/$1/holders" ]
}

use_count()
{
	awk -v m="$1" '$1 == m { print $3 }' /proc/modules
}

load_kvm()
{
	is_loaded "$vendor_module" || modprobe "$vendor_module"
}

unload_kvm()
{
	! is_loaded "$vendor_module" || rmmod "$vendor_module" || return 1
	! is_loaded kvm || rmmod kvm
}

# load_kvmx [PARAMETER=VALUE...]
load_kvmx()
{
	if [ -r "$KVMX_KO" ]; then
		insmod "$KVMX_KO" "$@"
	else
		modprobe kvmx "$@"
	fi
}

# With these parameters, whatever it was loaded with.
reload_kvmx()
{
	! is_loaded kvmx || rmmod kvmx || return 1
	load_kvmx "$@"
}

look()
{
	"$here/look" "$@"
}

# One line of `look info`.
info()
{
	look info | awk -v k="$1" '$1 == k { print $2 }'
}

# feature NAME: its state
feature()
{
	look features | awk -v k="$1" '$1 == k { print $2 }'
}

# figure NAME < figures
figure()
{
	awk -v k="$1" '$1 == k { print $2 }'
}

# What KVM counts as exits, out of figures.
sum_exits()
{
	awk '/^exit\..*\.count / { n += $2 }
		/^(entries_without_exit|exits_without_entry) / { n += $2 }
		END { printf "%d\n", n }'
}

# exits_of PID: KVM's own figure of that process's VM.
exits_of()
{
	cat /sys/kernel/debug/kvm/"$1"-*/exits
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for()
{
	local until=$((SECONDS + $1 * patience))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$until" ] || return 1
		sleep 0.1
	done
}

all_threads_stopped()
{
	! cat /proc/"$1"/task/*/stat | sed 's/.*) //' | grep -qv '^T'
}

# No vCPU runs while it is stopped, so figures can be compared exactly.
stop_process()
{
	kill -STOP "$1" && wait_for 20 all_threads_stopped "$1"
}

is_listed()
{
	look list | awk -v p="$1" '$2 == p { found = 1 } END { exit !found }'
}

not()
{
	! "$@"
}

# Starts a guest in the background: its pid is in $guest, what it provoked in
# the file $guest_out once it has been done. How long it lives (-l, -s) is a time
# limit, too.
guest()
{
	local arg before='' args=()
	for arg in "$@"; do
		case $before in -l | -s) arg=$((arg * patience)) ;; esac
		args+=("$arg")
		before=$arg
	done
	guest_out=$(mktemp "$tmp/guest.XXXXXX")
	"$here/vmm" "${args[@]}" >"$guest_out" 2>&1 &
	guest=$!
	children+=("$guest")
}

end_guest()
{
	kill -CONT "$guest" 2>/dev/null
	kill "$guest" 2>/dev/null
	wait "$guest" 2>/dev/null
	return 0
}

# Holds statistics of PID open: $holder; `release` ends it, and the figures at
# the end are in $held.
hold()
{
	local fifo
	fifo=$(mktemp -u "$tmp/fifo.XXXXXX")
	held=$(mktemp "$tmp/held.XXXXXX")
	mkfifo "$fifo"
	"$here/look" hold "$1" "${2:-vm}" ${3:+"$3"} <"$fifo" >"$held" 2>&1 &
	holder=$!
	children+=("$holder")
	exec 9>"$fifo"
	wait_for 20 grep -q held "$held"
}

release()
{
	exec 9>&-
	wait "$holder"
}

fail()
{
	say "wrong: $*"
	case_failed=1
	return 1
}

# check WHAT COMMAND...
check()
{
	local what=$1
	shift
	"$@" || fail "$what"
}

# same WHAT EXPECTED GOT
same()
{
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# skip REASON, from a case: `skip ... && return`
skip()
{
	skip_reason=$*
}

run_case()
{
	local case_began=$SECONDS
	case_failed=0 skip_reason=''
	number=$((number + 1))
	"$1" || case_failed=1
	[ $((SECONDS - case_began)) -lt 10 ] || say "$1: $((SECONDS - case_began)) s"
	if [ "$case_failed" != 0 ]; then
		failures=$((failures + 1))
		echo "not ok $number $1"
	elif [ -n "$skip_reason" ]; then
		skips=$((skips + 1))
		echo "ok $number $1 # SKIP $skip_reason"
	else
		echo "ok $number $1"
	fi
}

host_begin()
{
	[ "$(id -u)" = 0 ] || skip_all "only for root"
	load_kvm 2>/dev/null || true
	[ -c /dev/kvm ] || skip_all "no KVM here"
	tmp=$(mktemp -d /tmp/kvmx-test.XXXXXX)
	kvmx_was=''
	! is_loaded kvmx || kvmx_was=$(cat "$PARAM")
	kmsg_before=$(dmesg | wc -l)
	trap 'exit 1' INT TERM
	trap host_leave EXIT
	cd "$here" || exit 1
	echo "TAP version 13"
}

host_leave()
{
	local p
	for p in "${children[@]}"; do
		kill -CONT "$p" 2>/dev/null
		kill -KILL "$p" 2>/dev/null
	done
	[ -z "${tmp:-}" ] || rm -rf "$tmp"
}

complaints='WARNING:|BUG:|Oops|general protection fault|KASAN|UBSAN|refcount_t:|recursive locking|circular locking|does not fit, looking into no vCPU'

no_complaints()
{
	local new
	new=$(dmesg | tail -n "+$((kmsg_before + 1))" | grep -E "$complaints")
	[ -z "$new" ] || { say "$new"; return 1; }
}

no_kprobes_left()
{
	! grep -E ' kvm|\[GONE\]|sched_setaffinity|set_cpus_allowed_ptr' \
		/sys/kernel/debug/kprobes/list 2>/dev/null
}

not_in_use()
{
	[ "$(use_count kvmx)" = 0 ]
}

# kvmx can be unloaded, leaves nothing behind, and is there again if it was.
the_host_is_as_it_was_before()
{
	host_leave
	if is_loaded kvmx; then
		check "kvmx is still in use" wait_for 5 not_in_use
		check "kvmx cannot be unloaded" rmmod kvmx
	fi
	check "kprobes are left over" no_kprobes_left
	load_kvm
	[ -z "$kvmx_was" ] || load_kvmx "stats=$kvmx_was"
	check "the kernel complained" no_complaints
}

host_end()
{
	run_case the_host_is_as_it_was_before
	echo "1..$number"
	say "Totals: pass:$((number - failures - skips)) fail:$failures xfail:0 xpass:0 skip:$skips error:0"
	[ "$failures" = 0 ] || exit 1
	exit 0
}
