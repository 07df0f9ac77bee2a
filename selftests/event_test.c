// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events: who asks for them gets them, each once, in order, and is told how many
 * were lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "crew.h"
#include "die.h"
#include "host.h"
#include "kvmx.h"
#include "vmm.h"

#define VM_EVENTS	(1 << KVMX_EVENT_VM_BORN | 1 << KVMX_EVENT_VM_DIED)
/* What a queue holds: one place is for the record of what was lost. */
#define ROOM		1024
#define LIMIT_MS	(10000 * (int)patience())

FIXTURE(event) {
	int node;
};

FIXTURE_SETUP(event)
{
	self->node = kvmx_node();
}

FIXTURE_TEARDOWN(event)
{
	close(self->node);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* A VM with one vCPU, which is when kvmx knows of it, and nothing else. */
static void one_life(void)
{
	static int kvm = -1;
	int vm, vcpu;

	if (kvm < 0)
		kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (kvm < 0 || vm < 0 || vcpu < 0)
		die_errno("a VM");
	close(vcpu);
	close(vm);
}

static int events_fd(int node, uint64_t mask)
{
	int fd = kvmx_events(node, mask);

	if (fd < 0)
		die_errno("KVMX_EVENTS");
	return fd;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && p.revents == POLLIN;
}

/* The next one, which comes within a time. */
static bool next(int fd, struct kvmx_record *r)
{
	memset(r, 0xff, sizeof(*r));
	return readable(fd, LIMIT_MS) && read(fd, r, sizeof(*r)) == sizeof(*r);
}

/* There may be a VM that another program has just let go of. */
static void lives(int fd, unsigned int n)
{
	struct kvmx_record r;

	while (n--) {
		one_life();
		do {
			if (!next(fd, &r))
				die("no end of a VM is told");
		} while (r.type != KVMX_EVENT_VM_DIED);
	}
}

static uint64_t id_of(int node, int vm_fd)
{
	struct kvmx_vm_info info = { 0 };
	int fd = kvmx_vm_by_fd(node, vm_fd);

	kvmx_vm_info(fd, &info);
	close(fd);
	return info.id;
}

TEST_F_TIMEOUT(event, a_vm_is_told_when_it_is_born_and_when_it_dies, 60)
{
	int fd = events_fd(self->node, VM_EVENTS);
	uint64_t before, between, after, id;
	struct kvmx_record born, died;
	char name[16] = "";
	struct vmm *vm;

	prctl(PR_GET_NAME, name);
	before = now_ns();
	vm = vmm_create(VMM_IRQCHIP);
	vmm_add_vcpu(vm);
	id = id_of(self->node, vm->fd);
	ASSERT_TRUE(next(fd, &born));
	between = now_ns();
	vmm_destroy(vm);
	ASSERT_TRUE(next(fd, &died));
	after = now_ns();
	EXPECT_EQ(KVMX_EVENT_VM_BORN, born.type);
	EXPECT_EQ(KVMX_EVENT_VM_DIED, died.type);
	EXPECT_EQ(sizeof(born), born.size);
	EXPECT_EQ(sizeof(born), died.size);
	EXPECT_EQ(1, born.seq);
	EXPECT_EQ(2, died.seq);
	EXPECT_EQ(id, born.vm);
	EXPECT_EQ(id, died.vm);
	EXPECT_EQ(getpid(), born.pid);
	EXPECT_EQ(getpid(), died.pid);
	EXPECT_STREQ(name, born.name);
	EXPECT_STREQ(name, died.name);
	EXPECT_EQ(0, born.tid);
	EXPECT_EQ(KVMX_NO_VCPU, born.vcpu);
	EXPECT_EQ(KVMX_THREAD_OTHER, born.thread_class);
	EXPECT_LE(before, born.time_ns);
	EXPECT_LE(born.time_ns, between);
	EXPECT_LE(between, died.time_ns);
	EXPECT_LE(died.time_ns, after);
	close(fd);
}

TEST_F_TIMEOUT(event, only_what_is_asked_for_is_told, 60)
{
	int born = events_fd(self->node, 1 << KVMX_EVENT_VM_BORN);
	int died = events_fd(self->node, 1 << KVMX_EVENT_VM_DIED);
	int none = events_fd(self->node, 0);
	int other = events_fd(self->node, 1 << KVMX_EVENT_DRIFT | 1);
	struct kvmx_record r;
	unsigned int i;

	for (i = 1; i <= 3; i++) {
		one_life();
		ASSERT_TRUE(next(born, &r));
		EXPECT_EQ(KVMX_EVENT_VM_BORN, r.type);
		EXPECT_EQ(i, r.seq);
		ASSERT_TRUE(next(died, &r));
		EXPECT_EQ(KVMX_EVENT_VM_DIED, r.type);
		EXPECT_EQ(i, r.seq);
	}
	EXPECT_FALSE(readable(born, 0));
	EXPECT_FALSE(readable(died, 0));
	EXPECT_FALSE(readable(none, 0));
	EXPECT_FALSE(readable(other, 0));
	close(born);
	close(died);
	close(none);
	close(other);
}

TEST_F_TIMEOUT(event, an_unknown_event_is_einval, 60)
{
	unsigned int bit;
	int fd;

	for (bit = 0; bit < 64; bit++) {
		errno = 0;
		fd = kvmx_events(self->node, 1ull << bit);
		EXPECT_EQ(bit < KVMX_NR_EVENTS ? 0 : EINVAL,
			  fd < 0 ? errno : 0) {
			TH_LOG("bit %u", bit);
		}
		close(fd);
	}
}

static void *a_little_later(void *arg)
{
	usleep(200000);
	one_life();
	return NULL;
}

TEST_F_TIMEOUT(event, who_waits_is_woken, 60)
{
	int fd = events_fd(self->node, VM_EVENTS);
	struct kvmx_record r;
	pthread_t thread;

	EXPECT_FALSE(readable(fd, 0));
	EXPECT_EQ(0, pthread_create(&thread, NULL, a_little_later, NULL));
	EXPECT_TRUE(readable(fd, LIMIT_MS));
	pthread_join(thread, NULL);
	EXPECT_TRUE(next(fd, &r));
	EXPECT_TRUE(next(fd, &r));
	EXPECT_FALSE(readable(fd, 0));
	/* Now in read() itself. */
	EXPECT_EQ(0, pthread_create(&thread, NULL, a_little_later, NULL));
	EXPECT_EQ(sizeof(r), read(fd, &r, sizeof(r)));
	EXPECT_EQ(KVMX_EVENT_VM_BORN, r.type);
	EXPECT_EQ(3, r.seq);
	pthread_join(thread, NULL);
	close(fd);
}

static void nothing(int sig)
{
}

TEST_F_TIMEOUT(event, who_does_not_want_to_wait_is_told, 60)
{
	struct sigaction act = { .sa_handler = nothing };
	int fd = events_fd(self->node, VM_EVENTS);
	struct kvmx_record r;

	/* A signal ends the wait. */
	sigaction(SIGALRM, &act, NULL);
	alarm(1);
	EXPECT_EQ(-1, read(fd, &r, sizeof(r)));
	EXPECT_EQ(EINTR, errno);
	EXPECT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, read(fd, &r, sizeof(r)));
	EXPECT_EQ(EAGAIN, errno);
	one_life();
	EXPECT_TRUE(readable(fd, LIMIT_MS));
	EXPECT_EQ(sizeof(r), read(fd, &r, sizeof(r)));
	close(fd);
}

