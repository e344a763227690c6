/* The VMM of the SVM test guests. See vm.h. */
#include "vm.h"

#define AT(field, off) _Static_assert(offsetof(struct vmcb, field) == (off), "VMCB layout")
AT(pause_threshold, 0x3c);
AT(asid, 0x58);
AT(intinfo, 0x88);
AT(ncr3, 0xb0);
AT(nrip, 0xc8);
AT(tr, 0x490);
AT(cpl, 0x4cb);
AT(cr4, 0x548);
AT(rsp, 0x5d8);
AT(cr2, 0x640);
AT(g_pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "VMCB size");

struct vmcb *vm;
struct vm_regs vr;
u64 *npt, vm_host_flags;
u8 *iopm, *msrpm, *vm_stack;
u32 svm_features;
static struct vmcb *host;
static struct gate guest_idt[256] __attribute__((aligned(16)));
static u64 *npt_pd[4], *pae_pdpt;

void vm_switch(struct vmcb *v, struct vm_regs *r, struct vmcb *h);
__asm__(".text\n"
	"vm_switch:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; pushfq; push %rdx; push %rsi\n"
	"	mov %rdi, %rax\n"
	"	clgi\n"
	"	vmload %rax\n"
	"	pushq vm_host_flags\n"
	"	popfq\n"
	"	mov 0x00(%rsi), %rbx; mov 0x08(%rsi), %rcx; mov 0x10(%rsi), %rdx; mov 0x20(%rsi), %rdi\n"
	"	mov 0x28(%rsi), %rbp; mov 0x30(%rsi), %r8; mov 0x38(%rsi), %r9; mov 0x40(%rsi), %r10\n"
	"	mov 0x48(%rsi), %r11; mov 0x50(%rsi), %r12; mov 0x58(%rsi), %r13; mov 0x60(%rsi), %r14\n"
	"	mov 0x68(%rsi), %r15; mov 0x18(%rsi), %rsi\n"
	"	vmrun %rax\n"
	"	cli\n"
	"	vmsave %rax\n"
	"	mov (%rsp), %rax\n"
	"	mov %rbx, 0x00(%rax); mov %rcx, 0x08(%rax); mov %rdx, 0x10(%rax); mov %rsi, 0x18(%rax)\n"
	"	mov %rdi, 0x20(%rax); mov %rbp, 0x28(%rax); mov %r8, 0x30(%rax); mov %r9, 0x38(%rax)\n"
	"	mov %r10, 0x40(%rax); mov %r11, 0x48(%rax); mov %r12, 0x50(%rax); mov %r13, 0x58(%rax)\n"
	"	mov %r14, 0x60(%rax); mov %r15, 0x68(%rax)\n"
	"	pop %rsi\n"
	"	pop %rax\n"
	"	vmload %rax\n"
	"	popfq; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	"	.balign 16\n"
	"	.globl vm_stubs\n"
	"vm_stubs:\n"
	"	.rept 256\n"
	"	.balign 16\n"
	"	vmmcall\n"
	"	iretq\n"
	"	.endr\n");

static u8 *pages(unsigned n)
{
	u8 *first = page_alloc();

	for (unsigned i = 1; i < n; i++)
		page_alloc();
	return first;
}

void npt_new(void)
{
	memset(npt, 0, 4096);
	for (unsigned i = 0; i < 4; i++) {
		if (!npt_pd[i])
			npt_pd[i] = page_alloc();
		*pte(npt, (u64)i << 30, 30) = addr(npt_pd[i]) | PTE_ALL;
		for (unsigned k = 0; k < 512; k++)
			npt_pd[i][k] = ((u64)i << 30) | (u64)k << 21 | PTE_ALL | PTE_PS;
	}
}

void svm_on(void)
{
	if (!(cpuid(0x80000001, 0).c & 4)) {
		skip("SVM", "not reported");
		guest_end();
	}
	svm_features = cpuid(0x8000000a, 0).d;
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME); /* APM2 15.4 */
	msr_write(MSR_VM_HSAVE_PA, addr(page_alloc()));
	vm = page_alloc();
	host = page_alloc();
	vmsave(host);
	npt = page_alloc();
	npt_new();
	pae_pdpt = page_alloc();
	iopm = pages(3);
	msrpm = pages(2);
	vm_stack = pages(4) + 4 * 4096 - 64;
	for (unsigned i = 0; i < 256; i++) {
		u64 a = addr(vm_stubs + 16 * i);

		guest_idt[i] = (struct gate){(u16)a, KCODE, 0, 0x8e, (u16)(a >> 16), (u32)(a >> 32), 0};
	}
}

