/*
 * Decoded blocks: building, finding, linking, killing. What is decided here never shows in the guest: where blocks end, how they are
 * linked and when they are thrown away changes speed only. Blocks stay within a page; an instruction that crosses into the next
 * page is a block of its own that is looked up with both translations every time.
 */
#include "cpu_x86/block.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/cover.h"
#include "cpu_x86/insn.h"
#include "cpu_x86/system.h"
#include "cpu_x86/translate.h"

#define ARENA_SIZE (96u << 20)

/* ---- life ---- */
static void code_hit(void *owner, u64 pa, unsigned size);

struct x86_code *x86_code_new(struct space *mem)
{
	struct x86_code *k = calloc(1, sizeof *k);

	if (!k)
		return NULL;
	k->arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_32BIT, -1, 0);
	if (k->arena == MAP_FAILED) {
		free(k);
		return NULL;
	}
	k->size = ARENA_SIZE;
	k->mem = mem;
	k->translator = x86_translator_new();
	k->hot = X86_HOT;
	mem->code_hit = code_hit;
	mem->code_owner = k;
	return k;
}

void x86_code_free(struct x86_code *k)
{
	x86_translator_free(k->translator);
	munmap(k->arena, k->size);
	free(k);
}

void x86_code_set_hot(struct x86_code *k, unsigned runs)
{
	k->hot = runs;
	if (!runs) {
		x86_translator_free(k->translator);
		k->translator = NULL;
	}
}

void x86_code_add_cpu(struct x86_code *k, struct x86_cpu *c) { k->cpu[k->cpus++] = c; }

static void set_code_bits(struct x86_code *k, u64 page, u64 mask)
{
	struct page_info *pi = space_page(k->mem, page);

	if (pi)
		pi->code = mask;
}

/* ---- which 64-byte pieces of a page a block covers ---- */
static u64 pieces(u64 from, unsigned size)
{
	unsigned a = (unsigned)(from & ~PAGE_MASK) >> 6, b = ((unsigned)(from & ~PAGE_MASK) + size - 1) >> 6;

	return mask_low((b > 63 ? 63 : b) + 1) & ~mask_low(a);
}
static unsigned bytes_in_first(const struct x86_block *b)
{
	unsigned room = (unsigned)(PAGE_SIZE - (b->pa & ~PAGE_MASK));

	return b->bytes < room ? b->bytes : room;
}
static u64 pieces_in(const struct x86_block *b, u64 page)
{
	u64 m = 0;

	if ((b->pa & PAGE_MASK) == page)
		m |= pieces(b->pa, bytes_in_first(b));
	if (b->pa2 == page)
		m |= pieces(b->pa2, b->bytes - bytes_in_first(b));
	return m;
}

/* ---- lists by page: a block that crosses is in two ---- */
static unsigned page_slot(u64 pa) { return (unsigned)(pa >> 12) & ((1u << CODE_PAGES_BITS) - 1); }

/* The link that continues the list of this slot. Both pages of a block may share a slot; it is then listed once, by the first. */
static struct x86_block **page_link(struct x86_block *b, unsigned slot)
{
	return &b->page_next[page_slot(b->pa) == slot ? 0 : 1];
}

static void page_insert(struct x86_code *k, struct x86_block *b)
{
	unsigned s = page_slot(b->pa), s2 = page_slot(b->pa2);

	b->page_next[0] = k->page[s];
	k->page[s] = b;
	if (b->pa2 != CODE_NO_PAGE && s2 != s) {
		b->page_next[1] = k->page[s2];
		k->page[s2] = b;
	}
}

static void page_remove(struct x86_code *k, struct x86_block *b, unsigned slot)
{
	struct x86_block **p = &k->page[slot];

	while (*p != b)
		p = page_link(*p, slot);
	*p = *page_link(b, slot);
}

