/* Hypercalls: #VMEXIT by VMMCALL with an argument and a result, and VMRUN back. Op: one round trip. */
#include "rt/svm.h"

enum { CALL_DONE, CALL_MIX };

static u64 hypercall(u64 nr, u64 arg)
{
	__asm__ volatile("vmmcall" : "+a"(nr) : "D"(arg) : "memory");
	return nr;
}

static void guest(u64 n)
{
	u64 v = 1;

	while (n--)
		v = hypercall(CALL_MIX, 3 * v + n);
	hypercall(CALL_DONE, v);
}

static struct result run(u64 n)
{
	u64 sum = 0;
	struct vm vm;

	vm_init(&vm, guest, n, cr3_read(), (u64)page_identity(ARENA_BASE, 21));
	for (vm_run(&vm); vm.vmcb->exitcode == EXIT_VMMCALL && vm.vmcb->rax == CALL_MIX; vm_run(&vm)) {
		vm.vmcb->rax = sum = sum_mix(sum, vm.r.rdi);
		vm.vmcb->rip += 3;
	}
	if (vm.vmcb->exitcode != EXIT_VMMCALL)
		vm_unexpected(&vm);
	return (struct result){ n, sum_mix(sum, 3 * vm.r.rdi) };
}

const struct bench bench = { "vmrun-vmmcall", 60000, run };
