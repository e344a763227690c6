/* See walk_json.h. */
#include "debug/walk_json.h"

typedef unsigned long long ull;

void walk_json_string(struct text *out, const char *s)
{
	text_puts(out, "\"");
	for (; *s; s++) {
		if ((u8)*s < 0x20 || strchr("\"\\<>&", *s))
			text_printf(out, "\\u%04x", (u8)*s);
		else
			text_printf(out, "%c", *s);
	}
	text_puts(out, "\"");
}

static void key(struct text *out, const char *name) { text_printf(out, "\"%s\":", name); }

static void string(struct text *out, const char *name, const char *s)
{
	key(out, name);
	walk_json_string(out, s ? s : "");
	text_puts(out, ",");
}

static void hex(struct text *out, const char *name, u64 v) { text_printf(out, "\"%s\":\"%llx\",", name, (ull)v); }
static void num(struct text *out, const char *name, u64 v) { text_printf(out, "\"%s\":%llu,", name, (ull)v); }
static void flag(struct text *out, const char *name, bool v)
{
	text_printf(out, "\"%s\":%s,", name, v ? "true" : "false");
}

static void said(struct text *out, const char *name, const struct walk_view *v,
		 void (*say)(struct text *, const struct walk_view *))
{
	char buf[1024];
	struct text t;

	text_init_buffer(&t, buf, sizeof buf);
	say(&t, v);
	string(out, name, buf);
}

/* ---- the tables' form ---- */

/* Only tables: what address bits choose. */
static void put_form(struct text *out, const struct walk_form *f)
{
	bool first = true;

	text_puts(out, "{");
	string(out, "name", f->name);
	string(out, "root", f->root);
	num(out, "size", f->size);
	num(out, "bits", f->bits);
	num(out, "offset", f->offset);
	if (f->sub_hi)
		text_printf(out, "\"subpage\":[%u,%u],", f->sub_hi, f->sub_lo);
	text_puts(out, "\"levels\":[");
	for (unsigned i = 0; i < f->levels; i++) {
		unsigned n = f->order[i];

		if (!f->level[n].hi)
			continue;
		text_puts(out, first ? "{" : ",{");
		string(out, "entry", f->level[n].entry);
		string(out, "table", f->level[n].table);
		num(out, "hi", f->level[n].hi);
		num(out, "lo", f->level[n].lo);
		text_printf(out, "\"level\":%u}", n);
		first = false;
	}
	text_puts(out, "]}");
}

/* ---- cells ---- */

static void put_bits(struct text *out, const struct walk_cell *c)
{
	static const char *const kinds[] = {[BIT_FLAG] = "flag", [BIT_ADDRESS] = "address", [BIT_FREE] = "free", [BIT_FIELD] = "field", [BIT_TYPE] = "type"};

	text_puts(out, "\"entryBits\":[");
	for (const struct walk_bit *b = c->known && c->form ? walk_form_bits(c->form, c->val) : NULL; b && b->name;
	     b++) {
		u64 v = bits(c->val, b->hi, b->lo);

		text_puts(out, b == walk_form_bits(c->form, c->val) ? "{" : ",{");
		num(out, "hi", b->hi);
		num(out, "lo", b->lo);
		string(out, "name", b->name);
		hex(out, "v", b->kind == BIT_ADDRESS ? v << b->lo : v);
		string(out, "kind", kinds[b->kind]);
		key(out, "says");
		walk_json_string(out, b->kind == BIT_ADDRESS || b->kind == BIT_FREE ? "" : walk_bit_says(b, v));
		text_puts(out, "}");
	}
	text_puts(out, "],");
}

