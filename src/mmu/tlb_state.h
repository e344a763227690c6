/*
 * The TLB's data, embedded in the CPU. struct tlb_arch is state (saved, hashed: tlb_fields); the rest is derived.
 */
#ifndef MMU_TLB_STATE_H
#define MMU_TLB_STATE_H

#include "base/event.h"
#include "base/field.h"
#include "base/types.h"
#include "mmu/walk.h"

/* ---- the hot layer ---- */

#define TLB_BITS 11
#define TLB_SIZE (1u << TLB_BITS)
#define ITLB_BITS 9
#define ITLB_SIZE (1u << ITLB_BITS)
#define TLB_NO_TAG 0xfffull /* never equal to a live tag: context number all ones is not used */

enum { TLB_R, TLB_W, TLB_X };

struct tlb_entry {
	u64 tag[3];    /* (va & PAGE_MASK) | context, or TLB_NO_TAG; d[]: by TLB_R, TLB_W; i[]: by bit 0 of the class (user) */
	uintptr_t add; /* d[]: host address = va + add; i[]: physical address = va + add */
};
/* The offset in d[] or i[] (of size entries) of the entry that may hold va. */
#define TLB_ENTRY_BITS 5
#define TLB_OFFSET(va, mix, size) (((va) >> (12 - TLB_ENTRY_BITS) ^ (mix)) & (u64)((size)-1) << TLB_ENTRY_BITS)
_Static_assert(sizeof(struct tlb_entry) == 1 << TLB_ENTRY_BITS, "TLB_OFFSET counts on it");
_Static_assert(sizeof(uintptr_t) == 8, "itlb_lookup keeps physical addresses in tlb_entry.add");

/* Privilege classes, the low bits of the context. TLB_USER_ALIGN (alignment checks on) never stands in a data tag, so that
 * every access comes to the check. */
enum tlb_class { TLB_SUPER, TLB_USER, TLB_SUPER_AC, TLB_USER_ALIGN, TLB_CLASSES };

/* A context number: which generations and permission mode it stands for. */
struct tlb_slot {
	u64 gens; /* generation of the (ASID, PCID) | generation of the ASID's globals << 32; 0: unused */
	u32 mode, ctx;
};
#define TLB_SLOT_CACHE 64
#define TLB_SLOTS 1023 /* 10 bits; the last one belongs to TLB_NO_TAG */

/* ---- the architectural layer ---- */

#define TLB_WAYS 4
#define TLB_DATA_SETS 1024
#define TLB_FETCH_SETS 256
#define TLB_NESTED_SETS 512
#define TLB_ASIDS 257 /* slot 0 is ASID 0's; the others are shared by asid & 255 */
#define TLB_PCIDS 1024

/* Data and fetch translations are kept apart, so that no data access evicts a fetch translation: how far code was decoded ahead
 * must not show. Replacement is round robin, for hits leave no trace here. */
enum tlb_array { TLB_DATA, TLB_FETCH, TLB_NESTED, TLB_ARRAYS };

struct tlb_set {
	u64 key[TLB_WAYS]; /* page address | size code */
	u64 pa[TLB_WAYS];  /* physical page address | enum perm */
	u32 gen[TLB_WAYS]; /* generation of the owner; 0: empty way */
	u8 next, pad[7];   /* the way to be replaced */
};

/* Who owns translations. A flush gives a new generation, and the entries of the old one are dead. */
struct tlb_asid {
	u32 asid;
	u32 world;  /* that of struct tlb_arch, or the record is dead */
	u32 epoch;  /* generation of its PCIDs: those with another epoch are dead */
	u32 global; /* generation of global translations */
	u32 nested; /* generation of guest-physical translations */
	u8 global_sizes[2], nested_sizes; /* size codes filled in this generation, a bit each: DATA, FETCH */
	u8 pad;
};
struct tlb_pcid {
	u32 epoch; /* that of its ASID, or the record is dead */
	u32 pcid, gen;
	u8 sizes[2], pad[2];
};

struct tlb_arch {
	struct tlb_set data[TLB_DATA_SETS], fetch[TLB_FETCH_SETS], nested[TLB_NESTED_SETS];
	struct tlb_asid asid[TLB_ASIDS];
	struct tlb_pcid pcid[TLB_PCIDS];
	u32 gen;   /* the last generation given out */
	u32 world; /* renewed when everything is flushed */
};
extern const struct field tlb_fields[]; /* of struct tlb_arch */
extern const size_t tlb_fields_n;

/* ---- both ---- */

#define TLB_WATCHES 8
enum { TLB_EAR_RECORD, TLB_EAR_WATCH, TLB_EARS };

struct tlb {
	/* What the CPU reads or sets. */
	u64 ctx, base_ctx; /* context number | class; without class */
	u32 asid, pcid;    /* current; set by the CPU, then tlb_switch */
	u64 d_mix, i_mix;  /* XORed to the offset: a host and its guests use different halves at the same addresses */
	struct walk_env env;
	u16 cpu_id;
	struct event_log *log;                      /* EV_WALK, EV_FLUSH; may be NULL */
	void (*stamp)(void *arg, struct event *e);  /* fills icount, ip, guest of an event before it is added; may be NULL */
	void *stamp_arg;
	bool (*spy)(void *arg, struct tlb *t, u64 va, u64 pa); /* a debugger wants all data accesses to this page; NULL: none */
	void *spy_arg;
	/* Who hears every walk that an access makes (tlb_hear_walks). 0 ears: nobody, and most walks keep no record. */
	struct tlb_ear {
		void (*before)(void *arg, u64 va, unsigned access);
		void (*walked)(void *arg, unsigned access, const struct walk *w);
		void *arg;
	} ear[TLB_EARS];
	unsigned ears;

	struct tlb_entry d[TLB_SIZE], i[ITLB_SIZE];
	u64 fetch_epoch; /* goes up whenever an entry of i[] stops being valid; starts at 1 */

	/* Derived, tlb.c's own. */
	struct tlb_asid *cur_asid;
	struct tlb_pcid *cur_pcid;
	u32 slots; /* context numbers given out since the hot layer was wiped */
	struct tlb_slot slot[TLB_SLOT_CACHE];
	u64 watch[TLB_WATCHES];
	unsigned watches;
	u8 hot[2][TLB_DATA_SETS]; /* DATA, FETCH: a bit per way: hot entries may have been made from it */

	struct tlb_arch arch;
};

#endif
