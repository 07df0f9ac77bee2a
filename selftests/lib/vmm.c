// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "die.h"
#include "vmm.h"

extern const uint8_t vmm_guest[], vmm_guest_irq[], vmm_guest_end[];

/* The guest's memory. */
#define MEM_SIZE	0x200000
#define GPA_CODE	0x1000
#define GPA_IDT		0x3000
#define GPA_GDT		0x4000
#define GPA_PML4	0x10000
#define GPA_PDPT	0x11000
#define GPA_PD		0x12000
#define GPA_PROG(i)	(0x40000 + (i) * 0x2000)
/* Memory for VMM_TOUCH: 2 MB pages of its own for each vCPU, within 1 GB. */
#define FRESH_SIZE	(VMM_FRESH_PAGES * 4096UL)
#define GPA_FRESH(i)	(0x8000000UL + (i) * FRESH_SIZE)

static int the_kvm = -1;

static int kvm_fd(void)
{
	if (the_kvm < 0) {
		the_kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
		if (the_kvm < 0)
			die_errno("/dev/kvm");
	}
	return the_kvm;
}

void vmm_let_go(void)
{
	if (the_kvm >= 0)
		close(the_kvm);
	the_kvm = -1;
}

/* NUMA balancing would take pages away, and so provoke faults of its own. */
static void __attribute__((constructor)) no_balancing(void)
{
	syscall(SYS_set_mempolicy, 4 /* MPOL_LOCAL */, NULL, 0);
}

static void *map_pages(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die_errno("mmap of %zu bytes", size);
	if (madvise(p, size, MADV_NOHUGEPAGE) && errno != EINVAL)
		die_errno("MADV_NOHUGEPAGE");
	return p;
}

/* Room for a page of 2 MB to begin at once; no page of that size unless asked. */
void *vmm_map_huge(size_t size)
{
	uintptr_t at = (uintptr_t)map_pages(size + VMM_HUGE_PAGE);

	return (void *)((at + VMM_HUGE_PAGE - 1) & ~(VMM_HUGE_PAGE - 1));
}

void vmm_set_slot(struct vmm *vm, unsigned int slot, uint64_t gpa, void *mem,
		  size_t size, uint32_t flags)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)mem,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &r))
		die_errno("KVM_SET_USER_MEMORY_REGION");
}

static void add_slot(struct vmm *vm, unsigned int slot, uint64_t gpa,
		     void *mem, size_t size)
{
	vmm_set_slot(vm, slot, gpa, mem, size, 0);
}

static void fill_memory(struct vmm *vm)
{
	uint64_t *pml4 = (void *)(vm->mem + GPA_PML4);
	uint64_t *pdpt = (void *)(vm->mem + GPA_PDPT);
	uint64_t *pd = (void *)(vm->mem + GPA_PD);
	uint64_t *gdt = (void *)(vm->mem + GPA_GDT);
	uint64_t *gate = (void *)(vm->mem + GPA_IDT + VMM_VECTOR * 16);
	uint64_t irq = GPA_CODE + (vmm_guest_irq - vmm_guest);
	uint64_t i;

	memcpy(vm->mem + GPA_CODE, vmm_guest, vmm_guest_end - vmm_guest);
	/* Identity, 2 MB pages, present, writable, accessed, dirty, anybody's. */
	pml4[0] = GPA_PDPT | 0x27;
	pdpt[0] = GPA_PD | 0x27;
	for (i = 0; i < 512; i++)
		pd[i] = i << 21 | 0xe7;
	gdt[1] = 0x00209b0000000000;	/* 64-bit code */
	gdt[2] = 0x00cf93000000ffff;	/* data */
	gate[0] = (irq & 0xffff) | 8 << 16 | 0x8eULL << 40 | irq >> 16 << 48;
	gate[1] = irq >> 32;
}

