/*
 * See waiting.h. A guest that waits is in its VMCB; a host that waits (a guest runs) is in the page at VM_HSAVE_PA, which has the layout of a
 * VMCB's state-save area and holds less (svm/host.c). General registers but RAX and RSP are in neither: no switch saves them.
 */
#include "debug/waiting.h"

#include "debug/expr.h"
#include "svm/vmcb.h"

#define SAVE_AREA 0x400u

/* A field of the save area for a register's name. */
static const struct field *place(const char *name)
{
	static const char *const other[][2] = {{"eflags", "rflags"}, {"pat", "g_pat"}, {"debugctl", "dbgctl"}, {"eip", "rip"}};
	static const char segments[] = " es cs ss ds fs gs ldtr tr ";
	char with[40];
	const struct field *f;

	for (unsigned i = 0; i < ARRAY_SIZE(other); i++)
		if (!strcmp(name, other[i][0]))
			name = other[i][1];
	snprintf(with, sizeof with, " %.20s ", name);
	if (strstr(segments, with)) {
		snprintf(with, sizeof with, "%.20s.sel", name);
		name = with;
	}
	f = expr_vmcb_field(name);
	return f && f->off >= SAVE_AREA && f->size <= 8 && f->fmt != FMT_BYTES ? f : NULL;
}

/* What svm_host_save keeps. APM2 15.5.1, 15.30.4 */
static bool host_holds(const struct x86_cpu *c, const struct field *f)
{
	static const char *const names[] = {"EFER", "CR4", "CR3", "CR0", "RFLAGS", "RIP", "RSP", "RAX"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(f->name, names[i]))
			return true;
	if (!strcmp(f->name, "G_PAT"))
		return c->svm.np;
	return f->off < 0x440 || (f->off >= 0x460 && f->off < 0x470) || (f->off >= 0x480 && f->off < 0x490);
}

static u64 area(const struct view *v) { return (v->guest ? v->vmcb : v->cpu->svm.hsave_pa) & PAGE_MASK; }

static bool put(const struct view *v, u64 pa, const struct field *f, u64 val, struct error *err)
{
	if (f->size < 8 && val & ~mask_low(f->size * 8))
		return error_set(err, "%s has %u bits: %llx does not fit", f->name, f->size * 8, (unsigned long long)val);
	if (view_write(v, LEVEL_P, pa + f->off, &val, f->size) != f->size)
		return error_set(err, "%s is at physical %llx, where no RAM is", f->name, (unsigned long long)(pa + f->off));
	return true;
}

bool waiting_get(const struct view *v, const char *name, u64 *val)
{
	const struct field *f = place(name);

	return f && !v->live && (v->guest || host_holds(v->cpu, f)) && view_load(v, LEVEL_P, area(v) + f->off, f->size, val);
}

bool waiting_set_vmcb(struct worlds *w, const struct view *v, const struct field *f, u64 val, struct error *err)
{
	if (v->vmcb == ~0ull)
		return error_set(err, "there is no VMCB yet");
	if (f->size > 8 || f->fmt == FMT_BYTES || f->fmt == FMT_PAD)
		return error_set(err, "%s is no number", f->name);
	for (unsigned i = 0; i < w->t->pc->cfg.cpus; i++)
		svm_forget(&w->t->pc->cpu[i].x86, v->vmcb);
	return put(v, v->vmcb & PAGE_MASK, f, val, err);
}

bool waiting_set(struct worlds *w, const struct view *v, const char *name, u64 val, struct error *err)
{
	const struct field *f = place(name);

	if (v->guest)
		return f ? waiting_set_vmcb(w, v, f, val, err)
			 : error_set(err, "%s of a guest that does not run is not in its VMCB: the hypervisor keeps it in memory of its own "
					  "or in the processor (APM2 15.5.1)", name);
	if (!f || !host_holds(v->cpu, f))
		return error_set(err, "%s of the host is not in its save area: while the guest runs the processor has the guest's, which stays "
				      "there at #VMEXIT (APM2 15.6)", name);
	/* What waits is shown at its VMRUN, and goes on behind it. */
	if (!strcmp(f->name, "RIP") && w->host[v->id].valid) {
		if (val == w->host[v->id].rip)
			return true;
		w->host[v->id].rip = val;
	}
	return put(v, area(v), f, val, err);
}
