// SPDX-License-Identifier: GPL-2.0-only
/*
 * auto: the vCPU that waits longest for its CPU goes to a better one.
 *
 * It has to have waited for a tenth of the time, two intervals in a row (below a
 * twentieth it is forgiven, in between nothing changes). The CPU has to be one
 * that vCPUs may have, and so much less busy that what the vCPU would still have to
 * wait there, and what the move costs, is at least a twentieth of the time less.
 * A move costs the more the farther it goes, and the more of its TLB entries the
 * vCPU finds again where it is: who loses them anyway has nothing to lose. After a
 * move the vCPU is left alone for five intervals. One move per interval, so that
 * the next decision sees what this one did.
 *
 * smt isolate: only to a core on which no other placed vCPU is. smt require: pairs
 * are not torn apart, nobody moves.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "place/policy_auto.h"
#include "place/policy_work.h"

#define ALL	1000

/* What is on CPUs and cores: vCPUs of all placed VMs, and how busy they are. */
struct room {
	u32 *on_cpu;
	u32 *on_core;
	u32 *core_busy;
};

static struct room lay_out(void *room, u32 nr_cpus)
{
	u32 *numbers = room;

	return (struct room) {
		.on_cpu = numbers,
		.on_core = numbers + nr_cpus,
		.core_busy = numbers + 2 * (size_t)nr_cpus,
	};
}

/**
 * kvmx_auto_room() - bytes that it takes to decide
 * @nr_cpus: CPUs
 *
 * Return: bytes.
 */
size_t kvmx_auto_room(u32 nr_cpus)
{
	return 3 * sizeof(u32) * (size_t)nr_cpus;
}

static void count(const struct kvmx_auto_in *in, struct room *r)
{
	const struct kvmx_policy_cpu *c = in->cpus;
	u32 i, cpu;

	for (i = 0; i < in->nr_cpus; i++) {
		r->on_cpu[i] = c[i].load;
		r->on_core[c[i].core] += c[i].load;
		r->core_busy[c[i].core] += in->busy[i];
	}
	for (i = 0; i < in->nr_vcpus; i++) {
		cpu = in->vcpus[i].cpu;
		r->on_cpu[cpu]++;
		r->on_core[c[cpu].core]++;
	}
}

/* Remembers who waits; returns who waits longest and may be moved, or nobody. */
static u32 longest(const struct kvmx_auto_in *in, struct kvmx_auto_out *out)
{
	struct kvmx_auto_vcpu *v;
	u32 i, best = in->nr_vcpus;

	for (i = 0; i < in->nr_vcpus; i++) {
		v = &in->vcpus[i];
		if (v->ready >= KVMX_AUTO_READY_HIGH) {
			v->hot++;
			if (out->verdict == KVMX_AUTO_CONTENT)
				out->verdict = KVMX_AUTO_PATIENT;
		} else if (v->ready < KVMX_AUTO_READY_LOW) {
			v->hot = 0;
		}
		if (v->rest) {
			v->rest--;
			continue;
		}
		if (v->hot < KVMX_AUTO_PATIENCE ||
		    v->ready < KVMX_AUTO_READY_HIGH)
			continue;
		if (best == in->nr_vcpus || v->ready > in->vcpus[best].ready)
			best = i;
	}
	return best;
}

static bool may_go(const struct kvmx_auto_in *in, const struct room *r,
		   u32 from, u32 to)
{
	const struct kvmx_policy_cpu *c = &in->cpus[to];
	u32 others;

	if (to == from || !kvmx_policy_usable(c) ||
	    (in->pool && !kvmx_policy_has(in->pool, to)) ||
	    (in->closed && kvmx_policy_has(in->closed, to)))
		return false;
	if (in->smt != KVMX_SMT_ISOLATE)
		return true;
	/* The vCPU itself is gone from there, if it is its own sibling. */
	others = r->on_core[c->core] - (in->cpus[from].core == c->core);
	return !others;
}

/* How far it is, in what it costs to find caches and memory cold. */
static u32 distance_cost(const struct kvmx_policy_cpu *a,
			 const struct kvmx_policy_cpu *b)
{
	if (a->core == b->core)
		return 0;
	if (a->node != b->node)
		return 120;
	return a->llc != b->llc ? 40 : 10;
}

static u32 move_cost(const struct kvmx_auto_in *in,
		     const struct kvmx_auto_vcpu *v, u32 to)
{
	u32 kept = v->kept == KVMX_AUTO_UNKNOWN ? ALL : v->kept;
	u32 cost = distance_cost(&in->cpus[v->cpu], &in->cpus[to]);

	/* Half of it is memory and caches, half the TLB. */
	return cost / 2 + cost / 2 * kept / ALL;
}

