/*
 * See smc91c111.h. Manual: SMSC LAN91C111 data sheet, chapters 8 (registers) and 10 (PHY: smc_mii.c). Frames take no virtual time, the MMU is
 * never busy, and there are no collisions. Frames leave in the order of the TX FIFO.
 */
#include "devices/smc91c111.h"

#include "devices/report.h"
#include "devices/smc_mii.h"

enum { TCR_ENABLE = 1, TCR_LOOP = 2, TCR_PAD = 0x80, TCR_EPH_LOOP = 0x2000 };
enum { RCR_PROMISCUOUS = 2, RCR_ALL_MULTICAST = 4, RCR_ENABLE = 0x100, RCR_STRIP_CRC = 0x200, RCR_SOFT_RESET = 0x8000 };
enum { EPH_SUCCESS = 1, EPH_LINK = 0x4000 };
enum { CTL_AUTO_RELEASE = 0x0800 };
enum { PTR_RECEIVE = 0x8000, PTR_INCREMENT = 0x4000, PTR_READ = 0x2000 };
enum { INT_RCV = 1, INT_TX = 2, INT_TX_EMPTY = 4, INT_ALLOC = 8, INT_OVERRUN = 16, INT_EPH = 32, INT_MD = 128 };
enum { ARR_FAILED = 0x80, FIFO_EMPTY = 0x80, FRAME_ODD = 0x20 };
enum { RS_BROADCAST = 0x4000, RS_ODD = 0x1000, RS_MULTICAST = 1 };
#define REVISION 0x3391

const struct field smc91c111_fields[SMC91C111_FIELDS] = {
	FIELD_HEX(struct smc91c111_state, tcr),
	FIELD_HEX(struct smc91c111_state, eph),
	FIELD_HEX(struct smc91c111_state, rcr),
	FIELD_HEX(struct smc91c111_state, rpcr),
	FIELD_HEX(struct smc91c111_state, config),
	FIELD_HEX(struct smc91c111_state, base),
	FIELD_HEX(struct smc91c111_state, general),
	FIELD_HEX(struct smc91c111_state, control),
	FIELD_HEX(struct smc91c111_state, pointer),
	FIELD_HEX(struct smc91c111_state, ercv),
	FIELD_HEX(struct smc91c111_state, mgmt),
	FIELD_DEC(struct smc91c111_state, bank),
	FIELD_DEC(struct smc91c111_state, pnr),
	FIELD_HEX(struct smc91c111_state, arr),
	FIELD_HEX(struct smc91c111_state, raised),
	FIELD_HEX(struct smc91c111_state, mask),
	FIELD_HEX(struct smc91c111_state, allocated),
	FIELD_BYTES(struct smc91c111_state, mac),
	FIELD_BYTES(struct smc91c111_state, multicast),
	FIELD_BYTES(struct smc91c111_state, tx.packet),
	FIELD_DEC(struct smc91c111_state, tx.count),
	FIELD_BYTES(struct smc91c111_state, done.packet),
	FIELD_DEC(struct smc91c111_state, done.count),
	FIELD_BYTES(struct smc91c111_state, rx.packet),
	FIELD_DEC(struct smc91c111_state, rx.count),
	FIELD_DEC(struct smc91c111_state, mii_count),
	FIELD_DEC(struct smc91c111_state, mii_out),
	FIELD_HEX(struct smc91c111_state, mii_in),
	FIELD_HEX(struct smc91c111_state, mii_answer),
	FIELD_ARRAY(struct smc91c111_state, phy),
	FIELD_(struct smc91c111_state, pad, FMT_PAD, 0),
	{"packet0", offsetof(struct smc91c111_state, data[0]), SMC_PACKET, 1, FMT_BYTES, 0},
	{"packet1", offsetof(struct smc91c111_state, data[1]), SMC_PACKET, 1, FMT_BYTES, 0},
	{"packet2", offsetof(struct smc91c111_state, data[2]), SMC_PACKET, 1, FMT_BYTES, 0},
	{"packet3", offsetof(struct smc91c111_state, data[3]), SMC_PACKET, 1, FMT_BYTES, 0},
};

/* ---- packets ---- */

