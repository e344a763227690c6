/* The ARM page walker: every kind of descriptor, domain, AP with S and R, every fault code. DDI0100 B4, DDI0198 ch. 3. */
#include "arm_fixture.h"

static struct walk_arm_env env;
static struct walk w;
static struct arm_page page;

static void setup(void)
{
	arm_setup();
	env = (struct walk_arm_env){.mem = &mem, .on = true, .ttbr = TABLE, .dacr = 0x55555555};
}

static enum walk_why walk(u32 mva, unsigned access)
{
	page.shift = 0;
	walk_arm(&env, mva, access, false, &w, &page);
	return w.why;
}

START_TEST(off_is_flat)
{
	env.on = false;
	env.dacr = 0;
	ck_assert_int_eq(walk(0x87654321, ACC_WRITE | ACC_USER), WALK_OK);
	ck_assert_uint_eq(w.pa, 0x87654321);
	ck_assert_uint_eq(w.n, 0);
	ck_assert_uint_eq(w.shift, 32);
}
END_TEST

START_TEST(a_section)
{
	put(TABLE + 0x123 * 4, section(0x00700000, AP_ALL, 5) | 12);
	ck_assert_int_eq(walk(0x12345678, ACC_READ), WALK_OK);
	ck_assert_uint_eq(w.pa, 0x00745678);
	ck_assert_uint_eq(w.shift, 20);
	ck_assert_uint_eq(w.n, 1);
	ck_assert_uint_eq(w.step[0].pa, TABLE + 0x123 * 4);
	ck_assert_uint_eq(w.step[0].level, 1);
	ck_assert_uint_eq(page.domain, 5);
	ck_assert_uint_eq(page.cb, 3);
	ck_assert_uint_eq(page.mva, 0x12300000);
}
END_TEST

START_TEST(a_large_page)
{
	put(TABLE + 4 * 4, coarse(COARSE, 3));
	for (u32 i = 0; i < 16; i++)
		put(COARSE + (0x20 + i) * 4, large(0x00560000, aps(0, 1, 2, 3)) | 8);
	ck_assert_int_eq(walk(0x0042c123, ACC_WRITE | ACC_USER), WALK_OK); /* the last quarter */
	ck_assert_uint_eq(w.pa, 0x0056c123);
	ck_assert_uint_eq(w.shift, 16);
	ck_assert_uint_eq(w.n, 2);
	ck_assert_uint_eq(w.step[1].pa, COARSE + 0x2c * 4);
	ck_assert_uint_eq(page.cb, 2);
	ck_assert_int_eq(walk(0x00428123, ACC_WRITE | ACC_USER), WALK_PERMISSION);
	ck_assert_uint_eq(w.error, 3 << 4 | FSR_PERMISSION_PAGE);
	ck_assert_int_eq(walk(0x00428123, ACC_READ | ACC_USER), WALK_OK);
	ck_assert_int_eq(walk(0x00424123, ACC_WRITE), WALK_OK);
	ck_assert_int_eq(walk(0x00424123, ACC_READ | ACC_USER), WALK_PERMISSION);
	ck_assert_int_eq(walk(0x00420123, ACC_READ), WALK_PERMISSION);
}
END_TEST

START_TEST(a_small_page)
{
	put(TABLE + 4 * 4, coarse(COARSE, 3));
	put(COARSE + 0x21 * 4, small(0x00561000, aps(3, 2, 1, 0)));
	ck_assert_int_eq(walk(0x00421234, ACC_WRITE | ACC_USER), WALK_OK);
	ck_assert_uint_eq(w.pa, 0x00561234);
	ck_assert_uint_eq(w.shift, 12);
	ck_assert_int_eq(walk(0x00421434, ACC_WRITE | ACC_USER), WALK_PERMISSION);
	ck_assert_int_eq(walk(0x00421834, ACC_WRITE), WALK_OK);
	ck_assert_int_eq(walk(0x00421834, ACC_USER), WALK_PERMISSION);
	ck_assert_int_eq(walk(0x00421c34, ACC_READ), WALK_PERMISSION);
}
END_TEST

/* A fine table has 1024 entries of 1 KB; small and large pages stand in it several times. DDI0100 B4.7.3 */
START_TEST(a_fine_table)
{
	put(TABLE + 4 * 4, fine(FINE, 7));
	put(FINE + 0x85 * 4, tiny(0x00777400, AP_USER_READ));
	put(FINE + 0x89 * 4, small(0x00779000, aps(1, 3, 1, 1)));
	put(FINE + 0xc1 * 4, large(0x00770000, same_aps(3)));
	ck_assert_int_eq(walk(0x00421456, ACC_USER), WALK_OK);
	ck_assert_uint_eq(w.pa, 0x00777456);
	ck_assert_uint_eq(w.shift, 10);
	ck_assert_uint_eq(page.mva, 0x00421400);
	ck_assert_int_eq(walk(0x00421456, ACC_USER | ACC_WRITE), WALK_PERMISSION);
	ck_assert_uint_eq(w.error, 7 << 4 | FSR_PERMISSION_PAGE);
	ck_assert_int_eq(walk(0x00422456, ACC_USER | ACC_WRITE), WALK_OK);
	ck_assert_uint_eq(w.pa, 0x00779456);
	ck_assert_int_eq(walk(0x00430456, ACC_USER | ACC_WRITE), WALK_OK);
	ck_assert_uint_eq(w.pa, 0x00770456);
	ck_assert_uint_eq(w.shift, 16);
}
END_TEST

