/* bug.c: the mistakes that VMM authors make, to be made on purpose: what does the machine answer?
 * Most are refused by VMRUN (VMEXIT_INVALID, APM2 15.5.1); the last ones run and go wrong. */
#include "bug.h"
#include "console.h"
#include "cpu.h"

#define HIGH (1ull << 32)

static void bug_asid(struct vm *vm) { vm->vmcb->asid = 0; }
static void bug_svme(struct vm *vm) { vm->vmcb->efer &= ~(u64)EFER_SVME; }
static void bug_vmrun(struct vm *vm) { vm->vmcb->intercept2 &= ~(u32)INTERCEPT2_VMRUN; }
static void bug_nw(struct vm *vm) { vm->vmcb->cr0 |= 1 << 29; }
static void bug_cr0(struct vm *vm) { vm->vmcb->cr0 |= HIGH; }
static void bug_cr4(struct vm *vm) { vm->vmcb->cr4 |= 1ull << 31; }
static void bug_dr6(struct vm *vm) { vm->vmcb->dr6 |= HIGH; }
static void bug_dr7(struct vm *vm) { vm->vmcb->dr7 |= HIGH; }
static void bug_efer(struct vm *vm) { vm->vmcb->efer |= 1 << 9; }
static void bug_pae(struct vm *vm) { vm->vmcb->cr4 &= ~(u64)CR4_PAE; }
static void bug_cs(struct vm *vm) { vm->vmcb->cs.attributes |= 1 << 10; }
static void bug_event(struct vm *vm) { vm->vmcb->eventinj = 0x80000130; }
static void bug_iopm(struct vm *vm) { vm->vmcb->iopm_base_pa = 1ull << 52; }
static void bug_msrpm(struct vm *vm) { vm->vmcb->msrpm_base_pa = 1ull << 52; }
static void bug_ncr3(struct vm *vm) { vm->vmcb->ncr3 |= 1ull << 52; }
static void bug_flush(struct vm *vm) { vm->never_flush = true; }
static void bug_clean(struct vm *vm) { vm->never_dirty = true; }

/* The record of the last exit is thought to lie where EVENTINJ is. */
static void bug_stray(struct vm *vm) { vm->last_exit = (u32 *)&vm->vmcb->eventinj; }

static const struct bug {
	const char *name, *what;
	void (*plant)(struct vm *vm);
} bugs[] = {
	{"asid", "ASID is 0, the VMM's own", bug_asid},
	{"svme", "EFER.SVME of the guest is 0", bug_svme},
	{"vmrun", "VMRUN is not intercepted", bug_vmrun},
	{"nw", "CR0.NW without CR0.CD", bug_nw},
	{"cr0", "CR0 has a bit above 31", bug_cr0},
	{"cr4", "CR4 has a reserved bit", bug_cr4},
	{"dr6", "DR6 has a bit above 31", bug_dr6},
	{"dr7", "DR7 has a bit above 31", bug_dr7},
	{"efer", "EFER has a reserved bit", bug_efer},
	{"pae", "EFER.LME and CR0.PG without CR4.PAE (a long-mode guest)", bug_pae},
	{"cs", "CS.L and CS.D at once (a long-mode guest)", bug_cs},
	{"event", "EVENTINJ has reserved type 1", bug_event},
	{"iopm", "the I/O permission map lies beyond physical memory", bug_iopm},
	{"msrpm", "the MSR permission map lies beyond physical memory", bug_msrpm},
	{"ncr3", "nCR3 has a reserved bit", bug_ncr3},
	{"flush", "the TLB is not flushed after a change of nested tables (guest npf shows it)", bug_flush},
	{"stray", "a stray store overwrites EVENTINJ at each #VMEXIT", bug_stray},
	{"clean", "changed VMCB fields stay marked clean (guests events and npf show it)", bug_clean},
};

static const char *plant_one(struct vm *vm, const char *name)
{
	for (unsigned i = 0; i < sizeof bugs / sizeof *bugs; i++) {
		if (!str_equal(bugs[i].name, name))
			continue;
		print("tvmm: a bug, as ordered: %s\n", bugs[i].what);
		bugs[i].plant(vm);
		return NULL;
	}
	return "no such bug=";
}

/* One name, or several joined by +. */
const char *bug_plant(struct vm *vm)
{
	char value[64];
	char *name = (char *)option_value(vm->text, "bug", value, sizeof value, NULL);
	const char *why_not = NULL;
	while (name && !why_not) {
		char *end = name;
		while (*end && *end != '+')
			end++;
		char *next = *end ? end + 1 : NULL;
		*end = 0;
		why_not = plant_one(vm, name);
		name = next;
	}
	return why_not;
}
