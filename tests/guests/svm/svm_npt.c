/* Nested paging: EXITINFO1 and 2 of an NPF, permissions, A/D bits, page sizes, guests of all paging modes. APM2 15.25 */
#include "vm.h"

enum { R = 0, W = 2 };
#define FINAL   (1ull << 32)
#define TABLE   (1ull << 33)
#define AREA    0x0c000000ull /* guest-physical and, identically, linear */
#define ADDRESS 0xffffffffff000ull

static const u8 *rd, *wr, *jmp;

static u64 *big(u64 gpa) { return pte(npt, gpa, 21); }

/* The 2 MB page of gpa in 4 KB pages. */
static u64 *split(u64 gpa)
{
	u64 *e = big(gpa), *t = page_alloc();

	for (unsigned i = 0; i < 512; i++)
		t[i] = (*e & 0xfffffffe00000ull) + i * 4096ull + PTE_ALL;
	*e = addr(t) | PTE_ALL;
	return &t[gpa >> 12 & 511];
}

static void access(const u8 *code, u64 at)
{
	vm_new(code);
	vr.rbx = at;
	vm->rax = 0x5a;
	vm_run();
}

/* One entry for AREA, 4 KB and 2 MB; each kind of access. APM2 15.25.6 */
static void permissions(void)
{
	const struct {
		const char *name;
		u64 clear, set;
		u64 rd, wr, ex; /* EXITINFO1 low bits + 1, 0: no exit */
	} rows[] = {
		{"not present", PTE_P, 0, 5, 7, 0x15},
		{"read-only", PTE_W, 0, 0, 8, 0},
		{"supervisor", PTE_U, 0, 6, 8, 0x16},
		{"NX", 0, PTE_NX, 0, 0, 0x16},
		{"not present, NX", PTE_P, PTE_NX, 5, 7, 0x15},
		{"reserved address bit", 0, 1ull << 51, 0xe, 0x10, 0x1e},
		{"PWT PCD AVL", 0, 0xe18, 0, 0, 0},
	};
	const u8 *codes[] = {rd, wr, jmp};
	const char *kind[] = {"read", "write", "fetch"};

	for (unsigned small = 0; small < 2; small++)
		for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
			for (unsigned k = 0; k < 3; k++) {
				u64 want = k == 0 ? rows[i].rd : k == 1 ? rows[i].wr : rows[i].ex;
				u64 *e;

				npt_new();
				e = small ? split(AREA + 0x5000) : big(AREA);
				*e = (*e & ~rows[i].clear) | rows[i].set;
				*(volatile u8 *)(AREA + 0x5678) = 0xcc;
				access(codes[k], AREA + 0x5678);
				const char *name = text("%s, %s, %s", small ? "4 KB" : "2 MB", rows[i].name, kind[k]);
				if (!want) {
					exit_is(EXIT_DONE, name);
					continue;
				}
				exit_info(EXIT_NPF, FINAL | (want - 1), AREA + 0x5678, name);
				is(vm->cr2, 0, text("%s: CR2", name));
			}
	npt_new();
	*big(AREA) |= 1 << 13; /* MBZ in a 2 MB entry */
	access(rd, AREA);
	exit_info(EXIT_NPF, FINAL | 0xd, AREA, "2 MB page, bit 13");
	npt_new();
	*pte(npt, AREA, 30) &= ~(u64)PTE_W; /* the levels' rights are merged */
	access(wr, AREA);
	ok(vm->exitcode == EXIT_NPF && (vm->info1 & 0xff) == 7, "PDPE read-only", "exit %llx info1 %llx", vm->exitcode, vm->info1);
	npt_new();
	*pte(npt, AREA, 39) |= PTE_NX;
	access(rd, AREA);
	exit_is(EXIT_NPF, "PML4E NX");
	ok((vm->info1 & 0x1f) == 0x15, "PML4E NX: the code itself", "info1 %llx", vm->info1);
	npt_new();
	*pte(npt, AREA, 39) |= PTE_PS;
	access(rd, AREA);
	ok(vm->exitcode == EXIT_NPF && (vm->info1 & 8), "PML4E with PS", "exit %llx info1 %llx", vm->exitcode, vm->info1);
	npt_new();
	if (cpuid(0x80000001, 0).d >> 26 & 1) {
		*pte(npt, 0, 30) = 0 | PTE_ALL | PTE_PS;
		access(wr, AREA);
		exit_is(EXIT_DONE, "1 GB page");
		*pte(npt, 0, 30) = 0 | PTE_P | PTE_U | PTE_PS;
		access(wr, AREA);
		exit_is(EXIT_NPF, "1 GB page, read-only");
	}
	npt_new();
	split(AREA);
	*split(AREA + 0x200000) = 0; /* second half of an access */
	access(CODE("mov (%%rbx), %%rax"), AREA + 0x1ffffc);
	exit_info(EXIT_NPF, FINAL | 4, AREA + 0x200000, "an access of two pages: the second");
	npt_new();
	*big(AREA) |= PTE_NX; /* every nested access is a user access */
	access(rd, AREA);
	exit_is(EXIT_DONE, "NX: read");
	if (svm_features & F_DECODE) {
		npt_new();
		*big(AREA) = 0;
		access(rd, AREA);
		ok(vm->fetched == 15 && vm->bytes[0] == rd[0] && vm->bytes[1] == rd[1] && vm->bytes[14] == rd[14], "instruction bytes",
		   "%u bytes, %x %x", vm->fetched, vm->bytes[0], vm->bytes[1]);
		access(jmp, AREA);
		is(vm->fetched, 0, "no instruction bytes of a fetch");
	}
	npt_new();
}

