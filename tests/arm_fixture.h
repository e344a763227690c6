/* An ARM926 on 16 MB of memory for unit tests: code as words, translation tables in memory. */
#ifndef TESTS_ARM_FIXTURE_H
#define TESTS_ARM_FIXTURE_H

#include <check.h>

#include "cpu_arm/system.h"

enum {
	ARM_RAM = 16 << 20,
	CODE = 0x8000,
	DATA = 0x20000,
	TABLE = 0x100000,  /* first level */
	COARSE = 0x104000, /* second level, of 0x00400000-0x004fffff when a test wants it */
	FINE = 0x105000,
};

static struct arm_cpu cpu;
static struct space mem;
static struct sched sched;
static struct event_log events;
static u64 icount;

static inline void put(u32 pa, u32 w) { space_write(&mem, pa, 4, w); }
static inline u32 get(u32 pa) { return (u32)space_read(&mem, pa, 4); }

static void arm_setup(void)
{
	struct error e;

	sched_init(&sched);
	ck_assert_msg(space_init(&mem, "memory", 32, &e), "%s", e.msg);
	ck_assert(space_add_ram(&mem, "ram", 0, ARM_RAM, false, &e) != NULL);
	ck_assert(arm_init(&cpu, &mem, &sched, &events, &icount));
}

static void arm_teardown(void)
{
	arm_free(&cpu);
	space_free(&mem);
}

/* In mode (SVC, USR, ...) at CODE; T for Thumb in mode's bit 5. */
static inline void at_code(u32 psr)
{
	arm_set_cpsr(&cpu, psr);
	cpu.s.r[15] = CODE;
}

static inline void run(unsigned n)
{
	u64 before = icount;

	sched.kick = false;
	ck_assert_int_eq(arm_run(&cpu, n), ARM_STOP_BUDGET);
	ck_assert_uint_eq(icount - before, n);
}

/* Run one instruction in the present mode. */
static inline void one(u32 w)
{
	put(CODE, w);
	cpu.s.r[15] = CODE;
	run(1);
}
static inline void one_thumb(u16 w)
{
	space_write(&mem, CODE, 2, w);
	cpu.s.r[15] = CODE;
	run(1);
}

static inline void reg_of_mode(u32 mode, unsigned n, u32 v) { *arm_reg_place(&cpu, mode, n) = v; }

/* The exception that was taken: mode, return address, and where it came from. */
static inline void expect_exception(u32 mode, u32 pc, u32 lr, u32 spsr)
{
	ck_assert_uint_eq(cpu.s.cpsr & PSR_MODE, mode);
	ck_assert_uint_eq(cpu.s.r[15], pc);
	ck_assert_uint_eq(cpu.s.r[14], lr);
	ck_assert_uint_eq(cpu.s.spsr[arm_bank_of(mode)], spsr);
	ck_assert_uint_eq(cpu.s.cpsr & (PSR_T | PSR_I), PSR_I);
}

/* ---- CP15 and tables ---- */

enum { AP_SR, AP_PRIVILEGED, AP_USER_READ, AP_ALL };

static inline u32 section(u32 pa, unsigned ap, unsigned domain) { return pa | ap << 10 | domain << 5 | 0x10 | 2; }
static inline u32 coarse(u32 table, unsigned domain) { return table | domain << 5 | 0x10 | 1; }
static inline u32 fine(u32 table, unsigned domain) { return table | domain << 5 | 0x10 | 3; }
static inline u32 aps(unsigned a0, unsigned a1, unsigned a2, unsigned a3) { return a0 << 4 | a1 << 6 | a2 << 8 | a3 << 10; }
static inline u32 same_aps(unsigned ap) { return aps(ap, ap, ap, ap); }
static inline u32 large(u32 pa, u32 ap) { return pa | ap | 1; }
static inline u32 small(u32 pa, u32 ap) { return pa | ap | 2; }
static inline u32 tiny(u32 pa, unsigned ap) { return pa | ap << 4 | 3; }

/* MCR p15, 0, r0, cn, cm, op2 with that value, in SVC mode at CODE. */
static inline void mcr(unsigned n, unsigned m, unsigned op2, u32 v)
{
	cpu.s.r[0] = v;
	one(0xee000f10 | n << 16 | op2 << 5 | m);
}
static inline u32 mrc(unsigned n, unsigned m, unsigned op2)
{
	one(0xee100f10 | n << 16 | op2 << 5 | m);
	return cpu.s.r[0];
}

/* The first 4 MB flat in domain 0 (client), privileged and User; MMU on with these control bits besides. */
static inline void mmu_on(u32 control)
{
	at_code(MODE_SVC | PSR_I | PSR_F);
	for (u32 i = 0; i < 4; i++)
		put(TABLE + i * 4, section(i << 20, AP_ALL, 0));
	mcr(2, 0, 0, TABLE);
	mcr(3, 0, 0, 1);
	mcr(8, 7, 0, 0);
	mcr(1, 0, 0, CTL_M | control);
}

#endif
