// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"
#include "module.h"
#include "vmm.h"

#define KPROBES	"/sys/kernel/debug/kprobes/list"

const char *module_file(void)
{
	const char *ko = getenv("KVMX_KO");

	if (!ko)
		ko = "/kvmx/kvmx.ko";
	return access(ko, R_OK) ? NULL : ko;
}

bool module_loaded(const char *name)
{
	return host_use_count(name) >= 0;
}

bool module_unload_busy(unsigned int seconds, unsigned long *refused)
{
	time_t until = time(NULL) + seconds * patience();
	int err;

	for (;;) {
		err = module_unload("kvmx");
		if (!err)
			return true;
		if ((err != EWOULDBLOCK && err != EBUSY) || time(NULL) > until)
			break;
		++*refused;
		usleep(1000 + rand() % 4000);
	}
	printf("# kvmx cannot be unloaded: %s\n", strerror(err));
	return false;
}

unsigned int module_kprobes(void)
{
	/* The function's module, or its name; or its module is gone. */
	static const char * const ours[] = {
		" kvm", "[GONE]", "sched_setaffinity", "set_cpus_allowed_ptr",
	};
	const unsigned int n_ours = sizeof(ours) / sizeof(*ours);
	FILE *f = fopen(KPROBES, "r");
	unsigned int i, n = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		for (i = 0; i < n_ours && !strstr(line, ours[i]); i++)
			;
		if (i == n_ours)
			continue;
		printf("# kprobe: %s", line);
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

/*
 * The last VM's file may be on its way out, and whoever places a kprobe in it holds
 * the module for that long.
 */
static bool remove_patiently(const char *name)
{
	char cmd[64];
	unsigned int i;

	snprintf(cmd, sizeof(cmd), "modprobe -r %s 2>/dev/null", name);
	for (i = 0; i < 100 * patience() && module_loaded(name); i++) {
		if (host_use_count(name) || system(cmd))
			usleep(50000);
	}
	return !module_loaded(name);
}

bool module_reload_kvm(void)
{
	const char *vendor = vmm_intel() ? "kvm_intel" : "kvm_amd";
	char cmd[64];

	/* The vendor's takes the other one along, where it can. */
	if (!remove_patiently(vendor) || !remove_patiently("kvm"))
		return false;
	snprintf(cmd, sizeof(cmd), "modprobe %s", vendor);
	return !system(cmd) && !access("/dev/kvm", F_OK);
}
