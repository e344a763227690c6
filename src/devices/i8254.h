/*
 * The 8254 interval timer of a PC (ports 40h-43h) and port 61h, which gates counter 2 and shows its output. Counter 0
 * drives an interrupt line. All counts are functions of virtual time; a timer is armed only for the next edge of
 * counter 0.
 */
#ifndef DEVICES_I8254_H
#define DEVICES_I8254_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define I8254_HZ 1193182u

struct i8254_counter {
	s64 base;    /* tick at which the count n is (or will be) in the counting element */
	s64 swap_at; /* tick at which next_n takes over in modes 2 and 3; I8254_NEVER: no count waits */
	s64 elapsed; /* while frozen: ticks counted since base */
	u32 n;       /* the count being counted down, 1..65536 */
	u32 next_n;  /* the count register */
	u16 held;    /* what the counting element shows before base */
	u16 latch;   /* the latched count, as it will be read */
	u8 mode, access, bcd;
	u8 gate;
	u8 running;      /* a count was loaded (or is about to be) since the control word */
	u8 frozen;       /* the gate holds the count */
	u8 fresh;        /* the count register was written and is not yet in the counting element */
	u8 pre_out;      /* the output before base */
	u8 written, low; /* one byte of two is written, its value */
	u8 read_high;    /* the next read of two bytes is the high one */
	u8 latched;      /* bytes of the latched count that are still to be read */
	u8 status_latched, status;
	u8 pad[6];
};
#define I8254_NEVER INT64_MAX

struct i8254_state {
	struct i8254_counter c0, c1, c2;
	u8 port61; /* the bits that are written: 3:0 */
	u8 pad[7];
};

struct i8254 {
	struct i8254_state s;
	struct irq out0;
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops i8254_ops;        /* 40h-43h */
extern const struct region_ops i8254_port61_ops; /* 61h */
#define I8254_FIELDS 68
extern const struct field i8254_fields[I8254_FIELDS];

void i8254_init(struct i8254 *p, struct sched *sched, u32 timer_id);
/* The 8254 has no reset pin; the state is that of power-on. */
void i8254_reset(struct i8254 *p);
void i8254_post_load(struct i8254 *p);
/* Level of counter n's output now. */
bool i8254_out(const struct i8254 *p, unsigned n);
/* To be called when out0 was connected or disconnected: no timer runs for a line that nobody hears. */
void i8254_rearm(struct i8254 *p);

#endif
