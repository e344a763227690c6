/*
 * See tlb_arm.h. Data and fetch translations have sets of their own, so that no data access evicts a fetch translation: how far code was decoded
 * ahead must not show. Replacement is round robin. Every hot entry has a living architectural entry behind it (or the MMU is off).
 * Invalidation gives a new generation. DDI0198 ch. 3; DDI0100 B4.
 */
#include "mmu/tlb_arm.h"

enum { DATA, FETCH };
enum { SIZE_TINY, SIZE_SMALL, SIZE_LARGE, SIZE_SECTION, SIZES };
static const u8 size_shift[SIZES] = {10, 12, 16, 20};

#define GEN_LAST   0xffff0000u
#define GEN_LOCKED 1u
#define GEN_FIRST  2u
#define CONTEXT_LAST 0xfffffu /* numbers of contexts: bits 52:33 of a tag */
#define KEY_SHIFT  31u        /* the bits of a key that are the size */

#define ARCH(m, n) {#m, offsetof(struct tlb_arm_arch, m), sizeof(((struct tlb_arm_arch *)0)->m) / (n), n, FMT_BYTES, 0}
const struct field tlb_arm_fields[] = {
        ARCH(data, TLB_ARM_DATA_SETS), ARCH(fetch, TLB_ARM_FETCH_SETS), ARCH(locked, TLB_ARM_LOCKED), FIELD_DEC(struct tlb_arm_arch, gen),
        FIELD_ARRAY(struct tlb_arm_arch, sizes), FIELD_HEX(struct tlb_arm_arch, lock),
        FIELD_HEX(struct tlb_arm_arch, victim),
};
const size_t tlb_arm_fields_n = ARRAY_SIZE(tlb_arm_fields);

static ALWAYS_INLINE bool logging(const struct tlb_arm *t, enum event_kind kind) { return unlikely(t->log != NULL) && event_on(t->log, kind); }

static void log_event(struct tlb_arm *t, enum event_kind kind, u32 a, u64 b, u64 c)
{
	struct event e = {.kind = (u16)kind, .a = a, .b = b, .c = c};

	if (t->stamp)
		t->stamp(t->stamp_arg, &e);
	event_add(t->log, &e);
}

/* ---- the hot layer ---- */

/* Entries that a context's index is XORed with: another quarter, and another place in it, for what lies megabytes apart meets in its low bits. */
#define MIX(n, size) (((n) & 3) * ((size) / 4 | ((size) == TLB_ARM_SIZE ? 0x55 : 0x15)))

static void hot_wipe(struct tlb_arm *t)
{
	for (unsigned i = 0; i < TLB_ARM_SIZE; i++)
		t->d[i].tag[TLB_R] = t->d[i].tag[TLB_W] = t->d[i].tag[TLB_X] = TLB_ARM_NO_TAG;
	for (unsigned i = 0; i < ITLB_ARM_SIZE; i++)
		t->i[i].tag[TLB_R] = t->i[i].tag[TLB_W] = t->i[i].tag[TLB_X] = TLB_ARM_NO_TAG;
	t->fetch_epoch++;
	memset(t->context, 0, sizeof t->context);
	t->contexts = 0;
	memset(t->primed, 0, sizeof t->primed);
	t->fcse_used = t->fcse != 0;
}

static void arch_clear(struct tlb_arm *t)
{
	memset(t->arch.data, 0, sizeof t->arch.data);
	memset(t->arch.fetch, 0, sizeof t->arch.fetch);
	t->arch.gen = GEN_FIRST;
	hot_wipe(t);
}

static NOINLINE u32 context_new(struct tlb_arm *t, struct tlb_arm_context *x, u32 gen, u32 dacr, u32 mode)
{
	if (t->contexts == CONTEXT_LAST)
		hot_wipe(t);
	*x = (struct tlb_arm_context){.gen = gen, .dacr = dacr, .mode = mode, .number = t->contexts++};
	return x->number;
}

