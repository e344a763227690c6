/*
 * 16550A UART. Data sheet: National PC16550D. Transmission takes no virtual time: a byte written to THR is out at once
 * and THR-empty is due again. Reception is as fast as the host brings bytes; only the character timeout (four character
 * times, PC16550D 8.4.2) uses the programmed baud rate. As on the PC, OUT2 gates the interrupt line.
 * The byte stream has eight-bit bytes without parity whatever LCR says.
 */
#include "devices/uart16550.h"

#define UART_CLOCK 1843200u

enum { REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_TX = 2, IIR_RX = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_KEEP = 0xc9 };
enum { LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16, MCR_MASK = 31 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_PE = 4, LSR_FE = 8, LSR_BI = 16, LSR_THRE = 32, LSR_TEMT = 64, LSR_FIFOERR = 128 };
#define LSR_ERRORS (LSR_OE | LSR_PE | LSR_FE | LSR_BI)

static const char *const ier_bits[] = {"RDA", "THRE", "RLS", "MODEM", FIELD_END};
static const char *const mcr_bits[] = {"DTR", "RTS", "OUT1", "OUT2", "LOOP", FIELD_END};
static const char *const lsr_bits[] = {"DR", "OE", "PE", "FE", "BI", "THRE", "TEMT", "FIFOERR", FIELD_END};
static const char *const msr_bits[] = {"DCTS", "DDSR", "TERI", "DDCD", "CTS", "DSR", "RI", "DCD", FIELD_END};

const struct field uart16550_fields[UART16550_FIELDS] = {
	FIELD_DEC(struct uart16550_state, timeout_at),
	FIELD_ARRAY(struct uart16550_state, rx),
	FIELD_DEC(struct uart16550_state, rx_head),
	FIELD_DEC(struct uart16550_state, rx_count),
	FIELD_BITS(struct uart16550_state, ier, ier_bits),
	FIELD_HEX(struct uart16550_state, fcr),
	FIELD_HEX(struct uart16550_state, lcr),
	FIELD_BITS(struct uart16550_state, mcr, mcr_bits),
	FIELD_BITS(struct uart16550_state, lsr, lsr_bits),
	FIELD_BITS(struct uart16550_state, msr, msr_bits),
	FIELD_HEX(struct uart16550_state, scr),
	FIELD_HEX(struct uart16550_state, dll),
	FIELD_HEX(struct uart16550_state, dlm),
	FIELD_BITS(struct uart16550_state, lines, msr_bits),
	FIELD_DEC(struct uart16550_state, thre_pending),
	FIELD_DEC(struct uart16550_state, timed_out),
	FIELD_(struct uart16550_state, pad, FMT_PAD, 0),
};

static bool fifo_on(const struct uart16550_state *s) { return s->fcr & FCR_ENABLE; }

static unsigned rx_size(const struct uart16550_state *s) { return fifo_on(s) ? UART16550_FIFO : 1; }

static unsigned rx_trigger(const struct uart16550_state *s)
{
	static const u8 level[4] = {1, 4, 8, 14};

	return fifo_on(s) ? level[s->fcr >> 6] : 1;
}

/* The highest pending interrupt (PC16550D table IV), IIR_NONE when there is none. */
static u8 pending(const struct uart16550_state *s)
{
	if (s->ier & IER_LINE && s->lsr & LSR_ERRORS)
		return IIR_LINE;
	if (s->ier & IER_RX && s->rx_count >= rx_trigger(s))
		return IIR_RX;
	if (s->ier & IER_RX && s->timed_out)
		return IIR_TIMEOUT;
	if (s->ier & IER_TX && s->thre_pending)
		return IIR_TX;
	if (s->ier & IER_MODEM && s->msr & 15)
		return IIR_MODEM;
	return IIR_NONE;
}