/* Only between blocks: nothing may run afterwards. */
void x86_code_flush(struct x86_code *k)
{
	for (unsigned i = 0; i < ARRAY_SIZE(k->page); i++)
		for (struct x86_block *b = k->page[i]; b; b = *page_link(b, i)) {
			set_code_bits(k, b->pa & PAGE_MASK, 0);
			if (b->pa2 != CODE_NO_PAGE)
				set_code_bits(k, b->pa2, 0);
		}
	for (unsigned i = 0; i < k->cpus; i++)
		memset(k->cpu[i]->jump, 0, sizeof k->cpu[i]->jump);
	memset(k->fast, 0, sizeof k->fast);
	memset(k->hash, 0, sizeof k->hash);
	memset(k->page, 0, sizeof k->page);
	k->used = 0;
	if (k->translator)
		x86_translator_flush(k->translator);
	k->flushes++;
}

/* ---- killing ---- */

/* What every op of a dead block does: stop here, so that the run loop decodes the present bytes. */
static INSN op_dead(struct x86_cpu *c, const struct x86_op *o)
{
	c->op = o;
	x86_sync(c);
	return NULL;
}

static void kill(struct x86_code *k, struct x86_block *b)
{
	unsigned fast = x86_code_fast(b->pa, b->mode);
	struct x86_block **p = &k->hash[x86_code_hash(b->pa, b->mode)];

	while (*p != b)
		p = &(*p)->hash_next;
	*p = b->hash_next;
	if (k->fast[fast] == b)
		k->fast[fast] = NULL;
	page_remove(k, b, page_slot(b->pa));
	if (b->pa2 != CODE_NO_PAGE && page_slot(b->pa2) != page_slot(b->pa))
		page_remove(k, b, page_slot(b->pa2));
	b->dead = true;
	b->n = BLOCK_DEAD;
	for (unsigned i = 0; i <= b->ops; i++)
		b->op[i].exec = op_dead;
}

/* ---- MONITOR's lines are watched by the same bits. APM3 MONITOR ---- */

/* A CPU waits for, or is about to wait for, a store to [pa, pa+size). */
bool x86_code_monitored(const struct x86_code *k, u64 pa, unsigned size)
{
	for (unsigned i = 0; i < k->cpus; i++) {
		u64 line = k->cpu[i]->monitor_pa & ~(u64)(MONITOR_LINE - 1);

		if (k->cpu[i]->monitor_pa != MONITOR_NONE && pa < line + MONITOR_LINE && pa + size > line)
			return true;
	}
	return false;
}

/* Tell the CPUs of a store; the pieces of its page that others still watch. */
static u64 monitors_hit(struct x86_code *k, u64 pa, unsigned size)
{
	u64 left = 0;

	for (unsigned i = 0; i < k->cpus; i++) {
		struct x86_cpu *c = k->cpu[i];

		if (c->monitor_pa == MONITOR_NONE)
			continue;
		x86_monitor_hit(c, pa, size);
		if (c->monitor_pa != MONITOR_NONE && (c->monitor_pa & PAGE_MASK) == (pa & PAGE_MASK))
			left |= pieces(c->monitor_pa & ~(u64)(MONITOR_LINE - 1), MONITOR_LINE);
	}
	return left;
}

static void note_patch(struct x86_code *k, u64 page)
{
	struct page_info *pi = space_page(k->mem, page);

	if (pi && pi->patched < 255)
		pi->patched++;
}

/* Code that is patched again and again is decoded in short blocks: less is thrown away. */
static unsigned block_limit(struct x86_code *k, u64 pa)
{
	const struct page_info *pi = space_page(k->mem, pa);

	return pi && pi->patched >= PATCHED_OFTEN ? BLOCK_OPS_PATCHED : BLOCK_OPS;
}

/* Does b hold one of the bytes [pa, pa+size)? They do not cross a page. */
static bool holds(const struct x86_block *b, u64 pa, unsigned size)
{
	unsigned first = bytes_in_first(b);

	return (pa < b->pa + first && pa + size > b->pa) || (b->pa2 != CODE_NO_PAGE && pa < b->pa2 + (b->bytes - first) && pa + size > b->pa2);
}

/* A store is about to hit [pa, pa+size): the blocks that it changes die. Their pieces' bits stay until a store finds no such
 * block: code that is patched again and again is decoded again before that, and then no TLB needs a look. */
