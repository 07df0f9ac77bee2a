// SPDX-License-Identifier: GPL-2.0-only
#include "core/hook.h"

void kvmx_no_entry(struct kvmx_vcpu *vcpu, u64 now) { }
void kvmx_no_exit(struct kvmx_vcpu *vcpu, u64 code, u64 now) { }
void kvmx_no_event(struct kvmx_vcpu *vcpu, const struct kvmx_event *event) { }
void kvmx_no_entry_more(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
			u64 now) { }
void kvmx_no_exit_more(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 code,
		       u64 now) { }
void kvmx_no_event_more(struct kvmx_vcpu *vcpu,
			const struct kvmx_event *event) { }
void kvmx_no_fault(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key, u64 address,
		   u64 error) { }
void kvmx_no_tlb(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
		 enum kvmx_tlb_event what, unsigned long arg) { }
void kvmx_no_mmu_work(const struct kvm *kvm, enum kvmx_mmu_work what) { }
void kvmx_no_mmu_change(int level, u64 before, u64 now) { }
void kvmx_no_birth(struct kvmx_vm *vm) { }
void kvmx_no_death(struct kvmx_vcpu *vcpu) { }
void kvmx_no_free(struct kvmx_vcpu *vcpu) { }
void kvmx_no_vcpu_born(struct kvmx_vm *vm) { }
void kvmx_no_vm_end(struct kvmx_vm *vm) { }
void kvmx_no_newtask(struct task_struct *child) { }
void kvmx_no_rename(struct task_struct *task, const char *name) { }
void kvmx_no_end(struct task_struct *task) { }
void kvmx_no_run(struct kvmx_vcpu *vcpu, bool enters) { }
void kvmx_no_setaffinity(pid_t nr) { }
void kvmx_no_affinity(struct task_struct *task) { }
void kvmx_no_task_born(struct kvmx_vm *vm, const struct kvmx_born *born) { }
void kvmx_no_task_renamed(struct kvmx_vm *vm, struct task_struct *task,
			  u32 thread_class) { }
void kvmx_no_task_end(struct kvmx_vm *vm, struct pid *tid) { }
void kvmx_no_vcpu_thread(struct kvmx_vm *vm, struct kvmx_vcpu *vcpu,
			 struct task_struct *task) { }
void kvmx_no_tasks_missed(struct kvmx_vm *vm) { }
void kvmx_no_call(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key,
		  const struct kvmx_call_args *args) { }
void kvmx_no_owed(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key) { }
void kvmx_no_halt(struct kvmx_vcpu *vcpu, struct kvm_vcpu *key) { }
void kvmx_no_kick(struct kvmx_vcpu *vcpu) { }
void kvmx_no_event_hint(struct kvmx_vcpu *vcpu,
			const struct kvmx_event *event) { }
void kvmx_no_hint_birth(struct kvmx_vm *vm) { }
void kvmx_no_hint_end(struct kvmx_vm *vm) { }
void kvmx_no_hint_free(struct kvmx_vcpu *vcpu) { }

DEFINE_STATIC_CALL(kvmx_on_entry, kvmx_no_entry);
DEFINE_STATIC_CALL(kvmx_on_exit, kvmx_no_exit);
DEFINE_STATIC_CALL(kvmx_on_event, kvmx_no_event);
DEFINE_STATIC_CALL(kvmx_on_entry_more, kvmx_no_entry_more);
DEFINE_STATIC_CALL(kvmx_on_exit_more, kvmx_no_exit_more);
DEFINE_STATIC_CALL(kvmx_on_event_more, kvmx_no_event_more);
DEFINE_STATIC_CALL(kvmx_on_fault, kvmx_no_fault);
DEFINE_STATIC_CALL(kvmx_on_tlb, kvmx_no_tlb);
DEFINE_STATIC_CALL(kvmx_on_mmu_work, kvmx_no_mmu_work);
DEFINE_STATIC_CALL(kvmx_on_mmu_change, kvmx_no_mmu_change);
DEFINE_STATIC_CALL(kvmx_on_birth, kvmx_no_birth);
DEFINE_STATIC_CALL(kvmx_on_death, kvmx_no_death);
DEFINE_STATIC_CALL(kvmx_on_free, kvmx_no_free);
DEFINE_STATIC_CALL(kvmx_on_vcpu_born, kvmx_no_vcpu_born);
DEFINE_STATIC_CALL(kvmx_on_vm_end, kvmx_no_vm_end);
DEFINE_STATIC_CALL(kvmx_on_newtask, kvmx_no_newtask);
DEFINE_STATIC_CALL(kvmx_on_rename, kvmx_no_rename);
DEFINE_STATIC_CALL(kvmx_on_end, kvmx_no_end);
DEFINE_STATIC_CALL(kvmx_on_run, kvmx_no_run);
DEFINE_STATIC_CALL(kvmx_on_setaffinity, kvmx_no_setaffinity);
DEFINE_STATIC_CALL(kvmx_on_affinity, kvmx_no_affinity);
DEFINE_STATIC_CALL(kvmx_on_task_born, kvmx_no_task_born);
DEFINE_STATIC_CALL(kvmx_on_task_renamed, kvmx_no_task_renamed);
DEFINE_STATIC_CALL(kvmx_on_task_end, kvmx_no_task_end);
DEFINE_STATIC_CALL(kvmx_on_vcpu_thread, kvmx_no_vcpu_thread);
DEFINE_STATIC_CALL(kvmx_on_tasks_missed, kvmx_no_tasks_missed);
DEFINE_STATIC_CALL(kvmx_on_call, kvmx_no_call);
DEFINE_STATIC_CALL(kvmx_on_owed, kvmx_no_owed);
DEFINE_STATIC_CALL(kvmx_on_halt, kvmx_no_halt);
DEFINE_STATIC_CALL(kvmx_on_kick, kvmx_no_kick);
DEFINE_STATIC_CALL(kvmx_on_event_hint, kvmx_no_event_hint);
DEFINE_STATIC_CALL(kvmx_on_hint_birth, kvmx_no_hint_birth);
DEFINE_STATIC_CALL(kvmx_on_hint_end, kvmx_no_hint_end);
DEFINE_STATIC_CALL(kvmx_on_hint_free, kvmx_no_hint_free);
