/* npt.h: nested page tables: guest-physical to system-physical. */
#ifndef TVMM_NPT_H
#define TVMM_NPT_H

#include "vm.h"

void npt_create(struct vm *vm);

/* Rights of the 4 KB page at gpa, as PTE_P, PTE_W, PTE_NX; false when there is no such page to change. */
bool npt_protect(struct vm *vm, u64 gpa, u64 rights);

/* Gives the page at gpa its full rights back; false when it had them, or is not mapped at all. */
bool npt_restore(struct vm *vm, u64 gpa);

#endif
