/* Rows: policies, flags, features of the host, and the second look-up. See rows.h. */
#include "rows.h"

#include <cpuid.h>

static const char *const row_fn[X86_IDS] = {
#define I(id, map, opcode, prefix, reg, mod, mode, size, form, kind, fn, flags, feature, section) [X86_##id] = #fn,
#include "cpu_x86/x86_insn.def"
#undef I
};

struct row rows[X86_IDS];

static const struct row_rule rules[] = {
	{"syscall", NULL, SKIP, "a system call of the host"},
	{"sysenter", NULL, SKIP, "a system call of the host; #UD in long mode on AMD only"},
	{"sysexit", NULL, SKIP, "#UD in long mode on AMD only"},
	{"sysret", NULL, PRIV, NULL},
	{"vmrun", NULL, SKIP, "SVM"},
	{"vmload", NULL, SKIP, "SVM"},
	{"vmsave", NULL, SKIP, "SVM"},
	{"vmmcall", NULL, SKIP, "SVM"},
	{"stgi", NULL, SKIP, "SVM"},
	{"clgi", NULL, SKIP, "SVM"},
	{"skinit", NULL, SKIP, "SVM"},
	{"invlpga", NULL, SKIP, "SVM"},
	{"monitor", NULL, SKIP, "depends on HWCR and the hypervisor above the host"},
	{"mwait", NULL, SKIP, "depends on HWCR and the hypervisor above the host"},
	{"cpuid", NULL, SKIP, "the result is the host's"},
	{"rdtsc", NULL, SKIP, "the result is the host's"},
	{"rdtscp", NULL, SKIP, "the result is the host's"},
	{"rdpid", NULL, SKIP, "the result is the host's"},
	{"rdpmc", NULL, PRIV, NULL},
	{"rdrand", NULL, SKIP, "random"},
	{"rdseed", NULL, SKIP, "random"},
	{"sgdt", NULL, SKIP, "the result is the host's (no UMIP here)"},
	{"sidt", NULL, SKIP, "the result is the host's (no UMIP here)"},
	{"sldt", NULL, SKIP, "the result is the host's (no UMIP here)"},
	{"str", NULL, SKIP, "the result is the host's (no UMIP here)"},
	{"smsw", NULL, SKIP, "the result is the host's (no UMIP here)"},
	{"xgetbv", NULL, SKIP, "the result is the host's"},
	{"xsaves", NULL, PRIV, NULL},
	{"xrstors", NULL, PRIV, NULL},
	{"ins", NULL, PRIV, NULL},
	{"outs", NULL, PRIV, NULL},
	{"in_imm", NULL, PRIV, NULL},
	{"in_dx", NULL, PRIV, NULL},
	{"out_imm", NULL, PRIV, NULL},
	{"out_dx", NULL, PRIV, NULL},
	{"hlt", NULL, PRIV, NULL},
	{"cli", NULL, PRIV, NULL},
	{"sti", NULL, PRIV, NULL},
	{"lldt", NULL, PRIV, NULL},
	{"ltr", NULL, PRIV, NULL},
	{"lgdt", NULL, PRIV, NULL},
	{"lidt", NULL, PRIV, NULL},
	{"lmsw", NULL, PRIV, NULL},
	{"invlpg", NULL, PRIV, NULL},
	{"clac", NULL, PRIV, NULL},
	{"stac", NULL, PRIV, NULL},
	{"xsetbv", NULL, PRIV, NULL},
	{"swapgs", NULL, PRIV, NULL},
	{"clts", NULL, PRIV, NULL},
	{"invd", NULL, PRIV, NULL},
	{"wbinvd", NULL, PRIV, NULL},
	{"mov_from_cr", NULL, PRIV, NULL},
	{"mov_to_cr", NULL, PRIV, NULL},
	{"mov_from_dr", NULL, PRIV, NULL},
	{"mov_to_dr", NULL, PRIV, NULL},
	{"wrmsr", NULL, PRIV, NULL},
	{"rdmsr", NULL, PRIV, NULL},
	{"rsm", NULL, PRIV, NULL},
	{"invpcid", NULL, PRIV, NULL},
};

/* ---- flags ---- */
#define CF   FLAG_CF
#define PF   FLAG_PF
#define AF   FLAG_AF
#define ZF   FLAG_ZF
#define SF   FLAG_SF
#define OF   FLAG_OF
#define AALL FLAGS_ARITH

/* By handler: flags read; always defined afterwards; undefined afterwards. APM3: the rFLAGS table of each instruction's
 * page. Shifts and rotates: undefined here are those of a count above 1, see row_undefined(). */
