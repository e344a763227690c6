/* vm.c: makes a virtual machine, runs it, takes it apart. What a #VMEXIT means is in exit.c. */
#include "vm.h"
#include "bug.h"
#include "console.h"
#include "cpu.h"
#include "elf.h"
#include "exit.h"
#include "memory.h"
#include "mode.h"
#include "npt.h"
#include "page.h"
#include "permission.h"
#include "switch.h"
#include "timer.h"

u64 vm_alloc(struct vm *vm, unsigned count, unsigned align)
{
	if (vm->block_count == VM_BLOCKS_MAX)
		panic("a VM of more than %u blocks", (u32)VM_BLOCKS_MAX);
	u64 pa = page_alloc(count, align);
	vm->block[vm->block_count++] = (struct block){pa, count};
	return pa;
}

void *vm_memory(const struct vm *vm, u64 gpa, u64 size)
{
	if (gpa > GUEST_MEMORY || size > GUEST_MEMORY - gpa || (gpa < VGA_FRAME_END && gpa + size > VGA_FRAME))
		return NULL;
	return phys_to_virt(vm->memory + gpa);
}

/* "build/hello.elf mode=long" -> "hello" */
static void vm_name(struct vm *vm)
{
	const char *word = vm->text;
	for (const char *s = word; *s && *s != ' '; s++)
		if (*s == '/')
			word = s + 1;
	for (unsigned i = 0; i < sizeof vm->name - 1 && word[i] && word[i] != ' ' && word[i] != '.'; i++)
		vm->name[i] = word[i];
}

/* What the VMM wants to hear of. VMRUN demands its own intercept (APM2 15.5.1); the other SVM instructions would
 * otherwise work on system-physical addresses of the guest's choice. */
static void vm_set_intercepts(struct vm *vm)
{
	vm->vmcb->intercept1 = INTERCEPT1_INTR | INTERCEPT1_NMI | INTERCEPT1_INIT | INTERCEPT1_CPUID | INTERCEPT1_INVD |
			       INTERCEPT1_HLT | INTERCEPT1_INVLPGA | INTERCEPT1_IOIO | INTERCEPT1_MSR |
			       INTERCEPT1_TASK_SWITCH | INTERCEPT1_SHUTDOWN;
	vm->vmcb->intercept2 = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD | INTERCEPT2_VMSAVE |
			       INTERCEPT2_STGI | INTERCEPT2_CLGI | INTERCEPT2_SKINIT | INTERCEPT2_MONITOR |
			       INTERCEPT2_MWAIT | INTERCEPT2_XSETBV;
	vm->vmcb->iopm_base_pa = permission_create_iopm(vm);
	vm->vmcb->msrpm_base_pa = permission_create_msrpm(vm);
}

static void vm_set_control(struct vm *vm, u32 asid)
{
	vm->vmcb->asid = asid; /* 0 is the VMM's: APM2 15.5.1 */
	vm->vmcb->np_enable = 1;
	vm->vmcb->ncr3 = vm->ncr3;
	vm->vmcb->v_intr = V_INTR_MASKING; /* the guest's IF and TPR are not the machine's: APM2 15.21.1 */
	vm->flush = true;                  /* the ASID may have had another owner */
}

const char *vm_create(struct vm *vm, const struct svm *svm, const struct module *module, u32 asid)
{
	u64 entry = 0;
	const char *default_mode = NULL;
	memset(vm, 0, sizeof *vm);
	vm->svm = svm;
	vm->text = module->text;
	vm_name(vm);
	vm->memory = vm_alloc(vm, GUEST_MEMORY / PAGE_SIZE, LARGE_SIZE / PAGE_SIZE);
	const char *why_not = elf_load(vm, module, &entry, &default_mode);
	if (why_not)
		return why_not;
	npt_create(vm);
	vm->vmcb_pa = vm_alloc(vm, 1, 1);
	vm->vmcb = phys_to_virt(vm->vmcb_pa);
	vm_set_intercepts(vm);
	vm_set_control(vm, asid);
	why_not = mode_set_state(vm, entry, default_mode);
	return why_not ? why_not : bug_plant(vm);
}

void vm_destroy(struct vm *vm)
{
	while (vm->block_count--)
		page_free(vm->block[vm->block_count].pa, vm->block[vm->block_count].count);
}

/* After the #VMEXIT all was in step; from then on the VMM says what it changed. APM2 15.15 */
void vm_changed(struct vm *vm, u32 clean_groups)
{
	if (!vm->never_dirty)
		vm->vmcb->clean &= ~(u64)clean_groups;
}

void vm_raise_virq(struct vm *vm, u8 vector, u8 priority)
{
	vm->vmcb->v_intr &= ~V_REQUEST;
	vm->vmcb->v_intr |= V_IRQ | (u64)(priority & 15) << V_PRIORITY | (u64)vector << V_VECTOR;
	vm_changed(vm, CLEAN_VIRQ);
}

void vm_check_alarm(struct vm *vm)
{
	if (!vm->alarm_tick || timer_ticks() < vm->alarm_tick)
		return;
	vm->alarm_tick = 0;
	vm_raise_virq(vm, vm->alarm_vector, 15);
}

void vm_end(struct vm *vm, enum result result)
{
	vm->ended = true;
	vm->result = result;
}

/* Translations are tagged with the ASID and outlive the #VMEXIT: who changes nested tables must flush. APM2 15.16 */
static void vm_set_flush(struct vm *vm)
{
	bool by_asid = vm->svm->features & SVM_FLUSH_BY_ASID;
	vm->vmcb->tlb_control = !vm->flush || vm->never_flush ? TLB_KEEP : by_asid ? TLB_FLUSH_GUEST : TLB_FLUSH_ALL;
	vm->flush = false;
}

/* One stay in the guest. From CLGI to STGI no interrupt can come between the state of the one and of the other; IF is
 * 1, so that an interrupt in the guest is a #VMEXIT (INTR) and is taken by the VMM at STGI. APM2 15.5, 15.17, 15.21.1
 */
static void vm_enter(struct vm *vm)
{
	vm_set_flush(vm);
	clgi();
	interrupts_on();
	switch_to_guest(&vm->gpr, vm->vmcb_pa, vm->svm->host_vmcb_pa);
	stgi();
	interrupts_off();
	vm->vmcb->clean = vm->svm->features & SVM_CLEAN ? CLEAN_ALL : 0;
}

void vm_run(struct vm *vm)
{
	while (!vm->ended) {
		vm_enter(vm);
		exit_handle(vm);
		vm_check_alarm(vm);
	}
}
