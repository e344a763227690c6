/*
 * The stub's registers and target descriptions. The order of GDB's i386 and amd64 core features comes first (it is the order of the g
 * packet), then what only p and P name: segments, system registers, MSRs, the VMCB. GDB manual, G.5 (i386 features).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "cpu_x86/flags.h"
#include "cpu_x86/fpu.h"
#include "debug/gdb.h"
#include "debug/regs.h"
#include "debug/waiting.h"
#include "svm/vmcb.h"

enum kind { REG_GPR, REG_RIP, REG_FLAGS, REG_SEG, REG_ST, REG_FPU, REG_XMM, REG_YMMH, REG_MXCSR, REG_BASE, REG_SYSTEM, REG_MSR, REG_VMCB, REG_NONE };

struct reg {
	enum kind kind;
	unsigned n;    /* which one */
	unsigned bits;
};

/* ---- the order ---- */

static const u8 gprs64[16] = {R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP, 8, 9, 10, 11, 12, 13, 14, 15};
static const u8 segments[6] = {SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS};
static const char *const gpr_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const seg_names[8] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};
static const char *const fpu_names[8] = {"fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"};

enum { SYS_CR0, SYS_CR2, SYS_CR3, SYS_CR4, SYS_EFER, SYS_DR6, SYS_DR7, SYS_CPL, SYS_GDTR, SYS_IDTR, SYS_ASID, SYS_VMCB, SYS_COUNT };
static const char *const sys_names[SYS_COUNT] = {"cr0", "cr2", "cr3", "cr4", "efer", "dr6", "dr7", "cpl", "gdtr_base", "idtr_base", "asid",
						 "vmcb_pa"};

static const struct {
	const char *name;
	size_t off;
} msrs[] = {
	{"star", offsetof(struct x86_msrs, star)},
	{"lstar", offsetof(struct x86_msrs, lstar)},
	{"cstar", offsetof(struct x86_msrs, cstar)},
	{"sfmask", offsetof(struct x86_msrs, sfmask)},
	{"kernel_gs_base", offsetof(struct x86_msrs, kernel_gs_base)},
	{"sysenter_cs", offsetof(struct x86_msrs, sysenter_cs)},
	{"sysenter_esp", offsetof(struct x86_msrs, sysenter_esp)},
	{"sysenter_eip", offsetof(struct x86_msrs, sysenter_eip)},
	{"tsc_aux", offsetof(struct x86_msrs, tsc_aux)},
	{"pat", offsetof(struct x86_msrs, pat)},
	{"apic_base", offsetof(struct x86_msrs, apic_base)},
	{"debugctl", offsetof(struct x86_msrs, debugctl)},
};

/* Register n of a description of that width; the parts follow each other. */
static struct reg reg_at(unsigned bits, unsigned n)
{
	bool wide = bits == 64;
	unsigned gprs = wide ? 16 : 8, xmms = wide ? 16 : 8, word = wide ? 64 : 32;
	struct {
		unsigned count;
		enum kind kind;
		unsigned bits;
	} parts[] = {
		{gprs, REG_GPR, word}, {1, REG_RIP, word},  {1, REG_FLAGS, 32},     {6, REG_SEG, 32},
		{8, REG_ST, 80},       {8, REG_FPU, 32},    {xmms, REG_XMM, 128},   {1, REG_MXCSR, 32},
		{xmms, REG_YMMH, 128}, {8, REG_BASE, 64},   {SYS_COUNT, REG_SYSTEM, 64}, {ARRAY_SIZE(msrs), REG_MSR, 64},
		{(unsigned)vmcb_fields_n, REG_VMCB, 64},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		if (n < parts[i].count)
			return (struct reg){parts[i].kind, n, parts[i].bits};
		n -= parts[i].count;
	}
	return (struct reg){.kind = REG_NONE};
}

/* Up to MXCSR; a client that has read our description knows of the upper halves of YMM too. */
static unsigned in_g_packet(unsigned bits, bool described)
{
	unsigned xmms = bits == 64 ? 16 : 8;

	return (bits == 64 ? 16 : 8) + 2 + 6 + 16 + xmms + 1 + (described ? xmms : 0);
}

/* ---- values ---- */

static u64 system_value(const struct view *v, unsigned n)
{
	const u64 all[SYS_COUNT] = {v->cr0, v->cr2, v->cr3, v->cr4, v->efer, v->dr6, v->dr7, v->cpl, v->gdt.base, v->idt.base, v->asid,
				    v->vmcb == ~0ull ? 0 : v->vmcb};

	return all[n];
}

