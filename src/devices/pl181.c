/*
 * See pl181.h. Manual: ARM PrimeCell Multimedia Card Interface (PL181) TRM, DDI0205, chapter 3. A command is answered and the FIFO moves
 * its data at once; a card that has nothing to say makes the data timer run. CRC errors do not happen.
 * The board has no DMA controller: who asks for DMA must move the data all the same.
 */
#include "devices/pl181.h"

#include "devices/primecell.h"

enum {
	REG_POWER = 0x00, REG_CLOCK = 0x04, REG_ARGUMENT = 0x08, REG_COMMAND = 0x0c, REG_RESPCMD = 0x10, REG_RESPONSE = 0x14,
	REG_RESPONSE_END = 0x20, REG_DATATIMER = 0x24, REG_DATALENGTH = 0x28, REG_DATACTRL = 0x2c, REG_DATACNT = 0x30, REG_STATUS = 0x34,
	REG_CLEAR = 0x38, REG_MASK0 = 0x3c, REG_MASK1 = 0x40, REG_SELECT = 0x44, REG_FIFOCNT = 0x48, REG_FIFO = 0x80, REG_FIFO_END = 0xbc,
};
enum { CMD_INDEX = 63, CMD_RESPONSE = 0x40, CMD_LONG = 0x80, CMD_INTERRUPT = 0x100, CMD_PENDING = 0x200, CMD_ENABLE = 0x400 };
enum { DATA_ENABLE = 1, DATA_FROM_CARD = 2, DATA_STREAM = 4 };
enum {
	ST_CMD_TIMEOUT = 1 << 2, ST_DATA_TIMEOUT = 1 << 3, ST_CMD_END = 1 << 6, ST_CMD_SENT = 1 << 7, ST_DATA_END = 1 << 8, ST_BLOCK_END = 1 << 10,
	ST_TX_ACTIVE = 1 << 12, ST_RX_ACTIVE = 1 << 13, ST_TX_HALF = 1 << 14, ST_RX_HALF = 1 << 15, ST_TX_FULL = 1 << 16, ST_RX_FULL = 1 << 17,
	ST_TX_EMPTY = 1 << 18, ST_RX_EMPTY = 1 << 19, ST_TX_DATA = 1 << 20, ST_RX_DATA = 1 << 21, ST_STATIC = 0x7ff,
};

static const char *const status_bits[] = {"CMDCRC", "DATACRC", "CMDTIMEOUT", "DATATIMEOUT", "TXUNDER", "RXOVER",
					  "CMDREND", "CMDSENT", "DATAEND", "STARTBIT", "BLOCKEND", FIELD_END};

const struct field pl181_fields[PL181_FIELDS] = {
	FIELD_DEC(struct pl181_state, timeout_at), FIELD_HEX(struct pl181_state, power),      FIELD_HEX(struct pl181_state, clock),
	FIELD_HEX(struct pl181_state, argument),   FIELD_HEX(struct pl181_state, command),    FIELD_DEC(struct pl181_state, respcmd),
	FIELD_ARRAY(struct pl181_state, response), FIELD_HEX(struct pl181_state, datatimer),  FIELD_HEX(struct pl181_state, datalength),
	FIELD_HEX(struct pl181_state, datactrl),   FIELD_HEX(struct pl181_state, datacnt),    FIELD_BITS(struct pl181_state, status, status_bits),
	FIELD_ARRAY(struct pl181_state, mask),     FIELD_HEX(struct pl181_state, select),     FIELD_ARRAY(struct pl181_state, fifo),
	FIELD_DEC(struct pl181_state, head),       FIELD_DEC(struct pl181_state, count),      FIELD_DEC(struct pl181_state, active),
	FIELD_(struct pl181_state, pad, FMT_PAD, 0),
};

/* What was told, and what the FIFO shows now. DDI0205 3.3.11 */
static u32 status(const struct pl181_state *s)
{
	bool reading = s->datactrl & DATA_FROM_CARD;
	u32 v = s->status;

	if (!reading && s->active)
		v |= ST_TX_ACTIVE;
	if (reading && (s->active || s->count)) /* receiving ends when the FIFO was read: drivers look at it before they do */
		v |= ST_RX_ACTIVE | (s->count >= PL181_FIFO / 2 ? ST_RX_HALF : 0u) | (s->count == PL181_FIFO ? ST_RX_FULL : 0u);
	if (!reading && s->active)
		v |= (s->count <= PL181_FIFO / 2 ? ST_TX_HALF : 0u) | (s->count == PL181_FIFO ? ST_TX_FULL : 0u) |
		     (s->count ? 0u : ST_TX_EMPTY);
	return v | (s->count ? (reading ? ST_RX_DATA : ST_TX_DATA) : reading ? ST_RX_EMPTY : 0u);
}

