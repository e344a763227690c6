/* walk24.c: page tables of the guest's own, four levels of 4 KB pages, with four different indices, each table in a
 * page of its own. Under nested tables of four levels one access makes 24 references: the guest's four entries and the
 * data, each behind a nested walk of four. Prints every entry with its A and D bits before and after.
 * APM2 15.25.1, 5.3, 5.4.2 */
#include "guest.h"

#define WINDOW 0xffff908080605000ul /* indices 289 = 121h, 002h, 003h, 005h, offset 0 */

enum {
	P = 1,
	W = 2,
	A = 1 << 5,
	D = 1 << 6,
	LEVELS = 4,
	PAGE = 4096,
	MAPPED = 4 << 20,
	TABLES = 2 << 20 /* gPA: in the second 2 MB, which are one large nested page under npt=2m */
};

static uword next_table = TABLES;

static uword table_new(void)
{
	uword gpa = next_table;
	next_table += PAGE;
	memset((void *)gpa, 0, PAGE);
	return gpa;
}

static u64 *entry_at(uword table, unsigned level, uword va)
{
	return (u64 *)table + (va >> (12 + 9 * (level - 1)) & 511);
}

static u64 *map(uword cr3, uword va, uword gpa)
{
	uword table = cr3;
	for (unsigned level = LEVELS; level > 1; level--) {
		u64 *entry = entry_at(table, level, va);
		if (!*entry)
			*entry = table_new() | P | W;
		table = *entry & ~0xffful;
	}
	*entry_at(table, 1, va) = gpa | P | W;
	return entry_at(table, 1, va);
}

static void say_walk(const char *when, uword cr3, uword va)
{
	uword table = cr3;
	say("%s:\n", when);
	for (unsigned level = LEVELS; level; level--) {
		u64 entry = *entry_at(table, level, va);
		say("  gL%u entry %03x at %06llx: %06llx%s%s\n", level, (u32)(va >> (12 + 9 * (level - 1)) & 511),
		    (u64)(uword)entry_at(table, level, va), entry & ~0xfffull, entry & A ? " A" : "",
		    entry & D ? " D" : "");
		table = entry & ~0xffful;
	}
}

void guest_main(void)
{
	uword cr3 = table_new();
	uword data = TABLES + 0x100000;
	for (uword gpa = 0; gpa < MAPPED; gpa += PAGE)
		map(cr3, gpa, gpa);
	u64 *leaf = map(cr3, WINDOW, data);
	*(volatile u64 *)(data + 8) = 0x0123456789abcdef;

	write_cr3(cr3);
	say("window %016llx -> gPA %06llx\n", (u64)WINDOW, (u64)data);
	say_walk("before", cr3, WINDOW);
	u64 seen = *(volatile u64 *)(WINDOW + 8);
	say("read %016llx\n", seen);
	expect(seen == 0x0123456789abcdef, "the window shows the data");
	say_walk("after the read", cr3, WINDOW);
	*(volatile u64 *)(WINDOW + 16) = ~seen;
	say("wrote %016llx, behind it %016llx\n", ~seen, *(volatile u64 *)(data + 16));
	expect(*(volatile u64 *)(data + 16) == ~seen, "the write went through the window");
	say_walk("after the write", cr3, WINDOW);

	*(volatile u64 *)(data + PAGE + 8) = 0xfedcba9876543210;
	*leaf = (data + PAGE) | P | W;
	invlpg(WINDOW);
	seen = *(volatile u64 *)(WINDOW + 8);
	say("moved to gPA %06llx, read %016llx\n", (u64)data + PAGE, seen);
	expect(seen == 0xfedcba9876543210, "INVLPG forgets the old page");
	guest_end("walk24");
}
