/* Names that expressions know: registers, VMCB fields, exit codes. See expr.h. */
#include <stdio.h>
#include <strings.h>

#include "debug/expr.h"
#include "svm/vmcb.h"

bool expr_register(const struct view *v, const char *name, u64 *val)
{
	if (!strcmp(name, "pc"))
		*val = view_pc(v);
	else if (!strcmp(name, "cpu"))
		*val = v->id;
	else
		return v->ops->get(v, name, val);
	return true;
}

/* "N_CR3" and "ncr3" are the same. */
static bool same_label(const char *a, const char *b)
{
	for (;; a++, b++) {
		while (*a == '_')
			a++;
		while (*b == '_')
			b++;
		if ((*a | 0x20) != (*b | 0x20) && !(*a == *b))
			return false;
		if (!*a || !*b)
			return *a == *b;
	}
}

const struct field *expr_vmcb_field(const char *name)
{
	for (size_t i = 0; i < vmcb_fields_n; i++)
		if (vmcb_fields[i].fmt != FMT_PAD && same_label(vmcb_fields[i].name, name))
			return &vmcb_fields[i];
	return NULL;
}

bool expr_exit_code(const char *name, u64 *code)
{
	char buf[32];

	if (!strcasecmp(name, "INVALID")) {
		*code = ~0ull;
		return true;
	}
	for (u64 c = 0; c <= 0x403; c = c == 0xff ? 0x400 : c + 1) {
		char *space;

		svm_exit_name(c, buf, sizeof buf);
		space = strchr(buf, ' '); /* "EXCP14 (#PF)" */
		if (space)
			*space = 0;
		if (!strcasecmp(buf, name)) {
			*code = c;
			return true;
		}
	}
	return false;
}
