/* A case as one line: 64 at=401234 code=4801d8 rax=1 flags=203 ... What is zero is left out. */
#include <stdio.h>
#include <stdlib.h>

#include "fpstate.h"
#include "oracle.h"

static const char *const reg_names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
					  "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
static const struct {
	const char *name;
	u16 off, size;
} words[] = {
	{"es", offsetof(struct ostate, es), 2},         {"cs", offsetof(struct ostate, cs), 2},
	{"ss", offsetof(struct ostate, ss), 2},         {"ds", offsetof(struct ostate, ds), 2},
	{"fs", offsetof(struct ostate, fs), 2},         {"gs", offsetof(struct ostate, gs), 2},
	{"fsbase", offsetof(struct ostate, fsbase), 8}, {"gsbase", offsetof(struct ostate, gsbase), 8},
	{"flags", offsetof(struct ostate, flags), 8},
};

void repro_print(const struct ocase *c, struct text *t)
{
	struct ostate plain;

	fp_default(plain.fx);
	text_printf(t, "%u at=%llx code=", c->bits, (unsigned long long)c->at);
	for (unsigned i = 0; i < c->ncode; i++)
		text_printf(t, "%s%02x", i && c->kind == CASE_SEQUENCE && memchr(c->start, (int)i, c->ninsn) ? "." : "",
			    c->code[i]);
	if (c->kind == CASE_BYTES)
		text_puts(t, " bytes=1");
	if (c->limit != c->ncode || !c->trailer)
		text_printf(t, " limit=%u", c->limit);
	for (unsigned i = 0; i < 16; i++)
		if (c->in.r[i])
			text_printf(t, " %s=%llx", reg_names[i], (unsigned long long)c->in.r[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (load_le((const u8 *)&c->in + words[i].off, words[i].size))
			text_printf(t, " %s=%llx", words[i].name,
				    (unsigned long long)load_le((const u8 *)&c->in + words[i].off, words[i].size));
	for (unsigned i = 0; i < FX_SIZE; i += 8)
		if (load_le(c->in.fx + i, 8) != load_le(plain.fx + i, 8))
			text_printf(t, " fx%x=%llx", i, (unsigned long long)load_le(c->in.fx + i, 8));
	for (unsigned i = 0; i < c->npoke; i++)
		text_printf(t, " poke=%llx:%llx", (unsigned long long)c->poke[i].addr,
			    (unsigned long long)c->poke[i].val);
}

static void parse_code(struct ocase *c, const char *s)
{
	char hex[3] = {0};

	c->ninsn = 0;
	c->ncode = 0;
	c->start[c->ninsn++] = 0;
	while (s[0] && s[1] && c->ncode < CASE_CODE) {
		if (*s == '.') {
			if (c->ninsn < CASE_INSNS)
				c->start[c->ninsn++] = (u8)c->ncode;
			s++;
			continue;
		}
		memcpy(hex, s, 2);
		c->code[c->ncode++] = (u8)strtoul(hex, NULL, 16);
		s += 2;
	}
	c->start[c->ninsn] = (u8)c->ncode;
	c->limit = c->ncode;
	c->kind = c->ninsn > 1 ? CASE_SEQUENCE : CASE_SINGLE;
}

static bool parse_word(struct ocase *c, const char *name, const char *val)
{
	u64 v = strtoull(val, NULL, 16);

	for (unsigned i = 0; i < 16; i++)
		if (!strcmp(name, reg_names[i])) {
			c->in.r[i] = v;
			return true;
		}
	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(name, words[i].name)) {
			store_le((u8 *)&c->in + words[i].off, words[i].size, v);
			return true;
		}
	if (!strncmp(name, "fx", 2) && strtoul(name + 2, NULL, 16) <= FX_SIZE - 8) {
		store_le(c->in.fx + strtoul(name + 2, NULL, 16), 8, v);
	} else if (!strcmp(name, "at")) {
		c->at = v;
	} else if (!strcmp(name, "code")) {
		parse_code(c, val);
	} else if (!strcmp(name, "bytes")) {
		c->kind = CASE_BYTES;
	} else if (!strcmp(name, "limit")) {
		c->limit = (u16)strtoul(val, NULL, 10);
		c->trailer = 0;
	} else if (!strcmp(name, "poke") && c->npoke < CASE_POKES && strchr(val, ':')) {
		c->poke[c->npoke].addr = v;
		c->poke[c->npoke++].val = strtoull(strchr(val, ':') + 1, NULL, 16);
	} else {
		return false;
	}
	return true;
}

static u64 base_of(u16 sel)
{
	u64 d = emu_descriptor(sel);

	return sel & 4 ? bits(d, 39, 16) | bits(d, 63, 56) << 24 : 0;
}

bool repro_parse(const char *s, struct ocase *c, const u8 *has, struct error *err)
{
	char buf[8192], *save, *w;

	memset(c, 0, sizeof *c);
	fp_default(c->in.fx);
	c->trailer = 1;
	c->at = CODE_BASE + 0x100;
	snprintf(buf, sizeof buf, "%s", s);
	for (w = strtok_r(buf, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *eq = strchr(w, '=');

		if (!eq) {
			c->bits = (u8)strtoul(w, NULL, 10);
			continue;
		}
		*eq = 0;
		if (!parse_word(c, w, eq + 1))
			return error_set(err, "reproducer: do not know %s", w);
	}
	if (c->bits != 64 && c->bits != 32 && c->bits != 16)
		return error_set(err, "reproducer: wants 64, 32 or 16 first");
	if (!c->in.cs)
		c->in.cs = c->bits == 64 ? SEL_CODE64 : c->bits == 32 ? SEL_CODE32 : LDT_SEL(LDT_CODE16);
	c->in.ss = c->in.ss ? c->in.ss : SEL_DATA;
	c->in.flags |= 0x202;
	c->in.rip = c->at - (c->bits == 64 ? 0 : base_of(c->in.cs));
	for (unsigned i = 0; i < c->ninsn; i++) {
		struct parsed p;

		if (row_parse(c->code + c->start[i], c->start[i + 1] - c->start[i], c->bits, has, &p) && p.row)
			c->row[i] = (u16)(p.row - x86_insns);
	}
	return true;
}
