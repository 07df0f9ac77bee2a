// SPDX-License-Identifier: GPL-2.0-only
/*
 * No cache line is written by two vCPUs. Takes the addresses of all that a vCPU
 * writes while everything is counted, from the kvmx that is loaded, and then looks
 * whether that is all: while one vCPU exits in every way, nothing of another
 * one, of its VM or of kvmx itself may change. (Not seen: what is written back to
 * what it was, as locks are. On these ways that is kvmx_vcpu.lock alone, see
 * docs/locking.md.) The look is a module of its own, layout/layout.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "vmm.h"

#define LOOK		"kvmx_layout"
#define PARAMS		"/sys/module/" LOOK "/parameters/"
#define NR_VCPUS	3
#define TEXT		8192
#define MAX_SYMBOLS	4096

/* What kallsyms names of kvmx. */
struct symbol {
	unsigned long at;
	char type;
	char name[64];
};

FIXTURE(layout) {
	int node, fd[2];
	struct vmm *vm[2];
	struct stats *s[2];
	struct symbol *symbols;
	unsigned int nr_symbols;
	char text[TEXT];
};

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* In the order in which they lie. */
static void read_symbols(FIXTURE_DATA(layout) *self)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], of[64];
	struct symbol s;

	if (!f)
		die_errno("/proc/kallsyms");
	self->symbols = calloc(MAX_SYMBOLS, sizeof(s));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %c %63s %63s", &s.at, &s.type, s.name,
			   of) == 4 &&
		    !strcmp(of, "[kvmx]") && self->nr_symbols < MAX_SYMBOLS)
			self->symbols[self->nr_symbols++] = s;
	fclose(f);
	qsort(self->symbols, self->nr_symbols, sizeof(s), by_address);
}

static unsigned long address(const FIXTURE_DATA(layout) *self, const char *name)
{
	unsigned int i;

	for (i = 0; i < self->nr_symbols; i++)
		if (!strcmp(self->symbols[i].name, name))
			return self->symbols[i].at;
	return 0;
}

static void param_set(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), PARAMS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) != (ssize_t)strlen(value))
		die_errno("%s", path);
	close(fd);
}

static const char *param_get(FIXTURE_DATA(layout) *self, const char *name)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), PARAMS "%s", name);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, self->text, TEXT - 1);
	if (n < 0)
		die_errno("%s", path);
	close(fd);
	self->text[n] = '\0';
	return self->text;
}

/* 0, or what there is not. */
static const char *load_look(FIXTURE_DATA(layout) *self)
{
	const char *ko = module_file();
	char path[512], dir[256], params[512];
	int err;

	snprintf(dir, sizeof(dir), "%s", ko ?: "");
	snprintf(path, sizeof(path), "%s/" LOOK ".ko", dirname(dir));
	if (access(path, R_OK))
		return LOOK ".ko is not beside kvmx.ko (make KVMX_TESTS=1)";
	snprintf(params, sizeof(params),
		 "vms=%#lx vm_lock=%#lx hot=%#lx vcpu_last=%#lx data_size=%zu",
		 address(self, "vms"), address(self, "kvmx_vm_lock"),
		 address(self, "kvmx_hot"), address(self, "kvmx_vcpu_last"),
		 self->s[0]->size);
	if (!address(self, "vms"))
		return "the kernel does not name variables (KALLSYMS_ALL)";
	err = module_load(path, params);
	if (err)
		die(LOOK ".ko: %s", strerror(err));
	return NULL;
}

/* Every way out that there is, into the kernel and to user space. */
static unsigned int all_kinds(struct vmm_step *steps)
{
	static const unsigned int kinds[] = {
		VMM_CPUID, VMM_OUT_USER, VMM_OUT_KERNEL, VMM_MMIO, VMM_HLT,
		VMM_HYPERCALL, VMM_RDMSR, VMM_WRMSR, VMM_TOUCH, VMM_CR4,
	};
	unsigned int i, nr = sizeof(kinds) / sizeof(*kinds);

	for (i = 0; i < nr; i++)
		steps[i] = (struct vmm_step){ .kind = kinds[i], .n = 20 };
	return nr;
}

static void run(struct vmm_vcpu *v)
{
	struct vmm_step steps[VMM_MAX_STEPS];
	unsigned int nr = all_kinds(steps);

	vmm_run(v, steps, nr);
	vmm_run(v, steps, nr);
}

/* All vCPUs at once, in threads that have ended afterwards. */
static void run_all(FIXTURE_DATA(layout) *self)
{
	struct vmm_step steps[VMM_MAX_STEPS];
	unsigned int nr = all_kinds(steps), i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < NR_VCPUS; i++)
			vmm_start(&self->vm[k]->vcpu[i], steps, nr);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < NR_VCPUS; i++) {
			while (!self->vm[k]->vcpu[i].rounds)
				usleep(1000);
			vmm_stop(&self->vm[k]->vcpu[i]);
		}
	}
}

