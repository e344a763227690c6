/* See gdb_agent.h. Straight code only: a jump makes the condition one that GDB itself evaluates after the stop. */
#include "debug/gdb_agent.h"

#include <stdio.h>
#include <stdlib.h>

#define STACK 8
#define BYTES 64

static const char *const amd64[17] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip"};

static const char *const arm[16] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};

/* NULL: not known by name. */
static const char *register_name(enum gdb_agent_regs regs, u64 n)
{
	if (regs == GDB_AGENT_ARM)
		return n < ARRAY_SIZE(arm) ? arm[n] : NULL;
	return regs == GDB_AGENT_AMD64 && n < ARRAY_SIZE(amd64) ? amd64[n] : NULL;
}

struct text_stack {
	char s[STACK][128];
	unsigned n;
};

static bool push(struct text_stack *t, const char *text)
{
	if (t->n == STACK || strlen(text) >= sizeof t->s[0])
		return false;
	strcpy(t->s[t->n++], text);
	return true;
}

static bool binary(struct text_stack *t, const char *op)
{
	char buf[300];

	if (t->n < 2)
		return false;
	t->n -= 2;
	snprintf(buf, sizeof buf, "(%s%s%s)", t->s[t->n], op, t->s[t->n + 1]);
	return push(t, buf);
}

static bool unary(struct text_stack *t, const char *before, const char *after)
{
	char buf[200];

	if (!t->n)
		return false;
	t->n--;
	snprintf(buf, sizeof buf, "%s%s%s", before, t->s[t->n], after);
	return push(t, buf);
}

static u64 big_endian(const u8 *p, unsigned n)
{
	u64 v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* GDB manual F.2. False: not told as text. */
static bool translate(const u8 *p, size_t n, enum gdb_agent_regs regs, char *out, size_t size)
{
	struct text_stack t = {.n = 0};
	char buf[64];

	for (size_t i = 0; i < n;) {
		u8 op = p[i++];
		unsigned arg = op == 0x22 ? 1 : op == 0x23 || op == 0x26 ? 2 : op == 0x24 ? 4 : op == 0x25 ? 8 : op == 0x16 || op == 0x2a ? 1 : 0;
		u64 v;
		bool good;

		if (i + arg > n)
			return false;
		v = big_endian(p + i, arg);
		i += arg;
		switch (op) {
		case 0x02: good = binary(&t, "+"); break;
		case 0x03: good = binary(&t, "-"); break;
		case 0x04: good = binary(&t, "*"); break;
		case 0x09: good = binary(&t, "<<"); break;
		case 0x0b: good = binary(&t, ">>"); break;
		case 0x0e: good = unary(&t, "!", ""); break;
		case 0x0f: good = binary(&t, "&"); break;
		case 0x10: good = binary(&t, "|"); break;
		case 0x11: good = binary(&t, "^"); break;
		case 0x12: good = unary(&t, "~", ""); break;
		case 0x13: good = binary(&t, "=="); break;
		case 0x15: good = binary(&t, "<"); break;
		case 0x17: good = unary(&t, "[v:", "].b"); break;
		case 0x18: good = unary(&t, "[v:", "].w"); break;
		case 0x19: good = unary(&t, "[v:", "].d"); break;
		case 0x1a: good = unary(&t, "[v:", "].q"); break;
		case 0x22:
		case 0x23:
		case 0x24:
		case 0x25:
			snprintf(buf, sizeof buf, "0x%llx", (unsigned long long)v);
			good = push(&t, buf);
			break;
		case 0x26: good = register_name(regs, v) && push(&t, register_name(regs, v)); break;
		case 0x2a: /* zero_ext */
			snprintf(buf, sizeof buf, "&0x%llx)", (unsigned long long)mask_low((unsigned)(v & 0x7f)));
			good = v >= 64 || unary(&t, "(", buf);
			break;
		case 0x27: /* end */
			if (t.n != 1 || strlen(t.s[0]) >= size)
				return false;
			strcpy(out, t.s[0]);
			return true;
		default: good = false; break;
		}
		if (!good)
			return false;
	}
	return false;
}

static bool hex_byte(const char *s, u8 *b)
{
	unsigned v;

	if (sscanf(s, "%2x", &v) != 1)
		return false;
	*b = (u8)v;
	return true;
}

bool gdb_agent_conditions(const char *s, struct breakpoint *b, enum gdb_agent_regs regs)
{
	char all[sizeof b->condition] = "", one[128];
	bool always = false;

	while (*s == ';') {
		u8 code[BYTES];
		char *end;
		unsigned long n;

		if (s[1] != 'X')
			return s[1] == 'c'; /* cmds: were not offered */
		n = strtoul(s + 2, &end, 16);
		if (*end != ',' || n > 4096 || strlen(end + 1) < 2 * n)
			return false;
		for (unsigned long i = 0; i < n && i < BYTES; i++)
			if (!hex_byte(end + 1 + 2 * i, &code[i]))
				return false;
		s = end + 1 + 2 * n;
		if (n > BYTES || !translate(code, n, regs, one, sizeof one) || strlen(all) + strlen(one) + 3 > sizeof all) {
			always = true;
			continue;
		}
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", *all ? "||" : "", one);
	}
	strcpy(b->condition, always ? "" : all);
	return !*s;
}
