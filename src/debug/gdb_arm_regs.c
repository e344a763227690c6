/* See gdb_arm_regs.h. GDB manual, G.5.3: features org.gnu.gdb.arm.core and .vfp; ours is undervisor.arm.system. */
#include "debug/gdb_arm_regs.h"

enum { CPSR = 16, GDB_CPSR = 25, GDB_D0 = 26, FPSCR = GDB_ARM_VFP + 16 };

/* The system registers: CP15, and SP, LR and SPSR of the modes. */
static const struct system_reg {
	const char *name;
	u32 off; /* in struct arm_state; 0: of a mode */
	u32 mode;
	u8 what; /* 13, 14; 0: SPSR */
} system_regs[GDB_ARM_REGS - GDB_ARM_SYSTEM] = {
	{"control", offsetof(struct arm_state, cp15.control), 0, 0}, {"ttbr", offsetof(struct arm_state, cp15.ttbr), 0, 0},
	{"dacr", offsetof(struct arm_state, cp15.dacr), 0, 0},       {"dfsr", offsetof(struct arm_state, cp15.dfsr), 0, 0},
	{"ifsr", offsetof(struct arm_state, cp15.ifsr), 0, 0},       {"far", offsetof(struct arm_state, cp15.far), 0, 0},
	{"fcse", offsetof(struct arm_state, cp15.fcse), 0, 0},       {"sp_usr", 0, MODE_USR, 13},
	{"lr_usr", 0, MODE_USR, 14},   {"sp_svc", 0, MODE_SVC, 13},  {"lr_svc", 0, MODE_SVC, 14},  {"spsr_svc", 0, MODE_SVC, 0},
	{"sp_irq", 0, MODE_IRQ, 13},   {"lr_irq", 0, MODE_IRQ, 14},  {"spsr_irq", 0, MODE_IRQ, 0}, {"lr_abt", 0, MODE_ABT, 14},
	{"spsr_abt", 0, MODE_ABT, 0},  {"lr_und", 0, MODE_UND, 14},
};

unsigned gdb_arm_reg_index(unsigned gdb_number)
{
	if (gdb_number < 16)
		return gdb_number;
	if (gdb_number == GDB_CPSR)
		return CPSR;
	return gdb_number >= GDB_D0 ? gdb_number - GDB_D0 + GDB_ARM_VFP : GDB_ARM_REGS;
}

unsigned gdb_arm_reg_size(const struct icp *b, unsigned n)
{
	if (n >= GDB_ARM_VFP && n <= FPSCR && !b->cpu.has_vfp)
		return 0;
	if (n >= GDB_ARM_VFP && n < FPSCR)
		return 8;
	return n < GDB_ARM_REGS ? 4 : 0;
}

static u32 system_value(const struct icp *b, const struct system_reg *r)
{
	if (r->off)
		return *(const u32 *)((const char *)&b->cpu.s + r->off);
	return r->what ? arm_reg_of(&b->cpu, r->mode, r->what) : b->cpu.s.spsr[arm_bank_of(r->mode)];
}

static u64 value(const struct icp *b, unsigned n)
{
	const struct arm_vfp *f = &b->cpu.s.vfp;

	if (n == 15)
		return arm_pc(&b->cpu);
	if (n < 15)
		return b->cpu.s.r[n];
	if (n == CPSR)
		return arm_cpsr(&b->cpu);
	if (n == FPSCR)
		return f->fpscr;
	if (n < FPSCR)
		return f->s[2 * (n - GDB_ARM_VFP)] | (u64)f->s[2 * (n - GDB_ARM_VFP) + 1] << 32;
	return system_value(b, &system_regs[n - GDB_ARM_SYSTEM]);
}

void gdb_arm_reg_read(struct gdb *g, struct icp *b, unsigned n)
{
	u64 v = gdb_arm_reg_size(b, n) ? value(b, n) : 0;

	gdb_hex(g, &v, gdb_arm_reg_size(b, n));
}

static bool mode_exists(u32 psr) { return arm_bank_of(psr & PSR_MODE) != BANKS; }

/* The system registers can be looked at only. */
bool gdb_arm_reg_write(struct icp *b, unsigned n, const char *hex)
{
	struct arm_cpu *c = &b->cpu;
	u64 v = 0;

	if (!gdb_arm_reg_size(b, n) || !gdb_unhex(hex, &v, gdb_arm_reg_size(b, n)) || (n == CPSR && !mode_exists((u32)v)))
		return false;
	if (v == value(b, n))
		return true;
	if (n < 16) {
		c->s.r[n] = (u32)v & (n == 15 ? ~1u : ~0u);
	} else if (n == CPSR) {
		arm_set_cpsr(c, (u32)v & PSR_VALID);
	} else if (n < FPSCR) {
		c->s.vfp.s[2 * (n - GDB_ARM_VFP)] = (u32)v;
		c->s.vfp.s[2 * (n - GDB_ARM_VFP) + 1] = (u32)(v >> 32);
	} else {
		return false;
	}
	arm_state_changed(c);
	return true;
}

void gdb_arm_target_xml(const struct icp *b, struct text *out)
{
	static const char *const names[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
					    "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};

	text_puts(out, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\"><architecture>armv5te</architecture>"
		       "<feature name=\"org.gnu.gdb.arm.core\">");
	for (unsigned i = 0; i < 16; i++)
		text_printf(out, "<reg name=\"%s\" bitsize=\"32\"%s/>", names[i],
			    i == 13 ? " type=\"data_ptr\"" : i == 15 ? " type=\"code_ptr\"" : "");
	text_printf(out, "<reg name=\"cpsr\" bitsize=\"32\" regnum=\"%u\"/></feature>", GDB_CPSR);
	if (b->cpu.has_vfp) {
		text_puts(out, "<feature name=\"org.gnu.gdb.arm.vfp\">");
		for (unsigned i = 0; i < 16; i++)
			text_printf(out, "<reg name=\"d%u\" bitsize=\"64\" type=\"ieee_double\" regnum=\"%u\"/>", i, GDB_D0 + i);
		text_printf(out, "<reg name=\"fpscr\" bitsize=\"32\" group=\"float\" regnum=\"%u\"/></feature>", GDB_D0 + 16);
	}
	text_puts(out, "<feature name=\"undervisor.arm.system\">");
	for (unsigned i = 0; i < ARRAY_SIZE(system_regs); i++)
		text_printf(out, "<reg name=\"%s\" bitsize=\"32\" group=\"system\" regnum=\"%u\"/>", system_regs[i].name, GDB_D0 + 17 + i);
	text_puts(out, "</feature></target>");
}

/* The tables' own word: what is cached may be stale, and rights are not asked. */
static bool place(struct icp *b, u32 va, u64 *pa)
{
	struct walk w;

	arm_walk(&b->cpu, va, ACC_READ, &w);
	*pa = w.pa;
	return w.why == WALK_OK || arm_translate(&b->cpu, va, ACC_READ, pa);
}

bool gdb_arm_peek(struct icp *b, u32 va, u8 *byte)
{
	u64 pa;

	if (!place(b, va, &pa))
		return false;
	*byte = (u8)space_peek(&b->mem, pa, 1);
	return true;
}

bool gdb_arm_poke(struct icp *b, u32 va, u8 byte)
{
	u64 pa;

	return place(b, va, &pa) && space_poke(&b->mem, pa, 1, byte);
}