static void code_hit(void *owner, u64 pa, unsigned size)
{
	struct x86_code *k = owner;
	u64 page = pa & PAGE_MASK, hit = pieces(pa, size), left = monitors_hit(k, pa, size);
	unsigned slot = page_slot(pa);
	bool killed = false;

	for (struct x86_block *b = k->page[slot], *next; b; b = next) {
		u64 m = pieces_in(b, page);

		next = *page_link(b, slot);
		if (m & hit && holds(b, pa, size)) {
			kill(k, b);
			killed = true;
		} else {
			left |= m;
		}
	}
	if (killed)
		note_patch(k, page);
	else
		set_code_bits(k, page, left);
}

/* ---- device instructions end their blocks ---- */
static unsigned cut_bit(u64 pa) { return (unsigned)(pa ^ pa >> 14 ^ pa >> 28) & 0x3fff; }
static bool is_cut(const struct x86_code *k, u64 pa) { return k->cut[cut_bit(pa) >> 6] >> (cut_bit(pa) & 63) & 1; }

void x86_code_cut(struct x86_cpu *c, const struct x86_op *o)
{
	unsigned insns, bytes;
	struct x86_block *b = x86_block_of(o, &insns, &bytes);
	u64 pa = b->pa + bytes;

	if (b->pa2 != CODE_NO_PAGE || b->dead)
		return;
	c->code->cut[cut_bit(pa) >> 6] |= BIT(cut_bit(pa) & 63);
	kill(c->code, b);
}

/* ---- a debugger's marks ---- */

void x86_code_spy(struct x86_code *k, const u64 *offsets, bool magic)
{
	k->spied = offsets;
	k->spied_magic = magic;
	x86_code_flush(k);
}

/* XCHG BX,BX: 87 DB in 16-bit code, 66 87 DB elsewhere. */
static bool is_magic(const struct x86_cpu *c, const u8 *p, unsigned n)
{
	if ((c->mode & MODE_SIZE) == MODE_16)
		return n >= 2 && p[0] == 0x87 && p[1] == 0xdb;
	return n >= 3 && p[0] == 0x66 && p[1] == 0x87 && p[2] == 0xdb;
}

static bool is_spied(const struct x86_cpu *c, u64 pa, const u8 *p, unsigned n)
{
	const struct x86_code *k = c->code;
	unsigned off = (unsigned)(pa & ~PAGE_MASK);

	return (k->spied && k->spied[off >> 6] >> (off & 63) & 1) || (k->spied_magic && is_magic(c, p, n));
}

/* ---- building ---- */
struct builder {
	struct x86_cpu *c;
	struct x86_block *b;
	const struct x86_insn *rows[BLOCK_OPS + 1]; /* of each op */
	bool memory[BLOCK_OPS + 1];
	bool step;
};

/* The comparisons that fuse. */
static const struct {
	const struct x86_family *family;
	u8 reg, mem; /* enum x86_fusion, or NOT_FUSED */
	bool imm;
} fusions[] = {
        {&x86_fam_cmp_EG, FUSED_CMP_RR, FUSED_CMP_MR, false}, {&x86_fam_cmp_GE, FUSED_CMP_RR, FUSED_CMP_RM, false},
        {&x86_fam_cmp_EI, FUSED_CMP_RI, FUSED_CMP_MI, true},  {&x86_fam_test_EG, FUSED_TEST_RR, FUSED_KINDS, false},
        {&x86_fam_test_EI, FUSED_TEST_RI, FUSED_TEST_MI, true}, {&x86_fam_sub_EI, FUSED_SUB_RI, FUSED_KINDS, true},
        {&x86_fam_add_EI, FUSED_ADD_RI, FUSED_KINDS, true},   {&x86_fam_and_EI, FUSED_AND_RI, FUSED_KINDS, true},
};

