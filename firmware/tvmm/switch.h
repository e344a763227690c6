/* switch.h: the world switch. */
#ifndef TVMM_SWITCH_H
#define TVMM_SWITCH_H

#include "vm.h"

/* Runs the guest until its next #VMEXIT. GIF must be 0, and is 0 afterwards. */
void switch_to_guest(struct gprs *gpr, u64 vmcb_pa, u64 host_vmcb_pa);

#endif