static void put_cell(struct text *out, const struct walk_view *v, const struct walk_row *r, const struct walk_cell *c)
{
	static const char *const states[] = {"absent", "unreached", "read", "cached", "register", "data"};
	const char *device = v->shot->device[r->level][c->dim ? c->level : 0];
	char buf[512];
	struct text t;

	text_puts(out, "{");
	text_init_buffer(&t, buf, sizeof buf);
	walk_say_level(&t, v, c);
	string(out, "name", buf);
	string(out, "state", states[c->state]);
	num(out, "dim", c->dim);
	num(out, "level", c->level);
	num(out, "ref", c->ref);
	num(out, "again", c->again);
	flag(out, "known", c->known);
	flag(out, "leaf", c->leaf);
	flag(out, "fails", c->fails);
	flag(out, "lacks", c->lacks);
	if (c->form) {
		string(out, "entry", c->form->entry);
		string(out, "table", c->form->table);
		if (c->has_index)
			hex(out, "index", c->index);
		if (c->hi) {
			hex(out, "addr", c->addr);
			num(out, "hi", c->hi);
			num(out, "lo", c->lo);
		}
	}
	if (c->note)
		string(out, "note", c->note);
	if (c->known || c->state == CELL_READ) {
		hex(out, "pa", c->pa);
		hex(out, "gpa", c->gpa);
	}
	if (c->known) {
		hex(out, "val", c->val);
		string(out, "set", c->set & 0x40 ? (c->set & 0x20 ? "A D" : "D") : c->set ? "A" : "");
		string(out, "memory", device ? device : "RAM");
		text_init_buffer(&t, buf, sizeof buf);
		if (c->form) {
			walk_say_flags(&t, v, c);
			string(out, "flags", buf);
		}
		if (c->judges) {
			text_init_buffer(&t, buf, sizeof buf);
			walk_say_perm(&t, v, c->perm);
			string(out, "perm", buf);
		}
	}
	put_bits(out, c);
	text_init_buffer(&t, buf, sizeof buf);
	walk_say_step(&t, v, r, c);
	key(out, "says");
	walk_json_string(out, buf);
	text_puts(out, "}");
}

static void put_rows(struct text *out, struct walk_view *v)
{
	text_puts(out, "\"rows\":[");
	for (unsigned i = 0; i < v->rows; i++) {
		const struct walk_row *r = &v->row[i];
		char buf[32];
		struct text t;

		text_puts(out, i ? ",\n  {" : "\n  {");
		text_init_buffer(&t, buf, sizeof buf);
		walk_say_row(&t, v, r);
		string(out, "name", buf);
		num(out, "level", r->level);
		flag(out, "cached", r->cached);
		flag(out, "reached", r->reached);
		if (r->has_gpa)
			hex(out, "gpa", r->gpa);
		text_puts(out, "\"cells\":[");
		for (unsigned n = 0; n < v->columns; n++) {
			text_puts(out, n ? ",\n    " : "\n    ");
			put_cell(out, v, r, walk_view_cell(v, i, n));
		}
		text_puts(out, "]}");
	}
	text_puts(out, "]");
}

/* ---- a walk ---- */

static void put_flushes(struct text *out, const struct walk_view *v, const char *name, bool wanted)
{
	bool does, first = true;

	text_printf(out, "\"%s\":[", name);
	for (unsigned i = 0;; i++) {
		char buf[256];
		struct text t;

		text_init_buffer(&t, buf, sizeof buf);
		if (!walk_say_flush(&t, v, i, &does))
			break;
		if (does != wanted)
			continue;
		text_puts(out, first ? "" : ",");
		walk_json_string(out, buf);
		first = false;
	}
	text_puts(out, "],");
}

static void put_before(struct text *out, const struct walk_view *v)
{
	const struct walk_shot *s = v->shot;

	text_puts(out, "\"before\":[");
	for (unsigned i = 0; i < s->befores; i++) {
		char buf[128];
		struct text t;

		text_init_buffer(&t, buf, sizeof buf);
		walk_say_event(&t, v, &s->before[i]);
		text_puts(out, i ? "," : "");
		walk_json_string(out, buf);
	}
	text_puts(out, "],");
	num(out, "beforeLost", s->befores_lost);
}

static void put_ways(struct text *out, const struct walk_shot *s)
{
	unsigned way[WAYS];

	if (!walk_ways(s, way))
		return;
	text_puts(out, "\"ways\":[");
	for (unsigned i = 0; i < WAYS; i++) {
		text_puts(out, i ? ",[" : "[");
		walk_json_string(out, walk_way_text((enum walk_way)i));
		text_printf(out, ",%u]", way[i]);
	}
	text_puts(out, "],");
}

static void put_words(struct text *out, const struct walk_view *v)
{
	said(out, "title", v, walk_say_title);
	said(out, "when", v, walk_say_when);
	said(out, "count", v, walk_say_count);
	said(out, "merge", v, walk_say_merge);
	said(out, "result", v, walk_say_result);
	said(out, "faultTo", v, walk_say_fault_to);
	said(out, "error", v, walk_say_error);
	said(out, "tlb", v, walk_say_tlb);
	said(out, "held", v, walk_say_held);
}

static void put_arm(struct text *out, const struct walk_shot *s)
{
	hex(out, "unmodified", s->arm.va);
	hex(out, "ttbr", s->arm.ttbr);
	hex(out, "dacr", s->arm.dacr);
	hex(out, "control", s->arm.control);
	num(out, "process", s->arm.fcse >> 25);
	num(out, "domain", s->walk.domain);
	num(out, "ap", s->walk.ap);
}

