// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backing.h"

static FILE *open_of(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

/* "Name:   123 kB" */
static void take_line(struct backing *b, const char *line)
{
	const struct {
		const char *name;
		__u64 *to;
	} fields[] = {
		{ "Rss", &b->resident },
		{ "AnonHugePages", &b->thp },
		{ "ShmemPmdMapped", &b->thp },
		{ "FilePmdMapped", &b->thp },
		{ "Shared_Hugetlb", &b->hugetlb },
		{ "Private_Hugetlb", &b->hugetlb },
		{ "KSM", &b->ksm },
		{ "Swap", &b->swap },
	};
	unsigned long long kb;
	char name[32];
	unsigned int i;

	if (sscanf(line, "%31[^:]: %llu kB", name, &kb) != 2)
		return;
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!strcmp(name, fields[i].name))
			*fields[i].to += kb << 10;
	if (!strcmp(name, "KSM"))
		b->has_ksm = true;
}

static bool read_sums(int pid, struct backing *b)
{
	FILE *f = open_of(pid, "smaps_rollup");
	unsigned int lines = 0;
	char line[256];

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		take_line(b, line);
		lines++;
	}
	fclose(f);
	return lines > 1;
}

/* Kernels whose smaps do not know KSM yet. */
static void read_ksm(int pid, struct backing *b)
{
	FILE *f = open_of(pid, "ksm_stat");
	unsigned long long pages;
	char line[128];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "ksm_merging_pages %llu", &pages) != 1)
			continue;
		b->ksm = pages * (__u64)sysconf(_SC_PAGESIZE);
		b->has_ksm = true;
	}
	fclose(f);
}

/* A mapping: "7f... default anon=12 ... N0=10 N1=2 kernelpagesize_kB=4" */
static void take_mapping(struct backing *b, char *line)
{
	const char *size = strstr(line, "kernelpagesize_kB=");
	unsigned long long pages, kb = 4;
	unsigned int node;
	char *word, *rest;

	if (size)
		sscanf(size, "kernelpagesize_kB=%llu", &kb);
	for (word = strtok_r(line, "\n ", &rest); word;
	     word = strtok_r(NULL, "\n ", &rest)) {
		if (sscanf(word, "N%u=%llu", &node, &pages) != 2 ||
		    node >= BACKING_NODES)
			continue;
		b->node[node] += pages * kb << 10;
		if (node >= b->nr_nodes)
			b->nr_nodes = node + 1;
	}
}

static void read_nodes(int pid, struct backing *b)
{
	FILE *f = open_of(pid, "numa_maps");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return;
	while (getline(&line, &size, f) > 0)
		take_mapping(b, line);
	free(line);
	fclose(f);
}

/* Return: false where the process may not be looked into, or is gone. */
bool backing_read(int pid, struct backing *b)
{
	memset(b, 0, sizeof(*b));
	if (pid <= 0 || !read_sums(pid, b))
		return false;
	if (!b->has_ksm)
		read_ksm(pid, b);
	read_nodes(pid, b);
	return true;
}
