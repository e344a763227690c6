/*
 * The TLB of the ARM926EJ-S in two layers, as the x86 one (tlb.h) has them.
 *
 * The architectural layer is state: translations with their domain and access permissions stay until CP15 register 8 invalidates them or they
 * are evicted (deterministically). It is larger than the real one, which only makes a forgotten flush easier to see. Entries of the lockdown
 * region (CP15 register 10) survive the invalidation of everything. DDI0198 2.3.8, 2.3.10, 3.6.
 *
 * The hot layer is derived: a hit is one compare and one add. A tag carries a context number that stands for (generation, M, S, R, DACR, FCSE
 * process), so that a write of DACR, a mode switch or another process selects other tags and flushes nothing. Pages whose subpages
 * differ, tiny pages, devices, code pages when written, and watched pages have no tag.
 */
#ifndef MMU_TLB_ARM_H
#define MMU_TLB_ARM_H

#include "base/event.h"
#include "base/field.h"
#include "mmu/tlb_state.h"
#include "mmu/walk_arm.h"

#define TLB_ARM_BITS  11
#define TLB_ARM_SIZE  (1u << TLB_ARM_BITS)
#define ITLB_ARM_BITS 9
#define ITLB_ARM_SIZE (1u << ITLB_ARM_BITS)

/* The context stands in bits 63:32 of a tag, the page in 31:12; bits 11:0 are 0, so that an unaligned access is a miss. */
#define TLB_ARM_NO_TAG (~0ull)
#define TLB_ARM_USER   BIT(32) /* of the context: User mode's rights */

#define TLB_ARM_WAYS       4
#define TLB_ARM_DATA_SETS  512
#define TLB_ARM_FETCH_SETS 128
#define TLB_ARM_LOCKED     8

/* One cached translation; key 0: none. */
struct tlb_arm_entry {
	u32 key;  /* address of the page | its size: log2 */
	u32 pa;   /* address of the page | C B */
	u32 gen;  /* generation that it belongs to; locked ones: 1 */
	u8 domain, ap, pad[2];
};
struct tlb_arm_set {
	struct tlb_arm_entry way[TLB_ARM_WAYS];
	u32 next, pad; /* the way to be replaced */
};

struct tlb_arm_arch {
	struct tlb_arm_set data[TLB_ARM_DATA_SETS], fetch[TLB_ARM_FETCH_SETS];
	struct tlb_arm_entry locked[TLB_ARM_LOCKED];
	u32 gen;
	u8 sizes[2];      /* page sizes present in this generation, a bit each: data, fetch */
	u8 lock, victim;  /* walks fill the lockdown region at victim, which moves on. DDI0198 2.3.10 */
};
extern const struct field tlb_arm_fields[]; /* of struct tlb_arm_arch */
extern const size_t tlb_arm_fields_n;

#define TLB_ARM_CONTEXTS 64

struct tlb_arm {
	/* What the CPU reads or sets. */
	u64 ctx, base_ctx;   /* present context with and without TLB_ARM_USER */
	u64 d_mix, i_mix;    /* XORed to the offset: contexts use different places for the same addresses */
	struct walk_arm_env env;
	u32 fcse;            /* process: bits 31:25 */
	struct event_log *log; /* EV_WALK, EV_FLUSH; may be NULL */
	void (*stamp)(void *arg, struct event *e);
	void *stamp_arg;
	bool (*spy)(void *arg, u32 va, u64 pa); /* a debugger wants all data accesses to this page; NULL: none */
	void *spy_arg;
	void (*walked)(void *arg, u32 va, unsigned access, const struct walk *w); /* hears every walk that an access makes; NULL: nobody */
	void *walked_arg;

	struct tlb_entry d[TLB_ARM_SIZE], i[ITLB_ARM_SIZE];
	u64 fetch_epoch; /* goes up whenever an entry of i[] stops being valid; starts at 1 */

	/* tlb_arm.c's own */
	struct tlb_arm_context {
		u32 gen, dacr, mode, number;
	} context[TLB_ARM_CONTEXTS];
	u32 contexts;
	u8 primed[2][TLB_ARM_DATA_SETS][TLB_ARM_WAYS]; /* data, fetch: the places (bits) where hot entries may have been made from it */
	bool fcse_used; /* some context had a process */

	struct tlb_arm_arch arch;
};

/* The answer of a translation that succeeded. */
struct tlb_arm_hit {
	u32 mva;
	u64 pa;
	u8 *host;   /* host address when it is RAM (or ROM and no write), else NULL: use space_read/space_write */
	u8 shift;   /* log2 of the cached page's size; 32 with the MMU off */
	bool plain; /* now in the hot layer for this access */
};

void tlb_arm_init(struct tlb_arm *t, struct space *mem);
/* After any change of env or fcse: selects the context. No flush. */
void tlb_arm_switch(struct tlb_arm *t);
static inline void tlb_arm_user(struct tlb_arm *t, bool user) { t->ctx = t->base_ctx | (user ? TLB_ARM_USER : 0); }

static ALWAYS_INLINE const struct tlb_entry *tlb_arm_slot(const struct tlb_arm *t, u32 va)
{
	return (const struct tlb_entry *)((const u8 *)t->d + TLB_OFFSET((u64)va, t->d_mix, TLB_ARM_SIZE));
}

/* The fast fetch translation: true if the hot layer has it, and then *pa is the physical address. */
static ALWAYS_INLINE bool itlb_arm_lookup(const struct tlb_arm *t, u32 va, u64 *pa)
{
	const struct tlb_entry *e = (const struct tlb_entry *)((const u8 *)t->i + TLB_OFFSET((u64)va, t->i_mix, ITLB_ARM_SIZE));

	*pa = va + e->add;
	return e->tag[t->ctx >> 32 & 1] == ((va & (u32)PAGE_MASK) | t->ctx);
}

/* The modified virtual address. DDI0100 B8.2 */
static inline u32 tlb_arm_mva(const struct tlb_arm *t, u32 va) { return va >> 25 ? va : va | t->fcse; }

/* Translate va for one access that does not cross 1 KB, by enum access bits. True: *hit is filled and the hot layer primed. False: *w holds the
 * record of the refused walk (or of the check of a cached translation), with the FSR in w->error and the MVA in w->va. */
bool tlb_arm_translate(struct tlb_arm *t, u32 va, unsigned access, struct tlb_arm_hit *hit, struct walk *w);
/* What is cached for mva, without changing anything: false if nothing is. */
bool tlb_arm_probe(const struct tlb_arm *t, u32 mva, struct arm_page *page);

/* All that is cached; kind is "locked", "data" or "fetch". Nothing is changed. */
void tlb_arm_list(const struct tlb_arm *t, void (*each)(void *arg, const char *kind, const struct arm_page *p), void *arg);

/* CP15 register 8. DDI0198 2.3.8 */
void tlb_arm_flush(struct tlb_arm *t);               /* all but locked entries */
void tlb_arm_flush_page(struct tlb_arm *t, u32 mva); /* locked ones, too */

/* As of the x86 TLB: the map changed, or marks of pages were cleared; a page holds code now. */
void tlb_arm_forget_hot(struct tlb_arm *t);
void tlb_arm_protect_code(struct tlb_arm *t, u64 pa);
void tlb_arm_spy(struct tlb_arm *t, bool (*spy)(void *arg, u32 va, u64 pa), void *arg);

#endif