static void update(struct pl181 *m)
{
	u32 v = status(&m->s);

	irq_set(&m->irq[0], v & m->s.mask[0]);
	irq_set(&m->irq[1], v & m->s.mask[1]);
}

/* ---- the data path ---- */

static void data_end(struct pl181_state *s, u32 why)
{
	s->status |= why;
	s->active = 0;
	s->datactrl &= ~(u32)DATA_ENABLE;
}

static void push(struct pl181_state *s, u32 val) { s->fifo[(s->head + s->count++) % PL181_FIFO] = val; }

static u32 pop(struct pl181_state *s)
{
	u32 val = s->fifo[s->head % PL181_FIFO];

	s->head = (s->head + 1) % PL181_FIFO;
	s->count--;
	return val;
}

/* The card's bytes become words, the first in the low bits. */
static void fill(struct pl181 *m)
{
	struct pl181_state *s = &m->s;

	while (s->datacnt && s->count < PL181_FIFO && sd_card_sends(&m->card)) {
		u32 word = 0;

		for (unsigned i = 0; i < 4 && s->datacnt; i++, s->datacnt--)
			word |= (u32)sd_card_get(&m->card) << 8 * i;
		push(s, word);
	}
}

static void drain(struct pl181 *m)
{
	struct pl181_state *s = &m->s;

	while (s->datacnt && s->count && sd_card_takes(&m->card)) {
		u32 word = pop(s);

		for (unsigned i = 0; i < 4 && s->datacnt; i++, s->datacnt--)
			sd_card_put(&m->card, (u8)(word >> 8 * i));
	}
}

static bool card_is_silent(struct pl181 *m)
{
	return m->s.datactrl & DATA_FROM_CARD ? m->s.count < PL181_FIFO && !sd_card_sends(&m->card) : !sd_card_takes(&m->card);
}

/* DDI0205 2.3.3: the data timer runs while the path waits for the card. */
static void watch(struct pl181 *m)
{
	struct pl181_state *s = &m->s;
	u64 hz = s->clock & 0x400 ? m->clock : m->clock / (2 * ((s->clock & 0xff) + 1)); /* bypass */

	if (!s->active || !card_is_silent(m)) {
		timer_cancel(&m->timer);
		s->timeout_at = TIME_NEVER;
	} else if (s->timeout_at == TIME_NEVER) {
		s->timeout_at = m->sched->now + muldiv(s->datatimer, NS_PER_SEC, hz);
		timer_arm(&m->timer, s->timeout_at);
	}
}

static void move(struct pl181 *m)
{
	struct pl181_state *s = &m->s;

	if (s->active) {
		if (s->datactrl & DATA_FROM_CARD)
			fill(m);
		else
			drain(m);
		if (!s->datacnt)
			data_end(s, ST_DATA_END | ST_BLOCK_END);
	}
	watch(m);
	update(m);
}

static void data_timeout(void *arg, u64 now)
{
	struct pl181 *m = arg;

	(void)now;
	m->s.timeout_at = TIME_NEVER;
	if (m->s.active)
		data_end(&m->s, ST_DATA_TIMEOUT);
	update(m);
}

static void write_datactrl(struct pl181 *m, u32 val)
{
	struct pl181_state *s = &m->s;

	if (val & DATA_STREAM)
		device_unimplemented("pl181: stream transfers");
	s->datactrl = val & 0xff;
	s->active = val & DATA_ENABLE;
	if (s->active) {
		s->datacnt = s->datalength;
		s->count = 0;
	}
	s->timeout_at = TIME_NEVER;
	timer_cancel(&m->timer);
	move(m);
}

/* ---- the command path ---- */

static void send_command(struct pl181 *m)
{
	struct pl181_state *s = &m->s;
	u32 r[4];
	u8 index = s->command & CMD_INDEX;
	enum sd_response kind = sd_card_command(&m->card, index, s->argument, r);

	if (s->command & (CMD_INTERRUPT | CMD_PENDING))
		device_unimplemented("pl181: commands that wait");
	s->command &= ~(u32)CMD_ENABLE;
	if (!(s->command & CMD_RESPONSE)) {
		s->status |= ST_CMD_SENT;
	} else if (kind == SD_NONE) {
		s->status |= ST_CMD_TIMEOUT;
	} else {
		s->respcmd = kind == SD_LONG ? CMD_INDEX : index;
		r[3] &= ~1u; /* DDI0205 3.3.6: the end bit is not there */
		memcpy(s->response, r, sizeof s->response);
		s->status |= ST_CMD_END;
	}
	move(m);
}

/* ---- registers ---- */