struct vmm *vmm_create(unsigned int flags)
{
	struct vmm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		die("out of memory");
	vm->fd = ioctl(kvm_fd(), KVM_CREATE_VM, 0);
	if (vm->fd < 0)
		die_errno("KVM_CREATE_VM");
	ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	vm->irqchip = flags & VMM_IRQCHIP;
	if (vm->irqchip && ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0))
		die_errno("KVM_CREATE_IRQCHIP");
	vm->mem = map_pages(MEM_SIZE);
	add_slot(vm, 0, 0, vm->mem, MEM_SIZE);
	fill_memory(vm);
	return vm;
}

static void set_cpuid(struct vmm_vcpu *v)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[200];
	} c = { .head.nent = 200 };

	if (ioctl(kvm_fd(), KVM_GET_SUPPORTED_CPUID, &c))
		die_errno("KVM_GET_SUPPORTED_CPUID");
	if (ioctl(v->fd, KVM_SET_CPUID2, &c))
		die_errno("KVM_SET_CPUID2");
}

static struct kvm_segment segment(unsigned int selector, unsigned int type)
{
	return (struct kvm_segment) {
		.limit = 0xffffffff, .selector = selector, .type = type,
		.present = 1, .s = 1, .g = 1,
		.l = type == 11, .db = type != 11,
	};
}

static void set_registers(struct vmm_vcpu *v, unsigned int index)
{
	struct kvm_regs regs = {
		.rip = GPA_CODE, .rflags = 2,
		.rsp = GPA_PROG(index), .rdi = GPA_PROG(index),
	};
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		die_errno("KVM_GET_SREGS");
	s.cs = segment(8, 11);
	s.ds = segment(16, 3);
	s.es = s.ds;
	s.fs = s.ds;
	s.gs = s.ds;
	s.ss = s.ds;
	s.cr0 = 0x80050033;
	s.cr3 = GPA_PML4;
	s.cr4 = 0x20;
	s.efer = 0x500;
	s.gdt.base = GPA_GDT;
	s.gdt.limit = 3 * 8 - 1;
	s.idt.base = GPA_IDT;
	s.idt.limit = 0xfff;
	if (v->vm->irqchip)
		s.apic_base |= 0xc00;	/* x2APIC */
	if (ioctl(v->fd, KVM_SET_SREGS, &s))
		die_errno("KVM_SET_SREGS");
	if (ioctl(v->fd, KVM_SET_REGS, &regs))
		die_errno("KVM_SET_REGS");
}

/* Ready for interrupts, all lines masked; and no waiting for a SIPI. */
static void set_apic(struct vmm_vcpu *v)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_lapic_state apic;
	uint32_t *svr = (uint32_t *)(apic.regs + 0xf0);
	uint32_t *lint0 = (uint32_t *)(apic.regs + 0x350);

	if (ioctl(v->fd, KVM_GET_LAPIC, &apic))
		die_errno("KVM_GET_LAPIC");
	*svr |= 0x100;
	*lint0 |= 0x10000;
	if (ioctl(v->fd, KVM_SET_LAPIC, &apic))
		die_errno("KVM_SET_LAPIC");
	if (ioctl(v->fd, KVM_SET_MP_STATE, &mp))
		die_errno("KVM_SET_MP_STATE");
}

void vmm_set_up(struct vmm_vcpu *v)
{
	set_registers(v, v - v->vm->vcpu);
	if (v->vm->irqchip)
		set_apic(v);
}

struct vmm_vcpu *vmm_add_vcpu_id(struct vmm *vm, unsigned int id)
{
	unsigned int index = vm->nr_vcpus;
	struct vmm_vcpu *v = &vm->vcpu[index];

	if (index == VMM_MAX_VCPUS)
		die("more than %u vCPUs", VMM_MAX_VCPUS);
	v->vm = vm;
	v->id = id;
	v->fd = ioctl(vm->fd, KVM_CREATE_VCPU, id);
	if (v->fd < 0)
		die_errno("KVM_CREATE_VCPU %u", id);
	vm->nr_vcpus++;
	v->prog = (void *)(vm->mem + GPA_PROG(index));
	v->run = mmap(NULL, ioctl(kvm_fd(), KVM_GET_VCPU_MMAP_SIZE, 0),
		      PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED)
		die_errno("mmap of a vCPU");
	set_cpuid(v);
	vmm_set_up(v);
	v->ready = true;
	return v;
}

