/*
 * Random read-modify-writes of a guest in 512 MB, with 4 KB pages in the guest's tables and in the nested ones: nearly
 * each one misses the TLB and walks two dimensions, up to 24 references. Op: one touch.
 */
#include "rt/svm.h"

enum { GUEST_ORDER = 40507, NESTED_ORDER = 27259 };

static u64 guest_sum;

static void guest(u64 n)
{
	guest_sum = arena_touch(n);
	__asm__ volatile("vmmcall" : : : "memory");
}

static struct result run(u64 n)
{
	u64 *guest_root, *nested_root;
	struct vm vm;

	arena_init(GUEST_ORDER * NESTED_ORDER);
	guest_root = page_identity(ARENA_BASE, 12);
	nested_root = page_identity(ARENA_BASE, 12);
	for (u32 i = 0; i < ARENA_PAGES; i++) {
		u64 gpa = ARENA_BASE + arena_shuffle(i, GUEST_ORDER) * 4096ull;
		u64 pa = ARENA_BASE + arena_shuffle(i, NESTED_ORDER) * 4096ull;

		page_map(guest_root, ARENA_VA + i * 4096ull, gpa, 12, PTE_ALL);
		page_map(nested_root, ARENA_BASE + i * 4096ull, pa, 12, PTE_ALL);
	}
	vm_init(&vm, guest, n, (u64)guest_root, (u64)nested_root);
	vm_run(&vm);
	if (vm.vmcb->exitcode != EXIT_VMMCALL)
		vm_unexpected(&vm);
	return (struct result){ n, guest_sum };
}

const struct bench bench = { "nested-tlb", 2000000, run };
