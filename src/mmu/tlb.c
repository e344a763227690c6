/*
 * The x86 TLB: see tlb.h for the two layers. Here: who owns translations (generations), the architectural sets, the hot
 * layer and its context numbers, flushes. Page tables are read by walk_x86.c. APM2 5.5, 15.16.
 *
 * A flush of a context gives it a new generation number, which costs the same however many entries it owned; entries of
 * dead generations are overwritten in time. Generations are never reused, so neither are the context numbers made from
 * them.
 */
#include "mmu/tlb_ways.h"

/* Near the end of the u32 numbers everything is flushed for good and numbering begins anew. */
#define GEN_LAST 0xffff0000u

#define ARCH_FIELD(m, f, n)                                                                                            \
	{                                                                                                              \
#m, offsetof(struct tlb_arch, m), sizeof(((struct tlb_arch *)0)->m) / (n), n, f, 0                     \
	}
const struct field tlb_fields[] = {
	ARCH_FIELD(data, FMT_BYTES, TLB_DATA_SETS),
	ARCH_FIELD(fetch, FMT_BYTES, TLB_FETCH_SETS),
	ARCH_FIELD(nested, FMT_BYTES, TLB_NESTED_SETS),
	ARCH_FIELD(asid, FMT_BYTES, TLB_ASIDS),
	ARCH_FIELD(pcid, FMT_BYTES, TLB_PCIDS),
	FIELD_DEC(struct tlb_arch, gen),
	FIELD_DEC(struct tlb_arch, world),
};
const size_t tlb_fields_n = ARRAY_SIZE(tlb_fields);

static void log_event(struct tlb *t, enum event_kind kind, u32 a, u64 b, u64 c)
{
	struct event e = {.kind = (u16)kind, .cpu = t->cpu_id, .a = a, .b = b, .c = c};

	if (t->stamp)
		t->stamp(t->stamp_arg, &e);
	event_add(t->log, &e);
}

static ALWAYS_INLINE bool logging(const struct tlb *t, enum event_kind kind)
{
	return unlikely(t->log != NULL) && event_on(t->log, kind);
}

/* ---- owners and generations ---- */

static ALWAYS_INLINE u32 new_gen(struct tlb *t) { return ++t->arch.gen; }

static ALWAYS_INLINE unsigned asid_slot(u32 asid) { return asid ? 1 + (asid & 255) : 0; }
static ALWAYS_INLINE unsigned pcid_slot(u32 asid, u32 pcid) { return (pcid + asid * 61) & (TLB_PCIDS - 1); }

/* The owner records, if they are alive. */
static ALWAYS_INLINE struct tlb_asid *asid_find(const struct tlb *t, u32 asid)
{
	const struct tlb_asid *a = &t->arch.asid[asid_slot(asid)];

	return a->world == t->arch.world && a->asid == asid ? (struct tlb_asid *)a : NULL;
}
static ALWAYS_INLINE struct tlb_pcid *pcid_find(const struct tlb *t, const struct tlb_asid *a, u32 pcid)
{
	const struct tlb_pcid *c = &t->arch.pcid[pcid_slot(a->asid, pcid)];

	return c->epoch == a->epoch && c->pcid == pcid ? (struct tlb_pcid *)c : NULL;
}

/* A new owner takes its slot; a former owner's translations are forgotten. */
static NOINLINE struct tlb_asid *asid_new(struct tlb *t, u32 asid)
{
	struct tlb_asid *a = &t->arch.asid[asid_slot(asid)];

	*a = (struct tlb_asid){.asid = asid, .world = t->arch.world};
	a->epoch = new_gen(t);
	a->global = new_gen(t);
	a->nested = new_gen(t);
	return a;
}
static NOINLINE struct tlb_pcid *pcid_new(struct tlb *t, const struct tlb_asid *a, u32 pcid)
{
	struct tlb_pcid *c = &t->arch.pcid[pcid_slot(a->asid, pcid)];

	*c = (struct tlb_pcid){.epoch = a->epoch, .pcid = pcid, .gen = new_gen(t)};
	return c;
}

static void epoch_renew(struct tlb *t, struct tlb_asid *a) { a->epoch = new_gen(t); }

static void global_renew(struct tlb *t, struct tlb_asid *a)
{
	a->global = new_gen(t);
	memset(a->global_sizes, 0, sizeof a->global_sizes);
}

static void nested_renew(struct tlb *t, struct tlb_asid *a)
{
	a->nested = new_gen(t);
	a->nested_sizes = 0;
}

