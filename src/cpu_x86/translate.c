/*
 * Lays out a hot block as host code: native code (native.h) where there is some, else templates whose holes are filled, else jumps to the
 * ordinary handlers. All hot parts stand in order, each falling through to the next, then the cold parts. Code and ops lie in the low 2 GB, so that addresses fit into 32 bits; functions of the program are
 * reached through one jump each (a veneer): on slow paths, and by ops that have no template.
 */
#include "cpu_x86/translate.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cpu_x86/native.h"

#define CODE_SIZE (64u << 20)
#define HASH_BITS 13
#define VENEER_SIZE 16

struct x86_translator {
	u8 *code;
	size_t used;
	bool full;
	u8 *veneers;            /* grow downwards from the end of code */
	struct {
		const void *key;
		const void *value;
	} templates[1 << HASH_BITS], reached[1 << HASH_BITS]; /* handler -> template; function -> veneer */
};

static unsigned hash(const void *p) { return (unsigned)(((uintptr_t)p >> 4) * 0x9e3779b1u) >> (32 - HASH_BITS); }

static const struct x86_template *template_of(const struct x86_translator *t, const void *handler)
{
	unsigned i = hash(handler);

	while (t->templates[i].key && t->templates[i].key != handler)
		i = (i + 1) & ((1u << HASH_BITS) - 1);
	return t->templates[i].value;
}

static void add_template(struct x86_translator *t, const void *handler, const struct x86_template *v)
{
	unsigned i = hash(handler);

	while (t->templates[i].key && t->templates[i].key != handler)
		i = (i + 1) & ((1u << HASH_BITS) - 1);
	t->templates[i].key = handler;
	t->templates[i].value = v;
}

struct x86_translator *x86_translator_new(void)
{
	struct x86_translator *t;
	void *code;

	if (!x86_template_slots_n)
		return NULL;
	code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0);
	if (code == MAP_FAILED)
		return NULL;
	t = calloc(1, sizeof *t);
	if (!t) {
		munmap(code, CODE_SIZE);
		return NULL;
	}
	t->code = code;
	for (unsigned i = 0; i < x86_template_slots_n; i++)
		add_template(t, *(const void *const *)x86_template_slots[i].handler, x86_template_slots[i].t);
	x86_translator_flush(t);
	return t;
}

void x86_translator_free(struct x86_translator *t)
{
	if (!t)
		return;
	munmap(t->code, CODE_SIZE);
	free(t);
}

void x86_translator_flush(struct x86_translator *t)
{
	t->used = 0;
	t->full = false;
	t->veneers = t->code + CODE_SIZE;
	memset(t->reached, 0, sizeof t->reached);
}

bool x86_translator_full(const struct x86_translator *t) { return t->full; }

/* An address in reach from which p is jumped to. */
static const u8 *reach(struct x86_translator *t, const void *p)
{
	static const u8 jump[6] = {0xff, 0x25, 0, 0, 0, 0}; /* JMP [rip], the address behind it */
	unsigned i = hash(p);

	if ((uintptr_t)p < 0x80000000u)
		return p;
	while (t->reached[i].key && t->reached[i].key != p)
		i = (i + 1) & ((1u << HASH_BITS) - 1);
	if (!t->reached[i].key) {
		t->veneers -= VENEER_SIZE;
		memcpy(t->veneers, jump, sizeof jump);
		memcpy(t->veneers + 6, &p, 8);
		t->reached[i].key = p;
		t->reached[i].value = t->veneers;
	}
	return t->reached[i].value;
}

/* ---- one block ---- */
struct place {
	const struct x86_template *t;
	x86_fn *handler; /* the ordinary one */
	u8 *at[2];       /* hot, cold */
};

enum { STUB_SIZE = 10 }; /* MOV ESI, op; JMP handler */

static u64 value_of(struct x86_translator *t, const struct x86_block *b, const struct place *p, unsigned i, const struct x86_patch *x)
{
	const struct x86_op *o = &b->op[i];

	switch ((enum x86_hole)x->hole) {
	case T_DST: return o->dst;
	case T_SRC: return o->src;
	case T_BASE: return o->base;
	case T_INDEX: return o->index;
	case T_SEG: return op_seg_offset(o);
	case T_IMM: return (u64)op_imm(o);
	case T_IMM64: return op_imm64(o);
	case T_DISP: return (u64)op_disp(o);
	case T_END: return (u64)b->op[b->ops].imm;
	case T_AMASK: return op_address_mask(o);
	case T_OMASK: return op_operand_mask(o);
	case T_SCALE: return op_scale(o);
	case T_OP: return (uintptr_t)o;
	case T_BLOCK: return (uintptr_t)b;
	case T_DEAD: return (uintptr_t)&b->dead;
	case T_SLOW: return (uintptr_t)o->slow;
	case T_NEXT: return (uintptr_t)p[i + 1].at[0];
	case T_SELF: return (uintptr_t)reach(t, (const void *)(uintptr_t)p[i].handler);
	case T_HOT: return (uintptr_t)p[i].at[0];
	case T_COLD: return (uintptr_t)p[i].at[1];
	case T_FUNCTION: return (uintptr_t)reach(t, x->function);
	}
	return 0;
}

