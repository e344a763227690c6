/* pae32.c: a 32-bit guest with PAE paging: 64-bit entries, three levels, four PDPEs. APM2 5.2.3, 5.2.4, 5.6.1.
 * Its own tables of 4 KB and 2 MB pages, A and D bits, write protection, no-execute, and what is special about PDPEs
 * under nested paging: they are read at each walk, not at MOV CR3 (APM2 15.25.10). */
#include "guest.h"

enum {
	P = 1,
	W = 2,
	A = 1 << 5,
	D = 1 << 6,
	PS = 1 << 7,
	PAGE = 4096,
	LARGE = 2 << 20,
	PAGE_GPA = 0x1f0000,
	OTHER_GPA = 0x1f1000, /* free memory */
	CR0_PG = (int)0x80000000,
	CR0_WP = 1 << 16,
	CR4_PAE = 1 << 5,
	MSR_EFER = (int)0xc0000080,
	EFER_NXE = 1 << 11,
	VECTOR_PF = 14
};

#define NX            (1ull << 63)
#define PDPE_RESERVED (1ull << 62)

enum { WINDOW = (int)0xc0403000, HOLE = (int)0xc0404000, BAD = (int)0x80000000 }; /* PDPEs 3, 3 and 2 */

static u64 pdpt[4] __attribute__((aligned(32)));
static u64 pd_low[512] __attribute__((aligned(PAGE))), pd_high[512] __attribute__((aligned(PAGE)));
static u64 table[512] __attribute__((aligned(PAGE)));
static u32 *const page = (u32 *)PAGE_GPA, *const other = (u32 *)OTHER_GPA;
static unsigned faults;

static void on_trap(struct trap *t)
{
	faults++;
	say("  #PF: error code %02x, CR2 %08x\n", (u32)t->error, (u32)read_cr2());
	expect(t->vector == VECTOR_PF, "only #PF");
	t->ip = (uword)touch_end;
}

static u64 *leaf(uword va) { return &table[va >> 12 & 511]; }

static void set_leaf(uword va, u64 value)
{
	*(volatile u64 *)leaf(va) = value;
	invlpg(va);
}

/* Identity map of 4 MB in 2 MB pages; the 2 MB at C0400000h through a table of 4 KB pages. */
static void make_tables(void)
{
	pd_low[0] = 0 | P | W | PS;
	pd_low[1] = LARGE | P | W | PS;
	pdpt[0] = (uword)pd_low | P;
	pdpt[3] = (uword)pd_high | P;
	pd_high[(uword)WINDOW >> 21 & 511] = (uword)table | P | W;
	*leaf(WINDOW) = (uword)page | P | W;
}

static void turn_paging_on(void)
{
	guest_wrmsr(MSR_EFER, guest_rdmsr(MSR_EFER) | EFER_NXE);
	write_cr4(read_cr4() | CR4_PAE);
	write_cr3((uword)pdpt);
	write_cr0(read_cr0() | (uword)CR0_PG | CR0_WP);
	say("CR0.PG %u CR0.WP %u CR4.PAE %u EFER %03x\n", (u32)read_cr0() >> 31, (u32)read_cr0() >> 16 & 1,
	    (u32)read_cr4() >> 5 & 1, (u32)guest_rdmsr(MSR_EFER));
}

static void say_entry(const char *when)
{
	u64 e = *(volatile u64 *)leaf(WINDOW);
	say("%s:%s%s%s\n", when, e & P ? " P" : "", e & A ? " A" : "", e & D ? " D" : "");
}

static void test_window(void)
{
	page[0] = 0x11223344;
	other[0] = 0x55667788;
	say_entry("before");
	u32 seen = touch_read((uword)WINDOW);
	say("read %08x\n", seen);
	expect(seen == page[0], "the window shows the page");
	say_entry("after the read");
	touch_write((uword)WINDOW);
	say("wrote, the page holds %08x\n", *(volatile u32 *)page);
	say_entry("after the write");
	set_leaf((uword)WINDOW, (uword)other | P | W);
	say("another page: %08x\n", touch_read((uword)WINDOW));
}

static void test_faults(void)
{
	say("read of a hole\n");
	touch_read((uword)HOLE);
	say("write to a read-only page\n");
	set_leaf((uword)WINDOW, (uword)other | P);
	touch_write((uword)WINDOW);
	say("fetch from a no-execute page\n");
	set_leaf((uword)WINDOW, (uword)other | P | W | NX);
	touch_execute((uword)WINDOW);
	say("a PDPE with a reserved bit: MOV CR3 takes it\n");
	*(volatile u64 *)&pdpt[2] = (uword)pd_high | P | PDPE_RESERVED;
	write_cr3((uword)pdpt);
	say("but its use is a fault\n");
	touch_read((uword)BAD);
	say("repaired in memory, without MOV CR3\n");
	*(volatile u64 *)&pdpt[2] = (uword)pd_low | P;
	invlpg((uword)BAD);
	say("read %08x\n", touch_read((uword)BAD + (uword)page));
	expect(faults == 4, "four #PF");
}

void guest_main(void)
{
	trap_init(on_trap);
	make_tables();
	turn_paging_on();
	test_window();
	test_faults();
	guest_end("pae32");
}
