/* mode.c: the state that a guest starts in: real mode, protected mode, legacy PAE paging, or long mode.
 * Modes with paging start on an identity map of the first GB, in the last 16 KB of guest memory. The guest has no GDT
 * and no IDT yet: its segment registers hold descriptors that came from nowhere, as after a Multiboot loader. */
#include "mode.h"
#include "cpu.h"
#include "memory.h"

enum { /* VMCB segment attributes: type 3:0, S 4, DPL 6:5, P 7, L 9, D/B 10, G 11 */
       ATTR_CODE16 = 0x09b,
       ATTR_DATA16 = 0x093,
       ATTR_CODE32 = 0xc9b,
       ATTR_DATA32 = 0xc93,
       ATTR_CODE64 = 0xa9b,
       ATTR_LDT = 0x082,
       ATTR_TSS_BUSY = 0x08b
};

static void set_segments(struct vmcb *v, u16 code, u16 data, u32 limit)
{
	bool flat = limit != 0xffff;
	struct vmcb_segment d = {flat ? SEL_DATA : 0, data, limit, 0};
	v->cs = (struct vmcb_segment){flat ? SEL_CODE : 0, code, limit, 0};
	v->ss = v->ds = v->es = v->fs = v->gs = d;
	v->ldtr = (struct vmcb_segment){0, ATTR_LDT, 0xffff, 0};
	v->tr = (struct vmcb_segment){0, ATTR_TSS_BUSY, 0xffff, 0};
}

/* Power-up values, as far as they matter (APM2 14.1.3), and what VMRUN checks (APM2 15.5.1): DR6 and DR7 without bits
 * in their upper halves, EFER.SVME 1, CR0.NW not without CD. */
static void set_common(struct vmcb *v, u64 entry)
{
	v->efer = EFER_SVME;
	v->cr0 = CR0_ET;
	v->dr6 = 0xffff0ff0;
	v->dr7 = 0x400;
	v->g_pat = 0x0007040600070406;
	v->rflags = RFLAGS_FIXED;
	v->rip = entry;
	v->rsp = GUEST_TABLES;
}

/* Entries that map 2 MB each, from 0; level 3 and 4 tables have one entry. */
static void make_tables(struct vm *vm, u64 upper_flags, bool pml4)
{
	u64 *pd = vm_memory(vm, GUEST_TABLES, PAGE_SIZE);
	u64 *pdpt = vm_memory(vm, GUEST_TABLES + PAGE_SIZE, PAGE_SIZE);
	for (u64 i = 0; i < 512; i++)
		pd[i] = i * LARGE_SIZE | PTE_P | PTE_W | PTE_PS;
	pdpt[0] = GUEST_TABLES | upper_flags;
	vm->vmcb->cr3 = GUEST_TABLES + PAGE_SIZE;
	if (!pml4)
		return;
	u64 *top = vm_memory(vm, GUEST_TABLES + 2 * PAGE_SIZE, PAGE_SIZE);
	top[0] = vm->vmcb->cr3 | upper_flags;
	vm->vmcb->cr3 += PAGE_SIZE;
}

static void set_real(struct vm *vm)
{
	set_segments(vm->vmcb, ATTR_CODE16, ATTR_DATA16, 0xffff);
	vm->vmcb->idtr.limit = 0x3ff; /* the interrupt vector table at 0 */
	vm->vmcb->rsp = 0x7c00;
}

/* SVM alone can do this: real mode with paging on. APM2 15.19. Legacy 4 MB pages, PDE = base | PS. */
static void set_paged_real(struct vm *vm)
{
	u32 *pd = vm_memory(vm, GUEST_TABLES, PAGE_SIZE);
	for (u32 i = 0; i < 1024; i++)
		pd[i] = i << 22 | PTE_P | PTE_W | PTE_U | PTE_PS;
	set_real(vm);
	vm->vmcb->cr3 = GUEST_TABLES;
	vm->vmcb->cr4 = CR4_PSE;
	vm->vmcb->cr0 |= CR0_PG;
}

static void set_prot(struct vm *vm)
{
	set_segments(vm->vmcb, ATTR_CODE32, ATTR_DATA32, 0xffffffff);
	vm->vmcb->cr0 |= CR0_PE | CR0_NE;
}

static void set_pae(struct vm *vm)
{
	set_prot(vm);
	make_tables(vm, PTE_P, false); /* in a legacy PDPE the bits of W and U are reserved: APM2 5.2.3 */
	vm->vmcb->cr4 = CR4_PAE;
	vm->vmcb->cr0 |= CR0_PG;
}

static void set_long(struct vm *vm)
{
	set_segments(vm->vmcb, ATTR_CODE64, ATTR_DATA32, 0xffffffff);
	make_tables(vm, PTE_P | PTE_W, true);
	vm->vmcb->cr4 = CR4_PAE;
	vm->vmcb->efer |= EFER_LME | EFER_LMA;
	vm->vmcb->cr0 |= CR0_PE | CR0_NE | CR0_PG;
}

static const struct mode {
	const char *name;
	void (*set)(struct vm *vm);
} modes[] = {
	{"real", set_real}, {"paged-real", set_paged_real}, {"prot", set_prot}, {"pae", set_pae}, {"long", set_long},
};

const char *mode_set_state(struct vm *vm, u64 entry, const char *otherwise)
{
	char value[16];
	const char *name = option_value(vm->text, "mode", value, sizeof value, otherwise);
	for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
		if (!str_equal(modes[i].name, name))
			continue;
		set_common(vm->vmcb, entry);
		modes[i].set(vm);
		return NULL;
	}
	return "mode= must be real, paged-real, prot, pae or long";
}
