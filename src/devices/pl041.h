/* The PL041 audio codec interface, which has no codec behind it here: it tells what it is, and everything else is reported. */
#ifndef DEVICES_PL041_H
#define DEVICES_PL041_H

#include "mmu/space.h"

extern const struct region_ops pl041_ops; /* dev is not looked at */

#endif
