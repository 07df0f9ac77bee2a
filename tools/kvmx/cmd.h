/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands: main.c has the table of them. */
#ifndef KVMX_TOOL_CMD_H
#define KVMX_TOOL_CMD_H

/* Each gets its own name as argv[0] and returns the tool's exit status. */
int cmd_ept(int argc, char **argv);
int cmd_hint(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_place(int argc, char **argv);
int cmd_sched(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_vpid(int argc, char **argv);

extern const char ept_help[];
extern const char hint_help[];
extern const char info_help[];
extern const char list_help[];
extern const char place_help[];
extern const char sched_help[];
extern const char stat_help[];
extern const char vpid_help[];

#endif /* KVMX_TOOL_CMD_H */
