/* Reading entries by the tables of walk_form.h. */
#include "debug/walk_form.h"

const struct walk_bit *walk_form_bits(const struct walk_level *l, u64 val)
{
	return walk_form_leaf(l, val) ? l->page : l->link;
}

void walk_form_flags(const struct walk_level *l, u64 val, struct text *out)
{
	const char *gap = "";

	for (const struct walk_bit *b = walk_form_bits(l, val); b && b->name; b++)
		if (b->kind == BIT_FLAG && val >> b->lo & 1) {
			text_printf(out, "%s%s", gap, b->name);
			gap = " ";
		}
}

u64 walk_form_address(const struct walk_level *l, u64 val)
{
	u64 mask = 0;

	for (const struct walk_bit *b = walk_form_bits(l, val); b && b->name; b++)
		if (b->kind == BIT_ADDRESS)
			mask |= bits(~0ull, b->hi, b->lo) << b->lo;
	return val & mask;
}
