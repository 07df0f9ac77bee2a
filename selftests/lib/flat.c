// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "die.h"
#include "flat.h"

#define SLABS		"/sys/kernel/slab"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/*
 * What a cache may grow by: half an object each time, for whatever else lives
 * on the host, a few, and a slab, all of which counts as in use while it is some
 * CPU's own.
 */
#define MAY_OBJECTS(times, cache)	((long)(times) / 2 + 64 + (cache)->per_slab)
/* Looks in a row, of which the smallest figure counts, for the same reason. */
#define LOOKS			5
/* Growth has to be there so many times, each time of all those looks. */
#define TIMES			3
/*
 * In kB. A vCPU's counters are 28 or 48; a page of per-CPU memory is taken for
 * all CPUs at once; stacks of threads are kept back for the next ones.
 */
#define MAY_SLAB		2048
#define MAY_PERCPU		2048
#define MAY_VMALLOC		1024
#define MAY_STACKS		512

static void poke(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		die_errno("%s", file);
	close(fd);
}

/*
 * Objects that wait for a grace period, lie on a CPU's own list or in KASAN's
 * quarantine count as used in /proc/slabinfo: get them out of there. The files
 * stay open, so that looking does not leave objects of its own.
 */
static void shrink_all(void)
{
	static int fds[FLAT_CACHES];
	static unsigned int nr;
	DIR *dir = nr ? NULL : opendir(SLABS);
	struct dirent *e;
	char path[320];
	unsigned int i;

	while (dir && (e = readdir(dir)) && nr < FLAT_CACHES) {
		/* The others are further names of the same caches. */
		if (e->d_type == DT_LNK || *e->d_name == '.')
			continue;
		snprintf(path, sizeof(path), SLABS "/%s/shrink", e->d_name);
		fds[nr] = open(path, O_WRONLY | O_CLOEXEC);
		nr += fds[nr] >= 0;
	}
	if (dir)
		closedir(dir);
	for (i = 0; i < nr; i++)
		if (pwrite(fds[i], "1", 1, 0) < 0)
			errno = 0;	/* not every cache can be */
}

static void settle(void)
{
	int i;

	shrink_all();
	poke("/proc/sys/vm/drop_caches", "3");
	/* kfree_rcu() collects for up to five seconds. */
	sleep(6);
	for (i = 0; i < 3; i++) {
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		usleep(100000);
	}
	shrink_all();
}

static void read_meminfo(struct flat *f)
{
	const struct {
		const char *name;
		long *kb;
	} figures[] = {
		{ "SUnreclaim:", &f->slab }, { "Percpu:", &f->percpu },
		{ "VmallocUsed:", &f->vmalloc }, { "KernelStack:", &f->stacks },
	};
	FILE *file = fopen("/proc/meminfo", "r");
	char line[128], name[64];
	unsigned int i;
	long kb;

	if (!file)
		die_errno("/proc/meminfo");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", name, &kb) != 2)
			continue;
		for (i = 0; i < 4; i++)
			if (!strcmp(name, figures[i].name))
				*figures[i].kb = kb;
	}
	fclose(file);
}

/*
 * vmalloc() keeps areas for the next time; see VmallocUsed. So does DEBUG_OBJECTS
 * with what it knows of others' objects, and kmemleak has one or two for each object
 * that it watches, vmalloc()'s areas among them; those of others are in caches of
 * their own.
 */
static bool is_passed_over(const char *name)
{
	static const char * const kept[] = {
		"vmap_area", "debug_objects_cache", "kmemleak_object",
		"kmemleak_scan_area",
	};
	unsigned int i;

	for (i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (!strcmp(name, kept[i]))
			return true;
	return false;
}

static void read_slabs(struct flat *f)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[256];
	long total;

	while (file && fgets(line, sizeof(line), file) && f->nr < FLAT_CACHES) {
		struct flat_cache *c = &f->cache[f->nr];

		if (*line != '#' &&
		    sscanf(line, "%63s %ld %ld %ld %ld", c->name, &c->active,
			   &total, &c->size, &c->per_slab) == 5 &&
		    !is_passed_over(c->name))
			f->nr++;
	}
	if (file)
		fclose(file);
}

