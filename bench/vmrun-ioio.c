/* A device emulated by the VMM: #VMEXIT by OUT and IN of a scratch register, and VMRUN back. Op: one round trip. */
#include "rt/svm.h"

enum { SCRATCH = 0x3ff };

static u64 guest_sum;

static void guest(u64 n)
{
	u64 sum = 0;

	for (u64 i = 0; i < n; i++) {
		port_out8(SCRATCH, (u8)(i ^ sum));
		sum = sum_mix(sum, port_in8(SCRATCH));
	}
	guest_sum = sum;
	__asm__ volatile("vmmcall" : : : "memory");
}

static void port_emulate(struct vm *vm)
{
	static u8 scratch;
	struct vmcb *v = vm->vmcb;

	if (v->exitinfo1 >> 16 != SCRATCH)
		vm_unexpected(vm);
	if (v->exitinfo1 & IOIO_IN)
		v->rax = (v->rax & ~0xffull) | scratch;
	else
		scratch = (u8)v->rax;
	v->rip = v->exitinfo2;
}

static struct result run(u64 n)
{
	struct vm vm;

	vm_init(&vm, guest, n, cr3_read(), (u64)page_identity(ARENA_BASE, 21));
	for (vm_run(&vm); vm.vmcb->exitcode == EXIT_IOIO; vm_run(&vm))
		port_emulate(&vm);
	if (vm.vmcb->exitcode != EXIT_VMMCALL)
		vm_unexpected(&vm);
	return (struct result){ 2 * n, guest_sum };
}

const struct bench bench = { "vmrun-ioio", 30000, run };
