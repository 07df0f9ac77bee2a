// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of a VM that is placed, from their birth on: each is where it belongs
 * before it does anything, whoever made it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "module.h"
#include "place.h"
#include "vmm.h"

/* Where the classes of threads are placed. */
#define EMULATOR	(1 << 1)
#define VCPU		(1 << 2)
#define IO		(1 << 3)

FIXTURE(birth) {
	int vm_fd;
	struct vmm *vm;
	struct vmm_vcpu *v;
	struct placing *p;
	uint64_t before;
};

static void place(int vm_fd, struct placing *p)
{
	int err = place_do(vm_fd, p);

	if (err)
		die("KVMX_VM_PLACE: %s", strerror(err));
}

FIXTURE_SETUP(birth)
{
	self->before = cpus_of(0);
	if ((self->before & 15) != 15)
		SKIP(return, "fewer than four CPUs");
	self->vm = vmm_create(VMM_IRQCHIP);
	self->v = vmm_add_vcpu(self->vm);
	self->vm_fd = place_vm(self->vm->fd);
	self->p = place_new(KVMX_POLICY_PIN);
	place_pin(self->p, 0, 2);
	place_emulator(self->p, EMULATOR);
	place_io(self->p, IO);
}

FIXTURE_TEARDOWN(birth)
{
	if (!self->vm)
		return;
	close(self->vm_fd);
	vmm_destroy(self->vm);
	free(self->p);
}

/*
 * A thread without a library in front of it: its first instruction in user space
 * reads the CPU that it runs on (as the vDSO does), its second system call what
 * it may use.
 */
struct infant {
	volatile int tid;		/* cleared by the kernel at its end */
	volatile unsigned int first;	/* CPU of its first instruction */
	volatile unsigned int later;	/* and after a system call */
	volatile uint64_t cpus;
	volatile long got;
	char stack[4096] __attribute__((aligned(16)));
};

#define CPUNODE_SEG	0x7b

static int infant_start(struct infant *i)
{
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
		     CLONE_CHILD_CLEARTID;
	register void *ctid asm("r10") = (void *)&i->tid;
	register long tls asm("r8") = 0;
	register struct infant *me asm("r12") = i;
	long ret = SYS_clone;

	i->first = i->later = ~0U;
	i->cpus = 0;
	i->got = 0;
	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "lsl %[seg], %%ebx\n\t"
		     "mov %%ebx, %c[first](%%r12)\n\t"
		     "mov %[getaff], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "mov $8, %%esi\n\t"
		     "lea %c[cpus](%%r12), %%rdx\n\t"
		     "syscall\n\t"
		     "mov %%rax, %c[got](%%r12)\n\t"
		     "lsl %[seg], %%ebx\n\t"
		     "mov %%ebx, %c[later](%%r12)\n\t"
		     "mov %[exit], %%eax\n\t"
		     "xor %%edi, %%edi\n\t"
		     "syscall\n\t"
		     "ud2\n"
		     "1:"
		     : "+a" (ret)
		     : "D" (flags), "S" (i->stack + sizeof(i->stack)),
		       "d" (&i->tid), "r" (ctid), "r" (tls), "r" (me),
		       [seg] "r" (CPUNODE_SEG),
		       [first] "i" (offsetof(struct infant, first)),
		       [later] "i" (offsetof(struct infant, later)),
		       [cpus] "i" (offsetof(struct infant, cpus)),
		       [got] "i" (offsetof(struct infant, got)),
		       [getaff] "i" (SYS_sched_getaffinity),
		       [exit] "i" (SYS_exit)
		     : "rcx", "r11", "rbx", "memory");
	return ret < 0 ? -1 : (int)ret;
}

static void infant_join(struct infant *i)
{
	int tid;

	while ((tid = i->tid))
		syscall(SYS_futex, &i->tid, FUTEX_WAIT, tid, NULL, NULL, 0);
}

static bool infant_is_at(const struct infant *i, uint64_t cpus)
{
	return 1ull << (i->first & 0xfff) & cpus &&
	       1ull << (i->later & 0xfff) & cpus && i->cpus == cpus;
}

