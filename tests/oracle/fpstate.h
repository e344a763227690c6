/*
 * x87, SSE and AVX state in a case: an XSAVE area in the standard form. Making random ones, moving them to and from the emulated CPU,
 * comparing them. APM2 11.4, 11.5.
 */
#ifndef ORACLE_FPSTATE_H
#define ORACLE_FPSTATE_H

#include "base/text.h"
#include "layout.h"

enum {
	AT_FCW = 0, AT_FSW = 2, AT_FTW = 4, AT_FOP = 6, AT_FIP = 8, AT_FDP = 16, AT_MXCSR = 24, AT_ST = 32, AT_XMM = 160, AT_BV = 512,
	AT_YMM = 576,
};

struct rng;
struct x86_cpu;

void fp_default(u8 fx[FX_SIZE]);                  /* as after FNINIT */
/* x87: any values, tags, TOP, control word; no exception pending, mostly. */
void fp_random(struct rng *g, u8 fx[FX_SIZE], unsigned bits);
/* Some of the components x87, SSE, AVX as after reset. */
void fp_some_init(struct rng *g, u8 fx[FX_SIZE]);
void vec_value(struct rng *g, u8 v[16]);          /* 16 bytes of a vector */
void fp_memory_value(struct rng *g, unsigned size, u8 v[16]); /* an operand of 2, 4, 8 or 10 bytes */
void fp_to_cpu(const u8 fx[FX_SIZE], struct x86_cpu *c);
void fp_from_cpu(u8 fx[FX_SIZE], const struct x86_cpu *c);
bool fp_same(const u8 a[FX_SIZE], const u8 b[FX_SIZE], struct text *t);

#endif
