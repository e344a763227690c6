/*
 * The x86 page walker: see walk.h. One always-inline core serves both dimensions and is instantiated twice: with the
 * record (walk_x86, walk_nested) and without (walk_quick, for TLB fills). Caching lives in tlb.c, printing in
 * walk_print.c. APM2 ch. 5, 15.25.
 */
#include "mmu/tlb_ways.h"

enum {
	PTE_P = 1,
	PTE_W = 2,
	PTE_U = 4,
	PTE_A = 0x20,
	PTE_D = 0x40,
	PTE_PS = 0x80,
	PTE_G = 0x100,
};
#define PTE_NX      BIT(63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* Error code bits. APM2 8.4.2. */
enum { ERR_P = 1, ERR_W = 2, ERR_U = 4, ERR_RSV = 8, ERR_ID = 16 };

/* The dimensions. */
enum { FIRST, NESTED };

/* What every function of one walk needs. quick: no record, and no change of anything before success is certain. */
struct walker {
	const struct walk_env *env;
	struct walk *w;
	bool set_ad, quick;
};

/* A table entry that was read, and where, so that its A and D bits can be set later. */
struct entry {
	u64 gpa, pa, val;
	unsigned step; /* of its record */
	u8 size, dim, level;
	bool has_a; /* not the PDPE of legacy PAE mode: APM2 figure 5-10 */
};

/* The end of one dimension's walk. */
struct leaf {
	u64 pa; /* of the address itself */
	u8 shift, perm;
	struct entry e;
};

static ALWAYS_INLINE struct walk_step *step_new(struct walk *w)
{
	return &w->step[w->n < ARRAY_SIZE(w->step) ? w->n++ : ARRAY_SIZE(w->step) - 1];
}

/* NX exists in PAE paging only: bit 63 of 8-byte entries. APM2 5.6.3. */
static ALWAYS_INLINE bool nx_on(const struct paging *p) { return p->nx && p->levels > 2; }

/* ---- refusals ---- */

static void refuse(struct walk *w, enum walk_why why, unsigned level)
{
	w->why = (u16)why;
	w->fail_level = (u8)level;
}

static u32 error_code(enum walk_why why, unsigned access, bool id)
{
	return (why != WALK_NOT_PRESENT ? ERR_P : 0) | (access & ACC_WRITE ? ERR_W : 0) |
	       (access & ACC_USER ? ERR_U : 0) | (why == WALK_RESERVED ? ERR_RSV : 0) |
	       (id && access & ACC_EXEC ? ERR_ID : 0);
}

/* #PF. The I/D bit is reported when NX or SMEP is enabled. APM2 8.4.2. */
static COLD NOINLINE void refuse_pf(const struct walker *k, enum walk_why why, unsigned level, unsigned access)
{
	const struct paging *p = &k->env->p;

	k->w->error = error_code(why, access, nx_on(p) || p->smep);
	refuse(k->w, why, level);
}

/* NPF: all nested accesses are user accesses; bit 32 for the final address, 33 for a guest table. APM2 15.25.6. */
static COLD NOINLINE void refuse_npf(const struct walker *k, enum walk_why why, unsigned level, u64 gpa,
				     unsigned access, unsigned serves)
{
	struct walk *w = k->w;

	w->nested_fault = true;
	w->fail_serves = (u8)serves;
	w->gpa = gpa;
	w->error = error_code(why, access | ACC_USER, true);
	w->exitinfo1 = w->error | (serves ? BIT(33) : BIT(32));
	refuse(w, why, level);
}

/* ---- table entries ---- */

/* Reserved bits common to all 8-byte entries of a mode: address bits that the model lacks, 62:52 in legacy PAE
 * (available in long mode), NX without EFER.NXE. APM2 5.2.3, 5.3.3, 5.4.1. */
static ALWAYS_INLINE u64 reserved_high(const struct paging *p, unsigned levels)
{
	u64 r = ~offset_mask(p->pa_bits) & offset_mask(52);

	if (levels == 3)
		r |= bits(~0ull, 62, 52) << 52;
	return p->nx && levels > 2 ? r : r | PTE_NX;
}

/* Reserved bits that are set in a present entry, whose page (if it is a leaf) has 1 << shift bytes. */
static ALWAYS_INLINE u64 reserved_set(const struct paging *p, unsigned levels, u64 high, u64 val, unsigned level,
				      unsigned shift, bool large)
{
	if (levels == 2) {
		/* PSE-36: bits 20:13 are address bits 39:32, bit 21 is reserved. Nothing else is. APM2 5.2.2, figure
		 * 5-8 */
		return large ? val & (BIT(21) | (~offset_mask(p->pa_bits) >> 32 & 0xff) << 13) : 0;
	}
	if (level >= 4)
		return val & (high | PTE_PS | PTE_G); /* PML4E, PML5E: 8:7. APM2 figures 5-19, 5-20 */
	if (levels == 3 && level == 3)
		return val & (high | PTE_NX | 0x1e6); /* PDPE of legacy PAE: 63, 8:5, 2:1. APM2 figure 5-10 */
	if (!large)
		return val & high;
	if (level == 3 && !p->page1gb)
		return PTE_PS;
	return val & (high | (offset_mask(shift) & ~offset_mask(13)));
}

