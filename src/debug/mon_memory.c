/* Monitor commands for memory: dump, disassemble, search, write, load, save. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/monitor.h"

#define COUNT_MAX 65536u
#define SEARCH_HITS 100

/* ---- x/FMT ---- */

struct format {
	u64 count;
	char kind; /* x d u c s i */
	unsigned size;
};

static bool parse_format(struct monitor *m, char **args, struct format *f)
{
	char *p = *args;

	if (*p != '/')
		return true;
	p++;
	if (isdigit((unsigned char)*p))
		f->count = strtoull(p, &p, 10);
	for (; *p && *p != ' '; p++) {
		const char *sizes = "bhwg", *at = strchr(sizes, *p);

		if (strchr("xducsi", *p))
			f->kind = *p;
		else if (at)
			f->size = 1u << (at - sizes);
		else {
			mon_fail(m, "x/: expected COUNT, one of x d u c s i, and one of b h w g");
			return false;
		}
	}
	if (f->kind == 'c')
		f->size = 1;
	if (!f->count || f->count > COUNT_MAX) {
		mon_fail(m, "x/: expected a count from 1 to %u", COUNT_MAX);
		return false;
	}
	*args = p;
	return true;
}

static void print_unit(struct text *out, const struct format *f, u64 v)
{
	switch (f->kind) {
	case 'd': text_printf(out, " %lld", (long long)sign_extend(v, f->size * 8)); break;
	case 'u': text_printf(out, " %llu", (unsigned long long)v); break;
	case 'c': text_printf(out, isprint((int)v) ? " '%c'" : " \\%03o", (int)v); break;
	default: text_printf(out, " %0*llx", (int)f->size * 2, (unsigned long long)v); break;
	}
}

static void dump(struct monitor *m, const struct view *v, const struct format *f)
{
	unsigned per = 16 / f->size, n = 0;
	char name[128], ascii[20];

	for (u64 i = 0; i < f->count; i++, m->next_x += f->size) {
		u64 val;

		if (i % per == 0) {
			n = 0;
			text_printf(m->out, "%0*llx", v->arm ? 8 : 16, (unsigned long long)m->next_x);
			if (f->size >= 4 && m->next_level == LEVEL_V && symbols_name(&m->d->symbols, v, m->next_x, name, sizeof name))
				text_printf(m->out, " <%s>", name);
			text_puts(m->out, ":");
		}
		if (!view_load(v, m->next_level, m->next_x, f->size, &val)) {
			text_puts(m->out, " unreadable\n");
			m->failed = true;
			return;
		}
		print_unit(m->out, f, val);
		ascii[n++] = isprint((int)(val & 0xff)) && val < 256 ? (char)val : '.';
		if (i % per == per - 1 || i + 1 == f->count)
			text_printf(m->out, f->size == 1 && f->kind == 'x' ? "  %.*s\n" : "\n", (int)n, ascii);
	}
}

static void dump_strings(struct monitor *m, const struct view *v, const struct format *f)
{
	for (u64 i = 0; i < f->count; i++) {
		u64 c = 1;

		text_printf(m->out, "%0*llx: \"", v->arm ? 8 : 16, (unsigned long long)m->next_x);
		for (unsigned n = 0; n < 256 && view_load(v, m->next_level, m->next_x, 1, &c) && c; n++, m->next_x++)
			text_printf(m->out, isprint((int)c) && c != '"' ? "%c" : "\\%03o", (int)c);
		text_puts(m->out, c ? "\"...\n" : "\"\n");
		m->next_x += !c;
	}
}

static void disassemble(struct monitor *m, const struct view *v, u64 count)
{
	if (m->next_level != LEVEL_V) {
		mon_fail(m, "instructions are shown at linear addresses");
		return;
	}
	while (count--) {
		unsigned len;

		text_puts(m->out, m->next_x == view_pc(v) ? "=> " : "   ");
		len = debugger_print_insn(m->d, v, m->next_x, m->out);
		text_puts(m->out, "\n");
		if (!len)
			return;
		m->next_x += len;
	}
}

static void examine(struct monitor *m, char *args)
{
	struct view v;
	struct format f = {.count = 1, .kind = 'x'};

	debugger_view(m->d, &v);
	f.size = view_bits(&v) == 64 ? 8 : 4;
	if (!parse_format(m, &args, &f))
		return;
	while (*args == ' ')
		args++;
	if (*args && (!mon_address(m, &args, &m->next_level, &m->next_x) || !mon_end(m, args)))
		return;
	if (f.kind == 'i')
		disassemble(m, &v, f.count);
	else if (f.kind == 's')
		dump_strings(m, &v, &f);
	else
		dump(m, &v, &f);
}

static void unassemble(struct monitor *m, char *args)
{
	struct view v;
	u64 count = 10;

	debugger_view(m->d, &v);
	m->next_level = LEVEL_V;
	if (!*args)
		m->next_x = view_pc(&v);
	else if (!mon_address(m, &args, &m->next_level, &m->next_x))
		return;
	if (*args == ',')
		args++;
	if (*args && (!mon_value(m, &args, &count) || !mon_end(m, args)))
		return;
	disassemble(m, &v, count < COUNT_MAX ? count : COUNT_MAX);
}

/* ---- search ---- */

/* "text", or bytes in hexadecimal. */
static size_t pattern(const char *args, u8 *buf, size_t size)
{
	size_t n = 0;
	unsigned byte;
	int len;

	if (*args == '"') {
		for (args++; *args && *args != '"' && n < size; args++)
			buf[n++] = (u8)*args;
		return n;
	}
	while (n < size && sscanf(args, "%2x%n", &byte, &len) == 1) {
		buf[n++] = (u8)byte;
		args += len;
		while (*args == ' ')
			args++;
	}
	return *args ? 0 : n;
}