static u64 fpu_value(const struct x86_fpu *f, unsigned n)
{
	const u64 all[8] = {f->fcw, f->fsw, x86_x87_tags(f), f->fcs, (u32)f->fip, f->fds, (u32)f->fdp, f->fop};

	return all[n];
}

/* The bytes of a register, little-endian; up to 16. The x87 and SSE registers are not switched by VMRUN: both worlds have the same. */
static void value(const struct view *v, const struct reg *r, u8 buf[16])
{
	const struct x86_cpu *c = v->cpu;
	u64 val = 0;

	memset(buf, 0, 16);
	switch (r->kind) {
	case REG_GPR: val = v->r[r->bits == 64 ? gprs64[r->n] : r->n]; break;
	case REG_RIP: val = view_pc(v); break; /* linear: GDB knows no segments */
	case REG_FLAGS: val = v->rflags; break;
	case REG_SEG: val = v->seg[segments[r->n]].sel; break;
	case REG_ST: memcpy(buf, c->fpu.st[r->n], 10); return;
	case REG_FPU: val = fpu_value(&c->fpu, r->n); break;
	case REG_XMM: memcpy(buf, c->fpu.ymm[r->n], 16); return;
	case REG_YMMH: memcpy(buf, c->fpu.ymm[r->n] + 16, 16); return;
	case REG_MXCSR: val = c->fpu.mxcsr; break;
	case REG_BASE: val = v->seg[r->n].base; break;
	case REG_SYSTEM: val = system_value(v, r->n); break;
	case REG_MSR:
		if (!waiting_get(v, msrs[r->n].name, &val)) /* else what the CPU has is that world's, too */
			memcpy(&val, (const char *)&c->msr + msrs[r->n].off, 8);
		break;
	case REG_VMCB:
		if (v->vmcb != ~0ull)
			view_read(v, LEVEL_P, v->vmcb + vmcb_fields[r->n].off, &val, vmcb_fields[r->n].size < 8 ? vmcb_fields[r->n].size : 8);
		break;
	default: break;
	}
	store_le(buf, 8, val);
}

/* The name under which a world that waits has it; NULL: not there. */
static const char *waiting_name(const struct reg *r, char *buf, size_t size)
{
	switch (r->kind) {
	case REG_GPR: return gpr_names[r->bits == 64 ? gprs64[r->n] : r->n];
	case REG_RIP: return "rip";
	case REG_FLAGS: return "rflags";
	case REG_SEG: return seg_names[segments[r->n]];
	case REG_BASE: snprintf(buf, size, "%s.base", seg_names[r->n]); return buf;
	case REG_SYSTEM:
		if (r->n == SYS_GDTR || r->n == SYS_IDTR)
			return r->n == SYS_GDTR ? "gdtr.base" : "idtr.base";
		return sys_names[r->n];
	case REG_MSR: return msrs[r->n].name;
	default: return NULL;
	}
}

/* Registers that no switch saves are the same in both worlds. */
static bool set_shared(struct x86_cpu *c, const struct reg *r, const u8 *buf)
{
	switch (r->kind) {
	case REG_ST: memcpy(c->fpu.st[r->n], buf, 10); return true;
	case REG_XMM: memcpy(c->fpu.ymm[r->n], buf, 16); return true;
	case REG_YMMH: memcpy(c->fpu.ymm[r->n] + 16, buf, 16); return true;
	default: return false;
	}
}

static bool set_value(struct gdb *g, struct view *v, const struct reg *r, const u8 *buf, struct error *err)
{
	u64 val = load_le(buf, r->bits > 32 ? 8 : 4);
	const char *name;
	char text[24];

	if (set_shared(v->cpu, r, buf))
		return true;
	if (r->kind == REG_VMCB)
		return waiting_set_vmcb(&g->d->worlds, v, &vmcb_fields[r->n], val, err);
	if (r->kind == REG_RIP && view_bits(v) != 64)
		val = (u32)(val - v->seg[SEG_CS].base);
	name = waiting_name(r, text, sizeof text);
	if (!v->live && name)
		return waiting_set(&g->d->worlds, v, name, val, err);
	switch (r->kind) {
	case REG_GPR: view_set_reg(v, r->bits == 64 ? gprs64[r->n] : r->n, val); return true;
	case REG_RIP: view_set_rip(v, val); return true;
	case REG_FLAGS: x86_set_flags(v->cpu, val, ~(u64)(FLAG_VM | FLAG_1)); return true;
	default:
		return error_set(err, "%s cannot be set: general registers, the instruction pointer, flags, x87 and vector registers can, and in "
				 "a world that waits whatever its VMCB or save area holds", name ? name : "this register");
	}
}

