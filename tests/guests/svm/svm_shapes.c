/*
 * A read through every shape of a walk: guests of all paging modes and page sizes under nested pages of every size and four or five levels,
 * and the host's own. Each has an address of its own, by which tests/walk/shapes finds its walk. APM2 5.2, 5.3, 15.25
 */
#include "vm.h"

#define AREA 0x0c000000ull /* 2 MB and 4 MB pages begin here */
enum { AT = 0x678, VALUE = 0x33, SIZES = 3 };

static const unsigned shift[SIZES] = {12, 21, 30};
static const char *const size[SIZES] = {"4 KB", "2 MB", "1 GB"};
static u64 *nested[SIZES]; /* the first 256 MB one to one, in pages of that size */
static u32 dir[1024] __attribute__((aligned(4096))), table[1024] __attribute__((aligned(4096)));

/* Where pages of each shape are seen. */
static u64 va64(u64 base, unsigned g, unsigned n) { return base + ((u64)g << 36) + ((u64)n << 32) + AREA + AT; }
#define VA_GUEST  0x10000000000ull
#define VA_HOST   0x20000000000ull
#define VA_GUEST5 0x1030000000000ull /* PML5 entry 1 */
#define VA_HOST5  0x1040000000000ull
static u32 va_4m(unsigned n) { return 0x40000000u + (n << 22) + AT; }
static u32 va_4k(unsigned n) { return 0x50000000u + (n << 12) + AT; }
static u32 va_pae_2m(unsigned n) { return AREA + (n + 1) * 0x200000 + AT; }
static u32 va_pae_4k(unsigned n) { return AREA + 0x1000000 + (n << 12) + AT; }
static u32 va_flat(unsigned n) { return AREA + 0x800000 + (n << 12) + AT; }
static u32 va_real(unsigned n) { return 0x20000u + (n << 12) + AT; }

/* AREA, or for 1 GB the gigabyte that has it, in the four-level tree at root. */
static void map(u64 *root, u64 va, unsigned s)
{
	*pte(root, va, shift[s]) = (s == 2 ? 0 : AREA) | PTE_ALL | (s ? PTE_PS : 0);
}

static void nested_make(void)
{
	for (unsigned s = 0; s < SIZES; s++) {
		nested[s] = page_alloc();
		for (u64 gpa = 0; gpa < 256ull << 20; gpa += 1ull << shift[s])
			*pte(nested[s], gpa, shift[s]) = gpa | PTE_ALL | (s ? PTE_PS : 0);
	}
}

static void guest_reads(const char *name, unsigned n, u64 va)
{
	*(volatile u8 *)(AREA + AT) = VALUE;
	vr.rbx = va;
	vm->ncr3 = addr(nested[n]);
	vm_run();
	exit_is(EXIT_DONE, text("%s under %s", name, size[n]));
	is(vm->rax & 0xff, VALUE, text("%s under %s: what it read", name, size[n]));
}

static void host_reads(const char *name, u64 va)
{
	struct regs in = kernel_regs(CODE("mov (%%rbx), %%al"));

	in.bx = va;
	in.ax = 0;
	in = run(in);
	is(in.ax & 0xff, VALUE, name);
}

static void long_mode(void)
{
	for (unsigned g = 0; g < SIZES; g++)
		for (unsigned n = 0; n < SIZES; n++) {
			map(boot_pml4, va64(VA_GUEST, g, n), g);
			vm_new(CODE("mov (%%rbx), %%al"));
			guest_reads(text("%s, 4 levels,", size[g]), n, va64(VA_GUEST, g, n));
		}
	for (unsigned s = 0; s < SIZES; s++) {
		map(boot_pml4, va64(VA_HOST, s, 0), s);
		host_reads(text("the host's %s", size[s]), va64(VA_HOST, s, 0));
	}
}

/* 32-bit paging, four bytes an entry. */
static void legacy(unsigned n, const u8 *code)
{
	for (u32 i = 0; i < 64; i++)
		dir[i] = i << 22 | PTE_ALL | PTE_PS;
	dir[va_4m(n) >> 22] = AREA | PTE_ALL | PTE_PS;
	dir[va_4k(n) >> 22] = addr(table) | PTE_ALL;
	table[va_4k(n) >> 12 & 1023] = AREA | PTE_ALL;
	for (unsigned k = 0; k < 2; k++) {
		vm_new32(code, false);
		vm->cr0 = 0x80000031;
		vm->cr4 = CR4_PSE;
		vm->cr3 = addr(dir);
		guest_reads(k ? "4 KB, 32-bit" : "4 MB, 32-bit", n, k ? va_4k(n) : va_4m(n));
	}
}

/* The tables of vm_new32(code, true) map everything one to one in 2 MB pages. */
static void pae(unsigned n, const u8 *code)
{
	u64 *small = pte(npt, va_pae_4k(n), 21);

	*(volatile u8 *)(uword)va_pae_2m(n) = VALUE;
	vm_new32(code, true);
	guest_reads("2 MB, PAE", n, va_pae_2m(n));
	if (*small & PTE_PS)
		*small = addr(page_alloc()) | PTE_ALL;
	*pte(npt, va_pae_4k(n), 12) = AREA | PTE_ALL;
	vm_new32(code, true);
	guest_reads("4 KB, PAE", n, va_pae_4k(n));
}

static void unpaged(unsigned n, const u8 *code)
{
	*(volatile u8 *)(uword)va_flat(n) = VALUE;
	vm_new32(code, false);
	guest_reads("protected mode without paging", n, va_flat(n));
	*(volatile u8 *)(uword)va_real(n) = VALUE;
	vm_new16(CODE16("mov %%ds:(%%bx), %%al"));
	guest_reads("real mode", n, va_real(n) - 0x20000);
}

static void guest5_reads(const char *name, unsigned n, const u64 *pml5, unsigned above)
{
	vm_new(CODE("mov (%%rbx), %%al"));
	vm->cr3 = addr(pml5);
	vm->cr4 |= CR4_LA57;
	map(boot_pml4, va64(VA_GUEST5, above, n) & 0xffffffffffff, 0);
	guest_reads(name, n, va64(VA_GUEST5, above, n));
}

/* The guest's first, under four nested levels; then the host has five, and with it the nested tables. The smallest pages come last: at the end
 * a look from outside sees the longest walk. APM2 15.25.3 */
static void five_levels(void)
{
	u64 *pml5 = page_alloc();

	if (!(cpuid(7, 0).c >> 16 & 1)) {
		skip("LA57", "not reported");
		return;
	}
	pml5[0] = pml5[1] = addr(boot_pml4) | PTE_ALL;
	for (unsigned n = 0; n < SIZES; n++)
		guest5_reads("4 KB, 5 levels,", n, pml5, 0);
	is(five_levels_on(pml5).ax & CR4_LA57, CR4_LA57, "five levels");
	for (unsigned s = SIZES; s--;) {
		u64 *top = page_alloc();

		map(boot_pml4, va64(VA_HOST5, s, 0) & 0xffffffffffff, s);
		host_reads(text("the host's %s, 5 levels", size[s]), va64(VA_HOST5, s, 0));
		top[0] = addr(nested[s]) | PTE_ALL;
		nested[s] = top;
		guest5_reads("4 KB, 5 levels, nested 5 levels,", s, pml5, 1);
	}
}

void guest_main(void)
{
	const u8 *code = CODE32("mov (%%ebx), %%al");

	svm_on();
	nested_make();
	long_mode();
	for (unsigned n = 0; n < SIZES; n++) {
		legacy(n, code);
		pae(n, code);
		unpaged(n, code);
	}
	five_levels();
}