static const struct flag_rule {
	const char *fn;
	u32 reads, writes, undefined;
} flag_rules[] = {
	{"add", 0, AALL, 0},
	{"sub", 0, AALL, 0},
	{"cmp", 0, AALL, 0},
	{"adc", CF, AALL, 0},
	{"sbb", CF, AALL, 0},
	{"and", 0, AALL & ~AF, AF},
	{"or", 0, AALL & ~AF, AF},
	{"xor", 0, AALL & ~AF, AF},
	{"test", 0, AALL & ~AF, AF},
	{"inc", 0, AALL & ~CF, 0},
	{"dec", 0, AALL & ~CF, 0},
	{"neg", 0, AALL, 0},
	{"imul2", 0, CF | OF, SF | ZF | AF | PF},
	{"imul3", 0, CF | OF, SF | ZF | AF | PF},
	{"imul1", 0, CF | OF, SF | ZF | AF | PF},
	{"mul", 0, CF | OF, SF | ZF | AF | PF},
	{"div", 0, 0, AALL},
	{"idiv", 0, 0, AALL},
	{"rol", 0, 0, OF},
	{"ror", 0, 0, OF},
	{"rcl", CF, 0, OF},
	{"rcr", CF, 0, OF},
	{"shl", 0, 0, OF | AF},
	{"shr", 0, 0, OF | AF},
	{"sar", 0, 0, OF | AF},
	{"shld", 0, 0, OF | AF},
	{"shrd", 0, 0, OF | AF},
	{"bt", 0, CF, AALL & ~CF},
	{"bts", 0, CF, AALL & ~CF},
	{"btr", 0, CF, AALL & ~CF},
	{"btc", 0, CF, AALL & ~CF},
	{"bsf", 0, ZF, AALL & ~ZF},
	{"bsr", 0, ZF, AALL & ~ZF},
	{"tzcnt", 0, ZF | CF, OF | SF | AF | PF},
	{"lzcnt", 0, ZF | CF, OF | SF | AF | PF},
	{"popcnt", 0, AALL, 0},
	{"xadd", 0, AALL, 0},
	{"cmpxchg", 0, AALL, 0},
	{"cmpxchg8b", 0, ZF, 0},
	{"daa", CF | AF, AALL & ~OF, OF},
	{"das", CF | AF, AALL & ~OF, OF},
	{"aaa", AF, CF | AF, OF | SF | ZF | PF},
	{"aas", AF, CF | AF, OF | SF | ZF | PF},
	{"aam", 0, SF | ZF | PF, OF | AF | CF},
	{"aad", 0, SF | ZF | PF, OF | AF | CF},
	{"salc", CF, 0, 0},
	{"andn", 0, SF | ZF | OF | CF, AF | PF},
	{"bextr", 0, ZF | OF | CF, AF | SF | PF},
	{"blsr", 0, SF | ZF | OF | CF, AF | PF},
	{"blsmsk", 0, SF | ZF | OF | CF, AF | PF},
	{"blsi", 0, SF | ZF | OF | CF, AF | PF},
	{"bzhi", 0, SF | ZF | OF | CF, AF | PF},
	{"adcx", CF, CF, 0},
	{"adox", OF, OF, 0},
	{"clc", 0, CF, 0},
	{"stc", 0, CF, 0},
	{"cmc", CF, CF, 0},
	{"sahf", 0, AALL & ~OF, 0},
	{"lahf", AALL & ~OF, 0, 0},
	{"pushf", AALL, 0, 0},
	{"popf", 0, AALL, 0},
	{"cmov", AALL, 0, 0},
	{"fcmov", ZF | CF | PF, 0, 0},
	{"fcomi", 0, 0, 0}, /* nothing changes if an exception is pending */
	{"set", AALL, 0, 0},
	{"jcc", AALL, 0, 0},
	{"loop", ZF, 0, 0},
	{"into", OF, 0, 0},
	{"arpl", 0, ZF, 0},
	{"lar", 0, ZF, 0},
	{"lsl", 0, ZF, 0},
	{"verr", 0, ZF, 0},
	{"verw", 0, ZF, 0},
	{"scas", AALL, 0, 0}, /* nothing changes if the count is 0 */
	{"cmps", AALL, 0, 0},
};

/* "add" is the stem of "add_EG". */
static bool is_stem(const char *stem, const char *fn)
{
	size_t n = strlen(stem);

	return !strncmp(stem, fn, n) && (!fn[n] || (fn[n] == '_' && strcmp(fn + n, "_wide")));
}

static void set_flags(struct row *r)
{
	for (unsigned i = 0; i < ARRAY_SIZE(flag_rules); i++)
		if (is_stem(flag_rules[i].fn, r->fn)) {
			r->reads = flag_rules[i].reads;
			r->writes = flag_rules[i].writes;
			r->undefined = flag_rules[i].undefined;
			return;
		}
}

