/* The native run: writes the checksums as C for the guest compute. Without x86-64-v3 here, that half stays out. */
#include <stdio.h>

#include "kernels.h"

static void table(const char *name, const struct compute_kernel *k)
{
	printf("#define HAVE_%s 1\nstatic const u64 expect_%s[COMPUTE_KERNELS] = {\n", name, name);
	for (unsigned i = 0; i < COMPUTE_KERNELS; i++)
		printf("\t0x%llxull, /* %s */\n", (unsigned long long)k[i].run(), k[i].name);
	puts("};");
}

int main(void)
{
	bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");

	table("o2", compute_o2);
	if (v3)
		table("v3", compute_v3);
	else
		puts("#define HAVE_v3 0\nstatic const u64 expect_v3[COMPUTE_KERNELS];");
	return 0;
}
