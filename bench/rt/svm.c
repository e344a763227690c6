/* Guest set-up and the world switch. No intercept is handled here: that is the payload's work. */
#include "svm.h"

#define AT(field, off) _Static_assert(offsetof(struct vmcb, field) == (off), "VMCB layout")
AT(iopm_pa, 0x40);
AT(asid, 0x58);
AT(vintr, 0x60);
AT(exitcode, 0x70);
AT(np_enable, 0x90);
AT(ncr3, 0xb0);
AT(nrip, 0xc8);
AT(es, 0x400);
AT(tr, 0x490);
AT(cpl, 0x4cb);
AT(efer, 0x4d0);
AT(cr4, 0x548);
AT(rip, 0x578);
AT(rsp, 0x5d8);
AT(rax, 0x5f8);
AT(cr2, 0x640);
AT(g_pat, 0x668);
_Static_assert(sizeof(struct vmcb) == 4096, "VMCB size");

enum {
	EFER_SCE = 1 << 0,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	EFER_SVME = 1 << 12,
	VM_CR_SVMDIS = 1 << 4,
	GUEST_STACK_PAGES = 4,
};

static bool flush_by_asid;

void svm_switch(u64 vmcb_pa, struct vm_regs *r, u64 host_pa);

/*
 * The order of KVM: CLGI; VMLOAD the guest; VMRUN; VMSAVE the guest; VMLOAD the host; STGI. VMRUN itself restores RAX (the
 * VMCB) and RSP at #VMEXIT. APM2 15.5.1, 15.5.2
 */
__asm__(
	".text\n"
	"svm_switch:\n"
	"	push	%rbx\n"
	"	push	%rbp\n"
	"	push	%r12\n"
	"	push	%r13\n"
	"	push	%r14\n"
	"	push	%r15\n"
	"	push	%rdx\n"
	"	push	%rsi\n"
	"	mov	%rdi, %rax\n"
	"	clgi\n"
	"	vmload	%rax\n"
	"	mov	0x00(%rsi), %rbx\n"
	"	mov	0x08(%rsi), %rcx\n"
	"	mov	0x10(%rsi), %rdx\n"
	"	mov	0x20(%rsi), %rdi\n"
	"	mov	0x28(%rsi), %rbp\n"
	"	mov	0x30(%rsi), %r8\n"
	"	mov	0x38(%rsi), %r9\n"
	"	mov	0x40(%rsi), %r10\n"
	"	mov	0x48(%rsi), %r11\n"
	"	mov	0x50(%rsi), %r12\n"
	"	mov	0x58(%rsi), %r13\n"
	"	mov	0x60(%rsi), %r14\n"
	"	mov	0x68(%rsi), %r15\n"
	"	mov	0x18(%rsi), %rsi\n"
	"	vmrun	%rax\n"
	"	vmsave	%rax\n"
	"	mov	(%rsp), %rax\n"
	"	mov	%rbx, 0x00(%rax)\n"
	"	mov	%rcx, 0x08(%rax)\n"
	"	mov	%rdx, 0x10(%rax)\n"
	"	mov	%rsi, 0x18(%rax)\n"
	"	mov	%rdi, 0x20(%rax)\n"
	"	mov	%rbp, 0x28(%rax)\n"
	"	mov	%r8, 0x30(%rax)\n"
	"	mov	%r9, 0x38(%rax)\n"
	"	mov	%r10, 0x40(%rax)\n"
	"	mov	%r11, 0x48(%rax)\n"
	"	mov	%r12, 0x50(%rax)\n"
	"	mov	%r13, 0x58(%rax)\n"
	"	mov	%r14, 0x60(%rax)\n"
	"	mov	%r15, 0x68(%rax)\n"
	"	pop	%rsi\n"
	"	pop	%rax\n"
	"	vmload	%rax\n"
	"	stgi\n"
	"	pop	%r15\n"
	"	pop	%r14\n"
	"	pop	%r13\n"
	"	pop	%r12\n"
	"	pop	%rbp\n"
	"	pop	%rbx\n"
	"	ret\n");

static void cpuid(u32 leaf, u32 r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}

