/*
 * Evaluates checks.def: one pass without branches on the table when all is well, the list of failed rows when not, and
 * their explanation. APM2 15.5.1, 15.25.4.
 */
#include "svm/checks.h"

#include "base/cover.h"
#include "cpu_x86/system.h"
#include "svm/explain.h"
#include "svm/state.h"

_Static_assert(SVM_CHECK_COUNT <= 64, "svm_priv.failed is a bit set");

#define LONG_PAGING        (g->efer & EFER_LME && g->cr0 & CR0_PG)
#define BEYOND(base, size) ((((base) & ~0xfffull) + ((size)-1)) & l->pa_mbz)
#define CODE64             ((g->efer & EFER_LME && g->cr0 & CR0_PG) && g->cs.attr & ATTR_L)

/* The vectors that are exceptions here. 9, 15, 20 and the like are not; 21, 28 and 29 belong to features that are not
 * there. APM2 8.2 */
#define EXCEPTIONS     (0xffull & ~BIT(VEC_NMI)) | BIT(VEC_DF) | 0x1full << VEC_TS | 0xfull << VEC_MF | BIT(30)
#define INJECTED(type) (g->eventinj & EVENT_V && EVENT_TYPE(g->eventinj) == (type))
#define EVENT_TYPE_BAD (g->eventinj & EVENT_V && !(0x1du >> EVENT_TYPE(g->eventinj) & 1))
#define EVENT_VECTOR_BAD                                                                                               \
	(INJECTED(EVENT_EXCEPTION) &&                                                                                  \
	 (EVENT_VECTOR(g->eventinj) > 31 || !((EXCEPTIONS) >> EVENT_VECTOR(g->eventinj) & 1)))
#define EVENT_MODE_BAD                                                                                                 \
	(INJECTED(EVENT_EXCEPTION) && CODE64 &&                                                                        \
	 (EVENT_VECTOR(g->eventinj) == VEC_OF || EVENT_VECTOR(g->eventinj) == VEC_BR))

/* The bits of PAT fields with a reserved type (2, 3) or reserved bits 7:3. APM2 7.8.1 */
static u64 pat_bad(u64 pat)
{
	const u64 ones = 0x0101010101010101;

	return (pat & ones * 0xf8) | ((pat & ones << 1) & ~(pat >> 1 & ones << 1));
}

/* One row's wrong bits. */
#define CHECK(id, label, value, bad, others, sentence, section)                                                        \
	case SVM_CHECK_##id: *val = (value); return (bad);
static u64 check_bits(enum svm_check_id row, const struct svm_state *s, const struct svm_limits *l, u64 *val)
{
	const struct svm_load *g = &svm_priv_of(s)->g;

	switch (row) {
#include "svm/checks.def"
	default: return 0;
	}
}
#undef CHECK

static COLD NOINLINE u64 failed_rows(const struct svm_state *s, const struct svm_limits *l)
{
	u64 set = 0, val;

	for (unsigned i = 0; i < SVM_CHECK_COUNT; i++)
		if (check_bits(i, s, l, &val)) {
			set |= BIT(i);
			cover(COVER_CHECK, i);
		}
	return set;
}

u64 svm_check_state(const struct svm_state *s, const struct svm_limits *l)
{
	const struct svm_load *g = &svm_priv_of(s)->g;
	u64 any = 0;

#define CHECK(id, label, value, bad, others, sentence, section) any |= (bad);
#include "svm/checks.def"
#undef CHECK
	return likely(!any) ? 0 : failed_rows(s, l);
}

bool svm_host_state_bad(const struct svm_limits *l, u64 cr0, u64 cr3, u64 cr4, u64 efer)
{
	bool lm = efer & EFER_LME && cr0 & CR0_PG;

	return (~efer & EFER_SVME) | (efer & l->efer_mbz) | (cr4 & l->cr4_mbz) | cr0 >> 32 |
	       (lm ? cr3 & l->pa_mbz : 0) | ((cr0 & (CR0_CD | CR0_NW)) == CR0_NW) | (lm && !(cr4 & CR4_PAE)) |
	       (lm && !l->long_mode);
}

/* ---- what the CPU model has ---- */

