/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Habits of the ABI, written once: structures that begin with their size, and
 * arrays whose stride the caller chooses.
 */
#ifndef KVMX_CORE_ARGS_H
#define KVMX_CORE_ARGS_H

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/**
 * kvmx_args_get_grown() - copy a structure whose first member is its size
 * @dst: where to; its size member holds what the caller said
 * @size: sizeof(*@dst)
 * @first: its first version's
 * @arg: where from
 *
 * Return: 0; -EFAULT; -EINVAL shorter than the first version; -E2BIG longer
 *	than known, with something in it.
 */
static inline int kvmx_args_get_grown(void *dst, size_t size, size_t first,
				      void __user *arg)
{
	u32 usize;

	if (get_user(usize, (u32 __user *)arg))
		return -EFAULT;
	if (usize < first)
		return -EINVAL;
	return copy_struct_from_user(dst, size, arg, usize);
}

/**
 * kvmx_args_get() - the same of one that is as long as its first version
 * @dst: where to
 * @size: sizeof(*@dst)
 * @arg: where from
 *
 * Return: see kvmx_args_get_grown().
 */
static inline int kvmx_args_get(void *dst, size_t size, void __user *arg)
{
	return kvmx_args_get_grown(dst, size, size, arg);
}

/**
 * kvmx_args_put() - copy a structure back as far as it is known here
 * @src: what kvmx_args_get() filled, or as much of it as was filled since
 * @size: sizeof(*@src), or as much of it as the caller has room for
 * @arg: where to
 *
 * The first member stays what the caller said: he may ask with the same structure
 * again.
 *
 * Return: 0 or -EFAULT.
 */
static inline int kvmx_args_put(const void *src, size_t size, void __user *arg)
{
	const size_t first = sizeof(u32);

	return copy_to_user(arg + first, src + first, size - first) ? -EFAULT :
								      0;
}

/**
 * struct kvmx_array - an array that is being filled for the caller
 * @at: where the next entry goes
 * @room: how many more entries fit
 * @stride: bytes from one to the next
 * @size: bytes of an entry as known here
 */
struct kvmx_array {
	u8 __user *at;
	u32 room;
	u32 stride;
	u32 size;
};

/**
 * kvmx_array_begin() - check what the caller said about its array
 * @a: filled
 * @addr: its address
 * @room: number of entries there is room for; 0 asks for the number only
 * @stride: size of the caller's entries; not looked at if @room is 0
 * @size: size of an entry, which is also its first version's
 *
 * Return: 0, or -EINVAL where the caller's entry is shorter than the first
 *	version, or absurdly long.
 */
static inline int kvmx_array_begin(struct kvmx_array *a, u64 addr, u32 room,
				   u32 stride, u32 size)
{
	if (room && (stride < size || stride > 4096))
		return -EINVAL;
	a->at = u64_to_user_ptr(addr);
	a->room = room;
	a->stride = stride;
	a->size = size;
	return 0;
}

/**
 * kvmx_array_put() - write the next entry, if there is room for it
 * @a: the array
 * @entry: what to write; what the caller's entry has beyond it becomes zero
 *
 * Return: 0, also where there is no room any more; -EFAULT.
 */
static inline int kvmx_array_put(struct kvmx_array *a, const void *entry)
{
	if (!a->room)
		return 0;
	if (copy_to_user(a->at, entry, a->size) ||
	    clear_user(a->at + a->size, a->stride - a->size))
		return -EFAULT;
	a->at += a->stride;
	a->room--;
	return 0;
}

#endif /* KVMX_CORE_ARGS_H */