TEST_F_TIMEOUT(event, records_come_whole_or_not_at_all, 60)
{
	size_t size = sizeof(struct kvmx_record), sizes[] = { 0, 1, 8, size - 1 };
	int fd = events_fd(self->node, VM_EVENTS);
	/* Told after the first: what is here is there. */
	int other = events_fd(self->node, 1 << KVMX_EVENT_VM_DIED);
	struct kvmx_record r[4];
	unsigned int i;
	char *page;

	/* One page, and nothing behind it. */
	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + 4096, 4096, PROT_NONE));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(-1, read(fd, r, sizes[i]));
		EXPECT_EQ(EINVAL, errno);
	}
	lives(other, 2);
	EXPECT_EQ(-1, read(fd, page + 4096, size));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, read(fd, page + 4096 - size / 2, size));
	EXPECT_EQ(EFAULT, errno);
	/* That lost none: one, then two in room for nearly three ... */
	EXPECT_EQ(size, read(fd, r, size + 5));
	EXPECT_EQ(1, r[0].seq);
	EXPECT_EQ(2 * size, read(fd, r, 3 * size - 1));
	EXPECT_EQ(2, r[0].seq);
	EXPECT_EQ(3, r[1].seq);
	/* ... and what there is into too much room. */
	EXPECT_TRUE(readable(fd, LIMIT_MS));
	EXPECT_EQ(size, read(fd, r, sizeof(r)));
	EXPECT_EQ(4, r[0].seq);
	/* A fault behind the first record does not take it away. */
	lives(other, 1);
	EXPECT_EQ(size, read(fd, page + 4096 - size, 2 * size));
	EXPECT_EQ(5, ((struct kvmx_record *)(page + 4096 - size))->seq);
	EXPECT_TRUE(next(fd, &r[0]));
	EXPECT_EQ(6, r[0].seq);
	munmap(page, 8192);
	close(other);
	close(fd);
}

