/* #VMEXIT by CPUID, answered from a table as VMMs do, and VMRUN back. Op: one round trip. */
#include "rt/svm.h"

static u64 guest_sum;

static void guest(u64 n)
{
	u64 sum = 0;

	while (n--) {
		u32 a = (u32)n & 3, b, c = 0, d;

		__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		sum = sum_mix(sum, (u64)a << 32 | b);
		sum = sum_mix(sum, (u64)c << 32 | d);
	}
	guest_sum = sum;
	__asm__ volatile("vmmcall" : : : "memory");
}

static void cpuid_emulate(struct vm *vm)
{
	static const u32 leaf[4][4] = {
		{ 3, 0x68747541, 0x444d4163, 0x69746e65 },
		{ 0x00800f12, 0x00000800, 0x00802009, 0x178bfbff },
		{ 0, 0, 0, 0 },
		{ 0x11111111, 0x22222222, 0x33333333, 0x44444444 },
	};
	const u32 *l = leaf[vm->vmcb->rax & 3];

	vm->vmcb->rax = l[0];
	vm->r.rbx = l[1];
	vm->r.rcx = l[2];
	vm->r.rdx = l[3];
	vm->vmcb->rip += 2;
}

static struct result run(u64 n)
{
	struct vm vm;

	vm_init(&vm, guest, n, cr3_read(), (u64)page_identity(ARENA_BASE, 21));
	for (vm_run(&vm); vm.vmcb->exitcode == EXIT_CPUID; vm_run(&vm))
		cpuid_emulate(&vm);
	if (vm.vmcb->exitcode != EXIT_VMMCALL)
		vm_unexpected(&vm);
	return (struct result){ n, guest_sum };
}

const struct bench bench = { "vmrun-cpuid", 60000, run };