static void put32(u8 *at, u32 v) { memcpy(at, &v, 4); }

static void emit(struct x86_translator *t, const struct x86_block *b, const struct place *p, unsigned i)
{
	const struct x86_template *m = p[i].t;
	u8 *at = p[i].at[0];

	if (!m) {
		at[0] = 0xbe;
		put32(at + 1, (u32)(uintptr_t)&b->op[i]);
		at[5] = 0xe9;
		put32(at + 6, (u32)(uintptr_t)reach(t, (const void *)(uintptr_t)p[i].handler) - (u32)(uintptr_t)(at + 10));
		return;
	}
	memcpy(p[i].at[0], m->code[0], m->size[0]);
	if (m->size[1])
		memcpy(p[i].at[1], m->code[1], m->size[1]);
	for (unsigned k = 0; k < m->patches; k++) {
		const struct x86_patch *x = &m->patch[k];
		u64 v = value_of(t, b, p, i, x) + (u64)(s64)x->add;

		at = p[i].at[x->part] + x->at;
		if (x->kind == PATCH_8)
			*at = (u8)v;
		else if (x->kind == PATCH_64)
			memcpy(at, &v, 8);
		else
			put32(at, (u32)(x->kind == PATCH_REL ? v - (uintptr_t)at : v));
	}
}

static const u8 *reach_for_native(void *arg, const void *function) { return reach(arg, function); }

/* Copies the code of all ops; the templates' holes are filled later. The first free byte behind. */
static u8 *lay_out(const struct x86_block *b, struct native *n, struct place *p, x86_fn *const *handler)
{
	for (unsigned i = 0; i <= b->ops; i++) {
		bool native = n->form[i].kind != NATIVE_NONE;

		if (!native)
			x86_native_leave(n);
		p[i].at[0] = n->h.p;
		if (native)
			x86_native_op(n, i);
		else
			n->h.p += p[i].t ? p[i].t->size[0] : STUB_SIZE;
	}
	for (unsigned i = 0; i <= b->ops; i++) {
		p[i].at[1] = n->h.p;
		if (n->form[i].kind == NATIVE_NONE)
			n->h.p += p[i].t ? p[i].t->size[1] : 0;
	}
	x86_native_finish(n, handler);
	return n->h.p;
}

static size_t most_bytes(const struct x86_block *b, const struct native *n, const struct place *p)
{
	size_t bytes = NATIVE_END_BYTES;

	for (unsigned i = 0; i <= b->ops; i++)
		bytes += n->form[i].kind != NATIVE_NONE ? NATIVE_BYTES : NATIVE_SPILL_BYTES + (p[i].t ? p[i].t->size[0] + p[i].t->size[1] : STUB_SIZE);
	return bytes;
}

bool x86_translate(struct x86_translator *t, struct x86_block *b)
{
	struct place p[BLOCK_OPS + 2];
	x86_fn *handler[BLOCK_OPS + 1];
	struct native n = {.reach = reach_for_native, .reach_arg = t};

	x86_native_plan(&n, b);
	for (unsigned i = 0; i <= b->ops; i++) {
		p[i].handler = handler[i] = b->op[i].exec;
		p[i].t = template_of(t, (const void *)(uintptr_t)handler[i]);
	}
	n.h.p = t->code + t->used;
	if (t->full || n.h.p + most_bytes(b, &n, p) + (size_t)VENEER_SIZE * 4 * BLOCK_OPS > t->veneers) {
		t->full = true;
		return false;
	}
	t->used = (size_t)(lay_out(b, &n, p, handler) - t->code + 15) & ~(size_t)15;
	for (unsigned i = 0; i <= b->ops; i++) {
		bool native = n.form[i].kind != NATIVE_NONE;

		if (!native)
			emit(t, b, p, i);
		b->op[i].exec = (x86_fn *)(uintptr_t)(native ? n.entry[i].at : p[i].at[0]);
	}
	return true;
}
