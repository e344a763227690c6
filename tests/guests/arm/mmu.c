/* The MMU: sections, coarse and fine tables, domains, permissions, S and R, fault status and address, alignment, FCSE. DDI0100 B4 */
#include "arm.h"

static u32 table[4096] __attribute__((aligned(16384)));
static u32 coarse[256] __attribute__((aligned(1024)));
static u32 fine[1024] __attribute__((aligned(4096)));

#define PLACE 0x00400000 /* memory to be mapped */
#define DATA  0x00500000 /* where it is */

enum { CTL_M = 1, CTL_A = 2, CTL_S = 1 << 8, CTL_R = 1 << 9 };

static void control(u32 set, u32 clear) { cp15_set_control((cp15_control() | set) & ~clear); }

static void map(u32 entry)
{
	table[PLACE >> 20] = entry;
	cp15_flush_tlb(0);
}

static void fault(const char *name, u32 addr, u32 status, u32 domain)
{
	try_read(addr);
	check(name, seen.count, 1);
	check(name, cp15_dfsr() & 0xff, domain << 4 | status);
	check(name, cp15_far(), addr);
}

static u32 user_read(u32 addr) { return try_read(addr); }
static u32 user_write(u32 addr)
{
	try_write(addr, 1);
	return seen.count;
}

static u32 can(u32 addr)
{
	u32 all;

	try_read(addr);
	all = !seen.count;
	try_write(addr, 5);
	all |= (u32)!seen.count << 1;
	as_user(user_read, addr);
	all |= (u32)!seen.count << 2;
	return all | (u32)!as_user(user_write, addr) << 3;
}

/* DDI0100 table B4-2: privileged read 1, write 2, User read 4, write 8. */
static void permissions(void)
{
	static const struct {
		const char *name;
		u32 ap, control, can;
	} rows[] = {
		{"AP 0", 0, 0, 0},          {"AP 0, S", 0, CTL_S, 1},  {"AP 0, R", 0, CTL_R, 5}, {"AP 1", 1, 0, 3},
		{"AP 2", 2, 0, 7},          {"AP 3", 3, 0, 15},
	};

	for (u32 i = 0; i < sizeof rows / sizeof *rows; i++) {
		map(DATA | rows[i].ap << 10 | 1 << 5 | 0x12);
		control(rows[i].control, CTL_S | CTL_R);
		control(rows[i].control, 0);
		check(rows[i].name, can(PLACE + 0x100), rows[i].can);
	}
	control(0, CTL_S | CTL_R);
}

static void sections(void)
{
	put(DATA + 0x123 * 4, 0x11223344);
	map(DATA | 3 << 10 | 1 << 5 | 0x12);
	check("section", try_read(PLACE + 0x123 * 4), 0x11223344);
	map(0);
	fault("section translation fault", PLACE + 8, 5, 0);
	map(DATA | 0 << 10 | 1 << 5 | 0x12);
	fault("section permission fault", PLACE + 8, 13, 1);
	map(DATA | 3 << 10 | 2 << 5 | 0x12);
	fault("section domain fault", PLACE + 8, 9, 2);
	cp15_set_dacr(0x1d); /* domain 1 manager */
	map(DATA | 0 << 10 | 1 << 5 | 0x12);
	check("manager", can(PLACE + 8), 15);
	cp15_set_dacr(0x5);
}

static void pages(void)
{
	map((u32)coarse | 1 << 5 | 0x11);
	coarse[0] = 0;
	fault("page translation fault", PLACE + 8, 7, 1);
	coarse[1] = DATA | 0xff2;
	put(DATA + 0x18, 0x55667788);
	check("small page", try_read(PLACE + 0x1018), 0x55667788);
	coarse[2] = DATA | 0x032; /* subpage 0: all; the others none */
	check("subpage 0", can(PLACE + 0x2010), 15);
	fault("subpage 1", PLACE + 0x2410, 15, 1);
	for (u32 i = 16; i < 32; i++)
		coarse[i] = DATA | 0xff1; /* large */
	put(DATA + 0x8765 / 4 * 4, 0x99aabbcc);
	check("large page", try_read(PLACE + 0x10000 + 0x8765 / 4 * 4), 0x99aabbcc);
	map((u32)fine | 1 << 5 | 0x13);
	fine[5] = (DATA + 0x400) | 0x33; /* tiny */
	put(DATA + 0x404, 0x13572468);
	check("tiny page", try_read(PLACE + 5 * 1024 + 4), 0x13572468);
	fine[6] = 0;
	fault("tiny page translation fault", PLACE + 6 * 1024, 7, 1);
}

static void alignment(void)
{
	map(DATA | 3 << 10 | 1 << 5 | 0x12);
	put(DATA, 0x44332211);
	check("unaligned word is rotated", try_read(PLACE + 1), 0x11443322);
	control(CTL_A, 0);
	try_read(PLACE + 1);
	check("alignment fault", seen.count, 1);
	check("alignment fault: status", cp15_dfsr() & 0xd, 1);
	check("alignment fault: address", cp15_far(), PLACE + 1);
	control(0, CTL_A);
}

static void fetches(void)
{
	map(0);
	seen.count = 0;
	__asm__ volatile("ldr r0, =1f\n\tldr r1, =resume\n\tstr r0, [r1]\n\tbx %0\n1:" : : "r"(PLACE + 0x40) : "r0", "r1", "memory");
	check("prefetch abort", seen.vector, 3);
	check("prefetch abort: lr", seen.lr, PLACE + 0x44);
	check("prefetch abort: status", cp15_ifsr() & 15, 5);
}

/* DDI0198 2.3.13: addresses below 32 MB are those of the process. Code runs there, too: process 1's 32 MB show the first ones. */
static void fcse(void)
{
	for (u32 i = 0; i < 32; i++)
		table[32 + i] = i << 20 | 0xc32;
	table[32 + (PLACE >> 20)] = DATA | 0xc32;
	map(0);
	put(DATA + 4, 0xfc5efc5e);
	cp15_set_fcse(1u << 25);
	check("FCSE", try_read(PLACE + 4), 0xfc5efc5e);
	table[32 + (PLACE >> 20)] = 0;
	cp15_flush_tlb(0);
	try_read(PLACE + 4);
	check("FCSE: the fault's address is the modified one", cp15_far(), PLACE + 4 + (1u << 25));
	cp15_set_fcse(0);
}

void test(void)
{
	for (u32 i = 0; i < 4096; i++)
		table[i] = i << 20 | 0xc12; /* domain 0 */
	cp15_set_ttbr((u32)table);
	cp15_set_dacr(0x5); /* domains 0 and 1: client */
	cp15_flush_tlb(0);
	control(CTL_M, 0);
	sections();
	permissions();
	pages();
	alignment();
	fetches();
	fcse();
	control(0, CTL_M);
}
