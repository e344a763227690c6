/*
 * Long-mode page tables: permissions, accessed and dirty bits, reserved bits per level, NX, SMEP, SMAP, 2 MB and 1 GB
 * pages, the exact error codes, 5 levels where reported. APM2 5.3 to 5.6, 8.2.15.
 */
#include "guest64.h"

#define VA 0x4000000000ull /* PML4 entry 0, PDPT entry 256: free */
static u64 *root;
static u8 *page;

static u64 *entry(unsigned level) /* 1: page table ... 4: PML4 */
{
	return pte(root, VA, 12 + 9 * (level - 1));
}

/* A fresh mapping of `page` at VA with these bits at the leaf and `table` at the three tables above. */
static void map(u64 leaf, u64 table)
{
	*entry(1) = addr(page) | leaf;
	for (unsigned l = 2; l <= 3; l++)
		*entry(l) = (*entry(l) & ~0xfffull & ~PTE_NX) | table;
	flush();
	invlpg((void *)VA);
}

static void fault_is(struct regs r, u64 error, u64 va, const char *name)
{
	trap_is(&r, PF, error, name);
	if (r.vector == PF && r.cr2 != va)
		is(r.cr2, va, text("%s: CR2", name));
}

static void permissions(void)
{
	enum { R, W, X };
	static const char *const kind[] = {"read", "write", "fetch"};
	struct regs (*const try[])(bool, u64) = {try_read, try_write, try_exec};

	/* All combinations of P, W, U, NX at leaf and table, WP, both privileges, three kinds of access. */
	unsigned bad = 0, n = 0;
	for (unsigned bits = 0; bits < 64; bits++) {
		u64 leaf = (bits & 1 ? PTE_P : 0) | (bits & 2 ? PTE_W : 0) | (bits & 4 ? PTE_U : 0) | (bits & 8 ? PTE_NX : 0);
		u64 table = PTE_P | (bits & 16 ? PTE_W : 0) | (bits & 32 ? PTE_U : 0);

		for (unsigned wp = 0; wp < 2; wp++)
			for (unsigned as_user = 0; as_user < 2; as_user++)
				for (unsigned k = R; k <= X; k++) {
					bool u_ok = leaf & table & PTE_U, w_ok = leaf & table & PTE_W;
					bool good = leaf & PTE_P && (u_ok || !as_user);
					u64 error = (leaf & PTE_P ? PF_P : 0) | (k == W ? PF_W : 0) | (as_user ? PF_U : 0)
						| (k == X ? PF_I : 0);

					if (k == W && !w_ok && (as_user || wp))
						good = false;
					if (k == X && leaf & PTE_NX)
						good = false;
					map(leaf, table);
					page[0] = 0xcc;
					if (wp)
						cr0_write(cr0_read() | CR0_WP);
					else
						cr0_write(cr0_read() & ~(uword)CR0_WP);
					struct regs r = try[k](as_user, VA);
					cr0_write(cr0_read() | CR0_WP);
					n++;
					if (good ? r.vector != DONE : r.vector != PF || r.error != error || r.cr2 != VA)
						if (bad++ < 5)
							ok(false, text("%s leaf %llx table %llx wp %u user %u", kind[k], leaf, table, wp,
								       as_user),
							   "vector %u error %llx cr2 %llx, expected %s %llx", (u32)r.vector, r.error,
							   r.cr2, good ? "none" : "#PF", error);
				}
	}
	is(bad, 0, text("%u combinations of rights", n));
}

static void accessed_dirty(void)
{
	map(PTE_ALL, PTE_ALL);
	*entry(2) &= ~(u64)PTE_A, *entry(3) &= ~(u64)PTE_A;
	flush();
	try_read(false, VA);
	is(*entry(1) & (PTE_A | PTE_D), PTE_A, "a read sets A, not D");
	is(*entry(2) & (PTE_A | PTE_D), PTE_A, "A at level 2, no D");
	is(*entry(3) & (PTE_A | PTE_D), PTE_A, "A at level 3, no D");
	try_write(false, VA);
	is(*entry(1) & (PTE_A | PTE_D), PTE_A | PTE_D, "a write after a read sets D");
	map(PTE_ALL, PTE_ALL);
	try_write(false, VA);
	is(*entry(1) & (PTE_A | PTE_D), PTE_A | PTE_D, "a first write sets both");
	/* A cached dirty translation does not set D again: software clears D without a flush. APM2 5.5.2 */
	*entry(1) &= ~(u64)PTE_D;
	try_write(false, VA);
	is(*entry(1) & PTE_D, 0, "a cached dirty translation writes no D");
	invlpg((void *)VA);
	try_write(false, VA);
	is(*entry(1) & PTE_D, PTE_D, "after INVLPG it does");
	/* A refused write sets no D. */
	map(PTE_P | PTE_U, PTE_ALL);
	try_write(true, VA);
	is(*entry(1) & PTE_D, 0, "a refused write sets no D");
	map(PTE_ALL & ~PTE_P, PTE_ALL);
	try_write(true, VA);
	is(*entry(1) & (PTE_A | PTE_D), 0, "an absent page gets no A");
	/* Instruction fetch sets A. */
	map(PTE_ALL, PTE_ALL);
	page[0] = 0xcc;
	try_exec(false, VA);
	is(*entry(1) & (PTE_A | PTE_D), PTE_A, "a fetch sets A");
}

