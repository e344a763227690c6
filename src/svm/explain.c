/* See explain.h. Everything is read from the VMCB in guest-visible memory, so it can be told again later. APM2 ch. 15,
 * app. B, C. */
#include "svm/explain.h"

#include "mmu/walk.h"
#include "svm/state.h"

/* ---- EXITINTINFO, EVENTINJ ---- */

static const char *const vectors[32] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9",  "#TS",
					"#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC", "#MC", "#XF", "20", "#CP",
					"22",  "23",  "24",  "25",  "26",  "27",  "#HV", "#VC", "#SX", "31"};

void svm_print_event(struct text *out, u64 event)
{
	static const char *const type[8] = {"external interrupt", "reserved type 1",    "NMI",
					    "exception",          "software interrupt", "reserved type 5",
					    "reserved type 6",    "reserved type 7"};
	unsigned vector = (unsigned)EVENT_VECTOR(event), t = (unsigned)EVENT_TYPE(event);

	if (!(event & EVENT_V)) {
		text_puts(out, "none");
		return;
	}
	text_printf(out, "%s", type[t]);
	if (t == EVENT_EXCEPTION && vector < 32)
		text_printf(out, " %s", vectors[vector]);
	else if (t != EVENT_NMI)
		text_printf(out, " vector %02xh", vector);
	if (event & EVENT_EV)
		text_printf(out, " error %04llx", (unsigned long long)(event >> 32));
}

/* ---- EXITINFO ---- */

