/*
 * See pl011.h. Manual: ARM PrimeCell UART (PL011) TRM, DDI0183, chapter 3. Transmission takes no virtual time: the
 * transmit interrupt is due again as soon as a byte was written. Modem inputs are as with a null modem cable: CTS, DSR, DCD on. The board has no
 * infrared transceiver and no DMA controller: with SIREN nobody is at the other end, and DMA requests are heard by nobody.
 */
#include "devices/pl011.h"

#include "devices/primecell.h"

enum {
	REG_DR = 0x00, REG_RSR = 0x04, REG_FR = 0x18, REG_ILPR = 0x20, REG_IBRD = 0x24, REG_FBRD = 0x28, REG_LCR = 0x2c,
	REG_CR = 0x30, REG_IFLS = 0x34, REG_IMSC = 0x38, REG_RIS = 0x3c, REG_MIS = 0x40, REG_ICR = 0x44, REG_DMACR = 0x48,
};
enum { FR_CTS = 1, FR_DSR = 2, FR_DCD = 4, FR_RXFE = 16, FR_RXFF = 64, FR_TXFE = 128, FR_RI = 256 };
enum { LCR_FEN = 16 };
enum { CR_EN = 1, CR_SIREN = 2, CR_LBE = 0x80, CR_TXE = 0x100, CR_RXE = 0x200, CR_DTR = 0x400, CR_RTS = 0x800, CR_OUT1 = 0x1000, CR_OUT2 = 0x2000 };
enum { INT_RI = 1, INT_CTS = 2, INT_DCD = 4, INT_DSR = 8 };
enum { INT_RX = 1 << 4, INT_TX = 1 << 5, INT_RT = 1 << 6, INT_FE = 1 << 7, INT_BE = 1 << 9, INT_OE = 1 << 10, INT_ALL = 0x7ff };
enum { ERR_FE = 1, ERR_BE = 4, ERR_OE = 8 };

static const char *const int_bits[] = {"RI", "CTS", "DCD", "DSR", "RX", "TX", "RT", "FE", "PE", "BE", "OE", FIELD_END};

const struct field pl011_fields[PL011_FIELDS] = {
	FIELD_DEC(struct pl011_state, timeout_at),
	FIELD_ARRAY(struct pl011_state, rx),
	FIELD_DEC(struct pl011_state, rx_head),
	FIELD_DEC(struct pl011_state, rx_count),
	FIELD_HEX(struct pl011_state, rsr),
	FIELD_(struct pl011_state, pad, FMT_PAD, 0),
	FIELD_HEX(struct pl011_state, ilpr),
	FIELD_HEX(struct pl011_state, ibrd),
	FIELD_HEX(struct pl011_state, fbrd),
	FIELD_HEX(struct pl011_state, lcr),
	FIELD_HEX(struct pl011_state, cr),
	FIELD_HEX(struct pl011_state, ifls),
	FIELD_BITS(struct pl011_state, imsc, int_bits),
	FIELD_BITS(struct pl011_state, ris, int_bits),
	FIELD_HEX(struct pl011_state, dmacr),
	FIELD_(struct pl011_state, pad2, FMT_PAD, 0),
};

static unsigned rx_size(const struct pl011_state *s) { return s->lcr & LCR_FEN ? PL011_FIFO : 1; }

/* DDI0183 3.3.10: 1/8, 1/4, 1/2, 3/4, 7/8 of the FIFO. */
static unsigned rx_trigger(const struct pl011_state *s)
{
	static const u8 level[8] = {2, 4, 8, 12, 14, 14, 14, 14};

	return s->lcr & LCR_FEN ? level[s->ifls >> 3 & 7] : 1;
}

static void update(struct pl011 *u) { irq_set(&u->irq, u->s.ris & u->s.imsc); }

/* DDI0183 2.4.2: the receive timeout comes when nothing arrived for 32 bit times while bytes wait. */
static u64 timeout_ns(const struct pl011 *u)
{
	u64 div = (u64)u->s.ibrd * 64 + u->s.fbrd; /* of the clock, by 16 samples a bit, in 64ths */

	return muldiv(32 * 16 * (div ? div : 64), NS_PER_SEC, 64ull * u->clock);
}