static void reserved(void)
{
	u32 bits = cpuid(0x80000008, 0).a & 0xff;

	/* APM2 5.4, 8.4.2: RSV with P. */
	map(PTE_ALL, PTE_ALL);
	for (unsigned l = 1; l <= 3; l++) {
		if (bits < 52) {
			*entry(l) |= 1ull << 51;
			flush();
			fault_is(try_read(false, VA), PF_P | PF_RSV, VA, text("physical address bit 51 at level %u", l));
			fault_is(try_write(true, VA), PF_P | PF_RSV | PF_W | PF_U, VA, text("and a user write, level %u", l));
			*entry(l) &= ~(1ull << 51);
			*entry(l) |= 1ull << bits;
			flush();
			fault_is(try_read(false, VA), PF_P | PF_RSV, VA, text("first bit beyond the width, level %u", l));
			*entry(l) &= ~(1ull << bits);
		}
	}
	u64 other = *entry(4); /* PML4 entry 0 also holds this code: use entry 1 */
	root[1] = other | 0x80;
	fault_is(try_read(false, VA + (1ull << 39)), PF_P | PF_RSV, VA + (1ull << 39), "PS in a PML4 entry");
	root[1] = 0;
	/* Large pages: address bits below the page size, except bit 12 (PAT), are reserved. */
	u64 was = *entry(2);
	*entry(2) = 0x400000 | PTE_ALL | PTE_PS | 1 << 13;
	flush();
	fault_is(try_read(false, VA), PF_P | PF_RSV, VA, "bit 13 of a 2 MB entry");
	*entry(2) = 0x400000 | PTE_ALL | PTE_PS | 1 << 12;
	flush();
	struct regs r = try_read(false, VA);
	trap_is(&r, DONE, 0, "PAT bit of a 2 MB entry");
	*entry(2) = was;
	u64 was3 = *entry(3);
	if (cpuid(0x80000001, 0).d >> 26 & 1) {
		*entry(3) = PTE_ALL | PTE_PS;
		flush();
		*(u32 *)0x500000 = 0x600dc0de;
		struct regs in = user_regs(CODE("mov (%%rbx), %%eax"));
		in.bx = VA + 0x500000;
		r = run(in);
		is(r.ax, 0x600dc0de, "1 GB page");
		is(*entry(3) & (PTE_A | PTE_D), PTE_A, "A of a 1 GB page");
		*entry(3) = PTE_ALL | PTE_PS | 1 << 21;
		flush();
		fault_is(try_read(false, VA), PF_P | PF_RSV, VA, "bit 21 of a 1 GB entry");
	} else {
		skip("1 GB page", "not reported");
	}
	*entry(3) = was3;
	/* NX is reserved without EFER.NXE. APM2 5.6.1 */
	map(PTE_ALL | PTE_NX, PTE_ALL);
	fault_is(try_exec(false, VA), PF_P | PF_I, VA, "NX");
	msr_write(MSR_EFER, msr_read(MSR_EFER) & ~0x800ull);
	flush();
	fault_is(try_read(false, VA), PF_P | PF_RSV, VA, "bit 63 without EFER.NXE");
	map(PTE_ALL & ~PTE_U, PTE_ALL);
	page[0] = 0xcc;
	/* Without NXE (and SMEP) the I bit of the error code stays 0. APM2 8.4.2 */
	fault_is(try_exec(true, VA), PF_P | PF_U, VA, "a refused fetch without NXE does not say so");
	msr_write(MSR_EFER, msr_read(MSR_EFER) | 0x800);
	flush();
	/* NX at an upper level counts too. */
	map(PTE_ALL, PTE_ALL);
	*entry(3) |= PTE_NX;
	flush();
	fault_is(try_exec(false, VA), PF_P | PF_I, VA, "NX at level 3");
	*entry(3) &= ~PTE_NX;
	/* The priority: not present at a lower level beats rights of an upper one. */
	map(0, PTE_P | PTE_U);
	fault_is(try_write(true, VA), PF_W | PF_U, VA, "absent leaf under read-only tables");
}