void vm_new(const void *code)
{
	memset(vm, 0, 4096);
	memset(&vr, 0, sizeof vr);
	memset(iopm, 0, 3 * 4096);
	memset(msrpm, 0, 2 * 4096);
	vm_host_flags = 2;
	vm->exceptions = ~0u;
	vm->icpt3 = 1 | 1u << 31; /* INTR, shutdown */
	vm->icpt4 = 3;            /* VMRUN, VMMCALL */
	vm->iopm = addr(iopm);
	vm->msrpm = addr(msrpm);
	vm->asid = 1;
	vm->tlb_control = 1;
	vm->np = 1;
	vm->ncr3 = addr(npt);
	vm->cs = (struct vmcb_seg){KCODE, 0xa9b, ~0u, 0};
	vm->ss = vm->ds = vm->es = vm->fs = vm->gs = (struct vmcb_seg){KDATA, 0xc93, ~0u, 0};
	vm->tr = (struct vmcb_seg){TSS, 0x8b, 26 * 4 - 1, addr(tss)};
	vm->ldtr = (struct vmcb_seg){0, 0x82, 0xffff, 0};
	vm->gdtr = (struct vmcb_seg){0, 0, sizeof gdt - 1, addr(gdt)};
	vm->idtr = (struct vmcb_seg){0, 0, sizeof guest_idt - 1, addr(guest_idt)};
	vm->efer = msr_read(MSR_EFER);
	vm->cr0 = 0x80010031; /* PG WP NE ET PE */
	vm->cr3 = addr(boot_pml4);
	vm->cr4 = cr4_read();
	vm->dr6 = 0xffff0ff0;
	vm->dr7 = 0x400;
	vm->rflags = 2;
	vm->g_pat = 0x0007040600070406;
	vm->rip = addr(code);
	vm->rsp = addr(vm_stack);
}

void vm_new32(const void *code, bool paging)
{
	vm_new(code);
	vm->cs.attr = 0xc9b;
	vm->efer = EFER_SVME | EFER_NXE;
	vm->cr4 = paging ? CR4_PAE : 0;
	vm->cr0 = paging ? 0x80010031 : 0x31;
	for (unsigned i = 0; i < 4; i++)
		pae_pdpt[i] = addr(npt_pd[i]) | PTE_P; /* identity, and user */
	vm->cr3 = addr(pae_pdpt);
}

void vm_new16(const void *code)
{
	vm_new(code);
	memcpy((void *)LOW_CODE, code, CODE_SIZE(code));
	vm->cs = (struct vmcb_seg){LOW_CODE >> 4, 0x9b, 0xffff, LOW_CODE};
	vm->ss = vm->ds = vm->es = vm->fs = vm->gs = (struct vmcb_seg){0x2000, 0x93, 0xffff, 0x20000};
	vm->idtr = (struct vmcb_seg){0, 0, 0x3ff, 0};
	vm->efer = EFER_SVME;
	vm->cr0 = 0x10;
	vm->cr3 = vm->cr4 = vm->rip = 0;
	vm->rsp = 0x8000;
}

void vm_set(unsigned intercept, bool on)
{
	u32 *word = (u32 *)vm + intercept / 32;

	*word = (*word & ~(1u << intercept % 32)) | (u32)on << intercept % 32;
}

u64 vm_run_gif0(void)
{
	vm_switch(vm, &vr, host);
	vm->tlb_control = 0;
	return vm->exitcode;
}

u64 vm_run(void)
{
	vm_run_gif0();
	stgi();
	return vm->exitcode;
}

u64 vm_start(const void *code)
{
	vm_new(code);
	return vm_run();
}

int vm_vector(void)
{
	u64 off = vm->rip - addr(vm_stubs);

	return vm->exitcode == EXIT_VMMCALL && off < 256 * 16 && off % 16 == 0 ? (int)(off / 16) : -1;
}

u64 vm_frame(unsigned word) { return ((u64 *)(uword)vm->rsp)[word]; }

static const char *exit_text(void)
{
	return text("exit %llx info1 %llx info2 %llx intinfo %llx rip %llx nrip %llx", vm->exitcode, vm->info1, vm->info2,
		    vm->intinfo, vm->rip, vm->nrip);
}

void exit_is(u64 code, const char *name) { ok(vm->exitcode == code, name, "%s, expected exit %llx", exit_text(), code); }

void exit_info(u64 code, u64 info1, u64 info2, const char *name)
{
	ok(vm->exitcode == code && vm->info1 == info1 && vm->info2 == info2, name, "%s, expected exit %llx info1 %llx info2 %llx",
	   exit_text(), code, info1, info2);
}

void exit_at(u64 code, u64 info1, u64 info2, const void *at, int off, int nrip, const char *name)
{
	u64 rip = addr(at) + (u64)off, next = addr(at) + (u64)nrip;

	if (!(svm_features & F_NRIPS))
		nrip = -1;
	ok(vm->exitcode == code && vm->info1 == info1 && vm->info2 == info2 && vm->rip == rip &&
		   (nrip < 0 || vm->nrip == next) && !vm->intinfo,
	   name, "%s, expected exit %llx info1 %llx info2 %llx rip %llx nrip %llx", exit_text(), code, info1, info2, rip,
	   nrip < 0 ? 0 : next);
}

void vector_is(int vector, u64 error, const char *name)
{
	int got = vm_vector();

	ok(got == vector && (error == ~0ull || vm_frame(0) == error), name, "vector %x error %llx, %s; expected %x error %llx", (u32)got,
	   got < 0 ? 0 : vm_frame(0), exit_text(), (u32)vector, error);
}
