/* port.h: port I/O, the COM1 registers and the ports that tvmm gives a meaning. */
#ifndef FW_PORT_H
#define FW_PORT_H

#include "types.h"

enum {
	COM1 = 0x3f8, /* 16550 UART: the line that all text goes to */
	COM1_IER = COM1 + 1,
	COM1_FCR = COM1 + 2,
	COM1_LCR = COM1 + 3,
	COM1_MCR = COM1 + 4,
	COM1_LSR = COM1 + 5,
	LSR_THRE = 1 << 5,     /* the transmitter takes a byte */
	PORT_SCRATCH = 0xe0,   /* inside a guest: four bytes of memory, emulated by tvmm */
	PORT_DEBUG_EXIT = 0xf4 /* isa-debug-exit: a write ends the emulator */
};

static inline void out8(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

static inline void out16(u16 port, u16 value) { __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port)); }

static inline void out32(u16 port, u32 value) { __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }

static inline u8 in8(u16 port)
{
	u8 value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u16 in16(u16 port)
{
	u16 value;
	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u32 in32(u16 port)
{
	u32 value;
	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void serial_put(char c)
{
	while (!(in8(COM1_LSR) & LSR_THRE))
		;
	out8(COM1, (u8)c);
}

#endif