/* What a thread that runs a vCPU, and then makes others, is told and tells. */
struct storm {
	struct vmm_vcpu *v;
	unsigned int nr;
	unsigned int gap_us;
	unsigned int good;
	unsigned int failed;
	uint64_t own;
	struct infant bad;
};

static void *storm(void *arg)
{
	struct storm *s = arg;
	struct infant *i = mmap(NULL, sizeof(*i), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int n;

	vmm_do(s->v, VMM_CPUID, 1);
	s->own = cpus_of(0);
	for (n = 0; n < s->nr; n++) {
		if (infant_start(i) < 0) {
			s->failed++;
			continue;
		}
		infant_join(i);
		if (infant_is_at(i, EMULATOR))
			s->good++;
		else
			s->bad = *i;
		if (s->gap_us)
			usleep(s->gap_us);
	}
	munmap(i, sizeof(*i));
	return NULL;
}

static void storm_run(struct storm *s)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, storm, s);
	if (errno || pthread_join(thread, NULL))
		die_errno("a thread");
}

/*
 * The child of a vCPU's thread inherits that vCPU's CPU, and belongs elsewhere:
 * nothing but a placement at its birth brings it there in time.
 */
TEST_F_TIMEOUT(birth, two_hundred_threads_a_second_begin_where_they_belong, 120)
{
	struct storm s = { .v = self->v, .nr = scaled(400), .gap_us = 4000 };

	place(self->vm_fd, self->p);
	EXPECT_EQ(EMULATOR, cpus_of(0));
	storm_run(&s);
	EXPECT_EQ(VCPU, s.own);
	EXPECT_EQ(0, s.failed);
	EXPECT_EQ(s.nr, s.good) {
		TH_LOG("one began on CPU %u, was on %u, had %#llx",
		       s.bad.first & 0xfff, s.bad.later & 0xfff,
		       (unsigned long long)s.bad.cpus);
	}
	EXPECT_EQ(0, place_show(self->vm_fd, self->p));
	EXPECT_LE(s.nr, self->p->placed.births);
	TH_LOG("birth to placement: %llu us on average, %llu us at most",
	       (unsigned long long)(self->p->placed.birth_ns /
				    (self->p->placed.births ?: 1) / 1000),
	       (unsigned long long)self->p->placed.birth_ns_max / 1000);
}

/* The same without a gap, as many as the machine can make. */
TEST_F_TIMEOUT(birth, so_do_as_many_as_can_be_made, 120)
{
	struct storm s = { .v = self->v, .nr = scaled(3000) };

	place(self->vm_fd, self->p);
	storm_run(&s);
	EXPECT_EQ(0, s.failed);
	EXPECT_EQ(s.nr, s.good);
}

TEST_F_TIMEOUT(birth, each_is_told_as_an_event, 120)
{
	int node = kvmx_node(), fd, err = 0;
	struct storm s = { .v = self->v, .nr = 200, .gap_us = 1000 };
	struct kvmx_record r;
	unsigned int n = 0;

	place(self->vm_fd, self->p);
	fd = kvmx_events(node, 1 << KVMX_EVENT_THREAD_BORN);
	ASSERT_LE(0, fd);
	storm_run(&s);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		/* Later kernels have KVM's own thread for huge pages here. */
		n += r.type == KVMX_EVENT_THREAD_BORN &&
		     strncmp(r.name, "kvm-", 4);
		err += r.pid != getpid() || !r.tid || !r.vm ||
		       r.arg > 10000000000ull;
	}
	/* And the thread that made them. */
	EXPECT_EQ(s.nr + 1, n);
	EXPECT_EQ(0, err);
	close(fd);
	close(node);
}

TEST_F_TIMEOUT(birth, the_first_thread_stays_what_it_is_whatever_its_name, 60)
{
	char name[16];

	prctl(PR_GET_NAME, name);
	place(self->vm_fd, self->p);
	EXPECT_EQ(EMULATOR, cpus_of(0));
	prctl(PR_SET_NAME, "IO iothread1");
	EXPECT_EQ(EMULATOR, cpus_of(0));
	prctl(PR_SET_NAME, "worker");
	EXPECT_EQ(EMULATOR, cpus_of(0));
	prctl(PR_SET_NAME, name);
}