static void smep_smap(void)
{
	struct regs r;

	map(PTE_ALL, PTE_ALL);
	page[0] = 0xcc;
	if (cpuid(7, 0).b >> 7 & 1) { /* APM2 5.6.5 */
		cr4_write(cr4_read() | CR4_SMEP);
		fault_is(try_exec(false, VA), PF_P | PF_I, VA, "SMEP: supervisor fetch from a user page");
		r = try_exec(true, VA);
		trap_is(&r, DONE, 0, "SMEP: user fetch from a user page");
		r = try_read(false, VA);
		trap_is(&r, DONE, 0, "SMEP: supervisor read of a user page");
		*entry(2) &= ~(u64)PTE_U;
		flush();
		r = try_exec(false, VA);
		trap_is(&r, DONE, 0, "SMEP: U at the leaf only");
		*entry(2) |= PTE_U;
		cr4_write(cr4_read() & ~(uword)CR4_SMEP);
	} else {
		skip("SMEP", "not reported");
	}
	if (!(cpuid(7, 0).b >> 20 & 1)) {
		skip("SMAP", "not reported");
		return;
	}
	const u8 *c = CODE("stac");
	r = run_kernel(c);
	trap_is(&r, DONE, 0, "STAC without CR4.SMAP"); /* APM3 STAC: #UD only if not supported or CPL > 0 */
	cr4_write(cr4_read() | CR4_SMAP);
	map(PTE_ALL, PTE_ALL);
	fault_is(try_read(false, VA), PF_P, VA, "SMAP: supervisor read of a user page");
	fault_is(try_write(false, VA), PF_P | PF_W, VA, "SMAP: supervisor write to a user page");
	r = try_exec(false, VA);
	trap_is(&r, DONE, 0, "SMAP: a fetch is not asked");
	r = try_read(true, VA);
	trap_is(&r, DONE, 0, "SMAP: user read");
	struct regs in = kernel_regs(CODE("stac\n mov (%%rbx), %%al\n clac\n nop\n mov (%%rbx), %%al"));
	in.bx = VA;
	r = run(in);
	trap_at(&r, PF, PF_P, (void *)(uword)in.ip, 9, "STAC opens, CLAC closes");
	in = kernel_regs(CODE("mov (%%rbx), %%al"));
	in.bx = VA;
	in.flags |= FL_AC;
	r = run(in);
	trap_is(&r, DONE, 0, "SMAP: with AC");
	/* Implicit accesses are refused even with AC: here an LDT in a user page. */
	map(PTE_ALL, PTE_ALL);
	memset(page, 0, 16);
	((u64 *)page)[1] = gdt[KDATA / 8];
	gdt[FREE / 8] = segment(0, 15, 0x82, 0) | (VA & 0xffffff) << 16 | (VA >> 24 & 0xff) << 56;
	gdt[FREE / 8 + 1] = VA >> 32;
	__asm__ volatile("lldt %w0" : : "r"(FREE));
	in = kernel_regs(CODE("mov $0xc, %%eax\n mov %%eax, %%es"));
	in.flags |= FL_AC;
	fault_is(run(in), PF_P, VA + 8, "SMAP: an implicit access does not ask AC");
	__asm__ volatile("lldt %w0" : : "r"(0));
	r = run_user(c);
	trap_is(&r, UD, 0, "STAC at CPL 3");
	cr4_write(cr4_read() & ~(uword)CR4_SMAP);
}

