/*
 * Walks of every shape, for tests/walk and docs/walks.md: section, coarse and fine table, large, small and tiny page, subpages, domains, a page that
 * comes when it is asked for, processes. At the end the MMU is on and process 2 runs, so that looks find everything there. DDI0100 B4, B8
 */
#include "arm.h"

static u32 table[4096] __attribute__((aligned(16384)));
static u32 coarse[256] __attribute__((aligned(1024)));
static u32 fine[1024] __attribute__((aligned(4096)));

#define DATA    0x00a00000 /* memory, seen at: */
#define SECTION 0x00400000
#define PAGES   0x00500000 /* small ones at the beginning, a large one from 10000h on */
#define TINY    0x00600000
#define CLOSED  0x00700000 /* a section of a domain without access */
#define OWN     0x00800000 /* of each process */

enum { OPEN, CLIENT, MANAGED, SHUT }; /* domains */
enum { MEGABYTES = 32, VALUE = 0x11223344 };

static u32 domain(u32 n) { return n << 5 | 0x10; }

static u32 user_write(u32 addr)
{
	try_write(addr, VALUE);
	return seen.count;
}

static void section(void)
{
	put(DATA + 0x48c, VALUE);
	table[SECTION >> 20] = DATA | 3 << 10 | domain(CLIENT) | 2;
	check("section", try_read(SECTION + 0x48c), VALUE);
}

static void pages(void)
{
	table[PAGES >> 20] = (u32)coarse | domain(CLIENT) | 1;
	coarse[1] = (DATA + 0x1000) | 0 << 10 | 1 << 8 | 2 << 6 | 3 << 4 | 0xe; /* subpages: all, User reads, privileged, none */
	for (u32 i = 16; i < 32; i++)
		coarse[i] = (DATA + 0x10000) | 0xff1;
	put(DATA + 0x1400, VALUE);
	put(DATA + 0x18000, VALUE);
	check("a refused subpage", as_user(user_write, PAGES + 0x1400), 1);
	check("small page", try_read(PAGES + 0x1400), VALUE);
	check("large page", try_read(PAGES + 0x18000), VALUE);
	table[TINY >> 20] = (u32)fine | domain(MANAGED) | 3;
	fine[5] = (DATA + 0x1400) | 0x13;
	check("tiny page", try_read(TINY + 5 * 1024), VALUE);
}

/* What a system does for a program: the page is not there, it comes, the program goes on. */
static void on_demand(void)
{
	try_read(PAGES + 0x2018);
	check("a page that is not there", cp15_dfsr() & 0xff, CLIENT << 4 | 7);
	coarse[2] = (DATA + 0x1000) | 0xff2;
	put(DATA + 0x1018, VALUE);
	cp15_flush_tlb(0);
	check("and then is", try_read(PAGES + 0x2018), VALUE);
}

static void domains(void)
{
	const u32 closed = 1 << 2 * OPEN | 1 << 2 * CLIENT | 3 << 2 * MANAGED;

	table[CLOSED >> 20] = DATA | domain(SHUT) | 2;
	cp15_set_dacr(closed);
	try_read(CLOSED + 0x48c);
	check("a domain without access", cp15_dfsr() & 0xff, SHUT << 4 | 9);
	cp15_set_dacr(closed | 3u << 2 * SHUT);
	check("its manager", try_read(CLOSED + 0x48c), VALUE);
	cp15_set_dacr(closed);
}

/* The first 32 MB of each process are those of the first one, but for OWN. */
static void processes(void)
{
	for (u32 p = 1; p <= 2; p++) {
		for (u32 i = 0; i < MEGABYTES; i++)
			table[MEGABYTES * p + i] = table[i];
		table[MEGABYTES * p + (OWN >> 20)] = (DATA + (p << 20)) | 3 << 10 | domain(CLIENT) | 2;
		put(DATA + (p << 20), p);
	}
	for (u32 p = 1; p <= 2; p++) {
		cp15_set_fcse(p << 25);
		check(p == 1 ? "process 1" : "process 2", try_read(OWN), p);
	}
}

void test(void)
{
	for (u32 i = 0; i < 4096; i++)
		table[i] = i << 20 | 3 << 10 | domain(OPEN) | 2;
	cp15_set_ttbr((u32)table);
	cp15_set_dacr(1 << 2 * OPEN | 1 << 2 * CLIENT | 3 << 2 * MANAGED);
	cp15_flush_tlb(0);
	cp15_set_control(cp15_control() | 1);
	section();
	pages();
	on_demand();
	domains();
	processes();
}
