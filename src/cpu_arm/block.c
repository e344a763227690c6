/*
 * Decoded blocks: building, finding, killing. What is decided here never shows in the guest: where blocks end, how they are linked and when they
 * are thrown away changes speed only. Blocks stay within a page.
 */
#include "cpu_arm/block.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "cpu_arm/decode.h"
#include "cpu_arm/exec.h"
#include "cpu_arm/host.h"

#define ARENA_SIZE (64u << 20)
#define HOST_SIZE  (32u << 20)

/* ---- life ---- */

/* Memory near the program's own code, so that host code reaches blocks and handlers by 32-bit distances; anywhere if there is none. */
static u8 *near_program(size_t size, bool *near)
{
	uintptr_t here = (uintptr_t)arm_go_on & ~(uintptr_t)0xfffff;

	for (uintptr_t away = 64u << 20; away < 1u << 30; away += 64u << 20)
		for (unsigned up = 0; up < 2; up++) {
			void *want = (void *)(up ? here + away : here - away - size);
			u8 *p = mmap(want, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

			if (p == want) {
				*near = true;
				return p;
			}
			if (p != MAP_FAILED)
				munmap(p, size);
		}
	*near = false;
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

struct arm_code *arm_code_new(void)
{
	struct arm_code *k = calloc(1, sizeof *k);
	bool near;

	if (!k)
		return NULL;
	k->arena = near_program(ARENA_SIZE + HOST_SIZE, &near);
	if (k->arena == MAP_FAILED) {
		free(k);
		return NULL;
	}
	k->size = ARENA_SIZE;
	if (near && !mprotect(k->arena + ARENA_SIZE, HOST_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC))
		k->host = arm_host_new(k->arena + ARENA_SIZE, HOST_SIZE);
	k->hot = ARM_HOT;
	return k;
}

void arm_code_free(struct arm_code *k)
{
	if (!k)
		return;
	arm_host_free(k->host);
	munmap(k->arena, ARENA_SIZE + HOST_SIZE);
	free(k);
}

void arm_set_hot(struct arm_cpu *c, unsigned runs)
{
	c->code->hot = runs;
	if (!runs) {
		arm_host_free(c->code->host);
		c->code->host = NULL;
	}
}

/* ---- which 64-byte pieces of its page a block covers ---- */

static u64 pieces(u64 from, unsigned size)
{
	unsigned a = (unsigned)(from & ~PAGE_MASK) >> 6, b = ((unsigned)(from & ~PAGE_MASK) + size - 1) >> 6;

	return mask_low((b > 63 ? 63 : b) + 1) & ~mask_low(a);
}

static void set_code_bits(struct arm_cpu *c, u64 page, u64 mask)
{
	struct page_info *pi = space_page(c->mem, page);

	if (pi)
		pi->code = mask;
}

static unsigned page_slot(u64 pa) { return (unsigned)(pa >> 12) & ((1u << CODE_PAGES_BITS) - 1); }

/* Only between blocks: nothing may run afterwards. */
void arm_code_flush(struct arm_cpu *c)
{
	struct arm_code *k = c->code;

	for (unsigned i = 0; i < ARRAY_SIZE(k->page); i++)
		for (struct arm_block *b = k->page[i]; b; b = b->page_next)
			set_code_bits(c, b->pa & PAGE_MASK, 0);
	memset(c->jump, 0, sizeof c->jump);
	memset(k->fast, 0, sizeof k->fast);
	memset(k->hash, 0, sizeof k->hash);
	memset(k->page, 0, sizeof k->page);
	k->used = 0;
	if (k->host)
		arm_host_flush(k->host);
	k->flushes++;
}

/* ---- killing ---- */

/* What every op of a dead block does: stop here, so that the run loop decodes the present bytes. */
static INSN op_dead(struct arm_cpu *c, const struct arm_op *o)
{
	c->op = o;
	arm_sync(c);
	return NULL;
}

static void kill(struct arm_code *k, struct arm_block *b)
{
	unsigned h = arm_code_hash(b->pa, b->mode);
	struct arm_block **p = &k->hash[h];

	while (*p != b)
		p = &(*p)->hash_next;
	*p = b->hash_next;
	if (k->fast[h] == b)
		k->fast[h] = NULL;
	p = &k->page[page_slot(b->pa)];
	while (*p != b)
		p = &(*p)->page_next;
	*p = b->page_next;
	b->dead = true;
	b->n = BLOCK_DEAD;
	for (unsigned i = 0; i <= b->ops; i++)
		b->op[i].exec = op_dead;
}

/* A store is about to hit [pa, pa+size): blocks that share a piece with it die. Their bits stay until a store finds no block behind
 * them: code that is patched again and again is decoded again before that, and then no TLB needs a look. */
void arm_code_hit(void *cpu, u64 pa, unsigned size)
{
	struct arm_cpu *c = cpu;
	u64 page = pa & PAGE_MASK, hit = pieces(pa, size), left = 0;
	struct page_info *pi = space_page(c->mem, page);
	bool killed = false;

	for (struct arm_block *b = c->code->page[page_slot(pa)], *next; b; b = next) {
		next = b->page_next;
		if ((b->pa & PAGE_MASK) != page)
			continue;
		if (pieces(b->pa, b->bytes) & hit) {
			kill(c->code, b);
			killed = true;
		} else {
			left |= pieces(b->pa, b->bytes);
		}
	}
	if (!killed)
		set_code_bits(c, page, left);
	else if (pi && pi->patched < 255)
		pi->patched++;
}

/* ---- device instructions end their blocks ---- */

static unsigned cut_bit(u64 pa) { return (unsigned)(pa >> 1 ^ pa >> 15 ^ pa >> 29) & 0x3fff; }
static bool is_cut(const struct arm_code *k, u64 pa) { return k->cut[cut_bit(pa) >> 6] >> (cut_bit(pa) & 63) & 1; }

void arm_code_cut(struct arm_cpu *c, const struct arm_op *o)
{
	unsigned insns, bytes;
	struct arm_block *b = arm_block_of(o, &insns, &bytes);
	u64 pa = b->pa + bytes;

	if (b->dead)
		return;
	c->code->cut[cut_bit(pa) >> 6] |= BIT(cut_bit(pa) & 63);
	kill(c->code, b);
}

void arm_code_spy(struct arm_cpu *c, const u64 *offsets, bool magic)
{
	c->code->spied = offsets;
	c->code->spied_magic = magic;
	arm_code_flush(c);
}

static bool is_spied(const struct arm_code *k, u64 pa, u32 mode, u32 insn)
{
	unsigned off = (unsigned)(pa & ~PAGE_MASK);

	if (unlikely(k->spied_magic) && !(mode & ARM_MODE_THUMB) && arm_is_magic(insn))
		return true;
	return unlikely(k->spied != NULL) && k->spied[off >> 6] >> (off & 63) & 1;
}

/* ---- building ---- */

static unsigned block_limit(const struct arm_cpu *c, u64 pa)
{
	const struct page_info *pi = space_page(c->mem, pa);

	return pi && pi->patched >= PATCHED_OFTEN ? BLOCK_OPS_PATCHED : BLOCK_OPS;
}

/* The instruction at pa. In big-endian systems the halfwords of a word change places: DDI0100 A2.7.3 */
static u32 code_at(struct arm_cpu *c, u64 pa, u32 mode)
{
	unsigned size = mode & ARM_MODE_THUMB ? 2 : 4;
	u64 at = size == 2 && mode & ARM_MODE_BE ? pa ^ 2 : pa;
	const u8 *p = space_host(c->mem, at, false);

	return (u32)(p ? load_le(p, size) : space_read(c->mem, at, size));
}

/* Counts the runs of a block as ops, then has it translated. */
static INSN op_warm(struct arm_cpu *c, const struct arm_op *o)
{
	struct arm_block *b = container_of(o, struct arm_block, op[0]);

	if (++b->heat < c->code->hot)
		return b->first(c, o);
	b->op[0].exec = b->first;
	if (!arm_host_full(c->code->host))
		arm_host_translate(c->code->host, b);
	return arm_go(c, o);
}

static void finish_block(const struct arm_cpu *c, struct arm_block *b, const struct arm_decoder *d)
{
	b->op[b->ops] = (struct arm_op){.exec = arm_end_follow, .block = b, .imm = b->bytes, .id = ARM_IDS, .flags = OP_END};
	b->op[0].flags |= OP_FIRST;
	b->n = b->insns;
	if (b->mode & ARM_MODE_STEP)
		return;
	arm_quiet(d, b);
	if (c->code->host) {
		b->first = b->op[0].exec;
		b->op[0].exec = op_warm;
	}
}

static void build(struct arm_cpu *c, struct arm_block *b)
{
	const unsigned step = b->mode & ARM_MODE_THUMB ? 2 : 4, limit = b->mode & ARM_MODE_STEP ? 1 : block_limit(c, b->pa);
	struct arm_decoder d = {.mode = b->mode, .has_vfp = c->has_vfp, .block = b};
	bool ended = false, spied = false;

	while (!ended && b->insns < limit) {
		u64 pa = b->pa + b->bytes;
		u32 insn;

		if (b->bytes && !(pa & ~PAGE_MASK))
			break;
		insn = code_at(c, pa, b->mode);
		if (is_spied(c->code, pa, b->mode, insn) && !(b->mode & ARM_MODE_STEP)) {
			if (b->ops)
				break;
			ended = spied = true;
		}
		ended |= arm_decode(&d, insn);
		b->insns++;
		b->bytes = (u16)(b->bytes + step);
		if (!(b->mode & ARM_MODE_STEP) && is_cut(c->code, pa))
			ended = true;
	}
	finish_block(c, b, &d);
	if (unlikely(spied))
		b->n = BLOCK_SPIED;
}

/* The page holds code now: write accesses must come by the slow path. */
static void mark(struct arm_cpu *c, struct page_info *pi, u64 page, u64 mask)
{
	if (!pi->code)
		tlb_arm_protect_code(&c->tlb, page);
	pi->code |= mask;
}

static struct arm_block *build_block(struct arm_cpu *c, u64 pa, u32 mode)
{
	struct arm_code *k = c->code;
	struct page_info *pi = space_page(c->mem, pa);
	struct arm_block *b;
	unsigned h = arm_code_hash(pa, mode);

	if (k->used + sizeof *b + (BLOCK_OPS + 2) * sizeof(struct arm_op) > k->size || (k->host && arm_host_full(k->host)))
		arm_code_flush(c);
	b = (struct arm_block *)(k->arena + k->used);
	*b = (struct arm_block){.pa = pa, .mode = mode};
	build(c, b);
	k->used += sizeof *b + (b->ops + 1u) * sizeof(struct arm_op);
	b->dead = !pi; /* out of a device, which may show something else next time: runs once */
	if (b->dead)
		return b;
	b->hash_next = k->hash[h];
	k->hash[h] = b;
	b->page_next = k->page[page_slot(pa)];
	k->page[page_slot(pa)] = b;
	mark(c, pi, pa & PAGE_MASK, pieces(pa, b->bytes));
	return b;
}

/* ---- finding ---- */

struct arm_block *arm_block_get(struct arm_cpu *c, bool step)
{
	struct arm_block *b;
	bool whole;
	u64 pa;
	u32 mode;

	if (!step) {
		b = arm_block_find(c, c->s.r[15]);
		if (likely(b != NULL))
			return b;
	}
	pa = arm_fetch(c, c->s.r[15], &whole);
	mode = c->mode | (step || !whole ? ARM_MODE_STEP : 0);
	for (b = c->code->hash[arm_code_hash(pa, mode)]; b; b = b->hash_next)
		if (b->pa == pa && b->mode == mode) {
			if (!(mode & ARM_MODE_STEP))
				c->code->fast[arm_code_hash(pa, mode)] = b;
			return b;
		}
	return build_block(c, pa, mode);
}