static void update_irq(struct uart16550 *u)
{
	bool gate = u->ungated || (u->s.mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	irq_set(&u->irq, gate && pending(&u->s) != IIR_NONE);
}

/* Four character times at the programmed rate and frame. */
static u64 timeout_ns(const struct uart16550_state *s)
{
	unsigned divisor = s->dlm << 8 | s->dll;
	unsigned frame = 1 + 5 + (s->lcr & 3) + (s->lcr >> 3 & 1) + 1 + (s->lcr >> 2 & 1);

	return 4ull * frame * 16 * (divisor ? divisor : 65536) * NS_PER_SEC / UART_CLOCK;
}

/* Each byte in or out of the FIFO starts the timeout anew while bytes below the trigger level wait. */
static void restart_timeout(struct uart16550 *u)
{
	struct uart16550_state *s = &u->s;

	s->timed_out = 0;
	if (fifo_on(s) && s->rx_count) {
		s->timeout_at = u->sched->now + timeout_ns(s);
		timer_arm(&u->timer, s->timeout_at);
	} else if (s->timeout_at != TIME_NEVER) {
		s->timeout_at = TIME_NEVER;
		timer_cancel(&u->timer);
	}
}

static void timeout(void *arg, u64 now)
{
	struct uart16550 *u = arg;

	(void)now;
	u->s.timeout_at = TIME_NEVER;
	u->s.timed_out = u->s.rx_count != 0;
	update_irq(u);
}

/* The line status shows the errors of the oldest byte, and bit 7 whether any later one has an error. */
static void show_front(struct uart16550_state *s)
{
	u8 any = 0;

	s->lsr &= (u8) ~(LSR_DR | LSR_FIFOERR);
	if (!s->rx_count)
		return;
	s->lsr |= LSR_DR | (u8)(s->rx[s->rx_head] >> 8);
	s->rx[s->rx_head] &= 0xff;
	for (unsigned i = 0; i < s->rx_count; i++)
		any |= (u8)(s->rx[(s->rx_head + i) % UART16550_FIFO] >> 8);
	if (fifo_on(s) && (any || s->lsr & (LSR_PE | LSR_FE | LSR_BI)))
		s->lsr |= LSR_FIFOERR;
}

/* One received character, errors included. False when it was lost or destroyed another one. */
static bool receive(struct uart16550 *u, u16 entry)
{
	struct uart16550_state *s = &u->s;
	bool room = s->rx_count < rx_size(s);

	if (room)
		s->rx[(s->rx_head + s->rx_count++) % UART16550_FIFO] = entry;
	else
		s->lsr |= LSR_OE;
	if (!room && !fifo_on(s))
		s->rx[s->rx_head] = entry; /* without FIFO the new byte destroys the old one */
	show_front(s);
	restart_timeout(u);
	update_irq(u);
	return room;
}

static void clear_rx(struct uart16550 *u)
{
	u->s.rx_count = 0;
	show_front(&u->s);
	restart_timeout(u);
}

/* Out of line: the other registers are read without a stack frame. */
static NOINLINE u8 read_data(struct uart16550 *u)
{
	struct uart16550_state *s = &u->s;
	u8 byte = (u8)s->rx[s->rx_head];

	if (!s->rx_count)
		return byte;
	s->rx_head = (s->rx_head + 1) % UART16550_FIFO;
	s->rx_count--;
	show_front(s);
	restart_timeout(u);
	update_irq(u);
	return byte;
}

static u8 read_iir(struct uart16550 *u)
{
	u8 iir = pending(&u->s);

	if (iir == IIR_TX) {
		u->s.thre_pending = 0;
		update_irq(u);
	}
	return iir | (fifo_on(&u->s) ? IIR_FIFO : 0);
}

static u8 read_lsr(struct uart16550 *u)
{
	u8 lsr = u->s.lsr;

	if (lsr & LSR_ERRORS) {
		u->s.lsr &= (u8)~LSR_ERRORS;
		show_front(&u->s);
		update_irq(u);
	}
	return lsr;
}

static u8 read_msr(struct uart16550 *u)
{
	u8 msr = u->s.msr;

	if (msr & 15) {
		u->s.msr &= 0xf0;
		update_irq(u);
	}
	return msr;
}

/* What a register shows; reading it has no effect here. */
static u8 look(const struct uart16550_state *s, unsigned reg)
{
	switch (reg) {
	case REG_DATA: return s->lcr & LCR_DLAB ? s->dll : (u8)s->rx[s->rx_head];
	case REG_IER: return s->lcr & LCR_DLAB ? s->dlm : s->ier;
	case REG_IIR: return pending(s) | (fifo_on(s) ? IIR_FIFO : 0);
	case REG_LCR: return s->lcr;
	case REG_MCR: return s->mcr;
	case REG_LSR: return s->lsr;
	case REG_MSR: return s->msr;
	default: return s->scr;
	}
}

static u64 uart_read(void *dev, u64 off, unsigned size)
{
	struct uart16550 *u = dev;

	(void)size;
	switch (off & 7) {
	case REG_DATA: return u->s.lcr & LCR_DLAB ? u->s.dll : read_data(u);
	case REG_IIR: return read_iir(u);
	case REG_LSR: return read_lsr(u);
	case REG_MSR: return read_msr(u);
	default: return look(&u->s, off & 7);
	}
}

static u64 uart_peek(const void *dev, u64 off, unsigned size)
{
	(void)size;
	return look(&((const struct uart16550 *)dev)->s, off & 7);
}

/* The modem inputs as the chip sees them now: from outside, or in loopback from its own outputs. */
static void update_modem(struct uart16550 *u)
{
	struct uart16550_state *s = &u->s;
	u8 lines = s->lines, changed;

	if (s->mcr & MCR_LOOP)
		lines = (s->mcr & MCR_RTS ? UART_CTS : 0) | (s->mcr & MCR_DTR ? UART_DSR : 0) |
			(s->mcr & MCR_OUT1 ? UART_RI : 0) | (s->mcr & MCR_OUT2 ? UART_DCD : 0);
	changed = (s->msr ^ lines) & 0xf0;
	if (lines & UART_RI)
		changed &= (u8)~UART_RI; /* only the trailing edge of RI counts */
	s->msr = lines | (s->msr & 15) | changed >> 4;
	update_irq(u);
}

static void write_data(struct uart16550 *u, u8 byte)
{
	struct uart16550_state *s = &u->s;

	if (s->thre_pending) {
		s->thre_pending = 0;
		update_irq(u);
	}
	if (s->mcr & MCR_LOOP)
		receive(u, byte);
	else if (u->out)
		u->out(u->out_arg, byte);
	s->thre_pending = 1;
	update_irq(u);
}

static void write_ier(struct uart16550 *u, u8 val)
{
	u8 changed = u->s.ier ^ val;

	u->s.ier = val & 15;
	if (changed & IER_TX)
		u->s.thre_pending = (val & IER_TX) != 0;
	update_irq(u);
}

/* Bits other than 0 count only when bit 0 is written as 1; a change of bit 0 empties the FIFO (PC16550D 8.5). */
static void write_fcr(struct uart16550 *u, u8 val)
{
	bool toggled = (u->s.fcr ^ val) & FCR_ENABLE;

	u->s.fcr = val & FCR_ENABLE ? val & FCR_KEEP : 0;
	if (toggled || (val & FCR_ENABLE && val & FCR_CLEAR_RX))
		clear_rx(u);
	update_irq(u);
}

static void write_lcr(struct uart16550 *u, u8 val)
{
	bool starts = val & ~u->s.lcr & LCR_BREAK;

	u->s.lcr = val;
	if (starts && u->s.mcr & MCR_LOOP)
		uart16550_break(u);
}

static void uart_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct uart16550 *u = dev;
	bool dlab = u->s.lcr & LCR_DLAB;

	(void)size;
	switch (off & 7) {
	case REG_DATA:
		if (dlab)
			u->s.dll = (u8)val;
		else
			write_data(u, (u8)val);
		break;
	case REG_IER:
		if (dlab)
			u->s.dlm = (u8)val;
		else
			write_ier(u, (u8)val);
		break;
	case REG_IIR: write_fcr(u, (u8)val); break;
	case REG_LCR: write_lcr(u, (u8)val); break;
	case REG_MCR:
		u->s.mcr = val & MCR_MASK;
		update_modem(u);
		break;
	case REG_LSR: /* for factory tests only: PC16550D 8.6 */
	case REG_MSR: break;
	default: u->s.scr = (u8)val; break;
	}
}

