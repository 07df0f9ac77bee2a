/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clock in which all times are kept: TSC cycles, or the kernel's clock in
 * nanoseconds where the TSC cannot be trusted across CPUs.
 */
#ifndef KVMX_CORE_CLOCK_H
#define KVMX_CORE_CLOCK_H

#include <linux/jump_label.h>
#include <linux/math64.h>
#include <linux/ktime.h>
#include <linux/types.h>
#include <asm/msr.h>
#include <asm/tsc.h>	/* where newer kernels keep rdtsc() */

DECLARE_STATIC_KEY_TRUE(kvmx_clock_is_tsc);
extern u32 kvmx_clock_khz;

/**
 * kvmx_clock() - now
 *
 * Two CPUs may differ by some ticks, and rdtsc is not ordered: whoever
 * subtracts two of these has to expect a small negative difference.
 *
 * Context: any, also NMI.
 * Return: ticks since some moment in the past.
 */
static __always_inline u64 kvmx_clock(void)
{
	if (static_branch_likely(&kvmx_clock_is_tsc))
		return rdtsc();
	return ktime_get_mono_fast_ns();
}

/**
 * kvmx_clock_from_ns() - nanoseconds in ticks of kvmx_clock()
 * @ns: a duration
 *
 * Return: the duration in ticks, rounded down.
 */
static inline u64 kvmx_clock_from_ns(u64 ns)
{
	return mul_u64_u32_div(ns, kvmx_clock_khz, 1000000);
}

/**
 * kvmx_clock_to_ns() - ticks of kvmx_clock() in nanoseconds
 * @ticks: a duration
 *
 * Return: the duration in ns, rounded down.
 */
static inline u64 kvmx_clock_to_ns(u64 ticks)
{
	return mul_u64_u32_div(ticks, 1000000, kvmx_clock_khz);
}

void kvmx_clock_init(void);

#endif /* KVMX_CORE_CLOCK_H */
