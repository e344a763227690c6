/* See regs.h: an x86 CPU. Bit names are those of the field tables. */
#include "debug/regs.h"

#include <stdio.h>

#include "cpu_x86/flags.h"
#include "svm/vmcb.h"

static const char *const gpr64[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const gpr8[8] = {"al", "cl", "dl", "bl", "ah", "ch", "dh", "bh"};
static const char *const seg_names[SEG_COUNT] = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

/* Part of a general register: eax, ax, al, r8d, r8w, r8b. */
static bool part_register(const struct view *v, const char *name, u64 *val)
{
	for (unsigned i = 0; i < 16; i++) {
		size_t n = strlen(gpr64[i]);

		if (i < 8 && !strcmp(name, gpr64[i] + 1))
			*val = v->r[i] & 0xffff;
		else if (i < 8 && *name == 'e' && !strcmp(name + 1, gpr64[i] + 1))
			*val = (u32)v->r[i];
		else if (i >= 8 && !strncmp(name, gpr64[i], n) && name[n] && strchr("dwb", name[n]) && !name[n + 1])
			*val = v->r[i] & (name[n] == 'd' ? 0xffffffff : name[n] == 'w' ? 0xffff : 0xff);
		else
			continue;
		return true;
	}
	for (unsigned i = 0; i < 8; i++)
		if (!strcmp(name, gpr8[i])) {
			*val = v->r[i & 3] >> (i & 4 ? 8 : 0) & 0xff;
			return true;
		}
	return false;
}

static bool segment(const struct view *v, const char *name, u64 *val)
{
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		size_t n = strlen(seg_names[i]);
		const struct x86_seg *s = &v->seg[i];

		if (strncmp(name, seg_names[i], n) || (name[n] && name[n] != '.'))
			continue;
		if (!name[n] || !strcmp(name + n, ".sel"))
			*val = s->sel;
		else if (!strcmp(name + n, ".base"))
			*val = s->base;
		else if (!strcmp(name + n, ".limit"))
			*val = s->limit;
		else if (!strcmp(name + n, ".attr"))
			*val = s->attr;
		else
			return false;
		return true;
	}
	return false;
}

bool regs_x86_get(const struct view *v, const char *name, u64 *val)
{
	const struct {
		const char *name;
		u64 val;
	} others[] = {
		{"rip", v->rip}, {"eip", (u32)v->rip}, {"rflags", v->rflags}, {"eflags", (u32)v->rflags},
		{"cr0", v->cr0}, {"cr2", v->cr2}, {"cr3", v->cr3}, {"cr4", v->cr4}, {"efer", v->efer}, {"dr6", v->dr6},
		{"dr7", v->dr7}, {"dr0", v->cpu->dr[0]}, {"dr1", v->cpu->dr[1]}, {"dr2", v->cpu->dr[2]}, {"dr3", v->cpu->dr[3]},
		{"cpl", v->cpl}, {"gdtr.base", v->gdt.base}, {"gdtr.limit", v->gdt.limit}, {"idtr.base", v->idt.base},
		{"idtr.limit", v->idt.limit}, {"asid", v->asid}, {"gif", v->cpu->svm.gif}, {"hsave", v->cpu->svm.hsave_pa},
		{"icount", x86_icount(v->cpu)}, {"world", v->guest}, {"vmcb", v->vmcb == ~0ull ? 0 : v->vmcb},
	};

	for (unsigned i = 0; i < 16; i++)
		if (!strcmp(name, gpr64[i])) {
			*val = v->r[i];
			return true;
		}
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(name, others[i].name)) {
			*val = others[i].val;
			return true;
		}
	return part_register(v, name, val) || segment(v, name, val);
}

/* A control register as the VMCB's field of the same name prints it. */
static void decoded(struct text *out, const char *name, const char *label, u64 val)
{
	const struct field *f = field_find(vmcb_fields, vmcb_fields_n, label);

	text_printf(out, "%s=%016llx", name, (unsigned long long)val);
	for (unsigned i = 0; f && f->fmt == FMT_BITS && i < 64 && f->bits[i] != FIELD_END; i++)
		if (f->bits[i] && val >> i & 1)
			text_printf(out, " %s", f->bits[i]);
	text_puts(out, "\n");
}

static void print_seg(struct text *out, const char *name, const struct x86_seg *s)
{
	static const char *const code[] = {"execute", "execute/read"}, *const data[] = {"read", "read/write"};

	text_printf(out, "%-4s %04x base %016llx limit %08x attr %03x", name, s->sel, (unsigned long long)s->base, s->limit, s->attr);
	if (!(s->attr & ATTR_P))
		text_puts(out, " not present");
	else if (s->attr & ATTR_S)
		text_printf(out, " %s%s%s DPL %u", s->attr & 8 ? "code " : "data ", (s->attr & 8 ? code : data)[s->attr >> 1 & 1],
			    s->attr & 8 ? s->attr & ATTR_L ? ", 64-bit" : s->attr & ATTR_DB ? ", 32-bit" : ", 16-bit" : "", seg_dpl(s));
	else
		text_printf(out, " system type %u", s->attr & ATTR_TYPE);
	text_puts(out, "\n");
}

void regs_x86_print(struct text *out, const struct view *v)
{
	text_printf(out, "cpu%u %s%s, %u-bit code, CPL %u", v->id, v->guest ? "guest" : "host", v->live ? "" : " (not running)",
		    view_bits(v), v->cpl);
	if (v->guest)
		text_printf(out, ", VMCB %llx ASID %u", (unsigned long long)v->vmcb, v->asid);
	text_puts(out, "\n");
	for (unsigned i = 0; i < 16; i++) {
		bool known = v->regs_known || i == R_AX || i == R_SP;

		if (known)
			text_printf(out, "%-3s=%016llx%s", gpr64[i], (unsigned long long)v->r[i], i % 4 == 3 ? "\n" : " ");
		else
			text_printf(out, "%-3s=%16s%s", gpr64[i], "unknown", i % 4 == 3 ? "\n" : " ");
	}
	text_printf(out, "rip=%016llx ", (unsigned long long)v->rip);
	decoded(out, "rflags", "RFLAGS", v->rflags);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		print_seg(out, seg_names[i], &v->seg[i]);
	text_printf(out, "gdtr base %016llx limit %04x  idtr base %016llx limit %04x\n", (unsigned long long)v->gdt.base, v->gdt.limit,
		    (unsigned long long)v->idt.base, v->idt.limit);
	decoded(out, "cr0", "CR0", v->cr0);
	text_printf(out, "cr2=%016llx cr3=%016llx\n", (unsigned long long)v->cr2, (unsigned long long)v->cr3);
	decoded(out, "cr4", "CR4", v->cr4);
	decoded(out, "efer", "EFER", v->efer);
	decoded(out, "dr6", "DR6", v->dr6);
	decoded(out, "dr7", "DR7", v->dr7);
}

bool regs_x86_set(struct view *v, const char *name, u64 val)
{
	for (unsigned i = 0; i < 16; i++)
		if (!strcmp(name, gpr64[i])) {
			view_set_reg(v, i, val);
			return true;
		}
	if (!strcmp(name, "rip"))
		view_set_rip(v, val);
	else if (!strcmp(name, "rflags"))
		x86_set_flags(v->cpu, val, ~(u64)(FLAG_VM | FLAG_1));
	else
		return false;
	return true;
}
