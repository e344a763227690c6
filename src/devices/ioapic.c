/* See ioapic.h. */
#include "devices/ioapic.h"

/* Index registers, and the two windows and the EOI register in the page. */
enum { INDEX_ID, INDEX_VERSION, INDEX_ARBITRATION, INDEX_TABLE = 0x10 };
enum { REG_INDEX = 0x00, REG_DATA = 0x10, REG_EOI = 0x40 };

#define ENTRY_LOGICAL    BIT(11)
#define ENTRY_REMOTE_IRR BIT(14)
#define ENTRY_LEVEL      BIT(15)
#define ENTRY_MASKED     BIT(16)
#define ENTRY_READ_ONLY  (BIT(12) | BIT(14))
#define ENTRY_WRITABLE   (0xff0000000001ffffull & ~ENTRY_READ_ONLY)

static enum apic_mode entry_mode(u64 e) { return (enum apic_mode)(e >> 8 & 7); }

/* Only fixed and lowest-priority interrupts can be level-triggered (82093AA 3.2.4). */
static bool is_level(u64 e) { return e & ENTRY_LEVEL && entry_mode(e) <= APIC_LOWEST; }

static bool deliver(struct ioapic *io, u64 e)
{
	struct apic_msg m = {
		.dest = (u32)(e >> 56),
		.vector = (u8)e,
		.mode = entry_mode(e),
		.logical = (e & ENTRY_LOGICAL) != 0,
		.level = is_level(e),
	};

	return io->send && io->send(io->bus, &m);
}

/* A level-triggered pin sends while asserted, and then waits for the EOI of what was accepted. */
static void service_level(struct ioapic *io, unsigned pin)
{
	u64 e = io->s.entry[pin];

	if (!(io->s.pins >> pin & 1) || e & (ENTRY_MASKED | ENTRY_REMOTE_IRR) || !is_level(e))
		return;
	io->s.entry[pin] |= ENTRY_REMOTE_IRR; /* before sending: the receiver may answer at once */
	if (!deliver(io, e))
		io->s.entry[pin] &= ~ENTRY_REMOTE_IRR;
}

void ioapic_set(void *ioapic, unsigned pin, bool level)
{
	struct ioapic *io = ioapic;
	bool rising;

	if (pin >= IOAPIC_PINS)
		return;
	rising = level && !(io->s.pins >> pin & 1);
	io->s.pins = (io->s.pins & ~(1u << pin)) | (u32)level << pin;
	if (is_level(io->s.entry[pin]))
		service_level(io, pin);
	else if (rising && !(io->s.entry[pin] & ENTRY_MASKED)) /* an edge while masked is lost (82093AA 3.2.4) */
		deliver(io, io->s.entry[pin]);
}

void ioapic_eoi(void *ioapic, u8 vector)
{
	struct ioapic *io = ioapic;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		u64 e = io->s.entry[pin];

		if (!(e & ENTRY_REMOTE_IRR) || (u8)e != vector)
			continue;
		io->s.entry[pin] &= ~ENTRY_REMOTE_IRR;
		service_level(io, pin);
	}
}

/* Remote IRR survives a write, but belongs to level mode only: drivers clear a stuck one by switching to edge and back.
 * An 8259A that waits on an ExtINT pin is heard when the pin is unmasked, since its INTR stays up until acknowledged.
 */
static void write_entry(struct ioapic *io, unsigned pin, u64 val)
{
	u64 old = io->s.entry[pin], e = (val & ENTRY_WRITABLE) | (old & ENTRY_READ_ONLY);

	if (!is_level(e))
		e &= ~ENTRY_REMOTE_IRR;
	io->s.entry[pin] = e;
	if (is_level(e))
		service_level(io, pin);
	else if (entry_mode(e) == APIC_EXTINT && io->s.pins >> pin & 1 && old & ENTRY_MASKED && !(e & ENTRY_MASKED))
		deliver(io, e);
}

static u32 data_read(const struct ioapic *io)
{
	unsigned i = io->s.index, pin = (i - INDEX_TABLE) / 2;

	if (i >= INDEX_TABLE)
		return pin < IOAPIC_PINS ? (u32)(io->s.entry[pin] >> (i & 1 ? 32 : 0)) : 0;
	switch (i) {
	case INDEX_ID:
	case INDEX_ARBITRATION: return io->s.id;
	case INDEX_VERSION: return (IOAPIC_PINS - 1) << 16 | 0x20;
	default: return 0;
	}
}

static void data_write(struct ioapic *io, u32 val)
{
	unsigned i = io->s.index, pin = (i - INDEX_TABLE) / 2;
	u64 e;

	if (i == INDEX_ID)
		io->s.id = val & 0x0f000000;
	if (i < INDEX_TABLE || pin >= IOAPIC_PINS)
		return;
	e = io->s.entry[pin];
	write_entry(io, pin, i & 1 ? (e & 0xffffffff) | (u64)val << 32 : (e & ~0xffffffffull) | val);
}

static u64 ioapic_peek(const void *dev, u64 off, unsigned size)
{
	const struct ioapic *io = dev;
	u32 val = 0;

	if ((off & 0xfc) == REG_INDEX)
		val = io->s.index;
	else if ((off & 0xfc) == REG_DATA)
		val = data_read(io);
	return val >> (off & 3) * 8 & mask_low(size * 8);
}

static u64 ioapic_read(void *dev, u64 off, unsigned size) { return ioapic_peek(dev, off, size); }

/* The index is a byte; data is written whole (82093AA 3.1). */
static void ioapic_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct ioapic *io = dev;

	switch (off & 0xff) {
	case REG_INDEX: io->s.index = (u8)val; break;
	case REG_DATA:
		if (size == 4)
			data_write(io, (u32)val);
		break;
	case REG_EOI: ioapic_eoi(io, (u8)val); break;
	}
}

const struct region_ops ioapic_ops = {
	.name = "ioapic",
	.read = ioapic_read,
	.write = ioapic_write,
	.peek = ioapic_peek,
	.min = 1,
	.max = 4,
};

void ioapic_init(struct ioapic *io, bool (*send)(void *bus, const struct apic_msg *m), void *bus)
{
	*io = (struct ioapic){.send = send, .bus = bus};
	ioapic_reset(io);
}

void ioapic_reset(struct ioapic *io)
{
	io->s = (struct ioapic_state){.pins = io->s.pins};
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->s.entry[i] = ENTRY_MASKED;
}

const struct field ioapic_fields[IOAPIC_FIELDS] = {
	FIELD_ARRAY(struct ioapic_state, entry),      FIELD_HEX(struct ioapic_state, id),
	FIELD_HEX(struct ioapic_state, pins),         FIELD_HEX(struct ioapic_state, index),
	FIELD_(struct ioapic_state, pad, FMT_PAD, 0),
};
