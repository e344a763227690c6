/* A walk in words: see walk_view.h. Here is what all architectures share. */
#include "debug/walk_view.h"

typedef unsigned long long ull;

static const struct walk_words *words(const struct walk_view *v) { return v->shot->arch == WALK_ARM ? &walk_words_arm : &walk_words_x86; }

const char *walk_say_ip(const struct walk_view *v) { return words(v)->ip; }

const char *walk_say_access(const struct walk_view *v)
{
	unsigned a = v->shot->access;

	return words(v)->access[(a & 3) + (a & ACC_USER ? 4 : 0)];
}

void walk_say_title(struct text *out, const struct walk_view *v)
{
	words(v)->title(out, v);
	if (v->shot->uncached)
		text_puts(out, " (as it would be with nothing cached)");
	else if (!v->shot->live)
		text_puts(out, " (a look: nothing was changed)");
}

void walk_say_perm(struct text *out, const struct walk_view *v, unsigned perm) { words(v)->perm(out, perm); }
void walk_say_merge(struct text *out, const struct walk_view *v) { words(v)->merge(out, v); }
void walk_say_fault_to(struct text *out, const struct walk_view *v) { words(v)->fault_to(out, v); }
void walk_say_error(struct text *out, const struct walk_view *v) { words(v)->error(out, v); }
void walk_say_tlb(struct text *out, const struct walk_view *v) { words(v)->tlb(out, v); }
void walk_say_held(struct text *out, const struct walk_view *v) { words(v)->held(out, v); }
bool walk_say_flush(struct text *out, const struct walk_view *v, unsigned n, bool *does) { return words(v)->flush(out, v, n, does); }

void walk_say_event(struct text *out, const struct walk_view *v, const struct event *e)
{
	text_printf(out, "%llu ", (ull)e->icount);
	words(v)->event(out, e);
}

void walk_say_when(struct text *out, const struct walk_view *v)
{
	text_printf(out, "after %llu instructions, %s %llx", (ull)v->shot->icount, walk_say_ip(v), (ull)v->shot->ip);
}

static bool two(const struct walk_view *v) { return v->columns > 1; }

static void say_form(struct text *out, const struct walk_form *f, u64 root)
{
	text_puts(out, f->name);
	if (f->offset < 32)
		text_printf(out, ", %s %llx", f->root, (ull)root);
}

void walk_say_forms(struct text *out, const struct walk_view *v)
{
	say_form(out, &v->form[0], v->root);
	if (two(v)) {
		text_puts(out, "; nested: ");
		say_form(out, &v->form[1], v->shot->np.root);
	}
}

void walk_say_row(struct text *out, const struct walk_view *v, const struct walk_row *r)
{
	const struct walk_level *l = &v->form[0].level[r->level];

	if (!r->level)
		text_puts(out, "final");
	else if (l->name)
		text_puts(out, l->name);
	else
		text_printf(out, "%sL%u", two(v) ? "g" : "", r->level);
}

void walk_say_level(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	if (!c->level)
		text_puts(out, "data");
	else if (c->form && c->form->name)
		text_puts(out, c->form->name);
	else
		text_printf(out, "%sL%u", c->dim ? "n" : two(v) ? "g" : "", c->level);
}

void walk_say_size(struct text *out, unsigned shift)
{
	if (!shift)
		text_puts(out, "no paging");
	else if (shift >= 30)
		text_printf(out, "%u GB", 1u << (shift - 30));
	else if (shift >= 20)
		text_printf(out, "%u MB", 1u << (shift - 20));
	else
		text_printf(out, "%u KB", 1u << (shift - 10));
}

/* ---- one step ---- */

static void say_purpose(struct text *out, const struct walk_row *r)
{
	if (r->level)
		text_printf(out, "the guest's level-%u entry at guest-physical %llx", r->level, (ull)r->gpa);
	else
		text_printf(out, "the final address, guest-physical %llx", (ull)r->gpa);
}

void walk_say_flags(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	if (c->form->name)
		words(v)->reg_flags(out, v, c);
	else
		walk_form_flags(c->form, c->val, out);
}

