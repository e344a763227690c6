/*
 * A walk laid out for readers: rows are the guest's levels and the final address, columns the nested levels and the
 * guest's own entry. Terminal, JSON, SVG, HTML and window all draw this. It adds nothing to struct walk but names,
 * places and what follows from the entries. An ARM walk has one column, and rows for the registers that decide, too.
 * APM2 5.3-5.6, 15.25; DDI0100 B4.
 */
#ifndef DEBUG_WALK_VIEW_H
#define DEBUG_WALK_VIEW_H

#include "base/event.h"
#include "debug/walk_form.h"
#include "mmu/walk.h"

#define WALK_EVENTS 8

enum walk_arch { WALK_X86, WALK_ARM };

/* A walk and its surroundings, kept as they were. */
struct walk_shot {
	struct walk walk; /* as it was made */
	struct walk cold; /* the same at the same time without cached translations and without setting anything */
	enum walk_arch arch;
	struct paging p, np;
	struct walk_arm_regs arm;
	struct arm_page arm_page, arm_held; /* what the walk found, and what the TLB held; shift 0: nothing */
	bool nested;
	bool live;     /* an access of the machine made it; else a look, which changed nothing */
	bool uncached; /* not made: a walk of the machine as it would be without cached translations */
	bool guest;    /* the address belongs to a guest */
	bool physical; /* it is guest-physical: the nested dimension alone */
	bool pf_exits; /* the guest's #PF is intercepted */
	u8 cpu, access;
	u32 asid, pcid;
	u64 icount, ip;
	u64 data; /* the 8 bytes (ARM: 4) around the final address, as memory */
	bool has_data;
	bool held; /* a look found the address in the TLB */
	u64 held_pa;
	u8 held_perm, held_shift;
	/* What answers at the entries' addresses, by the guest's level (0: final) and the nested level (0: the guest's
	 * own entry, or the data): a device's name, or NULL for RAM. */
	const char *device[WALK_LEVELS + 1][WALK_LEVELS + 1];
	struct event before[WALK_EVENTS]; /* what happened since the walk before: exits, VMRUNs, flushes */
	unsigned befores, befores_lost;
};

enum walk_cell_state {
	CELL_ABSENT,    /* a large page ended the walk before it */
	CELL_UNREACHED, /* the walk was refused before it */
	CELL_READ,      /* a memory reference */
	CELL_CACHED,    /* not read: a cached translation served; what the tables say stands in it, if known */
	CELL_REGISTER,  /* not read: a register holds the entry */
	CELL_DATA,      /* the final address */
};

struct walk_cell {
	u8 state, dim, level;
	u8 ref;     /* its number in the order of references, from 1 */
	u8 again;   /* the number of its second read (read-only guest tables: once more, to write A); 0: none */
	bool known; /* pa and val are */
	bool leaf;  /* maps a page */
	bool fails; /* here the walk was refused */
	bool lacks; /* it takes away the right that was refused */
	u64 pa, gpa, val, set;
	u64 addr; /* the address whose bits choose it */
	u32 index;
	bool has_index;
	u8 hi, lo;   /* these bits; hi 0: none do */
	bool judges; /* it has a say: read, and present; then perm is set */
	u8 perm;     /* PERM_W, _X, _U merged from the top of its dimension down to it; ARM: ARM_READ... as far as decided */
	const char *note; /* why there is no entry: "large page"; may be NULL */
	const struct walk_level *form;
};

struct walk_row {
	u8 level; /* the guest's; 0: the final address */
	bool reached, has_gpa;
	bool cached;                            /* its nested translation was */
	u64 gpa;                                /* what the nested dimension translates */
	u8 nshift;                              /* log2 of the nested page; 0: not known */
	struct walk_cell cell[WALK_LEVELS + 1]; /* by nested level; [0] the guest's own entry, or the data */
};

struct walk_view {
	const struct walk_shot *shot;
	struct walk_form form[2];
	unsigned rows, columns;               /* columns: the nested levels and one */
	struct walk_row row[WALK_LEVELS + 1]; /* from the top */
	struct walk_cell *order[40];          /* the references in their order; [0] is number 1 */
	unsigned refs, cold_refs;
	u64 root;   /* of the first dimension */
	u8 perm;    /* what the translation lets do: as in cells */
	bool stale; /* a cached translation leads elsewhere than the tables */
};

