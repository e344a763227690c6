/* The expansion of x86_insn.def into x86_insns[]. */
#include "cpu_x86/insn.h"

#define CC_ROW(name, n) extern const struct x86_family x86_fam_##name##n;
#define CC_REF(name, n) &x86_fam_##name##n,
#define CC_ALL(X, name)                                                                                                          \
	X(name, 0) X(name, 1) X(name, 2) X(name, 3) X(name, 4) X(name, 5) X(name, 6) X(name, 7) X(name, 8) X(name, 9) X(name, 10)  \
	X(name, 11) X(name, 12) X(name, 13) X(name, 14) X(name, 15)
CC_ALL(CC_ROW, cmov)
CC_ALL(CC_ROW, set)
static const struct x86_family *const cc_cmov[16] = {CC_ALL(CC_REF, cmov)};
static const struct x86_family *const cc_set[16] = {CC_ALL(CC_REF, set)};

#define USE_FAM(fn) .family = &x86_fam_##fn
#define USE_STK USE_FAM
#define USE_REL USE_FAM
#define USE_JCC(fn) .family = 0
#define USE_CC(fn) .by_cc = cc_##fn
#define USE_BODY(fn) .body = x86i_##fn
#define USE_STRING(fn) .string = x86i_##fn
#define USE_X87(fn) .family = 0
#define USE_VEC(fn) .vec = &x86_vec_##fn

const struct x86_insn x86_insns[X86_IDS] = {
#define I(id, map_, opcode_, prefix_, reg_, mod_, mode_, size_, form_, kind_, fn, flags_, feature_, section_)                     \
	[X86_##id] = {.name = #id,                                                                                               \
	              .map = map_,                                                                                               \
	              .opcode = opcode_,                                                                                         \
	              .prefix = prefix_,                                                                                         \
	              .reg = reg_,                                                                                               \
	              .mod = mod_,                                                                                               \
	              .mode = mode_,                                                                                             \
	              .size = size_,                                                                                             \
	              .form = FORM_##form_,                                                                                      \
	              .kind = KIND_##kind_,                                                                                      \
	              .flags = flags_,                                                                                           \
	              .feature = X86_F_##feature_,                                                                               \
	              .section = section_,                                                                                       \
	              USE_##kind_(fn)},
#include "cpu_x86/x86_insn.def"
#undef I
};

/* UD0, UD1, UD2 */
void x86i_ud(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	x86_ud(c, RULE_UD_EXPLICIT);
}

void x86i_refused(struct x86_cpu *c, const struct x86_op *o)
{
	enum x86_rule rule = (enum x86_rule)op_imm(o);

	if (rule == RULE_GP_LENGTH)
		x86_gp(c, 0, rule);
	if (rule == RULE_UD_REACH)
		x86_unimplemented(c, "an instruction whose address lies more than 2 GB from its block");
	x86_ud(c, rule);
}
