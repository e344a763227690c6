/* hypercall.c: #VMEXIT VMMCALL: what a guest may ask for, by number. hypercall.h is the guest's side of it. */
#include "hypercall.h"
#include "console.h"
#include "cpu.h"
#include "exit.h"
#include "memory.h"
#include "npt.h"
#include "timer.h"

enum {
	INSTRUCTION_LENGTH = 3,
	VECTOR_PF = 14,
	CATCHABLE = 1 << 0 | 1 << 6 | 1 << 7 | 1 << 11 | 1 << 12 | 1 << 13 |
		    1 << 14 /* faults only: RIP stays at the culprit */
};

struct arguments {
	u64 b, c, d;
};

static u64 hc_putc(struct vm *vm, const struct arguments *a)
{
	(void)vm;
	console_put((char)a->b);
	return 0;
}

static u64 hc_exit(struct vm *vm, const struct arguments *a)
{
	vm_end(vm, a->b ? RESULT_GUEST : RESULT_OK);
	return 0;
}

/* Types 1, 5, 6, 7 and an exception above 31 would be refused by VMRUN: APM2 15.20. */
static u64 hc_inject(struct vm *vm, const struct arguments *a)
{
	u32 event = (u32)a->b & (EVENT_VECTOR | EVENT_TYPE | EVENT_ERROR), type = event & EVENT_TYPE;
	bool exception = type == EVENT_EXCEPTION;
	if (!exception && type != EVENT_INTR && type != EVENT_NMI && type != EVENT_SOFTWARE)
		return ~0ull;
	if (exception && ((event & EVENT_VECTOR) > 31 || (event & EVENT_VECTOR) == 2))
		return ~0ull;
	if (exception && (event & EVENT_VECTOR) == VECTOR_PF) {
		vm->vmcb->cr2 = a->d;
		vm_changed(vm, CLEAN_CR2);
	}
	exit_inject(vm, event, (u32)a->c);
	return 0;
}

static u64 hc_virq(struct vm *vm, const struct arguments *a)
{
	vm_raise_virq(vm, (u8)a->b, (u8)a->c);
	return 0;
}

static u64 hc_alarm(struct vm *vm, const struct arguments *a)
{
	vm->alarm_vector = (u8)a->b;
	vm->alarm_tick = timer_ticks() + 1;
	return 0;
}

static u64 hc_ticks(struct vm *vm, const struct arguments *a)
{
	(void)vm;
	(void)a;
	return timer_ticks();
}

static u64 hc_count(struct vm *vm, const struct arguments *a) { return a->b <= EXIT_NPF ? vm->exits[a->b] : ~0ull; }

static u64 hc_catch(struct vm *vm, const struct arguments *a)
{
	if (a->b & ~(u64)CATCHABLE)
		return ~0ull;
	vm->vmcb->intercept_exceptions = (u32)a->b;
	vm_changed(vm, CLEAN_INTERCEPTS);
	return 0;
}

static u64 hc_protect(struct vm *vm, const struct arguments *a)
{
	u64 rights = a->c & HC_READ ? PTE_P : 0;
	rights |= a->c & HC_WRITE ? PTE_W : 0;
	rights |= a->c & HC_EXEC ? 0 : PTE_NX;
	return npt_protect(vm, a->b, rights) ? 0 : ~0ull;
}

static u64 (*const functions[HC_FUNCTIONS])(struct vm *vm, const struct arguments *a) = {
	[HC_PUTC] = hc_putc,   [HC_EXIT] = hc_exit,   [HC_INJECT] = hc_inject,
	[HC_VIRQ] = hc_virq,   [HC_ALARM] = hc_alarm, [HC_TICKS] = hc_ticks,
	[HC_COUNT] = hc_count, [HC_CATCH] = hc_catch, [HC_PROTECT] = hc_protect,
};

/* RIP moves on before the call: an event that the call injects is then taken behind the VMMCALL. */
void exit_vmmcall(struct vm *vm)
{
	const u16 cs_l = 1 << 9;
	bool is_64bit = vm->vmcb->efer & EFER_LMA && vm->vmcb->cs.attributes & cs_l;
	u64 mask = is_64bit ? ~0ull : 0xffffffff;
	u64 number = vm->vmcb->rax & mask;
	struct arguments a = {vm->gpr.rbx & mask, vm->gpr.rcx & mask, vm->gpr.rdx & mask};
	exit_skip(vm, INSTRUCTION_LENGTH);
	vm->vmcb->rax = number < HC_FUNCTIONS ? functions[number](vm, &a) & mask : mask;
}
