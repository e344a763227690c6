/*
 * Physical address spaces: regions, the page map compiled from them, and every access of the CPU, bus masters and
 * debuggers. What a device does lives in devices/; which regions exist is the board's file.
 *
 * The map is one byte per page below 4 GB (per port in the I/O space) and one byte per 2 MB above, so that RAM of 64 GB
 * costs no time to map. A granule shared by several regions is marked SPACE_MIXED and searched from the region added
 * last.
 */
#include "mmu/space.h"

#include <sys/mman.h>

#define HIGH_SHIFT SPACE_HIGH_SHIFT
#define HIGH_LIMIT BIT(SPACE_HIGH_BITS)
/* page_info for 64 GB of RAM and 1 GB of ROM and video memory */
#define PAGES_MAX (65ull << 18)

static void *map_zeroes(u64 size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

#define HUGE_PAGE (2ull << 20)

/* Guest RAM: begins on a huge page of the host and asks for such pages, as guests touch memory at random. */
static void *map_ram(u64 size)
{
	u8 *p, *start;

	if (size < HUGE_PAGE || !(p = map_zeroes(size + HUGE_PAGE)))
		return map_zeroes(size);
	start = (u8 *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	if (start != p)
		munmap(p, (size_t)(start - p));
	munmap(start + size, (size_t)(p + HUGE_PAGE - start));
	madvise(start, size, MADV_HUGEPAGE); /* a wish: nothing depends on it */
	return start;
}

static void unmap(void *p, u64 size)
{
	if (p)
		munmap(p, size);
}

bool space_init(struct space *s, const char *name, unsigned addr_bits, struct error *err)
{
	const bool memory = addr_bits > 16;

	memset(s, 0, sizeof *s);
	s->name = name;
	s->bits = addr_bits;
	s->shift = memory ? 12 : 0;
	s->low_size = BIT(addr_bits < 32 ? addr_bits : 32);
	s->a20_mask = ~0ull;
	s->main_low.n = s->main_high.n = SPACE_NO_MAIN;
	s->low_map = map_zeroes(s->low_size >> s->shift);
	if (memory) {
		s->pages_max = PAGES_MAX;
		s->high_map = map_zeroes(HIGH_LIMIT >> HIGH_SHIFT);
		s->page = map_zeroes(PAGES_MAX * sizeof *s->page);
	}
	if (s->low_map && (!memory || (s->high_map && s->page)))
		return true;
	space_free(s);
	return error_set(err, "%s: the host has no memory for the page map", name);
}

void space_free(struct space *s)
{
	for (unsigned i = 0; i < s->regions; i++)
		if (!s->region[i].alias)
			unmap(s->region[i].host, s->region[i].size);
	unmap(s->low_map, s->low_size >> s->shift);
	unmap(s->high_map, HIGH_LIMIT >> HIGH_SHIFT);
	unmap(s->page, PAGES_MAX * sizeof *s->page);
	memset(s, 0, sizeof *s);
}

/* ---- the page map ---- */

/* Enter region number n, which answers in [rlo, rhi), in the granules of [lo, hi). */
static void map_paint(u8 *map, unsigned shift, u64 limit, unsigned n, u64 rlo, u64 rhi, u64 lo, u64 hi)
{
	u64 mask = mask_low(shift), first, last;

	lo = lo > rlo ? lo : rlo;
	hi = hi < rhi ? hi : rhi;
	hi = hi < limit ? hi : limit;
	if (lo >= hi)
		return;
	first = (lo + mask) >> shift;
	last = hi >> shift;
	if (lo & mask)
		map[lo >> shift] = SPACE_MIXED;
	if (hi & mask)
		map[hi >> shift] = SPACE_MIXED;
	if (first < last)
		memset(map + first, (int)n + 1, last - first);
}

/* Compile one map anew for [lo, hi), widened to whole granules. */
static void map_compile(struct space *s, u8 *map, unsigned shift, u64 limit, u64 lo, u64 hi)
{
	u64 mask = mask_low(shift);

	lo &= ~mask;
	hi = (hi + mask) & ~mask;
	hi = hi < limit ? hi : limit;
	if (!map || lo >= hi)
		return;
	memset(map + (lo >> shift), 0, (hi - lo) >> shift);
	for (unsigned i = 0; i < 2 * s->regions; i++) {
		struct region *r = &s->region[i % s->regions];

		if (!r->off && r->under == (i < s->regions))
			map_paint(map, shift, limit, i % s->regions, r->base, r->base + r->size, lo, hi);
	}
}

/* Find the largest RAM region on one side of 4 GB, among equals the lowest. */
static void map_main(struct space *s, struct space_main *m, u64 lo, u64 hi)
{
	u64 size = 1, base = ~0ull;

	*m = (struct space_main){.n = SPACE_NO_MAIN};
	for (unsigned i = 0; i < s->regions; i++) {
		const struct region *r = &s->region[i];

		if (r->off || r->under || r->kind != REGION_RAM || r->base < lo || r->base >= hi || r->size < size || (r->size == size && r->base > base))
			continue;
		size = r->size;
		base = r->base;
		m->n = (u8)(i + 1);
		m->add = (uintptr_t)r->host - r->base;
		m->page0 = r->page0 - (r->base >> 12);
	}
}

static void map_range(struct space *s, u64 lo, u64 hi)
{
	map_main(s, &s->main_low, 0, s->low_size);
	map_main(s, &s->main_high, s->low_size, ~0ull);
	map_compile(s, s->low_map, s->shift, s->low_size, lo, hi);
	map_compile(s, s->high_map, HIGH_SHIFT, HIGH_LIMIT, lo, hi);
}

/* Blocks decoded from pages of [lo, hi) will not be found there any more. */
static void code_leaves(struct space *s, u64 lo, u64 hi)
{
	if (!s->code_hit)
		return;
	for (unsigned i = 0; i < s->regions; i++) {
		struct region *r = &s->region[i];
		u64 end = hi < r->base + r->size ? hi : r->base + r->size;

		if (r->off || r->kind == REGION_DEVICE)
			continue;
		for (u64 pa = lo > r->base ? lo & PAGE_MASK : r->base; pa < end; pa += PAGE_SIZE)
			if (s->page[r->page0 + ((pa - r->base) >> 12)].code && space_find(s, pa) == r)
				s->code_hit(s->code_owner, pa + r->origin, PAGE_SIZE);
	}
}

void region_move(struct space *s, struct region *r, u64 base)
{
	u64 old = r->base;

	if (old == base)
		return;
	if (r->off) {
		r->base = base;
		return;
	}
	code_leaves(s, old, old + r->size);
	code_leaves(s, base, base + r->size);
	r->base = base;
	map_range(s, old, old + r->size);
	map_range(s, base, base + r->size);
	if (s->map_changed)
		s->map_changed(s->code_owner);
}

void region_enable(struct space *s, struct region *r, bool on)
{
	if (r->off == !on)
		return;
	code_leaves(s, r->base, r->base + r->size);
	r->off = !on;
	map_range(s, r->base, r->base + r->size);
	if (s->map_changed)
		s->map_changed(s->code_owner);
}

void space_set_a20(struct space *s, bool on)
{
	u64 mask = on ? ~0ull : ~BIT(20);

	if (s->a20_mask == mask)
		return;
	s->a20_mask = mask;
	if (s->map_changed)
		s->map_changed(s->code_owner);
}

static struct region *region_new(struct space *s, const char *name, u64 base, u64 size, enum region_kind kind)
{
	struct region *r;

	if (s->regions == SPACE_REGIONS || !size)
		return NULL;
	r = &s->region[s->regions++];
	*r = (struct region){.name = name, .base = base, .size = size, .kind = kind};
	return r;
}

/* Enter a complete new region in the map. Its pages hold no code yet, but those that it hides may. */
static void region_appears(struct space *s, struct region *r)
{
	r->off = true;
	region_enable(s, r, true);
}

struct region *space_add_ram(struct space *s, const char *name, u64 base, u64 size, bool rom, struct error *err)
{
	struct region *r;
	u8 *host;

	if (!s->page || !size || (base | size) & ~PAGE_MASK) {
		error_set(err, "%s: %s at %#llx, size %#llx: expected whole pages", s->name, name,
			  (unsigned long long)base, (unsigned long long)size);
		return NULL;
	}
	if (size >> 12 > s->pages_max - s->pages) {
		error_set(err, "%s: %s: more than 64 GB of RAM", s->name, name);
		return NULL;
	}
	host = map_ram(size);
	r = host ? region_new(s, name, base, size, rom ? REGION_ROM : REGION_RAM) : NULL;
	if (!r) {
		unmap(host, size);
		error_set(err, "%s: %s: %s", s->name, name,
			  host ? "too many regions" : "the host has no memory for it");
		return NULL;
	}
	r->host = host;
	r->page0 = s->pages;
	s->pages += (u32)(size >> 12);
	region_appears(s, r);
	return r;
}

struct region *space_add_alias(struct space *s, const char *name, u64 base, u64 size)
{
	struct region *r = region_new(s, name, base, size, REGION_ROM);

	if (r)
		r->off = r->alias = true;
	return r;
}

void region_view(struct space *s, struct region *r, const struct region *read, const struct region *store)
{
	region_enable(s, r, false);
	if (!read)
		return;
	r->kind = read == store ? REGION_RAM : REGION_ROM;
	r->host = read->host + (r->base - read->base);
	r->page0 = read->page0 + (u32)((r->base - read->base) >> 12);
	r->store = store && store != read ? store->host + (r->base - store->base) : NULL;
	r->store_page0 = r->store ? store->page0 + (u32)((r->base - store->base) >> 12) : 0;
	region_enable(s, r, true);
}

struct region *space_add_rom_device(struct space *s, u64 base, u64 size, const struct region_ops *ops, void *dev, struct error *err)
{
	struct region *r = space_add_ram(s, ops->name, base, size, true, err);

	if (r) {
		r->ops = ops;
		r->dev = dev;
	}
	return r;
}

void region_readable(struct space *s, struct region *r, bool on)
{
	enum region_kind kind = on ? REGION_ROM : REGION_DEVICE;

	for (unsigned i = 0; i < s->regions; i++) {
		struct region *m = &s->region[i];

		if ((m != r && m->of != r) || m->kind == kind)
			continue;
		code_leaves(s, m->base, m->base + m->size);
		m->kind = kind;
	}
	if (s->map_changed)
		s->map_changed(s->code_owner);
}

struct region *space_add_mirror(struct space *s, const char *name, u64 base, u64 size, const struct region *of)
{
	struct region *r = region_new(s, name, base, size, of->kind);

	if (!r)
		return NULL;
	r->alias = true;
	r->of = of;
	r->origin = of->base - base;
	r->host = of->host;
	r->page0 = of->page0;
	r->ops = of->ops;
	r->dev = of->dev;
	region_appears(s, r);
	return r;
}

struct region *region_under(struct space *s, struct region *r)
{
	if (!r)
		return NULL;
	region_enable(s, r, false);
	r->under = true;
	return r;
}

struct region *space_add_device(struct space *s, u64 base, u64 size, const struct region_ops *ops, void *dev)
{
	struct region *r = region_new(s, ops->name, base, size, REGION_DEVICE);

	if (!r)
		return NULL;
	r->ops = ops;
	r->dev = dev;
	region_appears(s, r);
	return r;
}

/* ---- look-up ---- */

static NOINLINE struct region *region_search(const struct space *s, u64 pa)
{
	const struct region *under = NULL;

	for (unsigned i = s->regions; i-- > 0;) {
		const struct region *r = &s->region[i];

		if (r->off || pa - r->base >= r->size)
			continue;
		if (!r->under)
			return (struct region *)r;
		under = under ? under : r;
	}
	return (struct region *)under;
}

/* The region that is the whole page of pa, or NULL when nobody or several are there. */
static NOINLINE struct region *region_search_page(const struct space *s, u64 pa)
{
	const u64 lo = pa & PAGE_MASK;
	const struct region *found = NULL;

	for (unsigned i = s->regions; i-- > 0 && (!found || found->under);) {
		const struct region *r = &s->region[i];

		if (r->off || lo + PAGE_SIZE <= r->base || lo >= r->base + r->size)
			continue;
		if (!found || !r->under)
			found = r;
	}
	if (found && (lo < found->base || lo + PAGE_SIZE > found->base + found->size))
		return NULL;
	return (struct region *)found;
}

static ALWAYS_INLINE unsigned map_entry(const struct space *s, u64 pa)
{
	if (likely(pa < s->low_size))
		return s->low_map[pa >> s->shift];
	if (pa >> s->bits)
		return 0;
	return pa < HIGH_LIMIT ? s->high_map[pa >> HIGH_SHIFT] : SPACE_MIXED;
}

static ALWAYS_INLINE struct region *region_at(const struct space *s, u64 pa)
{
	unsigned n = map_entry(s, pa);

	if (unlikely(n == SPACE_MIXED))
		return region_search(s, pa);
	return n ? (struct region *)&s->region[n - 1] : NULL;
}

static ALWAYS_INLINE struct region *page_region_at(const struct space *s, u64 pa)
{
	unsigned n = map_entry(s, pa);

	if (unlikely(n == SPACE_MIXED))
		return region_search_page(s, pa);
	return n ? (struct region *)&s->region[n - 1] : NULL;
}

/* Nobody is anywhere in the page. False does not say that somebody is. */
static bool empty_page(const struct space *s, u64 pa) { return s->shift >= 12 && !map_entry(s, pa); }

struct region *space_find(struct space *s, u64 pa) { return region_at(s, pa & s->a20_mask); }

u64 space_origin(const struct space *s, u64 pa)
{
	const struct region *r = region_at(s, pa &= s->a20_mask);

	return r ? pa + r->origin : pa;
}

u8 *space_host_slow(struct space *s, u64 pa, bool write)
{
	struct region *r = page_region_at(s, pa &= s->a20_mask);

	if (unlikely(!r || r->kind == REGION_DEVICE || (write && r->kind == REGION_ROM)))
		return NULL;
	return r->host + (pa - r->base);
}

struct page_info *space_page(struct space *s, u64 pa)
{
	struct region *r = region_at(s, pa &= s->a20_mask);

	return r && r->kind != REGION_DEVICE ? &s->page[r->page0 + ((pa - r->base) >> 12)] : NULL;
}

bool space_ram_slow(struct space *s, u64 pa, struct space_ram *ram)
{
	struct region *r = page_region_at(s, pa &= s->a20_mask);

	if (!r || r->kind == REGION_DEVICE)
		return false;
	*ram = (struct space_ram){r->host + (pa - r->base), &s->page[r->page0 + ((pa - r->base) >> 12)],
				  r->kind == REGION_ROM};
	return true;
}

/* ---- access ---- */

static ALWAYS_INLINE u64 load(const u8 *p, unsigned size)
{
	switch (size) {
	case 1: return *p;
	case 2: return load_le(p, 2);
	case 4: return load_le(p, 4);
	case 8: return load_le(p, 8);
	default: return load_le(p, size);
	}
}

static ALWAYS_INLINE void store(u8 *p, unsigned size, u64 v)
{
	switch (size) {
	case 1: *p = (u8)v; break;
	case 2: store_le(p, 2, v); break;
	case 4: store_le(p, 4, v); break;
	case 8: store_le(p, 8, v); break;
	default: store_le(p, size, v);
	}
}

/* The code bits of a page that a store to [pa, pa + size) meets; the store stays in its page. */
static ALWAYS_INLINE u64 code_bits(u64 pa, u64 size)
{
	unsigned first = pa >> 6 & 63, last = (pa + size - 1) >> 6 & 63;

	return bits(~0ull, last, first) << first;
}

static ALWAYS_INLINE void ram_touch(struct space *s, struct region *r, u64 pa, u64 size)
{
	struct page_info *pi = &s->page[r->page0 + ((pa - r->base) >> 12)];

	if (unlikely(pi->code & code_bits(pa, size)) && s->code_hit)
		s->code_hit(s->code_owner, pa + r->origin, (unsigned)size);
	pi->dirty = 1;
}

static ALWAYS_INLINE u64 device_read_one(struct region *r, u64 off, unsigned size, bool peek)
{
	if (!peek)
		return r->ops->read(r->dev, off, size) & mask_low(size * 8);
	return (r->ops->peek ? r->ops->peek(r->dev, off, size) : ~0ull) & mask_low(size * 8);
}

/* A read of a power-of-two size inside the region, made to fit what the device takes. */
static u64 device_read(struct region *r, u64 off, unsigned size, bool peek)
{
	u64 v = 0;

	if (size < r->ops->min) {
		unsigned lane = off & (r->ops->min - 1);

		return device_read_one(r, off - lane, r->ops->min, peek) >> lane * 8 & mask_low(size * 8);
	}
	if (size <= r->ops->max)
		return device_read_one(r, off, size, peek);
	for (unsigned i = 0; i < size; i += r->ops->max)
		v |= device_read_one(r, off + i, r->ops->max, peek) << i * 8;
	return v;
}

/* A write narrower than the device takes keeps the neighbour bytes as peek shows them (0 without peek). */
static void device_write(struct region *r, u64 off, unsigned size, u64 val)
{
	if (size < r->ops->min) {
		unsigned lane = off & (r->ops->min - 1);
		u64 keep = r->ops->peek ? r->ops->peek(r->dev, off - lane, r->ops->min) : 0;
		u64 mask = mask_low(size * 8) << lane * 8;

		r->ops->write(r->dev, off - lane, r->ops->min, (keep & ~mask) | (val << lane * 8 & mask));
	} else if (size <= r->ops->max) {
		r->ops->write(r->dev, off, size, val & mask_low(size * 8));
	} else {
		for (unsigned i = 0; i < size; i += r->ops->max)
			r->ops->write(r->dev, off + i, r->ops->max, val >> i * 8 & mask_low(r->ops->max * 8u));
	}
}

/* The largest naturally aligned power of two at pa of at most left bytes that one region answers whole. */
static unsigned piece(const struct region *r, u64 pa, unsigned left)
{
	unsigned n = 8;

	while (n > left || pa & (n - 1) || (r && n > 1 && pa - r->base + n > r->size))
		n >>= 1;
	return n;
}

static NOINLINE u64 read_pieces(struct space *s, u64 pa, unsigned size, bool peek)
{
	u64 v = 0;

	for (unsigned i = 0, n; i < size; i += n) {
		u64 at = (pa + i) & s->a20_mask, x;
		struct region *r = region_at(s, at);

		n = piece(r, at, size - i);
		if (r && r->kind != REGION_DEVICE)
			x = load(r->host + (at - r->base), n);
		else
			x = r ? device_read(r, at - r->base, n, peek) : mask_low(n * 8);
		if (s->spy && !peek && (!r || r->kind == REGION_DEVICE))
			s->spy(s->spy_arg, at, n, false, x);
		v |= x << i * 8;
	}
	return v;
}

/* Who sees a store: a device. */
static bool stores_reach_device(const struct region *r) { return r->kind == REGION_DEVICE || (r->kind == REGION_ROM && !r->store && r->ops); }

static NOINLINE void write_pieces(struct space *s, u64 pa, unsigned size, u64 val)
{
	for (unsigned i = 0, n; i < size; i += n) {
		u64 at = (pa + i) & s->a20_mask, x;
		struct region *r = region_at(s, at);

		n = piece(r, at, size - i);
		x = val >> i * 8 & mask_low(n * 8);
		if (s->spy && (!r || stores_reach_device(r)))
			s->spy(s->spy_arg, at, n, true, x);
		if (!r)
			continue;
		if (stores_reach_device(r)) {
			device_write(r, at - r->base, n, x);
		} else if (r->kind == REGION_RAM) {
			ram_touch(s, r, at, n);
			store(r->host + (at - r->base), n, x);
		} else if (r->store) {
			s->page[r->store_page0 + ((at - r->base) >> 12)].dirty = 1;
			store(r->store + (at - r->base), n, x);
		}
	}
}

/* One aligned access of a size that the device takes, inside the region: no splitting. */
static ALWAYS_INLINE bool device_fits(const struct space *s, const struct region *r, u64 pa, unsigned size)
{
	return size >= r->ops->min && size <= r->ops->max && !(pa & (size - 1)) && !(size & (size - 1)) &&
	       pa - r->base + size <= r->size && !s->spy;
}

u64 space_read(struct space *s, u64 pa, unsigned size)
{
	struct region *r = region_at(s, pa &= s->a20_mask);

	if (likely(r)) {
		if (r->kind != REGION_DEVICE) {
			if (likely((pa & ~PAGE_MASK) + size <= PAGE_SIZE))
				return load(r->host + (pa - r->base), size);
		} else if (likely(device_fits(s, r, pa, size))) {
			return r->ops->read(r->dev, pa - r->base, size) & mask_low(size * 8);
		}
	}
	return read_pieces(s, pa, size, false);
}

void space_write(struct space *s, u64 pa, unsigned size, u64 val)
{
	struct region *r = region_at(s, pa &= s->a20_mask);

	if (likely(r)) {
		if (r->kind == REGION_RAM) {
			if (likely((pa & ~PAGE_MASK) + size <= PAGE_SIZE)) {
				ram_touch(s, r, pa, size);
				store(r->host + (pa - r->base), size, val);
				return;
			}
		} else if (r->kind == REGION_DEVICE && likely(device_fits(s, r, pa, size))) {
			r->ops->write(r->dev, pa - r->base, size, val & mask_low(size * 8));
			return;
		}
	}
	write_pieces(s, pa, size, val);
}

static size_t page_rest(u64 pa, size_t n)
{
	size_t rest = PAGE_SIZE - (pa & ~PAGE_MASK);

	return n < rest ? n : rest;
}

void space_read_bytes(struct space *s, u64 pa, void *buf, size_t n)
{
	u8 *p = buf;

	for (size_t m; n; n -= m, pa += m, p += m) {
		const u8 *host = space_host(s, pa, false);

		m = host ? page_rest(pa, n) : 1;
		if (host)
			memcpy(p, host, m);
		else
			*p = (u8)space_read(s, pa, 1);
	}
}

void space_write_bytes(struct space *s, u64 pa, const void *buf, size_t n)
{
	const u8 *p = buf;

	for (size_t m; n; n -= m, pa += m, p += m) {
		u8 *host = space_host(s, pa, true);
		u64 at = pa & s->a20_mask;

		m = host || empty_page(s, at) ? page_rest(pa, n) : 1;
		if (host) {
			ram_touch(s, region_at(s, at), at, m);
			memcpy(host, p, m);
		} else if (m == 1) {
			space_write(s, pa, 1, *p);
		}
	}
}

void space_dma_read(struct space *s, const char *who, u64 pa, void *buf, size_t n)
{
	space_read_bytes(s, pa, buf, n);
	if (unlikely(s->dma_spy != NULL))
		s->dma_spy(s->dma_arg, who, pa, buf, n, false);
}

void space_dma_write(struct space *s, const char *who, u64 pa, const void *buf, size_t n)
{
	if (unlikely(s->dma_spy != NULL))
		s->dma_spy(s->dma_arg, who, pa, buf, n, true);
	space_write_bytes(s, pa, buf, n);
}

u64 space_peek(struct space *s, u64 pa, unsigned size) { return read_pieces(s, pa, size, true); }

bool space_poke(struct space *s, u64 pa, unsigned size, u64 val)
{
	for (unsigned i = 0; i < size; i++)
		if (!space_page(s, pa + i))
			return false;
	for (unsigned i = 0; i < size; i++) {
		u64 at = (pa + i) & s->a20_mask;
		struct region *r = region_at(s, at);

		ram_touch(s, r, at, 1);
		r->host[at - r->base] = (u8)(val >> i * 8);
	}
	return true;
}
