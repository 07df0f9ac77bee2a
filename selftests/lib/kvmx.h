/* SPDX-License-Identifier: GPL-2.0-only */
/* Thin wrappers: /dev/kvmx, and statistics fds, kvmx's and KVM's own alike. */
#ifndef KVMX_LIB_KVMX_H
#define KVMX_LIB_KVMX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>
#include <linux/kvmx.h>
#include <linux/kvmx_events.h>

/* Every group of figures. */
#define ALL_GROUPS	(KVMX_STATS_SCHED | KVMX_STATS_MMU | KVMX_STATS_IO | \
			 KVMX_STATS_TLB)

struct stat_desc {
	const char *name;
	uint32_t flags;
	int16_t exponent;
	uint16_t size;
	uint32_t offset;	/* in the data */
	uint32_t bucket_size;
	int seq;		/* descriptor of its sequence word, or -1 */
};

struct stats {
	int fd;
	struct kvm_stats_header head;
	uint8_t *raw;		/* all in front of the data */
	const char *id;
	struct stat_desc *desc;
	unsigned int nr;
	uint8_t *data;		/* the copy that the functions below look at */
	size_t size;
	const uint8_t *map;	/* stats_map() */
	size_t map_size;
	unsigned long retries;	/* of stats_read_map() */
};

/* Takes the fd over. Ends the program where the fd makes no sense. */
struct stats *stats_attach(int fd);
void stats_close(struct stats *s);
void stats_read(struct stats *s);
void stats_map(struct stats *s);
/* A copy by the rule for the map: again while a sequence word is odd or moves. */
void stats_read_map(struct stats *s);

const struct stat_desc *stats_find(const struct stats *s, const char *name);
const uint64_t *stats_values(const struct stats *s, const struct stat_desc *d);
uint64_t stats_get(const struct stats *s, const char *name);
/* exit.REASON.WHAT */
uint64_t stats_exit(const struct stats *s, const char *reason, const char *what);
/* Over all reasons. */
uint64_t stats_sum(const struct stats *s, const char *what);
/* Over all classes of time. */
uint64_t stats_time(const struct stats *s);
/* Reads both until @exits (KVM's own) is what @s tells, or a second is over. */
bool stats_exits_agree(struct stats *s, struct stats *exits);
/* What KVM counts under @exits, as far as kvmx can know of it. */
uint64_t stats_exits(const struct stats *s);

/*
 * Is the file what KVM's documentation (Documentation/virt/kvm/api.rst,
 * KVM_GET_STATS_FD) says? Knows nothing of kvmx, and so takes KVM's own fds, too.
 * Where it returns false, @why tells what is wrong.
 */
#define STATS_WHY	160
bool stats_format_ok(int fd, char *why);

/* All return what the ioctl returns. */
int kvmx_info(int node, struct kvmx_info *info);
int kvmx_open(int node, unsigned int by, uint64_t key, unsigned int flags);
int kvmx_vm_stats(int vm, unsigned int vcpu);
int kvmx_vm_stats_with(int vm, unsigned int vcpu, unsigned int groups);
int kvmx_vm_info(int vm, struct kvmx_vm_info *info);
int kvmx_events(int node, uint64_t mask);
/* The number of VMs, the first @room of them in @vms. */
int kvmx_list(int node, struct kvmx_vm_info *vms, unsigned int room);
bool kvmx_listed(int node, uint64_t id);
int kvmx_notes(int stats, struct kvmx_note *to, unsigned int room);
int kvmx_vcpus(int vm, struct kvmx_vcpu_info *to, unsigned int room);
/* The number of rows; @rest gets the others, unless NULL. */
int kvmx_top(int stats, unsigned int what, struct kvmx_top_row *rows,
	     unsigned int room, struct kvmx_top *rest);
int kvmx_features(int node, struct kvmx_feature *to, unsigned int room);
bool kvmx_feature_off(int node, const char *name);

/* These end the program where they fail. */
int kvmx_node(void);
/* The same, for what changes something. */
int kvmx_node_rw(void);
int kvmx_vm_by_fd(int node, int kvm_vm_fd);
struct stats *kvmx_stats(int vm, unsigned int vcpu);
struct stats *kvmx_stats_with(int vm, unsigned int vcpu, unsigned int groups);
/* KVM's own statistics of a VM or vCPU. */
struct stats *kvm_stats(int fd);

#endif /* KVMX_LIB_KVMX_H */
