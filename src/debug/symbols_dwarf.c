/* See symbols_dwarf.h. Call frames: DWARF 5, 6.4; the register numbers are those of the System V ABI for AMD64 and i386, and of the ABI for the
 * ARM architecture (IHI0040). */
#include "debug/symbols_dwarf.h"

#ifdef HAVE_LIBDW
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void dwarf_open(struct symbol_image *im)
{
	im->dwarf = dwarf_begin_elf(im->elf, DWARF_C_READ, NULL);
	if (im->dwarf)
		im->cfi = dwarf_getcfi(im->dwarf); /* .debug_frame */
}

void dwarf_close(struct symbol_image *im)
{
	if (im->dwarf)
		dwarf_end(im->dwarf);
	im->dwarf = im->cfi = NULL;
}

bool dwarf_library(void) { return true; }

/* ---- lines ---- */

static bool next_unit(Dwarf *d, Dwarf_Off *off, Dwarf_Die *cu)
{
	Dwarf_Off next;
	size_t header;

	while (dwarf_nextcu(d, *off, &next, &header, NULL, NULL, NULL) == 0) {
		Dwarf_Off at = *off + header;

		*off = next;
		if (dwarf_offdie(d, at, cu))
			return true;
	}
	return false;
}

bool dwarf_line(const struct symbol_image *im, u64 addr, char *buf, size_t size)
{
	Dwarf_Off off = 0;
	Dwarf_Die cu;

	addr -= im->bias;
	while (im->dwarf && next_unit(im->dwarf, &off, &cu)) {
		Dwarf_Line *l;
		const char *file;
		int n;

		if (dwarf_haspc(&cu, addr) <= 0)
			continue;
		l = dwarf_getsrc_die(&cu, addr);
		if (!l || !(file = dwarf_linesrc(l, NULL, NULL)) || dwarf_lineno(l, &n))
			continue;
		snprintf(buf, size, "%s:%d", base_name(file), n);
		return true;
	}
	return false;
}

/* The wanted path is the end of the real one. */
static bool same_file(const char *have, const char *want)
{
	size_t h = strlen(have), w = strlen(want);

	return h >= w && !strcmp(have + h - w, want) && (h == w || have[h - w - 1] == '/');
}

/* The lowest statement of the line, or of the first one after it that has code. */
bool dwarf_line_addr(const struct symbol_image *im, const char *file, int line, u64 *addr)
{
	Dwarf_Off off = 0;
	Dwarf_Die cu;
	int best = 0;
	Dwarf_Addr found = 0;

	while (im->dwarf && next_unit(im->dwarf, &off, &cu)) {
		Dwarf_Lines *lines;
		size_t n;

		if (dwarf_getsrclines(&cu, &lines, &n))
			continue;
		for (size_t i = 0; i < n; i++) {
			Dwarf_Line *l = dwarf_onesrcline(lines, i);
			const char *src = dwarf_linesrc(l, NULL, NULL);
			Dwarf_Addr a;
			bool stmt, end;
			int no;

			if (!src || dwarf_lineno(l, &no) || dwarf_lineaddr(l, &a) || dwarf_linebeginstatement(l, &stmt) ||
			    dwarf_lineendsequence(l, &end) || !stmt || end || no < line || !same_file(src, file))
				continue;
			if (!best || no < best || (no == best && a < found)) {
				best = no;
				found = a;
			}
		}
	}
	*addr = found + im->bias;
	return best != 0;
}

void symbols_lines(const struct symbol_image *im, void (*each)(void *arg, const char *file, int line, u64 addr), void *arg)
{
	Dwarf_Off off = 0;
	Dwarf_Die cu;

	while (im->dwarf && next_unit(im->dwarf, &off, &cu)) {
		Dwarf_Lines *lines;
		size_t n;

		if (dwarf_getsrclines(&cu, &lines, &n))
			continue;
		for (size_t i = 0; i < n; i++) {
			Dwarf_Line *l = dwarf_onesrcline(lines, i);
			const char *src = dwarf_linesrc(l, NULL, NULL);
			Dwarf_Addr a;
			bool stmt, end;
			int no;

			if (src && !dwarf_lineno(l, &no) && !dwarf_lineaddr(l, &a) && !dwarf_linebeginstatement(l, &stmt) &&
			    !dwarf_lineendsequence(l, &end) && stmt && !end && no)
				each(arg, src, no, a + im->bias);
		}
	}
}

/* ---- call frames ---- */

/* Our number of a DWARF register; -1: none of the general ones. */
static int our_reg(const struct symbol_image *im, unsigned n)
{
	static const s8 amd64[16] = {R_AX, R_DX, R_CX, R_BX, R_SI, R_DI, R_BP, R_SP, 8, 9, 10, 11, 12, 13, 14, 15};

	if (im->arm)
		return n < 16 ? (int)n : -1;
	if (im->entry_bits == 64)
		return n < 16 ? amd64[n] : -1;
	return n < 8 ? (int)n : -1; /* i386: the processor's order */
}

