/*
 * The 8042 keyboard controller of a PC/AT (ports 60h and 64h) with a keyboard and a PS/2 mouse behind it. Outputs: IRQ
 * 1, IRQ 12, the A20 gate and the reset line. Keys come in as scan codes of set 1, whatever set the guest has chosen.
 */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define I8042_QUEUE 64

struct i8042_queue {
	u8 byte[I8042_QUEUE];
	u8 head, count;
};

struct i8042_state {
	u64 ready_at; /* virtual ns from which the next byte of a device may enter the output buffer */
	struct i8042_queue ctrl, kbd, aux; /* what waits for the output buffer, from the controller and the devices */
	u8 ram[32];                        /* ram[0] is the command byte */
	u8 status, data, outport;
	u8 command;     /* the controller command that waits for its data byte, or 0 */
	u8 release;     /* translation has seen F0h */
	u8 kbd_command; /* the keyboard's command that waits for its parameter, or 0 */
	u8 kbd_set, kbd_leds, kbd_rate, kbd_scanning;
	u8 kbd_last; /* the last byte that the keyboard sent, for Resend */
	u8 mouse_command, mouse_rate, mouse_resolution, mouse_scale21;
	u8 mouse_reporting, mouse_remote, mouse_wrap;
	u8 mouse_id, mouse_knock;         /* 0, or 3 with a wheel; progress of the sample rates 200, 100, 80 */
	u8 mouse_buttons, mouse_sent;     /* now, and in the last packet */
	s32 mouse_dx, mouse_dy, mouse_dz; /* movement not yet reported */
};

struct i8042 {
	struct i8042_state s;
	struct irq irq1, irq12;
	struct irq a20;   /* high: address bit 20 passes */
	struct irq reset; /* a pulse */
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops i8042_data_ops;    /* 60h */
extern const struct region_ops i8042_command_ops; /* 64h */
#define I8042_FIELDS 36
extern const struct field i8042_fields[I8042_FIELDS];

void i8042_init(struct i8042 *k, struct sched *sched, u32 timer_id);
void i8042_reset(struct i8042 *k);
void i8042_post_load(struct i8042 *k);
/* One byte of a set 1 scan code (E0h prefix, make, or make | 80h). False: the keyboard's buffer is full, try later. */
bool i8042_key(struct i8042 *k, u8 set1);
/* The mouse moves (right, up, wheel down are positive) and its buttons are: 1 left, 2 right, 4 middle. */
void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, u8 buttons);

#endif
