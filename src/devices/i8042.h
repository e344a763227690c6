/*
 * The 8042 keyboard controller of a PC/AT (ports 60h and 64h) with a PS/2 keyboard and a mouse behind it. Outputs: IRQ
 * 1, IRQ 12, the A20 gate and the reset line.
 */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "mmu/space.h"

struct i8042_state {
	u64 ready_at;          /* virtual ns from which the next byte of a device may enter the output buffer */
	struct ps2_queue ctrl; /* answers of the controller */
	u8 ram[32];            /* ram[0] is the command byte */
	u8 status, data, outport;
	u8 command; /* the controller command that waits for its data byte, or 0 */
	u8 release; /* translation has seen F0h */
	u8 pad;
};

struct i8042 {
	struct i8042_state s;
	struct ps2_kbd kbd;
	struct ps2_mouse mouse;
	struct irq irq1, irq12;
	struct irq a20;   /* high: address bit 20 passes */
	struct irq reset; /* a pulse */
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops i8042_data_ops;    /* 60h */
extern const struct region_ops i8042_command_ops; /* 64h */
#define I8042_FIELDS 11
extern const struct field i8042_fields[I8042_FIELDS];

void i8042_init(struct i8042 *k, struct sched *sched, u32 timer_id);
void i8042_reset(struct i8042 *k);
void i8042_post_load(struct i8042 *k);
/* As ps2_kbd_key, ps2_kbd_room, ps2_mouse_move and ps2_mouse_receive. */
bool i8042_key(struct i8042 *k, u8 set1);
unsigned i8042_key_room(const struct i8042 *k);
void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, u8 buttons);
void i8042_mouse_byte(struct i8042 *k, u8 byte);

#endif
