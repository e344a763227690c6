/* The stub's registers and target description of an ARM. GDB manual, G.5.3: features org.gnu.gdb.arm.core and .vfp; ours is org.undervisor.arm. */
#include "debug/gdb.h"

/* Places in a g packet, and GDB's numbers. */
enum { CPSR = 16, VFP = 17, FPSCR = VFP + 16, SYSTEM, REGS = SYSTEM + 18 };
enum { GDB_CPSR = 25, GDB_D0 = 26 };

/* The system registers: CP15, and SP, LR and SPSR of the modes. */
static const struct system_reg {
	const char *name;
	u32 off; /* in struct arm_state; 0: of a mode */
	u32 mode;
	u8 what; /* 13, 14; 0: SPSR */
} system_regs[REGS - SYSTEM] = {
	{"control", offsetof(struct arm_state, cp15.control), 0, 0}, {"ttbr", offsetof(struct arm_state, cp15.ttbr), 0, 0},
	{"dacr", offsetof(struct arm_state, cp15.dacr), 0, 0},       {"dfsr", offsetof(struct arm_state, cp15.dfsr), 0, 0},
	{"ifsr", offsetof(struct arm_state, cp15.ifsr), 0, 0},       {"far", offsetof(struct arm_state, cp15.far), 0, 0},
	{"fcse", offsetof(struct arm_state, cp15.fcse), 0, 0},       {"sp_usr", 0, MODE_USR, 13},
	{"lr_usr", 0, MODE_USR, 14},   {"sp_svc", 0, MODE_SVC, 13},  {"lr_svc", 0, MODE_SVC, 14},  {"spsr_svc", 0, MODE_SVC, 0},
	{"sp_irq", 0, MODE_IRQ, 13},   {"lr_irq", 0, MODE_IRQ, 14},  {"spsr_irq", 0, MODE_IRQ, 0}, {"lr_abt", 0, MODE_ABT, 14},
	{"spsr_abt", 0, MODE_ABT, 0},  {"lr_und", 0, MODE_UND, 14},
};

static unsigned index_of(unsigned gdb_number)
{
	if (gdb_number < 16)
		return gdb_number;
	if (gdb_number == GDB_CPSR)
		return CPSR;
	return gdb_number >= GDB_D0 ? gdb_number - GDB_D0 + VFP : REGS;
}

static unsigned size_of(const struct arm_cpu *c, unsigned n)
{
	if (n >= VFP && n <= FPSCR && !c->has_vfp)
		return 0;
	if (n >= VFP && n < FPSCR)
		return 8;
	return n < REGS ? 4 : 0;
}

static u32 system_value(const struct arm_cpu *c, const struct system_reg *r)
{
	if (r->off)
		return *(const u32 *)((const char *)&c->s + r->off);
	return r->what ? arm_reg_of(c, r->mode, r->what) : c->s.spsr[arm_bank_of(r->mode)];
}

static u64 value(const struct arm_cpu *c, unsigned n)
{
	const struct arm_vfp *f = &c->s.vfp;

	if (n == 15)
		return arm_pc(c);
	if (n < 15)
		return c->s.r[n];
	if (n == CPSR)
		return arm_cpsr(c);
	if (n == FPSCR)
		return f->fpscr;
	if (n < FPSCR)
		return f->s[2 * (n - VFP)] | (u64)f->s[2 * (n - VFP) + 1] << 32;
	return system_value(c, &system_regs[n - SYSTEM]);
}

static void put(struct gdb *g, const struct arm_cpu *c, unsigned n)
{
	u64 v = size_of(c, n) ? value(c, n) : 0;

	gdb_hex(g, &v, size_of(c, n));
}

static bool mode_exists(u32 psr) { return arm_bank_of(psr & PSR_MODE) != BANKS; }

static bool set(struct arm_cpu *c, unsigned n, const char *hex, struct error *err)
{
	u64 v = 0;

	if (!size_of(c, n) || !gdb_unhex(hex, &v, size_of(c, n)))
		return error_set(err, "malformed");
	if (n == CPSR && !mode_exists((u32)v))
		return error_set(err, "there is no mode %02x", (u32)v & PSR_MODE);
	if (v == value(c, n))
		return true;
	if (n < 16) {
		c->s.r[n] = (u32)v & (n == 15 ? ~1u : ~0u);
	} else if (n == CPSR) {
		arm_set_cpsr(c, (u32)v & PSR_VALID);
	} else if (n < FPSCR) {
		c->s.vfp.s[2 * (n - VFP)] = (u32)v;
		c->s.vfp.s[2 * (n - VFP) + 1] = (u32)(v >> 32);
	} else {
		return error_set(err, "system registers can be looked at only");
	}
	arm_state_changed(c);
	return true;
}

void gdb_arm_registers_read(struct gdb *g, const struct view *v)
{
	for (unsigned n = 0; n < REGS; n++)
		put(g, v->arm, n);
}

bool gdb_arm_registers_write(struct view *v, const char *hex, struct error *err)
{
	size_t len = strlen(hex);

	for (unsigned n = 0; n < REGS; n++) {
		size_t digits = 2u * size_of(v->arm, n);

		if (len < digits)
			return n > 0 || error_set(err, "malformed");
		if (n < SYSTEM && digits && *hex != 'x' && !set(v->arm, n, hex, err)) /* the system registers can be looked at only */
			return false;
		hex += digits;
		len -= digits;
	}
	return true;
}

bool gdb_arm_register_read(struct gdb *g, const struct view *v, unsigned n)
{
	put(g, v->arm, index_of(n));
	return size_of(v->arm, index_of(n)) != 0;
}

bool gdb_arm_register_write(struct view *v, unsigned n, const char *hex, struct error *err)
{
	return set(v->arm, index_of(n), hex, err);
}

void gdb_arm_target_xml(const struct view *v, struct text *out)
{
	static const char *const names[] = {"r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
					    "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc"};

	text_puts(out, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\"><architecture>armv5te</architecture>"
		       "<feature name=\"org.gnu.gdb.arm.core\">");
	for (unsigned i = 0; i < 16; i++)
		text_printf(out, "<reg name=\"%s\" bitsize=\"32\"%s/>", names[i],
			    i == 13 ? " type=\"data_ptr\"" : i == 15 ? " type=\"code_ptr\"" : "");
	text_printf(out, "<reg name=\"cpsr\" bitsize=\"32\" regnum=\"%u\"/></feature>", GDB_CPSR);
	if (v->arm->has_vfp) {
		text_puts(out, "<feature name=\"org.gnu.gdb.arm.vfp\">");
		for (unsigned i = 0; i < 16; i++)
			text_printf(out, "<reg name=\"d%u\" bitsize=\"64\" type=\"ieee_double\" regnum=\"%u\"/>", i, GDB_D0 + i);
		text_printf(out, "<reg name=\"fpscr\" bitsize=\"32\" group=\"float\" regnum=\"%u\"/></feature>", GDB_D0 + 16);
	}
	text_puts(out, "<feature name=\"org.undervisor.arm\">");
	for (unsigned i = 0; i < ARRAY_SIZE(system_regs); i++)
		text_printf(out, "<reg name=\"%s\" bitsize=\"32\" group=\"system\" regnum=\"%u\"/>", system_regs[i].name, GDB_D0 + 17 + i);
	text_puts(out, "</feature></target>");
}
