/*
 * One world of a CPU as a debugger sees it: its registers and its translation, whether that world runs at present or waits in the host
 * state-save area or in a VMCB. Reading never disturbs: no A/D bits, no TLB fill, no device side effect. APM2 15.5, 15.6.
 */
#ifndef DEBUG_VIEW_H
#define DEBUG_VIEW_H

#include "machine/pc.h"
#include "svm/explain.h"

enum world { VIEW_NOW, VIEW_HOST, VIEW_GUEST };
enum level { LEVEL_V, LEVEL_G, LEVEL_P }; /* linear, guest-physical, system-physical */

#define VIEW_GUESTS 16

/* General registers that no save area holds, as they were when the world was left. */
struct world_regs {
	bool valid;
	u64 r[16], rip;
};

/* A VMCB that was seen at a VMRUN. */
struct guest {
	u64 vmcb;
	u32 asid;
	unsigned cpu; /* that ran it last */
	u64 runs, exits, last_code;
	struct world_regs regs;         /* at its last #VMEXIT */
	struct svm_snapshot at_vmrun;   /* the VMCB at its last VMRUN */
	struct svm_snapshot at_exit;    /* and as its last #VMEXIT left it */
};

struct worlds {
	struct pc *pc;
	struct guest guest[VIEW_GUESTS];
	unsigned guests;
	struct world_regs host[PC_CPUS]; /* at the last VMRUN */
};

struct view {
	struct x86_cpu *cpu;
	bool live;  /* the CPU is in this world: registers may be set */
	bool guest;
	u64 vmcb; /* pa of the guest's, or of the last one that the host ran; ~0: none */
	u32 asid;
	u64 r[16], rip, rflags;
	struct x86_seg seg[SEG_COUNT];
	struct x86_dt gdt, idt;
	u64 cr0, cr2, cr3, cr4, efer, dr6, dr7;
	u8 cpl;
	bool regs_known; /* all of r[]; else only rax and rsp */
	struct walk_env env;
};

/* To be told each EV_VMRUN and EV_VMEXIT when it happens. */
void worlds_hear(struct worlds *w, const struct event *e);
/* The guest of that VMCB, or NULL; one is made for new ones while there is room. */
struct guest *worlds_guest(struct worlds *w, u64 vmcb, bool make);

/* False: that world does not exist (no guest yet). vmcb is asked for VIEW_GUEST: 0 means the CPU's last one. */
bool view_get(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v);
unsigned view_bits(const struct view *v); /* of the code segment: 16, 32, 64 */
u64 view_linear(const struct view *v, u64 rip); /* of an offset in CS */
u64 view_pc(const struct view *v);              /* linear address of the next instruction */

/* Translates an address of a level down to system-physical; false: refused, and *w says how (LEVEL_P never is). */
bool view_translate(const struct view *v, enum level l, u64 addr, unsigned access, u64 *pa, struct walk *w);
/* Bytes read or written before the first that could not be. */
size_t view_read(const struct view *v, enum level l, u64 addr, void *buf, size_t n);
size_t view_write(const struct view *v, enum level l, u64 addr, const void *buf, size_t n);
/* A little-endian number of 1..8 bytes; false: not readable. */
bool view_load(const struct view *v, enum level l, u64 addr, unsigned size, u64 *val);
/* One instruction at the linear address: its length (0: unreadable) and text. */
unsigned view_disasm(const struct view *v, u64 va, char *text, size_t size);
/* Set a register of the live world: general register by number, rip, flags. */
void view_set_reg(struct view *v, unsigned n, u64 val);
void view_set_rip(struct view *v, u64 val);

#endif
