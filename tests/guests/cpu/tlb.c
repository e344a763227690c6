/*
 * What the TLB keeps and what flushes it: stale translations stay until a flush, global pages, INVLPG, CR3, PCID, INVPCID.
 * A kept entry is allowed, not promised, on hardware (APM2 5.5.3); undervisor promises it. APM2 5.5.
 */
#include "guest64.h"

#define VA 0x5000000000ull
static u64 *root, *e;
static u8 *one, *two;

/* The byte at VA: 1 or 2, which page it maps to. */
static u8 see(u64 va)
{
	u8 v;

	__asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(va) : "memory");
	return v;
}

static void point(u8 *p, u64 bits) { *(volatile u64 *)e = addr(p) | PTE_ALL | bits; }

static void stale(void)
{
	point(one, 0);
	invlpg((void *)VA);
	is(see(VA), 1, "mapped");
	point(two, 0);
	is(see(VA), 1, "a changed entry stays cached");
	invlpg((void *)(VA + 4096));
	is(see(VA), 1, "INVLPG of another page keeps it");
	invlpg((void *)(VA + 123));
	is(see(VA), 2, "INVLPG of any address in the page drops it");
	point(one, 0);
	is(see(VA), 2, "stale again");
	flush();
	is(see(VA), 1, "MOV CR3 drops it");
	/* Absent entries are not cached: no flush needed. APM2 5.5.3 */
	*(volatile u64 *)e = 0;
	invlpg((void *)VA);
	struct regs r = try_read(false, VA);
	trap_is(&r, PF, 0, "absent");
	point(two, 0);
	is(see(VA), 2, "an entry that becomes present needs no flush");
	/* Nor does one that gains rights: the fault walks again. APM2 5.5.3 */
	*(volatile u64 *)e = addr(one) | PTE_P;
	invlpg((void *)VA);
	see(VA);
	*(volatile u64 *)e = addr(one) | PTE_ALL;
	r = try_write(true, VA);
	trap_is(&r, DONE, 0, "an entry that gains rights needs no flush");
	one[0] = 1;
	/* One that loses rights does. */
	point(one, PTE_D | PTE_A);
	invlpg((void *)VA);
	r = try_write(false, VA);
	*(volatile u64 *)e = addr(one) | PTE_P | PTE_U | PTE_A | PTE_D;
	r = try_write(false, VA);
	trap_is(&r, DONE, 0, "lost write permission stays cached");
	invlpg((void *)VA);
	r = try_write(false, VA);
	trap_is(&r, PF, PF_P | PF_W, "and is gone after INVLPG");
	one[0] = 1;
	/* Non-canonical INVLPG does nothing. APM3 INVLPG */
	r = run_kernel(CODE("mov $0x800000000000, %%rax\n invlpg (%%rax)"));
	trap_is(&r, DONE, 0, "INVLPG of a non-canonical address");
	/* INVLPG in a large page drops all of it. */
	u64 *e2 = pte(root, VA, 21), was = *e2;
	*(volatile u64 *)e2 = 0x400000 | PTE_ALL | PTE_PS;
	flush();
	*(u8 *)0x400000 = 4, *(u8 *)0x500000 = 5, *(u8 *)0x600000 = 6, *(u8 *)0x700000 = 7;
	is(see(VA), 4, "2 MB page");
	is(see(VA + 0x100000), 5, "its middle");
	*(volatile u64 *)e2 = 0x600000 | PTE_ALL | PTE_PS;
	is(see(VA + 0x100000), 5, "stale");
	invlpg((void *)VA);
	is(see(VA + 0x100000), 7, "INVLPG of its start drops its middle");
	*(volatile u64 *)e2 = was;
	flush();
}

static void global(void)
{
	point(one, PTE_G);
	invlpg((void *)VA);
	see(VA);
	point(two, PTE_G);
	flush();
	is(see(VA), 1, "MOV CR3 keeps a global page"); /* APM2 5.5.2 */
	invlpg((void *)VA);
	is(see(VA), 2, "INVLPG drops a global page");
	point(one, PTE_G);
	cr4_write(cr4_read() & ~(uword)CR4_PGE);
	is(see(VA), 1, "clearing CR4.PGE drops global pages");
	point(two, PTE_G);
	flush();
	is(see(VA), 2, "without CR4.PGE a page is not global");
	cr4_write(cr4_read() | CR4_PGE);
	point(one, PTE_G);
	is(see(VA), 1, "setting CR4.PGE drops everything");
	point(one, 0);
	invlpg((void *)VA);
}

static void invpcid(u64 type, u64 pcid, u64 va)
{
	struct {
		u64 pcid, va;
	} d = {pcid, va};

	__asm__ volatile("invpcid %0, %1" : : "m"(d), "r"(type) : "memory");
}