/* Of which address the bits are. */
static const char *address_kind(const struct walk_view *v, const struct walk_cell *c)
{
	if (c->dim)
		return "guest-physical";
	if (v->shot->arch == WALK_ARM)
		return v->shot->arm.fcse ? "the modified virtual" : "virtual";
	return v->shot->guest ? "the guest's linear" : "linear";
}

static void say_index(struct text *out, const struct walk_view *v, const struct walk_cell *c)
{
	text_printf(out, "entry %x (hexadecimal; bits %u:%u of %s address %llx)", c->index, c->hi, c->lo, address_kind(v, c), (ull)c->addr);
}

void walk_say_step(struct text *out, const struct walk_view *v, const struct walk_row *r, const struct walk_cell *c)
{
	switch ((enum walk_cell_state)c->state) {
	case CELL_READ: text_printf(out, "Reference %u reads ", c->ref); break;
	case CELL_CACHED:
		text_puts(out, "Not read: the TLB holds a translation of guest-physical ");
		text_printf(out, "%llx. It would be ", (ull)r->gpa);
		break;
	case CELL_REGISTER:
		if (c->form->name) {
			words(v)->reg(out, v, c);
			return;
		}
		text_puts(out, "Not read: MOV CR3 loaded this entry into the processor: ");
		break;
	case CELL_DATA: text_printf(out, "The access goes to %llx", (ull)c->pa); return;
	case CELL_ABSENT:
		text_printf(out, c->form->name ? "AP, S and R are %s" : "There is no such entry: a %s ends the walk", c->note);
		return;
	case CELL_UNREACHED:
		text_puts(out, c->fails ? "The address lies beyond what these tables translate"
					: "Never read: the walk was refused before");
		return;
	}
	say_index(out, v, c);
	text_printf(out, " of the %s%s", c->dim ? "nested " : "", c->form->table);
	if (c->dim) {
		text_puts(out, ", to find ");
		say_purpose(out, r);
	}
	if (c->again)
		text_printf(out, "; reference %u reads it again, for a write", c->again);
}

/* ---- the result ---- */

/* How many entries the walk reads in each row, if it is the same number in all. */
static int nested_depth(const struct walk_view *v)
{
	int depth = -1;

	for (unsigned i = 0; i < v->rows; i++) {
		int n = 0;

		if (!v->row[i].reached)
			continue;
		for (unsigned k = 1; k < v->columns; k++)
			n += v->row[i].cell[k].state == CELL_READ || v->row[i].cell[k].state == CELL_CACHED;
		if (depth >= 0 && n != depth)
			return -1;
		depth = n;
	}
	return depth;
}

void walk_say_count(struct text *out, const struct walk_view *v)
{
	unsigned g = 0;
	int n = nested_depth(v);

	for (unsigned i = 0; i < v->rows; i++)
		g += v->row[i].level && v->row[i].cell[0].state == CELL_READ;
	text_printf(out, "%u reference%s", v->refs, v->refs == 1 ? "" : "s");
	if (v->refs != v->cold_refs)
		text_printf(out, " instead of %u: cached translations served the rest", v->cold_refs);
	if (v->shot->cold.why == WALK_OK && two(v) && n > 0 && (g + 1) * (unsigned)(n + 1) - 1 == v->cold_refs)
		text_printf(out, "%s (%u + 1) x (%d + 1) - 1 = %u", v->refs != v->cold_refs ? ";" : ":", g, n,
			    v->cold_refs);
}

void walk_say_result(struct text *out, const struct walk_view *v)
{
	const struct walk *w = &v->shot->walk;

	if (w->why != WALK_OK) {
		text_printf(out, "refused: %s", walk_why_text((enum walk_why)w->why));
		words(v)->refused(out, v);
		return;
	}
	text_printf(out, "physical address %llx", (ull)w->pa);
	if (two(v))
		text_printf(out, ", guest-physical %llx", (ull)w->gpa);
	if (v->shot->device[0][0])
		text_printf(out, " (%s)", v->shot->device[0][0]);
}
