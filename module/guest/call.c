// SPDX-License-Identifier: GPL-2.0-only
#include <linux/kvm_para.h>
#include <linux/string.h>
#include <linux/kvmx_para.h>

#include "guest/call.h"

/* How often "nobody here" may be a matter of the moment. */
#define TRIES	8

/**
 * guest_call() - a hypercall of kvmx
 * @op: KVMX_HC_*
 * @a: first argument
 * @b: second
 * @c: third
 *
 * An operation that is about a vCPU is about the one that calls: the caller sees
 * to it that it stays there.
 *
 * Context: any.
 * Return: what the host answers; -KVM_ENOSYS where no kvmx is there, or allows
 *	this guest nothing.
 */
long guest_call(unsigned int op, u32 a, u32 b, u32 c)
{
	unsigned int tries = TRIES;
	long ret;

	do {
		ret = kvm_hypercall4(KVMX_HC, op, a, b, c);
	} while (ret == -KVM_ENOSYS && --tries);
	return ret;
}

static u32 query(u32 what)
{
	long ret = guest_call(KVMX_HC_QUERY, what, 0, 0);

	return ret < 0 ? 0 : ret;
}

/**
 * guest_query() - what does the host take?
 * @host: filled; all 0 where there is nothing that could be of use
 */
void guest_query(struct guest_host *host)
{
	memset(host, 0, sizeof(*host));
	host->version = query(KVMX_QUERY_VERSION);
	/* Most hosts: what follows would all get the same answer. */
	if (!host->version)
		return;
	host->kinds = query(KVMX_QUERY_KINDS);
	host->area_size = query(KVMX_QUERY_AREA_SIZE);
	host->features = query(KVMX_QUERY_FEATURES);
	if (!host->kinds)
		memset(host, 0, sizeof(*host));
	/* Calls are taken all the same. */
	if (host->area_size < sizeof(struct kvmx_area))
		host->features &= ~(KVMX_PARA_AREA | KVMX_PARA_USER_WORD);
}
