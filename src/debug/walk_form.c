/* Reading entries by the tables of walk_form.h. */
#include "debug/walk_form.h"

const struct walk_bit *walk_form_bits(const struct walk_level *l, u64 val)
{
	return l->type ? l->type[val & 3] : walk_form_leaf(l, val) ? l->page : l->link;
}

const char *walk_bit_says(const struct walk_bit *b, u64 v)
{
	if (b->kind == BIT_FLAG)
		return v ? b->one : b->zero;
	return b->value ? b->value[v] : "";
}

void walk_form_flags(const struct walk_level *l, u64 val, struct text *out)
{
	const char *gap = "";

	for (const struct walk_bit *b = walk_form_bits(l, val); b && b->name; b++) {
		u64 v = bits(val, b->hi, b->lo);

		if (b->kind == BIT_ADDRESS || b->kind == BIT_FREE || (b->kind == BIT_FLAG && !v))
			continue;
		text_printf(out, "%s%s", gap, b->kind == BIT_TYPE ? walk_bit_says(b, v) : b->name);
		if (b->kind == BIT_FIELD)
			text_printf(out, "=%llu", (unsigned long long)v);
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
