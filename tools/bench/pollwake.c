// SPDX-License-Identifier: GPL-2.0-only
/*
 * What halt polling is worth: a guest halts and is woken by an interrupt, every so
 * often; how late it is then, and what the host pays. By turns: KVM polling as it does by
 * itself, not at all, and as kvmx says. Prints lines "PATTERN CONDITION P50 P99 CPU WON LOST":
 * microseconds from sending to the guest's next instruction, and per wake-up: CPU
 * time of the vCPU's thread, time polled with success and in vain.
 *
 * usage: pollwake WAKES ROUNDS
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "blob.h"
#include "company.h"
#include "die.h"
#include "hint.h"
#include "kvmx.h"
#include "place.h"
#include "pollguest.h"

#define MAX_WAKES	10000
#define WARM		200
#define KVM_DEFAULT	200000
#define CEILING		"/sys/module/kvm/parameters/halt_poll_ns"

/* Intervals in us; of four, @others are of the second length, in no order. */
static const struct pattern {
	const char *name;
	unsigned int us, other_us, others;
} patterns[] = {
	{ "50", 50 },
	{ "150", 150 },
	{ "400", 400 },
	{ "2000", 2000 },
	{ "3*150,400", 150, 400, 1 },
	{ "3*50,2000", 50, 2000, 1 },
	{ "50,3*2000", 50, 2000, 3 },
};

/* @ceiling: KVM's, ns; @us: of the effect. */
static const struct condition {
	const char *name;
	unsigned int ceiling;
	uint32_t effect;
	int us;
} conditions[] = {
	{ "kvm-200us", KVM_DEFAULT },
	{ "kvm-off", 0 },
	{ "poll:200us", KVM_DEFAULT, KVMX_EFFECT_POLL, 200 },
	{ "fit:200us", KVM_DEFAULT, KVMX_EFFECT_FIT, 200 },
	{ "kvm-1ms", 1000000 },
	{ "fit:1ms", 1000000, KVMX_EFFECT_FIT, 1000 },
};

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

static struct vmm *vm;
static int on_vm;
static struct stats *kvm;
static uint64_t late[MAX_WAKES];
static double ticks_per_us;
static unsigned int by_themselves;

/* Up to now: CPU time, and time polled with success and in vain, ns. */
struct sums {
	uint64_t ran, won, lost;
};

static struct poll_room *room(void)
{
	return (void *)(vm->mem + BLOB_ROOM(0));
}

static void set_ceiling(unsigned int ns)
{
	int fd = open(CEILING, O_WRONLY);
	char text[16];

	snprintf(text, sizeof(text), "%u", ns);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die_errno(CEILING);
	close(fd);
}

/* The guest's time stamps are the host's. */
static void same_clock(struct vmm_vcpu *v)
{
	uint64_t offset = 0;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};

	if (ioctl(v->fd, KVM_SET_DEVICE_ATTR, &attr))
		die_errno("KVM_VCPU_TSC_OFFSET");
}

static void nap(unsigned int us)
{
	struct timespec t = { .tv_nsec = us * 1000L };

	nanosleep(&t, NULL);
}

static double clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void calibrate(void)
{
	double us = clock_us();
	uint64_t from = vmm_tsc();

	nap(50000);
	ticks_per_us = (vmm_tsc() - from) / (clock_us() - us);
}

static uint32_t halts_of_guest(void)
{
	return __atomic_load_n(&room()->halts, __ATOMIC_ACQUIRE);
}

/* Return: what it took until the guest ran, in ticks. */
static uint64_t wake(unsigned int us)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = VMM_VECTOR };
	uint32_t before = halts_of_guest(), halts;
	uint64_t from;

	nap(us);
	halts = halts_of_guest();
	by_themselves += halts != before;
	from = vmm_tsc();
	if (ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) <= 0)
		die_errno("KVM_SIGNAL_MSI");
	/* It notes the time, and halts again. */
	while (halts_of_guest() == halts)
		nap(5);
	if (room()->woken < from)
		die("woken before the interrupt was sent");
	return room()->woken - from;
}

