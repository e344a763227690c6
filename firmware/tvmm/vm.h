/* vm.h: a virtual machine: one virtual processor and 4 MB of memory. */
#ifndef TVMM_VM_H
#define TVMM_VM_H

#include "multiboot.h"
#include "svm.h"
#include "trap.h"
#include "vmcb.h"

enum {
	GUEST_MEMORY = 4 << 20,
	GUEST_TABLES = GUEST_MEMORY - 0x4000, /* the last 16 KB: the start-up page tables (mode.c) */
	VM_BLOCKS_MAX = 16
};

/* Registers that neither VMRUN nor VMLOAD switches: switch.S does. RAX and RSP are in the VMCB. */
struct gprs {
	u64 rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
};

struct vm {
	const struct svm *svm;
	const char *text; /* the module's file name and arguments */
	char name[32];
	struct gprs gpr;
	struct vmcb *vmcb;
	u64 vmcb_pa;
	u64 memory; /* system-physical address of guest-physical 0 */
	u64 ncr3;   /* the root of the nested page tables */
	struct block {
		u64 pa;
		u32 count;
	} block[VM_BLOCKS_MAX]; /* all pages of the VM: what vm_destroy gives back */
	unsigned block_count;
	bool flush; /* nested tables changed: the next VMRUN flushes */
	bool trace;
	bool never_flush, never_dirty; /* bug.c */
	u32 *last_exit; /* bug.c: where an exit is recorded; NULL: nowhere */
	bool ended;
	enum result result;
	u64 alarm_tick; /* HC_ALARM; 0: none */
	u8 alarm_vector;
	u64 scratch_msr;
	u32 scratch_port;
	u32 exits[EXIT_NPF + 1]; /* by EXITCODE */
};

const char *vm_create(struct vm *vm, const struct svm *svm, const struct module *module, u32 asid);
void vm_run(struct vm *vm);
void vm_destroy(struct vm *vm);

u64 vm_alloc(struct vm *vm, unsigned count, unsigned align); /* zeroed pages that live as long as the VM */
void *vm_memory(const struct vm *vm, u64 gpa, u64 size);     /* NULL when not all of it is the VM's own */
void vm_changed(struct vm *vm, u32 clean_groups);            /* the VMM wrote fields of these groups */
void vm_raise_virq(struct vm *vm, u8 vector, u8 priority);
void vm_check_alarm(struct vm *vm);
void vm_end(struct vm *vm, enum result result);

#endif
