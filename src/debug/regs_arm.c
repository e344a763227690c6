/* See regs.h: the ARM926EJ-S. DDI0100 A2.3-A2.5 (registers and modes), B3 (CP15); DDI0198 2.3. */
#include "debug/regs.h"

#include <stdlib.h>

static const char *const aliases[16] = {[9] = "sb", [10] = "sl", [11] = "fp", [12] = "ip", [13] = "sp", [14] = "lr", [15] = "pc"};

/* Words of struct arm_state that are registers of their own. */
static const struct {
	const char *name;
	u32 off;
} words[] = {
	{"control", offsetof(struct arm_state, cp15.control)}, {"ttbr", offsetof(struct arm_state, cp15.ttbr)},
	{"dacr", offsetof(struct arm_state, cp15.dacr)},       {"dfsr", offsetof(struct arm_state, cp15.dfsr)},
	{"ifsr", offsetof(struct arm_state, cp15.ifsr)},       {"far", offsetof(struct arm_state, cp15.far)},
	{"fcse", offsetof(struct arm_state, cp15.fcse)},       {"context", offsetof(struct arm_state, cp15.context)},
	{"fpscr", offsetof(struct arm_state, vfp.fpscr)},      {"fpexc", offsetof(struct arm_state, vfp.fpexc)},
};

/* Modes that have registers of their own. */
static const struct {
	const char *name;
	u32 mode;
} modes[] = {{"usr", MODE_USR}, {"svc", MODE_SVC}, {"abt", MODE_ABT}, {"und", MODE_UND}, {"irq", MODE_IRQ}, {"fiq", MODE_FIQ}};

const char *regs_arm_mode(u32 psr)
{
	static const char *const names[16] = {"usr", "fiq", "irq", "svc", "?", "?", "?", "abt", "?", "?", "?", "und", "?", "?", "?", "sys"};

	return psr & 16 ? names[psr & 15] : "26-bit";
}

static u32 *word_of(struct arm_cpu *c, u32 off) { return (u32 *)((char *)&c->s + off); }

/* The number of a general register, 16 if it is none. */
static unsigned general(const char *name)
{
	for (unsigned i = 0; i < 16; i++)
		if (aliases[i] && !strcmp(name, aliases[i]))
			return i;
	if (name[0] == 'r' && name[1] >= '0' && name[1] <= '9') {
		char *end;
		unsigned long n = strtoul(name + 1, &end, 10);

		return *end || n > 15 ? 16 : (unsigned)n;
	}
	return 16;
}

/* r13_svc, sp_svc, lr_irq, r8_fiq, spsr_abt: the register of a mode, whichever the present one is. */
static bool banked(const struct view *v, const char *name, u64 *val)
{
	const char *at = strrchr(name, '_');
	char head[8];
	u32 mode = 0;

	if (!at || (size_t)(at - name) >= sizeof head)
		return false;
	snprintf(head, sizeof head, "%.*s", (int)(at - name), name);
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(at + 1, modes[i].name))
			mode = modes[i].mode;
	if (!mode)
		return false;
	if (!strcmp(head, "spsr") && mode != MODE_USR)
		*val = v->arm->s.spsr[arm_bank_of(mode)];
	else if (general(head) < 15)
		*val = arm_reg_of(v->arm, mode, general(head));
	else
		return false;
	return true;
}

static bool vfp(const struct arm_cpu *c, const char *name, u64 *val)
{
	bool two = *name == 'd';
	char *end;
	unsigned long n = strtoul(name + 1, &end, 10);

	if ((*name != 's' && !two) || !name[1] || *end || n >= (two ? 16 : 32) || !c->has_vfp)
		return false;
	*val = two ? c->s.vfp.s[2 * n] | (u64)c->s.vfp.s[2 * n + 1] << 32 : c->s.vfp.s[n];
	return true;
}

bool regs_arm_get(const struct view *v, const char *name, u64 *val)
{
	unsigned n = general(name);
	struct arm_cpu *c = v->arm;

	if (n < 16)
		*val = v->r[n];
	else if (!strcmp(name, "cpsr"))
		*val = v->rflags;
	else if (!strcmp(name, "spsr") && arm_bank_of((u32)v->rflags) != BANK_USR)
		*val = c->s.spsr[arm_bank_of((u32)v->rflags)];
	else if (!strcmp(name, "mode"))
		*val = v->rflags & PSR_MODE;
	else if (!strcmp(name, "thumb"))
		*val = (v->rflags & PSR_T) != 0;
	else if (!strcmp(name, "icount"))
		*val = arm_icount(c);
	else {
		for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
			if (!strcmp(name, words[i].name)) {
				*val = *word_of(c, words[i].off);
				return true;
			}
		return banked(v, name, val) || vfp(c, name, val);
	}
	return true;
}

