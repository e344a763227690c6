/*
 * The interrupt bus: carries messages from local APICs (IPIs), I/O APICs and devices (MSI) to the local APICs that they
 * mean, and EOIs back to the I/O APICs. It has no state of its own. Manual: APM2 16.5, 16.6.1, 16.6.2.
 */
#ifndef DEVICES_APIC_BUS_H
#define DEVICES_APIC_BUS_H

#include "devices/lapic.h"

#define APIC_BUS_MAX 64

struct apic_bus {
	struct lapic *apic[APIC_BUS_MAX];
	unsigned count;
	void (*eoi)(void *arg, u8 vector); /* to the I/O APICs; may be NULL */
	void *eoi_arg;
};

void apic_bus_init(struct apic_bus *b);
/* Connects a local APIC (its wire.bus, send_ipi and eoi). False when the bus is full. */
bool apic_bus_add(struct apic_bus *b, struct lapic *l);
/* Delivers to all that the message means, or for APIC_LOWEST to one of them; from, the sender, is NULL for devices.
 * False: nobody accepted. */
bool apic_bus_send(struct apic_bus *b, struct lapic *from, const struct apic_msg *m);
/* The same with the argument types of an I/O APIC's output. */
bool apic_bus_device(void *bus, const struct apic_msg *m);
/* A device writes data to FEEx_xxxxh. */
void apic_bus_msi(struct apic_bus *b, u64 addr, u32 data);

#endif
