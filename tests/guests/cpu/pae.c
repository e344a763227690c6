/* PAE paging in legacy mode: PDPTEs read at MOV CR3, reserved bits, NX, 2 MB pages. APM2 5.2.3. */
#include "guest32.h"

#define VA 0xc0000000u
static u64 pdpt[4] __attribute__((aligned(32))), dir[4][512] __attribute__((aligned(4096)));
static u64 table[512] __attribute__((aligned(4096)));
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

void guest_main(void)
{
	struct regs r, in;
	const u8 *set3 = CODE("mov %%ebx, %%cr3"), *fetch = CODE("jmp *%%ebx");
	bool nx = cpuid(0x80000001, 0).d >> 20 & 1;

	for (u32 i = 0; i < 4; i++) {
		pdpt[i] = addr(dir[i]) | PTE_P;
		for (u32 j = 0; j < 512; j++)
			dir[i][j] = i << 30 | j << 21 | PTE_ALL | PTE_PS;
	}
	dir[3][0] = addr(table) | PTE_ALL;
	table[0] = addr(page) | PTE_ALL;
	page[0] = 0xcc;
	cr4_write(cr4_read() | CR4_PAE);
	cr3_write(addr(pdpt));
	cr0_write(cr0_read() | CR0_PG | CR0_WP);
	r = rd(true, VA);
	trap_is(&r, DONE, 0, "PAE paging");
	is(r.ax & 0xff, 0xcc, "reads the page");
	is(table[0] & (PTE_A | PTE_D), PTE_A, "A");
	is(pdpt[3], addr(dir[3]) | PTE_P, "a PDPTE gets no A");
	/* APM2 5.5.3: Zen reads PDPTEs in each walk; older processors at MOV CR3, and refuse it if a reserved bit is set. */
	u32 sig = cpuid(1, 0).a, family = (sig >> 8 & 15) + (sig >> 20 & 0xff);
	bool on_demand = family >= 0x17;
	pdpt[3] |= 2;
	in = kernel_regs(set3);
	in.bx = addr(pdpt);
	r = run(in);
	if (on_demand) {
		trap_is(&r, DONE, 0, "MOV CR3 does not look at PDPTEs");
		r = rd(false, VA);
		trap_is(&r, PF, PF_P | PF_RSV, "a reserved bit in a PDPTE");
	} else {
		trap_at(&r, GP, 0, set3, 0, "MOV CR3 with a reserved bit in a PDPTE");
	}
	pdpt[3] = addr(dir[3]) | PTE_P;
	flush();
	rd(true, VA);
	pdpt[3] = 0;
	r = rd(true, VA);
	trap_is(&r, DONE, 0, "a changed PDPTE does not count while the translation is cached");
	__asm__ volatile("invlpg (%0)" : : "r"(VA));
	r = rd(true, VA);
	if (on_demand)
		trap_is(&r, PF, PF_U, "after INVLPG it counts");
	else
		trap_is(&r, DONE, 0, "not even after INVLPG");
	flush();
	r = rd(true, VA);
	trap_is(&r, PF, PF_U, "after MOV CR3 it counts: absent");
	pdpt[3] = addr(dir[3]) | PTE_P;
	flush();
	/* Reserved bits below. */
	table[0] |= 1ull << 62;
	flush();
	r = rd(false, VA);
	trap_is(&r, PF, PF_P | PF_RSV, "bit 62 of a PTE is reserved in legacy PAE");
	table[0] &= ~(1ull << 62);
	dir[3][1] = 0x400000 | PTE_ALL | PTE_PS | 1 << 14;
	flush();
	r = rd(false, VA + 0x200000);
	trap_is(&r, PF, PF_P | PF_RSV, "bit 14 of a 2 MB entry");
	dir[3][1] = 0x400000 | PTE_ALL | PTE_PS;
	flush();
	*(volatile u8 *)0x412345 = 0x42;
	r = rd(true, VA + 0x212345);
	is(r.ax & 0xff, 0x42, "2 MB page");
	/* NX. */
	if (nx) {
		table[0] |= PTE_NX;
		flush();
		r = rd(false, VA);
		trap_is(&r, PF, PF_P | PF_RSV, "NX without EFER.NXE is reserved");
		msr_write(MSR_EFER, msr_read(MSR_EFER) | 0x800);
		flush();
		r = rd(false, VA);
		trap_is(&r, DONE, 0, "with EFER.NXE it may be read");
		r = access(true, fetch, VA);
		trap_is(&r, PF, PF_P | PF_U | PF_I, "but not fetched");
		table[0] &= ~PTE_NX;
		dir[3][0] |= PTE_NX;
		flush();
		r = access(false, fetch, VA);
		trap_is(&r, PF, PF_P | PF_I, "NX in the directory");
		dir[3][0] &= ~PTE_NX;
		flush();
		r = access(true, fetch, VA);
		trap_is(&r, DONE, 0, "no NX: fetched");
	} else {
		skip("NX", "not reported");
	}
	/* CR3 bits 4:3 are PCD and PWT, 31:5 the address. */
	cr3_write(addr(pdpt) | 0x18);
	is(cr3_read(), addr(pdpt) | 0x18, "CR3 keeps PCD and PWT");
	/* 4 MB pages do not exist under PAE whatever CR4.PSE says. */
	cr4_write(cr4_read() | CR4_PSE);
	r = rd(true, VA + 0x212345);
	is(r.ax & 0xff, 0x42, "CR4.PSE means nothing under PAE");
	/* From PAE to 32-bit paging and back by CR4.PAE alone (paging on) is allowed in legacy mode. */
	cr0_write(cr0_read() & ~CR0_PG);
	cr4_write(cr4_read() & ~(uword)CR4_PAE);
	ok(true, "paging off again", "");
}