struct renamed {
	const char *name;
	volatile int tid;
	volatile bool go, stop;
	uint64_t before, after;
};

static void *renamed(void *arg)
{
	struct renamed *r = arg;

	r->before = cpus_of(0);
	if (r->name) {
		prctl(PR_SET_NAME, r->name);
		r->after = cpus_of(0);
	}
	r->tid = syscall(SYS_gettid);
	while (!r->stop)
		usleep(1000);
	return NULL;
}

TEST_F_TIMEOUT(birth, a_thread_with_another_name_is_elsewhere_at_once, 60)
{
	static const struct {
		const char *name;
		uint64_t cpus;
	} as[] = {
		{ "IO iothread1", IO }, { "x", EMULATOR }, { "worker", IO },
		{ "CPU 3/KVM", EMULATOR }, { "_disk0_q0", IO },
	};
	pthread_t thread;
	unsigned int i;

	place(self->vm_fd, self->p);
	for (i = 0; i < 5; i++) {
		struct renamed r = { .name = as[i].name, .stop = true };

		ASSERT_EQ(0, pthread_create(&thread, NULL, renamed, &r));
		pthread_join(thread, NULL);
		EXPECT_EQ(EMULATOR, r.before);
		EXPECT_EQ(as[i].cpus, r.after) {
			TH_LOG("%s", as[i].name);
		}
	}
}

/* Within @ms. */
static bool soon(int tid, uint64_t cpus, int ms)
{
	int i;

	for (i = 0; i < ms * (int)patience(); i++) {
		if (cpus_of(tid) == cpus)
			return true;
		usleep(1000);
	}
	return cpus_of(tid) == cpus;
}

TEST_F_TIMEOUT(birth, who_is_renamed_by_another_is_elsewhere_soon, 60)
{
	struct renamed r = { 0 };
	pthread_t thread;

	place(self->vm_fd, self->p);
	ASSERT_EQ(0, pthread_create(&thread, NULL, renamed, &r));
	while (!r.tid)
		usleep(100);
	EXPECT_EQ(EMULATOR, cpus_of(r.tid));
	EXPECT_EQ(0, pthread_setname_np(thread, "IO iothread2"));
	EXPECT_TRUE(soon(r.tid, IO, 1000));
	EXPECT_EQ(0, pthread_setname_np(thread, "other"));
	EXPECT_TRUE(soon(r.tid, EMULATOR, 1000));
	r.stop = true;
	pthread_join(thread, NULL);
}

struct runner {
	struct vmm_vcpu *v;
	uint64_t before, after;
};

static void *runner(void *arg)
{
	struct runner *r = arg;

	r->before = cpus_of(0);
	vmm_do(r->v, VMM_CPUID, 1);
	r->after = cpus_of(0);
	return NULL;
}

static void runner_run(struct runner *r)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, runner, r);
	if (errno || pthread_join(thread, NULL))
		die_errno("a thread");
}

/* It is known from KVM that it runs a vCPU, the first time that it does so. */
TEST_F_TIMEOUT(birth, who_runs_a_vcpu_is_elsewhere_when_he_does, 60)
{
	struct runner r = { .v = self->v };
	unsigned int i;

	place(self->vm_fd, self->p);
	for (i = 0; i < 5; i++) {
		runner_run(&r);
		EXPECT_EQ(EMULATOR, r.before);
		EXPECT_EQ(VCPU, r.after) {
			TH_LOG("thread %u", i);
		}
		/* It is known soon that the thread has ended. */
		usleep(200000 * patience());
	}
}

