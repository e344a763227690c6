/* See debugger.h. Breakpoints are installed and met here; going on and stepping are in run.c. */
#include "debug/debugger.h"

#include <stdio.h>
#include <stdlib.h>

#define HIDDEN_ID (1u << 30) /* and up: numbers that no user has */

/* ---- meeting ---- */

void debugger_met(struct debugger *d, struct breakpoint *b, struct hit *h)
{
	struct expr_var var[HIT_VARS];
	struct expr_env env = {.worlds = &d->worlds, .symbols = &d->symbols, .var = var};
	struct error err;
	struct view v;
	u64 yes = 1;

	b->met++;
	if (*b->condition) {
		view_get(&d->worlds, h->cpu, VIEW_NOW, 0, &v);
		env.view = &v;
		env.vars = hit_vars(h, d->t, b->met, var);
		if (!expr_eval(&env, b->condition, NULL, &yes, &err))
			yes = 1; /* a condition that cannot be computed stops, and the monitor says why */
	}
	if (!yes)
		return;
	b->hits++;
	if (b->ignore) {
		b->ignore--;
		return;
	}
	h->id = b->id;
	if (d->hits < DEBUGGER_HITS)
		d->hit[d->hits++] = *h;
	machine_stop(d->t->machine, STOP_DEBUG);
}

static void hear(void *arg, const struct event *e)
{
	struct debugger *d = arg;
	struct hit h = {.e = *e, .cpu = e->cpu, .guest = e->guest, .rip = e->ip};

	if (e->kind == EV_VMRUN || e->kind == EV_VMEXIT) {
		worlds_hear(&d->worlds, e);
		if (d->want_world) {
			d->world_changed = true;
			machine_stop(d->t->machine, STOP_DEBUG);
		}
	}
	if (e->kind == EV_EXCEPTION)
		d->last_exception[e->cpu] = *e;
	if (e->kind == EV_EXCEPTION || e->kind == EV_INTERRUPT)
		d->last_entry = *e;
	if (e->kind == EV_VMEXIT)
		d->last_exit[e->cpu] = *e;
	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (breaks_event(b, d->t, e))
			debugger_met(d, b, &h);
}

static bool magic_here(struct debugger *d, unsigned cpu, u64 va)
{
	struct view v;

	view_get(&d->worlds, cpu, VIEW_NOW, 0, &v);
	return d->t->ops->magic(&v, va);
}

bool debugger_insn(struct debugger *d, unsigned cpu, u64 va, u64 rip)
{
	unsigned off = (unsigned)(va & ~PAGE_MASK), before = d->hits;
	struct hit h = {.cpu = cpu, .guest = d->t->ops->guest(d->t, cpu), .va = va, .rip = rip};

	if (!(d->offsets[off >> 6] >> (off & 63) & 1) && !d->magic)
		return false;
	if (d->skip_icount == d->t->ops->icount(d->t, cpu) && d->skip_va[cpu] == va)
		return false;
	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (breaks_insn(b, d->t, cpu, va) || (b->on && b->kind == BREAK_MAGIC && magic_here(d, cpu, va)))
			debugger_met(d, b, &h);
	return d->hits > before;
}

bool debugger_wants(struct debugger *d, unsigned cpu, u64 va, u64 pa, unsigned size, bool write)
{
	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (breaks_access(b, d->t, cpu, va, pa, size, write))
			return true;
	return false;
}

void debugger_access(struct debugger *d, unsigned cpu, u64 va, u64 pa, unsigned size, bool write, u64 val, u64 rip)
{
	struct hit h = {.cpu = cpu, .guest = d->t->ops->guest(d->t, cpu), .va = va, .pa = pa, .val = val, .size = size, .write = write,
			.old = space_peek(d->t->mem, pa, size), .rip = rip};

	for (struct breakpoint *b = d->breaks; b; b = b->next)
		if (breaks_access(b, d->t, cpu, va, pa, size, write))
			debugger_met(d, b, &h);
}

/* ---- installing ---- */

void debugger_changed(struct debugger *d)
{
	u64 offsets[64] = {0};
	bool used = false, magic = false, watching = false, code;
	u32 mask = d->record | BIT(EV_EXCEPTION) | (d->t->icp ? BIT(EV_INTERRUPT) : BIT(EV_VMRUN) | BIT(EV_VMEXIT));

	for (struct breakpoint *b = d->breaks; b; b = b->next) {
		unsigned off = (unsigned)(b->lo & ~PAGE_MASK);

		mask |= breaks_mask(b);
		if (!b->on)
			continue;
		if (b->kind == BREAK_EXEC) {
			offsets[off >> 6] |= BIT(off & 63);
			used = true;
		}
		magic |= b->kind == BREAK_MAGIC;
		watching |= b->kind == BREAK_WATCH;
	}
	code = used != d->offsets_used || magic != d->magic || memcmp(offsets, d->offsets, sizeof offsets);
	memcpy(d->offsets, offsets, sizeof offsets);
	d->offsets_used = used;
	d->magic = magic;
	d->t->ops->spy(d, code, used ? d->offsets : NULL, magic, watching);
	d->watching = watching;
	hub_listen(d->hub, d->ear, mask);
}

