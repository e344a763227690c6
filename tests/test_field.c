/* Unit tests of base/field.c: lookup, access, printing, coverage and hash of field tables. */
#include "base/field.h"

#include <check.h>
#include <stdlib.h>

struct sample {
	u64 wide;
	u32 flags;
	u16 half;
	u8 small, pad;
	u8 list[4];
	u8 raw[100];
};

static const char *const flag_names[] = {"ZERO", NULL, "TWO", FIELD_END};

static const struct field rows[] = {
	FIELD_HEX(struct sample, wide),  FIELD_BITS(struct sample, flags, flag_names), FIELD_DEC(struct sample, half),
	FIELD_HEX(struct sample, small), FIELD_(struct sample, pad, FMT_PAD, 0),       FIELD_ARRAY(struct sample, list),
	FIELD_BYTES(struct sample, raw),
};
#define ROWS ARRAY_SIZE(rows)

static const char *printed(const struct field *f, const void *base)
{
	static char buf[512];
	struct text out;

	text_init_buffer(&out, buf, sizeof buf);
	field_print(f, base, &out);
	return buf;
}

START_TEST(find_by_name)
{
	ck_assert_ptr_eq(field_find(rows, ROWS, "half"), &rows[2]);
	ck_assert_ptr_null(field_find(rows, ROWS, "halves"));
}
END_TEST

START_TEST(get_and_set)
{
	struct sample s = {.list = {1, 2, 3, 4}};

	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(field_get(&rows[5], &s, i), i + 1);
	ck_assert_uint_eq(field_get(&rows[5], &s, 4), 0);
	field_set(&rows[5], &s, 4, 0xff); /* past the end: nothing happens */
	ck_assert_uint_eq(s.raw[0], 0);
	field_set(&rows[2], &s, 0, 0x12345);
	ck_assert_uint_eq(s.half, 0x2345);
	ck_assert_uint_eq(s.small, 0);
	field_set(&rows[0], &s, 0, ~0ull);
	ck_assert_uint_eq(field_get(&rows[0], &s, 0), ~0ull);
	ck_assert_uint_eq(s.flags, 0);
}
END_TEST

START_TEST(print_formats)
{
	struct sample s = {
		.wide = 0xabc, .flags = 0x80000005, .half = 77, .list = {1, 2, 0xff, 4}, .raw = {0xde, 0xad}};

	ck_assert_str_eq(printed(&rows[0], &s), "wide=0000000000000abc");
	ck_assert_str_eq(printed(&rows[1], &s), "flags=80000005 ZERO TWO");
	ck_assert_str_eq(printed(&rows[2], &s), "half=77");
	ck_assert_str_eq(printed(&rows[4], &s), "");
	ck_assert_str_eq(printed(&rows[5], &s), "list=01,02,ff,04");
	ck_assert_ptr_nonnull(strstr(printed(&rows[6], &s), "raw=dead00"));
	ck_assert_ptr_nonnull(strstr(printed(&rows[6], &s), "(100 bytes)"));
}
END_TEST

START_TEST(print_all_is_a_line_each)
{
	struct sample s = {0};
	char buf[1024];
	struct text out;
	unsigned lines = 0;

	text_init_buffer(&out, buf, sizeof buf);
	field_print_all(rows, ROWS, &s, &out);
	for (const char *p = buf; *p; p++)
		lines += *p == '\n';
	ck_assert_uint_eq(lines, ROWS - 1);
}
END_TEST

START_TEST(gap_is_found)
{
	struct field part[ROWS];

	ck_assert_int_eq(field_gap(rows, ROWS, sizeof(struct sample)), -1);
	for (unsigned skip = 0; skip < ROWS; skip++) {
		unsigned n = 0;

		for (unsigned i = 0; i < ROWS; i++)
			if (i != skip)
				part[n++] = rows[i];
		ck_assert_int_eq(field_gap(part, n, sizeof(struct sample)), rows[skip].off);
	}
}
END_TEST

START_TEST(hash_sees_all_but_padding)
{
	struct sample s = {0};
	u64 zero = field_hash(rows, ROWS, &s, 0);
	u8 *byte = (u8 *)&s;

	ck_assert_uint_ne(zero, field_hash(rows, ROWS, &s, 1));
	for (size_t i = 0; i < sizeof s; i++) {
		byte[i] ^= 1;
		if (i == offsetof(struct sample, pad))
			ck_assert_uint_eq(field_hash(rows, ROWS, &s, 0), zero);
		else
			ck_assert_uint_ne(field_hash(rows, ROWS, &s, 0), zero);
		byte[i] ^= 1;
	}
	ck_assert_uint_eq(field_hash(rows, ROWS, &s, 0), zero);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("field");
	TCase *tc = tcase_create("field");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_test(tc, find_by_name);
	tcase_add_test(tc, get_and_set);
	tcase_add_test(tc, print_formats);
	tcase_add_test(tc, print_all_is_a_line_each);
	tcase_add_test(tc, gap_is_found);
	tcase_add_test(tc, hash_sees_all_but_padding);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
