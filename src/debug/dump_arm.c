/* See log_arm.h: an ARM CPU and its board for people. DDI0100 A2.4 (registers and modes), B3 (CP15). */
#include "debug/disasm.h"
#include "debug/dump.h"
#include "debug/log_arm.h"

#include <errno.h>

#define EVENTS 50

static const char *mode_name(u32 mode)
{
	static const char *const names[16] = {"usr", "fiq", "irq", "svc", "?", "?", "?", "abt", "?", "?", "?", "und", "?", "?", "?", "sys"};

	return mode & 16 ? names[mode & 15] : "26-bit";
}

static void print_psr(struct text *out, const char *name, u32 v)
{
	static const char flags[] = "NZCVQ";

	text_printf(out, "%s=%08x ", name, v);
	for (unsigned i = 0; i < 5; i++)
		text_printf(out, "%c", v >> (31 - i) & 1 ? flags[i] : '-');
	text_printf(out, " %s%s%s%s %s\n", v & PSR_J ? "J" : "", v & PSR_I ? "I" : "", v & PSR_F ? "F" : "", v & PSR_T ? "T" : "",
		    mode_name(v & PSR_MODE));
}

static void print_banks(struct text *out, const struct arm_cpu *c)
{
	static const struct {
		u32 mode;
		enum arm_bank bank;
	} modes[] = {{MODE_USR, BANK_USR}, {MODE_SVC, BANK_SVC}, {MODE_ABT, BANK_ABT}, {MODE_UND, BANK_UND}, {MODE_IRQ, BANK_IRQ}, {MODE_FIQ, BANK_FIQ}};

	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		text_printf(out, "%s: r13=%08x r14=%08x", mode_name(modes[i].mode), arm_reg_of(c, modes[i].mode, 13),
			    arm_reg_of(c, modes[i].mode, 14));
		if (modes[i].bank != BANK_USR)
			text_printf(out, " spsr=%08x", c->s.spsr[modes[i].bank]);
		text_puts(out, "\n");
	}
}

static void print_instruction(struct text *out, struct arm_cpu *c)
{
	bool thumb = arm_cpsr(c) & PSR_T;
	u8 bytes[4];
	char text[96];

	if (!arm_read_virtual(c, arm_pc(c), bytes, thumb ? 2 : 4)) {
		text_printf(out, "%08x: not readable\n", arm_pc(c));
		return;
	}
	disasm_arm(bytes, thumb ? 2 : 4, thumb, arm_pc(c), text, sizeof text);
	text_printf(out, "%08x: %s\n", arm_pc(c), text);
}

void dump_arm_cpu(struct text *out, const struct arm_cpu *c)
{
	for (unsigned i = 0; i < 16; i++)
		text_printf(out, "r%u%s=%08x%s", i, i < 10 ? " " : "", i == 15 ? arm_pc(c) : c->s.r[i], i % 4 == 3 ? "\n" : " ");
	print_psr(out, "cpsr", arm_cpsr(c));
	print_banks(out, c);
	text_printf(out, "control=%08x ttbr=%08x dacr=%08x dfsr=%08x ifsr=%08x far=%08x fcse=%08x\n", c->s.cp15.control, c->s.cp15.ttbr,
		    c->s.cp15.dacr, c->s.cp15.dfsr, c->s.cp15.ifsr, c->s.cp15.far, c->s.cp15.fcse);
}

static void print_all(struct text *out, struct icp *b, const char *why)
{
	const struct event_log *log = &b->machine.log;
	u64 n = log->count < EVENTS ? log->count : EVENTS;

	text_printf(out, "%s after %llu instructions, %llu ns\n\n", why, (unsigned long long)b->machine.s.icount,
		    (unsigned long long)b->machine.sched.now);
	dump_arm_cpu(out, &b->cpu);
	print_instruction(out, &b->cpu);
	for (size_t i = 0; i < icp_parts_n; i++) {
		text_printf(out, "\n%s:\n", icp_parts[i].name);
		dump_fields(out, icp_parts[i].fields, icp_parts[i].n, (const char *)b + icp_parts[i].off, false);
	}
	text_printf(out, "\nthe last %llu events:\n", (unsigned long long)n);
	for (u64 i = log->count - n; i < log->count; i++)
		log_arm_event(out, b, &log->ring[i % EVENT_RING]);
}

bool dump_arm_file(struct icp *b, const char *path, const char *why, struct error *err)
{
	FILE *f = fopen(path, "w");
	struct text out;
	bool ok;

	if (!f)
		return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
	text_init_file(&out, f);
	print_all(&out, b, why);
	ok = !ferror(f);
	return (fclose(f) == 0 && ok) || error_set(err, "%s: cannot be written: %s", path, strerror(errno));
}
