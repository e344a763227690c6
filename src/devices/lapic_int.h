/*
 * Between lapic.c (what happens) and lapic_regs.c (how software sees it) only: register numbers, bits, and the actions
 * that a register write causes.
 */
#ifndef DEVICES_LAPIC_INT_H
#define DEVICES_LAPIC_INT_H

#include "devices/lapic.h"

/* Registers, as byte offset in the page >> 4 = MSR - 800h (APM2 16.3.2, 16.11.1). */
enum reg {
	R_ID = 0x02,
	R_VERSION = 0x03,
	R_TPR = 0x08,
	R_APR = 0x09,
	R_PPR = 0x0a,
	R_EOI = 0x0b,
	R_REMOTE_READ = 0x0c,
	R_LDR = 0x0d,
	R_DFR = 0x0e,
	R_SVR = 0x0f,
	R_ISR = 0x10, /* 8 registers each */
	R_TMR = 0x18,
	R_IRR = 0x20,
	R_ESR = 0x28,
	R_ICR = 0x30,
	R_ICR_HIGH = 0x31,
	R_LVT = 0x32, /* timer, thermal, performance, LINT0, LINT1, error */
	R_TIMER_INITIAL = 0x38,
	R_TIMER_CURRENT = 0x39,
	R_TIMER_DIVIDE = 0x3e,
	R_SELF_IPI = 0x3f,
	R_EXT_FEATURE = 0x40,
	R_EXT_CONTROL = 0x41,
	R_SPECIFIC_EOI = 0x42,
	R_IER = 0x48,     /* 8 registers */
	R_LVT_EXT = 0x50, /* 4 registers */
};

#define SVR_ENABLE       BIT(8)
#define SVR_EOI_SUPPRESS BIT(12)
#define LVT_MODE(v)      ((enum apic_mode)((v) >> 8 & 7))
#define LVT_REMOTE_IRR   BIT(14)
#define LVT_LEVEL        BIT(15)
#define LVT_MASKED       BIT(16)
#define TIMER_MODE(v)    ((v) >> 17 & 3)
#define TIMER_PERIODIC   1u
#define TIMER_DEADLINE   2u
#define ICR_LEVEL_ASSERT BIT(14)
#define ICR_TRIGGER      BIT(15)
#define ICR_WRITABLE     0xccfffull
#define EXT_IERN         BIT(0)
#define EXT_SN           BIT(1)
/* Error status (APM2 16.4.6) */
#define ESR_SEND_ACCEPT    BIT(2)
#define ESR_SEND_ILLEGAL   BIT(5)
#define ESR_RECV_ILLEGAL   BIT(6)
#define ESR_ILLEGAL_REG    BIT(7)
#define FIRST_LEGAL_VECTOR 16

/* After IRR, ISR, IER, TPR or SVR were changed: the highest vectors, PPR and what is pending. */
void lapic_update(struct lapic *l);
void lapic_extint_update(struct lapic *l);
void lapic_lint_level(struct lapic *l, unsigned n);
/* Sets an error bit; the error LVT fires if it was clear. */
void lapic_raise_error(struct lapic *l, u32 bit);
/* End of vector, if it is in service (-1: nothing). */
void lapic_eoi(struct lapic *l, int vector);

u32 lapic_timer_current(const struct lapic *l);
void lapic_timer_set_initial(struct lapic *l, u32 val);
void lapic_timer_set_divide(struct lapic *l, u32 val);
void lapic_timer_set_lvt(struct lapic *l, u32 val);
void lapic_timer_set_deadline(struct lapic *l, u64 tsc);

/* The low half of the ICR: sends. */
void lapic_icr_write(struct lapic *l, u32 val);
void lapic_self_ipi(struct lapic *l, u8 vector);

/* False if there is no such register. */
bool lapic_reg_write(struct lapic *l, unsigned reg, u32 val);

#endif
