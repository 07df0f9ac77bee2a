// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kvm_para.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "guest/area.h"
#include "guest/dev.h"
#include "guest/quota.h"
#include "guest/slot.h"

/**
 * struct hint_file - an open file
 * @page: what its threads map
 * @quota: of who opened it
 * @slots: the words in @page
 */
struct hint_file {
	struct page *page;
	struct guest_quota *quota;
	struct guest_slot slots[KVMX_USER_THREADS];
};

static int hint_open(struct inode *inode, struct file *file)
{
	struct guest_quota *quota = guest_quota_get(current_fsuid());
	struct hint_file *f;
	unsigned int i;
	void *words;

	BUILD_BUG_ON(KVMX_USER_MAP_SIZE != PAGE_SIZE);
	BUILD_BUG_ON(sizeof(struct kvmx_user_word) != 16);
	if (IS_ERR(quota))
		return PTR_ERR(quota);
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		goto no_file;
	f->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!f->page)
		goto no_page;
	f->quota = quota;
	words = page_address(f->page);
	for (i = 0; i < KVMX_USER_THREADS; i++) {
		f->slots[i].word = words + i * SLOT_STRIDE;
		f->slots[i].address = virt_to_phys(f->slots[i].word);
	}
	file->private_data = f;
	return 0;

no_page:
	kfree(f);
no_file:
	guest_quota_put(quota);
	return -ENOMEM;
}

/* Every mapping holds its file: there is none any more. */
static int hint_release(struct inode *inode, struct file *file)
{
	struct hint_file *f = file->private_data;

	guest_slots_drop(f->slots, KVMX_USER_THREADS);
	__free_page(f->page);
	guest_quota_put(f->quota);
	kfree(f);
	return 0;
}

static int hint_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct hint_file *f = file->private_data;

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	/* A child's threads have no words here. */
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND);
	return vm_insert_page(vma, vma->vm_start, f->page);
}

/* The kernel's habit: longer is fine as long as nothing is in there. */
static int get_arg(void *to, size_t size, void __user *from)
{
	u32 claimed;

	if (get_user(claimed, (u32 __user *)from))
		return -EFAULT;
	if (claimed < size)
		return -EINVAL;
	if (claimed > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(to, size, from, claimed);
}

static int put_arg(void __user *to, const void *from, size_t size)
{
	return copy_to_user(to, from, size) ? -EFAULT : 0;
}

static long info(struct hint_file *f, void __user *arg)
{
	struct kvmx_user_info req;
	struct guest_host host;
	int err = get_arg(&req, sizeof(req), arg);

	if (err)
		return err;
	if (req.flags)
		return -EINVAL;
	guest_host_get(&host);
	req.size = sizeof(req);
	req.version = host.version;
	req.kinds = host.kinds;
	req.vcpus = num_online_cpus();
	req.registered = guest_areas_registered();
	return put_arg(arg, &req, sizeof(req));
}

static long join(struct hint_file *f, void __user *arg)
{
	struct kvmx_user_join req;
	struct guest_slot *slot;
	int err = get_arg(&req, sizeof(req), arg);

	if (err)
		return err;
	if (req.flags || req.reserved)
		return -EINVAL;
	err = guest_slot_take(f->slots, KVMX_USER_THREADS, &slot);
	if (err)
		return err;
	/* The first one: until now there was nothing to look at. */
	guest_host_use();
	req.size = sizeof(req);
	req.offset = (slot - f->slots) * SLOT_STRIDE;
	err = put_arg(arg, &req, sizeof(req));
	if (err)
		guest_slot_leave(f->slots, KVMX_USER_THREADS);
	return err;
}

static long leave(struct hint_file *f, void __user *arg)
{
	return guest_slot_leave(f->slots, KVMX_USER_THREADS);
}

static bool is_hint(u32 word)
{
	u32 kind = KVMX_HINT_KIND(word), nesting = KVMX_HINT_NESTING(word);

	if (word & KVMX_HINT_RESERVED)
		return false;
	if (kind == KVMX_KIND_NONE)
		return !word;
	return nesting && (kind == KVMX_KIND_CRITICAL ||
			   kind == KVMX_KIND_LATENCY ||
			   kind == KVMX_KIND_BATCH);
}

static struct guest_slot *own(struct hint_file *f)
{
	struct guest_slot *slot;

	rcu_read_lock();
	slot = guest_slot_of(current);
	rcu_read_unlock();
	/* Ours and our file's: it stays while we are in here. */
	if (slot < f->slots || slot >= f->slots + KVMX_USER_THREADS)
		return NULL;
	return slot;
}

static long call(struct hint_file *f, const struct kvmx_user_hint *req)
{
	long ret;

	if (!guest_quota_call(f->quota))
		return -EAGAIN;
	preempt_disable();
	ret = req->hint ?
	      guest_call(KVMX_HC_HINT, req->hint, req->length_us, 0) :
	      guest_call(KVMX_HC_RELEASE, 0, 0, 0);
	preempt_enable();
	if (ret >= 0)
		return 0;
	return ret == -KVM_E2BIG ? -EAGAIN : -EOPNOTSUPP;
}

static long hint(struct hint_file *f, void __user *arg)
{
	struct kvmx_user_hint req;
	struct guest_slot *slot;
	int err = get_arg(&req, sizeof(req), arg);

	if (err)
		return err;
	if (req.flags & ~KVMX_USER_CALL || !is_hint(req.hint))
		return -EINVAL;
	slot = own(f);
	if (!slot)
		return -ENOENT;
	WRITE_ONCE(slot->word->length_us, req.length_us);
	WRITE_ONCE(slot->word->hint, req.hint);
	WRITE_ONCE(slot->word->seq, slot->word->seq + 1);
	return req.flags & KVMX_USER_CALL ? call(f, &req) : 0;
}

static const struct {
	unsigned int cmd;
	long (*run)(struct hint_file *f, void __user *arg);
} ioctls[] = {
	{ KVMX_USER_INFO, info },
	{ KVMX_USER_JOIN, join },
	{ KVMX_USER_LEAVE, leave },
	{ KVMX_USER_HINT, hint },
};

static long hint_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (ioctls[i].cmd == cmd)
			return ioctls[i].run(file->private_data,
					     (void __user *)arg);
	return -ENOTTY;
}

static const struct file_operations hint_fops = {
	.owner = THIS_MODULE,
	.open = hint_open,
	.release = hint_release,
	.mmap = hint_mmap,
	.unlocked_ioctl = hint_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice hint_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kvmx-hint",
	.fops = &hint_fops,
	/* Whom root lets in: by a udev rule. */
	.mode = 0600,
};

int guest_dev_init(void)
{
	return misc_register(&hint_device);
}

void guest_dev_exit(void)
{
	misc_deregister(&hint_device);
}
