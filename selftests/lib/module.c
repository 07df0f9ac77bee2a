// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

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

int module_load(const char *file, const char *params)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (syscall(SYS_finit_module, fd, params, 0))
		err = errno;
	close(fd);
	return err;
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? errno : 0;
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
	FILE *f = fopen(KPROBES, "r");
	unsigned int n = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		/* The function's module, or its name; or its module is gone. */
		if (!strstr(line, " kvm") && !strstr(line, "[GONE]"))
			continue;
		printf("# kprobe: %s", line);
		n++;
	}
	if (f)
		fclose(f);
	return n;
}

bool module_reload_kvm(void)
{
	const char *vendor = vmm_intel() ? "kvm_intel" : "kvm_amd";
	char cmd[64];
	unsigned int i;

	/* The last VM's file may be on its way out. */
	for (i = 0; i < 100 * patience() && host_use_count(vendor) > 0; i++)
		usleep(50000);
	snprintf(cmd, sizeof(cmd), "modprobe -r %s", vendor);
	if (system(cmd) || (module_loaded("kvm") && system("modprobe -r kvm")))
		return false;
	if (module_loaded(vendor) || module_loaded("kvm"))
		return false;
	snprintf(cmd, sizeof(cmd), "modprobe %s", vendor);
	return !system(cmd) && !access("/dev/kvm", F_OK);
}
