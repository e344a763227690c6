/*
 * Random ARM and Thumb code, with exceptions, interrupts, stores into itself and (every other case) an MMU whose pages have random rights: run step
 * by step, in blocks of ops and as host code, in slices, and the state must be the same. Nothing says what is right: only that how code was cached
 * does not show, and that nothing crashes.
 */
#include <stdlib.h>

#include "arm_fixture.h"

enum { CASES = 60, SLICES = 12, SLICE = 701, CODE_SIZE = 0x3000, PAGES = 256 };

static u64 seed;
static u32 random_u32(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed * 0x2545f4914f6cdd1dull >> 32);
}

/* Mostly always executed; often what is common: data processing, loads and stores, short branches. */
static u32 random_arm(void)
{
	u32 w = random_u32(), cc = random_u32() & 3 ? 0xe0000000 : w & 0xf0000000;

	switch (random_u32() % 8) {
	case 0:
	case 1: return cc | (w & 0x03ffffff);
	case 2: return cc | 0x04000000 | (w & 0x01ff00ff);                         /* loads and stores, small immediates */
	case 3: return cc | 0x08000000 | (w & 0x01bf0fff);                         /* lists */
	case 4: return cc | 0x0a000000 | (w & 0x01000000) | (((w & 0x7f) - 0x40u) & 0xffffff); /* short branches */
	case 5: return cc | (w & 0x01f000f0) | (w & 0x000f0f0f) | 0x10 | (w & 0xe000);
	default: return cc | (w & 0x0fffffff);
	}
}

static void fill(void)
{
	for (u32 i = 0; i < CODE_SIZE; i += 4)
		put(CODE + i, i & 0x800 ? random_u32() : random_arm());
	for (u32 i = 0; i < 0x20; i += 4) /* every exception goes on behind its instruction */
		put(i, i == 0x10 ? 0xe25ef004 : i >= 0x18 ? 0xe25ef004 : 0xe1b0f00e);
	put(0, 0xe3a0fc80);    /* mov pc, #0x8000 */
	put(0x0c, 0xe3a0fc90); /* a prefetch abort: back to the code */
}

/* Small pages at their own addresses with random rights; those of vectors, code and tables can be had by all. */
static void tables(void)
{
	put(TABLE, coarse(COARSE, random_u32() & 3));
	for (u32 i = 0; i < PAGES; i++) {
		u32 r = random_u32();

		put(COARSE + i * 4, i < 16 || r & 1 ? small(i << 12, same_aps(AP_ALL)) : small(i << 12, (r & 0xff0)));
	}
	put(TABLE + 4, section(0x100000, AP_ALL, 0));
	cpu.s.cp15.ttbr = TABLE;
	cpu.s.cp15.dacr = 0xd5; /* domain 3: manager */
	cpu.s.cp15.control |= CTL_M | (random_u32() & CTL_A);
}

static u64 run_case(u64 number, unsigned hot, bool steps, u64 *count)
{
	bool stopped = false;
	u64 h;

	seed = (number + 1) * 0x9e3779b97f4a7c15ull;
	icount = 0;
	arm_setup();
	cpu.has_vfp = true;
	arm_set_hot(&cpu, hot);
	fill();
	for (unsigned i = 0; i < 15; i++)
		cpu.s.r[i] = random_u32() & 1 ? random_u32() : 0x20000 + (random_u32() & 0x3fffc);
	cpu.s.r[15] = CODE;
	cpu.s.cpsr = (number & 2 ? MODE_SVC : MODE_USR) | (random_u32() & (PSR_NZCV | PSR_I));
	cpu.s.vfp.fpexc = random_u32() & 1 ? (u32)FPEXC_EN : 0;
	if (number & 1)
		tables();
	arm_state_changed(&cpu);
	for (unsigned i = 0; i < SLICES && !stopped; i++) {
		arm_set_irq(&cpu, random_u32() % 4 == 0);
		arm_set_fiq(&cpu, random_u32() % 8 == 0);
		for (unsigned n = steps ? 1 : SLICE, done = 0; done < SLICE && !stopped; done += n) {
			u64 before = icount;
			enum arm_stop why;

			sched.kick = false;
			why = arm_run(&cpu, n);
			stopped = why == ARM_STOP_UNIMPLEMENTED;
			if (why == ARM_STOP_IDLE || stopped || (why != ARM_STOP_BUDGET && icount == before))
				break;
		}
		cpu.s.r[15] = CODE + (random_u32() & 0x1ffc); /* out of what has become a tight loop */
		cpu.s.cpsr = (cpu.s.cpsr & ~(u32)PSR_T) | (i % 3 == 2 ? PSR_T : 0);
		cpu.s.waiting = 0;
		arm_state_changed(&cpu);
	}
	h = arm_hash(&cpu, 0);
	for (u32 a = 0; a < 0x100000; a += 8)
		h = (h ^ space_read(&mem, a, 8)) * 0x100000001b3ull;
	*count = icount;
	arm_teardown();
	return h;
}

START_TEST(same_however_cached)
{
	u64 n, m, h = run_case((u64)_i, 0, true, &n);

	ck_assert_uint_eq(run_case((u64)_i, 0, false, &m), h);
	ck_assert_uint_eq(m, n);
	ck_assert_uint_eq(run_case((u64)_i, 2, false, &m), h);
	ck_assert_uint_eq(m, n);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arm_fuzz");
	TCase *t = tcase_create("fuzz");
	SRunner *r;
	int failed;
	const char *cases = getenv("ARM_FUZZ_CASES"); /* more than make test has time for */

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, same_however_cached, 0, cases ? atoi(cases) : CASES);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
