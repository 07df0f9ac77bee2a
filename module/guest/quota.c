// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "guest/quota.h"

static unsigned int files_per_user = 16;
module_param(files_per_user, uint, 0644);
MODULE_PARM_DESC(files_per_user, "files that a user may have, of one page and 64 threads each (default 16, at least 1)");

static unsigned int calls_per_user = 1000;
module_param(calls_per_user, uint, 0644);
MODULE_PARM_DESC(calls_per_user, "hypercalls that a user may ask for in a second (default 1000)");

/**
 * struct guest_quota - a user who has files
 * @node: in quotas
 * @uid: the user
 * @files: how many; the last one takes this away
 * @since: jiffies at which the second began that @calls counts
 * @calls: of this second
 */
struct guest_quota {
	struct list_head node;
	kuid_t uid;
	unsigned int files;
	unsigned long since;
	unsigned int calls;
};

static LIST_HEAD(quotas);
/* Guards all of the above. */
static DEFINE_MUTEX(quotas_lock);

static struct guest_quota *find(kuid_t uid)
{
	struct guest_quota *q;

	lockdep_assert_held(&quotas_lock);
	list_for_each_entry(q, &quotas, node)
		if (uid_eq(q->uid, uid))
			return q;
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return NULL;
	q->uid = uid;
	q->since = jiffies;
	list_add(&q->node, &quotas);
	return q;
}

/**
 * guest_quota_get() - a user opens a file
 * @uid: the user
 *
 * Return: to be put when it is closed; -EDQUOT, -ENOMEM.
 */
struct guest_quota *guest_quota_get(kuid_t uid)
{
	struct guest_quota *q;

	mutex_lock(&quotas_lock);
	q = find(uid);
	if (!q) {
		q = ERR_PTR(-ENOMEM);
	/* The first is always fine: its record is there for it. */
	} else if (q->files && q->files >= files_per_user) {
		q = ERR_PTR(-EDQUOT);
	} else {
		q->files++;
	}
	mutex_unlock(&quotas_lock);
	return q;
}

void guest_quota_put(struct guest_quota *quota)
{
	mutex_lock(&quotas_lock);
	if (!--quota->files) {
		list_del(&quota->node);
		kfree(quota);
	}
	mutex_unlock(&quotas_lock);
}

/* May the user have one more hypercall? */
bool guest_quota_call(struct guest_quota *quota)
{
	bool may;

	mutex_lock(&quotas_lock);
	if (time_after_eq(jiffies, quota->since + HZ)) {
		quota->since = jiffies;
		quota->calls = 0;
	}
	may = quota->calls < calls_per_user;
	quota->calls += may;
	mutex_unlock(&quotas_lock);
	return may;
}
