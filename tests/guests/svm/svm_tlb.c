/*
 * What VMRUN, #VMEXIT and the flushes keep and drop: ASIDs, TLB_CONTROL, INVLPGA, stale guest and nested translations; the
 * VMCB clean bits. A kept translation is allowed, not promised, on hardware; undervisor promises it. APM2 15.15, 15.16, 15.25
 */
#include "vm.h"

#define VA   0x5000000000ull
#define AREA 0x0c000000ull
static u64 *e, *n; /* the guest's entry of VA; the nested entry of page a */
static u8 *a, *b;  /* guest-physical */
static const u8 *rd;

static u8 see(u64 va)
{
	u8 v;

	__asm__ volatile("movb (%1), %0" : "=q"(v) : "r"(va) : "memory");
	return v;
}

/* What a guest with this ASID reads at VA. */
static u8 guest_sees(u32 asid, u8 control)
{
	vm_new(rd);
	vm->asid = asid;
	vm->tlb_control = control;
	vr.rbx = VA;
	vm_run();
	if (vm->exitcode != EXIT_DONE)
		die("exit %llx info1 %llx info2 %llx", vm->exitcode, vm->info1, vm->info2);
	return (u8)vm->rax;
}

static void point(const u8 *p, u64 bits) { *(volatile u64 *)e = addr(p) | PTE_ALL | PTE_A | PTE_D | bits; }

static void guest_translations(void)
{
	bool by_asid = svm_features & F_FLUSH;

	point(a, 0);
	is(guest_sees(1, 1), 1, "guest translation");
	point(b, 0);
	is(guest_sees(1, 0), 1, "stale without a flush");
	is(guest_sees(2, 0), 2, "another ASID does not have it");
	is(guest_sees(1, 0), 1, "the first still has");
	is(guest_sees(1, 1), 2, "TLB_CONTROL 1 drops it");
	guest_sees(2, 0);
	point(a, 0);
	is(guest_sees(2, 0), 2, "stale in ASID 2");
	guest_sees(1, 1);
	is(guest_sees(2, 0), 1, "TLB_CONTROL 1 drops all ASIDs'");
	if (!by_asid) {
		skip("TLB_CONTROL 3 and 7", "not reported");
		return;
	}
	guest_sees(1, 0);
	point(b, 0);
	is(guest_sees(2, 3), 2, "TLB_CONTROL 3 drops its ASID's");
	is(guest_sees(1, 0), 1, "and no other's");
	is(guest_sees(1, 7), 2, "TLB_CONTROL 7 drops it");
	point(a, PTE_G);
	is(guest_sees(1, 3), 1, "global translation");
	point(b, PTE_G);
	is(guest_sees(1, 7), 1, "TLB_CONTROL 7 keeps a global one");
	is(guest_sees(1, 3), 2, "TLB_CONTROL 3 drops it");
}

static void inside(const char *name, const u8 *code, u8 want)
{
	vm_new(code);
	vm->tlb_control = 0;
	vm->rax = VA;
	vr.rbx = vm->cr3;
	vm_run();
	if (vm->exitcode != EXIT_DONE)
		die("%s: exit %llx", name, vm->exitcode);
	is(guest_sees(1, 0), want, name);
}

/* The guest's own flushes; INVLPGA. APM2 15.16.2 */
static void flushes(void)
{
	point(a, 0);
	guest_sees(1, 1);
	guest_sees(2, 0);
	point(b, 0);
	inside("the guest's NOP", CODE("nop"), 1);
	inside("the guest's MOV CR3", CODE("mov %%rbx, %%cr3"), 2);
	is(guest_sees(2, 0), 1, "the guest's MOV CR3: not for ASID 2");
	point(a, 0);
	inside("the guest's INVLPG", CODE("invlpg (%%rax)"), 1);
	point(b, 0);
	inside("the guest's INVLPG of another page", CODE("invlpg 4096(%%rax)"), 1);
	__asm__ volatile("invlpga %0, %1" : : "a"(VA), "c"(5));
	is(guest_sees(1, 0), 1, "INVLPGA with another ASID");
	__asm__ volatile("invlpga %0, %1" : : "a"(VA + 4096), "c"(1));
	is(guest_sees(1, 0), 1, "INVLPGA of another page");
	__asm__ volatile("invlpga %0, %1" : : "a"(VA + 12), "c"(1));
	is(guest_sees(1, 0), 2, "INVLPGA");
	flush();
	is(guest_sees(2, 0), 1, "the host's MOV CR3: not for ASID 2");
	cr4_write(cr4_read() & ~(uword)CR4_PGE);
	cr4_write(cr4_read() | CR4_PGE);
	ok(true, "the host's CR4.PGE", " ");
	guest_sees(2, 1);
	invlpg((void *)VA);
	point(a, 0);
	invlpg((void *)VA);
	is(guest_sees(2, 0), 2, "the host's INVLPG: not for ASID 2");
}