/* ---- the hot layer ---- */

static void hot_wipe(struct tlb *t)
{
	for (unsigned i = 0; i < TLB_SIZE; i++)
		t->d[i].tag[TLB_R] = t->d[i].tag[TLB_W] = t->d[i].tag[TLB_X] = TLB_NO_TAG;
	for (unsigned i = 0; i < ITLB_SIZE; i++)
		t->i[i].tag[TLB_R] = t->i[i].tag[TLB_W] = t->i[i].tag[TLB_X] = TLB_NO_TAG;
	t->fetch_epoch++;
	memset(t->slot, 0, sizeof t->slot);
	memset(t->hot, 0, sizeof t->hot);
	t->slots = 0;
}

static void arch_clear(struct tlb *t)
{
	memset(&t->arch, 0, sizeof t->arch);
	t->arch.gen = t->arch.world = 1;
	hot_wipe(t);
}

/* What besides the generations decides which hot entries are right. */
static ALWAYS_INLINE u32 mode_bits(const struct paging *p)
{
	return (u32)p->wp | (u32)p->smep << 1 | (u32)p->smap << 2 | (u32)(p->levels != 0) << 3;
}

static NOINLINE u32 slot_new(struct tlb *t, struct tlb_slot *s, u64 gens, u32 mode)
{
	if (t->slots == TLB_SLOTS)
		hot_wipe(t);
	*s = (struct tlb_slot){.gens = gens, .mode = mode, .ctx = t->slots++ << 2};
	return s->ctx;
}

/* Choose the owners and the context number for t->asid, t->pcid and the mode. */
static void tlb_select(struct tlb *t)
{
	struct tlb_asid *a;
	struct tlb_pcid *c;
	struct tlb_slot *s;
	u32 mode = mode_bits(&t->env.p), ctx;
	u64 gens;

	if (unlikely(t->arch.gen > GEN_LAST))
		arch_clear(t);
	if (unlikely(!(a = asid_find(t, t->asid))))
		a = asid_new(t, t->asid);
	if (unlikely(!(c = pcid_find(t, a, t->pcid))))
		c = pcid_new(t, a, t->pcid);
	t->cur_asid = a;
	t->cur_pcid = c;
	t->d_mix = t->asid ? (TLB_SIZE / 2) << TLB_ENTRY_BITS : 0;
	t->i_mix = t->asid ? (ITLB_SIZE / 2) << TLB_ENTRY_BITS : 0;
	gens = c->gen | (u64)a->global << 32;
	s = &t->slot[(gens * 0x9e3779b97f4a7c15ull >> 58 ^ mode) & (TLB_SLOT_CACHE - 1)];
	ctx = likely(s->gens == gens && s->mode == mode) ? s->ctx : slot_new(t, s, gens, mode);
	t->base_ctx = ctx;
	t->ctx = ctx | (t->ctx & 3);
}

void tlb_switch(struct tlb *t)
{
	t->env.ntlb = t;
	tlb_select(t);
}

static NOINLINE void hot_kill_large(struct tlb_entry *e, unsigned n, u64 base, unsigned shift)
{
	const u64 mask = ~offset_mask(shift), pages = 1ull << (shift - 12);
	const unsigned half = n / 2, first = (unsigned)(base >> 12), count = pages < half ? (unsigned)pages : half;

	for (unsigned i = 0; i < 2 * count; i++) { /* both halves: see d_mix */
		u64 *tag = e[((first + (i >> 1)) ^ (i & 1 ? half : 0)) & (n - 1)].tag;

		for (unsigned k = 0; k < 3; k++)
			if ((tag[k] & mask) == base)
				tag[k] = TLB_NO_TAG;
	}
}

/* Kill the hot entries of the page at va, whatever their context. */
static ALWAYS_INLINE void hot_kill(struct tlb *t, enum tlb_array arr, u64 va, unsigned shift)
{
	struct tlb_entry *e = arr == TLB_DATA ? t->d : t->i;
	const unsigned n = arr == TLB_DATA ? TLB_SIZE : ITLB_SIZE;

	t->fetch_epoch += arr == TLB_FETCH;
	if (unlikely(shift > 12)) {
		hot_kill_large(e, n, va, shift);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		u64 *tag = e[((va >> 12) ^ (i ? n / 2 : 0)) & (n - 1)].tag;

		for (unsigned k = 0; k < 3; k++)
			if ((tag[k] & PAGE_MASK) == va)
				tag[k] = TLB_NO_TAG;
	}
}