/* Does a present entry map a page? */
static ALWAYS_INLINE bool is_leaf(const struct paging *p, unsigned levels, u64 val, unsigned level)
{
	if (level == 1)
		return true;
	if (!(val & PTE_PS) || level > 3)
		return false;
	if (level == 3)
		return levels > 3;
	return levels > 2 || p->pse;
}

static ALWAYS_INLINE u64 leaf_base(unsigned levels, u64 val, unsigned level, unsigned shift)
{
	if (levels == 2 && level == 2)
		return (val & 0xffc00000) | (val >> 13 & 0xff) << 32;
	return val & PTE_ADDRESS & ~offset_mask(shift);
}

static ALWAYS_INLINE bool nested(const struct walker *k, struct leaf *out, u64 gpa, unsigned access, unsigned serves);
static NOINLINE bool nested_recorded(const struct walker *k, struct leaf *out, u64 gpa, unsigned access,
				     unsigned serves);

/* The system-physical address of a guest table entry. Table walks are user writes at the nested level, unless the
 * guest's tables may be read-only; then they are writes only when A or D is to be set. APM2 15.25.5. */
static ALWAYS_INLINE bool table_pa(const struct walker *k, u64 gpa, unsigned level, bool write, u64 *pa)
{
	unsigned access = ACC_USER | (write || !k->env->ro_tables ? ACC_WRITE : 0);
	struct leaf n;

	if (k->quick) {
		struct tlb_hit h;

		if (!k->env->ntlb || !tlb_nested_find(k->env->ntlb, gpa, access, &h))
			return false;
		*pa = h.pa;
		return true;
	}
	if (!nested_recorded(k, &n, gpa, access, level))
		return false;
	*pa = n.pa;
	return true;
}

static void entry_record(const struct walker *k, struct entry *e, unsigned serves, bool cached)
{
	e->step = k->w->n;
	*step_new(k->w) = (struct walk_step){.pa = e->pa,
					     .gpa = e->gpa,
					     .val = e->val,
					     .dim = e->dim,
					     .level = e->level,
					     .serves = (u8)serves,
					     .cached = cached};
}

/* Read the entry at e->gpa (a system-physical address in the nested dimension). */
static ALWAYS_INLINE bool entry_read(const struct walker *k, struct entry *e, unsigned serves)
{
	struct space *mem = k->env->mem;
	const u8 *host;

	e->pa = e->gpa;
	if (e->dim == FIRST && k->env->nested && !table_pa(k, e->gpa, e->level, false, &e->pa))
		return false;
	host = space_host(mem, e->pa, false);
	if (likely(host))
		e->val = e->size == 8 ? load_le(host, 8) : load_le(host, 4);
	else if (k->quick)
		return false;
	else
		e->val = k->set_ad ? space_read(mem, e->pa, e->size) : space_peek(mem, e->pa, e->size);
	k->w->refs++;
	if (!k->quick)
		entry_record(k, e, serves, false);
	return true;
}

/* The thing that an entry points to is being used: set its A bit, and D too for a write to a page. APM2 5.4.1. */
static ALWAYS_INLINE bool entry_use(const struct walker *k, struct entry *e, u64 set)
{
	u64 pa = e->pa;

	set &= ~e->val;
	if (likely(!set) || !e->has_a)
		return true;
	if (k->quick)
		return false;
	e->val |= set;
	if (e->step < ARRAY_SIZE(k->w->step))
		k->w->step[e->step].set |= set;
	if (e->dim == FIRST && k->env->nested && k->env->ro_tables && !table_pa(k, e->gpa, e->level, true, &pa))
		return false;
	if (k->set_ad)
		space_write(k->env->mem, pa, e->size, e->val);
	return true;
}

/* ---- one dimension ---- */

static ALWAYS_INLINE bool walk_refuse(const struct walker *k, enum walk_why why, const struct entry *e, u64 va,
				      unsigned access, unsigned serves)
{
	if (k->quick)
		return false;
	if (e->dim == FIRST)
		refuse_pf(k, why, e->level, access);
	else
		refuse_npf(k, why, e->level, va, access, serves);
	return false;
}