/* Which of them the world does not know: general registers of one that was never left. */
static bool known(const struct view *v, const struct reg *r)
{
	unsigned n = r->kind != REG_GPR ? 0 : r->bits == 64 ? gprs64[r->n] : r->n;

	return r->kind != REG_GPR || v->regs_known || n == R_AX || n == R_SP;
}

/* What the program of that world is built for decides, whatever mode it starts in; without one, the mode it is in. */
static unsigned best_bits(struct gdb *g, const struct view *v)
{
	const struct symbol_image *im = gdb_image(g, v);
	unsigned now = view_bits(v);

	if (im && im->entry_bits == 64)
		return 64;
	return im && now == 64 ? 32 : now;
}

/* Inferiors that appear later get no description: GDB 13 asks for that of the first one only, and takes its own for the others. */
static unsigned told_bits(struct gdb *g, const struct view *v, bool *described)
{
	unsigned pid = gdb_pid(g);
	u8 told = pid < sizeof g->bits ? g->bits[pid] : 0;

	*described = told != 0;
	return told ? told : best_bits(g, v);
}

static bool current(struct gdb *g, struct view *v) { return gdb_view(g, gdb_pid(g), g->g_tid, v); }

static void put_reg(struct gdb *g, const struct view *v, const struct reg *r)
{
	u8 buf[16];

	value(v, r, buf);
	if (known(v, r))
		gdb_hex(g, buf, r->bits / 8);
	else
		for (unsigned i = 0; i < r->bits / 8; i++)
			gdb_puts(g, "xx");
}

void gdb_registers_read(struct gdb *g)
{
	bool described;
	unsigned bits;
	struct view v;

	if (!current(g, &v)) {
		gdb_puts(g, "E01");
		return;
	}
	if (v.arm) {
		gdb_arm_registers_read(g, &v);
		return;
	}
	bits = told_bits(g, &v, &described);
	for (unsigned i = 0; i < in_g_packet(bits, described); i++) {
		struct reg r = reg_at(bits, i);

		put_reg(g, &v, &r);
	}
}

/* Only what differs is set: a client sends all registers to change one. */
static bool write_changed(struct gdb *g, struct view *v, const struct reg *r, const char *hex, struct error *err)
{
	u8 buf[16] = {0}, old[16];

	if (*hex == 'x')
		return true;
	if (!gdb_unhex(hex, buf, r->bits / 8))
		return error_set(err, "malformed");
	value(v, r, old);
	return !memcmp(buf, old, r->bits / 8) || set_value(g, v, r, buf, err);
}

bool gdb_registers_write(struct gdb *g, const char *hex, struct error *err)
{
	size_t len = strlen(hex);
	bool described, good = true;
	unsigned bits;
	struct view v;

	if (!current(g, &v))
		return error_set(err, "no such thread");
	if (v.arm)
		return gdb_arm_registers_write(&v, hex, err);
	bits = told_bits(g, &v, &described);
	for (unsigned i = 0; i < in_g_packet(bits, described); i++) {
		struct reg r = reg_at(bits, i);

		if (len < r.bits / 4)
			return good && (i > 0 || error_set(err, "malformed"));
		good &= write_changed(g, &v, &r, hex, err);
		hex += r.bits / 4;
		len -= r.bits / 4;
	}
	return good;
}

bool gdb_register_read(struct gdb *g, unsigned n)
{
	bool described;
	struct view v;
	struct reg r;

	if (!current(g, &v))
		return false;
	if (v.arm)
		return gdb_arm_register_read(g, &v, n);
	r = reg_at(told_bits(g, &v, &described), n);
	if (r.kind == REG_NONE)
		return false;
	put_reg(g, &v, &r);
	return true;
}

bool gdb_register_write(struct gdb *g, unsigned n, const char *hex, struct error *err)
{
	u8 buf[16] = {0};
	bool described;
	struct view v;
	struct reg r;

	if (!current(g, &v))
		return error_set(err, "no such thread");
	if (v.arm)
		return gdb_arm_register_write(&v, n, hex, err);
	r = reg_at(told_bits(g, &v, &described), n);
	if (r.kind == REG_NONE || !gdb_unhex(hex, buf, r.bits / 8))
		return error_set(err, "malformed");
	return set_value(g, &v, &r, buf, err);
}

void gdb_put_pc(struct gdb *g, u64 pc)
{
	bool described, wide;
	struct view v;
	u8 buf[8];

	if (!current(g, &v))
		return;
	store_le(buf, 8, pc);
	wide = told_bits(g, &v, &described) == 64;
	gdb_puts(g, wide ? "10:" : "8:");
	gdb_hex(g, buf, wide ? 8 : 4);
	gdb_puts(g, ";");
}

/* ---- target.xml ---- */