static x86_fn *fused_handler(const struct x86_op *p, const struct x86_insn *r, bool memory, unsigned cc)
{
	for (unsigned i = 0; i < ARRAY_SIZE(fusions); i++) {
		unsigned kind = memory ? fusions[i].mem : fusions[i].reg;

		if (r->family != fusions[i].family)
			continue;
		if (kind == FUSED_KINDS || (memory && fusions[i].imm && p->imm != (s8)p->imm))
			return NULL;
		if (memory && p->exec == r->family->mem[p->len >> 6][AM_L])
			kind += FUSED_INDEXED;
		else if (memory && p->exec != r->family->mem[p->len >> 6][AM_B])
			return NULL;
		return x86_fused[kind][p->len >> 6][cc];
	}
	return NULL;
}

/* A comparison with the Jcc that follows it as one op. */
static bool fuse(struct builder *u, const struct x86_op *jcc)
{
	struct x86_block *b = u->b;
	struct x86_op *p = &b->op[b->ops - 1];
	const struct x86_insn *r = b->ops ? u->rows[b->ops - 1] : NULL;
	bool memory = b->ops && u->memory[b->ops - 1];
	unsigned cc;
	x86_fn *fn;

	if (!r || r->kind != KIND_FAM || op_len(p) + op_len(jcc) > 15 || op_size(jcc) != 8)
		return false;
	for (cc = 0; cc < 16 && x86_jcc[0][cc] != jcc->exec; cc++)
		;
	fn = cc < 16 ? fused_handler(p, r, memory, cc) : NULL;
	if (!fn)
		return false;
	if (!memory)
		p->disp = p->imm; /* a register form with an immediate */
	else if (p->imm)
		p->dst = (u8)p->imm;
	p->exec = fn;
	p->block = b;
	p->imm = jcc->imm;
	p->len = (u8)((p->len & ~15u) | (op_len(p) + op_len(jcc)) | OP_FUSED);
	return true;
}

/* Arithmetic flags that nobody can see are not computed: walk backwards. Memory operands may fault, which shows the flags. */
static void quiet_flags(struct builder *u)
{
	bool live = true;

	for (int i = u->b->ops - 1; i >= 0; i--) {
		const struct x86_insn *r = u->rows[i];
		struct x86_op *o = &u->b->op[i];
		bool shows = !r || r->kind == KIND_BODY || r->kind == KIND_STRING || r->kind == KIND_X87 || u->memory[i] ||
		             o->len & OP_FUSED || (r->flags & FPX && u->b->mode & MODE_XM);

		if (r && r->kind == KIND_FAM && !live && r->family->quiet && !u->memory[i]) {
			o->exec = r->family->quiet->reg[o->len >> 6];
			continue;
		}
		if (shows || (r->flags & (R | BR)))
			live = true;
		else if (r->flags & W || (r->flags & SH && o->imm & (op_size(o) == 8 ? 63 : 31)))
			live = false;
	}
}

/* Counts the runs of a block as ops, then has it translated. */
static INSN op_warm(struct x86_cpu *c, const struct x86_op *o)
{
	struct x86_block *b = container_of(o, struct x86_block, op[0]);

	if (++b->heat < c->code->hot)
		return b->first(c, o);
	b->op[0].exec = b->first;
	x86_translate(c->code->translator, b);
	return x86_go(c, o);
}

static void finish_block(struct builder *u, bool ended)
{
	struct x86_block *b = u->b;
	struct x86_op *end = &b->op[b->ops];

	*end = (struct x86_op){.exec = ended ? x86_end_leave : x86_end_follow, .block = b, .id = X86_END, .imm = b->bytes};
	b->op[0].len |= OP_FIRST;
	if (b->ops == 0)
		end->len |= OP_FIRST;
	b->n = b->insns;
	if (u->step)
		return;
	quiet_flags(u);
	if (u->c->code->translator) {
		b->first = b->op[0].exec;
		b->op[0].exec = op_warm;
	}
}