FIXTURE_SETUP(layout)
{
	const char *why;
	unsigned int i, k;

	self->node = kvmx_node();
	for (k = 0; k < 2; k++) {
		self->vm[k] = vmm_create(VMM_IRQCHIP);
		for (i = 0; i < NR_VCPUS; i++)
			vmm_add_vcpu(self->vm[k]);
		self->fd[k] = kvmx_vm_by_fd(self->node, self->vm[k]->fd);
		self->s[k] = kvmx_stats_with(self->fd[k], 0, ALL_GROUPS);
	}
	run_all(self);
	read_symbols(self);
	if (access("/proc/lockdep_stats", F_OK) == 0)
		SKIP(return, "a debug kernel writes its own words into ours");
	why = load_look(self);
	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(layout)
{
	unsigned int k;

	if (module_loaded(LOOK) && module_unload(LOOK))
		die_errno("unloading " LOOK);
	for (k = 0; k < 2; k++) {
		stats_close(self->s[k]);
		close(self->fd[k]);
		vmm_destroy(self->vm[k]);
	}
	free(self->symbols);
	close(self->node);
}

/* The last line of "report". */
struct report {
	unsigned int areas;
	unsigned long lines, shared;
};

static struct report report(FIXTURE_DATA(layout) *self)
{
	struct report r = { };
	const char *last = strstr(param_get(self, "report"), "areas ");

	if (!last || sscanf(last, "areas %u lines %lu shared %lu", &r.areas,
			    &r.lines, &r.shared) != 3)
		die("report: %s", self->text);
	return r;
}

TEST_F_TIMEOUT(layout, no_cache_line_is_written_by_two_vcpus, 120)
{
	struct report r = report(self);

	EXPECT_EQ(0, r.shared) {
		TH_LOG("%s", self->text);
	}
	/* Record, counters and groups of each, and something per CPU. */
	EXPECT_LT(2 * NR_VCPUS * 3, r.areas);
	EXPECT_LT(2 * NR_VCPUS * self->s[0]->size / 64, r.lines);
}

TEST_F_TIMEOUT(layout, one_that_is_would_be_seen, 120)
{
	param_set("plant", "1");
	EXPECT_EQ(2 * (NR_VCPUS - 1), report(self).shared) {
		TH_LOG("%s", self->text);
	}
	param_set("plant", "0");
	EXPECT_EQ(0, report(self).shared);
}

/*
 * Remembers records, and variables; of these it is not known how long they are.
 * Those of each CPU are none of them: kallsyms has no letter for them. Return: how
 * many variables.
 */
static unsigned int mark(FIXTURE_DATA(layout) *self)
{
	unsigned long size;
	char text[128];
	unsigned int i, nr = 0;

	param_set("mark", "none");
	param_set("mark", "records");
	for (i = 0; i < self->nr_symbols; i++) {
		const struct symbol *s = &self->symbols[i];

		/* Of the same address: several names of one thing. */
		size = i + 1 < self->nr_symbols ? s[1].at - s->at : 64;
		if (!size || !strchr("dDbB", s->type))
			continue;
		if (size > 65536)
			size = 64;
		snprintf(text, sizeof(text), "%lx %lu %.40s", s->at, size,
			 s->name);
		param_set("mark", text);
		nr++;
	}
	return nr;
}

/* How many lines of "changed" are about something else than @whose. */
static unsigned int changed_but(FIXTURE_DATA(layout) *self, const char *whose,
				unsigned int *own)
{
	char copy[TEXT], *line, *rest = copy;
	unsigned int others = 0;

	*own = 0;
	snprintf(copy, sizeof(copy), "%s", param_get(self, "changed"));
	while ((line = strsep(&rest, "\n")) && strncmp(line, "of ", 3)) {
		if (!strncmp(line, whose, strlen(whose)))
			++*own;
		else
			others++;
	}
	return others;
}

static void vcpu_name(FIXTURE_DATA(layout) *self, char *to, size_t size,
		      unsigned int vcpu)
{
	struct kvmx_vm_info info = { };

	kvmx_vm_info(self->fd[0], &info);
	snprintf(to, size, "vm %llu vcpu %u ", info.id, vcpu);
}

TEST_F_TIMEOUT(layout, a_vcpu_writes_nothing_that_is_not_its_own, 120)
{
	unsigned int i, own, others, marked, nr;
	unsigned long bytes = 0;
	char whose[64];

	for (i = 0; i < NR_VCPUS; i++) {
		struct vmm_vcpu *v = &self->vm[0]->vcpu[i];

		vcpu_name(self, whose, sizeof(whose), i);
		/* This thread has to be known as its. */
		run(v);
		nr = mark(self);
		run(v);
		others = changed_but(self, whose, &own);
		EXPECT_EQ(0, others) {
			TH_LOG("while %sran: %s", whose, self->text);
		}
		/* Counters and groups do; the record's lock is as before. */
		EXPECT_LE(2, own) {
			TH_LOG("while %sran: %s", whose, self->text);
		}
		sscanf(strstr(self->text, "of "), "of %u %lu", &marked, &bytes);
		EXPECT_LE(nr + 2 * NR_VCPUS * 3 + 2, marked);
		EXPECT_LT(20, nr);
		EXPECT_LT(2 * NR_VCPUS * self->s[0]->size, bytes);
	}
}

HOST_HARNESS_MAIN
