/*
 * One world of a CPU as a debugger sees it: its registers and its translation, whether that world runs at present or waits in the host
 * state-save area or in a VMCB. Reading never disturbs: no A/D bits, no TLB fill, no device side effect. APM2 15.5, 15.6. An ARM has one world,
 * which counts as the host.
 */
#ifndef DEBUG_VIEW_H
#define DEBUG_VIEW_H

#include "debug/target.h"
#include "svm/explain.h"

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
	const struct target *t;
	struct guest guest[VIEW_GUESTS];
	unsigned guests;
	struct world_regs host[PC_CPUS]; /* at the last VMRUN */
};

struct view_ops {
	unsigned sp; /* the stack pointer's place in r[] */
	unsigned (*bits)(const struct view *v);
	u64 (*linear)(const struct view *v, u64 rip);
	bool (*translate)(const struct view *v, enum level l, u64 addr, unsigned access, u64 *pa, struct walk *w);
	unsigned (*disasm)(const struct view *v, u64 va, char *text, size_t size);
	bool (*comes_back)(const char *text); /* the instruction of that text is a call or the like: it goes on behind itself */
	bool (*after_call)(const struct view *v, u64 pc); /* there is a call right before the address */
	/* Registers by name. set: in the live world only; false: no such register, or not to be set. */
	bool (*get)(const struct view *v, const char *name, u64 *val);
	bool (*set)(struct view *v, const char *name, u64 val);
	void (*print)(struct text *out, const struct view *v); /* all of them, decoded */
};

struct view {
	const struct view_ops *ops;
	unsigned id; /* of the CPU */
	bool live;   /* the CPU is in this world: registers may be set */
	bool guest;
	const char *name; /* of the world: "host", "guest", or an ARM's mode */
	bool regs_known; /* all of r[]; else only rax and rsp */
	u64 r[16], rip, rflags; /* ARM: r0-r15, the address of the next instruction, CPSR */
	struct space *mem;
	/* An x86 CPU's. */
	struct x86_cpu *cpu;
	u64 vmcb; /* pa of the guest's, or of the last one that the host ran; ~0: none */
	u32 asid;
	struct x86_seg seg[SEG_COUNT];
	struct x86_dt gdt, idt;
	u64 cr0, cr2, cr3, cr4, efer, dr6, dr7;
	u8 cpl;
	struct walk_env env;
	/* An ARM's. */
	struct arm_cpu *arm;
};

/* To be told each EV_VMRUN and EV_VMEXIT when it happens. */
void worlds_hear(struct worlds *w, const struct event *e);
/* The guest of that VMCB, or NULL; one is made for new ones while there is room. */
struct guest *worlds_guest(struct worlds *w, u64 vmcb, bool make);

/* False: that world does not exist (no guest yet). vmcb is asked for VIEW_GUEST: 0 means the CPU's last one. */
bool view_get(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v);
static inline unsigned view_bits(const struct view *v) { return v->ops->bits(v); } /* of the code segment: 16, 32, 64 */
static inline u64 view_linear(const struct view *v, u64 rip) { return v->ops->linear(v, rip); } /* of an offset in CS */
static inline u64 view_pc(const struct view *v) { return view_linear(v, v->rip); } /* linear address of the next instruction */
static inline u64 view_sp(const struct view *v) { return v->r[v->ops->sp]; }

/* Translates an address of a level down to system-physical; false: refused, and *w says how (LEVEL_P never is). */
static inline bool view_translate(const struct view *v, enum level l, u64 addr, unsigned access, u64 *pa, struct walk *w)
{
	return v->ops->translate(v, l, addr, access, pa, w);
}
/* Bytes read or written before the first that could not be. */
size_t view_read(const struct view *v, enum level l, u64 addr, void *buf, size_t n);
size_t view_write(const struct view *v, enum level l, u64 addr, const void *buf, size_t n);
/* A little-endian number of 1..8 bytes; false: not readable. */
bool view_load(const struct view *v, enum level l, u64 addr, unsigned size, u64 *val);
/* One instruction at the linear address: its length (0: unreadable) and text. */
static inline unsigned view_disasm(const struct view *v, u64 va, char *text, size_t size) { return v->ops->disasm(v, va, text, size); }

/* ---- the kinds of CPU ---- */
bool view_x86(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v);
bool view_arm(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v);
/* Set a register of the live x86 world: general register by number, rip, flags. */
void view_set_reg(struct view *v, unsigned n, u64 val);
void view_set_rip(struct view *v, u64 val);

#endif
