/* The predicates of exceptions.def: does this difference of this case belong to a documented exception? */
#include "compare.h"
#include "fpstate.h"

/* The instruction that the difference is about, and both outcomes. */
struct difference {
	const struct ocase *c;
	const struct outcome *host, *ours;
	const char *fn; /* of its row; "" if it has none */
	struct parsed p;
	bool last; /* it is the case's only instruction, or the one that faulted */
};

#define LINUX_TASK_SIZE 0x7ffffffff000ull

static bool is(const struct difference *d, const char *fn) { return d->last && !strcmp(d->fn, fn); }
static bool is_string(const struct difference *d) { return d->last && d->p.row && d->p.row->kind == KIND_STRING; }
static bool access_fault(const struct outcome *o)
{
	return o->end == VEC_PF || o->end == VEC_GP || o->end == VEC_SS || o->end == VEC_AC;
}
static bool same_place(const struct difference *d) { return d->host->out.rip == d->ours->out.rip; }

static bool near_66(const struct difference *d)
{
	const struct x86_insn *r = d->p.row;

	return d->c->bits == 64 && d->p.p66 && r &&
	       (r->kind == KIND_JCC || r->kind == KIND_REL || (r->kind == KIND_STK && r->flags & BR));
}

static bool push_sreg(const struct difference *d) { return is(d, "push_sreg") && d->p.osize > 2; }
static bool pop_sreg(const struct difference *d)
{
	return is(d, "pop_sreg") && d->p.osize > 2 && access_fault(d->ours);
}

static bool null_base(const struct difference *d)
{
	const struct ostate *h = &d->host->out, *o = &d->ours->out;

	if (!is(d, "mov_sreg") && !is(d, "pop_sreg") && !is(d, "lxs"))
		return false;
	return (h->fsbase == o->fsbase || (o->fs < 4 && !h->fsbase)) &&
	       (h->gsbase == o->gsbase || (o->gs < 4 && !h->gsbase));
}

static bool far_64(const struct difference *d)
{
	return (is(d, "lxs") || is(d, "call_far_mem") || is(d, "jmp_far_mem")) && d->p.wide;
}

static bool kernel_p(const struct difference *d)
{
	return d->host->end == VEC_PF && d->ours->end == VEC_PF && d->host->cr2 == d->ours->cr2 &&
	       d->host->cr2 >= LINUX_TASK_SIZE && (d->host->error ^ d->ours->error) == 1;
}

static bool cmps_order(const struct difference *d)
{
	return is(d, "cmps") && same_place(d) && access_fault(d->host) && access_fault(d->ours);
}

static bool rep_flags(const struct difference *d)
{
	return (is(d, "cmps") || is(d, "scas")) && d->p.rep && same_place(d) &&
	       (access_fault(d->host) || d->host->end == VEC_DB) && d->host->end == d->ours->end;
}

static bool rep_a32(const struct difference *d)
{
	u64 upper = 0;

	for (unsigned i = 0; i < 16; i++)
		upper |= i == R_CX || i == R_SI || i == R_DI ? (u32)(d->host->out.r[i] ^ d->ours->out.r[i]) : 0;
	return is_string(d) && d->p.rep && d->p.asize == 4 && d->c->bits == 64 && !upper &&
	       d->host->end == d->ours->end;
}

static bool ac_order(const struct difference *d)
{
	return (d->c->in.flags | d->ours->out.flags) & FLAG_AC && same_place(d) && access_fault(d->host) &&
	       access_fault(d->ours) && (d->host->end == VEC_AC || d->ours->end == VEC_AC);
}

/* A masked move may have its first element, or all that count, behind the end. */
static bool wrap_4g(const struct difference *d)
{
	bool refused = d->ours->end == VEC_GP || d->ours->end == VEC_SS, masked = !strncmp(d->fn, "maskload", 8) || !strncmp(d->fn, "maskstore", 9);

	if (d->c->bits == 64 || !refused)
		return false;
	return (same_place(d) && d->host->end == VEC_PF && (d->host->cr2 >= 0xfffffff0 || d->host->cr2 < 32)) ||
	       (d->last && masked && d->host->end == END_OK);
}