static unsigned shift_count(const struct row *r, const struct parsed *p, const struct ostate *in, u8 last)
{
	unsigned n = r->insn->form == FORM_E1                                   ? 1
		     : (r->insn->form == FORM_EIu || r->insn->form == FORM_EGI) ? last
										: (u8)in->r[R_CX];

	return n & (p->osize == 8 ? 63 : 31);
}

static bool is_shift(const struct row *r)
{
	static const char *const names[] = {"rol", "ror", "rcl", "rcr", "shl", "shr", "sar", "shld", "shrd"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (is_stem(names[i], r->fn))
			return true;
	return false;
}

u32 row_undefined(const struct row *r, const struct parsed *p, const struct ostate *in, u8 last)
{
	unsigned n;

	if (!r->shift)
		return r->undefined;
	n = shift_count(r, p, in, last);
	if (row_undefined_result(r, p, in, last))
		return AALL;
	return n == 0 ? 0 : n == 1 ? r->undefined & AF : r->undefined;
}

bool row_is_xsave(const struct row *r) { return !strncmp(r->fn, "xsave", 5) || !strncmp(r->fn, "xrstor", 6); }
static bool fn_is_fx(const char *fn) { return !strcmp(fn, "fxsave") || !strcmp(fn, "fxrstor"); }

unsigned row_alignment(const struct row *r, unsigned osize)
{
	bool packed = !strcmp(r->fn, "cvtpd2pi") || !strcmp(r->fn, "cvttpd2pi");

	return row_is_xsave(r) ? 64 : fn_is_fx(r->fn) || packed ? 16 : osize;
}

bool row_uses_fp(const struct row *r)
{
	return fn_is_fx(r->fn) || row_is_xsave(r) || r->insn->flags & SSE || r->insn->kind == KIND_X87 || !strncmp(r->insn->section, "APM5", 4) || !strncmp(r->fn, "mm_", 3);
}


bool row_undefined_result(const struct row *r, const struct parsed *p, const struct ostate *in, u8 last)
{
	if (r->shift && (r->insn->form == FORM_EGI || r->insn->form == FORM_EG)) /* SHLD, SHRD */
		return shift_count(r, p, in, last) > p->osize * 8u;              /* APM3 SHLD */
	return r->insn == &x86_insns[X86_BSWAP] && p->osize == 2;                /* APM3 BSWAP */
}

/* ---- the host's features ---- */
void host_features(u8 has[X86_F_COUNT])
{
	static const struct {
		u16 f;
		u32 leaf, sub, reg, bit;
	} places[] = {
#define FEATURE(id, name, leaf, sub, reg, bit, models) {X86_F_##id, leaf, sub, reg, bit},
#include "cpu_x86/features.def"
#undef FEATURE
	};

	memset(has, 0, X86_F_COUNT);
	has[X86_F_NONE] = 1;
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		u32 out[4] = {0};

		if (__get_cpuid_count(places[i].leaf, places[i].sub, &out[0], &out[1], &out[2], &out[3]))
			has[places[i].f] = out[places[i].reg] >> places[i].bit & 1;
	}
}

/* ---- all rows ---- */
static void set_policy(struct row *r, const u8 has[X86_F_COUNT])
{
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
		if (!strcmp(rules[i].fn, r->fn)) {
			r->policy = rules[i].policy;
			r->why = rules[i].why;
		}
	if (!has[r->insn->feature]) {
		r->policy = SKIP;
		r->why = "the host lacks the feature";
	}
}

/* In sequences: what neither faults for certain, nor goes away, nor loads segments. */
static bool fit_for_sequence(const struct row *r)
{
	static const char *const out[] = {
		"ud",       "int3",     "int_n", "int1", "into",  "popf",      "pushf",         "mov_sreg", "pop_sreg",
		"lxs",      "loop",     "ret",   "lsl",  "enter", "leave",     "bound",         "call",     "jmp",
		"wrfsbase", "wrgsbase", "bswap", "xlat", "popa",  "push_sreg", "mov_from_sreg", "pause",    "xsave",
		"xsaveopt", "xsavec",   "xrstor"};

	for (unsigned i = 0; i < ARRAY_SIZE(out); i++)
		if (is_stem(out[i], r->fn))
			return false;
	return r->policy == RUN;
}

void rows_init(const u8 has[X86_F_COUNT])
{
	for (unsigned i = 0; i < X86_IDS; i++) {
		struct row *r = &rows[i];

		r->insn = &x86_insns[i];
		r->fn = row_fn[i];
		set_policy(r, has);
		set_flags(r);
		r->shift = is_shift(r);
		r->seq = fit_for_sequence(r);
	}
}
