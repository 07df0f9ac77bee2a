// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is opened by KVMX_OPEN, by whom, and what a VM tells of itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

#include "host.h"
#include "kvmx.h"
#include "setup.h"
#include "vmm.h"

FIXTURE(open) {
	struct setup s;
	int node, vm, stats;
};

FIXTURE_SETUP(open)
{
	setup_begin(&self->s);
	self->node = self->s.fd[ON_NODE];
	self->vm = self->s.fd[ON_VM];
	self->stats = self->s.fd[ON_STATS];
}

FIXTURE_TEARDOWN(open)
{
	setup_end(&self->s);
}

static int open_by(int node, unsigned int by, uint64_t key)
{
	struct kvmx_open req = { .size = sizeof(req), .by = by, .key = key };

	return try_ioctl(node, KVMX_OPEN, &req);
}

TEST_F_TIMEOUT(open, a_process_is_found_by_its_pid_or_not, 60)
{
	pid_t child = fork(), gone;

	if (!child) {
		pause();
		_exit(0);
	}
	gone = fork();
	if (!gone)
		_exit(0);
	waitpid(gone, NULL, 0);
	EXPECT_EQ(0, open_by(self->node, KVMX_BY_PID, getpid()));
	EXPECT_EQ(ESRCH, open_by(self->node, KVMX_BY_PID, gone));
	EXPECT_EQ(ENOENT, open_by(self->node, KVMX_BY_PID, child));
	EXPECT_EQ(ESRCH, open_by(self->node, KVMX_BY_PID, 0));
	EXPECT_EQ(ESRCH, open_by(self->node, KVMX_BY_PID, -1ULL));
	EXPECT_EQ(ESRCH, open_by(self->node, KVMX_BY_PID,
				 (1ULL << 32) + getpid()));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST_F_TIMEOUT(open, any_thread_of_a_vmm_stands_for_its_process, 60)
{
	struct vmm_vcpu *v = &self->s.vm->vcpu[0];
	struct vmm_step step = { .kind = VMM_OUT_USER, .n = 10 };

	vmm_start(v, &step, 1);
	EXPECT_NE(getpid(), v->tid);
	EXPECT_EQ(0, open_by(self->node, KVMX_BY_PID, v->tid));
	vmm_stop(v);
}

TEST_F_TIMEOUT(open, a_process_with_several_vms_is_enotuniq, 60)
{
	struct vmm *other = vmm_create(0);

	vmm_add_vcpu(other);
	EXPECT_EQ(ENOTUNIQ, open_by(self->node, KVMX_BY_PID, getpid()));
	EXPECT_EQ(0, open_by(self->node, KVMX_BY_FD, other->fd));
	vmm_destroy(other);
	EXPECT_EQ(0, open_by(self->node, KVMX_BY_PID, getpid()));
}

TEST_F_TIMEOUT(open, an_id_opens_its_vm_and_no_other, 60)
{
	struct kvmx_vm_info info, same;
	struct kvmx_open req = { .size = sizeof(req), .by = KVMX_BY_ID };
	int fd;

	ASSERT_EQ(0, kvmx_vm_info(self->vm, &info));
	EXPECT_GT(info.id, 0);
	req.key = info.id;
	fd = ioctl(self->node, KVMX_OPEN, &req);
	ASSERT_GE(fd, 0);
	EXPECT_EQ(info.id, req.id);
	ASSERT_EQ(0, kvmx_vm_info(fd, &same));
	EXPECT_EQ(info.id, same.id);
	close(fd);
	EXPECT_EQ(ENOENT, open_by(self->node, KVMX_BY_ID, 0));
	EXPECT_EQ(ENOENT, open_by(self->node, KVMX_BY_ID, info.id + 1000));
	EXPECT_EQ(ENOENT, open_by(self->node, KVMX_BY_ID, -1ULL));
	EXPECT_EQ(ENOENT, open_by(self->node, KVMX_BY_ID,
				  info.id | 1ULL << 32));
	EXPECT_EQ(EINVAL, open_by(self->node, 3, info.id));
	EXPECT_EQ(EINVAL, open_by(self->node, -1U, info.id));
}

TEST_F_TIMEOUT(open, an_fd_that_is_no_vm_is_einval_and_none_at_all_ebadf, 60)
{
	int null = open("/dev/null", O_RDONLY), kvm = open("/dev/kvm", O_RDWR);
	int path = open("/dev/kvm", O_PATH), pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(0, open_by(self->node, KVMX_BY_FD, self->s.vm->fd));
	EXPECT_EQ(EINVAL, open_by(self->node, KVMX_BY_FD, null));
	EXPECT_EQ(EINVAL, open_by(self->node, KVMX_BY_FD, kvm));
	EXPECT_EQ(EINVAL, open_by(self->node, KVMX_BY_FD, pipes[0]));
	EXPECT_EQ(EINVAL, open_by(self->node, KVMX_BY_FD, self->node));
	EXPECT_EQ(EINVAL, open_by(self->node, KVMX_BY_FD, self->vm));
	EXPECT_EQ(EINVAL, open_by(self->node, KVMX_BY_FD, self->s.vm->vcpu[0].fd));
	EXPECT_EQ(EBADF, open_by(self->node, KVMX_BY_FD, path));
	EXPECT_EQ(EBADF, open_by(self->node, KVMX_BY_FD, 1000));
	EXPECT_EQ(EBADF, open_by(self->node, KVMX_BY_FD, -1ULL));
	EXPECT_EQ(EBADF, open_by(self->node, KVMX_BY_FD,
				 1ULL << 32 | self->s.vm->fd));
	close(null);
	close(kvm);
	close(path);
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F_TIMEOUT(open, a_vcpu_that_does_not_exist_is_enoent, 60)
{
	int fd = kvmx_vm_stats(self->vm, 1);

	ASSERT_GE(fd, 0);
	close(fd);
	/* Index, not vcpu_id: that of the second one is 7. */
	ASSERT_EQ(-1, kvmx_vm_stats(self->vm, 7));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(-1, kvmx_vm_stats(self->vm, 2));
	EXPECT_EQ(ENOENT, errno);
	ASSERT_EQ(-1, kvmx_vm_stats(self->vm, KVMX_STATS_WHOLE_VM - 1));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F_TIMEOUT(open, a_vm_tells_what_it_is, 60)
{
	struct kvmx_vm_info info;
	char comm[64] = "";
	int fd = open("/proc/self/comm", O_RDONLY);

	ASSERT_GT(read(fd, comm, sizeof(comm) - 1), 0);
	close(fd);
	comm[strcspn(comm, "\n")] = 0;
	ASSERT_EQ(0, kvmx_vm_info(self->vm, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(getpid(), info.pid);
	EXPECT_STREQ(comm, info.name);
	EXPECT_EQ(2, info.nr_vcpus);
	EXPECT_EQ(KVMX_VM_COUNTING, info.state & ~KVMX_VM_ADOPTED);
	EXPECT_EQ(1, info.nr_stats_fds);
	EXPECT_GT(info.age_ns, 0);
	EXPECT_GT(info.counted_ns, 0);
	EXPECT_GE(info.age_ns, info.counted_ns);
	EXPECT_TRUE(kvmx_listed(self->node, info.id));
}

TEST_F_TIMEOUT(open, an_fd_without_names_tells_no_name_and_no_pid, 60)
{
	struct kvmx_vcpu_info v[2];
	struct kvmx_vcpus req = {
		.size = sizeof(req), .nr = 2, .entry_size = sizeof(*v),
		.vcpus = (uintptr_t)v,
	};
	struct kvmx_vm_info info;
	unsigned int i;
	int fd;

	fd = kvmx_open(self->node, KVMX_BY_FD, self->s.vm->fd,
		       KVMX_OPEN_NO_NAMES);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, kvmx_vm_info(fd, &info));
	EXPECT_EQ(0, info.pid);
	for (i = 0; i < KVMX_NAME_LEN; i++)
		EXPECT_EQ(0, info.name[i]);
	EXPECT_EQ(2, info.nr_vcpus);
	ASSERT_EQ(0, ioctl(fd, KVMX_VM_VCPUS, &req));
	EXPECT_EQ(0, v[0].tid);
	EXPECT_EQ(0, v[1].tid);
	close(fd);
}

TEST_F_TIMEOUT(open, only_root_may_open_the_node, 60)
{
	struct stat st;
	pid_t child;
	int status;

	ASSERT_EQ(0, stat(KVMX_DEVICE, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	child = fork();
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(open(KVMX_DEVICE, O_RDONLY) < 0 ? errno : 0);
	}
	waitpid(child, &status, 0);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EACCES, WEXITSTATUS(status));
}

TEST_F_TIMEOUT(open, fds_are_closed_on_exec, 60)
{
	int vm = kvmx_vm_by_fd(self->node, self->s.vm->fd);

	EXPECT_EQ(FD_CLOEXEC, fcntl(vm, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->stats, F_GETFD));
	close(vm);
}

HOST_HARNESS_MAIN
