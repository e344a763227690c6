/* The SVM instructions: rAX by address size goes to src/svm, which checks, intercepts and acts. APM2 15, APM3. */
#include "cpu_x86/system.h"

static u64 rax_operand(const struct x86_cpu *c, const struct x86_op *o)
{
	static const u64 mask[4] = {0xffff, 0xffffffff, ~0ull, ~0ull};

	return c->r[R_AX] & mask[op_asize(o)];
}

void x86i_vmrun(struct x86_cpu *c, const struct x86_op *o) { svm_vmrun(c, rax_operand(c, o)); }
void x86i_vmload(struct x86_cpu *c, const struct x86_op *o) { svm_vmload(c, rax_operand(c, o)); }
void x86i_vmsave(struct x86_cpu *c, const struct x86_op *o) { svm_vmsave(c, rax_operand(c, o)); }
void x86i_invlpga(struct x86_cpu *c, const struct x86_op *o) { svm_invlpga(c, rax_operand(c, o), (u32)c->r[R_CX]); }

void x86i_vmmcall(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	svm_vmmcall(c);
}
void x86i_stgi(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	svm_stgi(c);
}
void x86i_clgi(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	svm_clgi(c);
}
void x86i_skinit(struct x86_cpu *c, const struct x86_op *o)
{
	(void)o;
	svm_skinit(c, (u32)c->r[R_AX]);
}
