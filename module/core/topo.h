/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs as distances: what two CPUs share, by the kernel's own topology.
 */
#ifndef KVMX_CORE_TOPO_H
#define KVMX_CORE_TOPO_H

#include <linux/types.h>

/* How far a move from one CPU to another goes. X(symbol, name) */
#define KVMX_DISTANCES(X)			\
	X(SAME,  "same_cpu")			\
	X(SMT,   "smt_sibling")			\
	X(LLC,   "same_llc")			\
	X(NODE,  "same_node")			\
	X(OTHER, "other_node")

enum kvmx_distance {
#define X(sym, name) KVMX_D_##sym,
	KVMX_DISTANCES(X)
#undef X
	KVMX_NR_DISTANCES
};

/**
 * struct kvmx_topo - where a CPU is
 * @core: lowest CPU of its core
 * @llc: lowest CPU that shares its last-level cache
 * @node: its NUMA node
 */
struct kvmx_topo {
	u32 core;
	u32 llc;
	u32 node;
};

enum kvmx_distance kvmx_topo_distance(unsigned int a, unsigned int b);
void kvmx_topo_refresh(void);
void kvmx_topo_get(unsigned int cpu, struct kvmx_topo *to);

#endif /* KVMX_CORE_TOPO_H */
