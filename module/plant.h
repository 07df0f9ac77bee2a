/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault on purpose; nothing at all unless built with KVMX_PLANT= (plant.c). */
#ifndef KVMX_PLANT_H
#define KVMX_PLANT_H

#ifdef KVMX_PLANT
void kvmx_plant(void);
#else
/* No inline function, which debug information would still tell of. */
#define kvmx_plant() do { } while (0)
#endif

#endif /* KVMX_PLANT_H */
