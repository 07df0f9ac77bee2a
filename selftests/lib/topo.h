/* SPDX-License-Identifier: GPL-2.0-only */
/* What two CPUs share, by sysfs: the oracle for distances. */
#ifndef KVMX_LIB_TOPO_H
#define KVMX_LIB_TOPO_H

#include <stdbool.h>

enum distance { SAME_CPU, SMT_SIBLING, SAME_LLC, SAME_NODE, OTHER_NODE };
#define NR_DISTANCES	5

/* As the names of figures have it. */
extern const char * const distance_names[NR_DISTANCES];

enum distance distance(int a, int b);
/* Two CPUs that this program may run on, so far apart; false: there are none. */
bool cpus_apart(enum distance d, int *a, int *b);

#endif /* KVMX_LIB_TOPO_H */