/* Add the decoded op; true when the block ends with it. */
static bool append(struct builder *u, const struct x86_op *o, const struct x86_decoded *d, bool *leave)
{
	struct x86_block *b = u->b;
	const struct x86_insn *r = d->row;

	*leave = !r || r->flags & END;
	if (r && r->kind == KIND_JCC && !u->step && fuse(u, o)) {
		b->insns++;
		b->bytes = (u16)(b->bytes + op_len(o));
		return true;
	}
	b->op[b->ops] = *o;
	if (r && (r->kind == KIND_JCC || r->kind == KIND_REL || (r->kind == KIND_STK && r->form == FORM_Jz)))
		b->op[b->ops].block = b;
	u->rows[b->ops] = r;
	u->memory[b->ops] = d->memory || (r && r->kind == KIND_STK);
	b->ops++;
	b->insns++;
	b->bytes = (u16)(b->bytes + op_len(o));
	return !r || r->flags & (END | CHN | BR) || r->kind == KIND_JCC;
}

/* Bytes of code at pa, up to the page's end. Code in a device is copied byte by byte. */
static const u8 *code_bytes(struct x86_cpu *c, u64 pa, u8 buf[16], unsigned *n)
{
	const u8 *p = space_host(c->mem, pa, false);

	*n = (unsigned)(PAGE_SIZE - (pa & ~PAGE_MASK));
	if (p)
		return p;
	*n = *n > 15 ? 15 : *n;
	for (unsigned i = 0; i < *n; i++)
		buf[i] = (u8)space_read(c->mem, pa + i, 1);
	return buf;
}

/* An instruction that runs over the page's end: fetch the rest through the next page's translation. */
static void build_crossing(struct builder *u, u64 va, struct x86_op *o, struct x86_decoded *d)
{
	struct x86_block *b = u->b;
	u8 joined[16], tmp[16];
	unsigned have, more;
	const u8 *p = code_bytes(u->c, b->pa, tmp, &have);
	u64 pa2;

	memcpy(joined, p, have);
	pa2 = x86_fetch(u->c, (va | ~PAGE_MASK) + 1);
	p = code_bytes(u->c, pa2, tmp, &more);
	more = more > 15 - have ? 15 - have : more;
	memcpy(joined + have, p, more);
	x86_decode(u->c, joined, 15, 0, o, d);
	b->pa2 = pa2;
}

/* x86_decode, or what it said before: it depends on nothing but these and the model, which all CPUs share. */
static enum decode_result decode(struct x86_cpu *c, const u8 *p, unsigned n, unsigned offset, struct x86_op *o, struct x86_decoded *d)
{
	struct x86_code_memo *m;
	u64 bytes;

	if (n < 8)
		return x86_decode(c, p, n, offset, o, d);
	bytes = load_le(p, 8);
	m = &c->code->memo[((u32)(bytes & 0xffffff) ^ offset << 19 ^ c->mode << 25) * 0x9e3779b1u >> (32 - CODE_MEMO_BITS)];
	if (m->mask && !((bytes ^ m->bytes) & m->mask) && m->offset == offset && m->mode == c->mode) {
		*o = m->op;
		*d = (struct x86_decoded){.row = m->row, .memory = m->memory};
		return DECODE_OK;
	}
	if (x86_decode(c, p, n > 15 ? 15 : n, offset, o, d) == DECODE_MORE)
		return DECODE_MORE;
	if (op_len(o) <= 8)
		*m = (struct x86_code_memo){bytes, mask_low(op_len(o) * 8), c->mode, offset, d->memory, d->row, *o};
	return DECODE_OK;
}

