/*
 * A guest that computes: programs of compiled C (doubles, floats, long double, integers; gcc -O2, and -O3 -march=x86-64-v3) whose checksums are
 * those of the same object code run natively when it was built: compute/native.c.
 */
#include "compute/kernels.h"
#include "compute_expect.h"
#include "guest64.h"

static void run_all(const char *how, const struct compute_kernel *k, const u64 *expect)
{
	for (unsigned i = 0; i < COMPUTE_KERNELS; i++) {
		u64 sum = k[i].run();

		ok(sum == expect[i], text("%s, %s", k[i].name, how), "checksum %llx, natively %llx", sum, expect[i]);
	}
}

void guest_main(void)
{
	cr4_write(cr4_read() | CR4_OSFXSR | 0x400 /* OSXMMEXCPT */);
	__asm__ volatile("fninit");
	run_all("-O2", compute_o2, expect_o2);
	if (!(cpuid(7, 0).b & 1 << 5) || !(cpuid(1, 0).c & 1 << 12)) {
		skip("-O3 -march=x86-64-v3", "this CPU has no AVX2 or no FMA");
		return;
	}
	if (!HAVE_v3) {
		skip("-O3 -march=x86-64-v3", "the host that built this cannot run it");
		return;
	}
	cr4_write(cr4_read() | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" : : "c"(0), "a"(7), "d"(0));
	run_all("-O3 -march=x86-64-v3", compute_v3, expect_v3);
}
