/*
 * The books of native code (native.h): which host register holds which of the guest's, where the flags are, what must
 * go back to memory when, and the ways in and out.
 *
 * Host registers: RDI = the CPU, AX = flags, RCX, RDX and RSI are free for each op; the others below hold the guest's.
 * Ordinary handlers leave RBX and R12 to R15 alone or restore them, and run_block (cpu.c) saves them for its callers.
 */
#include "cpu_x86/native.h"

static const u8 pool[] = {H_BX, H_8, H_9, H_10, H_11, H_12, H_13, H_14, H_15};

/* ---- registers ---- */
static s64 guest_at(unsigned r) { return CPU_AT(r) + 8 * (s64)r; }

unsigned x86_native_use(struct native *n, unsigned r)
{
	if (!(n->valid & BIT(r))) {
		h_load(&n->h, 3, n->host[r], h_at(H_DI, guest_at(r)));
		n->valid |= (u16)BIT(r);
	}
	return n->host[r];
}

unsigned x86_native_set(struct native *n, unsigned r)
{
	n->valid |= (u16)BIT(r);
	n->dirty |= (u16)BIT(r);
	return n->host[r];
}

unsigned x86_native_change(struct native *n, unsigned r)
{
	x86_native_use(n, r);
	return x86_native_set(n, r);
}

static void store_registers(struct host_code *h, const u8 *host, unsigned set)
{
	for (unsigned r = 0; r < 16; r++)
		if (set & BIT(r))
			h_store(h, 3, host[r], h_at(H_DI, guest_at(r)));
}

static void store_flags(struct host_code *h)
{
	h_ah(h, 0x88, CPU_AT(flow));
	h_store(h, 0, H_AX, h_at(H_DI, CPU_AT(fof)));
}

static void load_flags(struct host_code *h)
{
	h_ah(h, 0x8a, CPU_AT(flow));
	h_load(h, 0, H_AX, h_at(H_DI, CPU_AT(fof)));
}

void x86_native_flags_load(struct native *n)
{
	if (n->flags == IN_MEMORY) {
		load_flags(&n->h);
		n->flags = IN_AX;
	}
}

void x86_native_spill(struct native *n)
{
	store_registers(&n->h, n->host, n->dirty);
	n->dirty = 0;
	if (n->flags == IN_AX)
		store_flags(&n->h);
	n->flags = IN_MEMORY;
}

void x86_native_leave(struct native *n)
{
	x86_native_spill(n);
	n->valid = n->xmm = 0;
	n->eflags = false;
}

/* ---- the plan ---- */

/* Flags that nobody can see are not kept. An access that may fault shows them, and so does what is not native code. */
static void look_at_flags(struct native *n)
{
	bool seen = true;

	for (int i = n->b->ops - 1; i >= 0; i--) {
		const struct native_form *f = &n->form[i];

		n->flags_seen[i] = seen;
		if (f->kind == NATIVE_NONE || f->memory || f->reads_flags)
			seen = true;
		else if (f->sets_flags && !f->keeps_some)
			seen = false;
	}
}

/* Shifts by CL, rotates, and shifts of narrow registers: native only where their flags do not matter. */
static bool flags_too_hard(const struct native_form *f)
{
	return f->kind == NATIVE_SHIFT_CL || (f->kind == NATIVE_SHIFT_I && (f->code < NATIVE_SHL || f->w < 2));
}

static void choose_registers(struct native *n)
{
	unsigned count[16] = {0}, left = ARRAY_SIZE(pool);

	for (unsigned i = 0; i < n->b->ops; i++)
		for (unsigned r = 0; r < 16; r++)
			count[r] += n->form[i].uses >> r & 1;
	memset(n->host, H_NONE, sizeof n->host);
	while (left) {
		unsigned best = 0;

		for (unsigned r = 1; r < 16; r++)
			if (count[r] > count[best])
				best = r;
		if (!count[best])
			break;
		count[best] = 0;
		n->host[best] = pool[--left];
	}
	for (unsigned i = 0; i < n->b->ops; i++)
		for (unsigned r = 0; r < 16; r++)
			if (n->form[i].uses >> r & 1 && n->host[r] == H_NONE)
				n->form[i].kind = NATIVE_NONE;
}

