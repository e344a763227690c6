/*
 * Expressions of the monitor and of conditions: C's operators over numbers, registers, VMCB fields, memory at every level, symbols, and what
 * the event at hand calls its own (gpa, port, count...). Everything is an unsigned 64-bit number; comparisons are unsigned.
 *
 *   0x10 16 10h    rax eax ax al rip rflags cr3 efer cs cs.base gdtr.base cpl    vmcb.exitinfo1 vmcb.cs.sel
 *   [v:rsp+8] [g:0x1000] [p:cr3] with .b .w .d .q behind (default: the mode's word); [rsp] means [v:rsp]
 *   gpa in 0x1000..0x1fff (both ends belong to it)
 *   host.rip guest.rax (the other world's)    tvmm_main main+4 vm.c:120    NPF IOIO (exit codes)
 */
#ifndef DEBUG_EXPR_H
#define DEBUG_EXPR_H

#include "debug/symbols.h"

struct expr_var {
	const char *name;
	u64 val;
};

struct expr_env {
	struct worlds *worlds; /* for host. and guest.; may be NULL */
	const struct symbols *symbols; /* may be NULL */
	const struct view *view;
	const struct expr_var *var;
	unsigned vars;
};

/* Evaluates a whole string, or as much as is an expression: *end is what follows (NULL: nothing may). */
bool expr_eval(const struct expr_env *env, const char *text, const char **end, u64 *val, struct error *err);
/* A register of the view by name; false: no such name. */
bool expr_register(const struct view *v, const char *name, u64 *val);
/* The VMCB field of that name (case and underscores do not count), or NULL. */
const struct field *expr_vmcb_field(const char *name);
/* An exit code by name ("NPF", "CR3_WRITE"). */
bool expr_exit_code(const char *name, u64 *code);

#endif
