// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract, and nothing besides: compiled as strict C99 and as C++, with
 * every offset of version 1 written down by hand. What fails here breaks programs
 * that exist.
 */
#include <linux/kvmx.h>
#include <linux/kvmx_events.h>
#include <linux/kvmx_hint.h>
#include <linux/kvmx_para.h>
#include <linux/kvmx_place.h>
#include <linux/kvmx_user.h>
#include <stddef.h>

#define SAME(name, a, b) \
	typedef char kvmx_check_##name[(a) == (b) ? 1 : -1]
#define AT(type, member, offset) \
	SAME(type##_##member, offsetof(struct type, member), offset)
#define SIZE(type, bytes) SAME(size_##type, sizeof(struct type), bytes)

AT(kvmx_feature, id, 0);
AT(kvmx_feature, state, 4);
AT(kvmx_feature, name, 8);
AT(kvmx_feature, reason, 40);
SIZE(kvmx_feature, 152);

AT(kvmx_info, size, 0);
AT(kvmx_info, flags, 4);
AT(kvmx_info, abi_version, 8);
AT(kvmx_info, vendor, 12);
AT(kvmx_info, clock, 16);
AT(kvmx_info, clock_khz, 20);
AT(kvmx_info, nr_features, 24);
AT(kvmx_info, nr_vms, 28);
AT(kvmx_info, features, 32);
AT(kvmx_info, feature_size, 40);
AT(kvmx_info, nr_stats_fds, 44);
AT(kvmx_info, state, 48);
AT(kvmx_info, uncounted, 56);
AT(kvmx_info, memory, 64);
AT(kvmx_info, now, 72);
AT(kvmx_info, version, 80);
SIZE(kvmx_info, 112);

AT(kvmx_cost, size, 0);
AT(kvmx_cost, flags, 4);
AT(kvmx_cost, exit, 8);
AT(kvmx_cost, rounds, 16);
AT(kvmx_cost, cpu, 20);
SIZE(kvmx_cost, 24);

AT(kvmx_vm_info, size, 0);
AT(kvmx_vm_info, flags, 4);
AT(kvmx_vm_info, id, 8);
AT(kvmx_vm_info, pid, 16);
AT(kvmx_vm_info, nr_vcpus, 20);
AT(kvmx_vm_info, age_ns, 24);
AT(kvmx_vm_info, counted_ns, 32);
AT(kvmx_vm_info, state, 40);
AT(kvmx_vm_info, nr_stats_fds, 44);
AT(kvmx_vm_info, name, 48);
SIZE(kvmx_vm_info, 112);

AT(kvmx_list, size, 0);
AT(kvmx_list, flags, 4);
AT(kvmx_list, nr, 8);
AT(kvmx_list, entry_size, 12);
AT(kvmx_list, vms, 16);
AT(kvmx_list, reserved, 24);
SIZE(kvmx_list, 32);

AT(kvmx_open, size, 0);
AT(kvmx_open, flags, 4);
AT(kvmx_open, by, 8);
AT(kvmx_open, reserved, 12);
AT(kvmx_open, key, 16);
AT(kvmx_open, id, 24);
SIZE(kvmx_open, 32);

AT(kvmx_vcpu_info, size, 0);
AT(kvmx_vcpu_info, index, 4);
AT(kvmx_vcpu_info, vcpu_id, 8);
AT(kvmx_vcpu_info, tid, 12);
SIZE(kvmx_vcpu_info, 16);

AT(kvmx_vcpus, size, 0);
AT(kvmx_vcpus, flags, 4);
AT(kvmx_vcpus, nr, 8);
AT(kvmx_vcpus, entry_size, 12);
AT(kvmx_vcpus, vcpus, 16);
AT(kvmx_vcpus, reserved, 24);
SIZE(kvmx_vcpus, 32);

AT(kvmx_stats, size, 0);
AT(kvmx_stats, flags, 4);
AT(kvmx_stats, vcpu, 8);
AT(kvmx_stats, reserved, 12);
SIZE(kvmx_stats, 16);

AT(kvmx_note, label, 0);
AT(kvmx_note, reserved, 4);
AT(kvmx_note, name, 8);
AT(kvmx_note, reason, 72);
SIZE(kvmx_note, 184);

AT(kvmx_notes, size, 0);
AT(kvmx_notes, flags, 4);
AT(kvmx_notes, nr, 8);
AT(kvmx_notes, entry_size, 12);
AT(kvmx_notes, notes, 16);
AT(kvmx_notes, reserved, 24);
SIZE(kvmx_notes, 32);

AT(kvmx_top_row, key, 0);
AT(kvmx_top_row, count, 8);
AT(kvmx_top_row, time, 16);
AT(kvmx_top_row, missed, 24);
AT(kvmx_top_row, name, 32);
SIZE(kvmx_top_row, 64);

AT(kvmx_top, size, 0);
AT(kvmx_top, flags, 4);
AT(kvmx_top, what, 8);
AT(kvmx_top, nr, 12);
AT(kvmx_top, entry_size, 16);
AT(kvmx_top, reserved, 20);
AT(kvmx_top, rows, 24);
AT(kvmx_top, others_count, 32);
AT(kvmx_top, others_time, 40);
SIZE(kvmx_top, 48);

/* _IO() codes: the size is not part of them. */
SAME(info, KVMX_INFO, 0xb900);
SAME(list, KVMX_LIST, 0xb901);
SAME(open, KVMX_OPEN, 0xb902);
SAME(cost, KVMX_COST, 0xb903);
SAME(vm_info, KVMX_VM_INFO, 0xb910);
SAME(vm_vcpus, KVMX_VM_VCPUS, 0xb911);
SAME(vm_stats, KVMX_VM_STATS, 0xb912);
SAME(stats_notes, KVMX_STATS_NOTES, 0xb920);
SAME(stats_top, KVMX_STATS_TOP, 0xb921);

AT(kvmx_record, size, 0);
AT(kvmx_record, type, 4);
AT(kvmx_record, seq, 8);
AT(kvmx_record, time_ns, 16);
AT(kvmx_record, vm, 24);
AT(kvmx_record, pid, 32);
AT(kvmx_record, tid, 36);
AT(kvmx_record, thread_class, 40);
AT(kvmx_record, vcpu, 44);
AT(kvmx_record, arg, 48);
AT(kvmx_record, name, 56);
SIZE(kvmx_record, 72);

AT(kvmx_events, size, 0);
AT(kvmx_events, flags, 4);
AT(kvmx_events, mask, 8);
AT(kvmx_events, reserved, 16);
SIZE(kvmx_events, 24);

AT(kvmx_pin, vcpu, 0);
AT(kvmx_pin, cpu, 4);
SIZE(kvmx_pin, 8);

AT(kvmx_placed_thread, tid, 0);
AT(kvmx_placed_thread, thread_class, 4);
AT(kvmx_placed_thread, vcpu, 8);
AT(kvmx_placed_thread, why, 12);
AT(kvmx_placed_thread, state, 16);
AT(kvmx_placed_thread, drifts, 20);
AT(kvmx_placed_thread, name, 24);
SIZE(kvmx_placed_thread, 40);

AT(kvmx_place_note, kind, 0);
AT(kvmx_place_note, cpu, 4);
AT(kvmx_place_note, node, 8);
AT(kvmx_place_note, tid, 12);
AT(kvmx_place_note, vm, 16);
AT(kvmx_place_note, arg, 24);
AT(kvmx_place_note, text, 32);
SIZE(kvmx_place_note, 144);

AT(kvmx_plan, nr_threads, 0);
AT(kvmx_plan, thread_size, 4);
AT(kvmx_plan, nr_notes, 8);
AT(kvmx_plan, note_size, 12);
AT(kvmx_plan, threads, 16);
AT(kvmx_plan, masks, 24);
AT(kvmx_plan, notes, 32);
SIZE(kvmx_plan, 40);

AT(kvmx_place, size, 0);
AT(kvmx_place, flags, 4);
AT(kvmx_place, policy, 8);
AT(kvmx_place, smt, 12);
AT(kvmx_place, mask_size, 16);
AT(kvmx_place, nr_map, 20);
AT(kvmx_place, cpus, 24);
AT(kvmx_place, emulator, 32);
AT(kvmx_place, io, 40);
AT(kvmx_place, map, 48);
AT(kvmx_place, nodes, 56);
AT(kvmx_place, nr_nodes, 64);
AT(kvmx_place, interval_ms, 68);
AT(kvmx_place, plan, 72);
SIZE(kvmx_place, 112);

AT(kvmx_placed, size, 0);
AT(kvmx_placed, flags, 4);
AT(kvmx_placed, policy, 8);
AT(kvmx_placed, smt, 12);
AT(kvmx_placed, mask_size, 16);
AT(kvmx_placed, state, 20);
AT(kvmx_placed, age_ns, 24);
AT(kvmx_placed, births, 32);
AT(kvmx_placed, birth_ns_max, 40);
AT(kvmx_placed, birth_ns, 48);
AT(kvmx_placed, moves, 56);
AT(kvmx_placed, drifts, 64);
AT(kvmx_placed, refusals, 72);
AT(kvmx_placed, fallbacks, 80);
AT(kvmx_placed, plan, 88);
SIZE(kvmx_placed, 128);

AT(kvmx_area_guest, hint, 0);
AT(kvmx_area_guest, length_us, 4);
AT(kvmx_area_guest, seq, 8);
AT(kvmx_area_guest, reserved, 12);
AT(kvmx_area_guest, user, 16);
AT(kvmx_area_guest, unused, 24);
SIZE(kvmx_area_guest, 64);

AT(kvmx_area_host, version, 0);
AT(kvmx_area_host, size, 4);
AT(kvmx_area_host, kinds, 8);
AT(kvmx_area_host, state, 12);
AT(kvmx_area_host, budget_us, 16);
AT(kvmx_area_host, seq, 20);
AT(kvmx_area_host, preempted, 24);
AT(kvmx_area_host, generation, 28);
AT(kvmx_area_host, run_delay_ns, 32);
AT(kvmx_area_host, granted, 40);
AT(kvmx_area_host, unused, 48);
SIZE(kvmx_area_host, 64);

AT(kvmx_area, guest, 0);
AT(kvmx_area, host, 64);
SIZE(kvmx_area, 128);

AT(kvmx_hint_kind, effect, 0);
AT(kvmx_hint_kind, arg, 4);
AT(kvmx_hint_kind, grant_us, 8);
AT(kvmx_hint_kind, reserved, 12);
SIZE(kvmx_hint_kind, 16);

AT(kvmx_hint, size, 0);
AT(kvmx_hint, flags, 4);
AT(kvmx_hint, budget_us, 8);
AT(kvmx_hint, period_us, 12);
AT(kvmx_hint, calls_per_s, 16);
AT(kvmx_hint, reserved, 20);
AT(kvmx_hint, kinds, 24);
SIZE(kvmx_hint, 104);

AT(kvmx_hint_counts, size, 0);
AT(kvmx_hint_counts, flags, 4);
AT(kvmx_hint_counts, vcpu, 8);
AT(kvmx_hint_counts, kind, 12);
AT(kvmx_hint_counts, given, 16);
AT(kvmx_hint_counts, granted, 24);
AT(kvmx_hint_counts, refused_kind, 32);
AT(kvmx_hint_counts, refused_budget, 40);
AT(kvmx_hint_counts, refused_host, 48);
AT(kvmx_hint_counts, refused_bad, 56);
AT(kvmx_hint_counts, expired, 64);
AT(kvmx_hint_counts, released, 72);
AT(kvmx_hint_counts, late, 80);
AT(kvmx_hint_counts, stale, 88);
AT(kvmx_hint_counts, time_ns, 96);
AT(kvmx_hint_counts, useful_ns, 104);
AT(kvmx_hint_counts, calls, 112);
AT(kvmx_hint_counts, area_lost, 120);
AT(kvmx_hint_counts, calls_refused, 128);
AT(kvmx_hint_counts, taken_off, 136);
AT(kvmx_hint_counts, cost, 144);
SIZE(kvmx_hint_counts, 152);

AT(kvmx_user_word, hint, 0);
AT(kvmx_user_word, length_us, 4);
AT(kvmx_user_word, seq, 8);
AT(kvmx_user_word, reserved, 12);
SIZE(kvmx_user_word, 16);

AT(kvmx_user_info, size, 0);
AT(kvmx_user_info, flags, 4);
AT(kvmx_user_info, version, 8);
AT(kvmx_user_info, kinds, 12);
AT(kvmx_user_info, vcpus, 16);
AT(kvmx_user_info, registered, 20);
SIZE(kvmx_user_info, 24);

AT(kvmx_user_join, size, 0);
AT(kvmx_user_join, flags, 4);
AT(kvmx_user_join, offset, 8);
AT(kvmx_user_join, reserved, 12);
SIZE(kvmx_user_join, 16);

AT(kvmx_user_hint, size, 0);
AT(kvmx_user_hint, flags, 4);
AT(kvmx_user_hint, hint, 8);
AT(kvmx_user_hint, length_us, 12);
SIZE(kvmx_user_hint, 16);
