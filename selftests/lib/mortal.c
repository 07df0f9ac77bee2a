// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "die.h"
#include "hint.h"
#include "mortal.h"
#include "vmm.h"

#define VCPUS_MADE	20

static void tell(int *pipe)
{
	char c = 1;

	if (*pipe >= 0 && write(*pipe, &c, 1) != 1)
		_exit(1);
	close(*pipe);
	*pipe = -1;
}

static void create_for_ever(int pipe)
{
	for (;;) {
		struct vmm *vm = vmm_create(VMM_IRQCHIP);
		unsigned int i;

		for (i = 0; i < VCPUS_MADE; i++) {
			vmm_add_vcpu(vm);
			tell(&pipe);
		}
		vmm_destroy(vm);
	}
}

static void run_for_ever(enum mortal_kind kind, unsigned int vcpus, int pipe)
{
	struct vmm_step run[] = {
		{ .kind = VMM_CPUID, .n = 50 },
		{ .kind = VMM_OUT_USER, .n = 5 },
		{ .kind = VMM_TOUCH, .n = 20 },
		{ .kind = VMM_KVMX, .n = 2 },
		{ .kind = VMM_SPIN, .n = 1000 },
	};
	struct vmm_step halt = { .kind = VMM_HLT, .n = 1 };
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	unsigned int i;

	for (i = 0; i < vcpus; i++) {
		struct vmm_vcpu *v = vmm_add_vcpu(vm);

		/* Not to take all of a slow machine, it is away now and then. */
		v->user_us = kind == MORTAL_TOILS ? 0 : 2000;
		v->halt_us = 60000000;
		/* Where nobody listens, the answer is an error, and that is all. */
		hint_load(v, KVMX_HC_HINT,
			  KVMX_HINT_WORD(KVMX_KIND_CRITICAL, 1, 0), 100, 0, 0);
		if (kind == MORTAL_HALTS)
			vmm_start(v, &halt, 1);
		else
			vmm_start(v, run, 5);
	}
	for (i = 0; i < vcpus; i++)
		while (kind == MORTAL_HALTS ? !vm->vcpu[i].prog->halts :
					      !vm->vcpu[i].rounds)
			usleep(500);
	tell(&pipe);
	for (;;)
		pause();
}

pid_t mortal_start(enum mortal_kind kind, unsigned int vcpus)
{
	int pipes[2];
	pid_t pid;
	char c;

	if (pipe(pipes))
		die_errno("pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die_errno("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pipes[0]);
		if (kind == MORTAL_CREATES)
			create_for_ever(pipes[1]);
		run_for_ever(kind, vcpus, pipes[1]);
	}
	close(pipes[1]);
	if (read(pipes[0], &c, 1) != 1)
		die("a VMM ended before its vCPUs ran");
	close(pipes[0]);
	return pid;
}

void mortal_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

void mortal_moment(unsigned int us)
{
	usleep(rand() % us);
}
