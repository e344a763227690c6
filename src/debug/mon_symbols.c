/* Monitor commands for symbols. */
#include <stdio.h>

#include "debug/monitor.h"

static void list(struct monitor *m)
{
	static const char *const owner[] = {"any", "host", "guest", "cr3", "asid"};

	for (unsigned i = 0; i < m->d->symbols.images; i++) {
		const struct symbol_image *im = &m->d->symbols.image[i];

		text_printf(m->out, "%-5s ", owner[im->owner]);
		if (im->owner >= SYMBOLS_CR3)
			text_printf(m->out, "%llx ", (unsigned long long)im->owner_value);
		text_printf(m->out, "%llx-%llx %s: %zu symbols%s\n", (unsigned long long)im->lo, (unsigned long long)im->hi, im->path, im->syms,
			    im->dwarf ? ", DWARF" : "");
	}
	if (!m->d->symbols.images)
		text_puts(m->out, "no symbols are loaded\n");
}

static void symbols(struct monitor *m, char *args)
{
	char *file = mon_word(&args), *w, spec[300];
	enum symbol_owner owner = SYMBOLS_ANY;
	u64 value = 0, base = 0;
	bool have_base = false;
	struct error err;
	struct view v;

	if (!file) {
		list(m);
		return;
	}
	debugger_view(m->d, &v);
	while ((w = mon_word(&args)))
		if (!symbols_owner(w, &owner, &value)) {
			char *p = w;

			if (!mon_value(m, &p, &base) || !mon_end(m, p))
				return;
			have_base = true;
		}
	snprintf(spec, sizeof spec, have_base ? "%s@0x%llx" : "%s", file, (unsigned long long)base);
	if (!symbols_add(&m->d->symbols, spec, owner, value, &err))
		mon_fail(m, "%s", err.msg);
	else
		list(m);
}

static void whereis(struct monitor *m, char *args)
{
	char name[128], line[128];
	struct view v;
	u64 addr;

	if (!mon_value(m, &args, &addr) || !mon_end(m, args))
		return;
	debugger_view(m->d, &v);
	text_printf(m->out, "%llx", (unsigned long long)addr);
	if (symbols_name(&m->d->symbols, &v, addr, name, sizeof name))
		text_printf(m->out, " %s", name);
	if (symbols_line(&m->d->symbols, &v, addr, line, sizeof line))
		text_printf(m->out, " %s", line);
	text_puts(m->out, "\n");
}

const struct command mon_symbols[] = {
	{"symbols", NULL, "[FILE [BASE] [host|guest|cr3=X|asid=N]]", "load names and lines from an ELF file; without FILE: list", symbols, false},
	{"where", NULL, "EXPRESSION", "the symbol and source line at an address", whereis, false},
	{0},
};