static void fifo_put(struct smc_fifo *f, u8 packet)
{
	if (f->count < SMC_PACKETS)
		f->packet[f->count++] = packet;
}

static u8 fifo_first(const struct smc_fifo *f) { return f->count ? f->packet[0] % SMC_PACKETS : FIFO_EMPTY; }

static void fifo_drop(struct smc_fifo *f)
{
	if (!f->count)
		return;
	f->count--;
	memmove(f->packet, f->packet + 1, SMC_PACKETS - 1);
}

/* A free packet's number, now allocated; or ARR_FAILED. */
static u8 packet_new(struct smc91c111_state *s)
{
	for (u8 n = 0; n < SMC_PACKETS; n++)
		if (!(s->allocated >> n & 1)) {
			s->allocated |= (u8)(1u << n);
			return n;
		}
	return ARR_FAILED;
}

/* A packet is free again; a driver that waits for one gets it. */
static void packet_free(struct smc91c111_state *s, u8 n)
{
	s->allocated &= (u8) ~(1u << n % SMC_PACKETS);
	if (s->arr & ARR_FAILED && s->mask & INT_ALLOC) {
		s->arr = packet_new(s);
		s->raised |= s->arr & ARR_FAILED ? 0 : INT_ALLOC;
	}
}

/* Those that show a state, and those that stay until acknowledged. Table 8-1 */
static u8 interrupts(const struct smc91c111_state *s)
{
	return s->raised | (s->rx.count ? INT_RCV : 0) | (s->done.count ? INT_TX : 0);
}

static void update(struct smc91c111 *n) { irq_set(&n->irq, interrupts(&n->s) & n->s.mask); }

/* ---- sending ---- */

/* The length of packet p's frame: its byte count without status, count and control, and perhaps the control byte's odd one. */
static u32 frame_size(const u8 *p)
{
	u32 count = (u32)load_le(p + 2, 2) & 0x7fe, size;

	if (count < 6)
		return 0;
	size = count - 6;
	return p[count - 1] & FRAME_ODD ? size + 1 : size;
}

static void send_packet(struct smc91c111 *n, u8 packet)
{
	struct smc91c111_state *s = &n->s;
	u8 *p = s->data[packet], frame[SMC_PACKET] = {0};
	u32 size = frame_size(p);

	memcpy(frame, p + 4, size);
	if (s->tcr & TCR_PAD && size < 60)
		size = 60;
	store_le(p, 2, EPH_SUCCESS | s->eph);
	s->eph |= EPH_SUCCESS;
	if (s->tcr & (TCR_LOOP | TCR_EPH_LOOP))
		smc91c111_receive(n, frame, size);
	else if (n->send && size)
		n->send(n->send_arg, frame, size);
	if (s->control & CTL_AUTO_RELEASE)
		packet_free(s, packet);
	else
		fifo_put(&s->done, packet);
}

static void send_all(struct smc91c111 *n)
{
	struct smc91c111_state *s = &n->s;

	if (!(s->tcr & TCR_ENABLE) || !s->tx.count)
		return;
	while (s->tx.count) {
		u8 packet = fifo_first(&s->tx);

		fifo_drop(&s->tx);
		send_packet(n, packet);
	}
	s->raised |= INT_TX_EMPTY;
}

/* ---- receiving ---- */