static bool dr_cpl(const struct difference *d)
{
	return (is(d, "mov_from_dr") || is(d, "mov_to_dr")) && (d->p.modrm >> 4 & 3) == 2 && d->host->end == VEC_GP &&
	       d->ours->end == VEC_UD;
}

static bool sysret_legacy(const struct difference *d)
{
	return is(d, "sysret") && d->c->bits != 64 && d->host->end == VEC_UD;
}
static bool sysenter_long(const struct difference *d)
{
	return (is(d, "sysenter") || is(d, "sysexit")) && d->ours->end == VEC_UD;
}
static bool pause_rex(const struct difference *d)
{
	return d->p.opcode == 0x90 && d->p.map == M1 && d->p.rep == 0xf3 && d->p.rex & 1;
}
static bool prefetch_reg(const struct difference *d)
{
	return d->p.map == M0F && d->p.opcode == 0x0d && d->p.modrm >= 0xc0 && d->ours->end == VEC_UD;
}

static bool ud_length(const struct difference *d)
{
	u64 end = CODE_BASE + CODE_SIZE;
	const struct outcome *a = d->host, *b = d->ours;

	if (a->end != VEC_UD)
		a = d->ours, b = d->host;
	if (a->end != VEC_UD || !same_place(d) || (d->p.row && !d->p.vex))
		return false;
	return (!d->c->trailer && b->end == VEC_PF && b->cr2 == end) || (d->c->limit > 15 && b->end == VEC_GP);
}

static bool length_fetch(const struct difference *d)
{
	return d->c->limit == 15 && d->host->end == VEC_PF && d->host->cr2 == CODE_BASE + CODE_SIZE &&
	       d->ours->end == VEC_GP;
}

static bool host_feature(const struct difference *d)
{
	const struct parsed *p = &d->p;
	static const u8 group7[] = {0xc1, 0xd4, 0xd5, 0xd6,
				    0xd9, 0xee, 0xef}; /* VMCALL VMFUNC XEND XTEST VMMCALL RDPKRU WRPKRU */

	if (p->row)
		return false;
	if (p->vex) /* mask registers of AVX-512 */
		return (p->map == V0F && ((p->opcode >= 0x41 && p->opcode <= 0x4b) || (p->opcode & 0xf4) == 0x90)) || (p->map == V3A && (p->opcode & 0xfc) == 0x30);
	if (p->map == M1) /* XABORT, XBEGIN; EVEX */
		return ((p->opcode & 0xfe) == 0xc6 && p->modrm == 0xf8) || (p->opcode == 0x62 && (d->c->bits == 64 || p->modrm >= 0xc0));
	return p->map == M0F && p->opcode == 0x01 && memchr(group7, p->modrm, sizeof group7);
}

static bool movbe_66w(const struct difference *d)
{
	return (is(d, "movbe_load") || is(d, "movbe_store")) && d->p.p66 && d->p.wide &&
	       (access_fault(d->host) || d->ours->end == VEC_AC);
}

static bool movsxd_66(const struct difference *d)
{
	return is(d, "movsxd") && d->p.osize == 2 && access_fault(d->ours);
}
static bool popa_partial(const struct difference *d)
{
	return is(d, "popa") && same_place(d) && access_fault(d->ours) && d->host->end == d->ours->end;
}

static bool cpu_number(const struct difference *d)
{
	unsigned reg = (d->p.modrm >> 3 & 7u) | (d->p.rex & 4u) << 1;

	return is(d, "lsl") && d->host->out.flags == d->ours->out.flags && (d->host->out.r[reg] & 0xffff) < 1024 &&
	       !(d->ours->out.r[reg] & 0xffff);
}

