/* See apic_bus.h. */
#include "devices/apic_bus.h"

static bool is_target(const struct lapic *l, const struct lapic *from, const struct apic_msg *m)
{
	switch ((enum apic_shorthand)m->shorthand) {
	case APIC_SELF: return l == from;
	case APIC_ALL: return lapic_enabled(l);
	case APIC_OTHERS: return l != from && lapic_enabled(l);
	default: return lapic_matches(l, m);
	}
}

/* The focus processor, else the lowest arbitration priority, else the first on the bus (APM2 16.6.2; hardware rotates
 * among equals, we always take the first, which is deterministic and stateless). SVR bit 9 turns the focus check off.
 */
static struct lapic *arbitrate(struct apic_bus *b, const struct lapic *from, const struct apic_msg *m)
{
	struct lapic *best = NULL;

	for (unsigned i = 0; i < b->count; i++) {
		struct lapic *l = b->apic[i];

		if (!is_target(l, from, m) || !lapic_accepts_fixed(l))
			continue;
		if (!(l->s.svr >> 9 & 1) && lapic_is_focus(l, m->vector))
			return l;
		if (!best || lapic_apr(l) < lapic_apr(best))
			best = l;
	}
	return best;
}

/* ICR bits 17:16 of the sender: 10b = the data is valid, 00b = nobody answered (APM2 16.5). */
static bool remote_read(struct apic_bus *b, struct lapic *from, const struct apic_msg *m)
{
	if (!from)
		return false;
	from->s.icr &= ~(3ull << 16);
	for (unsigned i = 0; i < b->count; i++)
		if (is_target(b->apic[i], from, m)) {
			from->s.remote_read = lapic_peek_reg(b->apic[i], (unsigned)m->vector << 4);
			from->s.icr |= 2ull << 16;
			return true;
		}
	return false;
}

bool apic_bus_send(struct apic_bus *b, struct lapic *from, const struct apic_msg *m)
{
	bool accepted = false;
	struct lapic *one;

	if (m->mode == APIC_REMOTE_READ)
		return remote_read(b, from, m);
	if (m->mode == APIC_LOWEST) {
		one = arbitrate(b, from, m);
		return one && lapic_receive(one, APIC_LOWEST, m->vector, m->level);
	}
	for (unsigned i = 0; i < b->count; i++)
		if (is_target(b->apic[i], from, m))
			accepted |= lapic_receive(b->apic[i], m->mode, m->vector, m->level);
	return accepted;
}

bool apic_bus_device(void *bus, const struct apic_msg *m) { return apic_bus_send(bus, NULL, m); }

void apic_bus_msi(struct apic_bus *b, u64 addr, u32 data)
{
	struct apic_msg m;

	if (msi_decode(addr, data, &m))
		apic_bus_send(b, NULL, &m);
}

static bool bus_ipi(void *bus, struct lapic *from, const struct apic_msg *m) { return apic_bus_send(bus, from, m); }

static void bus_eoi(void *bus, u8 vector)
{
	struct apic_bus *b = bus;

	if (b->eoi)
		b->eoi(b->eoi_arg, vector);
}

void apic_bus_init(struct apic_bus *b) { *b = (struct apic_bus){0}; }

bool apic_bus_add(struct apic_bus *b, struct lapic *l)
{
	if (b->count == APIC_BUS_MAX)
		return false;
	b->apic[b->count++] = l;
	l->wire.bus = b;
	l->wire.send_ipi = bus_ipi;
	l->wire.eoi = bus_eoi;
	return true;
}