static void misc(void)
{
	struct regs r;

	/* An access that crosses into an absent page: CR2 is the second page's first byte. APM2 8.2.15: "the linear address that
	 * caused it". */
	map(PTE_ALL, PTE_ALL);
	*pte(root, VA + 4096, 12) = 0;
	invlpg((void *)(VA + 4096));
	page[4094] = 0x11;
	struct regs in = kernel_regs(CODE("mov %%rax, (%%rbx)"));
	in.bx = VA + 4094;
	in.ax = ~0ull;
	r = run(in);
	fault_is(r, PF_W, VA + 4096, "a write that crosses into an absent page");
	is(page[4094], 0x11, "writes nothing");
	in.bx = VA - 4;
	*pte(root, VA - 4096, 12) = 0;
	invlpg((void *)(VA - 4096));
	r = run(in);
	fault_is(r, PF_W, VA - 4, "a write that crosses from an absent page");
	/* CR3 with bits beyond the width: reserved, MBZ: #GP. APM2 5.3.2 / APM3 MOV CRn */
	const u8 *c = CODE("mov %%rbx, %%cr3");
	in = kernel_regs(c);
	in.bx = addr(root) | 1ull << 52;
	if (on_qemu()) /* QEMU 7.2 loads it, and hangs */
		skip("MOV CR3 with bit 52", "QEMU hangs");
	else {
		r = run(in);
		trap_at(&r, GP, 0, c, 0, "MOV CR3 with bit 52");
	}
	/* User pages reached by the kernel's RMW with fault: nothing is stored, flags stay. */
	map(PTE_P | PTE_U, PTE_ALL);
	in = user_regs(CODE("add %%eax, (%%rbx)"));
	in.bx = VA;
	in.ax = 1;
	in.flags |= FL_CF | FL_ZF;
	r = run(in);
	fault_is(r, PF_P | PF_W | PF_U, VA, "a read-modify-write on a read-only page says W");
	is(r.flags & (FL_CF | FL_ZF), FL_CF | FL_ZF, "and leaves the flags");
	in.ip = user(CODE("cmpxchg %%ecx, (%%rbx)"));
	in.ax = 0x12345;
	r = run(in);
	fault_is(r, PF_P | PF_W | PF_U, VA, "CMPXCHG that fails still writes");
	in.ip = user(CODE("bt %%eax, (%%rbx)"));
	in.ax = 0;
	r = run(in);
	trap_is(&r, DONE, 0, "BT only reads");
	/* System reads by CPL 3 are supervisor accesses: the GDT is in supervisor pages already. */
	r = run_user(CODE("mov $0x23, %%eax\n mov %%eax, %%es"));
	trap_is(&r, DONE, 0, "CPL 3 loads a segment from a supervisor GDT");
}

static void five_levels(void)
{
	if (!(cpuid(7, 0).c >> 16 & 1)) {
		skip("LA57", "not reported");
		return;
	}
	/* CR4.LA57 cannot change in long mode. APM2 5.3 / CR4 */
	const u8 *c = CODE("mov %%rbx, %%cr4");
	struct regs in = kernel_regs(c), r;
	in.bx = cr4_read() | CR4_LA57;
	r = run(in);
	trap_at(&r, GP, 0, c, 0, "LA57 cannot be set in long mode");
	u64 *pml5 = page_alloc();
	pml5[0] = addr(root) | PTE_ALL;
	pml5[1] = addr(root) | PTE_ALL;
	pml5[511] = addr(root) | PTE_ALL;
	r = five_levels_on(pml5);
	trap_is(&r, DONE, 0, "into 5-level paging");
	is(r.ax & CR4_LA57, CR4_LA57, "CR4.LA57");
	root = pml5;
	u64 far = 1ull << 48;
	in = kernel_regs(CODE("mov (%%rbx), %%eax"));
	in.bx = far + 0x100000;
	r = run(in);
	trap_is(&r, DONE, 0, "a 57-bit address");
	is(r.ax, 0x1badb002, "reads through PML5 entry 1");
	r = try_read(false, 0xffff000000100000);
	trap_is(&r, DONE, 0, "the top of the 57-bit space");
	r = try_read(false, 0x0100000000000000);
	trap_is(&r, GP, 0, "bit 57 is not canonical");
	pml5[2] = addr(page) | PTE_ALL | PTE_PS;
	r = try_read(false, 2ull << 48);
	fault_is(r, PF_P | PF_RSV, 2ull << 48, "PS in a PML5 entry");
	pml5[3] = 0;
	r = try_write(true, 3ull << 48);
	fault_is(r, PF_W | PF_U, 3ull << 48, "an absent PML5 entry");
	is(pml5[1] & PTE_A, PTE_A, "A of a PML5 entry");
}

void guest_main(void)
{
	root = boot_pml4;
	page = page_alloc();
	permissions();
	accessed_dirty();
	reserved();
	smep_smap();
	misc();
	five_levels();
}