struct vmm_vcpu *vmm_add_vcpu(struct vmm *vm)
{
	return vmm_add_vcpu_id(vm, vm->nr_vcpus);
}

void vmm_destroy(struct vmm *vm)
{
	size_t run = ioctl(kvm_fd(), KVM_GET_VCPU_MMAP_SIZE, 0);
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		struct vmm_vcpu *v = &vm->vcpu[i];

		vmm_stop(v);
		/* The mapping holds the vCPU as well. */
		if (v->run)
			munmap(v->run, run);
		if (v->fd >= 0)
			close(v->fd);
		if (v->fresh_mem)
			munmap(v->fresh_mem, FRESH_SIZE);
	}
	if (vm->fd >= 0)
		close(vm->fd);
	munmap(vm->mem, MEM_SIZE);
	free(vm);
}

/* Pages that the guest has not touched yet: their address in the guest. */
static uint64_t fresh_pages(struct vmm_vcpu *v, uint64_t n)
{
	unsigned int index = v - v->vm->vcpu;

	if (index >= VMM_FRESH_VCPUS)
		die("VMM_TOUCH is for the first %u vCPUs", VMM_FRESH_VCPUS);
	if (n > VMM_FRESH_PAGES)
		die("%lu pages at once are too many", (unsigned long)n);
	if (!v->fresh_mem) {
		v->fresh_mem = map_pages(FRESH_SIZE);
		add_slot(v->vm, 1 + index, GPA_FRESH(index), v->fresh_mem,
			 FRESH_SIZE);
	}
	if (v->fresh + n > VMM_FRESH_PAGES) {
		/* Takes them from the guest's page tables, too. */
		if (madvise(v->fresh_mem, FRESH_SIZE, MADV_DONTNEED))
			die_errno("MADV_DONTNEED");
		v->fresh = 0;
	}
	v->fresh += n;
	return GPA_FRESH(index) + (v->fresh - n) * 4096;
}

static uint64_t load_batch(struct vmm_vcpu *v, const struct vmm_step *steps,
			   unsigned int nr)
{
	uint64_t halts = 0;
	unsigned int i;

	if (nr > VMM_MAX_STEPS)
		die("%u steps are too many", nr);
	for (i = 0; i < nr; i++) {
		struct vmm_step *s = &v->prog->steps[i];

		*s = steps[i];
		if (!s->n)
			continue;
		switch (s->kind) {
		case VMM_HLT:
			if (!v->vm->irqchip)
				die("VMM_HLT needs VMM_IRQCHIP");
			halts += s->n;
			break;
		case VMM_HLT_USER:
			if (v->vm->irqchip)
				die("VMM_HLT_USER with VMM_IRQCHIP");
			break;
		case VMM_OUT_KERNEL:
			if (!v->vm->irqchip)
				die("VMM_OUT_KERNEL needs VMM_IRQCHIP");
			break;
		case VMM_HYPERCALL:
			s->kind = vmm_intel() ? VMM_VMCALL : VMM_HYPERCALL;
			break;
		case VMM_KVMX:
			s->kind = vmm_intel() ? VMM_KVMX_VMCALL : VMM_KVMX;
			break;
		case VMM_MMIO:
			s->arg = VMM_HOLE_GPA;
			break;
		case VMM_TOUCH:
			s->arg = fresh_pages(v, s->n);
			break;
		}
	}
	v->prog->nr = nr;
	return halts;
}

struct waker {
	struct vmm_vcpu *v;
	uint64_t n;
	uint32_t seen;
	pthread_t thread;
};