struct breakpoint *debugger_add(struct debugger *d, const struct breakpoint *b)
{
	struct breakpoint *n = malloc(sizeof *n), **p = &d->breaks;

	if (!n)
		return NULL;
	*n = *b;
	n->id = b->hidden ? HIDDEN_ID + ++d->last_hidden : ++d->last_id;
	n->next = NULL;
	while (*p)
		p = &(*p)->next;
	*p = n;
	debugger_changed(d);
	return n;
}

struct breakpoint *debugger_break(struct debugger *d, const char *text, struct error *err)
{
	struct breakpoint b, *n;
	struct expr_env env;
	struct view v;

	debugger_view(d, &v);
	env = debugger_env(d, &v);
	if (!breaks_parse(&b, text, &env, err))
		return NULL;
	n = debugger_add(d, &b);
	if (!n)
		error_set(err, "no memory");
	return n;
}

struct breakpoint *debugger_find(struct debugger *d, unsigned id)
{
	struct breakpoint *b = d->breaks;

	while (b && b->id != id)
		b = b->next;
	return b;
}

void debugger_delete(struct debugger *d, struct breakpoint *b)
{
	struct breakpoint **p = &d->breaks;

	while (*p && *p != b)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = b->next;
	if (d->stopped_at == b)
		d->stopped_at = NULL;
	free(b);
	debugger_changed(d);
}

/* ---- life ---- */

void debugger_init(struct debugger *d, struct hub *hub, u64 limit)
{
	memset(d, 0, sizeof *d);
	d->hub = hub;
	d->t = d->worlds.t = hub->t;
	d->ear = hub_add(hub, hear, d);
	d->limit = limit;
	d->status = -1;
	d->skip_icount = ~0ull;
	debugger_changed(d);
}

void debugger_free(struct debugger *d)
{
	while (d->breaks) {
		struct breakpoint *b = d->breaks;

		d->breaks = b->next;
		free(b);
	}
	symbols_free(&d->symbols);
}

/* ---- looking ---- */

void debugger_view(struct debugger *d, struct view *v)
{
	if (!view_get(&d->worlds, d->cpu, d->world, d->vmcb, v))
		view_get(&d->worlds, d->cpu, VIEW_NOW, 0, v);
}

struct expr_env debugger_env(struct debugger *d, const struct view *v)
{
	return (struct expr_env){.worlds = &d->worlds, .symbols = &d->symbols, .view = v};
}

unsigned debugger_print_insn(struct debugger *d, const struct view *v, u64 va, struct text *out)
{
	char name[128], line[128], text[128] = "unreadable";
	struct view there = *v;
	unsigned len;

	/* Away from the pc, the symbol says which instruction set is meant. */
	if (v->arm && va != view_pc(v))
		symbols_thumb(&d->symbols, v, va, &there.rflags);
	len = view_disasm(&there, va, text, sizeof text);
	text_printf(out, "%0*llx", view_bits(v) == 64 ? 16 : 8, (unsigned long long)va);
	if (symbols_name(&d->symbols, v, va, name, sizeof name))
		text_printf(out, " <%s>", name);
	if (symbols_line(&d->symbols, v, va, line, sizeof line))
		text_printf(out, " (%s)", line);
	text_printf(out, "  %s", text);
	return len;
}

void debugger_print_here(struct debugger *d, const struct view *v, struct text *out)
{
	text_printf(out, "cpu%u %s%s  ", v->id, v->name, v->live ? "" : " (not running)");
	debugger_print_insn(d, v, view_pc(v), out);
	text_puts(out, "\n");
}

void debugger_print_stop(struct debugger *d, struct text *out)
{
	struct view v;

	if (d->why == STOP_DEBUG && d->stopped_at) {
		if (!d->stopped_at->hidden) {
			text_printf(out, "%s %u, %s: ", d->stopped_at->action[0] ? "trap" : "breakpoint", d->stopped_at->id,
				    d->stopped_at->text);
			hit_print(out, &d->stop_hit, d->stopped_at, d->t);
		}
	} else if (d->why == STOP_DEBUG && d->world_changed) {
		text_printf(out, "the world changed: cpu%u runs %s\n", d->cpu,
			    d->t->ops->guest(d->t, d->cpu) ? "a guest" : "the host");
	} else if (d->why == STOP_UNIMPLEMENTED) {
		text_printf(out, "%s\n", d->t->ops->stop_text(d->t, d->t->machine->culprit));
	} else if (d->why != STOP_DEBUG && d->why != STOP_UNTIL && d->why != STOP_NONE) {
		text_printf(out, "%s\n", machine_stop_text(d->why));
	}
	debugger_view(d, &v);
	debugger_print_here(d, &v, out);
}