static void search(struct monitor *m, char *args)
{
	enum level l;
	struct view v;
	u64 at, size;
	u8 want[64], page[4096 + sizeof want];
	size_t n;
	unsigned hits = 0;

	debugger_view(m->d, &v);
	if (!mon_address(m, &args, &l, &at))
		return;
	if (*args == ',')
		args++;
	if (!mon_value(m, &args, &size))
		return;
	n = pattern(args, want, sizeof want);
	if (!n) {
		mon_fail(m, "expected ADDR, SIZE and \"TEXT\" or bytes in hexadecimal");
		return;
	}
	for (u64 end = at + size; at < end && hits < SEARCH_HITS; at = (at | 4095) + 1) {
		size_t part = (size_t)((at | 4095) + 1 - at), got;

		part = part < end - at ? part : (size_t)(end - at);
		got = view_read(&v, l, at, page, part);
		if (got == part && at + part < end) /* a match may reach into the next page */
			got += view_read(&v, l, at + part, page + part, n - 1 < end - at - part ? n - 1 : (size_t)(end - at - part));
		for (size_t i = 0; i + n <= got && i < part && hits < SEARCH_HITS; i++)
			if (!memcmp(page + i, want, n)) {
				text_printf(m->out, "%016llx\n", (unsigned long long)(at + i));
				hits++;
			}
	}
	text_printf(m->out, "%u found%s\n", hits, hits == SEARCH_HITS ? " (there may be more)" : "");
}

/* ---- write, load, save ---- */

static void put(struct monitor *m, const struct view *v, enum level l, u64 addr, const void *buf, size_t n)
{
	size_t done = view_write(v, l, addr, buf, n);

	if (done < n)
		mon_fail(m, "%llx cannot be written (not mapped, or a device)", (unsigned long long)(addr + done));
}

static void write_cmd(struct monitor *m, char *args)
{
	enum level l;
	struct view v;
	u64 addr, val;
	unsigned size;
	u8 bytes[8];
	char *dot;

	debugger_view(m->d, &v);
	size = view_bits(&v) == 64 ? 8 : 4;
	if (!mon_address(m, &args, &l, &addr))
		return;
	dot = *args == '.' && args[1] && strchr("bwdq", args[1]) ? args + 1 : NULL;
	if (dot) {
		size = *dot == 'b' ? 1 : *dot == 'w' ? 2 : *dot == 'd' ? 4 : 8;
		args += 2;
	}
	while (*args == ' ' || *args == '=')
		args++;
	if (!mon_value(m, &args, &val) || !mon_end(m, args))
		return;
	store_le(bytes, 8, val);
	put(m, &v, l, addr, bytes, size);
}

static void load(struct monitor *m, char *args)
{
	char *path = mon_word(&args);
	FILE *f = path ? fopen(path, "rb") : NULL;
	struct view v;
	enum level l;
	u8 buf[4096];
	u64 addr;
	size_t n;

	debugger_view(m->d, &v);
	if (!f) {
		mon_fail(m, "%s: %s", path ? path : "load", path ? strerror(errno) : "expected FILE ADDR");
		return;
	}
	if (mon_address(m, &args, &l, &addr) && mon_end(m, args))
		while (!m->failed && (n = fread(buf, 1, sizeof buf, f)) > 0) {
			put(m, &v, l, addr, buf, n);
			addr += n;
		}
	fclose(f);
}

static void save(struct monitor *m, char *args)
{
	char *path = mon_word(&args);
	struct view v;
	enum level l;
	u8 buf[4096];
	u64 addr, size;
	FILE *f;

	debugger_view(m->d, &v);
	if (!path || !mon_address(m, &args, &l, &addr))
		return;
	if (*args == ',')
		args++;
	if (!mon_value(m, &args, &size) || !mon_end(m, args))
		return;
	f = fopen(path, "wb");
	if (!f) {
		mon_fail(m, "%s: %s", path, strerror(errno));
		return;
	}
	while (size && !m->failed) {
		size_t n = size < sizeof buf ? (size_t)size : sizeof buf, got = view_read(&v, l, addr, buf, n);

		if (fwrite(buf, 1, got, f) != got)
			mon_fail(m, "%s: %s", path, strerror(errno));
		else if (got < n)
			mon_fail(m, "%llx cannot be read", (unsigned long long)(addr + got));
		addr += n;
		size -= n;
	}
	if (fclose(f))
		mon_fail(m, "%s: %s", path, strerror(errno));
}

const struct command mon_memory[] = {
	{"x", NULL, "[/COUNT KIND SIZE] [v:|g:|p:]ADDR", "memory: KIND x d u c s (strings) i (instructions), SIZE b h w g; x/4xg p:0x1000", examine, false},
	{"disassemble", "dis", "[ADDR[, COUNT]]", "instructions, with symbols and source lines", unassemble, false},
	{"search", NULL, "[v:|g:|p:]ADDR, SIZE \"TEXT\"|BYTES", "find bytes", search, false},
	{"write", NULL, "[v:|g:|p:]ADDR[.b|.w|.d|.q] VALUE", "write RAM", write_cmd, false},
	{"load", NULL, "FILE [v:|g:|p:]ADDR", "a file into RAM", load, false},
	{"save", NULL, "FILE [v:|g:|p:]ADDR, SIZE", "memory into a file", save, false},
	{0},
};