static unsigned int next_us(const struct pattern *p)
{
	static uint32_t any = 1;

	any = any * 1103515245 + 12345;
	return (any >> 16) % 4 < p->others ? p->other_us : p->us;
}

static void sum_up(int tid, struct sums *s)
{
	struct sched of;

	read_sched(tid, &of);
	stats_read(kvm);
	s->ran = of.ran;
	s->won = stats_get(kvm, "halt_poll_success_ns");
	s->lost = stats_get(kvm, "halt_poll_fail_ns");
}

static void *run(void *arg)
{
	struct vmm_vcpu *v = arg;

	pin(0, last_cpu());
	v->tid = gettid();
	vmm_run(v, NULL, 0);
	return NULL;
}

static void start(const struct condition *c)
{
	struct vmm_vcpu *v = &vm->vcpu[0];

	*room() = (struct poll_room) {
		.hints = c->effect, .intel = vmm_intel(),
	};
	blob_enter(v, poll_guest);
	v->tid = 0;
	errno = pthread_create(&v->thread, NULL, run, v);
	if (errno)
		die_errno("pthread_create");
	while (!halts_of_guest())
		nap(100);
	if (room()->failed)
		die("REGISTER said %ld", (long)room()->failed);
}

/* The interrupt after this is the last one. */
static void stop(void)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000, .data = VMM_VECTOR };

	__atomic_store_n(&room()->stop, 1, __ATOMIC_RELAXED);
	if (ioctl(vm->fd, KVM_SIGNAL_MSI, &msi) <= 0)
		die_errno("KVM_SIGNAL_MSI");
	pthread_join(vm->vcpu[0].thread, NULL);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const struct pattern *p, const struct condition *c,
		    unsigned int wakes)
{
	struct kvmx_hint h = hint_effect(1U << KVMX_KIND_LATENCY, c->effect,
					 c->us);
	struct sums from, to;
	unsigned int i;

	set_ceiling(c->ceiling);
	errno = c->effect ? hint_set(on_vm, &h) : 0;
	if (errno)
		die_errno("KVMX_VM_HINT, %s", c->name);
	start(c);
	for (i = 0; i < WARM; i++)
		wake(next_us(p));
	sum_up(vm->vcpu[0].tid, &from);
	for (i = 0; i < wakes; i++)
		late[i] = wake(next_us(p));
	sum_up(vm->vcpu[0].tid, &to);
	stop();
	if (c->effect)
		hint_off(on_vm);
	qsort(late, wakes, sizeof(*late), by_value);
	printf("%s %s %.1f %.1f %.1f %.1f %.1f\n", p->name, c->name,
	       late[wakes / 2] / ticks_per_us,
	       late[wakes * 99 / 100] / ticks_per_us,
	       (to.ran - from.ran) / 1e3 / wakes,
	       (to.won - from.won) / 1e3 / wakes,
	       (to.lost - from.lost) / 1e3 / wakes);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct sched_param above = { .sched_priority = 60 };
	unsigned int wakes, rounds, r, i, j;

	if (argc != 3)
		die("usage: pollwake WAKES ROUNDS");
	wakes = atoi(argv[1]);
	rounds = atoi(argv[2]);
	if (!wakes || wakes > MAX_WAKES)
		die("from 1 to %u wake-ups", MAX_WAKES);
	/* On time; what it starts is as others. */
	pin(0, 0);
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &above))
		die_errno("SCHED_FIFO");
	calibrate();
	vm = vmm_create(VMM_IRQCHIP);
	same_clock(vmm_add_vcpu(vm));
	kvm = kvm_stats(vm->vcpu[0].fd);
	on_vm = place_vm(vm->fd);
	if (on_vm < 0)
		die_errno("opening the VM");
	blob_load(vm);
	for (r = 0; r < rounds; r++)
		for (i = 0; i < COUNT(patterns); i++)
			for (j = 0; j < COUNT(conditions); j++)
				measure(&patterns[i], &conditions[j], wakes);
	set_ceiling(KVM_DEFAULT);
	if (by_themselves)
		fprintf(stderr, "pollwake: %u halts ended without an interrupt\n",
			by_themselves);
	close(on_vm);
	return 0;
}