static bool watched(const struct tlb *t, u64 va)
{
	for (unsigned i = 0; i < t->watches; i++)
		if ((t->watch[i] ^ va) < PAGE_SIZE)
			return true;
	return false;
}

/* ---- the architectural layer ---- */

static ALWAYS_INLINE bool linear_find(struct tlb *t, enum tlb_array arr, u64 va, const struct tlb_asid *a,
				      const struct tlb_pcid *c, struct way *w)
{
	return (c && way_find(t, arr, va, c->gen, c->sizes[arr], w)) ||
	       way_find(t, arr, va, a->global, a->global_sizes[arr], w);
}

static ALWAYS_INLINE u8 *way_hot(struct tlb *t, enum tlb_array arr, const struct way *w)
{
	return &t->hot[arr][w->set - array_sets(&t->arch, arr)];
}

/* Empty the way. Inclusion: the hot entries made from it die too. */
static ALWAYS_INLINE void way_drop(struct tlb *t, enum tlb_array arr, const struct way *w)
{
	w->set->gen[w->n] = 0;
	if (arr != TLB_NESTED && *way_hot(t, arr, w) >> w->n & 1) {
		*way_hot(t, arr, w) &= (u8) ~(1u << w->n);
		hot_kill(t, arr, w->set->key[w->n] & PAGE_MASK, way_shift(w));
	}
}

/* Put a translation into its set. */
static ALWAYS_INLINE void way_fill(struct tlb *t, enum tlb_array arr, u64 va, u64 pa, unsigned shift, unsigned perm,
				   u32 gen, struct way *w)
{
	if (!way_choose(t, arr, va, shift, gen, w))
		way_drop(t, arr, w);
	way_put(w, va, pa, shift, perm, gen);
}

static ALWAYS_INLINE void linear_fill(struct tlb *t, enum tlb_array arr, const struct walk *walk, struct way *w)
{
	struct tlb_asid *a = t->cur_asid;
	struct tlb_pcid *c = t->cur_pcid;
	bool global = walk->perm & PERM_G;

	*(global ? &a->global_sizes[arr] : &c->sizes[arr]) |= (u8)(1u << size_code(walk->shift));
	way_fill(t, arr, walk->va, walk->pa, walk->shift, walk->perm, global ? a->global : c->gen, w);
}

/* ---- translation ---- */

static ALWAYS_INLINE enum tlb_class class_of(unsigned access)
{
	return access & ACC_USER ? TLB_USER : access & ACC_AC ? TLB_SUPER_AC : TLB_SUPER;
}

/* Data: the tags that the permissions, the page and the watches allow. A write tag is given on a write, or when the
 * page is dirty already: then no store needs to be heard. False: no tag was given. */
static ALWAYS_INLINE bool data_prime(struct tlb *t, u64 va, unsigned access, struct tlb_hit *hit)
{
	const unsigned as = access & (ACC_USER | ACC_AC);
	const bool write = access & ACC_WRITE;
	struct tlb_entry *e = &t->d[TLB_OFFSET(va, t->d_mix, TLB_SIZE) >> TLB_ENTRY_BITS];
	const u64 tag = (va & PAGE_MASK) | t->base_ctx | class_of(access);
	struct space_ram ram;
	bool may_write;

	hit->host = NULL;
	if (unlikely(!space_ram(t->env.mem, hit->pa, &ram) || (write && ram.rom)))
		return false;
	hit->host = ram.host;
	if (unlikely(t->watches) && watched(t, va))
		return false;
	if (unlikely(t->spy != NULL) && t->spy(t->spy_arg, t, va, hit->pa))
		return false;
	may_write = hit->perm & PERM_D && !ram.rom && !ram.page->code && (write || ram.page->dirty) &&
		    (write || !walk_check(&t->env.p, hit->perm, ACC_WRITE | as));
	if (write && may_write)
		ram.page->dirty = 1;
	/* What may be written may be read: no page of any mode is write-only. */
	e->tag[TLB_R] = tag;
	e->tag[TLB_W] = may_write ? tag : TLB_NO_TAG;
	e->add = (uintptr_t)ram.host - va;
	hit->plain = !write || may_write;
	return true;
}

