/* exit.c: the table of #VMEXITs, the text about them, and the handlers that are short.
 * APM2 15.6 to 15.14, appendix C. */
#include "exit.h"
#include "console.h"
#include "cpu.h"
#include "hypercall.h"
#include "npt.h"
#include "timer.h"

enum { VECTOR_UD = 6, VECTOR_GP = 13, VECTOR_PF = 14 };

static void on_interrupt(struct vm *vm);
static void on_exception(struct vm *vm);
static void on_hlt(struct vm *vm);
static void on_npf(struct vm *vm);

static const struct exit {
	u32 code;
	const char *name, *text;
	void (*handle)(struct vm *vm);
} exits[] = {
	{EXIT_INTR, "INTR", "physical interrupt", on_interrupt},
	{EXIT_NMI, "NMI", "physical NMI", on_interrupt},
	{EXIT_INIT, "INIT", "physical INIT", exit_finish},
	{EXIT_CPUID, "CPUID", "instruction", exit_cpuid},
	{EXIT_INVD, "INVD", "instruction", exit_finish},
	{EXIT_HLT, "HLT", "instruction", on_hlt},
	{EXIT_INVLPGA, "INVLPGA", "instruction", exit_inject_ud},
	{EXIT_IOIO, "IOIO", "port I/O", exit_ioio},
	{EXIT_MSR, "MSR", "RDMSR or WRMSR", exit_msr},
	{EXIT_TASK_SWITCH, "TASK_SWITCH", "task switch", exit_finish},
	{EXIT_SHUTDOWN, "SHUTDOWN", "the guest's triple fault", exit_finish},
	{EXIT_VMRUN, "VMRUN", "instruction", exit_inject_ud},
	{EXIT_VMMCALL, "VMMCALL", "instruction", exit_vmmcall},
	{EXIT_VMLOAD, "VMLOAD", "instruction", exit_inject_ud},
	{EXIT_VMSAVE, "VMSAVE", "instruction", exit_inject_ud},
	{EXIT_STGI, "STGI", "instruction", exit_inject_ud},
	{EXIT_CLGI, "CLGI", "instruction", exit_inject_ud},
	{EXIT_SKINIT, "SKINIT", "instruction", exit_inject_ud},
	{EXIT_MONITOR, "MONITOR", "instruction", exit_inject_ud},
	{EXIT_MWAIT, "MWAIT", "instruction", exit_inject_ud},
	{EXIT_MWAIT_ARMED, "MWAIT", "instruction, monitor armed", exit_inject_ud},
	{EXIT_XSETBV, "XSETBV", "instruction", exit_inject_ud},
	{EXIT_NPF, "NPF", "nested-paging: host-level page fault", on_npf},
};

static const struct exit exit_exception = {EXIT_EXCEPTION, "EXCP", "the guest's own exception", on_exception};
static const struct exit exit_invalid = {0, "INVALID", "VMRUN refuses this guest state", exit_finish};
static const struct exit exit_unknown = {0, "?", "not one that was asked for", exit_finish};

static const struct exit *exit_find(u64 code)
{
	if ((u32)code == 0xffffffff) /* VMEXIT_INVALID is -1 in all 64 bits; some emulators store only 32 */
		return &exit_invalid;
	if (code >= EXIT_EXCEPTION && code < EXIT_EXCEPTION + 32)
		return &exit_exception;
	for (unsigned i = 0; i < sizeof exits / sizeof *exits; i++)
		if (exits[i].code == code)
			return &exits[i];
	return &exit_unknown;
}

static void exit_print(const struct vm *vm)
{
	const struct exit *e = exit_find(vm->vmcb->exitcode);
	print("#VMEXIT: %s (%s)\n", e->name, e->text);
	print("  rip       %016llx\n", vm->vmcb->rip);
}

/* A page fault's error code (APM2 8.4.2) plus which kind of access it was to the nested tables (APM2 15.25.6). */
static void exit_print_npf(const struct vm *vm)
{
	u64 info = vm->vmcb->exitinfo1;
	const char *access = info & 1 << 1 ? "write" : "read";
	if (info & 1 << 4)
		access = "fetch";
	print("  EXITINFO1 %016llx: %s, %s%s%s%s%s\n", info, info & 1 ? "present" : "not-present", access,
	      info & 1 << 2 ? ", user" : "", info & 1 << 3 ? ", rsvd" : "", info & 1ull << 32 ? ", final-address" : "",
	      info & 1ull << 33 ? ", page-table-walk" : "");
	print("  EXITINFO2 %016llx: gPA\n", vm->vmcb->exitinfo2);
}

/* What VMRUN looks at (APM2 15.5.1), for the reader to find the culprit. */
static void exit_print_state(const struct vm *vm)
{
	const struct vmcb *v = vm->vmcb;
	print("  cr0 %016llx cr3 %016llx cr4 %08llx efer %08llx\n", v->cr0, v->cr3, v->cr4, v->efer);
	print("  dr6 %016llx dr7 %016llx rflags %08llx cpl %u\n", v->dr6, v->dr7, v->rflags, (u32)v->cpl);
	print("  cs %04x attributes %03x asid %u ncr3 %016llx\n", (u32)v->cs.selector, (u32)v->cs.attributes, v->asid,
	      v->ncr3);
	print("  intercepts %08x %08x iopm %016llx msrpm %016llx\n", v->intercept1, v->intercept2, v->iopm_base_pa,
	      v->msrpm_base_pa);
	print("  eventinj %016llx v_intr %016llx\n", v->eventinj, v->v_intr);
}