/* From the root to the leaf: presence and reserved bits of every level. The leaf's permissions and A/D bits are the
 * caller's. levels is p->levels, of which the compiler may know something. */
static ALWAYS_INLINE bool walk_levels(const struct walker *k, const struct paging *p, unsigned levels, struct leaf *out,
				      u64 va, unsigned access, unsigned dim, unsigned serves)
{
	const unsigned ibits = levels > 2 ? 9 : 10;
	const u64 high = reserved_high(p, levels);
	u64 table = p->root, all = PTE_W | PTE_U | PTE_A, any = 0; /* bits set in all, in any of the entries */
	unsigned shift = 12 + ibits * (levels - 1);
	struct entry e = {.size = levels > 2 ? 8 : 4, .dim = (u8)dim, .level = (u8)levels}, up;

	for (;; e.level--, shift -= ibits) {
		bool leaf;

		if (!k->quick)
			up = e;
		e.gpa = table + (va >> shift & offset_mask(ibits)) * e.size;
		e.has_a = levels != 3 || e.level != 3;
		if (!e.has_a && p->use_pdpte) {
			e.val = p->pdpte[va >> 30 & 3];
			if (!k->quick)
				entry_record(k, &e, serves, true);
		} else if (!entry_read(k, &e, serves)) {
			return false;
		}
		if (!k->quick && !entry_use(k, &up, PTE_A)) /* at the root: no entry, has_a is false */
			return false;
		if (unlikely(!(e.val & PTE_P)))
			return walk_refuse(k, WALK_NOT_PRESENT, &e, va, access, serves);
		leaf = is_leaf(p, levels, e.val, e.level);
		if (unlikely(reserved_set(p, levels, high, e.val, e.level, shift, leaf && e.level > 1)))
			return walk_refuse(k, WALK_RESERVED, &e, va, access, serves);
		if (e.has_a) {
			all &= e.val;
			any |= e.val;
		}
		if (leaf)
			break;
		table = e.val & (levels > 2 ? PTE_ADDRESS : 0xfffff000);
	}
	if (k->quick && !(all & PTE_A))
		return false;
	out->perm = (u8)((all & PTE_W ? PERM_W : 0) | (all & PTE_U ? PERM_U : 0) | PERM_NW |
			 (any & PTE_NX && p->nx && levels > 2 ? 0 : PERM_X) | (e.val & PTE_G && p->pge ? PERM_G : 0));
	out->pa = leaf_base(levels, e.val, e.level, shift) | (va & offset_mask(shift));
	out->shift = (u8)shift;
	out->e = e;
	return true;
}

/* Long mode, where most time goes, is compiled apart. */
static ALWAYS_INLINE bool walk_tables(const struct walker *k, struct leaf *out, u64 va, unsigned access, unsigned dim,
				      unsigned serves)
{
	const struct paging *p = dim == FIRST ? &k->env->p : &k->env->np;

	if (k->quick && p->levels == 4)
		return walk_levels(k, p, 4, out, va, access, dim, serves);
	return walk_levels(k, p, p->levels, out, va, access, dim, serves);
}

/* The leaf's page is being used: its A and D bits, and the D that results. */
static ALWAYS_INLINE bool leaf_use(const struct walker *k, struct leaf *l, unsigned access)
{
	if (!entry_use(k, &l->e, PTE_A | (access & ACC_WRITE ? PTE_D : 0)))
		return false;
	if (l->e.val & PTE_D)
		l->perm |= PERM_D;
	return true;
}

/* ---- the nested dimension ---- */

/* How many guest-physical address bits the nested mode translates. What lies above has no translation: taken as not
 * present (the manual does not say; legacy host paging, or four levels under 52 address bits). */
static ALWAYS_INLINE unsigned nested_bits(const struct paging *np)
{
	return np->levels > 3 ? 12 + 9u * np->levels : 32;
}