static void put_walk(struct text *out, const struct walk_shot *s)
{
	struct walk_view v;
	char perm[32];
	struct text t;

	walk_view_build(&v, s);
	text_puts(out, "{");
	put_words(out, &v);
	string(out, "arch", s->arch == WALK_ARM ? "arm" : "x86");
	hex(out, "va", s->walk.va);
	string(out, "access", walk_say_access(&v));
	num(out, "icount", s->icount);
	hex(out, walk_say_ip(&v), s->ip);
	num(out, "cpu", s->cpu);
	num(out, "asid", s->asid);
	num(out, "pcid", s->pcid);
	flag(out, "guest", s->guest);
	flag(out, "nested", v.columns > 1);
	flag(out, "physical", s->physical);
	flag(out, "live", s->live);
	flag(out, "allowed", s->walk.why == WALK_OK);
	flag(out, "nestedFault", s->walk.nested_fault);
	string(out, "why", walk_why_text((enum walk_why)s->walk.why));
	hex(out, "errorCode", s->walk.error);
	hex(out, "exitinfo1", s->walk.exitinfo1);
	hex(out, "gpa", s->walk.gpa);
	hex(out, "pa", s->walk.pa);
	text_init_buffer(&t, perm, sizeof perm);
	walk_say_perm(&t, &v, v.perm);
	string(out, "perm", perm);
	if (s->arch == WALK_ARM)
		put_arm(out, s);
	num(out, "shift", s->walk.shift);
	num(out, "gshift", s->walk.gshift);
	num(out, "nshift", s->walk.nshift);
	num(out, "refs", v.refs);
	num(out, "cold", v.cold_refs);
	hex(out, "root", v.root);
	hex(out, "nroot", v.columns > 1 ? s->np.root : 0);
	flag(out, "stale", v.stale);
	put_flushes(out, &v, "until", true);
	put_flushes(out, &v, "notBy", false);
	put_before(out, &v);
	put_ways(out, s);
	text_puts(out, "\"form\":[");
	put_form(out, &v.form[0]);
	text_puts(out, ",");
	put_form(out, &v.form[1]);
	text_puts(out, "],");
	put_rows(out, &v);
	text_puts(out, "}");
}

/* ---- the run ---- */

static void put_stat(struct text *out, const struct walk_stat *t)
{
	static const char *const x86[KINDS] = {"host", "guest", "nested"};
	static const char *const arm[ARM_KINDS] = {"section", "large", "small", "tiny", "invalid"};
	const char *const *kinds = t->arch == WALK_ARM ? arm : x86;

	text_puts(out, ",\n\"stat\":{\"kinds\":[");
	for (unsigned k = 0; k < walk_kinds(t); k++) {
		text_puts(out, k ? ",[" : "[");
		walk_json_string(out, walk_kind_text(t, k));
		text_printf(out, ",%llu,%llu]", (ull)t->walks[k], (ull)t->refs[k]);
	}
	text_puts(out, "],");
	for (unsigned k = 0; k < walk_kinds(t); k++)
		text_printf(out, "\"%s\":{\"walks\":%llu,\"refused\":%llu,\"refs\":%llu},", kinds[k], (ull)t->walks[k],
			    (ull)t->refused[k], (ull)t->refs[k]);
	num(out, "compared", t->compared);
	text_puts(out, "\"ways\":[");
	for (unsigned i = 0; i < WAYS; i++) {
		text_puts(out, i ? ",[" : "[");
		walk_json_string(out, walk_way_text((enum walk_way)i));
		text_printf(out, ",%llu]", (ull)t->way[i]);
	}
	text_puts(out, "],\"histogram\":[");
	for (unsigned i = 0; i < WALK_REFS; i++)
		text_printf(out, "%s%llu", i ? "," : "", (ull)t->histogram[i]);
	text_puts(out, "]}");
}

void walk_json(struct text *out, const struct walk_shot *shot, unsigned n, const struct walk_stat *t)
{
	text_puts(out, "{\"format\":\"undervisor walks 1\",\"walks\":[");
	for (unsigned i = 0; i < n; i++) {
		text_puts(out, i ? ",\n" : "\n");
		put_walk(out, &shot[i]);
	}
	text_puts(out, "]");
	if (t)
		put_stat(out, t);
	text_puts(out, "}\n");
}
