# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# Finds what a kernel prints when something went wrong. Needs nothing but
# grep and sed, so the unit test runs anywhere.

# A guard that gives up (kmemleak, debug objects, lockdep out of memory) has a
# pattern as well: from then on its silence would mean nothing.
#
# Each pattern must stand at the start of a message: right after the time
# stamp (and the caller, on kernels that print one), so that neither a
# process that is reported nor a test's own words match.
SPLAT_PATTERNS=(
	'-+\[ cut here \]-+'
	'WARNING: '
	'BUG: '
	'\[ (BUG|INFO|WARNING): '
	'BUG [^ ]+ \((Not tainted|Tainted)'
	'(watchdog: )?BUG: (soft|hard) lockup'
	'(NMI )?[Ww]atchdog: .*(LOCKUP|lockup|hard LOCKUP)'
	'(rcu: )?INFO: rcu_?[a-z_]* .*(stall|self-detected)'
	'INFO: (possible (circular|recursive|irq)|task .* blocked for more than|trying to register non-static key|inconsistent)'
	'INFO: (lockdep is turned off|NMI handler .* took too long)'
	'\*\*\* (DEADLOCK|BUG) '
	'Oops'
	'Kernel panic'
	'(general protection fault|stack segment|divide error|int3|invalid opcode|double fault|traps: PANIC)[:,]'
	'PANIC: '
	'kernel BUG at '
	'UBSAN: '
	'(KASAN|KCSAN|KMSAN|KFENCE)[: ]'
	'kmemleak: [0-9]+ new suspected memory leaks'
	'unreferenced object 0x'
	'kmemleak: (Kernel memory leak detector disabled|Freeing unknown object|Cannot insert)'
	'kmem_cache_destroy .*: Slab cache still has objects'
	'list_(add|del)(_valid)? corruption'
	'list_add double add'
	'refcount_t: '
	'ODEBUG: '
	'DEBUG_LOCKS_WARN_ON'
	'Call Trace:'
	'sysfs: cannot create duplicate filename'
	'kobject_add_internal failed for '
	'Bad page (state|map)'
	'page dumped because: '
	'usercopy: Kernel memory (exposure|overwrite)'
	'(trace|livepatch|kprobes?|ftrace): .*(failed to|Failed to) (disarm|restore|modify)'
)

# splat_regex: one extended regular expression of all patterns.
splat_regex()
{
	local IFS='|'
	printf '^(<[0-9]+>)?(\\[ *[0-9]+\\.[0-9]+\\])?(\\[ *[CT][0-9]+\\])? ?(%s)' "${SPLAT_PATTERNS[*]}"
}

# splat_is_stale FILE: is the first complaint of a run an int3 that is not in
# memory? The dump shows the byte in front of the address in <>; where that is no
# cc, the emulator executed code that had been patched away (lib/qemu.sh says
# how). On a processor the kernel's protocol of patching rules this out.
splat_is_stale()
{
	local said
	said=$(splat_clean "$1" | sed "0,/$SPLAT_START/d")
	grep -aE "$(splat_regex)" <<<"$said" | head -n 1 | grep -qE '(Oops: )?int3: ' || return 1
	grep -aE ' Code: ' <<<"$said" | head -n 1 |
		grep -qE ' (0[0-9a-f]|[1-9abdef][0-9a-f]|c[0-9abdef]) <[0-9a-f]{2}>'
}

SPLAT_START='kvmx-lab: command starts'

# Console as text: no carriage returns, no control sequences.
splat_clean()
{
	sed -e 's/\r//g' -e 's/\x1b\[[0-9;?]*[A-Za-z]//g' "$1" 2>/dev/null || true
}

# splat_before FILE, splat_after FILE: the offending lines before COMMAND
# started, and from then on. What a machine prints after COMMAND ended counts
# as well.
splat_before()
{
	splat_clean "$1" | sed "/$SPLAT_START/,\$d" | grep -aE "$(splat_regex)" || true
}

splat_after()
{
	splat_clean "$1" | sed "0,/$SPLAT_START/d" | splat_unprovoked |
		grep -aE "$(splat_regex)" || true
}

# What selftests/long/failslab*_test provokes: where the kernel fails a
# vmalloc(), it shows how it got there. The head of that call trace is left out
# where it follows at once, and nothing else.
splat_unprovoked()
{
	awk '
		{ line = $0; sub(/^(<[0-9]+>)?\[ *[0-9.]+\](\[ *[CT][0-9]+\])? /, "", line) }
		near && line == "Call Trace:" { near = 0; next }
		line ~ /^failslab_(test|load_t): vmalloc error: size [0-9]+, / { near = 1 }
		near && line !~ /^(failslab_|CPU: |Tainted: |Hardware name: )/ { near = 0 }
		{ print }'
}