static bool bound_order(const struct difference *d)
{
	return is(d, "bound") && d->host->end == VEC_BR && access_fault(d->ours);
}

/* Does the far pointer of this call name 64-bit code? It stands in the instruction or was poked. */
static bool to_code64(const struct difference *d)
{
	const struct ocase *c = d->c;

	if (is(d, "call_far_imm"))
		return (load_le(c->code + c->ncode - 2, 2) & 0xfffc) == (SEL_CODE64 & 0xfffc);
	for (unsigned i = 0; i < c->npoke; i++)
		if (c->poke[i].val < 0x10000 && (c->poke[i].val & 0xfffc) == (SEL_CODE64 & 0xfffc))
			return true;
	return false;
}

static bool far_call_mode(const struct difference *d)
{
	return (is(d, "call_far_mem") || is(d, "call_far_imm")) && (d->c->bits == 64 || to_code64(d)) &&
	       (access_fault(d->host) || access_fault(d->ours));
}

static bool far_return_order(const struct difference *d)
{
	return (is(d, "ret_far") || is(d, "iret")) && same_place(d) && access_fault(d->host) && access_fault(d->ours);
}

/* The frame runs over the end of a page. */
static bool far_return_slot(const struct difference *d)
{
	bool stack = d->ours->end == VEC_PF || d->ours->end == VEC_SS;

	return (is(d, "ret_far") || is(d, "iret")) && d->p.osize > 2 && stack &&
	       (d->c->in.r[R_SP] & 0xfff) + 5 * d->p.osize > 0x1000;
}

static bool return_compat(const struct difference *d)
{
	return (is(d, "iret") || is(d, "ret_far")) && d->c->bits == 64 && d->p.osize == 8 && d->ours->end == VEC_GP &&
	       d->host->out.cs != SEL_CODE64;
}

static bool retf_imm(const struct difference *d)
{
	return is(d, "ret_far") && d->p.opcode == 0xca && d->c->bits != 64 && d->ours->out.cs == SEL_CODE64 &&
	       same_place(d) && !((d->host->out.r[R_SP] ^ d->ours->out.r[R_SP]) & 0xffff);
}

/* The host has made one or both pointers canonical (FDP stays in some states). It shows at the end of a sequence, too. */
static bool x87_canonical(const struct difference *d)
{
	static const unsigned at[2] = {AT_FIP, AT_FDP};
	bool differ = false;

	for (unsigned i = 0; i < 2; i++) {
		u64 h = load_le(d->host->out.fx + at[i], 8), o = load_le(d->ours->out.fx + at[i], 8);

		if (h != o && h != (u64)sign_extend(o, 48))
			return false;
		differ |= h != o;
	}
	return differ;
}

/* FLD, FSTP m80, FBLD, FBSTP */
static bool ten_bytes(const struct difference *d)
{
	unsigned reg = d->p.modrm >> 3 & 7;

	return d->p.map == M1 && d->p.modrm < 0xc0 && ((d->p.opcode == 0xdb && reg >= 5) || (d->p.opcode == 0xdf && (reg == 4 || reg == 6)));
}

static bool x87_image_order(const struct difference *d)
{
	bool image = is(d, "fnstenv") || is(d, "fnsave") || is(d, "fldenv") || is(d, "frstor") || is(d, "fxsave") || is(d, "fxrstor") ||
		     ten_bytes(d) || (d->last && d->p.row && row_is_xsave(&rows[d->p.row - x86_insns]));

	return image && access_fault(d->host) && ((same_place(d) && access_fault(d->ours)) || d->p.asize == 2);
}

static bool x87_partial(const struct difference *d)
{
	return ten_bytes(d) && same_place(d) && access_fault(d->host) && access_fault(d->ours);
}

/* The first MMX instruction after x87 ones. */
static bool mmx_fault(const struct difference *d)
{
	bool store = is(d, "mm_movq_store") || is(d, "mm_movd_store") || is(d, "maskmovq");

	return store && same_place(d) && d->host->end == d->ours->end && access_fault(d->ours);
}