/* A and D of nested and guest tables. APM2 15.25.5, 15.25.6 */
static void accessed_dirty(void)
{
	u64 *e, *g = pte(boot_pml4, AREA, 21);

	npt_new();
	e = split(AREA);
	*g &= ~(u64)(PTE_A | PTE_D);
	access(rd, AREA);
	is(*e & (PTE_A | PTE_D), PTE_A, "read: A of the nested entry");
	is(*g & (PTE_A | PTE_D), PTE_A, "read: A of the guest's entry");
	is(*pte(npt, AREA, 30) & PTE_A, PTE_A, "read: A of the nested PDPE");
	access(wr, AREA);
	is(*e & (PTE_A | PTE_D), PTE_A | PTE_D, "write: D of the nested entry");
	is(*g & (PTE_A | PTE_D), PTE_A | PTE_D, "write: D of the guest's entry");
	npt_new();
	e = split(AREA);
	*e &= ~(u64)PTE_W;
	*g &= ~(u64)PTE_D;
	access(wr, AREA);
	is(*g & PTE_D, PTE_D, "the guest's D is set before the nested refusal");
}

/* The guest's own tables are read as user data, and written for A and D. APM2 15.25.5, 15.25.6 */
static void table_walk(void)
{
	static u64 pt[512] __attribute__((aligned(4096)));
	u64 *pd = pte(boot_pml4, AREA, 21), was = *pd, at = AREA + 3 * 4096, *e;

	for (unsigned ad = 0; ad < 2; ad++) {
		for (unsigned i = 0; i < 512; i++)
			pt[i] = (AREA + i * 4096) | PTE_ALL | (ad ? PTE_A | PTE_D : 0);
		*pd = addr(pt) | PTE_ALL | PTE_A;
		npt_new();
		e = split(addr(pt));
		*e &= ~1ull;
		access(rd, at);
		ok(vm->exitcode == EXIT_NPF && (vm->info1 & ~2ull) == (TABLE | 4) && vm->info2 == addr(&pt[3]),
		   text("guest table not present%s", ad ? ", A and D set" : ""), "exit %llx info1 %llx info2 %llx", vm->exitcode, vm->info1,
		   vm->info2);
		*e = addr(pt) | PTE_P | PTE_U;
		access(rd, at);
		/* a write for the nested tables even if nothing is to be set: there is no ROGPT. APM2 15.25.5 */
		exit_info(EXIT_NPF, TABLE | 7, addr(&pt[3]), text("guest table read-only%s", ad ? ", A and D set" : ""));
		is(pt[3] & PTE_A, ad ? PTE_A : 0, text("guest table read-only%s: A", ad ? ", A and D set" : ""));
		*e = addr(pt) | PTE_P | PTE_W;
		access(rd, at);
		ok(vm->exitcode == EXIT_NPF && (vm->info1 & ~2ull) == (TABLE | 5) && vm->info2 == addr(&pt[3]),
		   text("guest table supervisor%s", ad ? ", A and D set" : ""), "exit %llx info1 %llx info2 %llx", vm->exitcode, vm->info1,
		   vm->info2);
		*e = addr(pt) | PTE_ALL | PTE_NX;
		access(rd, at);
		exit_is(EXIT_DONE, text("guest table NX%s", ad ? ", A and D set" : ""));
	}
	/* The guest's own fault needs no nested page behind it. */
	npt_new();
	*big(AREA) = 0;
	pt[3] = AREA | PTE_P | PTE_A;
	access(wr, at);
	exit_info(EXIT_PF, 3, at, "#PF goes before the final NPF");
	pt[3] = 0;
	access(rd, at);
	exit_info(EXIT_PF, 0, at, "#PF, not present");
	pt[3] = 0x7f0000000000 | PTE_ALL; /* a frame that the nested tables do not have */
	access(wr, at);
	exit_info(EXIT_NPF, FINAL | 6, 0x7f0000000000, "a guest's wild frame");
	npt_new();
	*pd = was;
	/* nested rights do not heed the guest's CR0.WP */
	*big(AREA) &= ~(u64)PTE_W;
	vm_new(wr);
	vm->cr0 &= ~(u64)CR0_WP;
	vr.rbx = AREA;
	vm_run();
	exit_is(EXIT_NPF, "CR0.WP 0, nested read-only");
	npt_new();
	vm_new(rd);
	vm->cr3 = 0x1000000000;
	vm_run();
	ok(vm->exitcode == EXIT_NPF && (vm->info1 & ~0x12ull) == (TABLE | 4) && (vm->info2 & ~0xfffull) == 0x1000000000, "wild CR3",
	   "exit %llx info1 %llx info2 %llx", vm->exitcode, vm->info1, vm->info2);
}