const struct region_ops uart16550_ops = {"uart16550", uart_read, uart_write, uart_peek, 1, 1};

void uart16550_reset(struct uart16550 *u)
{
	u8 lines = u->s.lines, scr = u->s.scr;

	timer_cancel(&u->timer);
	u->s = (struct uart16550_state){.timeout_at = TIME_NEVER,
					.lsr = LSR_THRE | LSR_TEMT,
					.msr = lines,
					.lines = lines,
					.scr = scr,
					.dll = 12};
	update_irq(u);
}

void uart16550_init(struct uart16550 *u, struct sched *sched, u32 timer_id)
{
	*u = (struct uart16550){.sched = sched, .s.lines = UART_CTS | UART_DSR | UART_DCD};
	timer_init(&u->timer, sched, timer_id, timeout, u);
	uart16550_reset(u);
}

void uart16550_post_load(struct uart16550 *u)
{
	u->s.rx_head %= UART16550_FIFO;
	if (u->s.rx_count > UART16550_FIFO)
		u->s.rx_count = UART16550_FIFO;
	timer_cancel(&u->timer);
	if (u->s.timeout_at != TIME_NEVER)
		timer_arm(&u->timer, u->s.timeout_at);
	update_irq(u);
}

void uart16550_connect(struct uart16550 *u, void (*out)(void *arg, u8 byte), void *arg)
{
	u->out = out;
	u->out_arg = arg;
}

unsigned uart16550_room(const struct uart16550 *u) { return u->s.mcr & MCR_LOOP ? 0 : rx_size(&u->s) - u->s.rx_count; }

bool uart16550_receive(struct uart16550 *u, u8 byte)
{
	if (u->s.mcr & MCR_LOOP)
		return false; /* the input pin is disconnected */
	return receive(u, byte);
}

void uart16550_break(struct uart16550 *u) { receive(u, (LSR_BI | LSR_FE) << 8); }

void uart16550_lines(struct uart16550 *u, u8 lines)
{
	u->s.lines = lines & 0xf0;
	update_modem(u);
}