void tlb_arm_switch(struct tlb_arm *t)
{
	const struct walk_arm_env *e = &t->env;
	u32 mode = t->fcse | (u32)e->on | (u32)(e->on && e->s) << 1 | (u32)(e->on && e->r) << 2, dacr = e->on ? e->dacr : 0, n;
	struct tlb_arm_context *x;

	if (unlikely(t->arch.gen > GEN_LAST))
		arch_clear(t);
	t->fcse_used |= t->fcse != 0;
	x = &t->context[((dacr ^ mode ^ t->arch.gen) * 0x9e3779b1u >> 20 ^ mode >> 25) & (TLB_ARM_CONTEXTS - 1)];
	if (likely(x->gen == t->arch.gen && x->dacr == dacr && x->mode == mode))
		n = x->number;
	else
		n = context_new(t, x, t->arch.gen, dacr, mode);
	t->base_ctx = (u64)n << 33;
	t->ctx = t->base_ctx | (t->ctx & TLB_ARM_USER);
	t->d_mix = (u64)MIX(n, TLB_ARM_SIZE) << TLB_ENTRY_BITS;
	t->i_mix = (u64)MIX(n, ITLB_ARM_SIZE) << TLB_ENTRY_BITS;
}

static void kill_at(struct tlb_entry *e, u32 page)
{
	for (unsigned k = 0; k < 3; k++)
		if ((u32)e->tag[k] == page)
			e->tag[k] = TLB_ARM_NO_TAG;
}

/* Kill the hot entries of the page at mva in the places given (bits); with processes they see it at addresses below 32 MB, too. */
static void hot_kill(struct tlb_arm *t, unsigned arr, u32 mva, unsigned shift, unsigned places)
{
	struct tlb_entry *e = arr == DATA ? t->d : t->i;
	const unsigned n = arr == DATA ? TLB_ARM_SIZE : ITLB_ARM_SIZE;
	const u32 page = mva & (u32)PAGE_MASK, low = page & 0x1ffffff, mask = ~(u32)mask_low(shift);

	t->fetch_epoch += arr == FETCH;
	if (shift <= 12) {
		for (; places; places &= places - 1) {
			unsigned q = (unsigned)__builtin_ctz(places);

			kill_at(&e[(page >> 12 ^ MIX(q, n)) & (n - 1)], page);
			if (unlikely(t->fcse_used))
				kill_at(&e[(low >> 12 ^ MIX(q, n)) & (n - 1)], low);
		}
		return;
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < 3; k++)
			if (((u32)e[i].tag[k] & mask) == (page & mask) || ((u32)e[i].tag[k] & mask) == (low & mask))
				e[i].tag[k] = TLB_ARM_NO_TAG;
}

/* ---- the architectural layer ---- */

static struct tlb_arm_set *set_of(const struct tlb_arm *t, unsigned arr, u32 mva, unsigned shift)
{
	u32 i = (mva >> shift) + (t->arch.gen * 0x9e3779b1u >> 16);

	return (struct tlb_arm_set *)(arr == DATA ? &t->arch.data[i & (TLB_ARM_DATA_SETS - 1)] : &t->arch.fetch[i & (TLB_ARM_FETCH_SETS - 1)]);
}

static u32 key_of(u32 mva, unsigned shift) { return (mva & ~(u32)mask_low(shift)) | shift; }

static struct tlb_arm_entry *locked_find(const struct tlb_arm *t, u32 mva)
{
	for (unsigned i = 0; i < TLB_ARM_LOCKED; i++) {
		const struct tlb_arm_entry *e = &t->arch.locked[i];

		if (e->key && key_of(mva, e->key & KEY_SHIFT) == e->key)
			return (struct tlb_arm_entry *)e;
	}
	return NULL;
}

static struct tlb_arm_entry *find(const struct tlb_arm *t, unsigned arr, u32 mva, unsigned sizes)
{
	for (; sizes; sizes &= sizes - 1) {
		unsigned shift = size_shift[__builtin_ctz(sizes)];
		u32 key = key_of(mva, shift);
		struct tlb_arm_set *s = set_of(t, arr, mva, shift);

		for (unsigned i = 0; i < TLB_ARM_WAYS; i++)
			if (s->way[i].key == key && s->way[i].gen == t->arch.gen)
				return &s->way[i];
	}
	return NULL;
}

enum { ALL_PLACES = 15 };

