// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on purpose: do the debug kernels, and the tests on them, notice?
 * Compiled only by `make KVMX_PLANT=KIND`, and run by tools/lab/guards. One kind
 * at a time, since a kernel that has found one fault looks for others no more.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "plant.h"

#define SIZE	40
#define LEAKS	8
#define PERCPU	16384

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

/* KASAN */
static noinline void plant_uaf(void)
{
	u32 *p = kzalloc(SIZE, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	/* The compiler shall not see it. */
	OPTIMIZER_HIDE_VAR(p);
	READ_ONCE(*p);
}

/* DEBUG_ATOMIC_SLEEP: an allocation that may wait where nothing may. */
static noinline void plant_sleep(void)
{
	void *p;

	preempt_disable();
	p = kzalloc(SIZE, GFP_KERNEL);
	preempt_enable();
	kfree(p);
}

static void take(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	/* The order is what matters, these two are not of one class. */
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

/* PROVE_LOCKING: nobody has to meet anybody for this one to be found. */
static noinline void plant_inversion(void)
{
	take(&first, &second);
	take(&second, &first);
}

/* KMEMLEAK: several, for a stale word on a stack may look like a pointer. */
static noinline void plant_leak(void)
{
	void *p;
	int i;

	for (i = 0; i < LEAKS; i++) {
		p = kzalloc(SIZE, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(p);
	}
}

/* What kmemleak need not see, but the amount of memory shows (selftests/long). */
static noinline void plant_percpu(void)
{
	void __percpu *p = __alloc_percpu(PERCPU, sizeof(u64));

	OPTIMIZER_HIDE_VAR(p);
}

static const struct {
	const char *kind;
	void (*plant)(void);
} plants[] = {
	{ "uaf", plant_uaf },
	{ "sleep", plant_sleep },
	{ "inversion", plant_inversion },
	{ "leak", plant_leak },
	{ "percpu", plant_percpu },
};

/**
 * kvmx_plant() - make the fault that this module was built with
 *
 * Context: may sleep; once, when the module is loaded.
 */
void kvmx_plant(void)
{
	int i;

	pr_warn("kvmx: built with a fault on purpose: %s\n", KVMX_PLANT);
	for (i = 0; i < ARRAY_SIZE(plants); i++)
		if (!strcmp(plants[i].kind, KVMX_PLANT))
			plants[i].plant();
}

MODULE_INFO(plant, KVMX_PLANT);