#define EFER_RAZ 0xfeull /* reserved, but read as zero, not MBZ. APM2 3.1.7 */

void svm_limits_get(struct x86_cpu *c, struct svm_limits *l)
{
	struct svm_priv *p = svm_priv(&c->svm);

	if (unlikely(!p->cr4_mbz)) {
		p->cr4_mbz = ~x86_cr4_allowed(c->model);
		p->efer_mbz = ~(x86_efer_allowed(c->model) | EFER_RAZ | EFER_LMA |
				EFER_LME); /* the last two have their own row */
	}
	l->cr4_mbz = p->cr4_mbz;
	l->efer_mbz = p->efer_mbz;
	l->pa_mbz = ~mask_low(c->model->pa_bits);
	l->long_mode = x86_has(c->model, X86_F_LM);
	l->host_paging = p->host_cr0 & CR0_PG;
	l->host_long = p->host_efer & EFER_LMA;
}

/* ---- explanation ---- */

#define CHECK(id, label, value, bad, others, sentence, section) {#id, label, others, sentence, section},
const struct svm_check svm_checks[SVM_CHECK_COUNT] = {
#include "svm/checks.def"
};
#undef CHECK

unsigned svm_failed_count(const struct x86_cpu *c)
{
	return (unsigned)__builtin_popcountll(svm_priv_of(&c->svm)->failed);
}

/* "NAME=value BITS" of the field called label, with this value instead of that in memory. */
static void print_value(struct text *out, const char *label, u64 val)
{
	const struct field *f = field_find(vmcb_fields, vmcb_fields_n, label);
	struct field at0;

	if (!f)
		return;
	at0 = *f;
	at0.off = 0;
	field_print(&at0, &val, out);
}

/* The name of bit i of the field, or NULL. */
static const char *bit_name(const struct field *f, unsigned i)
{
	for (unsigned k = 0; f && f->bits && f->bits[k] != FIELD_END; k++)
		if (k == i)
			return f->bits[k];
	return NULL;
}

/* "bit 5 (PAE) is 0, bits 63:32 are 1": the wrong bits and what they are; a run of nameless ones at once. */
static void print_bits(struct text *out, const char *label, u64 bad, u64 val)
{
	const struct field *f = field_find(vmcb_fields, vmcb_fields_n, label);
	const char *sep = "";

	for (unsigned i = 0, end; i < 64; i = end) {
		unsigned bit = (unsigned)(val >> i & 1);

		end = i + 1;
		if (!(bad >> i & 1))
			continue;
		while (!bit_name(f, i) && end < 64 && bad >> end & 1 && (val >> end & 1) == bit && !bit_name(f, end))
			end++;
		if (end - i > 1)
			text_printf(out, "%sbits %u:%u are %u", sep, end - 1, i, bit);
		else if (bit_name(f, i))
			text_printf(out, "%sbit %u (%s) is %u", sep, i, bit_name(f, i), bit);
		else
			text_printf(out, "%sbit %u is %u", sep, i, bit);
		sep = ", ";
	}
}

static void print_others(struct text *out, const u8 *vmcb, const char *others)
{
	char label[32];
	int n;

	for (; sscanf(others, "%31s%n", label, &n) == 1; others += n) {
		const struct field *f = field_find(vmcb_fields, vmcb_fields_n, label);

		text_puts(out, "\n      with ");
		if (f)
			field_print(f, vmcb, out);
	}
}

void svm_failed_checks(struct x86_cpu *c, struct text *out)
{
	const struct svm_state *s = &c->svm;
	const u8 *vmcb = svm_page_read(c, s->vmcb_pa);
	struct svm_limits l;

	svm_limits_get(c, &l);
	for (unsigned i = 0; i < SVM_CHECK_COUNT; i++) {
		const struct svm_check *k = &svm_checks[i];
		u64 val = 0, bad = check_bits(i, s, &l, &val);

		if (!(svm_priv_of(s)->failed >> i & 1))
			continue;
		text_printf(out, "    %s  [%s]\n      ", k->sentence, k->section);
		print_value(out, k->label, val);
		text_puts(out, "\n      ");
		print_bits(out, k->label, bad, val);
		print_others(out, vmcb, k->others);
		text_puts(out, "\n");
	}
}