/* Fetch: ACC_AC says nothing of fetches, so they take the class that the CPU has selected. */
static ALWAYS_INLINE bool fetch_prime(struct tlb *t, u64 va, unsigned access, struct tlb_hit *hit)
{
	struct tlb_entry *e = &t->i[TLB_OFFSET(va, t->i_mix, ITLB_SIZE) >> TLB_ENTRY_BITS];
	u64 cls = t->ctx & 3;

	if ((cls == TLB_USER || cls == TLB_USER_ALIGN) != !!(access & ACC_USER))
		cls = access & ACC_USER ? TLB_USER : TLB_SUPER;
	hit->host = space_host(t->env.mem, hit->pa, false);
	if (unlikely(!hit->host || (t->watches && watched(t, va))))
		return false;
	/* A tag each for supervisor and user: kernels and programs share pages. The addend serves both. */
	if (e->tag[0] != TLB_NO_TAG || e->tag[1] != TLB_NO_TAG) {
		t->fetch_epoch += e->tag[cls & 1] != TLB_NO_TAG || e->add != hit->pa - va;
		if (e->add != hit->pa - va)
			e->tag[0] = e->tag[1] = TLB_NO_TAG;
	}
	e->tag[cls & 1] = (va & PAGE_MASK) | t->base_ctx | cls;
	e->add = hit->pa - va;
	hit->plain = true;
	return true;
}

static ALWAYS_INLINE void answer(const struct tlb *t, u64 va, const struct way *way, struct tlb_hit *hit)
{
	u64 v = way_value(way);

	hit->shift = (u8)way_shift(way);
	hit->perm = v & WAY_PERM;
	hit->pa = ((v & PAGE_MASK) | (va & offset_mask(hit->shift))) & t->env.mem->a20_mask;
	hit->plain = false;
}

static COLD NOINLINE void heard_walk(struct tlb *t, u64 va, unsigned access, struct walk *w)
{
	for (unsigned i = 0; i < TLB_EARS; i++)
		if (t->ear[i].before)
			t->ear[i].before(t->ear[i].arg, va, access);
	walk_x86(&t->env, va, access, true, w);
	for (unsigned i = 0; i < TLB_EARS; i++)
		if (t->ear[i].walked)
			t->ear[i].walked(t->ear[i].arg, access, w);
}

static ALWAYS_INLINE bool translate(struct tlb *t, enum tlb_array arr, u64 va, unsigned access, struct tlb_hit *hit,
				    struct walk *w)
{
	struct way way;

	if (linear_find(t, arr, va, t->cur_asid, t->cur_pcid, &way)) {
		u64 v = way_value(&way);

		/* "When any type of page fault is encountered, any cached entries are flushed and the table walk is
		 * repeated": APM2 5.5.3, Use of Cached Entries. A write to a page that is not marked dirty walks to set
		 * D: Handling of D-Bit Updates. */
		if (likely(!walk_check(&t->env.p, v & WAY_PERM, access) && !(access & ACC_WRITE && !(v & PERM_D))))
			goto found;
		way_drop(t, arr, &way);
	}
	if (unlikely(t->ears))
		heard_walk(t, va, access, w);
	else if (!walk_quick(&t->env, va, access, w))
		walk_x86(&t->env, va, access, true, w);
	if (w->why != WALK_OK)
		return false;
	linear_fill(t, arr, w, &way);
	if (logging(t, EV_WALK))
		log_event(t, EV_WALK, access, va, w->pa);
found:
	answer(t, va, &way, hit);
	if (arr == TLB_DATA ? data_prime(t, va, access, hit) : fetch_prime(t, va, access, hit))
		*way_hot(t, arr, &way) |= (u8)(1u << way.n);
	return true;
}

bool tlb_translate(struct tlb *t, u64 va, unsigned access, struct tlb_hit *hit, struct walk *w)
{
	return access & ACC_EXEC ? translate(t, TLB_FETCH, va, access, hit, w)
				 : translate(t, TLB_DATA, va, access, hit, w);
}

bool tlb_probe(const struct tlb *t, u32 asid, u32 pcid, u64 va, struct tlb_hit *hit)
{
	struct tlb *m = (struct tlb *)t; /* only looked at */
	const struct tlb_asid *a = asid_find(t, asid);
	const struct tlb_pcid *c = a ? pcid_find(t, a, pcid) : NULL;
	struct way w;

	if (!a || !(linear_find(m, TLB_DATA, va, a, c, &w) || linear_find(m, TLB_FETCH, va, a, c, &w)))
		return false;
	answer(t, va, &w, hit);
	hit->host = space_host(t->env.mem, hit->pa, false);
	return true;
}

