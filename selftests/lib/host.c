// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "vmm.h"

#define PARAM	"/sys/module/kvmx/parameters/stats"

static struct {
	int kmsg;
	bool loaded;
	char param[32];
	unsigned int nr_vms;
} host;

static void skip_all(const char *why)
{
	printf("TAP version 13\n1..0 # SKIP %s\n", why);
	fflush(stdout);
	exit(4);
}

int host_use_count(const char *module)
{
	char line[1024], name[64];
	FILE *f = fopen("/proc/modules", "r");
	int size, used, found = -1;

	if (!f)
		die_errno("/proc/modules");
	while (found < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %d %d", name, &size, &used) == 3 &&
		    !strcmp(name, module))
			found = used;
	fclose(f);
	return found;
}

static int load_kvmx(void)
{
	const char *ko = getenv("KVMX_KO");
	char cmd[512];

	if (!ko)
		ko = "/kvmx/kvmx.ko";
	if (access(ko, R_OK))
		snprintf(cmd, sizeof(cmd), "modprobe kvmx");
	else
		snprintf(cmd, sizeof(cmd), "insmod '%s'", ko);
	return system(cmd);
}

void host_get_stats_param(char *value, unsigned int size)
{
	FILE *f = fopen(PARAM, "r");

	if (!f || !fgets(value, size, f))
		die_errno(PARAM);
	fclose(f);
	value[strcspn(value, "\n")] = 0;
}

bool host_stats_param(const char *value)
{
	int fd = open(PARAM, O_WRONLY);
	bool ok;

	if (fd < 0)
		die_errno(PARAM);
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return ok;
}

void host_begin(void)
{
	struct kvmx_info info;
	int node;

	if (geteuid())
		skip_all("only for root");
	if (access("/dev/kvm", F_OK) &&
	    system(vmm_intel() ? "modprobe kvm_intel" : "modprobe kvm_amd"))
		skip_all("no KVM here");
	if (access("/dev/kvm", F_OK))
		skip_all("no KVM here");
	host.kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (host.kmsg >= 0)
		lseek(host.kmsg, 0, SEEK_END);
	host.loaded = host_use_count("kvmx") >= 0;
	if (!host.loaded && load_kvmx())
		die("kvmx cannot be loaded");
	host_get_stats_param(host.param, sizeof(host.param));
	node = kvmx_node();
	if (kvmx_info(node, &info))
		die_errno("KVMX_INFO");
	host.nr_vms = info.nr_vms;
	close(node);
}

static bool dirty(const char *what)
{
	printf("# dirty host: %s\n", what);
	return true;
}

