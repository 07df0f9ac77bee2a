// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_box.h"

#define TEXT	4096

unsigned long box_ops;

/* Called at each basic block of what is compiled with -fsanitize-coverage. */
void __sanitizer_cov_trace_pc(void)
{
	box_ops++;
}

/*
 * Siblings have numbers side by side, as in QEMU. Caches and cores are per node
 * and per cache.
 */
void box_init(struct box *b, u32 nodes, u32 llcs, u32 cores, u32 threads)
{
	const u32 llc = cores * threads, node = llcs * llc;
	u32 i;

	free(b->room);
	memset(b, 0, sizeof(*b));
	b->in.nr_cpus = nodes * node;
	b->in.nr_nodes = nodes;
	b->in.cpus = b->cpus;
	b->in.nodes = b->nodes;
	b->in.vcpus = b->vcpus;
	b->in.map = b->map;
	b->out.notes = b->notes;
	b->out.max_notes = BOX_NOTES;
	for (i = 0; i < nodes; i++)
		b->nodes[i].has_memory = true;
	for (i = 0; i < b->in.nr_cpus; i++) {
		b->cpus[i].core = i - i % threads;
		b->cpus[i].llc = i - i % llc;
		b->cpus[i].node = i / node;
		b->cpus[i].flags = KVMX_POLICY_ONLINE | KVMX_POLICY_ALLOWED;
	}
}

/* Another VM, without wishes, that was not placed before. */
void box_vm(struct box *b, u32 policy, u32 nr_vcpus)
{
	u32 i;

	b->in.policy = policy;
	b->in.smt = KVMX_SMT_PREFER;
	b->in.nr_vcpus = nr_vcpus;
	b->in.nr_map = 0;
	b->in.guest_threads = 0;
	b->in.memory_known = false;
	b->in.wish = NULL;
	b->in.emulator = NULL;
	b->in.io = NULL;
	for (i = 0; i < nr_vcpus; i++)
		b->vcpus[i] = (struct kvmx_policy_vcpu) {
			.index = i, .prev = KVMX_POLICY_NO_CPU,
		};
}

/* The same VM once more: its plan is in force. */
void box_again(struct box *b)
{
	u32 i;

	for (i = 0; i < b->in.nr_vcpus; i++)
		b->vcpus[i].prev = b->out.vcpus[i].cpu;
}

int box_plan(struct box *b)
{
	const struct kvmx_policy_in *in = &b->in;

	free(b->room);
	b->room = malloc(kvmx_policy_room(in->nr_cpus, in->nr_nodes,
					  in->nr_vcpus));
	if (!b->room)
		abort();
	return kvmx_policy_plan(in, &b->out, b->room);
}

/* The plan is in force: others have to live with it. */
void box_settle(struct box *b, u64 vm)
{
	u32 i;

	for (i = 0; i < b->in.nr_vcpus; i++) {
		b->cpus[b->out.vcpus[i].cpu].load++;
		b->cpus[b->out.vcpus[i].cpu].user = vm;
	}
	for (i = 0; i < b->in.nr_cpus; i++) {
		if (box_has(b->out.claim, i))
			b->cpus[i].owner = vm;
		if ((b->in.emulator && box_has(b->in.emulator, i)) ||
		    (b->in.io && box_has(b->in.io, i)))
			b->cpus[i].user = vm;
	}
}

void box_free(struct box *b)
{
	free(b->room);
	b->room = NULL;
}

void box_read(u64 *set, const char *list)
{
	unsigned int from, to;
	int used;

	memset(set, 0, sizeof(u64) * BOX_WORDS);
	while (sscanf(list, "%u%n", &from, &used) == 1) {
		list += used;
		to = from;
		if (sscanf(list, "-%u%n", &to, &used) == 1)
			list += used;
		for (; from <= to; from++)
			set[from / 64] |= 1ULL << (from % 64);
		list += *list == ',';
	}
}

const char *box_list(const struct box *b, const u64 *set)
{
	static char text[TEXT];
	size_t at = 0;
	u32 i, end;

	text[0] = '\0';
	for (i = 0; i < b->in.nr_cpus && at < TEXT - 32; i = end + 1) {
		end = i;
		if (!box_has(set, i))
			continue;
		while (end + 1 < b->in.nr_cpus && box_has(set, end + 1))
			end++;
		at += sprintf(text + at, "%s%u", at ? "," : "", i);
		if (end > i)
			at += sprintf(text + at, "-%u", end);
	}
	return text;
}

/* CPUs of the vCPUs, in their order: "0 2 4". */
const char *box_vcpus(const struct box *b)
{
	static char text[TEXT];
	size_t at = 0;
	u32 i;

	text[0] = '\0';
	for (i = 0; i < b->in.nr_vcpus && at < TEXT - 32; i++)
		at += sprintf(text + at, "%s%u", at ? " " : "",
			      b->out.vcpus[i].cpu);
	return text;
}

/* All notes in words, separated by "; ". */
const char *box_notes(const struct box *b)
{
	static char text[BOX_NOTES * (KVMX_REASON_LEN + 2)];
	size_t at = 0;
	u32 i;

	text[0] = '\0';
	for (i = 0; i < b->out.nr_notes && i < BOX_NOTES; i++) {
		if (i)
			at += sprintf(text + at, "; ");
		kvmx_policy_note_text(&b->notes[i], text + at, KVMX_REASON_LEN);
		at += strlen(text + at);
	}
	return text;
}