/* The host's translations: ASID 0. */
static void host(void)
{
	point(a, 0);
	invlpg((void *)VA);
	is(see(VA), 1, "host translation");
	point(b, 0);
	guest_sees(1, 0);
	is(see(VA), 1, "stale over VMRUN and #VMEXIT");
	if (svm_features & F_FLUSH) {
		guest_sees(1, 3);
		is(see(VA), 1, "TLB_CONTROL 3 is not for the host's");
	}
	guest_sees(1, 1);
	is(see(VA), 2, "TLB_CONTROL 1 is");
	point(a, 0);
	__asm__ volatile("invlpga %0, %1" : : "a"(VA), "c"(0));
	is(see(VA), 1, "INVLPGA of ASID 0");
}

static void nested(u8 *pa)
{
	*(volatile u64 *)n = addr(pa) | PTE_ALL | PTE_A | PTE_D;
}

static void nested_translations(void)
{
	point(a, 0);
	nested(a);
	is(guest_sees(1, 1), 1, "nested translation");
	nested(b);
	is(guest_sees(1, 0), 1, "stale without a flush, nested");
	is(guest_sees(3, 0), 2, "another ASID does not have it, nested");
	is(guest_sees(1, 1), 2, "TLB_CONTROL 1 drops it, nested");
	nested(a);
	is(guest_sees(1, 0), 2, "stale again, nested");
	if (svm_features & F_FLUSH)
		is(guest_sees(1, 3), 1, "TLB_CONTROL 3 drops it, nested");
	guest_sees(1, 1);
	*(volatile u64 *)n = 0;
	is(guest_sees(1, 0), 1, "a nested page taken away stays readable");
	vm_new(rd);
	vm->tlb_control = 1;
	vr.rbx = VA;
	vm_run();
	exit_is(EXIT_NPF, "until the flush");
	nested(a); /* what was not there is not cached */
	is(guest_sees(1, 0), 1, "a nested page that comes needs no flush");
	/* Rights that grow need none either: the processor walks again. */
	const u8 *wr = CODE("mov %%al, (%%rbx)");
	*(volatile u64 *)n = addr(a) | PTE_P | PTE_U | PTE_A;
	guest_sees(1, 1);
	nested(a);
	vm_new(wr);
	vm->tlb_control = 0;
	vr.rbx = VA;
	vm->rax = 1;
	vm_run();
	exit_is(EXIT_DONE, "nested rights that grow need no flush");
}

/* ---- clean bits: a set bit keeps the cached group, if the VMCB is the last one run. APM2 15.15 */

enum { C_I, C_IOPM, C_ASID, C_TPR, C_NP, C_CRX, C_DRX, C_DT, C_SEG, C_CR2, C_LBR };
static u8 *ones;
static u64 *npt2;

/* The guest of each group, and the change. Fields are as vm_new leaves them. */
static void change(unsigned group)
{
	switch (group) {
	case C_I: vm_set(I_CPUID, true); break;
	case C_IOPM: vm->msrpm = addr(ones); break;
	case C_TPR: vm->v_intr = V_IRQ | V_PRIO(5) | V_VECTOR(0x61); break;
	case C_NP: vm->ncr3 = addr(npt2); break;
	case C_CRX: vm->cr4 |= CR4_DE; break;
	case C_DRX: vm->dr7 |= 2; break;
	case C_DT: vm->idtr.limit = 0x123; break;
	case C_SEG: vm->es.sel = 0x55; break;
	case C_CR2: vm->cr2 = 0x9999; break;
	case C_LBR: vm->br_from = 0x8888; break;
	}
}

/* Did the guest see the change? */
static bool seen(unsigned group)
{
	switch (group) {
	case C_I: return vm->exitcode == EXIT_CPUID;
	case C_IOPM: return vm->exitcode == EXIT_MSR;
	case C_TPR: return vm_vector() == 0x61;
	case C_NP: return (u8)vm->rax == 2;
	case C_CRX: return vm->rax & CR4_DE;
	case C_DRX: return vm->rax & 2;
	case C_DT: return *(u16 *)0x0c100000 == 0x123;
	case C_SEG: return (u16)vm->rax == 0x55;
	case C_CR2: return vm->rax == 0x9999;
	case C_LBR: return (u32)vm->rax == 0x8888;
	}
	return false;
}

