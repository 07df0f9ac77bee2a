// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that the kernel makes for a VM that is placed: io_uring's and vhost's.
 * Some set their own CPUs while they begin.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"

#include "host.h"
#include "infant.h"
#include "module.h"

FIXTURE(birth_kernel) {
	struct nursery n;
};

FIXTURE_SETUP(birth_kernel)
{
	if (!nursery_begin(&self->n))
		SKIP(return, "fewer than four CPUs");
}

FIXTURE_TEARDOWN(birth_kernel)
{
	nursery_end(&self->n);
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

TEST_F_TIMEOUT(birth_kernel, io_urings_poller_is_where_io_is, 60)
{
	struct io_uring_params p;
	int fd, tid;

	nursery_place(&self->n);
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

TEST_F_TIMEOUT(birth_kernel, io_urings_workers_are_where_io_is, 60)
{
	struct io_uring_params p;
	struct io_uring_sqe *sqe;
	int fd, tid, pipes[2];
	unsigned int *tail;
	char *sq, byte;

	nursery_place(&self->n);
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

TEST_F_TIMEOUT(birth_kernel, vhost_is_where_io_is, 60)
{
	int fd, tid = 0, i;
	bool loaded;

	nursery_place(&self->n);
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

HOST_HARNESS_MAIN