/* A block whose last op, native like all others, jumps to its start. */
static bool is_loop(const struct native *n)
{
	const struct native_form *f = &n->form[n->b->ops - 1];

	for (unsigned i = 0; i < n->b->ops; i++)
		if (n->form[i].kind == NATIVE_NONE)
			return false;
	return n->b->link[0] == n->b && (f->kind == NATIVE_FUSED || f->kind == NATIVE_JCC || f->kind == NATIVE_JMP) &&
	       !(f->legacy && f->w < 2);
}

void x86_native_plan(struct native *n, const struct x86_block *b)
{
	n->b = b;
	n->valid = n->dirty = n->xmm = 0;
	n->flags = IN_MEMORY;
	n->eflags = false;
	n->loop = NULL;
	n->colds = 0;
	for (unsigned i = 0; i <= b->ops; i++) {
		n->entry[i].on = false;
		if (i == b->ops || !x86_native_form(&b->op[i], &n->form[i]))
			n->form[i] = (struct native_form){.kind = NATIVE_NONE};
	}
	choose_registers(n);
	look_at_flags(n);
	for (unsigned i = 0; i < b->ops; i++)
		if (n->flags_seen[i] && flags_too_hard(&n->form[i]))
			n->form[i].kind = NATIVE_NONE;
	look_at_flags(n);
}

/* ---- ways in and out ---- */
void x86_native_cold_jump(struct native *n, u8 *from, unsigned op, int k, const void *to)
{
	n->cold[n->colds++] = (struct native_cold){
		.from = from, .op = (u16)op, .dirty = n->dirty, .flags = (u8)n->flags, .k = (s8)k, .to = to};
}

/* All registers of a loop are loaded on the way in and stay. */
static void start_loop(struct native *n)
{
	for (unsigned i = 0; i < n->b->ops; i++) {
		const struct native_form *f = &n->form[i];

		for (unsigned r = 0; r < 16; r++)
			if (f->uses >> r & 1)
				n->valid |= (u16)BIT(r);
	}
	n->dirty = n->valid;
	n->flags = IN_AX;
	n->loop = n->h.p;
}

void x86_native_begin(struct native *n, unsigned i)
{
	if (i == 0 && is_loop(n))
		start_loop(n);
	n->entry[i].on = true;
	n->entry[i].at = n->h.p;
	n->entry[i].valid = n->valid;
	n->entry[i].xmm = n->xmm;
	n->entry[i].flags = (u8)n->flags;
	n->entry[i].eflags = n->eflags;
}

static void finish_cold(struct native *n, const struct native_cold *x, x86_fn *const *handler)
{
	struct host_code *h = &n->h;
	const void *to = x->to ? x->to : (const void *)(uintptr_t)handler[x->op];

	h_land(x->from, h->p);
	store_registers(h, n->host, x->dirty);
	if (x->flags == IN_AX)
		store_flags(h);
	h_number(h, H_SI, (uintptr_t)&n->b->op[x->op]);
	if (x->k >= 0)
		h_number(h, H_DX, (unsigned)x->k);
	h_land(h_jump(h), n->reach(n->reach_arg, to));
}

static void finish_entry(struct native *n, unsigned i)
{
	struct host_code *h = &n->h;
	const u8 *body = n->entry[i].at;

	if (!n->entry[i].valid && !n->entry[i].xmm && n->entry[i].flags != IN_AX && !n->entry[i].eflags)
		return;
	n->entry[i].at = h->p;
	for (unsigned r = 0; r < 16; r++)
		if (n->entry[i].valid & BIT(r))
			h_load(h, 3, n->host[r], h_at(H_DI, guest_at(r)));
	for (unsigned x = 0; x < 16; x++)
		if (n->entry[i].xmm & BIT(x))
			x86_native_vec_load(h, x);
	if (n->entry[i].flags == IN_AX || n->entry[i].eflags)
		load_flags(h);
	if (n->entry[i].eflags)
		h_flags_restore(h);
	h_land(h_jump(h), body);
}

void x86_native_finish(struct native *n, x86_fn *const *handler)
{
	for (unsigned i = 0; i < n->colds; i++)
		finish_cold(n, &n->cold[i], handler);
	for (unsigned i = 0; i < n->b->ops; i++)
		if (n->entry[i].on)
			finish_entry(n, i);
}
