// SPDX-License-Identifier: GPL-2.0-only
#include "core/event.h"

void kvmx_event_post(u32 type, const struct kvmx_news *news)
{
}