/* Where hot entries were made from e, an entry of a set; NULL: e is a locked one. */
static u8 *places_of(struct tlb_arm *t, unsigned arr, const struct tlb_arm_entry *e)
{
	const struct tlb_arm_set *first = arr == DATA ? t->arch.data : t->arch.fetch;
	size_t at = (size_t)((const u8 *)e - (const u8 *)first);

	if (e >= t->arch.locked && e < t->arch.locked + TLB_ARM_LOCKED)
		return NULL;
	return &t->primed[arr][at / sizeof *first][at % sizeof *first / sizeof *e];
}

static void drop(struct tlb_arm *t, unsigned arr, struct tlb_arm_entry *e)
{
	u8 *places = places_of(t, arr, e);

	if (*places)
		hot_kill(t, arr, e->key, e->key & KEY_SHIFT, *places);
	*places = 0;
	*e = (struct tlb_arm_entry){0};
}

static void drop_locked(struct tlb_arm *t, struct tlb_arm_entry *e)
{
	hot_kill(t, DATA, e->key, e->key & KEY_SHIFT, ALL_PLACES);
	hot_kill(t, FETCH, e->key, e->key & KEY_SHIFT, ALL_PLACES);
	*e = (struct tlb_arm_entry){0};
}

static struct tlb_arm_entry *fill(struct tlb_arm *t, unsigned arr, const struct arm_page *p)
{
	struct tlb_arm_entry new = {.key = key_of(p->mva, p->shift), .pa = p->pa | p->cb, .gen = t->arch.gen, .domain = p->domain, .ap = p->ap};
	struct tlb_arm_set *s;
	unsigned w;

	if (unlikely(t->arch.lock)) { /* DDI0198 2.3.10: the victim counts up at each walk */
		struct tlb_arm_entry *e = &t->arch.locked[t->arch.victim & (TLB_ARM_LOCKED - 1)];

		if (e->key)
			drop_locked(t, e);
		t->arch.victim = (t->arch.victim + 1) & (TLB_ARM_LOCKED - 1);
		*e = new;
		e->gen = GEN_LOCKED;
		return e;
	}
	s = set_of(t, arr, p->mva, p->shift);
	for (w = 0; w < TLB_ARM_WAYS && s->way[w].gen == t->arch.gen; w++)
		;
	if (w == TLB_ARM_WAYS) {
		w = s->next;
		s->next = (w + 1) % TLB_ARM_WAYS;
		drop(t, arr, &s->way[w]);
	}
	*places_of(t, arr, &s->way[w]) = 0; /* of another generation: its tags are dead */
	t->arch.sizes[arr] |= (u8)(p->shift == 10 ? 1 : p->shift == 12 ? 2 : p->shift == 16 ? 4 : 8);
	s->way[w] = new;
	return &s->way[w];
}

/* ---- translation ---- */

static void page_of(const struct tlb_arm_entry *e, struct arm_page *p)
{
	unsigned shift = e->key & KEY_SHIFT;

	*p = (struct arm_page){.mva = e->key & ~(u32)mask_low(shift), .pa = e->pa & ~(u32)mask_low(shift), .shift = (u8)shift, .domain = e->domain,
	                       .ap = e->ap, .cb = e->pa & 3};
}

/* The record of an access that a cached translation refuses. */
static COLD void refused(const struct arm_page *p, u32 mva, enum walk_why why, struct walk *w)
{
	unsigned section = p->shift == 20;

	memset(w, 0, offsetof(struct walk, step));
	w->va = mva;
	w->gpa = w->pa = p->pa | (mva & (u32)mask_low(p->shift));
	w->shift = w->gshift = p->shift;
	w->domain = p->domain;
	w->ap = (u8)arm_page_ap(p, mva);
	w->why = why;
	w->fail_level = section ? 1 : 2;
	if (why == WALK_DOMAIN)
		w->error = section ? FSR_DOMAIN_SECTION : FSR_DOMAIN_PAGE;
	else
		w->error = section ? FSR_PERMISSION_SECTION : FSR_PERMISSION_PAGE;
	w->error |= (u32)p->domain << 4;
}