/* The guest's argument expect=NAME says which #VMEXIT is its proper end. */
void exit_finish(struct vm *vm)
{
	const struct exit *e = exit_find(vm->vmcb->exitcode);
	char value[16];
	exit_print(vm);
	if (e->code == EXIT_NPF)
		exit_print_npf(vm);
	else
		print("  EXITCODE %llx EXITINFO1 %llx EXITINFO2 %llx\n", vm->vmcb->exitcode, vm->vmcb->exitinfo1,
		      vm->vmcb->exitinfo2);
	bool expected = str_equal(option_value(vm->text, "expect", value, sizeof value, ""), e->name);
	if (!expected)
		exit_print_state(vm);
	vm_end(vm, expected ? RESULT_OK : RESULT_EXIT);
}

/* With NRIPS the processor says where the next instruction is (APM2 15.7.1). An interrupt shadow ends with it. */
void exit_skip(struct vm *vm, unsigned length)
{
	vm->vmcb->rip = vm->svm->features & SVM_NRIPS ? vm->vmcb->nrip : vm->vmcb->rip + length;
	vm->vmcb->interrupt_shadow &= ~1ull;
}

void exit_inject(struct vm *vm, u32 event, u32 error)
{
	vm->vmcb->eventinj = (u64)error << 32 | event | EVENT_VALID;
	vm->vmcb->nrip = vm->vmcb->rip; /* where an injected INTn returns to: APM2 15.20 */
}

void exit_inject_ud(struct vm *vm) { exit_inject(vm, EVENT_EXCEPTION | VECTOR_UD, 0); }

void exit_inject_gp(struct vm *vm) { exit_inject(vm, EVENT_EXCEPTION | EVENT_ERROR | VECTOR_GP, 0); }

/* The interrupt itself was taken by the VMM when it set GIF. */
static void on_interrupt(struct vm *vm) { (void)vm; }

/* Intercepted on request (HC_CATCH) and given to the guest as if it had not been. An intercepted #PF has not written
 * CR2 yet: APM2 15.12.15. */
static void on_exception(struct vm *vm)
{
	u32 vector = (u32)vm->vmcb->exitcode - EXIT_EXCEPTION;
	bool has_error = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
	exit_print(vm);
	print("  vector %02x, error code %llx\n", vector, has_error ? vm->vmcb->exitinfo1 : 0);
	if (vector == VECTOR_PF) {
		vm->vmcb->cr2 = vm->vmcb->exitinfo2;
		vm_changed(vm, CLEAN_CR2);
	}
	exit_inject(vm, EVENT_EXCEPTION | (has_error ? EVENT_ERROR : 0) | vector,
		    has_error ? (u32)vm->vmcb->exitinfo1 : 0);
}

/* The guest sleeps until its alarm. A guest that nothing can wake has ended. */
static void on_hlt(struct vm *vm)
{
	if (!(vm->vmcb->rflags & RFLAGS_IF) || !(vm->alarm_tick || vm->vmcb->v_intr & V_IRQ)) {
		exit_finish(vm);
		return;
	}
	exit_skip(vm, 1);
	while (vm->alarm_tick) {
		wait_for_interrupt();
		vm_check_alarm(vm);
	}
}

/* An address without a page ends the guest; a page that HC_PROTECT took rights from gets them back, once. */
static void on_npf(struct vm *vm)
{
	if (!npt_restore(vm, vm->vmcb->exitinfo2)) {
		exit_finish(vm);
		return;
	}
	exit_print(vm);
	exit_print_npf(vm);
}

/* EVENTINJ is spent. But an event whose delivery the #VMEXIT cut short would be lost: it goes in again. An INTn of the
 * guest's own is no such case: RIP still points at it. APM2 15.7.2 */
static void exit_redeliver(struct vm *vm)
{
	u64 cut_short = vm->vmcb->exitintinfo, injected = vm->vmcb->eventinj;
	bool own_int = (cut_short & EVENT_TYPE) == EVENT_SOFTWARE && cut_short != injected;
	vm->vmcb->eventinj = cut_short & EVENT_VALID && !own_int ? cut_short : 0;
}

/* Through a pointer that bug.c may have left pointing at the wrong place. */
static void __attribute__((noinline)) exit_record(struct vm *vm)
{
	*vm->last_exit = 1u << 31 | 1u << 8 | (u8)vm->vmcb->exitcode; /* valid, first, number */
}

void exit_handle(struct vm *vm)
{
	const struct exit *e = exit_find(vm->vmcb->exitcode);
	if (vm->trace)
		print("tvmm: exit %llx %s rip %llx info1 %llx info2 %llx\n", vm->vmcb->exitcode, e->name, vm->vmcb->rip,
		      vm->vmcb->exitinfo1, vm->vmcb->exitinfo2);
	if (vm->vmcb->exitcode <= EXIT_NPF)
		vm->exits[vm->vmcb->exitcode]++;
	exit_redeliver(vm);
	e->handle(vm);
	if (vm->last_exit)
		exit_record(vm);
}