static ALWAYS_INLINE bool nested(const struct walker *k, struct leaf *out, u64 gpa, unsigned access, unsigned serves)
{
	const struct walk_env *env = k->env;
	struct tlb *cache = k->set_ad ? env->ntlb : NULL;
	struct tlb_hit h;
	enum walk_why why;

	access = (access & (ACC_WRITE | ACC_EXEC)) | ACC_USER;
	if (cache && tlb_nested_find(cache, gpa, access, &h)) {
		*out = (struct leaf){.pa = h.pa, .shift = h.shift, .perm = h.perm};
		if (!k->quick)
			*step_new(k->w) =
				(struct walk_step){.gpa = gpa, .dim = NESTED, .serves = (u8)serves, .cached = true};
		return true;
	}
	out->e = (struct entry){.dim = NESTED, .level = env->np.levels};
	if (unlikely(gpa >> nested_bits(&env->np)))
		return walk_refuse(k, WALK_NOT_PRESENT, &out->e, gpa, access, serves);
	if (!walk_tables(k, out, gpa, access, NESTED, serves))
		return false;
	/* hCR0.WP, SMEP and SMAP do not matter: every access is a user access. APM2 15.25.5, 15.25.7 */
	why = !(out->perm & PERM_U)                         ? WALK_SUPERVISOR
	      : access & ACC_WRITE && !(out->perm & PERM_W) ? WALK_READ_ONLY
	      : access & ACC_EXEC && !(out->perm & PERM_X)  ? WALK_NX
							    : WALK_OK;
	if (unlikely(why))
		return walk_refuse(k, why, &out->e, gpa, access, serves);
	if (!leaf_use(k, out, access))
		return false;
	if (cache)
		tlb_nested_fill(cache, gpa, out->pa, out->shift, out->perm);
	return true;
}

static NOINLINE bool nested_recorded(const struct walker *k, struct leaf *out, u64 gpa, unsigned access,
				     unsigned serves)
{
	const struct walker full = {k->env, k->w, k->set_ad, false};

	return nested(&full, out, gpa, access, serves);
}

/* Only the address, the dirty bit and the right to write and execute come from the nested page; the smaller page
 * counts. APM2 15.25.7, 15.25.9. */
static ALWAYS_INLINE void merge(struct leaf *g, const struct leaf *n)
{
	unsigned perm = g->perm & (PERM_U | PERM_G);

	perm |= g->perm & n->perm & (PERM_W | PERM_X | PERM_D);
	if (n->perm & PERM_W)
		perm |= PERM_NW;
	g->perm = (u8)perm;
	g->pa = n->pa;
	if (n->shift < g->shift)
		g->shift = n->shift;
}

/* ---- both ---- */

static ALWAYS_INLINE void walk_begin(struct walk *w, u64 va)
{
	w->va = va;
	w->gpa = w->pa = 0;
	w->shift = w->gshift = w->nshift = w->perm = 0;
	w->why = WALK_OK;
	w->nested_fault = false;
	w->fail_level = w->fail_serves = 0;
	w->error = 0;
	w->exitinfo1 = 0;
	w->refs = w->n = 0;
}

/* The first dimension: linear to physical (or guest-physical), permissions checked, A/D bits set. */
static ALWAYS_INLINE bool walk_first(const struct walker *k, struct leaf *g, u64 va, unsigned access)
{
	const struct paging *p = &k->env->p;
	enum walk_why why;

	if (!p->levels) {
		g->pa = (u32)va;
		g->shift = 30;
		g->perm = PERM_W | PERM_X | PERM_U | PERM_D | PERM_NW;
		return true;
	}
	if (p->levels < 4)
		va = (u32)va;
	else if (unlikely((u64)sign_extend(va, 12 + 9u * p->levels) != va)) /* APM2 5.3.1 */ {
		refuse(k->w, WALK_NON_CANONICAL, 0);
		return false;
	}
	if (!walk_tables(k, g, va, access, FIRST, 0))
		return false;
	why = walk_check(p, g->perm, access);
	if (unlikely(why))
		return walk_refuse(k, why, &g->e, va, access, 0);
	if (!leaf_use(k, g, access))
		return false;
	k->w->gshift = g->shift;
	return true;
}

static ALWAYS_INLINE bool walk(const struct walker *k, u64 va, unsigned access)
{
	struct walk *w = k->w;
	struct leaf g, n;

	walk_begin(w, va);
	if (!walk_first(k, &g, va, access))
		return false;
	w->gpa = g.pa;
	if (k->env->nested) {
		if (!nested(k, &n, g.pa, access, 0))
			return false;
		w->nshift = n.shift;
		merge(&g, &n);
	}
	w->pa = g.pa;
	w->shift = g.shift;
	w->perm = g.perm;
	return true;
}

void walk_x86(const struct walk_env *env, u64 va, unsigned access, bool set_ad, struct walk *w)
{
	walk(&(struct walker){env, w, set_ad, false}, va, access);
}

bool walk_quick(const struct walk_env *env, u64 va, unsigned access, struct walk *w)
{
	return walk(&(struct walker){env, w, true, true}, va, access);
}

void walk_nested(const struct walk_env *env, u64 gpa, unsigned access, bool set_ad, struct walk *w)
{
	const struct walker k = {env, w, set_ad, false};
	struct leaf n;

	walk_begin(w, gpa);
	w->gpa = gpa;
	if (!nested_recorded(&k, &n, gpa, access, 0))
		return;
	w->pa = n.pa;
	w->shift = w->nshift = n.shift;
	w->perm = (u8)(n.perm & ~PERM_G);
}
