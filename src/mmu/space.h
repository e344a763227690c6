/*
 * A physical address space: RAM, ROM and device regions compiled to a page map. A PC has two (memory, I/O ports).
 * RAM pages carry two facts: dirty (for snapshots and screens) and code (some block was decoded from it).
 */
#ifndef MMU_SPACE_H
#define MMU_SPACE_H

#include "base/error.h"
#include "base/types.h"

#define PAGE_SIZE 4096ull
#define PAGE_MASK (~(PAGE_SIZE - 1))

/* A device's access functions. off is relative to the region; size is 1, 2, 4 or 8 and within min..max (the space splits or
 * widens other sizes). read and write may have side effects, peek may not (debugger). A device without peek reads as all ones there. */
struct region_ops {
	const char *name;
	u64 (*read)(void *dev, u64 off, unsigned size);
	void (*write)(void *dev, u64 off, unsigned size, u64 val);
	u64 (*peek)(const void *dev, u64 off, unsigned size);
	u8 min, max;
};

enum region_kind { REGION_RAM, REGION_ROM, REGION_DEVICE };

struct region {
	const char *name;
	u64 base, size;
	enum region_kind kind;
	u8 *host;                     /* RAM, ROM */
	u32 page0;                    /* RAM, ROM: index of the first page in space.page[] */
	const struct region_ops *ops; /* DEVICE; ROM: who takes stores, or NULL */
	void *dev;
	u8 *store;                    /* ROM: where stores go all the same (shadow RAM that is not read), or NULL */
	u32 store_page0;
	bool off;                     /* not mapped at present */
	bool under;                   /* loses against all regions that are not */
	bool alias;                   /* host and pages belong to another region */
	const struct region *of;      /* a mirror's original */
	u64 origin;                   /* mirror: address + origin is where the original has the byte */
};

#define SPACE_REGIONS 240
#define SPACE_MIXED 0xff
#define SPACE_NO_MAIN 0xfe
#define SPACE_HIGH_SHIFT 21 /* granule of the map above 4 GB */
#define SPACE_HIGH_BITS 40  /* what it covers; above, the regions are searched */

/* Per RAM/ROM page: one bit per 64 bytes that hold decoded code; dirty since it was last cleared. */
struct page_info {
	u64 code;
	u8 dirty;
	u8 patched; /* how often stores hit its code, up to 255: a hint for the decoder */
	u8 pad[6];
};

struct space {
	const char *name;
	unsigned bits; /* address width: 16 for ports, up to 52 for memory */
	struct region region[SPACE_REGIONS];
	unsigned regions;
	/* The page map: region index + 1 for each granule, 0 = nobody, SPACE_MIXED = several regions or a part of one: search. */
	u8 *low_map;    /* one entry per page below 4 GB, or per port */
	u8 *high_map;   /* memory only: one entry per 2 MB below 1 TB; used from 4 GB on */
	unsigned shift; /* low_map's granule: 12 for memory, 0 for ports */
	u64 low_size;   /* addresses that low_map covers */
	/* The largest RAM region on each side of 4 GB: most look-ups end here, after one compare that the host predicts. */
	struct space_main {
		u8 n;          /* its number in the map, or SPACE_NO_MAIN */
		uintptr_t add; /* host address = pa + add */
		u64 page0;     /* index in page[] = pa / 4096 + page0 */
	} main_low, main_high;
	struct page_info *page;
	u32 pages, pages_max;
	u64 a20_mask; /* ANDed to every address: clears bit 20 while A20 is off */
	/* Called before a store to [pa, pa+size) of a page whose code bits meet it, and by whoever changes the map. */
	void (*code_hit)(void *owner, u64 pa, unsigned size);
	void *code_owner;
	/* Called when the map changes (a region was added, moved, went on or off; A20): cached translations are void. */
	void (*map_changed)(void *owner);
	/* Sees device accesses, and those that nobody answers, when set (for -d mmio,pio). */
	void (*spy)(void *arg, u64 pa, unsigned size, bool write, u64 val);
	void *spy_arg;
	/* Sees transfers of bus masters when set, stores before they are made: data is what was read, or will be there. */
	void (*dma_spy)(void *arg, const char *who, u64 pa, const void *data, size_t n, bool write);
	void *dma_arg;
};