static void group_new(unsigned group)
{
	const u8 *codes[] = {CODE("cpuid"), CODE("mov $0x10, %%ecx\n rdmsr"), rd, CODE("sti\n nop\n nop"), rd, CODE("mov %%cr4, %%rax"),
		CODE("mov %%dr7, %%rax"), CODE("sidt (%%rbx)"), CODE("mov %%es, %%eax"), CODE("mov %%cr2, %%rax"),
		CODE("mov $0x1db, %%ecx\n rdmsr")};

	vm_new(codes[group]);
	vr.rbx = group == C_DT ? 0x0c100000 : VA;
	vm->exceptions = 8; /* INT3 alone */
	if (group == C_IOPM)
		vm_set(I_MSR, true);
	if (group == C_LBR)
		vm->virt_ext = 1;
}

static void clean_bits(void)
{
	const char *names[] = {"intercepts", "IOPM and MSRPM", "ASID", "V_TPR", "nested paging", "CRx", "DRx", "GDT and IDT", "segments",
		"CR2", "LBR"};

	if (!(svm_features & F_CLEAN)) {
		skip("clean bits", "not reported");
		return;
	}
	for (unsigned clear = 0; clear < 2; clear++) { /* ASID 1 has the old translation, 4 none */
		nested(a);
		point(a, 0);
		guest_sees(1, 1);
		point(b, 0);
		vm->rip = addr(rd);
		vm->asid = 4;
		vm->clean = clear ? 0x7ff & ~(1u << C_ASID) : 0x7ff;
		vm_run();
		is((u8)vm->rax, clear ? 2 : 1, clear ? "clean bit ASID: clear" : "clean bit ASID: set");
	}
	for (unsigned g = 0; g <= C_LBR; g++) {
		if (g == C_ASID || (g == C_LBR && !(svm_features & F_LBRV)))
			continue;
		for (unsigned pass = 0; pass < 3; pass++) { /* bit set, all others set, all set but another VMCB was run */
			struct vmcb *first = vm, *other = page_alloc();
			u64 rip;

			point(a, 0);
			nested(a);
			group_new(g);
			rip = vm->rip;
			vm_run();
			ok(!seen(g), text("clean bit %s: before", names[g]), "exit %llx rax %llx", vm->exitcode, vm->rax);
			if (pass == 2) {
				vm = other;
				vm_new(CODE("nop"));
				vm_run();
				vm = first;
				vr.rbx = g == C_DT ? 0x0c100000 : VA;
			}
			vm->rip = rip;
			vm->rflags = 2;
			vm->clean = pass == 1 ? 0x7ff & ~(1u << g) : 0x7ff;
			vm->tlb_control = g == C_NP;
			change(g);
			vm_run();
			ok(seen(g) == (pass != 0),
			   text("clean bit %s: %s", names[g], pass == 0 ? "set" : pass == 1 ? "clear" : "set, of another VMCB"),
			   "exit %llx rax %llx", vm->exitcode, vm->rax);
		}
	}
}

void guest_main(void)
{
	svm_on();
	rd = CODE("mov (%%rbx), %%al");
	a = (u8 *)AREA;
	b = (u8 *)AREA + 4096;
	*a = 1;
	*b = 2;
	u64 *t = page_alloc(); /* AREA in 4 KB nested pages */
	for (unsigned i = 0; i < 512; i++)
		t[i] = (AREA + i * 4096ull) | PTE_ALL | PTE_A | PTE_D;
	*pte(npt, AREA, 21) = addr(t) | PTE_ALL;
	n = t;
	e = pte(boot_pml4, VA, 12);
	guest_translations();
	flushes();
	host();
	nested_translations();
	ones = page_alloc();
	page_alloc();
	memset(ones, 0xff, 8192);
	npt2 = page_alloc(); /* the same, except that a is b */
	memcpy(npt2, npt, 4096);
	u64 *pdpt = page_alloc(), *pd = page_alloc(), *pt2 = page_alloc();
	memcpy(pdpt, (void *)(uword)(npt[0] & ~0xfffull), 4096);
	memcpy(pd, (void *)(uword)(pdpt[0] & ~0xfffull), 4096);
	memcpy(pt2, t, 4096);
	pt2[0] = addr(b) | PTE_ALL;
	npt2[0] = addr(pdpt) | PTE_ALL;
	pdpt[0] = addr(pd) | PTE_ALL;
	pd[AREA >> 21] = addr(pt2) | PTE_ALL;
	clean_bits();
}
