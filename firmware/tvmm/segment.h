/* segment.h: the VMM's GDT and TSS. */
#ifndef TVMM_SEGMENT_H
#define TVMM_SEGMENT_H

enum { IST_FAULT = 1 }; /* the stack of double faults and NMIs */

void segment_init(void);

#endif