static void pcid(void)
{
	const u64 cr3 = addr(root), keep = 1ull << 63;
	struct regs in, r;
	const u8 *c = CODE("mov %%rbx, %%cr4");

	if (!(cpuid(1, 0).c >> 17 & 1)) {
		skip("PCID", "not reported");
		return;
	}
	/* CR4.PCIDE needs CR3 11:0 = 0. APM2 5.5.1 */
	cr3_write(cr3 | 0x18);
	in = kernel_regs(c);
	in.bx = cr4_read() | CR4_PCIDE;
	r = run(in);
	trap_at(&r, GP, 0, c, 0, "CR4.PCIDE with CR3 11:0 not 0");
	cr3_write(cr3);
	cr4_write(cr4_read() | CR4_PCIDE);
	/* Two contexts with the same tables. */
	point(one, 0);
	cr3_write(cr3 | 1);
	is(see(VA), 1, "PCID 1 caches");
	point(two, 0);
	cr3_write(cr3 | 2);
	is(see(VA), 2, "PCID 2 walks for itself");
	cr3_write(cr3 | 1 | keep);
	is(see(VA), 1, "PCID 1 with bit 63 finds its own entry");
	point(one, 0);
	cr3_write(cr3 | 2 | keep);
	is(see(VA), 2, "so does PCID 2");
	cr3_write(cr3 | 2);
	is(see(VA), 1, "without bit 63 the PCID is flushed");
	point(two, 0);
	cr3_write(cr3 | 1 | keep);
	is(see(VA), 1, "the other PCID is not");
	invlpg((void *)VA);
	is(see(VA), 2, "INVLPG works on the current PCID");
	cr3_write(cr3 | 2 | keep);
	is(see(VA), 1, "and leaves the other");
	is(cr3_read() >> 63, 0, "CR3 bit 63 reads as 0");
	if (!(cpuid(7, 0).b >> 10 & 1)) {
		skip("INVPCID", "not reported");
	} else {
		/* Types 0 to 3. APM3 INVPCID. State: PCID 1 sees 2, PCID 2 sees 1; the entry says two. */
		point(one, 0);
		invpcid(0, 1, VA);
		cr3_write(cr3 | 1 | keep);
		is(see(VA), 1, "INVPCID 0: an address of one PCID");
		point(two, 0);
		invpcid(1, 2, 0);
		is(see(VA), 1, "INVPCID 1 leaves other PCIDs");
		cr3_write(cr3 | 2 | keep);
		is(see(VA), 2, "INVPCID 1: one PCID");
		point(one, 0);
		invpcid(3, 0, 0);
		is(see(VA), 1, "INVPCID 3: all PCIDs, here 2");
		point(two, 0);
		cr3_write(cr3 | 1 | keep);
		is(see(VA), 2, "INVPCID 3: PCID 1");
		point(one, PTE_G);
		invpcid(2, 0, 0);
		see(VA);
		point(two, PTE_G);
		invpcid(3, 0, 0);
		is(see(VA), 1, "INVPCID 3 keeps global pages");
		invpcid(2, 0, 0);
		is(see(VA), 2, "INVPCID 2 drops global pages");
		const u8 *ip = CODE("invpcid (%%rbx), %%rax");
		static u64 d[2] __attribute__((aligned(16)));
		in = kernel_regs(ip);
		in.bx = addr(d);
		in.ax = 4;
		r = run(in);
		trap_at(&r, GP, 0, ip, 0, "INVPCID type 4");
		in.ax = 0;
		d[0] = 0x1000;
		r = run(in);
		trap_at(&r, GP, 0, ip, 0, "INVPCID descriptor with bits above the PCID");
		d[0] = 1, d[1] = 0x800000000000;
		r = run(in);
		trap_at(&r, GP, 0, ip, 0, "INVPCID 0 of a non-canonical address");
		in = user_regs(ip);
		r = run(in);
		trap_is(&r, GP, 0, "INVPCID at CPL 3");
	}
	cr3_write(cr3);
	cr4_write(cr4_read() & ~(uword)CR4_PCIDE);
	if (cpuid(7, 0).b >> 10 & 1) {
		static u64 d[2] __attribute__((aligned(16))) = {1, 0};
		const u8 *ip = CODE("invpcid (%%rbx), %%rax");
		in = kernel_regs(ip);
		in.bx = addr(d);
		in.ax = 1;
		r = run(in);
		trap_at(&r, GP, 0, ip, 0, "INVPCID of PCID 1 without CR4.PCIDE");
	}
}

static void control(void)
{
	/* CR0.WP and others do not flush but permissions are looked at again. EFER.NXE and CR4 changes flush. APM2 5.5.3 */
	*(volatile u64 *)e = addr(one) | PTE_P | PTE_A | PTE_D;
	invlpg((void *)VA);
	see(VA);
	struct regs r = try_write(false, VA);
	trap_is(&r, PF, PF_P | PF_W, "read-only with WP");
	cr0_write(cr0_read() & ~(uword)CR0_WP);
	r = try_write(false, VA);
	trap_is(&r, DONE, 0, "CR0.WP = 0 counts at once");
	cr0_write(cr0_read() | CR0_WP);
	r = try_write(false, VA);
	trap_is(&r, PF, PF_P | PF_W, "CR0.WP = 1 counts at once");
	one[0] = 1;
	/* Instruction fetches have translations of their own; they go stale too. */
	one[16] = two[16] = 0xb0, one[17] = 1, two[17] = 2, one[18] = two[18] = 0xcc;
	point(one, 0);
	invlpg((void *)VA);
	struct regs in = kernel_regs((void *)(VA + 16));
	r = run(in);
	is(r.ax & 0xff, 1, "code at VA");
	point(two, 0);
	r = run(in);
	is(r.ax & 0xff, 1, "a stale fetch translation");
	invlpg((void *)VA);
	r = run(in);
	is(r.ax & 0xff, 2, "INVLPG drops it");
}

void guest_main(void)
{
	root = boot_pml4;
	one = page_alloc();
	two = page_alloc();
	one[0] = 1, two[0] = 2;
	e = pte(root, VA, 12);
	stale();
	global();
	pcid();
	control();
}
