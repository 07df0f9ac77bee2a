// SPDX-License-Identifier: GPL-2.0-only
#include <asm/tsc.h>

#include "core/clock.h"
#include "core/feature.h"

DEFINE_STATIC_KEY_TRUE(kvmx_clock_is_tsc);
u32 kvmx_clock_khz = 1000000;

/**
 * kvmx_clock_init() - choose the clock, once, at load
 *
 * CPUID's bit for an invariant TSC is not asked for: emulators lack it, and
 * the kernel watches the TSC itself. A TSC that becomes unstable later is not
 * followed: times would not be comparable any more; reload kvmx then.
 */
void kvmx_clock_init(void)
{
	if (kvmx_feature_denied(KVMX_F_CLOCK)) {
		static_branch_disable(&kvmx_clock_is_tsc);
		return;
	}
	if (check_tsc_unstable() || !tsc_khz) {
		static_branch_disable(&kvmx_clock_is_tsc);
		kvmx_feature_set(KVMX_F_CLOCK, KVMX_FEATURE_OFF,
				 "the kernel marked the TSC unstable: times are the kernel's clock in ns");
		return;
	}
	kvmx_clock_khz = tsc_khz;
	kvmx_feature_set(KVMX_F_CLOCK, KVMX_FEATURE_ON,
			 "times are TSC cycles at %u kHz", tsc_khz);
}
