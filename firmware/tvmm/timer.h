/* timer.h: the VMM's tick, 100 times a second, from the 8254 through the 8259. */
#ifndef TVMM_TIMER_H
#define TVMM_TIMER_H

#include "types.h"

enum { TIMER_VECTOR = 0x20 };

void timer_init(void);
void timer_tick(void);
u64 timer_ticks(void);

#endif