/* Ends each halt of a batch by one interrupt. */
static void *wake(void *arg)
{
	struct waker *w = arg;
	struct vmm_vcpu *v = w->v;
	struct kvm_msi msi = {
		.address_lo = 0xfee00000 | v->id << 12,
		.data = VMM_VECTOR,
	};
	volatile uint32_t *halts = &v->prog->halts;
	cpu_set_t all;

	/* Not where the vCPU is bound to. */
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	while (w->n--) {
		while (*halts == w->seen)
			usleep(50);
		w->seen++;
		if (v->halt_us)
			usleep(v->halt_us);
		if (ioctl(v->vm->fd, KVM_SIGNAL_MSI, &msi) <= 0)
			die_errno("KVM_SIGNAL_MSI");
	}
	return NULL;
}

/* What user space does on an exit. Returns false at the end of the batch. */
static bool handle(struct vmm_vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		if (v->run->io.port == VMM_DONE_PORT)
			return false;
		if (v->run->io.port != VMM_USER_PORT)
			die("guest wrote to port %#x", v->run->io.port);
		break;
	case KVM_EXIT_HLT:
	case KVM_EXIT_MMIO:
	case KVM_EXIT_INTR:
		break;
	default:
		die("KVM_RUN ended with reason %u", v->run->exit_reason);
	}
	if (v->user_us && v->run->exit_reason != KVM_EXIT_INTR)
		usleep(v->user_us);
	return true;
}

static void run_to_end(struct vmm_vcpu *v)
{
	uint64_t from = vmm_tsc(), to;
	bool more = true;

	while (more) {
		if (ioctl(v->fd, KVM_RUN, 0) && errno != EINTR && errno != EAGAIN)
			die_errno("KVM_RUN");
		to = vmm_tsc();
		v->tsc_in += to - from;
		v->runs++;
		more = handle(v);
		from = vmm_tsc();
		v->tsc_out += from - to;
	}
}

void vmm_run(struct vmm_vcpu *v, const struct vmm_step *steps, unsigned int nr)
{
	struct waker w = { .v = v, .seen = v->prog->halts };
	unsigned int i;

	w.n = load_batch(v, steps, nr);
	if (w.n) {
		errno = pthread_create(&w.thread, NULL, wake, &w);
		if (errno)
			die_errno("pthread_create");
	}
	run_to_end(v);
	if (v->prog->halts != w.seen && !w.thread)
		die("a halt that was not ordered");
	if (w.thread)
		pthread_join(w.thread, NULL);
	for (i = 0; i < nr; i++)
		v->did[steps[i].kind] += steps[i].n;
	v->dones++;
}

void vmm_do(struct vmm_vcpu *v, unsigned int kind, uint64_t n)
{
	struct vmm_step step = { .kind = kind, .n = n };

	vmm_run(v, &step, 1);
}

uint64_t vmm_wakes(const struct vmm_vcpu *v)
{
	return (uint64_t)v->id << 32 | VMM_VECTOR;
}

void vmm_warm(struct vmm_vcpu *v)
{
	struct vmm_step steps[] = {
		{ .kind = VMM_CPUID, .n = 1 },
		{ .kind = VMM_TOUCH, .n = 1 },
		{ .kind = VMM_MMIO, .n = 1 },
		{ .kind = VMM_HLT, .n = v->vm->irqchip },
	};

	/* A slot that is added makes KVM forget all MMIO addresses: twice. */
	vmm_run(v, steps, 4);
	vmm_run(v, steps, 4);
}

static void *loop(void *arg)
{
	struct vmm_vcpu *v = arg;

	v->tid = syscall(SYS_gettid);
	while (!v->stop) {
		vmm_run(v, v->loop, v->nr_loop);
		v->rounds++;
	}
	return NULL;
}

void vmm_start(struct vmm_vcpu *v, const struct vmm_step *steps, unsigned int nr)
{
	memcpy(v->loop, steps, nr * sizeof(*steps));
	v->nr_loop = nr;
	v->stop = false;
	v->rounds = 0;
	v->tid = 0;
	errno = pthread_create(&v->thread, NULL, loop, v);
	if (errno)
		die_errno("pthread_create");
	v->started = true;
	while (!v->tid)
		usleep(100);
}

void vmm_stop(struct vmm_vcpu *v)
{
	if (!v->started)
		return;
	v->stop = true;
	pthread_join(v->thread, NULL);
	v->started = false;
}
