/* See dump.h. */
#include "debug/dump.h"

#include <stdio.h>

#include "mmu/walk.h"

#define WIDTH 110

const char *exception_name(unsigned vector, char *buf, size_t size)
{
	static const char *const names[] = {
		[VEC_DE] = "#DE", [VEC_DB] = "#DB", [VEC_NMI] = "NMI", [VEC_BP] = "#BP", [VEC_OF] = "#OF",
		[VEC_BR] = "#BR", [VEC_UD] = "#UD", [VEC_NM] = "#NM",  [VEC_DF] = "#DF", [VEC_TS] = "#TS",
		[VEC_NP] = "#NP", [VEC_SS] = "#SS", [VEC_GP] = "#GP",  [VEC_PF] = "#PF", [VEC_MF] = "#MF",
		[VEC_AC] = "#AC", [VEC_MC] = "#MC", [VEC_XM] = "#XF",  [30] = "#SX",
	};

	if (vector < ARRAY_SIZE(names) && names[vector])
		return names[vector];
	snprintf(buf, size, "vector %02xh", vector);
	return buf;
}

void dump_exception(struct text *out, unsigned vector, bool has_error, u32 error, u64 cr2, unsigned rule)
{
	char buf[16];

	text_puts(out, exception_name(vector, buf, sizeof buf));
	if (has_error)
		text_printf(out, " error %04x", error);
	if (vector == VEC_PF) {
		text_printf(out, " address %016llx: ", (unsigned long long)cr2);
		walk_print_error(out, error, false);
	}
	if (rule && rule < RULE_COUNT)
		text_printf(out, ": %s (%s)", x86_rules[rule].sentence, x86_rules[rule].section);
}

static bool all_zero(const struct field *f, const void *base)
{
	const u8 *p = (const u8 *)base + f->off;

	for (size_t i = 0; i < (size_t)f->size * f->count; i++)
		if (p[i])
			return false;
	return true;
}

void dump_fields(struct text *out, const struct field *t, size_t n, const void *base, bool brief)
{
	size_t column = 0;

	for (size_t i = 0; i < n; i++) {
		char buf[1024];
		struct text one;

		if (t[i].fmt == FMT_PAD ||
		    (brief && (t[i].fmt == FMT_BYTES || (strchr(t[i].name, '.') && all_zero(&t[i], base)))))
			continue;
		text_init_buffer(&one, buf, sizeof buf);
		field_print(&t[i], base, &one);
		if (column && column + 1 + one.used > WIDTH) {
			text_puts(out, "\n");
			column = 0;
		}
		text_printf(out, "%s%s", column ? " " : "  ", buf);
		column += one.used + (column ? 1 : 2);
	}
	text_puts(out, column ? "\n" : "");
}

void dump_cpu(struct text *out, const struct x86_cpu *c)
{
	text_printf(out, "cpu%u, %s:\n", c->id, c->svm.guest ? "running a guest" : "host");
	text_printf(out, "  rflags=%08llx (lazy arithmetic flags computed)\n", (unsigned long long)x86_get_flags(c));
	dump_fields(out, x86_fields, x86_fields_n, c, true);
	if (c->efer & EFER_SVME || c->svm.guest)
		dump_fields(out, svm_fields, svm_fields_n, &c->svm, true);
}

void dump_triple_fault(struct text *out, const struct x86_cpu *c)
{
	static const char *const what[] = {"first fault", "while delivering it", "while delivering #DF"};

	text_printf(out, "triple fault on cpu%u (%s):\n", c->id, c->svm.guest ? "guest" : "host");
	for (unsigned i = 0; i < c->faults && i < ARRAY_SIZE(what); i++) {
		const struct x86_exception *e = &c->first_fault[i];

		text_printf(out, "  %u. %-21s at %04x:%016llx ", i + 1, what[i], c->seg[SEG_CS].sel,
			    (unsigned long long)c->first_rip[i]);
		dump_exception(out, e->vector, e->has_error, e->error, e->cr2, e->rule);
		text_puts(out, "\n");
	}
}