/* What the kernel says when something is wrong with it. */
static bool kernel_complained(void)
{
	static const char * const words[] = {
		"WARNING:", "BUG:", "Oops", "general protection fault", "KASAN",
		"possible recursive locking", "circular locking", "unregister_netdevice",
		"refcount_t:", "does not fit, looking into no vCPU",
		"blocked for more than", "soft lockup", "stall",
	};
	bool bad = false;
	char line[2048];
	unsigned int i;
	ssize_t n;

	if (host.kmsg < 0)
		return false;
	for (;;) {
		n = read(host.kmsg, line, sizeof(line) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return bad;
		line[n] = 0;
		for (i = 0; i < sizeof(words) / sizeof(*words); i++)
			if (strstr(line, words[i]))
				bad = dirty(line);
	}
}

/* What goes on for a moment after a test: the last fds are being closed. */
static bool settle(int node, struct kvmx_info *info)
{
	unsigned int i;

	for (i = 0; i < 300 * patience(); i++) {
		if (kvmx_info(node, info))
			die_errno("KVMX_INFO");
		if (!info->nr_stats_fds && info->nr_vms <= host.nr_vms)
			return true;
		usleep(10000);
	}
	return false;
}

int host_end(int status)
{
	struct kvmx_info info;
	char param[32];
	bool bad = false;
	int node, i;

	fflush(stdout);
	host_get_stats_param(param, sizeof(param));
	if (strcmp(param, host.param)) {
		bad = dirty("the parameter stats is not what it was");
		host_stats_param(host.param);
	}
	node = kvmx_node();
	if (!settle(node, &info)) {
		printf("# %u statistics fds, %u VMs (%u before)\n",
		       info.nr_stats_fds, info.nr_vms, host.nr_vms);
		bad = dirty("something is still open");
	}
	if (!strcmp(host.param, "ondemand") && (info.state & KVMX_INFO_COUNTING))
		bad = dirty("probes are still attached");
	close(node);
	for (i = 0; host_use_count("kvmx") > 0 && i < 100; i++)
		usleep(10000);
	if (host_use_count("kvmx") != 0)
		bad = dirty("kvmx is still in use");
	if (!host.loaded) {
		if (system("rmmod kvmx"))
			bad = dirty("kvmx cannot be unloaded");
		else if (module_kprobes())
			bad = dirty("kprobes are left on KVM");
	}
	bad |= kernel_complained();
	return bad && (!status || status == 4) ? 1 : status;
}

int host_wait(int pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die_errno("the process that runs the cases");
	return host_end(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* A debug kernel: each lock and each access costs many times what it should. */
static bool checks_itself(void)
{
	return !access("/proc/lockdep_stats", F_OK);
}

unsigned int patience(void)
{
	const char *env = getenv("KVMX_TEST_PATIENCE");
	unsigned int times = env ? strtoul(env, NULL, 10) : 0;

	if (!times)
		times = checks_itself() ? 5 : 1;
	return times;
}

bool host_cpu_has(const char *feature)
{
	size_t len = strlen(feature);
	char line[8192];
	bool has = false;
	char *p = line;
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "flags", 5))
			break;
	while (f && !has && (p = strstr(p, feature))) {
		has = p[-1] == ' ' && (p[len] == ' ' || p[len] == '\n');
		p += len;
	}
	if (f)
		fclose(f);
	return has;
}

bool host_quiet(int node)
{
	struct kvmx_vm_info vms[8];
	struct kvmx_info info;
	int nr = -1, used = -1;
	unsigned int i;

	for (i = 0; i < 1000 * patience(); i++) {
		nr = kvmx_list(node, vms, 8);
		used = host_use_count("kvmx");
		if (kvmx_info(node, &info))
			die_errno("KVMX_INFO");
		if (!nr && !info.nr_vms && !info.nr_stats_fds && !info.memory &&
		    used == 1)
			return true;
		usleep(10000);
	}
	printf("# not quiet: %d VMs listed, %u alive, %u statistics fds, %llu bytes, used %d times\n",
	       nr, info.nr_vms, info.nr_stats_fds,
	       (unsigned long long)info.memory, used);
	return false;
}

bool host_counts_its_server(void)
{
	struct utsname name;

	return !uname(&name) && !strncmp(name.release, "6.12.", 5);
}

uint64_t scaled(uint64_t n)
{
	const char *env = getenv("KVMX_TEST_SCALE");
	unsigned long percent = env ? strtoul(env, NULL, 10) : 0;

	if (!percent)
		percent = sysconf(_SC_NPROCESSORS_ONLN) > 1 &&
			  !checks_itself() ? 100 : 25;
	n = n * percent / 100;
	return n ? n : 1;
}

uint64_t sized(const char *name, uint64_t n)
{
	const char *env = getenv(name);

	return env && *env ? strtoull(env, NULL, 10) : scaled(n);
}

bool host_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = strlen(text);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, n) == n;
	close(fd);
	return ok;
}

bool host_says(const char *path, const char *word)
{
	char line[256] = "", *save, *w;
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	for (w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		if (!strcmp(w, word))
			return true;
	return false;
}

bool host_parameter(const char *path)
{
	FILE *f = fopen(path, "r");
	bool on = f && fgetc(f) == 'Y';

	if (f)
		fclose(f);
	return on;
}

bool host_has_pml(void)
{
	return host_parameter("/sys/module/kvm_intel/parameters/pml");
}
