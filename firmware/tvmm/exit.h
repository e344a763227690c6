/* exit.h: the #VMEXITs, and what their handlers share. */
#ifndef TVMM_EXIT_H
#define TVMM_EXIT_H

#include "vm.h"

void exit_handle(struct vm *vm);

void exit_skip(struct vm *vm, unsigned length);        /* goes behind the intercepted instruction of `length` bytes */
void exit_inject(struct vm *vm, u32 event, u32 error); /* EVENT_* of hypercall.h, taken at the next VMRUN */
void exit_inject_ud(struct vm *vm);
void exit_inject_gp(struct vm *vm);
void exit_finish(struct vm *vm); /* prints the #VMEXIT and ends the guest */

/* Handlers that have their own files. */
void exit_ioio(struct vm *vm);
void exit_msr(struct vm *vm);
void exit_cpuid(struct vm *vm);
void exit_vmmcall(struct vm *vm);

#endif