static bool xsave_parts(const struct difference *d)
{
	const u32 h = d->host->end, o = d->ours->end;
	bool save = is(d, "xsaveopt") || is(d, "xsavec"), h_done = h == END_OK || h == VEC_DB, o_done = o == END_OK || o == VEC_DB;

	return (save && h_done && access_fault(d->ours)) || (is(d, "xrstor") && ((h == VEC_PF && o_done) || (h_done && o == VEC_PF)));
}

/* MXCSR differs in PE alone, and an overflow or underflow was trapped. */
static bool xm_inexact(const struct difference *d)
{
	u32 h = (u32)load_le(d->host->out.fx + AT_MXCSR, 4), o = (u32)load_le(d->ours->out.fx + AT_MXCSR, 4);

	return d->host->end == VEC_XM && d->ours->end == VEC_XM && same_place(d) && (h ^ o) == 0x20 && o & ~o >> 7 & 0x18;
}

static bool masked_store(const struct difference *d)
{
	bool masked = is(d, "maskmovdqu") || is(d, "maskstore4") || is(d, "maskstore8");

	/* With an empty mask it may fault or not. */
	return masked && access_fault(d->host) && (is(d, "maskmovdqu") || (same_place(d) && access_fault(d->ours)));
}

/* A gather stopped by a fault: what lies above its elements. */
static bool gather_upper(const struct difference *d)
{
	bool gather = is(d, "gather_dd") || is(d, "gather_dq") || is(d, "gather_qd") || is(d, "gather_qq");

	return gather && same_place(d) && d->host->end == d->ours->end && access_fault(d->host);
}

/* MXCSR differs in DE alone, or by the step at which an exception was trapped. */
static bool dot_denormal(const struct difference *d)
{
	u32 h = (u32)load_le(d->host->out.fx + AT_MXCSR, 4), o = (u32)load_le(d->ours->out.fx + AT_MXCSR, 4);

	return (is(d, "dpps") || is(d, "dppd")) && same_place(d) && ((h ^ o) == 2 || (d->host->end == VEC_XM && d->ours->end == VEC_XM));
}

/* Rows that cannot be compared with this host at all: rows.c says why. */
static bool other_row(const struct difference *d)
{
	return d->c->kind == CASE_BYTES && d->p.row && rows[d->p.row - x86_insns].policy == SKIP;
}

struct exception exceptions[EXC_COUNT] = {
#define EXCEPTION(id, pred, text, section) {#id, text, section, 0},
#include "exceptions.def"
#undef EXCEPTION
};

static bool (*const predicates[EXC_COUNT])(const struct difference *) = {
#define EXCEPTION(id, pred, text, section) pred,
#include "exceptions.def"
#undef EXCEPTION
};

/* The instruction under way when the outcome was taken; with none left, the only one. */
static void find_insn(struct difference *d, const u8 *has)
{
	const struct ocase *c = d->c;
	unsigned i = compare_insns_before(c, d->host);

	d->last = i < c->ninsn || c->ninsn == 1 || (c->ninsn == 2 && c->row[0] == X86_POPF); /* gen_trap() */
	i = i < c->ninsn ? i : c->ninsn - 1u;
	d->fn = "";
	if (row_parse(c->code + c->start[i], (unsigned)(c->limit > c->start[i] ? c->limit - c->start[i] : 0), c->bits,
		      has, &d->p) &&
	    d->p.row)
		d->fn = rows[d->p.row - x86_insns].fn;
}

enum exception_id exception_find(const struct ocase *c, const struct outcome *host, const struct outcome *ours,
				 const u8 *has)
{
	struct difference d = {.c = c, .host = host, .ours = ours};

	find_insn(&d, has);
	for (unsigned i = 0; i < EXC_COUNT; i++)
		if (predicates[i](&d))
			return (enum exception_id)i;
	return EXC_NONE;
}
