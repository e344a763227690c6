/*
 * The 16550A UART of a PC serial port: 8 byte ports, 16-byte receive FIFO, one interrupt line. A transmitted byte
 * leaves at once through out(); the transmitter is always empty. Received bytes come in through uart16550_receive().
 */
#ifndef DEVICES_UART16550_H
#define DEVICES_UART16550_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "mmu/space.h"

#define UART16550_PORTS 8
#define UART16550_FIFO  16

/* Modem inputs, as in the modem status register. */
enum { UART_CTS = 0x10, UART_DSR = 0x20, UART_RI = 0x40, UART_DCD = 0x80 };

struct uart16550_state {
	u64 timeout_at;         /* virtual ns of the character timeout, or TIME_NEVER */
	u16 rx[UART16550_FIFO]; /* byte | line status errors of that byte << 8 */
	u8 rx_head, rx_count;
	u8 ier, fcr, lcr, mcr, lsr, msr, scr, dll, dlm;
	u8 lines;        /* what the modem inputs are when not in loopback */
	u8 thre_pending; /* the THR-empty interrupt is due */
	u8 timed_out;    /* the character timeout interrupt is due */
	u8 pad[2];
};

struct uart16550 {
	struct uart16550_state s;
	struct irq irq;
	void (*out)(void *arg, u8 byte); /* NULL: bytes vanish */
	void *out_arg;
	bool ungated; /* the interrupt line does not pass through OUT2 (a PC's does) */
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops uart16550_ops;
#define UART16550_FIELDS 17
extern const struct field uart16550_fields[UART16550_FIELDS];

void uart16550_init(struct uart16550 *u, struct sched *sched, u32 timer_id);
void uart16550_reset(struct uart16550 *u);
/* After the state was loaded: timer and line follow it. */
void uart16550_post_load(struct uart16550 *u);
/* Where transmitted bytes go. */
void uart16550_connect(struct uart16550 *u, void (*out)(void *arg, u8 byte), void *arg);
/* How many bytes can be received without an overrun. */
unsigned uart16550_room(const struct uart16550 *u);
/* A byte arrives. False: no room, the byte is lost and the overrun error is set (ask uart16550_room() before). */
bool uart16550_receive(struct uart16550 *u, u8 byte);
/* A break arrives. */
void uart16550_break(struct uart16550 *u);
/* The modem inputs change: UART_CTS and so on. All but RI are on after init. */
void uart16550_lines(struct uart16550 *u, u8 lines);

#endif
