// SPDX-License-Identifier: GPL-2.0-only
#include <linux/anon_inodes.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "core/args.h"
#include "core/vm.h"
#include "stats/counts.h"
#include "stats/mmu.h"
#include "stats/notes.h"
#include "stats/schema.h"
#include "stats/session.h"
#include "stats/snap.h"
#include "stats/statfd.h"
#include "stats/top.h"

/**
 * struct statfd - a statistics fd
 * @vm: the VM, referenced, and counted while this exists
 * @vcpu: the vCPU, NULL for the sums of the VM
 * @schema: what stands in front of the data; fixed
 * @groups: KVMX_STATS_* groups that it asked for
 * @no_names: tells no names and no tids
 * @have: what the schema was made with
 * @id: the id string of KVM's format
 * @lock: one reader of this fd at a time uses @snap
 * @snap: copy that is being read, and behind it room to work in
 * @mapped: for @snap
 */
struct statfd {
	struct kvmx_vm *vm;
	struct kvmx_vcpu *vcpu;
	struct kvmx_schema *schema;
	u32 groups;
	bool no_names;
	u32 have;
	char id[KVMX_STAT_NAME_LEN];
	struct mutex lock;
	struct kvmx_data *snap;
	struct kvmx_mapped mapped;
};

static void statfd_free(struct statfd *s)
{
	kvmx_schema_free(s->schema);
	kvfree(s->snap);
	kvmx_vm_put(s->vm);
	kfree(s);
}

static int statfd_release(struct inode *inode, struct file *file)
{
	struct statfd *s = file->private_data;

	kvmx_session_close(s->vm, s->groups);
	statfd_free(s);
	return 0;
}

/* One piece of the file: [@start, @start + @size) lies at @from. */
static ssize_t read_piece(char __user **to, size_t *left, loff_t *pos,
			  const void *from, loff_t start, size_t size)
{
	size_t n;

	if (!*left || *pos < start || *pos >= start + size)
		return 0;
	n = min_t(size_t, *left, start + size - *pos);
	if (copy_to_user(*to, from + (*pos - start), n))
		return -EFAULT;
	*to += n;
	*left -= n;
	*pos += n;
	return n;
}

static void take_snap(struct statfd *s)
{
	if (s->vcpu) {
		kvmx_snap_vcpu(s->vcpu, s->snap);
		return;
	}
	kvmx_snap_vm(s->vm, s->snap,
		     (void *)s->snap + kvmx_schema_data_size());
	if (s->groups & KVMX_STATS_MMU)
		kvmx_mmu_read(s->vm, &s->mapped, &s->snap->mmu);
}

static ssize_t statfd_read(struct file *file, char __user *buf, size_t count,
			   loff_t *pos)
{
	struct statfd *s = file->private_data;
	const struct kvmx_schema *sc = s->schema;
	size_t left = count;
	loff_t at = *pos;
	ssize_t n;

	if (at < 0)
		return -EINVAL;
	if (mutex_lock_interruptible(&s->lock))
		return -EINTR;
	n = read_piece(&buf, &left, &at, sc->head, 0, sc->id_offset);
	if (n >= 0)
		n = read_piece(&buf, &left, &at, s->id, sc->id_offset,
			       sizeof(s->id));
	if (n >= 0)
		n = read_piece(&buf, &left, &at,
			       sc->head + sc->id_offset + sizeof(s->id),
			       sc->id_offset + sizeof(s->id),
			       sc->size - sc->id_offset - sizeof(s->id));
	if (n >= 0 && left && at < sc->size + sc->data_size) {
		take_snap(s);
		n = read_piece(&buf, &left, &at, s->snap, sc->size,
			       sc->data_size);
	}
	mutex_unlock(&s->lock);
	if (n < 0)
		return n;
	*pos = at;
	return count - left;
}

static loff_t statfd_llseek(struct file *file, loff_t offset, int whence)
{
	struct statfd *s = file->private_data;

	return fixed_size_llseek(file, offset, whence,
				 s->schema->size + s->schema->data_size);
}

/* The data of a vCPU, where the pread interface has it: at data_offset. */
static int statfd_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct statfd *s = file->private_data;
	unsigned long first = s->schema->size >> PAGE_SHIFT;

	if (!s->vcpu)
		return -ENODEV;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EACCES;
	if (vma->vm_pgoff != first ||
	    vma->vm_end - vma->vm_start > s->schema->data_size)
		return -EINVAL;
	vm_flags_clear(vma, VM_MAYWRITE | VM_MAYEXEC);
	/* The first page in front of it is nobody's business. */
	return remap_vmalloc_range(vma, s->vcpu->counts,
				   KVMX_COUNTS_HEAD >> PAGE_SHIFT);
}

static __poll_t statfd_poll(struct file *file, poll_table *wait)
{
	struct statfd *s = file->private_data;

	poll_wait(file, &s->vm->wait, wait);
	return EPOLLIN | EPOLLRDNORM |
	       (READ_ONCE(s->vm->gone) ? EPOLLHUP : 0);
}