void walk_view_build(struct walk_view *v, const struct walk_shot *s);
/* ARM's registers and faults; walk_view_arm.c. Part of walk_view_build, after the steps. */
void walk_view_arm(struct walk_view *v);
/* Which address bits chose the entry. */
void walk_view_place(struct walk_view *v, struct walk_cell *c, u64 addr);
/* Hexadecimal digits of the cell's value. */
unsigned walk_view_digits(const struct walk_view *v, const struct walk_cell *c);

/* The cells of a row from left to right: column 0 is the topmost nested level, the last is the guest's own entry. */
static inline struct walk_cell *walk_view_cell(struct walk_view *v, unsigned row, unsigned column)
{
	return &v->row[row].cell[v->columns - 1 - column];
}

/* ---- words, without newlines; walk_words.c ---- */
void walk_say_title(struct text *out, const struct walk_view *v); /* "guest write to ffff9080... on cpu0, ASID 1" */
void walk_say_when(struct text *out, const struct walk_view *v);  /* "after 123 instructions, rip ..." */
const char *walk_say_ip(const struct walk_view *v);               /* "rip" */
void walk_say_forms(struct text *out, const struct walk_view *v); /* "long mode, 4 levels, CR3 1000; nested: ..." */
void walk_say_row(struct text *out, const struct walk_view *v, const struct walk_row *r);    /* "gL4", "L2", "final" */
void walk_say_level(struct text *out, const struct walk_view *v, const struct walk_cell *c); /* "nL3", "gL2", "data" */
void walk_say_step(struct text *out, const struct walk_view *v, const struct walk_row *r,
		   const struct walk_cell *c);                       /* a sentence */
/* "R W X U", a dash for what is missing; ARM: "priv RW User R-" */
void walk_say_perm(struct text *out, const struct walk_view *v, unsigned perm);
/* The entry's flags, "P W U A"; of a register, what concerns the walk. */
void walk_say_flags(struct text *out, const struct walk_view *v, const struct walk_cell *c);
void walk_say_size(struct text *out, unsigned shift);                /* "4 KB"; "no paging" */
void walk_say_count(struct text *out, const struct walk_view *v);    /* "24 references: (4 + 1) x (4 + 1) - 1" */
void walk_say_merge(struct text *out, const struct walk_view *v);    /* how the permissions of both dimensions meet */
void walk_say_result(struct text *out, const struct walk_view *v);   /* the physical address, or the fault */
void walk_say_fault_to(struct text *out, const struct walk_view *v); /* "#PF -> guest IDT, vector 14" */
void walk_say_error(struct text *out, const struct walk_view *v);    /* error code or EXITINFO1 and 2, decoded */
void walk_say_tlb(struct text *out, const struct walk_view *v);      /* the TLB entry that results */
void walk_say_held(struct text *out, const struct walk_view *v);     /* what the TLB held; empty: nothing to say */
void walk_say_event(struct text *out, const struct walk_view *v, const struct event *e);
/* What flushes the entry, line n; false: no such line. *does: it does flush it; else it does not, as some expect. */
bool walk_say_flush(struct text *out, const struct walk_view *v, unsigned n, bool *does);
const char *walk_say_access(const struct walk_view *v); /* "user write" */

/* What is said differently. walk_words_x86.c, walk_words_arm.c */
struct walk_words {
	const char *ip;
	const char *const *access; /* read, write, fetch; and User's from 4 on */
	void (*title)(struct text *out, const struct walk_view *v);
	void (*perm)(struct text *out, unsigned perm);
	void (*reg)(struct text *out, const struct walk_view *v, const struct walk_cell *c);       /* a register: a sentence */
	void (*reg_flags)(struct text *out, const struct walk_view *v, const struct walk_cell *c); /* and in short */
	void (*merge)(struct text *out, const struct walk_view *v);
	void (*refused)(struct text *out, const struct walk_view *v); /* after the reason: where */
	void (*fault_to)(struct text *out, const struct walk_view *v);
	void (*error)(struct text *out, const struct walk_view *v);
	void (*tlb)(struct text *out, const struct walk_view *v);
	void (*held)(struct text *out, const struct walk_view *v);
	bool (*flush)(struct text *out, const struct walk_view *v, unsigned n, bool *does);
	void (*event)(struct text *out, const struct event *e);
};
extern const struct walk_words walk_words_x86, walk_words_arm;

#endif
