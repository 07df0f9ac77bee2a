// SPDX-License-Identifier: GPL-2.0-only
/*
 * Births with hooks missing, and with kvmx being unloaded in the middle of them.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/kvmx.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "host.h"
#include "infant.h"
#include "module.h"

FIXTURE(birth_load) {
	struct nursery n;
};

FIXTURE_SETUP(birth_load)
{
	if (!nursery_begin(&self->n))
		SKIP(return, "fewer than four CPUs");
}

FIXTURE_TEARDOWN(birth_load)
{
	nursery_end(&self->n);
}

struct lasting {
	struct vmm_vcpu *v;
	volatile int tid;
	volatile bool stop;
};

static void *lasting(void *arg)
{
	struct lasting *l = arg;

	vmm_do(l->v, VMM_CPUID, 1);
	l->tid = syscall(SYS_gettid);
	while (!l->stop)
		usleep(1000);
	return NULL;
}

/* KVM_RUN is not seen then: KVM is asked, again and again. */
TEST_F_TIMEOUT(birth_load, without_its_kprobe_a_vcpus_thread_is_found_soon, 120)
{
	struct lasting l = { .v = self->n.v };
	pthread_t thread;

	if (!module_file())
		SKIP(return, "the module's file is not here");
	nursery_reload(&self->n, "without=kvm_arch_vcpu_ioctl_run");
	nursery_place(&self->n);
	ASSERT_EQ(0, pthread_create(&thread, NULL, lasting, &l));
	while (!l.tid)
		usleep(1000);
	EXPECT_TRUE(soon(l.tid, VCPU, 2000));
	l.stop = true;
	pthread_join(thread, NULL);
	nursery_reload(&self->n, "");
}

/* Births are not seen then; what is inherited stays, and nothing breaks. */
TEST_F_TIMEOUT(birth_load, without_task_newtask_threads_keep_what_they_inherit, 120)
{
	struct storm s = { .v = self->n.v, .nr = 50, .patient = true };

	if (!module_file())
		SKIP(return, "the module's file is not here");
	nursery_reload(&self->n, "without=task_newtask,task_rename");
	nursery_place(&self->n);
	storm_run(&s);
	EXPECT_EQ(VCPU, s.own);
	EXPECT_EQ(0, s.good);
	EXPECT_TRUE(infant_was_at(&s.bad, VCPU));
	nursery_reload(&self->n, "");
}

/* A VMM in a process of its own that makes threads for as long as it lives. */
static int stormy(int vm_pipe, int go_pipe)
{
	struct vmm *vm = vmm_create(VMM_IRQCHIP);
	struct vmm_vcpu *v = vmm_add_vcpu(vm);
	struct storm s = { .v = v, .nr = 100 };
	char c = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(vm_pipe, &c, 1) != 1 || read(go_pipe, &c, 1) != 1)
		return 1;
	for (;;)
		storm_run(&s);
}

static int open_pid(int pid)
{
	struct kvmx_open req = {
		.size = sizeof(req), .by = KVMX_BY_PID, .key = pid,
	};
	int node = place_node(), fd = ioctl(node, KVMX_OPEN, &req);

	close(node);
	return fd;
}

/* Nothing of ours may run in a thread when the module is gone. */
TEST_F_TIMEOUT(birth_load, the_module_may_go_in_the_middle_of_births, 240)
{
	struct placing *p = place_new(KVMX_POLICY_PIN);
	const char *file = module_file();
	int vm[2], go[2], fd, round;
	unsigned long refused = 0;
	pid_t pid;
	char c = 0;

	if (!file)
		SKIP(return, "the module's file is not here");
	place_pin(p, 0, 2);
	place_emulator(p, EMULATOR);
	ASSERT_EQ(0, pipe(vm));
	ASSERT_EQ(0, pipe(go));
	/* Of this process's VM nothing may be open. */
	nursery_end(&self->n);
	pid = fork();
	if (!pid)
		_exit(stormy(vm[1], go[0]));
	ASSERT_EQ(1, read(vm[0], &c, 1));
	ASSERT_EQ(1, write(go[1], &c, 1));
	for (round = 0; round < 10; round++) {
		fd = open_pid(pid);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, place_do(fd, p));
		if (round % 2)
			EXPECT_EQ(0, place_commit(fd));
		usleep(rand() % 30000);
		/* Stopped in whatever it is about. */
		if (round % 3 == 2)
			kill(pid, SIGSTOP);
		close(fd);
		ASSERT_TRUE(module_unload_busy(20, &refused));
		kill(pid, SIGCONT);
		usleep(rand() % 30000);
		ASSERT_EQ(0, module_load(file, ""));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	free(p);
}

HOST_HARNESS_MAIN