TEST_F_TIMEOUT(birth, a_new_vcpu_is_placed_with_its_thread, 60)
{
	struct runner r = { .v = self->v };
	struct vmm_vcpu *second;

	place_pin(self->p, 1, 3);
	EXPECT_EQ(ERANGE, place_do(self->vm_fd, self->p));
	second = vmm_add_vcpu(self->vm);
	place(self->vm_fd, self->p);
	runner_run(&r);
	EXPECT_EQ(VCPU, r.after);
	r.v = second;
	runner_run(&r);
	EXPECT_EQ(1 << 3, r.after);
}

/* A process of its own is none of the VM's threads. */
TEST_F_TIMEOUT(birth, what_is_forked_off_is_left_alone, 60)
{
	int status;
	pid_t pid;

	place(self->vm_fd, self->p);
	pid = fork();
	if (!pid) {
		/* As inherited, whatever it is called and makes. */
		prctl(PR_SET_NAME, "IO iothread1");
		_exit(cpus_of(0) == EMULATOR ? 0 : 1);
	}
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* The thread of this process whose name begins so; 0: there is none. */
static int thread_called(const char *begin)
{
	char path[64], name[32];
	struct masks *m = malloc(sizeof(*m));
	unsigned int i;
	int tid = 0;
	FILE *f;

	masks_take(m, getpid());
	for (i = 0; i < m->nr && !tid; i++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/comm",
			 m->tid[i]);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) &&
		    !strncmp(name, begin, strlen(begin)))
			tid = m->tid[i];
		fclose(f);
	}
	free(m);
	return tid;
}

static int thread_soon_called(const char *begin)
{
	int i, tid = 0;

	for (i = 0; i < 2000 && !tid; i++) {
		tid = thread_called(begin);
		if (!tid)
			usleep(1000);
	}
	return tid;
}

static int uring(unsigned int flags, struct io_uring_params *p)
{
	memset(p, 0, sizeof(*p));
	p->flags = flags;
	p->sq_thread_idle = 60000;
	return syscall(SYS_io_uring_setup, 8, p);
}

/* They set their own CPUs while they begin. */
TEST_F_TIMEOUT(birth, io_urings_poller_is_where_io_is, 60)
{
	struct io_uring_params p;
	int fd, tid;

	place(self->vm_fd, self->p);
	fd = uring(IORING_SETUP_SQPOLL, &p);
	if (fd < 0)
		SKIP(return, "no io_uring: %s", strerror(errno));
	tid = thread_soon_called("iou-sqp-");
	ASSERT_NE(0, tid);
	EXPECT_TRUE(soon(tid, IO, 100));
	/* And stays there. */
	usleep(100000);
	EXPECT_EQ(IO, cpus_of(tid));
	close(fd);
}

TEST_F_TIMEOUT(birth, io_urings_workers_are_where_io_is, 60)
{
	struct io_uring_params p;
	struct io_uring_sqe *sqe;
	int fd, tid, pipes[2];
	unsigned int *tail;
	char *sq, byte;

	place(self->vm_fd, self->p);
	fd = uring(0, &p);
	if (fd < 0)
		SKIP(return, "no io_uring: %s", strerror(errno));
	ASSERT_EQ(0, pipe(pipes));
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(int),
		  PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, p.sq_entries * sizeof(*sqe), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, IORING_OFF_SQES);
	ASSERT_NE(MAP_FAILED, sq);
	ASSERT_NE(MAP_FAILED, sqe);
	/* Nothing can be read: a worker takes it, and waits. */
	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->flags = IOSQE_ASYNC;
	sqe->fd = pipes[0];
	sqe->addr = (uintptr_t)&byte;
	sqe->len = 1;
	*(unsigned int *)(sq + p.sq_off.array) = 0;
	tail = (unsigned int *)(sq + p.sq_off.tail);
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	ASSERT_EQ(1, syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0));
	tid = thread_soon_called("iou-wrk-");
	ASSERT_NE(0, tid);
	EXPECT_TRUE(soon(tid, IO, 100));
	usleep(100000);
	EXPECT_EQ(IO, cpus_of(tid));
	EXPECT_EQ(1, write(pipes[1], "x", 1));
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