/* ---- flushes ---- */

static void flushed(struct tlb *t, enum tlb_flush what, u64 b)
{
	if (logging(t, EV_FLUSH))
		log_event(t, EV_FLUSH, what, b, 0);
	tlb_select(t);
}

void tlb_flush_everything(struct tlb *t)
{
	t->arch.world = new_gen(t);
	flushed(t, FLUSH_EVERYTHING, 0);
}

void tlb_flush_asid(struct tlb *t, u32 asid, bool keep_global)
{
	struct tlb_asid *a = asid_find(t, asid);

	if (a) {
		epoch_renew(t, a);
		if (!keep_global) {
			global_renew(t, a);
			nested_renew(t, a);
		}
	}
	flushed(t, FLUSH_ASID, asid);
}

void tlb_flush_pcid(struct tlb *t, u32 asid, u32 pcid)
{
	struct tlb_asid *a = asid_find(t, asid);
	struct tlb_pcid *c = a ? pcid_find(t, a, pcid) : NULL;

	if (c) {
		c->gen = new_gen(t);
		memset(c->sizes, 0, sizeof c->sizes);
	}
	flushed(t, FLUSH_PCID, asid);
}

void tlb_flush_pcids(struct tlb *t, u32 asid, bool keep_global)
{
	struct tlb_asid *a = asid_find(t, asid);

	if (a) {
		epoch_renew(t, a);
		if (!keep_global)
			global_renew(t, a);
	}
	flushed(t, FLUSH_PCIDS, asid);
}

/* All the sizes that cover va: a guest that changed its page size without a flush may have several. */
static void page_drop(struct tlb *t, u64 va, u32 gen, const u8 *sizes)
{
	struct way w;

	for (enum tlb_array arr = TLB_DATA; arr <= TLB_FETCH; arr++)
		for (unsigned s = sizes[arr]; s; s &= s - 1)
			while (way_find(t, arr, va, gen, s & -s, &w))
				way_drop(t, arr, &w);
}

void tlb_flush_page(struct tlb *t, u32 asid, u32 pcid, u64 va, bool global)
{
	struct tlb_asid *a = asid_find(t, asid);
	struct tlb_pcid *c = a ? pcid_find(t, a, pcid) : NULL;

	if (c)
		page_drop(t, va, c->gen, c->sizes);
	if (a && global)
		page_drop(t, va, a->global, a->global_sizes);
	if (logging(t, EV_FLUSH))
		log_event(t, EV_FLUSH, FLUSH_PAGE, va, 0);
}

/* ---- the hot layer's other enemies ---- */

void tlb_forget_hot(struct tlb *t)
{
	hot_wipe(t);
	tlb_select(t);
}

void tlb_protect_code(struct tlb *t, u64 pa)
{
	u64 host = (uintptr_t)space_host(t->env.mem, pa & PAGE_MASK, false);

	if (!host)
		return;
	for (unsigned i = 0; i < TLB_SIZE; i++) {
		struct tlb_entry *e = &t->d[i];

		if (e->tag[TLB_W] != TLB_NO_TAG && (e->tag[TLB_W] & PAGE_MASK) + e->add == host)
			e->tag[TLB_W] = TLB_NO_TAG;
	}
}

void tlb_watch(struct tlb *t, const u64 *va, unsigned n)
{
	t->watches = n < TLB_WATCHES ? n : TLB_WATCHES;
	for (unsigned i = 0; i < t->watches; i++)
		t->watch[i] = va[i] & PAGE_MASK;
	tlb_forget_hot(t);
}

void tlb_spy(struct tlb *t, bool (*spy)(void *arg, struct tlb *t, u64 va, u64 pa), void *arg)
{
	t->spy = spy;
	t->spy_arg = arg;
	tlb_forget_hot(t);
}

void tlb_hear_walks(struct tlb *t, unsigned n, void (*before)(void *arg, u64 va, unsigned access),
		    void (*walked)(void *arg, unsigned access, const struct walk *w), void *arg)
{
	t->ear[n] = (struct tlb_ear){before, walked, arg};
	t->ears = 0;
	for (unsigned i = 0; i < TLB_EARS; i++)
		t->ears += t->ear[i].walked != NULL;
}

void tlb_init(struct tlb *t, struct space *mem)
{
	memset(t, 0, sizeof *t);
	t->env.mem = mem;
	arch_clear(t);
	tlb_switch(t);
}

void tlb_free(struct tlb *t) { (void)t; }