/* One answer for the whole 4 KB? */
static bool uniform(const struct arm_page *p) { return p->shift > 12 || (p->shift == 12 && p->ap == (p->ap & 3) * 0x55); }

static void data_prime(struct tlb_arm *t, u32 va, const struct arm_page *p, unsigned access, struct tlb_arm_hit *hit)
{
	struct tlb_entry *e = (struct tlb_entry *)tlb_arm_slot(t, va);
	u64 tag = (va & (u32)PAGE_MASK) | t->base_ctx | (access & ACC_USER ? TLB_ARM_USER : 0);
	unsigned as = access & ACC_USER;
	bool write = access & ACC_WRITE, may_write;
	struct space_ram ram;

	if (unlikely(!space_ram(t->env.mem, hit->pa, &ram) || (write && ram.rom)))
		return;
	hit->host = ram.host;
	if (unlikely(!uniform(p)) || (unlikely(t->spy != NULL) && t->spy(t->spy_arg, va, hit->pa)))
		return;
	may_write = !ram.rom && !ram.page->code && (write || ram.page->dirty) &&
	            (write || !arm_page_check(&t->env, p->domain, arm_page_ap(p, hit->mva), ACC_WRITE | as));
	if (write && may_write)
		ram.page->dirty = 1;
	e->tag[TLB_R] = tag;
	e->tag[TLB_W] = may_write ? tag : TLB_ARM_NO_TAG;
	e->add = (uintptr_t)ram.host - va;
	hit->plain = !write || may_write;
}

static void fetch_prime(struct tlb_arm *t, u32 va, const struct arm_page *p, unsigned access, struct tlb_arm_hit *hit)
{
	struct tlb_entry *e = (struct tlb_entry *)((u8 *)t->i + TLB_OFFSET((u64)va, t->i_mix, ITLB_ARM_SIZE));
	unsigned user = (access & ACC_USER) != 0;

	hit->host = space_host(t->env.mem, hit->pa, false);
	if (unlikely(!hit->host))
		return;
	hit->pa = space_origin(t->env.mem, hit->pa); /* blocks are known by the address that mirrors share */
	if (unlikely(!uniform(p)))
		return;
	if (e->tag[0] != TLB_ARM_NO_TAG || e->tag[1] != TLB_ARM_NO_TAG) {
		t->fetch_epoch += e->tag[user] != TLB_ARM_NO_TAG || e->add != hit->pa - va;
		if (e->add != hit->pa - va)
			e->tag[0] = e->tag[1] = TLB_ARM_NO_TAG;
	}
	e->tag[user] = (va & (u32)PAGE_MASK) | t->base_ctx | (user ? TLB_ARM_USER : 0);
	e->add = hit->pa - va;
	hit->plain = true;
}

/* The page, and the entry that it is cached in. */
static bool look_up(struct tlb_arm *t, unsigned arr, u32 va, unsigned access, struct walk *w, struct arm_page *p, struct tlb_arm_entry **at)
{
	u32 mva = tlb_arm_mva(t, va);
	struct tlb_arm_entry *e = locked_find(t, mva);

	if (!e)
		e = find(t, arr, mva, t->arch.sizes[arr]);
	if (!e) {
		p->shift = 0;
		walk_arm(&t->env, mva, access, false, w, p);
		if (unlikely(t->walked != NULL))
			t->walked(t->walked_arg, va, access, w);
		if (!p->shift)
			return false;
		*at = fill(t, arr, p);
		if (logging(t, EV_WALK))
			log_event(t, EV_WALK, access, mva, w->pa);
		return w->why == WALK_OK;
	}
	*at = e;
	page_of(e, p);
	w->why = arm_page_check(&t->env, p->domain, arm_page_ap(p, mva), access);
	if (likely(w->why == WALK_OK))
		return true;
	refused(p, mva, w->why, w);
	return false;
}

