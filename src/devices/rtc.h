/*
 * The MC146818 real-time clock of a PC with 256 bytes of CMOS memory: ports 70h/71h, and 72h/73h for the upper half.
 * The clock shows a start date plus virtual time, so that each run sees the same dates.
 */
#ifndef DEVICES_RTC_H
#define DEVICES_RTC_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define RTC_DEFAULT_TIME 1704067200 /* 2024-01-01 00:00:00 UTC in seconds since 1970 */

struct rtc_state {
	s64 sec_base; /* the clock's date at div_base, in seconds since 1970 */
	s64 div_base; /* virtual ns at which the divider chain was at the start of a second */
	u64 seen;     /* virtual ns up to which the flags of register C are complete */
	u8 cmos[256]; /* registers A-D and memory; bytes 0-9 and 32h hold the date while the clock stands */
	u8 index, index_high;
	u8 nmi_off;     /* bit 7 of the last write to port 70h */
	u8 day_of_week; /* what register 6 is ahead of the calendar, 0..6 */
	u8 pad[4];
};

struct rtc {
	struct rtc_state s;
	struct irq irq;
	void (*nmi_mask)(void *arg, bool masked); /* may be NULL */
	void *nmi_arg;
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops rtc_ops; /* 70h-73h */
#define RTC_FIELDS 9
extern const struct field rtc_fields[RTC_FIELDS];

/* Power-on: date, equipment byte, memory sizes below and above 4 GB in bytes (in 15h-18h, 30h-31h, 34h-35h, 5Bh-5Dh as
 * firmware for QEMU reads them) and the checksum. */
void rtc_init(struct rtc *r, struct sched *sched, u32 timer_id, s64 unix_time, u64 below_4g, u64 above_4g);
/* The RESET pin: interrupts off; date and memory stay. */
void rtc_reset(struct rtc *r);
void rtc_post_load(struct rtc *r);
/* Sets a byte of memory (0Eh and up) as firmware set-up does, and the checksum of 10h-2Dh. */
void rtc_set_cmos(struct rtc *r, u8 index, u8 val);

#endif