/* The CRC-32 of Ethernet, as sent: low bit first. */
static u32 crc32(const u8 *p, u32 size)
{
	u32 crc = ~0u;

	while (size--) {
		crc ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static u32 reversed3(u32 v) { return (v & 1) << 2 | (v & 2) | (v >> 2 & 1); }

/* 8.21: the low six bits of the address's CRC choose byte and bit of the table, each reversed. */
static bool in_table(const struct smc91c111_state *s, const u8 *address)
{
	u32 crc = ~crc32(address, 6);

	return s->multicast[reversed3(crc & 7)] >> reversed3(crc >> 3 & 7) & 1;
}

static bool is_broadcast(const u8 *a) { return a[0] == 0xff && !memcmp(a, a + 1, 5); }

static bool wanted(const struct smc91c111_state *s, const u8 *address)
{
	if (s->rcr & RCR_PROMISCUOUS || is_broadcast(address))
		return true;
	if (address[0] & 1)
		return s->rcr & RCR_ALL_MULTICAST || in_table(s, address);
	return !memcmp(address, s->mac, 6);
}

unsigned smc91c111_room(const void *dev)
{
	const struct smc91c111_state *s = &((const struct smc91c111 *)dev)->s;

	if (!(s->rcr & RCR_ENABLE) || s->rcr & RCR_SOFT_RESET)
		return 0;
	return SMC_PACKETS - (unsigned)__builtin_popcount(s->allocated);
}

/* 7.6: status, byte count, the frame, and a control byte that holds the odd last one. */
void smc91c111_receive(void *dev, const u8 *frame, u32 size)
{
	struct smc91c111 *n = dev;
	struct smc91c111_state *s = &n->s;
	u8 all[SMC_PACKET] = {0}, packet, *p;
	u16 status;

	if (size < 14 || size > SMC_FRAME || !(s->rcr & RCR_ENABLE) || s->rcr & RCR_SOFT_RESET || !wanted(s, frame))
		return;
	packet = packet_new(s);
	if (packet & ARR_FAILED) {
		s->raised |= INT_OVERRUN;
		update(n);
		return;
	}
	memcpy(all, frame, size);
	if (size < 60)
		size = 60;
	if (!(s->rcr & RCR_STRIP_CRC)) {
		store_le(all + size, 4, crc32(all, size));
		size += 4;
	}
	p = s->data[packet];
	status = (u16)((is_broadcast(frame) ? RS_BROADCAST : frame[0] & 1 ? RS_MULTICAST : 0) | (size & 1 ? RS_ODD : 0));
	store_le(p, 2, status);
	store_le(p + 2, 2, (size & ~1u) + 6);
	memcpy(p + 4, all, size & ~1u);
	p[4 + (size & ~1u)] = size & 1 ? all[size - 1] : 0;
	p[5 + (size & ~1u)] = size & 1 ? 0x40 | FRAME_ODD : 0x40;
	fifo_put(&s->rx, packet);
	update(n);
}

/* ---- the MMU ---- */

/* 8.14 */
static void mmu_command(struct smc91c111 *n, u8 val)
{
	struct smc91c111_state *s = &n->s;

	switch (val >> 5) {
	case 0: break;
	case 1:
		s->raised &= (u8)~INT_ALLOC;
		s->arr = packet_new(s);
		s->raised |= s->arr & ARR_FAILED ? 0 : INT_ALLOC;
		break;
	case 2:
		s->allocated = 0;
		s->tx.count = s->done.count = s->rx.count = 0;
		s->arr = ARR_FAILED;
		break;
	case 3: fifo_drop(&s->rx); break;
	case 4:
		if (s->rx.count) {
			u8 packet = fifo_first(&s->rx);

			fifo_drop(&s->rx);
			packet_free(s, packet);
		}
		break;
	case 5: packet_free(s, s->pnr); break;
	case 6:
		fifo_put(&s->tx, s->pnr % SMC_PACKETS);
		send_all(n);
		break;
	case 7: s->tx.count = s->done.count = 0; break;
	}
}

/* ---- the window into a packet ---- */

static u8 *data_at(struct smc91c111_state *s, unsigned i)
{
	u8 packet = s->pointer & PTR_RECEIVE ? fifo_first(&s->rx) : s->pnr;

	return packet & FIFO_EMPTY ? NULL : &s->data[packet % SMC_PACKETS][((s->pointer & 0x7ff) + i) % SMC_PACKET];
}

static void data_advance(struct smc91c111_state *s, unsigned n)
{
	if (s->pointer & PTR_INCREMENT)
		s->pointer = (s->pointer & 0xf800) | ((s->pointer + n) & 0x7ff);
}

static u32 data_read(struct smc91c111_state *s, unsigned size)
{
	u32 val = 0;

	for (unsigned i = 0; i < size; i++) {
		const u8 *p = data_at(s, i);

		val |= p ? (u32)*p << 8 * i : 0;
	}
	return val;
}

static void data_write(struct smc91c111_state *s, unsigned size, u32 val)
{
	for (unsigned i = 0; i < size; i++) {
		u8 *p = data_at(s, i);

		if (p)
			*p = (u8)(val >> 8 * i);
	}
	data_advance(s, size);
}

/* ---- registers ---- */

enum { BANK_DATA = 0x28, BANK_DATA_END = 0x2b, BANK_SELECT = 0xe };

static u8 half(u16 reg, u32 off) { return off & 1 ? (u8)(reg >> 8) : (u8)reg; }

/* A byte of bank and offset, e.g. 2Ch: offset Ch of bank 2; the data window apart. */
static u8 look(const struct smc91c111_state *s, u32 at, bool *known)
{
	*known = true;
	switch (at) {
	case 0x00 ... 0x01: return half(s->tcr, at);
	case 0x02 ... 0x03: return half(s->eph | EPH_LINK, at);
	case 0x04 ... 0x05: return half(s->rcr, at);
	case 0x06 ... 0x07: return 0; /* no collisions, no deferred frames */
	case 0x08: return SMC_PACKETS;
	case 0x09: return (u8)(SMC_PACKETS - (unsigned)__builtin_popcount(s->allocated));
	case 0x0a ... 0x0b: return half(s->rpcr, at);
	case 0x10 ... 0x11: return half(s->config, at);
	case 0x12 ... 0x13: return half(s->base, at);
	case 0x14 ... 0x19: return s->mac[at - 0x14];
	case 0x1a ... 0x1b: return half(s->general, at);
	case 0x1c ... 0x1d: return half(s->control, at);
	case 0x20 ... 0x21: return 0; /* never busy */
	case 0x22: return s->pnr;
	case 0x23: return s->arr;
	case 0x24: return fifo_first(&s->done);
	case 0x25: return fifo_first(&s->rx);
	case 0x26 ... 0x27: return half(s->pointer, at);
	case 0x2c: return interrupts(s);
	case 0x2d: return s->mask;
	case 0x30 ... 0x37: return s->multicast[at - 0x30];
	case 0x38 ... 0x39: return half(smc_mii_read(s), at);
	case 0x3a ... 0x3b: return half(REVISION, at);
	case 0x3c ... 0x3d: return half(s->ercv, at);
	default: *known = false; return 0;
	}
}

static u32 place(const struct smc91c111_state *s, u32 off) { return s->bank << 4 | (off & 15); }

static bool in_data(u32 at) { return at >= BANK_DATA && at <= BANK_DATA_END; }

static u32 read_bytes(const struct smc91c111_state *s, u32 off, unsigned size, bool quiet)
{
	u32 val = 0;

	for (unsigned i = 0; i < size; i++) {
		u32 at = place(s, off + i);
		bool known = true;
		u8 byte = (at & 15) >= BANK_SELECT ? half((u16)(0x3300 | s->bank), at) : look(s, at, &known);

		if (!known && !quiet)
			device_unimplemented("smc91c111: read of bank %u, register 0x%x", s->bank, at & 15);
		val |= (u32)byte << 8 * i;
	}
	return val;
}

static u64 smc_read(void *dev, u64 off, unsigned size)
{
	struct smc91c111 *n = dev;
	u32 val;

	if (!in_data(place(&n->s, (u32)off)))
		return read_bytes(&n->s, (u32)off, size, false);
	val = data_read(&n->s, size);
	data_advance(&n->s, size);
	return val;
}

static u64 smc_peek(const void *dev, u64 off, unsigned size)
{
	struct smc91c111_state s = ((const struct smc91c111 *)dev)->s;

	return in_data(place(&s, (u32)off)) ? data_read(&s, size) : read_bytes(&s, (u32)off, size, true);
}

static void set_half(u16 *reg, u32 off, u8 val)
{
	*reg = off & 1 ? (u16)((*reg & 0xff) | val << 8) : (u16)((*reg & 0xff00) | val);
}

/* 8.7: everything is as after power-on while the bit is set, except for the addresses from the EEPROM. */
static void write_rcr(struct smc91c111 *n, u32 at, u8 val)
{
	set_half(&n->s.rcr, at, val);
	if (n->s.rcr & RCR_SOFT_RESET) {
		smc91c111_reset(n);
		n->s.rcr = RCR_SOFT_RESET;
	}
}

/* Acknowledging TX takes the oldest packet off the FIFO of those that were sent. */
static void acknowledge(struct smc91c111_state *s, u8 val)
{
	s->raised &= (u8) ~(val & (INT_TX_EMPTY | INT_OVERRUN | INT_MD));
	if (val & INT_TX)
		fifo_drop(&s->done);
}

static void write_byte(struct smc91c111 *n, u32 at, u8 val)
{
	struct smc91c111_state *s = &n->s;

	switch (at) {
	case 0x00 ... 0x01:
		set_half(&s->tcr, at, val);
		send_all(n);
		break;
	case 0x04 ... 0x05: write_rcr(n, at, val); break;
	case 0x02 ... 0x03: /* read only */
	case 0x06 ... 0x09:
	case 0x21:
	case 0x23 ... 0x25:
	case 0x3a ... 0x3b: break;
	case 0x0a ... 0x0b: set_half(&s->rpcr, at, val); break;
	case 0x10 ... 0x11: set_half(&s->config, at, val); break;
	case 0x12 ... 0x13: set_half(&s->base, at, val); break;
	case 0x14 ... 0x19: s->mac[at - 0x14] = val; break;
	case 0x1a ... 0x1b: set_half(&s->general, at, val); break;
	case 0x1c ... 0x1d:
		if (at == 0x1c && val & 3)
			device_unimplemented("smc91c111: EEPROM store and reload");
		set_half(&s->control, at, val & (at & 1 ? 0xff : 0xfc));
		break;
	case 0x20: mmu_command(n, val); break;
	case 0x22: s->pnr = val & 0x3f; break;
	case 0x26 ... 0x27: set_half(&s->pointer, at, val); break;
	case 0x2c: acknowledge(s, val); break;
	case 0x2d: s->mask = val; break;
	case 0x30 ... 0x37: s->multicast[at - 0x30] = val; break;
	case 0x38: smc_mii_write(s, val); break;
	case 0x39: set_half(&s->mgmt, at, val); break;
	case 0x3c ... 0x3d: set_half(&s->ercv, at, val); break;
	default: device_unimplemented("smc91c111: write of bank %u, register 0x%x", at >> 4, at & 15); break;
	}
}

static void smc_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct smc91c111 *n = dev;
	u32 at = place(&n->s, (u32)off);

	if (in_data(at)) {
		data_write(&n->s, size, (u32)val);
		return;
	}
	for (unsigned i = 0; i < size; i++, at++) {
		u8 byte = (u8)(val >> 8 * i);

		if ((at & 15) == BANK_SELECT)
			n->s.bank = byte & 7;
		else if ((at & 15) < BANK_SELECT)
			write_byte(n, at, byte);
	}
	update(n);
}

const struct region_ops smc91c111_ops = {"smc91c111", smc_read, smc_write, smc_peek, 1, 4};

void smc91c111_reset(struct smc91c111 *n)
{
	struct smc91c111_state *s = &n->s;

	memset(s, 0, sizeof *s);
	s->config = 0xa0b1;
	s->base = 0x1801;
	s->control = 0x1210;
	s->ercv = 0x331f;
	s->mgmt = 0x3330;
	s->arr = ARR_FAILED;
	s->raised = INT_TX_EMPTY;
	memcpy(s->mac, n->address, sizeof s->mac);
	smc_mii_reset(s);
	update(n);
}

void smc91c111_init(struct smc91c111 *n, const u8 mac[6])
{
	memset(n, 0, sizeof *n);
	memcpy(n->address, mac, sizeof n->address);
	smc91c111_reset(n);
}

static void fifo_load(struct smc_fifo *f)
{
	if (f->count > SMC_PACKETS)
		f->count = 0;
}

void smc91c111_post_load(struct smc91c111 *n)
{
	fifo_load(&n->s.tx);
	fifo_load(&n->s.done);
	fifo_load(&n->s.rx);
	n->s.bank &= 7;
	update(n);
}

void smc91c111_connect(struct smc91c111 *n, void (*send)(void *arg, const u8 *frame, u32 size), void *arg)
{
	n->send = send;
	n->send_arg = arg;
}
