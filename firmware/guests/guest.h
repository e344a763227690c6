/* guest.h: what the guests share: text to COM1, hypercalls, traps, and the touch of memory. Same words in 32 and 64
 * bits. */
#ifndef GUEST_H
#define GUEST_H

#include "hypercall.h"
#include "port.h"
#include "types.h"

void guest_main(void); /* each guest's own */

/* guest.c */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void expect(bool ok, const char *what);                     /* remembers and prints a failure */
void guest_end(const char *name) __attribute__((noreturn)); /* "guest NAME: ok", or failed */

static inline uword vmmcall(uword number, uword b, uword c, uword d)
{
	uword answer;
	__asm__ volatile("vmmcall" : "=a"(answer) : "a"(number), "b"(b), "c"(c), "d"(d) : "memory");
	return answer;
}

/* trap64.c, trap32.c */
struct trap {
	uword vector, error;
	uword ip, cs, flags; /* as pushed; a handler may change ip */
};

void trap_init(void (*handler)(struct trap *t));
void trap_dispatch(struct trap *t);

/* touch.S: one access, at an address known beforehand: guest-virtual 1 MB and 16 bytes further each. After a fault a
 * handler may go on at touch_end, which returns all ones. */
u32 touch_read(uword va);
u32 touch_write(uword va);   /* writes "ping" */
u32 touch_execute(uword va); /* calls va */
extern u8 touch_end[];
void touch_deliver(uword stack, uword page, u32 event); /* 64-bit guests only: an event on a stack whose page is gone */

static inline u64 guest_rdmsr(u32 msr)
{
	u32 low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void guest_wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline uword read_cr3(void)
{
	uword value;
	__asm__ volatile("mov %%cr3, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void write_cr3(uword value) { __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory"); }

static inline uword read_cr2(void)
{
	uword value;
	__asm__ volatile("mov %%cr2, %0" : "=r"(value) : : "memory");
	return value;
}

static inline uword read_cr0(void)
{
	uword value;
	__asm__ volatile("mov %%cr0, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void write_cr0(uword value) { __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory"); }

static inline uword read_cr4(void)
{
	uword value;
	__asm__ volatile("mov %%cr4, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void write_cr4(uword value) { __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory"); }

static inline void invlpg(uword va) { __asm__ volatile("invlpg (%0)" : : "r"(va) : "memory"); }

#endif