/*
 * How long it would wait there: what it wants (it ran, or was ready to) and what
 * is left there do not both fit. Of what its siblings do, a part counts as well.
 */
static u32 expected(const struct kvmx_auto_in *in, const struct room *r,
		    const struct kvmx_auto_vcpu *v, u32 to)
{
	u32 core = in->cpus[to].core;
	u32 siblings = r->core_busy[core] - in->busy[to];
	u32 wants = v->ran + v->ready, busy;

	/* It will not be its own neighbour. */
	if (core == in->cpus[v->cpu].core)
		siblings -= siblings < v->ran ? siblings : v->ran;
	if (siblings > ALL)
		siblings = ALL;
	busy = in->busy[to] + siblings / 8;
	return wants + busy > ALL ? wants + busy - ALL : 0;
}

/* Whether one CPU is to be had rather than another, all else being the same. */
static bool emptier(const struct kvmx_auto_in *in, const struct room *r, u32 a,
		    u32 b)
{
	if (r->on_cpu[a] != r->on_cpu[b])
		return r->on_cpu[a] < r->on_cpu[b];
	return r->on_core[in->cpus[a].core] < r->on_core[in->cpus[b].core];
}

static void find(const struct kvmx_auto_in *in, const struct room *r,
		 const struct kvmx_auto_vcpu *v, struct kvmx_auto_out *out)
{
	u32 i, expect, cost, best = 0;

	for (i = 0; i < in->nr_cpus; i++) {
		if (!may_go(in, r, v->cpu, i))
			continue;
		expect = expected(in, r, v, i);
		cost = move_cost(in, v, i);
		if (out->to != KVMX_POLICY_NO_CPU &&
		    (expect + cost > best ||
		     (expect + cost == best && !emptier(in, r, i, out->to))))
			continue;
		best = expect + cost;
		out->to = i;
		out->expect = expect;
		out->cost = cost;
		out->busy = in->busy[i];
	}
}

/**
 * kvmx_auto_decide() - see whether a vCPU is to move, and where to
 * @in: what was measured; what vCPUs keep from one decision to the next is
 *	brought up to date
 * @out: the decision
 * @room: kvmx_auto_room() bytes, aligned as a u32
 *
 * Context: any; nothing is shared. Once per interval.
 */
void kvmx_auto_decide(const struct kvmx_auto_in *in, struct kvmx_auto_out *out,
		      void *room)
{
	struct room r = lay_out(room, in->nr_cpus);
	struct kvmx_auto_vcpu *v;
	u32 who;

	*out = (struct kvmx_auto_out) {
		.verdict = KVMX_AUTO_CONTENT, .to = KVMX_POLICY_NO_CPU,
	};
	who = longest(in, out);
	if (who == in->nr_vcpus)
		return;
	v = &in->vcpus[who];
	out->vcpu = who;
	out->from = v->cpu;
	out->ready = v->ready;
	out->kept = v->kept;
	if (in->smt == KVMX_SMT_REQUIRE) {
		out->verdict = KVMX_AUTO_PAIRS;
		return;
	}
	memset(room, 0, kvmx_auto_room(in->nr_cpus));
	count(in, &r);
	find(in, &r, v, out);
	out->verdict = KVMX_AUTO_NOWHERE;
	if (out->to == KVMX_POLICY_NO_CPU ||
	    out->expect + out->cost + KVMX_AUTO_GAIN > v->ready)
		return;
	out->verdict = KVMX_AUTO_MOVE;
	v->cpu = out->to;
	v->hot = 0;
	v->rest = KVMX_AUTO_REST;
}

/**
 * kvmx_auto_text() - a decision in words
 * @out: the decision
 * @index: index of the vCPU
 * @text: where to write them, NUL-terminated
 * @size: room there, more than 0
 */
void kvmx_auto_text(const struct kvmx_auto_out *out, u32 index, char *text,
		    size_t size)
{
	switch (out->verdict) {
	case KVMX_AUTO_CONTENT:
		snprintf(text, size, "nobody waits too long");
		break;
	case KVMX_AUTO_PATIENT:
		snprintf(text, size, "somebody waits, but not for long, or was moved lately");
		break;
	case KVMX_AUTO_PAIRS:
		snprintf(text, size, "vCPU %u waits %u %% of the time on CPU %u, but is one of a pair",
			 index, out->ready / 10, out->from);
		break;
	case KVMX_AUTO_NOWHERE:
		snprintf(text, size, "vCPU %u waits %u %% of the time on CPU %u, no other is better by enough",
			 index, out->ready / 10, out->from);
		break;
	case KVMX_AUTO_MOVE:
		snprintf(text, size, "vCPU %u waited %u %% of the time on CPU %u; CPU %u was %u %% busy",
			 index, out->ready / 10, out->from, out->to,
			 out->busy / 10);
		break;
	}
}