/* 6.1: a thread of the kernel; later: one of this process. */
static int vhost_thread(void)
{
	char cmd[64], line[32] = "";
	FILE *f;

	snprintf(cmd, sizeof(cmd), "pgrep -x vhost-%d", getpid());
	f = popen(cmd, "r");
	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		pclose(f);
	return atoi(line) ?: thread_called("vhost-");
}

TEST_F_TIMEOUT(birth, vhost_is_where_io_is, 60)
{
	int fd, tid = 0, i;
	bool loaded;

	place(self->vm_fd, self->p);
	loaded = !module_loaded("vhost_net") &&
		 !system("modprobe -q vhost_net");
	fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "no vhost here");
	ASSERT_EQ(0, ioctl(fd, VHOST_SET_OWNER));
	for (i = 0; i < 100 && !tid; i++) {
		tid = vhost_thread();
		usleep(1000);
	}
	ASSERT_NE(0, tid);
	EXPECT_TRUE(soon(tid, IO, 1000));
	usleep(100000);
	EXPECT_EQ(IO, cpus_of(tid));
	close(fd);
	if (loaded && system("modprobe -q -r vhost_net"))
		TH_LOG("vhost_net stays loaded");
}

static void reload(const char *params)
{
	unsigned long refused = 0;
	int err;

	if (!module_unload_busy(20, &refused))
		die("kvmx does not go");
	err = module_load(module_file(), params);
	if (err)
		die("kvmx with %s: %s", params, strerror(err));
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
TEST_F_TIMEOUT(birth, without_its_kprobe_a_vcpus_thread_is_found_soon, 120)
{
	struct lasting l = { .v = self->v };
	pthread_t thread;

	if (!module_file())
		SKIP(return, "the module's file is not here");
	close(self->vm_fd);
	reload("without=kvm_arch_vcpu_ioctl_run");
	self->vm_fd = place_vm(self->vm->fd);
	place(self->vm_fd, self->p);
	ASSERT_EQ(0, pthread_create(&thread, NULL, lasting, &l));
	while (!l.tid)
		usleep(1000);
	EXPECT_TRUE(soon(l.tid, VCPU, 2000));
	l.stop = true;
	pthread_join(thread, NULL);
	close(self->vm_fd);
	reload("");
	self->vm_fd = place_vm(self->vm->fd);
}

/* Births are not seen then; what is inherited stays, and nothing breaks. */
TEST_F_TIMEOUT(birth, without_task_newtask_threads_keep_what_they_inherit, 120)
{
	struct storm s = { .v = self->v, .nr = 50 };

	if (!module_file())
		SKIP(return, "the module's file is not here");
	close(self->vm_fd);
	reload("without=task_newtask,task_rename");
	self->vm_fd = place_vm(self->vm->fd);
	place(self->vm_fd, self->p);
	storm_run(&s);
	EXPECT_EQ(VCPU, s.own);
	EXPECT_EQ(0, s.good);
	EXPECT_TRUE(infant_is_at(&s.bad, VCPU));
	close(self->vm_fd);
	reload("");
	self->vm_fd = place_vm(self->vm->fd);
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
TEST_F_TIMEOUT(birth, the_module_may_go_in_the_middle_of_births, 240)
{
	const char *file = module_file();
	int vm[2], go[2], fd, round;
	unsigned long refused = 0;
	pid_t pid;
	char c = 0;

	if (!file)
		SKIP(return, "the module's file is not here");
	ASSERT_EQ(0, pipe(vm));
	ASSERT_EQ(0, pipe(go));
	/* Of this process's VM nothing may be open. */
	close(self->vm_fd);
	vmm_destroy(self->vm);
	self->vm = NULL;
	pid = fork();
	if (!pid)
		_exit(stormy(vm[1], go[0]));
	ASSERT_EQ(1, read(vm[0], &c, 1));
	ASSERT_EQ(1, write(go[1], &c, 1));
	for (round = 0; round < 10; round++) {
		fd = open_pid(pid);
		ASSERT_LE(0, fd);
		place(fd, self->p);
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
	free(self->p);
}

HOST_HARNESS_MAIN