/* VMCB fields as register names: vmcb_exitinfo1, vmcb_cs_sel. */
static void vmcb_name(unsigned n, char *buf, size_t size)
{
	snprintf(buf, size, "vmcb_%s", vmcb_fields[n].name);
	for (char *p = buf; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)tolower((unsigned char)*p) : '_';
}

/* The name, GDB's type, and the feature that it belongs to. */
static void describe(unsigned bits, const struct reg *r, char *name, size_t size, const char **type, const char **feature)
{
	bool wide = bits == 64;

	*type = "int";
	*feature = "org.gnu.gdb.i386.core";
	switch (r->kind) {
	case REG_GPR:
		snprintf(name, size, "%s%s", wide ? "" : "e", gpr_names[wide ? gprs64[r->n] : r->n] + (wide ? 0 : 1));
		*type = (wide ? gprs64[r->n] : r->n) == R_SP || (wide ? gprs64[r->n] : r->n) == R_BP ? "data_ptr" : wide ? "int64" : "int32";
		break;
	case REG_RIP:
		snprintf(name, size, "%s", wide ? "rip" : "eip");
		*type = "code_ptr";
		break;
	case REG_FLAGS: snprintf(name, size, "eflags"); break;
	case REG_SEG: snprintf(name, size, "%s", seg_names[segments[r->n]]); break;
	case REG_ST:
		snprintf(name, size, "st%u", r->n);
		*type = "i387_ext";
		break;
	case REG_FPU: snprintf(name, size, "%s", fpu_names[r->n]); break;
	case REG_XMM:
		snprintf(name, size, "xmm%u", r->n);
		*feature = "org.gnu.gdb.i386.sse";
		*type = "vec128";
		break;
	case REG_MXCSR:
		snprintf(name, size, "mxcsr");
		*feature = "org.gnu.gdb.i386.sse";
		break;
	case REG_YMMH:
		snprintf(name, size, "ymm%uh", r->n);
		*feature = "org.gnu.gdb.i386.avx";
		*type = "uint128";
		break;
	case REG_BASE:
		snprintf(name, size, "%s_base", seg_names[r->n]);
		*feature = "org.undervisor.system";
		*type = "int64";
		break;
	case REG_SYSTEM:
		snprintf(name, size, "%s", sys_names[r->n]);
		*feature = "org.undervisor.system";
		*type = "int64";
		break;
	case REG_MSR:
		snprintf(name, size, "msr_%s", msrs[r->n].name);
		*feature = "org.undervisor.system";
		*type = "int64";
		break;
	default:
		vmcb_name(r->n, name, size);
		*feature = "org.undervisor.svm";
		*type = "int64";
		break;
	}
}

static void print_types(struct text *out, const char *feature)
{
	if (!strcmp(feature, "org.gnu.gdb.i386.sse"))
		text_puts(out, "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/><vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
			       "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/><vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
			       "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/><vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
			       "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/><field name=\"v2_double\" type=\"v2d\"/>"
			       "<field name=\"v16_int8\" type=\"v16i8\"/><field name=\"v8_int16\" type=\"v8i16\"/>"
			       "<field name=\"v4_int32\" type=\"v4i32\"/><field name=\"v2_int64\" type=\"v2i64\"/>"
			       "<field name=\"uint128\" type=\"uint128\"/></union>");
}

void gdb_target_xml(struct gdb *g, struct text *out)
{
	const char *last = "", *type, *feature;
	unsigned bits, pid = gdb_pid(g);
	struct view v;
	char name[64];

	if (!current(g, &v))
		return;
	if (v.arm) {
		gdb_arm_target_xml(&v, out);
		return;
	}
	bits = best_bits(g, &v);
	g->bits[pid < sizeof g->bits ? pid : 1] = (u8)bits;
	text_printf(out, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target><architecture>%s</architecture>",
		    bits == 64 ? "i386:x86-64" : bits == 32 ? "i386" : "i8086");
	for (unsigned i = 0;; i++) {
		struct reg r = reg_at(bits, i);

		if (r.kind == REG_NONE)
			break;
		if (r.kind == REG_VMCB && (vmcb_fields[r.n].fmt == FMT_PAD || vmcb_fields[r.n].fmt == FMT_BYTES))
			continue;
		describe(bits, &r, name, sizeof name, &type, &feature);
		if (strcmp(feature, last)) {
			text_printf(out, "%s<feature name=\"%s\">", *last ? "</feature>" : "", feature);
			print_types(out, feature);
			last = feature;
		}
		text_printf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"%s/>\n", name, r.bits, type, i,
			    r.kind >= REG_BASE ? " save-restore=\"no\"" : "");
	}
	text_puts(out, "</feature></target>");
}
