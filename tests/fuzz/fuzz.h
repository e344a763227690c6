/* What a fuzzer and its driver (libFuzzer's or random.c) agree on. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/types.h"

int LLVMFuzzerTestOneInput(const u8 *in, size_t n);

#endif
