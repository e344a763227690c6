/* What only the 64-bit payloads have: MSRs, the IDT, physical pages, page tables, the local APIC, the 512 MB arena. */
#ifndef RT64_H
#define RT64_H

#include "rt.h"

enum { /* selectors of the GDT in boot64.S */
	SEL_KCODE = 0x08,
	SEL_KDATA = 0x10,
	SEL_SYSRET = 0x18,
	SEL_UDATA = 0x20,
	SEL_UCODE = 0x28,
	SEL_TSS = 0x30,
};

enum {
	MSR_APIC_BASE = 0x1b,
	MSR_EFER = 0xc0000080,
	MSR_STAR = 0xc0000081,
	MSR_LSTAR = 0xc0000082,
	MSR_SFMASK = 0xc0000084,
	MSR_KERNEL_GS_BASE = 0xc0000102,
	MSR_VM_CR = 0xc0010114,
	MSR_VM_HSAVE_PA = 0xc0010117,
};

enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_PS = 0x80, PTE_ALL = PTE_P | PTE_W | PTE_U };

static inline u64 msr_read(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void msr_write(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline u64 cr3_read(void)
{
	u64 v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline void cr3_write(u64 v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

struct int_frame;

void idt_set(unsigned vector, void (*handler)(struct int_frame *));

/* `count` zeroed pages, next to each other, between 32 MB and 256 MB; address = physical = linear. */
void *page_alloc(unsigned count);

/* Maps one page (shift 12 or 21) in a 4-level table; returns its entry. Missing tables are made. */
u64 *page_map(u64 *root, u64 va, u64 pa, unsigned shift, u64 bits);
/* A new root that maps [0, end) one to one; shift as above. */
u64 *page_identity(u64 end, unsigned shift);

enum { LAPIC_EOI = 0xb0, LAPIC_SVR = 0xf0, LAPIC_ICR = 0x300, LAPIC_LVT_TIMER = 0x320, LAPIC_TIMER_INIT = 0x380,
       LAPIC_TIMER_DIV = 0x3e0 };

void lapic_enable(void);

static inline void lapic_write(u32 reg, u32 v)
{
	*(volatile u32 *)(uintptr_t)(0xfee00000 + reg) = v;
}

/*
 * The arena: 512 MB of RAM from 256 MB on, in 4 KB pages. One word of each page is used; its place differs from page to
 * page so that the words do not share the host's cache sets. Page i of a mapping is page (i * odd) mod ARENA_PAGES of
 * what lies below it, so that a wrong translation shows in the sum.
 */
#define ARENA_BASE 0x10000000u
#define ARENA_PAGES (1u << 17)
#define ARENA_VA 0x1000000000u /* where the arena's mapping begins, above everything mapped one to one */

static inline u32 arena_shuffle(u32 i, u32 odd)
{
	return i * odd & (ARENA_PAGES - 1);
}

static inline u32 arena_offset(u32 i)
{
	return (i * 2654435761u) >> 20 & 0xff8;
}

/* Writes `first + i` into the word of mapped page i, which is RAM page shuffle(i, odd). */
void arena_init(u32 odd);
/* n read-modify-writes in random pages of the mapping at ARENA_VA; returns the sum. */
u64 arena_touch(u64 n);

#endif
