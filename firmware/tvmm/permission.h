/* permission.h: which ports and MSRs the guest reaches without the VMM. */
#ifndef TVMM_PERMISSION_H
#define TVMM_PERMISSION_H

#include "vm.h"

u64 permission_create_iopm(struct vm *vm);
u64 permission_create_msrpm(struct vm *vm);

#endif
