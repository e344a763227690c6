/* mode.h: the processor state that a guest starts in. */
#ifndef TVMM_MODE_H
#define TVMM_MODE_H

#include "vm.h"

/* By the guest's argument mode=NAME, or `otherwise`; NULL, or what is wrong with it. */
const char *mode_set_state(struct vm *vm, u64 entry, const char *otherwise);

#endif
