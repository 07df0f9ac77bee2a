/* SPDX-License-Identifier: GPL-2.0-only */
/* Loading and unloading by system call: what insmod and rmmod come down to. */
#ifndef KVMX_LIB_MODULE_H
#define KVMX_LIB_MODULE_H

#include <stdbool.h>

/* File of the module, NULL where it cannot be read. */
const char *module_file(void);
/* 0 or the errno. */
int module_load(const char *file, const char *params);
/*
 * 0 or the errno: EWOULDBLOCK where it is in use, which rmmod words as "in use".
 */
int module_unload(const char *name);
bool module_loaded(const char *name);
/* Unloads kvmx, waiting for readers to go, and reports how often it was refused. */
bool module_unload_busy(unsigned int seconds, unsigned long *refused);
/* Kprobes on KVM in the kernel's list; 0 where there is no such list. */
unsigned int module_kprobes(void);
/* KVM and its vendor module are taken away, and loaded again. */
bool module_reload_kvm(void);

#endif /* KVMX_LIB_MODULE_H */