static const char *const gprs[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
				     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const char *const segs[8] = {"ES", "CS", "SS", "DS", "FS", "GS", "6", "7"};

static void print_io(struct text *out, u64 i, u64 next)
{
	text_printf(out, "%s%s port %04llx size %u address size %u", i & 8 ? "REP " : "",
		    i & 4 ? (i & 1 ? "INS" : "OUTS") : (i & 1 ? "IN" : "OUT"), (unsigned long long)(i >> 16 & 0xffff),
		    (unsigned)(i >> 4 & 7),
		    i & BIT(9)   ? 64u
		    : i & BIT(8) ? 32u
				 : 16u);
	if (i & 4)
		text_printf(out, " segment %s", segs[i >> 10 & 7]);
	text_printf(out, ", next rip %llx", (unsigned long long)next);
}

static void print_task_switch(struct text *out, u64 info1, u64 info2)
{
	text_printf(out, "to TSS %04llx by %s", (unsigned long long)(info1 & 0xffff),
		    info2 & BIT(36)   ? "IRET"
		    : info2 & BIT(38) ? "far jump"
				      : "call, exception or interrupt");
	if (info2 & BIT(44))
		text_printf(out, ", error %04llx", (unsigned long long)(info2 & 0xffffffff));
}

static void print_npf(struct text *out, u64 info1, u64 info2)
{
	walk_print_error(out, info1, true);
	text_printf(out, ", guest-physical %llx", (unsigned long long)info2);
}

static void print_exception(struct text *out, unsigned vector, u64 info1, u64 info2)
{
	if (vector == VEC_PF) {
		walk_print_error(out, info1, false);
		text_printf(out, ", linear %llx", (unsigned long long)info2);
	} else if (info1) {
		text_printf(out, "error %04llx", (unsigned long long)info1);
	}
}

void svm_print_exitinfo(struct text *out, u64 code, u64 info1, u64 info2)
{
	if (code < 0x20 || code == svm_code(ICPT_CR0_SEL)) {
		if (info1 & BIT(63))
			text_printf(out, "MOV, register %s", gprs[info1 & 15]);
	} else if (code < 0x40) {
		text_printf(out, "register %s", gprs[info1 & 15]);
	} else if (code < 0x60) {
		print_exception(out, (unsigned)code - 0x40, info1, info2);
	} else if (code == svm_code(ICPT_IOIO)) {
		print_io(out, info1, info2);
	} else if (code == svm_code(ICPT_MSR)) {
		text_puts(out, info1 & 1 ? "WRMSR" : "RDMSR");
	} else if (code == svm_code(ICPT_INTN)) {
		text_printf(out, "vector %02llx", (unsigned long long)info1);
	} else if (code == svm_code(ICPT_INVLPG) || code == svm_code(ICPT_INVPCID)) {
		text_printf(out, "linear %llx", (unsigned long long)info1);
	} else if (code == svm_code(ICPT_TASK_SWITCH)) {
		print_task_switch(out, info1, info2);
	} else if (code == svm_code(ICPT_SMI)) {
		text_puts(out, info1 & 1 ? "external" : "internal");
	} else if (code == SVM_EXIT_NPF) {
		print_npf(out, info1, info2);
	}
}

/* ---- one line ---- */

/* What EXITINFO does not say: the MSR's number stands in the guest's ECX, which no VMCB field holds, but the CPU still
 * does. */
static void print_extra(struct text *out, const struct x86_cpu *c, u64 code)
{
	if (code == svm_code(ICPT_MSR))
		text_printf(out, " %08x", (u32)c->r[R_CX]);
}

void svm_print_exit_line(struct text *out, struct x86_cpu *c)
{
	const u8 *v = svm_page_read(c, c->svm.vmcb_pa);
	u64 code = vmcb_exitcode(v);
	char name[32], info[256];
	struct text t;

	svm_exit_name(code, name, sizeof name);
	text_init_buffer(&t, info, sizeof info);
	svm_print_exitinfo(&t, code, vmcb_exitinfo1(v), vmcb_exitinfo2(v));
	print_extra(&t, c, code);
	text_printf(out, "#VMEXIT %s (%s)%s%s, rip %llx", name, svm_exit_sentence(code), info[0] ? ": " : "", info,
		    (unsigned long long)vmcb_rip(v));
	if (vmcb_exitintinfo(v) & EVENT_V) {
		text_puts(out, ", while delivering ");
		svm_print_event(out, vmcb_exitintinfo(v));
	}
	text_puts(out, "\n");
}

/* ---- the VMCB ---- */

static bool is_zero(const u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static size_t field_bytes(const struct field *f) { return (size_t)f->size * f->count; }

/* Words that are more than bits. */
static void print_decoded(struct text *out, const struct field *f, const u8 *v)
{
	u64 val = field_get(f, v, 0);
	char name[32];

	switch (f->off) {
	case 0x60:
		text_printf(out, " V_TPR=%u V_INTR_PRIO=%u V_INTR_VECTOR=%02x", (unsigned)(val & V_TPR),
			    (unsigned)V_PRIO(val), (unsigned)V_VECTOR(val));
		break;
	case 0x70:
		svm_exit_name(val, name, sizeof name);
		text_printf(out, " %s", name);
		break;
	case 0x78:
		text_puts(out, " ");
		svm_print_exitinfo(out, vmcb_exitcode(v), val, vmcb_exitinfo2(v));
		break;
	case 0x88:
	case 0xa8:
		text_puts(out, " ");
		svm_print_event(out, val);
		break;
	default: break;
	}
}

void svm_print_vmcb(struct text *out, struct x86_cpu *c, u64 vmcb_pa, bool all)
{
	const u8 *v = svm_page_read(c, vmcb_pa);

	for (size_t i = 0; i < vmcb_fields_n; i++) {
		const struct field *f = &vmcb_fields[i];

		if (f->fmt == FMT_PAD || (!all && is_zero(v + f->off, field_bytes(f))))
			continue;
		text_printf(out, "%03x ", f->off);
		field_print(f, v, out);
		print_decoded(out, f, v);
		text_puts(out, "\n");
	}
}

/* " +PG -TS": the named bits that are different. */
static void print_bit_changes(struct text *out, const struct field *f, u64 old, u64 now)
{
	for (unsigned i = 0; f->fmt == FMT_BITS && i < 64 && f->bits[i] != FIELD_END; i++)
		if (f->bits[i] && (old ^ now) >> i & 1)
			text_printf(out, " %c%s", now >> i & 1 ? '+' : '-', f->bits[i]);
}

/* "NAME old -> new", with what a reader wants to know of the new value. */
void svm_print_vmcb_diff(struct text *out, const u8 *before, const u8 *after)
{
	for (size_t i = 0; i < vmcb_fields_n; i++) {
		const struct field *f = &vmcb_fields[i];
		unsigned long long old = field_get(f, before, 0), now = field_get(f, after, 0);

		if (f->fmt == FMT_PAD || !memcmp(before + f->off, after + f->off, field_bytes(f)))
			continue;
		text_puts(out, "    ");
		if (f->fmt == FMT_BYTES) {
			field_print(f, after, out);
		} else {
			text_printf(out, "%s %0*llx -> %0*llx", f->name, f->size * 2, old, f->size * 2, now);
			print_bit_changes(out, f, old, now);
		}
		print_decoded(out, f, after);
		text_puts(out, "\n");
	}
}

void svm_snapshot(struct x86_cpu *c, struct svm_snapshot *at_vmrun)
{
	at_vmrun->valid = true;
	at_vmrun->vmcb_pa = c->svm.vmcb_pa;
	memcpy(at_vmrun->page, svm_page_read(c, c->svm.vmcb_pa), sizeof at_vmrun->page);
}

/* ---- the guest's translation ---- */

static unsigned levels_of(u64 cr0, u64 cr4, u64 efer)
{
	if (!(cr0 & CR0_PG))
		return 0;
	if (!(cr4 & CR4_PAE))
		return 2;
	return !(efer & EFER_LMA) ? 3 : cr4 & CR4_LA57 ? 5 : 4;
}

/* The first dimension as these registers make it. */
static struct paging paging_of(const struct x86_cpu *c, u64 cr0, u64 cr3, u64 cr4, u64 efer)
{
	unsigned levels;

	if (efer & EFER_LME && cr0 & CR0_PG)
		efer |= EFER_LMA;
	levels = levels_of(cr0, cr4, efer);
	return (struct paging){
		.root = levels < 3    ? cr3 & 0xfffff000
			: levels == 3 ? cr3 & 0xffffffe0
				      : cr3 & mask_low(c->model->pa_bits) & PAGE_MASK,
		.levels = (u8)levels,
		.pse = cr4 & CR4_PSE,
		.nx = efer & EFER_NXE,
		.wp = cr0 & CR0_WP,
		.smep = cr4 & CR4_SMEP,
		.smap = cr4 & CR4_SMAP,
		.pge = cr4 & CR4_PGE,
		.page1gb = x86_has(c->model, X86_F_PAGE1GB),
		.pa_bits = c->model->pa_bits,
	};
}

void svm_guest_env(struct x86_cpu *c, u64 vmcb_pa, struct walk_env *env)
{
	const u8 *v = svm_page_read(c, vmcb_pa);

	*env = (struct walk_env){.mem = c->mem, .nested = vmcb_np_ctl(v) & NP_ENABLE && x86_has(c->model, X86_F_NPT)};
	env->p = paging_of(c, vmcb_cr0(v), vmcb_cr3(v), vmcb_cr4(v), vmcb_efer(v));
	svm_nested_paging(c, &env->np);
	env->np.root = env->np.levels > 3 ? vmcb_ncr3(v) & mask_low(c->model->pa_bits) & PAGE_MASK
					  : vmcb_ncr3(v) & (env->np.levels == 3 ? 0xffffffe0 : 0xfffff000);
}

void svm_host_env(struct x86_cpu *c, struct walk_env *env)
{
	const u8 *h = svm_page_read(c, c->svm.hsave_pa);

	*env = (struct walk_env){.mem = c->mem};
	env->p = paging_of(c, vmcb_cr0(h), vmcb_cr3(h), vmcb_cr4(h), vmcb_efer(h));
}

/* The walk that failed, done again without caches and without setting anything. Only the nested dimension refused, so
 * the guest's own permissions are asked for as mildly as possible. */
static void print_npf_walk(struct text *out, struct x86_cpu *c, const u8 *v)
{
	const struct svm_priv *p = svm_priv(&c->svm);
	u64 info1 = vmcb_exitinfo1(v);
	bool final = info1 & BIT(32), exec = info1 & BIT(4);
	unsigned access = final && info1 & BIT(1) ? ACC_WRITE : exec ? ACC_EXEC : ACC_READ;
	struct walk_env env;
	struct walk w;

	svm_guest_env(c, c->svm.vmcb_pa, &env);
	if (p->npf_physical)
		walk_nested(&env, p->npf_va, access | ACC_USER, false, &w);
	else
		walk_x86(&env, p->npf_va, access | (exec && vmcb_cpl(v) == 3 ? ACC_USER : ACC_AC), false, &w);
	walk_print(out, &w);
	if (w.why == WALK_OK)
		text_puts(out, "    the tables allow it now: what refused it was cached, or has been changed since\n");
}

void svm_print_exit(struct text *out, struct x86_cpu *c, const struct svm_snapshot *at_vmrun)
{
	const u8 *v = svm_page_read(c, c->svm.vmcb_pa);
	u64 code = vmcb_exitcode(v);

	svm_print_exit_line(out, c);
	text_printf(out, "  VMCB %llx ASID %u EXITCODE %llx EXITINFO1 %llx EXITINFO2 %llx\n",
		    (unsigned long long)c->svm.vmcb_pa, c->svm.asid, (unsigned long long)code,
		    (unsigned long long)vmcb_exitinfo1(v), (unsigned long long)vmcb_exitinfo2(v));
	if (code == SVM_EXIT_INVALID) {
		text_printf(out, "  VMRUN was refused by %u consistency check(s):\n", svm_failed_count(c));
		svm_failed_checks(c, out);
	}
	if (at_vmrun && at_vmrun->valid && at_vmrun->vmcb_pa == c->svm.vmcb_pa) {
		text_puts(out, "  changed in the VMCB since VMRUN:\n");
		svm_print_vmcb_diff(out, at_vmrun->page, v);
	}
	if (code == SVM_EXIT_NPF) {
		text_puts(out, "  the walk that failed:\n");
		print_npf_walk(out, c, v);
	}
}