struct frame {
	const struct symbol_image *im;
	const struct view *v;
	const u64 *r;
	u64 cfa;
	unsigned word;
};

#define STACK 16

/* The few operations that compilers put into call frame information. False: another one. */
static bool evaluate(const struct frame *f, const Dwarf_Op *op, size_t n, bool start_cfa, u64 *val, bool *is_value)
{
	u64 s[STACK];
	unsigned sp = 0;

	if (start_cfa)
		s[sp++] = f->cfa;
	*is_value = false;
	for (size_t i = 0; i < n; i++) {
		unsigned a = op[i].atom;
		int reg;

		if (sp >= STACK - 1)
			return false;
		if (a >= DW_OP_breg0 && a <= DW_OP_breg31) {
			reg = our_reg(f->im, a - DW_OP_breg0);
			if (reg < 0)
				return false;
			s[sp++] = f->r[reg] + op[i].number;
		} else if (a == DW_OP_bregx) {
			reg = our_reg(f->im, (unsigned)op[i].number);
			if (reg < 0)
				return false;
			s[sp++] = f->r[reg] + op[i].number2;
		} else if (a >= DW_OP_lit0 && a <= DW_OP_lit31) {
			s[sp++] = a - DW_OP_lit0;
		} else if (a == DW_OP_call_frame_cfa) {
			s[sp++] = f->cfa;
		} else if (a == DW_OP_stack_value) {
			*is_value = true;
		} else if (a == DW_OP_plus_uconst && sp) {
			s[sp - 1] += op[i].number;
		} else if (a == DW_OP_plus && sp > 1) {
			sp--;
			s[sp - 1] += s[sp];
		} else if (a == DW_OP_deref && sp) {
			if (!view_load(f->v, LEVEL_V, s[sp - 1], f->word, &s[sp - 1]))
				return false;
		} else {
			return false;
		}
	}
	*val = sp ? s[sp - 1] : 0;
	return sp != 0;
}

/* Register n in the caller. False: nothing is said of it. */
static bool caller_reg(const struct frame *f, Dwarf_Frame *frame, int n, u64 *val)
{
	Dwarf_Op mem[3], *ops;
	size_t len;
	bool is_value;

	if (dwarf_frame_register(frame, n, mem, &ops, &len) || (!len && ops == mem) || !len)
		return false;
	if (!evaluate(f, ops, len, false, val, &is_value))
		return false;
	return is_value || view_load(f->v, LEVEL_V, *val, f->word, val);
}

bool dwarf_unwind(const struct symbol_image *im, const struct view *v, u64 r[16], u64 *pc)
{
	struct frame f = {.im = im, .v = v, .r = r, .word = im->entry_bits / 8};
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	u64 up[16];
	size_t n;
	bool is_value, ok;
	int ra = im->arm ? 14 : im->entry_bits == 64 ? 16 : 8, sp = (int)v->ops->sp;

	if (!im->cfi || dwarf_cfi_addrframe(im->cfi, *pc - im->bias, &frame))
		return false;
	ok = dwarf_frame_cfa(frame, &ops, &n) == 0 && evaluate(&f, ops, n, false, &f.cfa, &is_value);
	memcpy(up, r, sizeof up);
	for (int k = 0; ok && k < ra; k++) {
		int reg = our_reg(im, (unsigned)k);
		u64 val;

		if (reg >= 0 && reg != sp && caller_reg(&f, frame, k, &val))
			up[reg] = val;
	}
	if (ok && !caller_reg(&f, frame, ra, pc)) {
		ok = im->arm && f.cfa == r[sp]; /* a leaf whose caller's lr is still there */
		*pc = r[14] & ~1ull;
	}
	free(frame);
	if (!ok)
		return false;
	memcpy(r, up, sizeof up);
	r[sp] = f.cfa;
	return true;
}
#else
void dwarf_open(struct symbol_image *im) { (void)im; }
void dwarf_close(struct symbol_image *im) { (void)im; }
bool dwarf_library(void) { return false; }
bool dwarf_line(const struct symbol_image *im, u64 addr, char *buf, size_t size)
{
	(void)im, (void)addr, (void)buf, (void)size;
	return false;
}
bool dwarf_line_addr(const struct symbol_image *im, const char *file, int line, u64 *addr)
{
	(void)im, (void)file, (void)line, (void)addr;
	return false;
}
bool dwarf_unwind(const struct symbol_image *im, const struct view *v, u64 r[16], u64 *pc)
{
	(void)im, (void)v, (void)r, (void)pc;
	return false;
}
void symbols_lines(const struct symbol_image *im, void (*each)(void *arg, const char *file, int line, u64 addr), void *arg)
{
	(void)im, (void)each, (void)arg;
}
#endif
