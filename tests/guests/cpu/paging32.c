/* 32-bit legacy paging: 4 KB and 4 MB pages, PSE-36, WP, A and D, error codes, CR4.PSE off. APM2 5.2.1, 5.2.2. */
#include "guest32.h"

#define VA 0x40000000u
static u32 dir[1024] __attribute__((aligned(4096))), table[1024] __attribute__((aligned(4096)));
static u8 page[4096] __attribute__((aligned(4096)));

static void flush(void) { cr3_write(cr3_read()); }

static struct regs access(bool user, const u8 *code, u32 va)
{
	struct regs in = user ? user_regs(code) : kernel_regs(code);

	in.bx = va;
	in.ax = 0x5a;
	return run(in);
}

static struct regs rd(bool user, u32 va) { return access(user, CODE("mov (%%ebx), %%al"), va); }
static struct regs wr(bool user, u32 va) { return access(user, CODE("mov %%al, (%%ebx)"), va); }

static void map(u32 leaf, u32 upper)
{
	table[0] = addr(page) | leaf;
	dir[VA >> 22] = addr(table) | upper;
	flush();
}

void guest_main(void)
{
	struct regs r;
	unsigned bad = 0, n = 0;

	/* Everything one to one by 4 MB user pages (the user code runs here), VA apart. */
	for (u32 i = 0; i < 1024; i++)
		dir[i] = i << 22 | PTE_ALL | PTE_PS;
	cr4_write(cr4_read() | CR4_PSE);
	cr3_write(addr(dir));
	cr0_write(cr0_read() | CR0_PG | CR0_WP);
	ok(true, "32-bit paging is on", "");

	for (unsigned bits = 0; bits < 64; bits++) {
		u32 leaf = bits & 7, upper = bits >> 3 & 7, both = leaf & upper;
		bool present = both & PTE_P;

		for (unsigned k = 0; k < 8; k++) {
			bool user = k & 1, write = k & 2, wp = k & 4, good = present && (both & PTE_U || !user);
			u32 error = (present ? PF_P : 0) | (write ? PF_W : 0) | (user ? PF_U : 0);

			if (write && !(both & PTE_W) && (user || wp))
				good = false;
			map(leaf, upper);
			cr0_write((cr0_read() & ~(uword)CR0_WP) | (wp ? CR0_WP : 0));
			r = write ? wr(user, VA + 5) : rd(user, VA + 5);
			cr0_write(cr0_read() | CR0_WP);
			n++;
			if (good ? r.vector != DONE : r.vector != PF || r.error != error || r.cr2 != VA + 5)
				if (bad++ < 5)
					ok(false, text("rights %x %x access %x", leaf, upper, k), "vector %u error %x cr2 %x", r.vector,
					   r.error, r.cr2);
		}
	}
	is(bad, 0, text("%u combinations of rights", n));

	map(PTE_ALL, PTE_ALL);
	rd(true, VA);
	is(table[0] & (PTE_A | PTE_D), PTE_A, "a read sets A");
	is(dir[VA >> 22] & (PTE_A | PTE_D), PTE_A, "A in the directory");
	wr(true, VA);
	is(table[0] & (PTE_A | PTE_D), PTE_A | PTE_D, "a write sets D");

	/* 4 MB pages. */
	dir[VA >> 22] = 0x00400000 | PTE_ALL | PTE_PS;
	flush();
	*(volatile u32 *)0x712344 = 0xabcdef01;
	struct regs in = user_regs(CODE("mov (%%ebx), %%eax"));
	in.bx = VA + 0x312344;
	r = run(in);
	is(r.ax, 0xabcdef01, "4 MB page");
	is(dir[VA >> 22] & (PTE_A | PTE_D), PTE_A, "its A");
	wr(false, VA);
	is(dir[VA >> 22] & (PTE_A | PTE_D), PTE_A | PTE_D, "its D");
	dir[VA >> 22] |= 1u << 21;
	flush();
	r = rd(false, VA);
	trap_is(&r, PF, PF_P | PF_RSV, "bit 21 of a 4 MB entry is reserved");
	/* PSE-36: bits 20:13 are address bits 39:32. There is nothing at 4 GB + 4 MB: reads give ones, no fault. */
	if (cpuid(1, 0).d >> 17 & 1) {
		dir[VA >> 22] = 0x00400000 | 1 << 13 | PTE_ALL | PTE_PS;
		flush();
		in.bx = VA + 0x312344;
		r = run(in);
		trap_is(&r, DONE, 0, "PSE-36");
		ok(r.ax != 0xabcdef01, "bit 13 is address bit 32", "%x", r.ax);
	}
	/* Without CR4.PSE bit 7 is ignored. APM2 5.2.2 */
	for (u32 i = 0; i < 1024; i++) {
		static u32 low[16][1024] __attribute__((aligned(4096)));
		if (i < 16) {
			for (u32 j = 0; j < 1024; j++)
				low[i][j] = i << 22 | j << 12 | PTE_ALL;
			dir[i] = addr(low[i]) | PTE_ALL;
		}
	}
	dir[VA >> 22] = addr(table) | PTE_ALL | PTE_PS;
	table[0] = addr(page) | PTE_ALL;
	cr4_write(cr4_read() & ~(uword)CR4_PSE);
	flush();
	page[9] = 0x77;
	r = rd(true, VA + 9);
	trap_is(&r, DONE, 0, "without CR4.PSE");
	is(r.ax & 0xff, 0x77, "bit 7 of a directory entry is ignored");
	/* Bit 7 of a table entry is PAT: no effect here. */
	table[0] |= 0x80;
	flush();
	r = rd(true, VA + 9);
	trap_is(&r, DONE, 0, "PAT bit of a 4 KB entry");
	/* Stale until flushed, as in long mode; turning paging off and on flushes. */
	static u8 other[4096] __attribute__((aligned(4096)));
	other[9] = 0x99;
	table[0] = addr(other) | PTE_ALL;
	r = rd(true, VA + 9);
	is(r.ax & 0xff, 0x77, "stale");
	cr0_write(cr0_read() & ~CR0_PG);
	cr0_write(cr0_read() | CR0_PG);
	r = rd(true, VA + 9);
	is(r.ax & 0xff, 0x99, "clearing CR0.PG flushes");
	/* CR2 holds 32 bits, the fetch of an absent page has no I bit. */
	dir[0x50000000 >> 22] = 0;
	flush();
	r = access(true, CODE("jmp *%%ebx"), 0x50000123);
	trap_is(&r, PF, PF_U, "fetch of an absent page: no I bit without PAE and NXE");
	is(r.cr2, 0x50000123, "CR2");
	/* A task's CR3, a page fault while delivering through a TSS in an absent page: #DF is covered in tasks. */
	cr0_write(cr0_read() & ~CR0_PG);
	/* CR0.PG with PE = 0 is #GP. APM2 3.1.1 */
	const u8 *c = CODE("mov %%ebx, %%cr0");
	in = kernel_regs(c);
	in.bx = (cr0_read() | CR0_PG) & ~1u;
	r = run(in);
	trap_at(&r, GP, 0, c, 0, "CR0.PG without CR0.PE");
}