static void build(struct builder *u, u64 va)
{
	struct x86_block *b = u->b;
	struct x86_decoded d;
	struct x86_op o;
	const u8 *page = space_host(u->c->mem, b->pa, false), *p;
	u8 buf[16];
	unsigned n, limit = u->step ? 1 : block_limit(u->c->code, b->pa);
	bool ended = false, leave = false, spied = false;

	while (!ended && b->insns < limit) {
		u64 pa = b->pa + b->bytes;

		if (b->bytes && !(pa & ~PAGE_MASK))
			break;
		n = (unsigned)(PAGE_SIZE - (pa & ~PAGE_MASK));
		p = page ? page + b->bytes : code_bytes(u->c, pa, buf, &n);
		if (unlikely(u->c->code->spied || u->c->code->spied_magic) && !u->step && is_spied(u->c, pa, p, n)) {
			if (b->ops)
				break;
			ended = spied = true;
		}
		if (decode(u->c, p, n, b->bytes, &o, &d) == DECODE_MORE) {
			if (b->ops)
				break; /* it becomes a block of its own */
			build_crossing(u, va, &o, &d);
			ended = true;
		}
		/* A block's ops must not run past the CS limit. */
		if (x86_over_limit(u->c, b->bytes + op_len(&o))) {
			if (b->ops)
				break;
			x86_gp(u->c, 0, RULE_GP_FETCH_LIMIT);
		}
		ended |= append(u, &o, &d, &leave);
		if (!u->step && is_cut(u->c->code, pa))
			ended = true;
	}
	finish_block(u, leave);
	if (unlikely(spied))
		b->n = BLOCK_SPIED;
}

static struct x86_block *build_block(struct x86_cpu *c, u64 va, u64 pa, u32 mode)
{
	struct x86_code *k = c->code;
	struct builder u = {.c = c, .step = mode & MODE_STEP};
	struct x86_block *b;
	unsigned h = x86_code_hash(pa, mode);

	if (k->used + sizeof *b + (BLOCK_OPS + 2) * sizeof(struct x86_op) > k->size || (k->translator && x86_translator_full(k->translator)))
		x86_code_flush(k);
	b = (struct x86_block *)(k->arena + k->used);
	*b = (struct x86_block){.pa = pa, .pa2 = CODE_NO_PAGE, .mode = mode};
	u.b = b;
	build(&u, va);
	if (b->insns == 1) /* it runs next; of longer blocks the end may never */
		cover(COVER_INSN, b->op[0].id);
	k->used += sizeof *b + (b->ops + 1u) * sizeof(struct x86_op);
	b->hash_next = k->hash[h];
	k->hash[h] = b;
	page_insert(k, b);
	x86_code_mark(k, b->pa & PAGE_MASK, pieces_in(b, b->pa & PAGE_MASK));
	if (b->pa2 != CODE_NO_PAGE)
		x86_code_mark(k, b->pa2, pieces_in(b, b->pa2));
	return b;
}

/* The page holds code now: write accesses must come by the slow path. */
void x86_code_mark(struct x86_code *k, u64 page, u64 mask)
{
	struct page_info *pi = space_page(k->mem, page);

	if (!pi)
		return;
	if (!pi->code)
		for (unsigned i = 0; i < k->cpus; i++)
			tlb_protect_code(&k->cpu[i]->tlb, page);
	pi->code |= mask;
}

/* ---- finding ---- */
static struct x86_block *find(struct x86_cpu *c, u64 va, u64 pa, u32 mode)
{
	for (struct x86_block *b = c->code->hash[x86_code_hash(pa, mode)]; b; b = b->hash_next) {
		if (b->pa != pa || b->mode != mode)
			continue;
		if (b->pa2 != CODE_NO_PAGE) {
			if (x86_fetch(c, (va | ~PAGE_MASK) + 1) != b->pa2)
				continue;
			return b;
		}
		if (!(mode & MODE_STEP))
			c->code->fast[x86_code_fast(pa, mode)] = b;
		return b;
	}
	return NULL;
}

struct x86_block *x86_block_get(struct x86_cpu *c, bool step)
{
	u64 va = x86_code_va(c, c->rip), pa;
	u32 mode = c->mode | (step ? MODE_STEP : 0);
	struct x86_block *b;

	if (!step) {
		b = x86_block_find(c, c->rip);
		if (likely(b != NULL))
			return b;
	}
	if (x86_over_limit(c, 1))
		x86_gp(c, 0, RULE_GP_FETCH_LIMIT);
	pa = x86_fetch(c, va);
	b = find(c, va, pa, mode);
	if (b && x86_over_limit(c, b->bytes)) {
		if (b->insns == 1)
			x86_gp(c, 0, RULE_GP_FETCH_LIMIT);
		return x86_block_get(c, true);
	}
	if (!b)
		b = build_block(c, va, pa, mode);
	return b;
}
