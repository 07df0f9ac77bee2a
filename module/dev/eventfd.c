// SPDX-License-Identifier: GPL-2.0-only
#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "core/event.h"
#include "dev/eventfd.h"

/**
 * struct eventfd - an events fd
 * @queue: its records
 * @lock: one reader at a time
 */
struct eventfd {
	struct kvmx_event_queue *queue;
	struct mutex lock;
};

/* Whole records, as many as there are and fit. A fault loses none. */
static ssize_t take(struct eventfd *f, char __user *to, size_t len)
{
	struct kvmx_record r;
	size_t done = 0;

	if (mutex_lock_interruptible(&f->lock))
		return -ERESTARTSYS;
	while (done + sizeof(r) <= len && kvmx_event_peek(f->queue, &r)) {
		if (copy_to_user(to + done, &r, sizeof(r))) {
			mutex_unlock(&f->lock);
			return done ?: -EFAULT;
		}
		kvmx_event_drop(f->queue);
		done += sizeof(r);
	}
	mutex_unlock(&f->lock);
	return done;
}

static ssize_t eventfd_read(struct file *file, char __user *to, size_t len,
			    loff_t *pos)
{
	struct eventfd *f = file->private_data;
	ssize_t done;

	if (len < sizeof(struct kvmx_record))
		return -EINVAL;
	for (;;) {
		done = take(f, to, len);
		if (done)
			return done;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(f->queue->wait,
					     kvmx_event_any(f->queue)))
			return -ERESTARTSYS;
	}
}

static __poll_t eventfd_poll(struct file *file, poll_table *table)
{
	struct eventfd *f = file->private_data;

	poll_wait(file, &f->queue->wait, table);
	return kvmx_event_any(f->queue) ? EPOLLIN | EPOLLRDNORM : 0;
}

static void eventfd_free(struct eventfd *f)
{
	kvmx_event_close(f->queue);
	kfree(f);
}

static int eventfd_release(struct inode *inode, struct file *file)
{
	eventfd_free(file->private_data);
	return 0;
}

static const struct file_operations eventfd_fops = {
	.owner = THIS_MODULE,
	.read = eventfd_read,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.llseek = noop_llseek,
};

/**
 * kvmx_eventfd_open() - make an events fd
 * @mask: events that are wanted, 1 << KVMX_EVENT_*
 *
 * Context: may sleep.
 * Return: the fd; -ENOMEM; -EMFILE.
 */
int kvmx_eventfd_open(u64 mask)
{
	struct eventfd *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int fd;

	if (!f)
		return -ENOMEM;
	mutex_init(&f->lock);
	f->queue = kvmx_event_open(mask);
	if (!f->queue) {
		kfree(f);
		return -ENOMEM;
	}
	fd = anon_inode_getfd("[kvmx-events]", &eventfd_fops, f,
			      O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		eventfd_free(f);
	return fd;
}
