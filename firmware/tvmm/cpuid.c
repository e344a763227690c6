/* cpuid.c: #VMEXIT CPUID: the processor as the guest sees it: the real one, without SVM, with a hypervisor's leaf. */
#include "cpu.h"
#include "exit.h"

enum { INSTRUCTION_LENGTH = 2, HYPERVISOR_PRESENT = 1u << 31, SVM_PRESENT = 1 << 2 };

static struct cpuid cpuid_for_guest(u32 leaf, u32 subleaf)
{
	struct cpuid c = cpuid(leaf, subleaf);
	switch (leaf) {
	case 1:
		c.ecx |= HYPERVISOR_PRESENT; /* APM3 appendix E.3.2 */
		break;
	case 0x40000000: /* left to hypervisors: APM3 appendix E.3.10 */
		c = (struct cpuid){0x40000000, 0x6d6d7674, 0x6d6d7674, 0x6d6d7674}; /* "tvmm", three times */
		break;
	case 0x80000001: c.ecx &= ~(u32)SVM_PRESENT; break;
	case 0x8000000a: c = (struct cpuid){0, 0, 0, 0}; break;
	}
	return c;
}

void exit_cpuid(struct vm *vm)
{
	struct cpuid c = cpuid_for_guest((u32)vm->vmcb->rax, (u32)vm->gpr.rcx);
	vm->vmcb->rax = c.eax;
	vm->gpr.rbx = c.ebx;
	vm->gpr.rcx = c.ecx;
	vm->gpr.rdx = c.edx;
	exit_skip(vm, INSTRUCTION_LENGTH);
}
