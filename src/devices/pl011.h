/*
 * The PL011 UART of ARM's boards: 16-byte receive FIFO, one interrupt line. A transmitted byte leaves at once through out();
 * the transmitter is always empty. Received bytes come in through pl011_receive().
 */
#ifndef DEVICES_PL011_H
#define DEVICES_PL011_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define PL011_FIFO 16

struct pl011_state {
	u64 timeout_at;     /* virtual ns of the receive timeout, or TIME_NEVER */
	u16 rx[PL011_FIFO]; /* byte | its errors << 8, as UARTDR shows them */
	u8 rx_head, rx_count;
	u8 rsr; /* errors of the byte read last, and overrun */
	u8 pad[5];
	u32 ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
	u32 pad2;
};

struct pl011 {
	struct pl011_state s;
	struct irq irq;
	void (*out)(void *arg, u8 byte); /* NULL: bytes vanish */
	void *out_arg;
	struct timer timer;
	struct sched *sched;
	u32 clock; /* UARTCLK in Hz */
};

extern const struct region_ops pl011_ops;
#define PL011_FIELDS 16
extern const struct field pl011_fields[PL011_FIELDS];

void pl011_init(struct pl011 *u, struct sched *sched, u32 timer_id, u32 clock);
void pl011_reset(struct pl011 *u);
void pl011_post_load(struct pl011 *u);
void pl011_connect(struct pl011 *u, void (*out)(void *arg, u8 byte), void *arg);
/* How many bytes can be received without an overrun; none while the receiver is off. */
unsigned pl011_room(const struct pl011 *u);
/* A byte arrives; without room it is lost and the overrun error is set. */
void pl011_receive(struct pl011 *u, u8 byte);
void pl011_break(struct pl011 *u);

#endif