TEST_F_TIMEOUT(event, it_is_for_reading_and_nothing_else, 60)
{
	int fd = events_fd(self->node, VM_EVENTS), used;
	struct kvmx_record r = { 0 };

	EXPECT_EQ(-1, write(fd, &r, sizeof(r)));
	EXPECT_EQ(EBADF, errno);
	EXPECT_EQ(-1, ioctl(fd, KVMX_INFO, &r));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	/* It holds the module by itself. */
	used = host_use_count("kvmx");
	close(self->node);
	EXPECT_EQ(used - 1, host_use_count("kvmx"));
	one_life();
	EXPECT_TRUE(next(fd, &r));
	close(fd);
	EXPECT_EQ(used - 2, host_use_count("kvmx"));
	self->node = kvmx_node();
}

/* Reads all there is; checks that numbers and losses are without a gap. */
static uint64_t read_all(int fd, uint64_t *kept, uint64_t *lost)
{
	struct kvmx_record r;
	uint64_t seq = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (read(fd, &r, sizeof(r)) == sizeof(r)) {
		if (r.type == KVMX_EVENT_LOST) {
			*lost += r.arg;
			seq += r.arg;
		} else {
			(*kept)++;
			seq++;
		}
		if (r.seq != seq)
			return 0;
	}
	return seq;
}

TEST_F_TIMEOUT(event, what_did_not_fit_is_counted_to_the_last_one, 600)
{
	int fd = events_fd(self->node, VM_EVENTS);
	int same = events_fd(self->node, VM_EVENTS);
	int fast = events_fd(self->node, 1 << KVMX_EVENT_VM_DIED);
	unsigned int i, nr = ROOM / 2 + 20;
	uint64_t kept = 0, lost = 0;
	struct kvmx_record r;

	lives(fast, nr);
	/* Here one record is read: one place is free again, and not enough. */
	ASSERT_TRUE(next(same, &r));
	EXPECT_EQ(1, r.seq);
	lives(fast, 1);
	EXPECT_EQ(2 * nr, read_all(fd, &kept, &lost) - 2);
	EXPECT_EQ(ROOM - 1, kept);
	EXPECT_EQ(2 * nr + 2 - (ROOM - 1), lost);
	/* Afterwards all goes on as before. */
	lives(fast, 1);
	ASSERT_TRUE(next(fd, &r));
	EXPECT_EQ(KVMX_EVENT_VM_BORN, r.type);
	EXPECT_EQ(2 * nr + 3, r.seq);
	for (i = 2; i < ROOM; i++) {
		ASSERT_TRUE(next(same, &r));
		ASSERT_EQ(i, r.seq);
		ASSERT_NE(KVMX_EVENT_LOST, r.type);
	}
	ASSERT_TRUE(next(same, &r));
	EXPECT_EQ(KVMX_EVENT_LOST, r.type);
	EXPECT_EQ(2 * nr + 4, r.seq);
	EXPECT_EQ(2 * nr + 4 - (ROOM - 1), r.arg);
	EXPECT_EQ(0, r.vm);
	EXPECT_FALSE(readable(same, 0));
	close(fd);
	close(same);
	close(fast);
}

