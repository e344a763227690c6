/*
 * The x86 TLB in two layers.
 *
 * The architectural layer holds translations with ASID, PCID, global bit, page size and merged permissions. It is state: what is
 * cached stays visible until the guest flushes it or it is evicted (deterministically), as on hardware; INVLPG, MOV CR3, INVPCID, INVLPGA
 * and TLB_CONTROL act on it as the manual says and nothing else does. APM2 5.5, 15.16.
 *
 * The hot layer is derived: a direct-mapped array of {read, write, execute tag, addend}. A hit is one compare and one add, page
 * crossing included. Tags carry a context number that stands for (ASID, PCID, epoch, permission mode, privilege class), so that a
 * world switch or a CR3 load changes one word. Every hot entry has a living architectural entry behind it.
 *
 * Everything unusual (device, watched page, clean page, code page, ROM when written) is simply not in the tag.
 */
#ifndef MMU_TLB_H
#define MMU_TLB_H

#include "base/event.h"
#include "base/types.h"
#include "mmu/tlb_state.h"
#include "mmu/walk.h"

/* The answer of a translation that succeeded. */
struct tlb_hit {
	u64 pa;      /* of va itself */
	u8 *host;    /* host address of va when it is RAM (or ROM and no write), else NULL: use space_read/space_write */
	u8 shift;    /* log2 of the cached page's size */
	u8 perm;
	bool plain;  /* now in the hot layer for this access: RAM, not watched, not a code page when writing */
};

void tlb_init(struct tlb *t, struct space *mem);
void tlb_free(struct tlb *t);

/* The hot entry that may hold the data translation of va. */
static inline const struct tlb_entry *tlb_slot_of(const struct tlb *t, u64 va)
{
	return (const struct tlb_entry *)((const u8 *)t->d + TLB_OFFSET(va, t->d_mix, TLB_SIZE));
}

/* The CPU's fast fetch translation: true if the hot layer has it, and then *pa is the physical address. */
static inline bool itlb_lookup(const struct tlb *t, u64 va, u64 *pa)
{
	const struct tlb_entry *e = (const struct tlb_entry *)((const u8 *)t->i + TLB_OFFSET(va, t->i_mix, ITLB_SIZE));

	*pa = va + e->add;
	return e->tag[t->ctx & 1] == ((va & PAGE_MASK) | t->ctx);
}

/* After any change of t->env, t->asid or t->pcid (mode switch, MOV CR0/CR3/CR4, EFER, VMRUN, #VMEXIT): selects the context; no
 * flush. The class of t->ctx stays. Sets env.ntlb. */
void tlb_switch(struct tlb *t);
/* Selects the class of the explicit accesses that follow: sets t->ctx. */
static inline void tlb_set_class(struct tlb *t, enum tlb_class cls) { t->ctx = t->base_ctx | (u64)cls; }

/* Translate va for one access inside a page, by enum access bits. True: *hit is filled and the hot layer primed for the class that the access
 * bits name. False: *w holds the complete record of the refused walk. A cached entry that refuses is dropped and the tables are walked before a
 * fault is reported; a write to a page not marked dirty walks to set D. APM2 5.5.3. */
bool tlb_translate(struct tlb *t, u64 va, unsigned access, struct tlb_hit *hit, struct walk *w);
/* What the architectural layer would answer, without filling or changing anything (debugger): false if va is not cached. */
bool tlb_probe(const struct tlb *t, u32 asid, u32 pcid, u64 va, struct tlb_hit *hit);

/* All living translations: kind is an enum tlb_array (va is guest-physical in TLB_NESTED). tlb_list.c */
struct tlb_row {
	u64 va, pa;
	u32 asid, pcid;
	u8 kind, shift, perm;
	bool global;
};
void tlb_list(const struct tlb *t, void (*each)(void *arg, const struct tlb_row *row), void *arg);

/* What EV_FLUSH events carry in a; b is the linear address (FLUSH_PAGE), else the ASID. */
enum tlb_flush { FLUSH_EVERYTHING, FLUSH_ASID, FLUSH_PCID, FLUSH_PCIDS, FLUSH_PAGE };

/* Flushes. None of them touches other ASIDs unless it says so. */
void tlb_flush_everything(struct tlb *t);                          /* all ASIDs, global too: TLB_CONTROL 1 */
void tlb_flush_asid(struct tlb *t, u32 asid, bool keep_global);    /* TLB_CONTROL 3 (false), 7 (true); MOV CR4, CR0.PG; nested ones too if !keep_global */
void tlb_flush_pcid(struct tlb *t, u32 asid, u32 pcid);            /* MOV CR3: non-global translations of one PCID */
void tlb_flush_pcids(struct tlb *t, u32 asid, bool keep_global);   /* INVPCID types 2, 3: linear translations of all PCIDs */
void tlb_flush_page(struct tlb *t, u32 asid, u32 pcid, u64 va, bool global); /* INVLPG, INVLPGA (global = true), INVPCID 0 (false) */
/* The hot layer forgets (physical map changed, watch set changed, a page's dirty mark was cleared, t->arch was loaded). Architectural content
 * stays; host pointers are looked up anew. */
void tlb_forget_hot(struct tlb *t);
/* The page of host memory at pa (4 KB) now holds code: no write tag may point at it. */
void tlb_protect_code(struct tlb *t, u64 pa);

/* A debugger's data watchpoints: pages that spy names never enter the hot layer. NULL: none. Forgets the hot layer. */
void tlb_spy(struct tlb *t, bool (*spy)(void *arg, struct tlb *t, u64 va, u64 pa), void *arg);

/* Ear number n hears every walk, refused ones too, with its whole record, A and D bits being set already; NULL: nothing. before (or NULL)
 * is called when nothing has happened yet, and may leave by longjmp. */
void tlb_hear_walks(struct tlb *t, unsigned n, void (*before)(void *arg, u64 va, unsigned access), void (*walked)(void *arg, unsigned access, const struct walk *w), void *arg);

/* Pages (linear, any address in the page) whose accesses must always come to tlb_translate: hit.plain is false for them. */
void tlb_watch(struct tlb *t, const u64 *va, unsigned n); /* n <= 8: replaces the set; calls tlb_forget_hot */

#endif
