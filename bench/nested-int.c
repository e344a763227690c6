/* The three integer kernels inside a guest with nested paging: what a guest costs when it does not exit. Op: one round. */
#include "kernels.h"
#include "rt/svm.h"

static struct kernels k;
static u64 guest_sum;

static void guest(u64 n)
{
	guest_sum = kernels_round(&k, n);
	__asm__ volatile("vmmcall" : : : "memory");
}

static struct result run(u64 n)
{
	struct vm vm;

	vm_init(&vm, guest, n, cr3_read(), (u64)page_identity(ARENA_BASE, 12));
	vm_run(&vm);
	if (vm.vmcb->exitcode != EXIT_VMMCALL)
		vm_unexpected(&vm);
	return (struct result){ n, guest_sum };
}

const struct bench bench = { "nested-int", 200, run };