static struct flat_cache *find(struct flat *f, const char *name)
{
	unsigned int i;

	for (i = 0; i < f->nr; i++)
		if (!strcmp(f->cache[i].name, name))
			return &f->cache[i];
	return NULL;
}

void flat_take(struct flat *f)
{
	static struct flat again;
	unsigned int i, look;

	memset(f, 0, sizeof(*f));
	settle();
	read_slabs(f);
	for (look = 1; look < LOOKS; look++) {
		usleep(50000);
		shrink_all();
		again.nr = 0;
		read_slabs(&again);
		for (i = 0; i < f->nr; i++) {
			struct flat_cache *c = find(&again, f->cache[i].name);

			if (c && c->active < f->cache[i].active)
				f->cache[i].active = c->active;
		}
	}
	read_meminfo(f);
}

static bool kb_stayed(const char *what, long before, long after, long may)
{
	bool fine = after - before <= may;

	printf("# %s: %ld kB, %+ld (allowed: %ld)%s\n", what, before,
	       after - before, may, fine ? "" : ": too much");
	return fine;
}

static bool all_stayed(struct flat *before, struct flat *after,
		       unsigned long times)
{
	long most = 0;
	const char *grown = "none";
	bool fine = true;
	unsigned int i;

	fine &= kb_stayed("slab", before->slab, after->slab, MAY_SLAB);
	fine &= kb_stayed("per CPU", before->percpu, after->percpu, MAY_PERCPU);
	fine &= kb_stayed("vmalloc", before->vmalloc, after->vmalloc,
			  MAY_VMALLOC);
	fine &= kb_stayed("stacks", before->stacks, after->stacks, MAY_STACKS);
	for (i = 0; i < after->nr; i++) {
		const struct flat_cache *c = &after->cache[i];
		const struct flat_cache *was = find(before, c->name);
		long more = c->active - (was ? was->active : 0);

		if (more > most) {
			most = more;
			grown = c->name;
		}
		if (more > MAY_OBJECTS(times, c)) {
			printf("# cache %s: %ld more objects of %ld bytes after %lu times, allowed: %ld\n",
			       c->name, more, c->size, times,
			       MAY_OBJECTS(times, c));
			fine = false;
		}
	}
	if (after->nr)
		printf("# caches: %u, grown most: %s, by %ld objects\n",
		       after->nr, grown, most);
	else
		printf("# caches: not looked at, this kernel has no /proc/slabinfo\n");
	return fine;
}

/*
 * What is lost is so at every look. What KASAN keeps in quarantine, or a CPU in the
 * slab it takes objects from, counts as in use, and is another figure each time.
 */
bool flat_stayed(struct flat *before, struct flat *after, unsigned long times)
{
	bool fine = all_stayed(before, after, times);
	int i;

	for (i = 1; !fine && i < TIMES; i++) {
		printf("# looking again\n");
		flat_take(after);
		fine = all_stayed(before, after, times);
	}
	return fine;
}

/* All of them: what a module left that is unloaded since has no name any more. */
static unsigned int count_suspects(bool tell)
{
	FILE *f = fopen(KMEMLEAK, "r");
	unsigned int n = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		n += !strncmp(line, "unreferenced object", 19);
		if (tell)
			printf("# %s", line);
	}
	if (f)
		fclose(f);
	return n;
}

/* What was only on its way when both scans looked is found by another one. */
unsigned int flat_leaks(void)
{
	if (access(KMEMLEAK, F_OK))
		return 0;
	/* An object is suspected from its sixth second on, and seen twice. */
	sleep(6);
	poke(KMEMLEAK, "scan");
	poke(KMEMLEAK, "scan");
	if (!count_suspects(false))
		return 0;
	sleep(6);
	poke(KMEMLEAK, "scan");
	return count_suspects(true);
}