bool tlb_arm_translate(struct tlb_arm *t, u32 va, unsigned access, struct tlb_arm_hit *hit, struct walk *w)
{
	struct arm_page p = {.shift = 32};
	unsigned arr = access & ACC_EXEC ? FETCH : DATA;
	struct tlb_arm_entry *e = NULL;
	u8 *places;

	*hit = (struct tlb_arm_hit){.mva = tlb_arm_mva(t, va)};
	if (t->env.on && !look_up(t, arr, va, access, w, &p, &e))
		return false;
	hit->shift = p.shift;
	hit->pa = p.pa | (hit->mva & (u32)mask_low(p.shift));
	if (arr == DATA)
		data_prime(t, va, &p, access, hit);
	else
		fetch_prime(t, va, &p, access, hit);
	if (e && (places = places_of(t, arr, e)))
		*places |= (u8)(1u << (t->base_ctx >> 33 & 3));
	return true;
}

bool tlb_arm_probe(const struct tlb_arm *t, u32 mva, struct arm_page *page)
{
	const struct tlb_arm_entry *e = locked_find(t, mva);

	if (!e)
		e = find(t, DATA, mva, t->arch.sizes[DATA]);
	if (!e)
		e = find(t, FETCH, mva, t->arch.sizes[FETCH]);
	if (e)
		page_of(e, page);
	return e;
}

/* ---- flushes ---- */

void tlb_arm_flush(struct tlb_arm *t)
{
	t->arch.gen++;
	t->arch.sizes[DATA] = t->arch.sizes[FETCH] = 0;
	tlb_arm_switch(t);
	if (logging(t, EV_FLUSH))
		log_event(t, EV_FLUSH, 0, 0, 0);
}

void tlb_arm_flush_page(struct tlb_arm *t, u32 mva)
{
	struct tlb_arm_entry *e;

	while ((e = locked_find(t, mva)))
		drop_locked(t, e);
	for (unsigned arr = DATA; arr <= FETCH; arr++)
		while ((e = find(t, arr, mva, t->arch.sizes[arr])))
			drop(t, arr, e);
	if (logging(t, EV_FLUSH))
		log_event(t, EV_FLUSH, 4, mva, 0);
}

void tlb_arm_forget_hot(struct tlb_arm *t)
{
	hot_wipe(t);
	tlb_arm_switch(t);
}

void tlb_arm_protect_code(struct tlb_arm *t, u64 pa)
{
	u64 host = (uintptr_t)space_host(t->env.mem, pa & PAGE_MASK, false);

	if (!host)
		return;
	for (unsigned i = 0; i < TLB_ARM_SIZE; i++) {
		struct tlb_entry *e = &t->d[i];

		if (e->tag[TLB_W] != TLB_ARM_NO_TAG && (u32)e->tag[TLB_W] + e->add == host)
			e->tag[TLB_W] = TLB_ARM_NO_TAG;
	}
}

void tlb_arm_spy(struct tlb_arm *t, bool (*spy)(void *arg, u32 va, u64 pa), void *arg)
{
	t->spy = spy;
	t->spy_arg = arg;
	tlb_arm_forget_hot(t);
}

void tlb_arm_init(struct tlb_arm *t, struct space *mem)
{
	memset(t, 0, sizeof *t);
	t->env.mem = mem;
	arch_clear(t);
	tlb_arm_switch(t);
}

/* ---- for debuggers ---- */

static void list_one(const struct tlb_arm_entry *e, const char *kind, void (*each)(void *arg, const char *kind, const struct arm_page *p), void *arg)
{
	struct arm_page p;

	page_of(e, &p);
	each(arg, kind, &p);
}

void tlb_arm_list(const struct tlb_arm *t, void (*each)(void *arg, const char *kind, const struct arm_page *p), void *arg)
{
	const struct tlb_arm_arch *a = &t->arch;

	for (unsigned i = 0; i < TLB_ARM_LOCKED; i++)
		if (a->locked[i].key)
			list_one(&a->locked[i], "locked", each, arg);
	for (unsigned i = 0; i < TLB_ARM_DATA_SETS + TLB_ARM_FETCH_SETS; i++) {
		bool data = i < TLB_ARM_DATA_SETS;
		const struct tlb_arm_set *s = data ? &a->data[i] : &a->fetch[i - TLB_ARM_DATA_SETS];

		for (unsigned w = 0; w < TLB_ARM_WAYS; w++)
			if (s->way[w].key && s->way[w].gen == a->gen)
				list_one(&s->way[w], data ? "data" : "fetch", each, arg);
	}
}
