// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "guest.h"
#include "host.h"
#include "text.h"
#include "util.h"

/* The word after the option, the last one where it is given twice. */
static const char *value_of(const char *words, size_t len, const char *option)
{
	const char *at, *end = words + len, *value = NULL;

	for (at = words; at < end; at += strlen(at) + 1) {
		const char *name = at + (at[0] == '-' && at[1] == '-');

		if (strcmp(name, option))
			continue;
		at += strlen(at) + 1;
		if (at >= end)
			break;
		value = at;
	}
	return value;
}

static bool is_qemu(const char *words)
{
	const char *slash = words ? strrchr(words, '/') : NULL;
	const char *name = slash ? slash + 1 : words;

	return name && (!strncmp(name, "qemu", 4) || !strcmp(name, "kvm"));
}

/*
 * What stands after "KEY=" in "a=1,KEY=2", or before the first comma where that
 * has no key and may go without; to be freed.
 */
static char *part_of(const char *list, const char *key, bool first)
{
	size_t key_len = strlen(key);

	while (list) {
		size_t len = strcspn(list, ",");

		if (len > key_len && !strncmp(list, key, key_len) &&
		    list[key_len] == '=')
			return xasprintf("%.*s", (int)(len - key_len - 1),
					 list + key_len + 1);
		if (first && !memchr(list, '=', len))
			return xasprintf("%.*s", (int)len, list);
		first = false;
		list = list[len] ? list + len + 1 : NULL;
	}
	return NULL;
}

/**
 * guest_name() - QEMU's "-name guest=NAME" or "-name NAME"
 * @words: the command line, each word ended by a zero; may be NULL
 * @len: of all words
 *
 * Return: the name, to be freed, or NULL.
 */
char *guest_name(const char *words, size_t len)
{
	char *name;

	if (!is_qemu(words))
		return NULL;
	name = part_of(value_of(words, len, "-name"), "guest", true);
	if (name)
		text_clean(name);
	return name;
}

static unsigned int number_of(const char *list, const char *key, bool first)
{
	char *part = part_of(list, key, first);
	__u64 n = 0;

	if (part && !parse_u64(part, 1U << 20, &n))
		n = 0;
	free(part);
	return (unsigned int)n;
}

/*
 * As QEMU works it out: what is not given is 1, but for the innermost where all
 * others are given.
 */
static unsigned int smp_threads(const char *smp)
{
	static const char * const others[] = {
		"drawers", "books", "dies", "clusters", "modules",
	};
	unsigned int threads = number_of(smp, "threads", false);
	unsigned int all = number_of(smp, "maxcpus", false);
	unsigned int cores = number_of(smp, "cores", false);
	unsigned int sockets = number_of(smp, "sockets", false);
	unsigned int i, each = cores * sockets;

	if (threads || !each)
		return threads ? threads : 1;
	if (!all)
		all = number_of(smp, "cpus", true);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		unsigned int n = number_of(smp, others[i], false);

		each *= n ? n : 1;
	}
	return all / each ? all / each : 1;
}

/* Threads per core that QEMU shows to the guest; 0: it is not QEMU. */
unsigned int guest_threads(const char *words, size_t len)
{
	const char *smp;

	if (!is_qemu(words))
		return 0;
	smp = value_of(words, len, "-smp");
	return smp ? smp_threads(smp) : 1;
}

/* A vCPU, and the core within which its CPUs lie. */
struct seat {
	__u32 vcpu;
	const struct cpus *cpus;
	bool one_core;
	struct cpus core;
};

static void sit_down(struct seat *s, const struct placement *p, unsigned int i)
{
	unsigned int cpu = 0;

	s->vcpu = p->threads[i].vcpu;
	s->cpus = &p->masks[i];
	while (cpu < CPUS_MAX && !cpus_has(s->cpus, cpu))
		cpu++;
	s->one_core = host_siblings(cpu, &s->core) &&
		      cpus_within(s->cpus, &s->core);
}

static bool same_core(const struct seat *a, const struct seat *b)
{
	return a->one_core && b->one_core && cpus_equal(&a->core, &b->core);
}

static char *in_words(const struct seat *a, const struct seat *b, bool guest)
{
	const char *what = guest ? "one core for the guest, but may run on two" :
				   "two cores for the guest, but share one";
	char *cpus_a = cpus_text(a->cpus), *cpus_b = cpus_text(b->cpus), *text;

	text = xasprintf("vCPUs %u and %u are %s (CPUs %s and %s)", a->vcpu,
			 b->vcpu, what, cpus_a, cpus_b);
	free(cpus_a);
	free(cpus_b);
	return text;
}

static void compare(const struct seat *a, const struct seat *b,
		    struct guest_fit *to)
{
	bool guest = a->vcpu / to->threads == b->vcpu / to->threads;

	if (guest == same_core(a, b))
		return;
	if (!to->mismatches++)
		to->text = in_words(a, b, guest);
}

/**
 * guest_fit() - does the guest see the cores that its vCPUs have?
 * @p: the placement
 * @to: the answer
 *
 * QEMU numbers vCPUs core by core, and KVM's indexes follow.
 */
void guest_fit(const struct placement *p, struct guest_fit *to)
{
	struct seat *seats = xcalloc(p->nr_threads, sizeof(*seats));
	unsigned int i, j, nr = 0;
	size_t len = 0;
	char *words = host_command_line(p->vm.pid, &len);

	memset(to, 0, sizeof(*to));
	to->threads = guest_threads(words, len);
	to->from = "-smp of QEMU's command line";
	free(words);
	for (i = 0; to->threads && i < p->nr_threads; i++)
		if (p->threads[i].thread_class == KVMX_THREAD_VCPU &&
		    cpus_count(&p->masks[i]))
			sit_down(&seats[nr++], p, i);
	for (i = 0; i < nr; i++)
		for (j = i + 1; j < nr; j++)
			compare(&seats[i], &seats[j], to);
	free(seats);
}