static long statfd_notes(struct statfd *s, void __user *arg)
{
	struct kvmx_notes req;
	struct kvmx_note *notes;
	struct kvmx_array out;
	unsigned int i, nr;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	if (req.flags || req.reserved)
		return -EINVAL;
	err = kvmx_array_begin(&out, req.notes, req.nr, req.entry_size,
			       sizeof(*notes));
	if (err)
		return err;
	notes = kcalloc(KVMX_NOTES_MAX, sizeof(*notes), GFP_KERNEL);
	if (!notes)
		return -ENOMEM;
	nr = kvmx_notes_make(notes, s->groups, s->have);
	for (i = 0; i < nr && !err; i++)
		err = kvmx_array_put(&out, &notes[i]);
	kfree(notes);
	req.nr = nr;
	return err ?: kvmx_args_put(&req, sizeof(req), arg);
}

static long statfd_top(struct statfd *s, void __user *arg)
{
	struct kvmx_top_list list;
	struct kvmx_array out;
	struct kvmx_top req;
	u32 i, group;
	int err;

	err = kvmx_args_get(&req, sizeof(req), arg);
	if (err)
		return err;
	group = kvmx_top_group(req.what);
	if (req.flags || req.reserved || !group)
		return -EINVAL;
	err = kvmx_array_begin(&out, req.rows, req.nr, req.entry_size,
			       sizeof(*list.row));
	if (err)
		return err;
	if (!(s->groups & group))
		return -ENODATA;
	if (s->no_names && kvmx_top_names(req.what))
		return -EPERM;
	err = kvmx_top_make(&list, s->vm, s->vcpu, req.what);
	if (err)
		return err;
	for (i = 0; i < list.nr && !err; i++)
		err = kvmx_array_put(&out, &list.row[i]);
	req.nr = list.nr;
	req.others_count = list.others_count;
	req.others_time = list.others_time;
	kvmx_top_free(&list);
	return err ?: kvmx_args_put(&req, sizeof(req), arg);
}

static long statfd_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVMX_STATS_NOTES:
		return statfd_notes(file->private_data, (void __user *)arg);
	case KVMX_STATS_TOP:
		return statfd_top(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations statfd_fops = {
	.owner = THIS_MODULE,
	.read = statfd_read,
	.llseek = statfd_llseek,
	.mmap = statfd_mmap,
	.poll = statfd_poll,
	.unlocked_ioctl = statfd_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = statfd_release,
};

static struct statfd *statfd_alloc(struct kvmx_vm *vm, struct kvmx_vcpu *v,
				   u32 groups, bool no_names)
{
	struct statfd *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	refcount_inc(&vm->refs);
	s->vm = vm;
	s->vcpu = v;
	s->groups = groups;
	s->no_names = no_names;
	s->have = kvmx_session_have();
	mutex_init(&s->lock);
	if (v)
		snprintf(s->id, sizeof(s->id), "kvmx-%llu/vcpu-%u", vm->id,
			 v->id);
	else
		snprintf(s->id, sizeof(s->id), "kvmx-%llu", vm->id);
	s->schema = kvmx_schema_build(!v, groups, s->have);
	s->snap = kvzalloc(kvmx_schema_data_size() + KVMX_GROUP_MAX,
			   GFP_KERNEL_ACCOUNT);
	if (s->schema && s->snap)
		return s;
	statfd_free(s);
	return NULL;
}

static int statfd_install(struct statfd *s)
{
	struct file *file;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	file = anon_inode_getfile("[kvmx-stats]", &statfd_fops, s, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD;
	fd_install(fd, file);
	return fd;
}

/* Of who is gone without having been counted nothing can be told, not even 0. */
static bool never_counted(struct kvmx_vm *vm, struct kvmx_vcpu *v)
{
	if (v)
		return !v->counts;
	if (!READ_ONCE(vm->gone))
		return false;
	kvmx_vm_for_each_vcpu(v, vm)
		if (v->counts)
			return false;
	return true;
}

/**
 * kvmx_statfd_open() - make a statistics fd, and count from here on
 * @vm: the VM; the caller holds a reference
 * @vcpu: index of the vCPU, or KVMX_STATS_WHOLE_VM
 * @groups: KVMX_STATS_* groups of figures to show besides
 * @no_names: the fd tells no names and no tids
 *
 * Context: may sleep.
 * Return: the fd; -ENOENT no such vCPU; -EOPNOTSUPP nothing can be counted
 *	here; -ENODATA the VM is gone and was never counted; -ENOMEM; -EMFILE.
 */
int kvmx_statfd_open(struct kvmx_vm *vm, u32 vcpu, u32 groups, bool no_names)
{
	struct kvmx_vcpu *v = NULL;
	struct statfd *s;
	int ret;

	if (vcpu != KVMX_STATS_WHOLE_VM) {
		v = kvmx_vm_vcpu(vm, vcpu);
		if (!v)
			return -ENOENT;
	}
	ret = kvmx_session_open(vm, groups);
	if (ret)
		return ret;
	ret = -ENODATA;
	if (never_counted(vm, v))
		goto close;
	ret = -ENOMEM;
	s = statfd_alloc(vm, v, groups, no_names);
	if (!s)
		goto close;
	ret = statfd_install(s);
	if (ret >= 0)
		return ret;
	statfd_free(s);
close:
	kvmx_session_close(vm, groups);
	return ret;
}
