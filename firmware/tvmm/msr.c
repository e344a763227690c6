/* msr.c: #VMEXIT MSR: the MSRs that the VMM shows the guest. APM2 15.11. What the guest has of its own (FS.base, STAR,
 * ...) does not come here: see permission.c. Every other MSR does not exist: #GP(0). */
#include "cpu.h"
#include "exit.h"
#include "hypercall.h"

enum { INSTRUCTION_LENGTH = 2 };

static bool msr_read(const struct vm *vm, u32 msr, u64 *value)
{
	switch (msr) {
	case MSR_EFER: *value = vm->vmcb->efer & ~(u64)EFER_SVME; return true;
	case MSR_PAT: *value = vm->vmcb->g_pat; return true;
	case MSR_SCRATCH: *value = vm->scratch_msr; return true;
	default: return false;
	}
}

/* The processor's own rules, which the intercept has gone round: APM2 3.1.7. SVME stays set below the guest. */
static bool efer_write(struct vm *vm, u64 value)
{
	u64 change = value ^ vm->vmcb->efer;
	if (value & ~(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE) || change & EFER_LMA)
		return false;
	if (change & EFER_LME && vm->vmcb->cr0 & CR0_PG)
		return false;
	vm->vmcb->efer = value | EFER_SVME;
	vm_changed(vm, CLEAN_CONTROL_REGISTERS);
	return true;
}

/* Eight memory types; 2, 3 and those above 7 are reserved. APM2 7.8.1 */
static bool pat_write(struct vm *vm, u64 value)
{
	for (unsigned i = 0; i < 8; i++) {
		u8 type = (u8)(value >> 8 * i);
		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	vm->vmcb->g_pat = value;
	vm_changed(vm, CLEAN_NESTED_PAGING);
	return true;
}

static bool msr_write(struct vm *vm, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_EFER: return efer_write(vm, value);
	case MSR_PAT: return pat_write(vm, value);
	case MSR_SCRATCH: vm->scratch_msr = value; return true;
	default: return false;
	}
}

void exit_msr(struct vm *vm)
{
	u32 msr = (u32)vm->gpr.rcx;
	u64 value = vm->gpr.rdx << 32 | (u32)vm->vmcb->rax;
	bool is_write = vm->vmcb->exitinfo1 & 1;
	if (is_write ? !msr_write(vm, msr, value) : !msr_read(vm, msr, &value)) {
		exit_inject_gp(vm);
		return;
	}
	if (!is_write) {
		vm->vmcb->rax = (u32)value;
		vm->gpr.rdx = value >> 32;
	}
	exit_skip(vm, INSTRUCTION_LENGTH);
}
