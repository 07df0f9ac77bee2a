// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/kvmx says, in plain lines, for the tests in shell: they must not
 * depend on the tool that they are next to.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "die.h"
#include "kvmx.h"
#include "place.h"

static int node;

static int usage(void)
{
	fprintf(stderr,
		"usage: look info | features | list\n"
		"       look figures PID VCPU|vm    name and value of each figure\n"
		"       look names PID VCPU|vm\n"
		"       look notes PID VCPU|vm      label, name, reason\n"
		"       look hold PID VCPU|vm       counts until stdin ends, then\n"
		"                                   prints the figures\n"
		"       look place PID              each vCPU on a core, committed\n"
		"A fourth argument \"groups\" asks for all groups of figures, too.\n");
	return 2;
}

static int info(void)
{
	struct kvmx_info i;

	if (kvmx_info(node, &i))
		die_errno("KVMX_INFO");
	printf("abi_version %u\nvendor %u\nclock %u\nclock_khz %u\n",
	       i.abi_version, i.vendor, i.clock, i.clock_khz);
	printf("nr_vms %u\nnr_stats_fds %u\n", i.nr_vms, i.nr_stats_fds);
	printf("counting %d\nalways %d\n", !!(i.state & KVMX_INFO_COUNTING),
	       !!(i.state & KVMX_INFO_STATS_ALWAYS));
	printf("uncounted %llu\nmemory %llu\nversion %s\n", i.uncounted,
	       i.memory, i.version);
	return 0;
}

static int features(void)
{
	static const char * const states[] = { "off", "on", "ready" };
	struct kvmx_feature f[64];
	int i, nr = kvmx_features(node, f, 64);

	for (i = 0; i < nr && i < 64; i++)
		printf("%s %s %s\n", f[i].name,
		       f[i].state < 3 ? states[f[i].state] : "?", f[i].reason);
	return 0;
}

static int list(void)
{
	struct kvmx_vm_info vms[256];
	int i, nr = kvmx_list(node, vms, 256);

	if (nr < 0)
		die_errno("KVMX_LIST");
	for (i = 0; i < nr && i < 256; i++)
		printf("%llu %d %u %s%s %s\n", vms[i].id, vms[i].pid,
		       vms[i].nr_vcpus,
		       vms[i].state & KVMX_VM_ADOPTED ? "adopted" : "born",
		       vms[i].state & KVMX_VM_COUNTING ? ",counting" : "",
		       vms[i].name);
	return 0;
}

static struct stats *attach(const char *pid, const char *vcpu,
			    unsigned int groups)
{
	int fd = kvmx_open(node, KVMX_BY_PID, strtoul(pid, NULL, 10), 0);
	struct stats *s;

	if (fd < 0)
		die_errno("KVMX_OPEN of pid %s", pid);
	s = kvmx_stats_with(fd, !strcmp(vcpu, "vm") ? KVMX_STATS_WHOLE_VM :
						      strtoul(vcpu, NULL, 10),
			    groups);
	close(fd);
	return s;
}

static int figures(struct stats *s, bool values)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++) {
		if (values)
			printf("%s %llu\n", s->desc[i].name, (unsigned long long)
			       stats_values(s, &s->desc[i])[0]);
		else
			printf("%s\n", s->desc[i].name);
	}
	return 0;
}

static int notes(struct stats *s)
{
	static const char * const labels[] = {
		"exact", "late", "sampled", "unavailable",
	};
	struct kvmx_note n[96];
	int i, nr = kvmx_notes(s->fd, n, 96);

	if (nr < 0)
		die_errno("KVMX_STATS_NOTES");
	for (i = 0; i < nr && i < 96; i++)
		printf("%s %s %s\n", n[i].label < 4 ? labels[n[i].label] : "?",
		       n[i].name, n[i].reason);
	return 0;
}

/* Each vCPU gets a core, and that is committed. */
static int place(const char *pid)
{
	struct placing *p = place_new(KVMX_POLICY_SPREAD);
	int fd = kvmx_open(place_node(), KVMX_BY_PID, strtoull(pid, NULL, 10), 0);

	if (fd < 0)
		die_errno("KVMX_OPEN of pid %s", pid);
	errno = place_do(fd, p);
	if (!errno)
		errno = place_commit(fd);
	if (errno)
		die_errno("placing pid %s", pid);
	return 0;
}

static int hold(struct stats *s)
{
	char c;

	printf("held\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	stats_read(s);
	return figures(s, true);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct stats *s;

	if (argc < 2)
		return usage();
	node = kvmx_node();
	if (!strcmp(what, "info"))
		return info();
	if (!strcmp(what, "features"))
		return features();
	if (!strcmp(what, "list"))
		return list();
	if (!strcmp(what, "place") && argc == 3)
		return place(argv[2]);
	if (argc != 4 && (argc != 5 || strcmp(argv[4], "groups")))
		return usage();
	s = attach(argv[2], argv[3], argc == 5 ? ALL_GROUPS : 0);
	if (!strcmp(what, "figures"))
		return figures(s, true);
	if (!strcmp(what, "names"))
		return figures(s, false);
	if (!strcmp(what, "notes"))
		return notes(s);
	if (!strcmp(what, "hold"))
		return hold(s);
	return usage();
}
