/* Names that expressions know: registers, VMCB fields, exit codes. See expr.h. */
#include <stdio.h>
#include <strings.h>

#include "debug/expr.h"
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

bool expr_register(const struct view *v, const char *name, u64 *val)
{
	const struct {
		const char *name;
		u64 val;
	} others[] = {
		{"rip", v->rip}, {"pc", view_pc(v)}, {"eip", (u32)v->rip}, {"rflags", v->rflags}, {"eflags", (u32)v->rflags},
		{"cr0", v->cr0}, {"cr2", v->cr2}, {"cr3", v->cr3}, {"cr4", v->cr4}, {"efer", v->efer}, {"dr6", v->dr6},
		{"dr7", v->dr7}, {"dr0", v->cpu->dr[0]}, {"dr1", v->cpu->dr[1]}, {"dr2", v->cpu->dr[2]}, {"dr3", v->cpu->dr[3]},
		{"cpl", v->cpl}, {"gdtr.base", v->gdt.base}, {"gdtr.limit", v->gdt.limit}, {"idtr.base", v->idt.base},
		{"idtr.limit", v->idt.limit}, {"asid", v->asid}, {"cpu", v->cpu->id}, {"gif", v->cpu->svm.gif},
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

/* "N_CR3" and "ncr3" are the same. */
static bool same_label(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '_')
			a++;
		while (*b == '_')
			b++;
		if ((*a | 0x20) != (*b | 0x20) && !(*a == *b))
			return false;
		if (!*a || !*b)
			return *a == *b;
	}
}

const struct field *expr_vmcb_field(const char *name)
{
	for (size_t i = 0; i < vmcb_fields_n; i++)
		if (vmcb_fields[i].fmt != FMT_PAD && same_label(vmcb_fields[i].name, name))
			return &vmcb_fields[i];
	return NULL;
}

bool expr_exit_code(const char *name, u64 *code)
{
	char buf[32];

	if (!strcasecmp(name, "INVALID")) {
		*code = ~0ull;
		return true;
	}
	for (u64 c = 0; c <= 0x403; c = c == 0xff ? 0x400 : c + 1) {
		char *space;

		svm_exit_name(c, buf, sizeof buf);
		space = strchr(buf, ' '); /* "EXCP14 (#PF)" */
		if (space)
			*space = 0;
		if (!strcasecmp(buf, name)) {
			*code = c;
			return true;
		}
	}
	return false;
}
