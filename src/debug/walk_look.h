/*
 * Taking walks of a machine: what --walk and the monitor's walk command ask for, and the walk with its surroundings. A
 * look changes nothing: no A/D bits, no device side effects, no TLB fills.
 */
#ifndef DEBUG_WALK_LOOK_H
#define DEBUG_WALK_LOOK_H

#include "base/error.h"
#include "debug/target.h"
#include "debug/walk_view.h"

enum walk_when {
	WALK_AT_END,   /* when the run has ended */
	WALK_AT_COUNT, /* when that many instructions have retired */
	WALK_AT_EXIT,  /* at the first #VMEXIT (of that name) */
	WALK_FILLS,    /* the machine's own walks of that page, as they happen */
};

enum walk_world { WORLD_NOW, WORLD_HOST, WORLD_GUEST, WORLD_PHYSICAL /* guest-physical: nested tables alone */ };

struct walk_spec {
	u64 va;
	bool any; /* WALK_FILLS: of any page */
	enum walk_when when;
	u64 count, from; /* instructions, or walks to keep; WALK_FILLS: not before that many instructions */
	char exit[24];
	bool cold; /* WALK_FILLS: each walk also as it would be without cached translations */
	enum walk_world world;
	bool world_given, cpu_given, cr3_given, access_given;
	u8 access;
	unsigned cpu;
	u64 cr3; /* ARM: TTBR */
	bool ttbr; /* that was its name */
};

/* "ADDR[@COUNT|@end|@exit[=NAME]|@fills[=N]][,read|write|exec][,user][,host|guest|gpa][,cpu=N][,cr3=X|ttbr=X][,from=COUNT][,cold]".
 * ADDR: hexadecimal with 0x, or decimal; any (with @fills). */
bool walk_spec_parse(struct walk_spec *s, const char *arg, struct error *err);
/* Is it for such a machine? */
bool walk_spec_fits(const struct walk_spec *s, enum walk_arch arch, struct error *err);
/* One line on the form, for help. */
#define WALK_SPEC_FORM "ADDR[@WHEN][,OPTION...]"

/* The walk that s asks for, now, by the CPU that it names or this one. False: it cannot be done (no guest has run, paging is
 * off). */
bool walk_look(struct walk_shot *shot, const struct target *t, unsigned cpu, const struct walk_spec *s, struct error *err);
/* The walk w that the CPU has just made. */
void walk_shoot(struct walk_shot *shot, struct x86_cpu *c, unsigned access, const struct walk *w);

/* ---- ARM; walk_look_arm.c ---- */
void walk_look_arm(struct walk_shot *shot, const struct target *t, const struct walk_spec *s);
void walk_shoot_arm(struct walk_shot *shot, struct arm_cpu *c, u32 va, unsigned access, const struct walk *w);
/* What answers at the addresses of both walks, and the size bytes around the final one. */
void walk_shot_memory(struct walk_shot *shot, struct space *mem, unsigned size);

#endif
