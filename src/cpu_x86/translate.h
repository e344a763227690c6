/*
 * Hot blocks as host code. Each op of a block that has run X86_HOT times is replaced by a copy of its handler's template (template.h, gen/extract.c)
 * with the op's fields filled in; ops without a template jump to their ordinary handler. An op's exec points to
 * its own code, so that ordinary handlers and host code continue in each other, and killing a block works as before. What a guest
 * sees is the same in both: the templates are the handlers' own source.
 */
#ifndef CPU_X86_TRANSLATE_H
#define CPU_X86_TRANSLATE_H

#include "base/types.h"

#define X86_HOT 24 /* runs, unless x86_code_set_hot says otherwise */

enum x86_patch_kind { PATCH_8, PATCH_32, PATCH_64, PATCH_REL };
/* What goes into the place; see template.h. T_HOT and T_COLD are the template's own two parts. */
enum x86_hole {
	T_DST, T_SRC, T_BASE, T_INDEX, T_SEG, T_IMM, T_IMM64, T_DISP, T_END, T_AMASK, T_OMASK, T_SCALE, T_OP, T_BLOCK, T_DEAD, T_SLOW, T_NEXT, T_SELF,
	T_HOT, T_COLD, T_FUNCTION,
};
struct x86_patch {
	u16 at;   /* offset in the part */
	u8 part;  /* 0 hot, 1 cold */
	u8 kind, hole;
	s32 add;
	const void *function;
};
struct x86_template {
	const u8 *code[2];
	u16 size[2];
	const struct x86_patch *patch;
	unsigned patches;
};
/* *(void **)handler is the handler that the template stands for. */
struct x86_template_slot {
	const void *handler;
	const struct x86_template *t;
};
extern const struct x86_template_slot x86_template_slots[];
extern const unsigned x86_template_slots_n;

struct x86_code;
struct x86_block;
struct x86_translator;

/* NULL when the host denies memory that can be written and executed, or the build has no templates: then all runs as ops. */
struct x86_translator *x86_translator_new(void);
void x86_translator_free(struct x86_translator *t);
/* All host code is forgotten. Only between blocks. */
void x86_translator_flush(struct x86_translator *t);
/* The block's ops run as host code from now on. False: no room is left, or no template fits. */
bool x86_translate(struct x86_translator *t, struct x86_block *b);
bool x86_translator_full(const struct x86_translator *t);

#endif
