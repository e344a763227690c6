/*
 * The two 8259A interrupt controllers of a PC with their edge/level control registers. Inputs 0-7 are the master's,
 * 8-15 the slave's; the slave's output is the master's input 2. The one output is INTR.
 */
#ifndef DEVICES_I8259_H
#define DEVICES_I8259_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

struct i8259_chip {
	u8 irr, imr, isr;
	u8 line;    /* levels of the inputs */
	u8 elcr;    /* inputs that are level-triggered */
	u8 base;    /* ICW2: vector of input 0 */
	u8 cascade; /* ICW3 */
	u8 icw1, icw4;
	u8 expect; /* the ICW (2, 3, 4) that the next write to the odd port is; 0: OCW1 */
	u8 lowest; /* the input with the lowest priority */
	u8 read_isr, poll, special_mask, rotate_aeoi;
	u8 out; /* the INT output */
};

struct i8259_state {
	struct i8259_chip master, slave;
};

struct i8259 {
	struct i8259_state s;
	struct irq intr;
};

extern const struct region_ops i8259_master_ops; /* 20h, 21h */
extern const struct region_ops i8259_slave_ops;  /* A0h, A1h */
extern const struct region_ops i8259_elcr_ops;   /* 4D0h, 4D1h */
#define I8259_FIELDS 32
extern const struct field i8259_fields[I8259_FIELDS];

void i8259_init(struct i8259 *p);
void i8259_reset(struct i8259 *p);
void i8259_post_load(struct i8259 *p);
/* The sink of the 16 interrupt lines; input 2 is the cascade and ignored. */
void i8259_set(void *i8259, unsigned n, bool level);
/* The CPU's interrupt acknowledge cycles: the vector. Without a request it is the spurious one of input 7 (or 15). */
u8 i8259_ack(struct i8259 *p);

#endif