START_TEST(faults)
{
	put(TABLE + 1 * 4, 0xfffffffc & ~0x1e0u); /* type 00 */
	ck_assert_int_eq(walk(0x00100000, ACC_READ), WALK_TRANSLATION);
	ck_assert_uint_eq(w.error & 15, FSR_TRANSLATION_SECTION);
	ck_assert_uint_eq(w.fail_level, 1);
	ck_assert_uint_eq(page.shift, 0);

	put(TABLE + 4 * 4, coarse(COARSE, 9));
	put(COARSE, 0xfffffff0);
	ck_assert_int_eq(walk(0x00400000, ACC_READ), WALK_TRANSLATION);
	ck_assert_uint_eq(w.error, 9 << 4 | FSR_TRANSLATION_PAGE);
	ck_assert_uint_eq(w.fail_level, 2);
	put(COARSE, tiny(0x00500000, AP_ALL)); /* no tiny pages in coarse tables */
	ck_assert_int_eq(walk(0x00400000, ACC_READ), WALK_TRANSLATION);

	put(TABLE + 5 * 4, coarse(0x80000000, 2));
	ck_assert_int_eq(walk(0x00500000, ACC_READ), WALK_EXTERNAL_TABLE);
	ck_assert_uint_eq(w.error, 2 << 4 | FSR_EXTERNAL_L2);
	env.ttbr = 0x80000000;
	ck_assert_int_eq(walk(0x00500000, ACC_READ), WALK_EXTERNAL_TABLE);
	ck_assert_uint_eq(w.error, FSR_EXTERNAL_L1);
}
END_TEST

/* Each domain's field: no access, client, reserved, manager; in sections and pages. */
START_TEST(domains)
{
	unsigned d = (unsigned)_i >> 2, field = (unsigned)_i & 3;

	put(TABLE + 1 * 4, section(0x00100000, AP_SR, d));
	put(TABLE + 4 * 4, coarse(COARSE, d));
	put(COARSE, small(0x00500000, same_aps(AP_SR)));
	env.dacr = (0x55555555u & ~(3u << 2 * d)) | field << 2 * d;
	for (unsigned page_too = 0; page_too < 2; page_too++) {
		enum walk_why why = walk(page_too ? 0x00400000 : 0x00100000, ACC_WRITE | ACC_USER);

		if (field == 3) {
			ck_assert_int_eq(why, WALK_OK);
		} else if (field == 1) {
			ck_assert_int_eq(why, WALK_PERMISSION);
			ck_assert_uint_eq(w.error, d << 4 | (page_too ? 15 : 13));
		} else {
			ck_assert_int_eq(why, WALK_DOMAIN);
			ck_assert_uint_eq(w.error, d << 4 | (page_too ? 11 : 9));
		}
		ck_assert_uint_ne(page.shift, 0); /* the translation is there to be cached all the same */
	}
}
END_TEST

/* DDI0100 table B4-1, row by row: AP, S, R, then what User and privileged accesses may. */
static const struct {
	u8 ap, s, r, user_read, user_write, read, write;
} rights[] = {
	{0, 0, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 1, 0}, {0, 0, 1, 1, 0, 1, 0}, {0, 1, 1, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 1, 1}, {1, 1, 0, 0, 0, 1, 1},
	{1, 0, 1, 0, 0, 1, 1}, {2, 0, 0, 1, 0, 1, 1}, {2, 1, 0, 1, 0, 1, 1}, {2, 0, 1, 1, 0, 1, 1}, {3, 0, 0, 1, 1, 1, 1}, {3, 1, 0, 1, 1, 1, 1},
	{3, 0, 1, 1, 1, 1, 1},
};
START_TEST(permissions)
{
	put(TABLE + 1 * 4, section(0x00100000, rights[_i].ap, 0));
	env.s = rights[_i].s;
	env.r = rights[_i].r;
	ck_assert_int_eq(walk(0x00100000, ACC_READ) == WALK_OK, rights[_i].read);
	ck_assert_int_eq(walk(0x00100000, ACC_EXEC) == WALK_OK, rights[_i].read);
	ck_assert_int_eq(walk(0x00100000, ACC_WRITE) == WALK_OK, rights[_i].write);
	ck_assert_int_eq(walk(0x00100000, ACC_USER) == WALK_OK, rights[_i].user_read);
	ck_assert_int_eq(walk(0x00100000, ACC_USER | ACC_EXEC) == WALK_OK, rights[_i].user_read);
	ck_assert_int_eq(walk(0x00100000, ACC_USER | ACC_WRITE) == WALK_OK, rights[_i].user_write);
}
END_TEST

/* Translation before domain before permission. DDI0100 figure B4-2 */
START_TEST(order)
{
	put(TABLE + 4 * 4, coarse(COARSE, 1));
	put(COARSE, 0);
	put(COARSE + 4, small(0x00500000, same_aps(AP_SR)));
	env.dacr = 0;
	ck_assert_int_eq(walk(0x00400000, ACC_READ), WALK_TRANSLATION);
	ck_assert_int_eq(walk(0x00401000, ACC_READ), WALK_DOMAIN);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arm_walk");
	TCase *t = tcase_create("walk");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, arm_teardown);
	tcase_add_test(t, off_is_flat);
	tcase_add_test(t, a_section);
	tcase_add_test(t, a_large_page);
	tcase_add_test(t, a_small_page);
	tcase_add_test(t, a_fine_table);
	tcase_add_test(t, faults);
	tcase_add_loop_test(t, domains, 0, 64);
	tcase_add_loop_test(t, permissions, 0, ARRAY_SIZE(rights));
	tcase_add_test(t, order);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