/* General registers and CPSR; CP15 is set by the guest alone, since a write is also an order. */
bool regs_arm_set(struct view *v, const char *name, u64 val)
{
	unsigned n = general(name);
	struct arm_cpu *c = v->arm;

	if (n < 16) {
		c->s.r[n] = (u32)val & (n < 15 ? ~0u : v->rflags & PSR_T ? ~1u : ~3u);
		v->r[n] = c->s.r[n];
		if (n == 15)
			v->rip = v->r[15];
	} else if (!strcmp(name, "cpsr") && arm_bank_of((u32)val) != BANKS) {
		arm_set_cpsr(c, (u32)val & PSR_VALID);
		v->rflags = c->s.cpsr;
	} else {
		return false;
	}
	arm_state_changed(c);
	return true;
}

/* ---- for people ---- */

static void print_psr(struct text *out, const char *name, u32 v)
{
	static const char flags[] = "NZCVQ";

	text_printf(out, "%s=%08x ", name, v);
	for (unsigned i = 0; i < 5; i++)
		text_printf(out, "%c", v >> (31 - i) & 1 ? flags[i] : '-');
	text_printf(out, " %s%s%s%s %s\n", v & PSR_J ? "J" : "", v & PSR_I ? "I" : "", v & PSR_F ? "F" : "", v & PSR_T ? "T" : "", regs_arm_mode(v));
}

static void print_banks(struct text *out, const struct arm_cpu *c)
{
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		text_printf(out, "%s: ", modes[i].name);
		if (modes[i].mode == MODE_FIQ)
			for (unsigned n = 8; n < 13; n++)
				text_printf(out, "r%u=%08x ", n, arm_reg_of(c, MODE_FIQ, n));
		text_printf(out, "r13=%08x r14=%08x", arm_reg_of(c, modes[i].mode, 13), arm_reg_of(c, modes[i].mode, 14));
		if (modes[i].mode != MODE_USR)
			text_printf(out, " spsr=%08x", c->s.spsr[arm_bank_of(modes[i].mode)]);
		text_puts(out, "\n");
	}
}

static void print_control(struct text *out, u32 v)
{
	static const char *const names[16] = {[0] = "M", [1] = "A", [2] = "C", [7] = "B", [8] = "S", [9] = "R", [12] = "I", [13] = "V",
					      [14] = "RR", [15] = "L4"};

	text_printf(out, "control=%08x", v);
	for (unsigned i = 0; i < 16; i++)
		if (v >> i & 1 && names[i])
			text_printf(out, " %s", names[i]);
	text_puts(out, "\n");
}

/* Two bits for each domain. DDI0100 B4.5.1 */
static void print_domains(struct text *out, u32 v)
{
	text_printf(out, "dacr=%08x", v);
	for (unsigned i = 0; i < 16; i++)
		if (v >> 2 * i & 3)
			text_printf(out, " %u:%s", i, arm_domain_names[v >> 2 * i & 3]);
	text_puts(out, "\n");
}

void regs_arm_print(struct text *out, const struct view *v)
{
	const struct arm_cpu *c = v->arm;

	for (unsigned i = 0; i < 16; i++)
		text_printf(out, "r%u%s=%08llx%s", i, i < 10 ? " " : "", (unsigned long long)v->r[i], i % 4 == 3 ? "\n" : " ");
	print_psr(out, "cpsr", (u32)v->rflags);
	print_banks(out, c);
	print_control(out, c->s.cp15.control);
	text_printf(out, "ttbr=%08x dfsr=%08x ifsr=%08x far=%08x fcse=%08x context=%08x\n", c->s.cp15.ttbr, c->s.cp15.dfsr, c->s.cp15.ifsr,
		    c->s.cp15.far, c->s.cp15.fcse, c->s.cp15.context);
	print_domains(out, c->s.cp15.dacr);
	if (!c->has_vfp)
		return;
	text_printf(out, "fpscr=%08x fpexc=%08x\n", c->s.vfp.fpscr, c->s.vfp.fpexc);
	for (unsigned i = 0; i < 32; i += 2)
		text_printf(out, "d%-2u=%08x%08x%s", i / 2, c->s.vfp.s[i + 1], c->s.vfp.s[i], i % 8 == 6 ? "\n" : " ");
}
