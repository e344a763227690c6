/*
 * The I/O APIC: 24 pins, version 20h (with an EOI register), an index and a data window at FEC0_0000h.
 * Manuals: Intel 82093AA data sheet 3.0 (registers), ICH9 data sheet 13.5 (version 20h, EOI register).
 * A pin's level here means "asserted". The polarity bit says which voltage that is; it is stored and changes nothing.
 */
#ifndef DEVICES_IOAPIC_H
#define DEVICES_IOAPIC_H

#include "base/field.h"
#include "base/types.h"
#include "devices/msi.h"
#include "mmu/space.h"

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_SIZE 0x1000
#define IOAPIC_PINS 24

struct ioapic_state {
	u64 entry[IOAPIC_PINS]; /* redirection table; bit 14 is remote IRR */
	u32 id;                 /* bits 27:24 */
	u32 pins;               /* asserted pins */
	u8 index, pad[7];
};

struct ioapic {
	struct ioapic_state s;
	bool (*send)(void *bus, const struct apic_msg *m); /* false: nobody accepted, so no EOI will come */
	void *bus;
};

extern const struct region_ops ioapic_ops;
#define IOAPIC_FIELDS 5
extern const struct field ioapic_fields[IOAPIC_FIELDS];

void ioapic_init(struct ioapic *io, bool (*send)(void *bus, const struct apic_msg *m), void *bus);
void ioapic_reset(struct ioapic *io); /* all entries masked, ID 0; the pins keep their levels */
/* The sink of the pins: a struct irq connected with (ioapic_set, io, pin). */
void ioapic_set(void *io, unsigned pin, bool level);
/* An EOI broadcast, with the form of apic_bus.eoi. */
void ioapic_eoi(void *io, u8 vector);

#endif
