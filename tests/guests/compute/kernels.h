/*
 * Programs of plain C whose checksums must be the same natively and in the guest: one source, compiled twice (-O2, and -O3
 * -march=x86-64-v3), and each object file linked into a native program and into the guest compute. So the same instructions run on both.
 */
#ifndef COMPUTE_KERNELS_H
#define COMPUTE_KERNELS_H

#include "types.h"

typedef signed short s16;
typedef signed int s32;
typedef signed long long s64;
#define NOINLINE __attribute__((noinline))

struct compute_kernel {
	const char *name;
	u64 (*run)(void);
};
enum { COMPUTE_KERNELS = 16 };
extern const struct compute_kernel compute_o2[COMPUTE_KERNELS], compute_v3[COMPUTE_KERNELS];

#endif