/* gPA is not pA. */
static void remapped(void)
{
	npt_new();
	u64 *e = split(AREA);

	*(u8 *)0x0d000000 = 0x77;
	*(u8 *)AREA = 0x11;
	*e = 0x0d000000 | PTE_ALL;
	access(rd, AREA);
	is(vm->rax & 0xff, 0x77, "the nested tables' page is read");
	access(wr, AREA);
	is(*(u8 *)0x0d000000, 0x5a, "the nested tables' page is written");
	is(*(u8 *)AREA, 0x11, "the page at the same address is not");
	/* Guest linear != guest physical != physical */
	u64 va = 0x5000000000ull;
	*pte(boot_pml4, va, 12) = AREA | PTE_ALL;
	access(wr, va + 1);
	is(*(u8 *)0x0d000001, 0x5a, "three addresses of one byte");
	*e = 0;
	access(wr, va + 1);
	exit_info(EXIT_NPF, FINAL | 6, AREA + 1, "EXITINFO2 is the guest-physical address");
	npt_new();
}

/* Other guests: PAE, no paging, real mode, 32-bit code of a long-mode guest. */
static void modes(void)
{
	const u8 *pae = CODE32("mov (%%ebx), %%al"), *real = CODE16("mov %%ds:(%%bx), %%al"), *wr16 = CODE16("movb %%al, %%ds:(%%bx)");

	for (unsigned paging = 0; paging < 2; paging++) {
		const char *name = paging ? "PAE guest" : "guest without paging";

		npt_new();
		*(u8 *)AREA = 0x33;
		vm_new32(pae, paging);
		vr.rbx = AREA;
		vm_run();
		exit_is(EXIT_DONE, name);
		is(vm->rax & 0xff, 0x33, text("%s: what it read", name));
		is(vm->rip, addr(pae) + 2, text("%s: rip", name));
		if (paging) { /* it uses the nested tables' own page directories as its tables: take another page away */
			split(AREA);
			vm_new32(pae, true);
			vr.rbx = AREA;
			vm->cr3 = 0x0c800000; /* PDPEs, in a page that is not there */
			*big(0x0c800000) = 0;
			vm_run();
			ok(vm->exitcode == EXIT_NPF && (vm->info1 & (TABLE | FINAL)) == TABLE && (vm->info2 & ~0x1full) == 0x0c800000,
			   "PAE guest: PDPE not there", "exit %llx info1 %llx info2 %llx", vm->exitcode, vm->info1, vm->info2);
			continue;
		}
		*big(AREA) = 0;
		vm_new32(pae, false);
		vr.rbx = AREA + 9;
		vm_run();
		exit_info(EXIT_NPF, FINAL | 4, AREA + 9, text("%s: NPF", name));
	}
	npt_new();
	vm_new16(real);
	vr.rbx = 0x123;
	*(u8 *)0x20123 = 0x44;
	vm_run();
	exit_is(EXIT_DONE, "real mode guest");
	is(vm->rax & 0xff, 0x44, "real mode guest: what it read");
	is(vm->cs.sel, LOW_CODE >> 4, "real mode guest: CS");
	*split(0x20000) &= ~(u64)PTE_W;
	vm_new16(wr16);
	vr.rbx = 0x123;
	vm_run();
	exit_info(EXIT_NPF, FINAL | 7, 0x20123, "real mode guest: NPF");
	npt_new();
	vm_new16(CODE16("mov %%cs, %%ax\n mov %%ax, %%ds\n nop")); /* segment loads as in real mode */
	vm_run();
	is(vm->ds.base, LOW_CODE, "real mode guest: a segment's base");
	is(vm->ds.sel, LOW_CODE >> 4, "real mode guest: a segment's selector");
	/* Paged real mode: CR0.PG without PE. APM2 15.19 */
	vm_new16(CODE16("mov %%ds:(%%bx), %%al"));
	vm_new32(pae, true);
	u64 cr3 = vm->cr3;
	vm_new16(CODE16("mov %%ds:(%%bx), %%al"));
	vm->cr0 = 0x80000010;
	vm->cr4 = CR4_PAE;
	vm->cr3 = cr3;
	vr.rbx = 0x123;
	vm_run();
	exit_is(EXIT_DONE, "paged real mode guest");
	is(vm->rax & 0xff, 0x44, "paged real mode guest: what it read");
	/* compatibility mode */
	vm_new(CODE32("mov (%%ebx), %%al"));
	vm->cs.attr = 0xc9b;
	vr.rbx = AREA;
	vm_run();
	is(vm->rax & 0xff, 0x33, "compatibility mode guest");
	/* its own switch from real to protected mode */
	vm_new16(CODE16("mov %%cr0, %%eax\n or $1, %%al\n mov %%eax, %%cr0\n ljmpl $0x40, $0x10010\n .code32\n nop\n nop\n nop\n nop\n nop\n nop"));
	vm->gdtr = (struct vmcb_seg){0, 0, sizeof gdt - 1, addr(gdt)};
	vm_run();
	exit_is(EXIT_DONE, "real to protected mode");
	is(vm->cs.sel, KCODE32, "real to protected mode: CS");
	is(vm->cs.attr & 0xfff, 0xc9b, "real to protected mode: CS attributes");
	is(vm->cr0 & 1, 1, "real to protected mode: CR0");
}

void guest_main(void)
{
	svm_on();
	rd = CODE("mov (%%rbx), %%al");
	wr = CODE("mov %%al, (%%rbx)");
	jmp = CODE("jmp *%%rbx");
	permissions();
	accessed_dirty();
	table_walk();
	remapped();
	modes();
}
