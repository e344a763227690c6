/* What PS/2 keyboard and mouse have in common: a queue of bytes on the way to the host, and answers to commands. */
#ifndef DEVICES_PS2_H
#define DEVICES_PS2_H

#include "base/field.h"

#define PS2_QUEUE 64

enum { PS2_ACK = 0xfa, PS2_RESEND = 0xfe, PS2_BAT_OK = 0xaa };

struct ps2_queue {
	u8 byte[PS2_QUEUE];
	u8 head, count;
};

#define PS2_QUEUE_FIELDS(type, q) FIELD_BYTES(type, q.byte), FIELD_DEC(type, q.head), FIELD_DEC(type, q.count)

static inline unsigned ps2_room(const struct ps2_queue *q) { return PS2_QUEUE - q->count; }

/* A byte for which there is no room is lost. */
static inline void ps2_put(struct ps2_queue *q, u8 byte)
{
	if (q->count < PS2_QUEUE)
		q->byte[(q->head + q->count++) % PS2_QUEUE] = byte;
}

/* The queue is not empty. */
static inline u8 ps2_get(struct ps2_queue *q)
{
	u8 byte = q->byte[q->head % PS2_QUEUE];

	q->head = (q->head + 1) % PS2_QUEUE;
	q->count--;
	return byte;
}

/* Makes a loaded queue sane. */
static inline void ps2_queue_load(struct ps2_queue *q)
{
	q->head %= PS2_QUEUE;
	if (q->count > PS2_QUEUE)
		q->count = PS2_QUEUE;
}

#endif