static void restart_timeout(struct pl011 *u)
{
	struct pl011_state *s = &u->s;

	timer_cancel(&u->timer);
	s->timeout_at = TIME_NEVER;
	if (s->lcr & LCR_FEN && s->rx_count) {
		s->timeout_at = u->sched->now + timeout_ns(u);
		timer_arm(&u->timer, s->timeout_at);
	}
}

static void timeout(void *arg, u64 now)
{
	struct pl011 *u = arg;

	(void)now;
	u->s.timeout_at = TIME_NEVER;
	if (u->s.rx_count)
		u->s.ris |= INT_RT;
	update(u);
}

/* DDI0183 2.4.3: the receive interrupt holds while at least the trigger level waits. */
static void show_level(struct pl011_state *s)
{
	s->ris = s->rx_count >= rx_trigger(s) ? s->ris | INT_RX : s->ris & ~(u32)INT_RX;
}

static void receive(struct pl011 *u, u16 entry)
{
	struct pl011_state *s = &u->s;

	if (s->rx_count < rx_size(s)) {
		s->rx[(s->rx_head + s->rx_count++) % PL011_FIFO] = entry;
	} else {
		s->rsr |= ERR_OE;
		s->ris |= INT_OE;
	}
	s->ris |= (entry >> 8 & ERR_FE ? INT_FE : 0) | (entry >> 8 & ERR_BE ? INT_BE : 0);
	show_level(s);
	restart_timeout(u);
	update(u);
}

static u32 read_data(struct pl011 *u)
{
	struct pl011_state *s = &u->s;
	u32 entry = s->rx[s->rx_head];

	if (!s->rx_count)
		return entry & 0xff;
	s->rx_head = (s->rx_head + 1) % PL011_FIFO;
	s->rx_count--;
	s->rsr = (s->rsr & ERR_OE) | (entry >> 8 & 7);
	entry |= (u32)(s->rsr & ERR_OE) << 8;
	if (s->rx_count < rx_trigger(s))
		s->ris &= ~(u32)INT_RX;
	if (!s->rx_count)
		s->ris &= ~(u32)INT_RT;
	restart_timeout(u);
	update(u);
	return entry;
}

/* Modem inputs; in a loop they are the UART's own outputs. DDI0183 2.4.8 */
static u32 modem(const struct pl011_state *s)
{
	if (!(s->cr & CR_LBE))
		return FR_CTS | FR_DSR | FR_DCD;
	return (s->cr & CR_RTS ? FR_CTS : 0) | (s->cr & CR_DTR ? FR_DSR : 0) | (s->cr & CR_OUT1 ? FR_DCD : 0) | (s->cr & CR_OUT2 ? FR_RI : 0);
}

static void write_control(struct pl011_state *s, u32 val)
{
	u32 was = modem(s), changed;

	s->cr = val & 0xff87;
	changed = was ^ modem(s);
	s->ris |= (changed & FR_CTS ? INT_CTS : 0) | (changed & FR_DSR ? INT_DSR : 0) | (changed & FR_DCD ? INT_DCD : 0) | (changed & FR_RI ? INT_RI : 0);
}

static u32 flags(const struct pl011_state *s)
{
	return modem(s) | FR_TXFE | (s->rx_count ? 0 : FR_RXFE) | (s->rx_count >= rx_size(s) ? FR_RXFF : 0);
}

/* What a register shows; *known: there is one. */
static u32 look(const struct pl011_state *s, u32 reg, bool *known)
{
	*known = true;
	switch (reg) {
	case REG_DR: return s->rx[s->rx_head];
	case REG_RSR: return s->rsr;
	case REG_FR: return flags(s);
	case REG_ILPR: return s->ilpr;
	case REG_IBRD: return s->ibrd;
	case REG_FBRD: return s->fbrd;
	case REG_LCR: return s->lcr;
	case REG_CR: return s->cr;
	case REG_IFLS: return s->ifls;
	case REG_IMSC: return s->imsc;
	case REG_RIS: return s->ris;
	case REG_MIS: return s->ris & s->imsc;
	case REG_DMACR: return s->dmacr;
	case PRIMECELL_ID ... PRIMECELL_SIZE - 4: return primecell_id(reg, 0x11, 0x10, 0x14, 0x00);
	default: *known = false; return 0;
	}
}

