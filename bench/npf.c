/*
 * Demand paging by a VMM: the guest touches 4096 pages in mixed order, the VMM maps each one when it faults (#VMEXIT by
 * NPF) and resumes it; at the end of a pass it unmaps them all and flushes. Op: one nested page fault.
 */
#include "rt/svm.h"

enum { PAGES = 4096, ORDER = 1597, NPF_PRESENT = 1 };

static u64 guest_sum;

static void guest(u64 n)
{
	u64 sum = 0;

	while (n--) {
		for (u32 i = 0; i < PAGES; i++) {
			u32 page = i * ORDER & (PAGES - 1);
			volatile u64 *p = (volatile u64 *)(ARENA_BASE + page * 4096ull + arena_offset(page));

			sum = sum_mix(sum, *p);
			*p = sum;
		}
		__asm__ volatile("vmmcall" : : : "memory");
	}
	guest_sum = sum;
	__asm__ volatile("vmmcall" : : : "memory");
}

/* A page goes from not present to present: nothing to flush, such a translation is never cached. APM2 5.5 */
static u64 page_supply(const struct vm *vm, u64 *root)
{
	u64 gpa = vm->vmcb->exitinfo2 & ~0xfffull;
	u64 page = (gpa - ARENA_BASE) / 4096;

	if (vm->vmcb->exitcode != EXIT_NPF || vm->vmcb->exitinfo1 & NPF_PRESENT || page >= PAGES)
		vm_unexpected(vm);
	page_map(root, gpa, ARENA_BASE + (page ^ 1) * 4096, 12, PTE_ALL);
	return page;
}

static struct result run(u64 n)
{
	u64 *root = page_identity(ARENA_BASE, 21), *leaf[PAGES / 512];
	u64 faults = 0, pages_sum = 0;
	struct vm vm;

	rt_need_ram(ARENA_BASE + PAGES * 4096ull);
	for (u32 i = 0; i < PAGES; i++)
		*(u64 *)(ARENA_BASE + (i ^ 1) * 4096ull + arena_offset(i)) = i;
	for (u32 i = 0; i < PAGES / 512; i++)
		leaf[i] = page_map(root, ARENA_BASE + i * 0x200000ull, 0, 12, 0);

	vm_init(&vm, guest, n, cr3_read(), (u64)root);
	for (u64 pass = 0; pass < n; pass++) {
		for (vm_run(&vm); vm.vmcb->exitcode != EXIT_VMMCALL; vm_run(&vm), faults++)
			pages_sum = sum_mix(pages_sum, page_supply(&vm, root));
		vm.vmcb->rip += 3;
		for (u32 i = 0; i < PAGES; i++)
			leaf[i / 512][i % 512] = 0;
		vm_flush(&vm);
	}
	vm_run(&vm);
	if (vm.vmcb->exitcode != EXIT_VMMCALL)
		vm_unexpected(&vm);
	return (struct result){ faults, sum_mix(guest_sum, pages_sum) };
}

const struct bench bench = { "npf", 12, run };
