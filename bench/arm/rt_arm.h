/* What the ARM payloads have besides rt/rt.h: loops of boot.S, and the MMU. */
#ifndef RT_ARM_H
#define RT_ARM_H

#include "rt/rt.h"

u32 user_svc(u32 n);
u32 mode_round(u32 n);

/* Sections of domain 0 for everything, 1:1; the MMU is on. Later entries are the caller's. */
u32 *mmu_on(void);
static inline void dacr_write(u32 v) { __asm__ volatile("mcr p15, 0, %0, c3, c0, 0" : : "r"(v) : "memory"); }
static inline void tlb_flush(void) { __asm__ volatile("mcr p15, 0, %0, c8, c7, 0" : : "r"(0) : "memory"); }

#endif