static u64 pl011_read(void *dev, u64 off, unsigned size)
{
	struct pl011 *u = dev;
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	if (reg == REG_DR)
		return primecell_lane(off, read_data(u));
	val = look(&u->s, reg, &known);
	return primecell_lane(off, known ? val : primecell_no_read("pl011", reg));
}

static u64 pl011_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(&((const struct pl011 *)dev)->s, primecell_reg(off), &known));
}

/* Guests send with UARTEN or TXE off, too, and QEMU's UART lets them; so does this one. */
static void write_data(struct pl011 *u, u8 byte)
{
	if (u->s.cr & CR_LBE)
		receive(u, byte);
	else if (u->out && !(u->s.cr & CR_SIREN))
		u->out(u->out_arg, byte);
	u->s.ris |= INT_TX;
	update(u);
}

static void write_lcr(struct pl011 *u, u32 val)
{
	bool toggled = (u->s.lcr ^ val) & LCR_FEN, starts_break = val & ~u->s.lcr & 1;

	u->s.lcr = val & 0xff;
	if (toggled) {
		u->s.rx_count = 0;
		u->s.ris &= ~(u32)INT_RT;
	}
	if (starts_break && u->s.cr & CR_LBE)
		pl011_break(u);
	show_level(&u->s);
	restart_timeout(u);
	update(u);
}

static void pl011_write(void *dev, u64 off, unsigned size, u64 val64)
{
	struct pl011 *u = dev;
	struct pl011_state *s = &u->s;
	u32 reg = primecell_reg(off), val = (u32)val64;

	(void)size;
	switch (reg) {
	case REG_DR: write_data(u, (u8)val); break;
	case REG_RSR: s->rsr = 0; break;
	case REG_FR: break; /* read only */
	case REG_ILPR: s->ilpr = val & 0xff; break;
	case REG_IBRD: s->ibrd = val & 0xffff; break;
	case REG_FBRD: s->fbrd = val & 0x3f; break;
	case REG_LCR: write_lcr(u, val); break;
	case REG_CR: write_control(s, val); break;
	case REG_IFLS:
		s->ifls = val & 0x3f;
		show_level(s);
		break;
	case REG_IMSC: s->imsc = val & INT_ALL; break;
	case REG_ICR: s->ris &= ~val; break;
	case REG_DMACR: s->dmacr = val & 7; break;
	default: primecell_no_write("pl011", reg); break;
	}
	update(u);
}

const struct region_ops pl011_ops = {"pl011", pl011_read, pl011_write, pl011_peek, 1, 4};

void pl011_reset(struct pl011 *u)
{
	timer_cancel(&u->timer);
	u->s = (struct pl011_state){.timeout_at = TIME_NEVER, .cr = CR_TXE | CR_RXE, .ifls = 0x12};
	update(u);
}

void pl011_init(struct pl011 *u, struct sched *sched, u32 timer_id, u32 clock)
{
	*u = (struct pl011){.sched = sched, .clock = clock};
	timer_init(&u->timer, sched, timer_id, timeout, u);
	pl011_reset(u);
}

void pl011_post_load(struct pl011 *u)
{
	u->s.rx_head %= PL011_FIFO;
	if (u->s.rx_count > PL011_FIFO)
		u->s.rx_count = PL011_FIFO;
	timer_cancel(&u->timer);
	if (u->s.timeout_at != TIME_NEVER)
		timer_arm(&u->timer, u->s.timeout_at);
	update(u);
}

void pl011_connect(struct pl011 *u, void (*out)(void *arg, u8 byte), void *arg)
{
	u->out = out;
	u->out_arg = arg;
}

unsigned pl011_room(const struct pl011 *u)
{
	if (u->s.cr & (CR_LBE | CR_SIREN) || (u->s.cr & (CR_EN | CR_RXE)) != (CR_EN | CR_RXE))
		return 0;
	return rx_size(&u->s) - u->s.rx_count;
}

void pl011_receive(struct pl011 *u, u8 byte)
{
	if (!(u->s.cr & (CR_LBE | CR_SIREN)))
		receive(u, byte);
}

void pl011_break(struct pl011 *u) { receive(u, (ERR_BE | ERR_FE) << 8); }