bool space_init(struct space *s, const char *name, unsigned addr_bits, struct error *err);
void space_free(struct space *s);
/* Adds size bytes (page multiple) of zeroed, sparse RAM or ROM. Later regions win where regions overlap. NULL on failure. */
struct region *space_add_ram(struct space *s, const char *name, u64 base, u64 size, bool rom, struct error *err);
struct region *space_add_device(struct space *s, u64 base, u64 size, const struct region_ops *ops, void *dev);
/* ROM whose stores go to a device; while it is not readable, loads do, too. It is readable at first. NULL on failure. */
struct region *space_add_rom_device(struct space *s, u64 base, u64 size, const struct region_ops *ops, void *dev, struct error *err);
void region_readable(struct space *s, struct region *r, bool on);
/* The first size bytes of another region at a second address. It is on. NULL: too many regions. */
struct region *space_add_mirror(struct space *s, const char *name, u64 base, u64 size, const struct region *of);
/* A view on the memory of other regions, off at first; region_view says of which. */
struct region *space_add_alias(struct space *s, const char *name, u64 base, u64 size);
/* What an alias shows, at the same addresses: reads come from one RAM or ROM region, stores go to another, or nowhere (NULL). Where both are
 * the same it is RAM. read NULL: the alias is off. */
void region_view(struct space *s, struct region *r, const struct region *read, const struct region *store);
/* Makes r (may be NULL) what an expansion bus brings: off for now, and wherever it is moved to, below everything that is not under. */
struct region *region_under(struct space *s, struct region *r);
/* Move, hide or show a region. */
void region_move(struct space *s, struct region *r, u64 base);
void region_enable(struct space *s, struct region *r, bool on);
/* The A20 gate: while off, address bit 20 reads as 0. A change counts as a change of the map. */
void space_set_a20(struct space *s, bool on);

/* The region that answers at pa, or NULL. */
struct region *space_find(struct space *s, u64 pa);
/* The main RAM region at pa (A20 applied), or NULL: somebody else, or nobody, is there. */
static inline const struct space_main *space_main_at(const struct space *s, u64 pa)
{
	if (likely(pa < s->low_size)) {
		if (likely(s->low_map[pa >> 12] == s->main_low.n))
			return &s->main_low;
	} else if (pa >> SPACE_HIGH_BITS == 0 && s->high_map[pa >> SPACE_HIGH_SHIFT] == s->main_high.n) {
		return &s->main_high;
	}
	return NULL;
}

/* The address of the byte at pa in the region that it belongs to; elsewhere it may be seen in mirrors. code_hit speaks of these addresses. */
u64 space_origin(const struct space *s, u64 pa);

/* Host address of the byte at pa if it is RAM (ROM too when not for writing), else NULL. Valid to the page's end. Memory only. */
u8 *space_host_slow(struct space *s, u64 pa, bool write);
static inline u8 *space_host(struct space *s, u64 pa, bool write)
{
	u64 at = pa & s->a20_mask;
	const struct space_main *m = space_main_at(s, at);

	return likely(m) ? (u8 *)(at + m->add) : space_host_slow(s, pa, write);
}

/* The page_info of RAM/ROM at pa, or NULL. Whoever clears dirty calls tlb_forget_hot on every TLB: a page that has
 * a write tag is not marked again. */
struct page_info *space_page(struct space *s, u64 pa);

/* What a TLB fill wants to know, in one look-up: the host address of the byte at pa and its page_info. False unless the whole page is RAM
 * or ROM. */
struct space_ram {
	u8 *host;
	struct page_info *page;
	bool rom;
};
bool space_ram_slow(struct space *s, u64 pa, struct space_ram *ram);
static inline bool space_ram(struct space *s, u64 pa, struct space_ram *ram)
{
	u64 at = pa & s->a20_mask;
	const struct space_main *m = space_main_at(s, at);

	if (unlikely(!m))
		return space_ram_slow(s, pa, ram);
	*ram = (struct space_ram){(u8 *)(at + m->add), &s->page[(at >> 12) + m->page0], false};
	return true;
}

/* Little-endian access of 1..8 bytes as the CPU or a bus master does it, page crossing included. Nobody there: reads all ones,
 * writes vanish. Writes to RAM tell code_hit and set dirty. */
u64 space_read(struct space *s, u64 pa, unsigned size);
void space_write(struct space *s, u64 pa, unsigned size, u64 val);
/* Bulk copies; device regions byte by byte. */
void space_read_bytes(struct space *s, u64 pa, void *buf, size_t n);
void space_write_bytes(struct space *s, u64 pa, const void *buf, size_t n);
/* The same for a bus master of that name. */
void space_dma_read(struct space *s, const char *who, u64 pa, void *buf, size_t n);
void space_dma_write(struct space *s, const char *who, u64 pa, const void *buf, size_t n);
/* Without side effects, for debuggers. space_poke writes RAM and ROM, and reports false for devices. */
u64 space_peek(struct space *s, u64 pa, unsigned size);
bool space_poke(struct space *s, u64 pa, unsigned size, u64 val);

#endif
