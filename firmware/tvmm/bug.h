/* bug.h: deliberate mistakes. */
#ifndef TVMM_BUG_H
#define TVMM_BUG_H

#include "vm.h"

/* By the guest's argument bug=NAME; NULL, or that there is no such bug. */
const char *bug_plant(struct vm *vm);

#endif
