/* What the bare-metal ARM test guests share: the last exception, text on UART 0, checks, CP15. They run under Undervisor and QEMU alike. */
#ifndef GUEST_ARM_H
#define GUEST_ARM_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned u32;

/* The exception that came last: 1 undefined, 2 SVC, 3 prefetch abort, 4 data abort, 6 IRQ, 7 FIQ. */
extern volatile struct seen {
	u32 vector, lr, spsr, cpsr, count;
} seen;
extern volatile u32 resume; /* where the next exception goes on instead of behind the instruction; 0: there */

u32 as_user(u32 (*f)(u32), u32 arg);
void irq_enable(void);
void irq_disable(void);
void leave(u32 status) __attribute__((noreturn));

void test(void); /* the guest */
extern void (*interrupt)(u32 vector); /* called at IRQ and FIQ */

/* "ok NAME", or "FAIL NAME: got ..., expected ...". */
void check(const char *name, u32 got, u32 want);
void say(const char *text);

static inline u32 get(u32 addr) { return *(volatile u32 *)addr; }
static inline void put(u32 addr, u32 val) { *(volatile u32 *)addr = val; }

#define CP15_READ(name, crn, crm, op2)                                                                                           \
	static inline u32 name(void)                                                                                             \
	{                                                                                                                        \
		u32 v;                                                                                                           \
		__asm__ volatile("mrc p15, 0, %0, " #crn ", " #crm ", " #op2 : "=r"(v));                                        \
		return v;                                                                                                        \
	}
#define CP15_WRITE(name, crn, crm, op2)                                                                                          \
	static inline void name(u32 v)                                                                                           \
	{                                                                                                                        \
		__asm__ volatile("mcr p15, 0, %0, " #crn ", " #crm ", " #op2 "\n\tnop\n\tnop" : : "r"(v) : "memory");            \
	}
CP15_READ(cp15_id, c0, c0, 0)
CP15_READ(cp15_cache_type, c0, c0, 1)
CP15_READ(cp15_control, c1, c0, 0)
CP15_WRITE(cp15_set_control, c1, c0, 0)
CP15_WRITE(cp15_set_ttbr, c2, c0, 0)
CP15_WRITE(cp15_set_dacr, c3, c0, 0)
CP15_READ(cp15_dfsr, c5, c0, 0)
CP15_READ(cp15_ifsr, c5, c0, 1)
CP15_READ(cp15_far, c6, c0, 0)
CP15_WRITE(cp15_flush_tlb, c8, c7, 0)
CP15_WRITE(cp15_set_fcse, c13, c0, 0)

/* The word at addr, or what the exception says: 1 in seen.count. */
u32 try_read(u32 addr);
void try_write(u32 addr, u32 val);

#endif