/* APM2 15.4 */
static void svm_enable(void)
{
	u32 r[4];

	cpuid(0x80000000, r);
	if (r[0] < 0x8000000a)
		rt_unsupported("no SVM");
	cpuid(0x80000001, r);
	if (!(r[2] & 1 << 2))
		rt_unsupported("no SVM");
	cpuid(0x8000000a, r);
	if (!(r[3] & 1 << 0))
		rt_unsupported("no nested paging");
	flush_by_asid = r[3] & 1 << 6;
	if (msr_read(MSR_VM_CR) & VM_CR_SVMDIS)
		rt_unsupported("SVM disabled by VM_CR");
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	msr_write(MSR_VM_HSAVE_PA, (u64)page_alloc(1));
}

static void *bitmap_alloc(unsigned pages)
{
	u64 *p = page_alloc(pages);

	for (unsigned i = 0; i < pages * 512; i++)
		p[i] = ~0ull;
	return p;
}

/* Flat 64-bit segments; the attributes are bits 55:52 and 47:40 of a descriptor, put together. APM2 15.5.1 */
static void guest_segments(struct vmcb *v)
{
	v->cs = (struct vmcb_seg){ SEL_KCODE, 0xa9b, 0xffffffff, 0 };
	v->ss = v->ds = v->es = v->fs = v->gs = (struct vmcb_seg){ SEL_KDATA, 0xc93, 0xffffffff, 0 };
	v->tr = (struct vmcb_seg){ SEL_TSS, 0x08b, 103, 0 };
	v->ldtr = (struct vmcb_seg){ 0, 0x082, 0xffff, 0 };
	v->gdtr.limit = v->idtr.limit = 0; /* the guests load no segment and take no exception */
}

void vm_init(struct vm *vm, void (*entry)(u64 n), u64 n, u64 cr3, u64 ncr3)
{
	struct vmcb *v;

	svm_enable();
	*vm = (struct vm){ .vmcb = page_alloc(1), .host_pa = (u64)page_alloc(1), .r = { .rdi = n } };
	v = vm->vmcb;
	v->intercept1 = INT1_INTR | INT1_NMI | INT1_CPUID | INT1_INVD | INT1_HLT | INT1_INVLPGA | INT1_IOIO | INT1_MSR
		| (u32)INT1_SHUTDOWN;
	v->intercept2 = INT2_VMRUN_TO_SKINIT;
	v->exceptions = 1 << 6 | 1 << 8 | 1 << 13 | 1 << 14; /* #UD #DF #GP #PF: the guests should raise none */
	v->iopm_pa = (u64)bitmap_alloc(3);
	v->msrpm_pa = (u64)bitmap_alloc(2);
	v->asid = 1;
	v->tlb_control = TLB_FLUSH_ALL;
	v->np_enable = 1;
	v->ncr3 = ncr3;
	guest_segments(v);
	v->efer = EFER_SVME | EFER_LMA | EFER_LME | EFER_SCE;
	v->cr0 = 0x80010031; /* PG WP NE ET PE */
	v->cr3 = cr3;
	v->cr4 = 0xa0; /* PGE PAE */
	v->dr6 = 0xffff0ff0;
	v->dr7 = 0x400;
	v->rflags = 2;
	v->g_pat = 0x0007040600070406;
	v->rip = (u64)entry;
	v->rsp = (u64)page_alloc(GUEST_STACK_PAGES) + GUEST_STACK_PAGES * 4096 - 8;
	__asm__ volatile("vmsave %0" : : "a"(vm->host_pa) : "memory");
}

void vm_run(struct vm *vm)
{
	svm_switch((u64)vm->vmcb, &vm->r, vm->host_pa);
	vm->vmcb->tlb_control = TLB_NOTHING;
}

void vm_flush(struct vm *vm)
{
	vm->vmcb->tlb_control = flush_by_asid ? TLB_FLUSH_GUEST : TLB_FLUSH_ALL;
}

_Noreturn void vm_unexpected(const struct vm *vm)
{
	const struct vmcb *v = vm->vmcb;

	rt_puts("#VMEXIT ");
	rt_hex(v->exitcode);
	rt_puts(" info1 ");
	rt_hex(v->exitinfo1);
	rt_puts(" info2 ");
	rt_hex(v->exitinfo2);
	rt_puts(" guest rip ");
	rt_hex(v->rip);
	rt_puts("\n");
	rt_fail("unexpected #VMEXIT");
}
