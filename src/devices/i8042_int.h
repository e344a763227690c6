/*
 * What the three files of the keyboard controller share: the queues, and the calls between controller, keyboard and mouse. For
 * i8042.c, ps2_keyboard.c and ps2_mouse.c only.
 */
#ifndef DEVICES_I8042_INT_H
#define DEVICES_I8042_INT_H

#include "devices/i8042.h"

enum { ACK = 0xfa, RESEND = 0xfe, BAT_OK = 0xaa, ECHO = 0xee };

/* ---- queues ---- */
static inline unsigned ps2_queue_room(const struct i8042_queue *q) { return I8042_QUEUE - q->count; }

static inline void ps2_queue_put(struct i8042_queue *q, u8 byte)
{
	if (q->count < I8042_QUEUE)
		q->byte[(q->head + q->count++) % I8042_QUEUE] = byte;
}

static inline u8 ps2_queue_get(struct i8042_queue *q)
{
	u8 byte = q->byte[q->head % I8042_QUEUE];

	q->head = (q->head + 1) % I8042_QUEUE;
	q->count--;
	return byte;
}

static inline void ps2_queue_clear(struct i8042_queue *q) { q->count = 0; }

/* ---- i8042.c ---- */
/* Moves the next byte to the output buffer when that is empty. */
void i8042_advance(struct i8042 *k);

/* ---- ps2_keyboard.c ---- */
extern const u8 ps2_set2_to_set1[0x85];
void ps2_kbd_defaults(struct i8042_state *s);
void ps2_kbd_write(struct i8042_state *s, u8 val);

/* ---- ps2_mouse.c ---- */
void ps2_mouse_defaults(struct i8042_state *s);
void ps2_mouse_write(struct i8042_state *s, u8 val);
/* Sends packets while there is something to tell and room. */
void ps2_mouse_report(struct i8042_state *s);

#endif