static u32 look(const struct pl181_state *s, u32 reg, bool *known)
{
	*known = true;
	switch (reg) {
	case REG_POWER: return s->power;
	case REG_CLOCK: return s->clock;
	case REG_ARGUMENT: return s->argument;
	case REG_COMMAND: return s->command;
	case REG_RESPCMD: return s->respcmd;
	case REG_RESPONSE ... REG_RESPONSE_END: return s->response[(reg - REG_RESPONSE) / 4];
	case REG_DATATIMER: return s->datatimer;
	case REG_DATALENGTH: return s->datalength;
	case REG_DATACTRL: return s->datactrl;
	case REG_DATACNT: return s->datacnt;
	case REG_STATUS: return status(s);
	case REG_MASK0: return s->mask[0];
	case REG_MASK1: return s->mask[1];
	case REG_SELECT: return s->select;
	case REG_FIFOCNT: return (s->datacnt + 3) / 4; /* words that have not passed between FIFO and card: drivers count on it */
	case REG_FIFO ... REG_FIFO_END: return s->count ? s->fifo[s->head % PL181_FIFO] : 0;
	case PRIMECELL_ID ... PRIMECELL_SIZE - 4: return primecell_id(reg, 0x81, 0x11, 0x04, 0x00);
	default: *known = false; return 0;
	}
}

static u64 pl181_read(void *dev, u64 off, unsigned size)
{
	struct pl181 *m = dev;
	u32 reg = primecell_reg(off), val;
	bool known;

	(void)size;
	val = look(&m->s, reg, &known);
	if (reg >= REG_FIFO && reg <= REG_FIFO_END && m->s.count && m->s.datactrl & DATA_FROM_CARD) {
		pop(&m->s);
		move(m);
	}
	return primecell_lane(off, known ? val : primecell_no_read("pl181", reg));
}

static u64 pl181_peek(const void *dev, u64 off, unsigned size)
{
	bool known;

	(void)size;
	return primecell_lane(off, look(&((const struct pl181 *)dev)->s, primecell_reg(off), &known));
}

static void write_fifo(struct pl181 *m, u32 val)
{
	if (m->s.datactrl & DATA_FROM_CARD || m->s.count == PL181_FIFO)
		return;
	push(&m->s, val);
	move(m);
}

static void pl181_write(void *dev, u64 off, unsigned size, u64 val64)
{
	struct pl181 *m = dev;
	struct pl181_state *s = &m->s;
	u32 reg = primecell_reg(off), val = (u32)val64;

	(void)size;
	switch (reg) {
	case REG_POWER:
		s->power = val & 0xff;
		if (!(val & 3))
			sd_card_reset(&m->card);
		break;
	case REG_CLOCK: s->clock = val & 0xfff; break;
	case REG_ARGUMENT: s->argument = val; break;
	case REG_COMMAND:
		s->command = val & 0x7ff;
		if (val & CMD_ENABLE)
			send_command(m);
		break;
	case REG_DATATIMER: s->datatimer = val; break;
	case REG_DATALENGTH: s->datalength = val & 0xffff; break;
	case REG_DATACTRL: write_datactrl(m, val); break;
	case REG_CLEAR: s->status &= ~(val & ST_STATIC); break;
	case REG_MASK0: s->mask[0] = val & 0x3fffff; break;
	case REG_MASK1: s->mask[1] = val & 0x3fffff; break;
	case REG_SELECT: s->select = val & 15; break;
	case REG_FIFO ... REG_FIFO_END: write_fifo(m, val); break;
	default: primecell_no_write("pl181", reg); break;
	}
	update(m);
}

const struct region_ops pl181_ops = {"pl181", pl181_read, pl181_write, pl181_peek, 1, 4};

void pl181_reset(struct pl181 *m)
{
	timer_cancel(&m->timer);
	m->s = (struct pl181_state){.timeout_at = TIME_NEVER};
	sd_card_reset(&m->card);
	update(m);
}

bool pl181_init(struct pl181 *m, struct sched *sched, u32 timer_id, u32 clock, struct disk *card, struct error *err)
{
	*m = (struct pl181){.sched = sched, .clock = clock};
	timer_init(&m->timer, sched, timer_id, data_timeout, m);
	if (!sd_card_init(&m->card, card, err))
		return false;
	pl181_reset(m);
	return true;
}

void pl181_post_load(struct pl181 *m)
{
	m->s.head %= PL181_FIFO;
	if (m->s.count > PL181_FIFO)
		m->s.count = 0;
	sd_card_post_load(&m->card);
	timer_cancel(&m->timer);
	if (m->s.timeout_at != TIME_NEVER)
		timer_arm(&m->timer, m->s.timeout_at);
	update(m);
}
