/*
 * The high precision event timer: a 64-bit counter of 10 ns ticks and three timers, at FED0_0000h.
 * Manual: IA-PC HPET specification 1.0a, chapter 2. No FSB (MSI) delivery: not reported, and its bits read as 0.
 * The counter is computed from virtual time; a disabled one keeps its value.
 */
#ifndef DEVICES_HPET_H
#define DEVICES_HPET_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define HPET_BASE    0xfed00000ull
#define HPET_SIZE    0x400
#define HPET_TIMERS  3
#define HPET_PINS    24
#define HPET_TICK_NS 10
#define HPET_BLOCK_ID                                                                                                  \
	0x8086a201u             /* vendor, legacy routing, 64-bit, 3 timers, revision 1: also in the ACPI HPET table */
#define HPET_ROUTES 0x00ff0104u /* I/O APIC pins 2, 8, 16-23 */

struct hpet_state {
	u64 config, status;
	u64 counter; /* main counter at virtual ns since (or for good, while disabled) */
	u64 since;
	u64 timer_config[HPET_TIMERS]; /* without the read-only capability bits */
	u64 comparator[HPET_TIMERS];   /* the next match */
	u64 period[HPET_TIMERS];       /* ticks; periodic mode */
	u64 match[HPET_TIMERS];        /* virtual ns of the next match, or TIME_NEVER */
};

struct hpet {
	struct hpet_state s;
	u32 routes;                         /* capability mask of I/O APIC pins */
	struct irq pin[HPET_PINS];          /* to the I/O APIC, and where the board has it, the 8259A */
	struct irq legacy_irq[2];           /* IRQ 0 and IRQ 8 while the legacy route is on */
	void (*legacy)(void *arg, bool on); /* the board disconnects PIT and RTC from IRQ 0 and 8; may be NULL */
	void *legacy_arg;
	struct timer timer[HPET_TIMERS];
	struct hpet_slot {
		struct hpet *hpet;
		unsigned n;
	} slot[HPET_TIMERS];
	struct sched *sched;
};

extern const struct region_ops hpet_ops;
#define HPET_FIELDS 8
extern const struct field hpet_fields[HPET_FIELDS];

/* Takes timer ids timer_id .. timer_id + 2. routes: mask of I/O APIC pins, e.g. HPET_ROUTES. */
void hpet_init(struct hpet *h, struct sched *sched, u32 timer_id, u32 routes);
void hpet_reset(struct hpet *h);
/* After the state was loaded: timers and lines follow it. */
void hpet_post_load(struct hpet *h);

#endif
