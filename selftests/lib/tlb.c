// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include "company.h"
#include "die.h"
#include "host.h"
#include "tlb.h"

void tlb_begin(struct tlb *t)
{
	t->cpu = sched_getcpu();
	pin(0, t->cpu);
	t->node = kvmx_node();
	t->vm = vmm_create(0);
	t->v = vmm_add_vcpu(t->vm);
	t->fd = kvmx_vm_by_fd(t->node, t->vm->fd);
	t->mem = vmm_map_huge(VMM_HUGE_PAGE);
	vmm_set_slot(t->vm, VMM_SLOT, VMM_GPA, t->mem, VMM_HUGE_PAGE, 0);
	vmm_warm(t->v);
	t->s = kvmx_stats_with(t->fd, 0, KVMX_STATS_TLB);
	t->base = malloc(t->s->size);
	if (!t->base)
		die("out of memory");
}

void tlb_end(struct tlb *t)
{
	stats_close(t->s);
	free(t->base);
	close(t->fd);
	vmm_destroy(t->vm);
	close(t->node);
}

void tlb_mark(struct tlb *t)
{
	/* What was asked for before is over, and the thread is known. */
	vmm_do(t->v, VMM_CPUID, 1);
	stats_read(t->s);
	memcpy(t->base, t->s->data, t->s->size);
}

static uint64_t rise_of(const struct tlb *t, const struct stat_desc *d)
{
	uint64_t before;

	memcpy(&before, t->base + d->offset, sizeof(before));
	return stats_values(t->s, d)[0] - before;
}

uint64_t tlb_rise(struct tlb *t, const char *name)
{
	const struct stat_desc *d = stats_find(t->s, name);

	return d ? rise_of(t, d) : 0;
}

uint64_t tlb_rises(struct tlb *t, const char *prefix)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < t->s->nr; i++)
		if (!strncmp(t->s->desc[i].name, prefix, strlen(prefix)))
			sum += rise_of(t, &t->s->desc[i]);
	return sum;
}

/* The scheduler may take the CPU away at any time: nothing that shows that. */
static bool about_flushes(const char *name)
{
	return !strcmp(name, "tlb.flushes") || !strcmp(name, "tlb.missed") ||
	       !strncmp(name, "tlb.kind.", 9) ||
	       !strncmp(name, "tlb.cause.", 10) ||
	       !strncmp(name, "tlb.also.", 9);
}

const char *tlb_changes(struct tlb *t)
{
	unsigned int i;
	size_t at = 0;

	stats_read(t->s);
	t->got[0] = '\0';
	for (i = 0; i < t->s->nr; i++) {
		const struct stat_desc *d = &t->s->desc[i];

		if (about_flushes(d->name) && rise_of(t, d))
			at += snprintf(t->got + at, TLB_TEXT - at, " %s=%lu",
				       d->name + 4, rise_of(t, d));
	}
	return t->got;
}

const char *tlb_moved(void)
{
	return vmm_intel() ? "invept_global" : "new_asid";
}

const char *tlb_whole(void)
{
	if (!vmm_intel() && host_cpu_has("flushbyasid"))
		return "asid";
	return tlb_moved();
}

const char *tlb_guest(void)
{
	return vmm_intel() ? "guest" : tlb_whole();
}

void tlb_write_page(struct vmm_vcpu *v, unsigned int page)
{
	struct vmm_step step = {
		.kind = VMM_WRITE, .n = 1, .arg = VMM_GPA + page * 4096UL,
	};

	vmm_run(v, &step, 1);
}

void tlb_take_page(uint8_t *mem, unsigned int page)
{
	if (madvise(mem + page * 4096UL, 4096, MADV_DONTNEED))
		die_errno("MADV_DONTNEED");
}
