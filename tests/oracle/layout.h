/*
 * What the native runner and the oracle share: the linear addresses that both sides map, the form of a case and of its
 * outcome, and the shared memory between the two processes. The assembly stub reads the numbers too.
 */
#ifndef ORACLE_LAYOUT_H
#define ORACLE_LAYOUT_H

/* ---- linear addresses. Nothing else is mapped in the low 4 GB. ---- */
#define LOW_BASE  0xf000     /* a page that 16-bit addresses reach; its end is the end of 64 KB */
#define CODE_BASE 0x00400000 /* two pages of test code, read-only and executable, full of INT3 */
#define CODE_SIZE 0x2000
#define DATA_BASE 0x00800000 /* two pages of data, then a read-only page */
#define DATA_SIZE 0x2000
#define RO_BASE   (DATA_BASE + DATA_SIZE)
#define SMC_BASE  0x00600000     /* a page of code that modifies itself */
#define HIGH_BASE 0x123456780000 /* a page of data beyond 4 GB */
#define STUB_BASE 0x6f3a5000     /* the stub's code page; the page before it holds its variables */
#define STUB_IO   (STUB_BASE - 0x1000)

/* ---- real mode (real.c): two pages of data, code in the 64 KB behind them; HLT everywhere else ---- */
#define REAL_DATA      0x10000
#define REAL_DATA_SIZE 0x2000
#define REAL_CODE      0x20000
#define REAL_CODE_SIZE 0x6000

/* ---- the variables page: register images before and after ---- */
#define IO_IN        STUB_IO
#define IO_OUT       (STUB_IO + 0x400)
#define IO_HOST_RSP  (STUB_IO + 0x800)
#define IO_HOST_FS   (STUB_IO + 0x808)
#define IO_TARGET    (STUB_IO + 0x810) /* 64-bit code: rip; else offset and selector */
#define IO_STACK_TOP (STUB_IO + 0x1000)

/* Offsets in struct ostate. */
#define OS_RIP    0x80
#define OS_FLAGS  0x88
#define OS_FSBASE 0x90
#define OS_GSBASE 0x98
#define OS_ES     0xa0
#define OS_CS     0xa2
#define OS_SS     0xa4
#define OS_DS     0xa6
#define OS_FS     0xa8
#define OS_GS     0xaa
#define OS_FX     0xc0 /* an XSAVE area, standard form: x87, SSE, header, AVX */

/* Where a case's trailing jump goes when all its instructions are done: the stub's way out, at the start of its page.
 */
#define EXIT_ADDR STUB_BASE

/* Linux's selectors, which the emulated GDT copies. */
#define SEL_CODE32 0x23
#define SEL_DATA   0x2b
#define SEL_CODE64 0x33

#ifndef __ASSEMBLER__

#include "base/types.h"

#define FX_SIZE 832

struct ostate {
	u64 r[16]; /* in the order of register numbers */
	u64 rip, flags, fsbase, gsbase;
	u16 es, cs, ss, ds, fs, gs;
	u16 pad[10];
	u8 fx[FX_SIZE]; /* AT_... in fpstate.h */
};
_Static_assert(offsetof(struct ostate, rip) == OS_RIP && offsetof(struct ostate, fsbase) == OS_FSBASE &&
		       offsetof(struct ostate, es) == OS_ES && offsetof(struct ostate, gs) == OS_GS &&
		       offsetof(struct ostate, fx) == OS_FX && sizeof(struct ostate) == 0x400,
	       "the stub knows these offsets");

/* The local descriptor table that both sides load: entry i has the selector i * 8 + 7. */
struct oseg {
	const char *name;
	u32 base, limit; /* limit in bytes or pages */
	u8 contents;     /* as in struct user_desc: 0 data, 1 expand-down data, 2 code, 3 conforming code */
	u8 big, pages, readonly /* or execute-only */, absent;
};
enum { LDT_CODE16, LDT_CODE32, LDT_STACK16, LDT_DATA, LDT_DOWN, LDT_DOWN16, LDT_RO, LDT_XO, LDT_ABSENT, LDT_COUNT };
#define LDT_SEL(i) ((u16)((i)*8 + 7))
extern const struct oseg oracle_ldt[LDT_COUNT];

#define CASE_CODE  160
#define CASE_INSNS 12
#define CASE_POKES 12

enum case_kind { CASE_SINGLE, CASE_SEQUENCE, CASE_BYTES };

struct ocase {
	struct ostate in; /* in.rip is an offset in in.cs */
	u64 at;           /* linear address of the first byte */
	u64 ea;           /* and of the last memory operand */
	u64 seed;
	struct {
		u64 addr, val;
	} poke[CASE_POKES]; /* quadwords put into memory first, as far as it is mapped and writable */
	u16 ncode;          /* bytes, without the trailing jump */
	u16 limit;          /* bytes that are there; ncode unless the case ends at the end of the code pages */
	u8 bits;            /* 64, 32, 16: code size */
	u8 kind, npoke, ninsn;
	u8 trailer; /* a jump to EXIT_ADDR follows */
	u8 loop;    /* the last instruction jumps back to the first, a few times */
	u8 real;            /* real mode: real.c */
	u8 pad[5];
	u16 row[CASE_INSNS];      /* enum x86_id of each instruction */
	u8 start[CASE_INSNS + 1]; /* and its first byte */
	u8 code[CASE_CODE];
};

/* What happened: an exception vector, or one of these. */
enum { END_OK = 0x100, END_SYSCALL, END_HANG, END_DIED };

#define OUTCOME_CHANGES 16

struct outcome {
	struct ostate out;
	u64 cr2, hash;         /* hash of all changes of memory */
	u32 end, error, count; /* count: changed quadwords */
	u32 retired;           /* ours: instructions executed, if an exception ended the case */
	struct {
		u64 addr, val;
	} change[OUTCOME_CHANGES]; /* the first of them */
};

/* Data memory that cases may write, compared quadword by quadword with its initial content. */
enum { AREA_LOW, AREA_DATA0, AREA_DATA1, AREA_HIGH, AREA_SMC, AREAS };
extern const u64 oracle_area[AREAS];

#define BATCH 256
#define SLOTS 2

struct batch {
	u32 first, n; /* cases first..n-1 are to be run */
	struct ocase in[BATCH];
	struct outcome out[BATCH];
};

struct shared {
	u64 initial[AREAS + 1][512]; /* the areas' content before a case, and the read-only page */
	volatile u32 progress;       /* the case under way, by its place in the batch */
	u32 no_ldt;                  /* set by the runner: the kernel refused the local descriptor table */
	struct batch slot[SLOTS];
};

#define RUNNER_SHM 3 /* the runner's file descriptors: shared memory, commands in, answers out */
#define RUNNER_IN  4
#define RUNNER_OUT 5

/* memory.c: areas of either side. host[a] is where area a lies in this process. */
void area_poke(u8 *const host[AREAS], const struct ocase *c);
/* Record what differs from the initial content, and undo it. */
void area_collect(u8 *const host[AREAS], const struct shared *s, struct outcome *o);
void area_reset(u8 *const host[AREAS], const struct shared *s);
/* Does the case's code lie in the page that it may write? */
static inline bool case_is_smc(const struct ocase *c) { return c->at - SMC_BASE < 4096; }
/* The bytes that a case puts at c->at, with its trailing jump. */
unsigned case_bytes(const struct ocase *c, u8 buf[CASE_CODE + 16]);

#endif
#endif