static void lives_on(struct crew *c, struct hand *h)
{
	one_life();
	h->done[0]++;
}

static void opens_and_closes(struct crew *c, struct hand *h)
{
	int node = kvmx_node(), fd = events_fd(node, VM_EVENTS);
	struct kvmx_record r;

	close(node);
	/* Sometimes in the middle of things. */
	if (h->rounds % 3 && next(fd, &r))
		h->done[0]++;
	close(fd);
}

TEST_F_TIMEOUT(event, readers_come_and_go_while_things_happen, 120)
{
	struct crew *c = crew_new();
	struct hand *h[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		h[i] = crew_hire(c, i < 2 ? "lives" : "reader",
				 i < 2 ? lives_on : opens_and_closes);
	for (i = 0; i < 3000; i++) {
		if (h[0]->done[0] > 20 && h[1]->done[0] > 20 &&
		    h[2]->done[0] > 20 && h[3]->done[0] > 20)
			break;
		usleep(20000);
	}
	EXPECT_GT(3000, i);
	EXPECT_TRUE(crew_dismiss(c));
	crew_free(c);
}

/* In a pid namespace of its own: the reader's eyes count, not the writer's. */
static int in_namespace(int pipe_in, int pipe_out)
{
	int node = kvmx_node(), fd = events_fd(node, VM_EVENTS);
	struct kvmx_record r;
	char c = 0;

	if (getpid() != 1)
		return 2;
	if (write(pipe_out, &c, 1) != 1 || read(pipe_in, &c, 1) != 1)
		return 3;
	/* The parent's, whom nobody sees here. */
	if (!next(fd, &r) || r.type != KVMX_EVENT_VM_BORN || r.pid)
		return 4;
	if (!next(fd, &r) || r.type != KVMX_EVENT_VM_DIED || r.pid)
		return 5;
	one_life();
	if (!next(fd, &r) || r.pid != 1)
		return 6;
	return 0;
}

TEST_F_TIMEOUT(event, pids_are_told_as_the_reader_sees_them, 60)
{
	int down[2], up[2], status, fd;
	struct kvmx_record r;
	pid_t pid;
	char c = 0;

	ASSERT_EQ(0, pipe(down));
	ASSERT_EQ(0, pipe(up));
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWPID))
			_exit(77);
		pid = fork();
		if (!pid)
			_exit(in_namespace(down[0], up[1]));
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
	}
	close(up[1]);
	if (read(up[0], &c, 1) != 1) {
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			SKIP(return, "no pid namespaces");
		ASSERT_EQ(0, status);
	}
	fd = events_fd(self->node, VM_EVENTS);
	one_life();
	EXPECT_EQ(1, write(down[1], &c, 1));
	EXPECT_TRUE(next(fd, &r));
	EXPECT_EQ(getpid(), r.pid);
	EXPECT_TRUE(next(fd, &r));
	/* A VM in there has a process that can be seen from here. */
	EXPECT_TRUE(next(fd, &r));
	EXPECT_LT(1, r.pid);
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(WIFEXITED(status));
	close(fd);
}

HOST_HARNESS_MAIN
