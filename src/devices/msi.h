/*
 * Interrupt messages: what a local APIC, an I/O APIC or a PCI function puts on the interrupt bus, and how a memory
 * write to FEEx_xxxxh encodes one (message-signalled interrupts). The one header that the interrupt devices share:
 * plain data, no device. Manuals: APM2 16.5 (ICR fields), PCI Local Bus Specification 3.0 6.8, Intel 82093AA (the same
 * encoding).
 */
#ifndef DEVICES_MSI_H
#define DEVICES_MSI_H

#include "base/types.h"

/* Message types, as in ICR bits 10:8 (APM2 16.5). */
enum apic_mode { APIC_FIXED, APIC_LOWEST, APIC_SMI, APIC_REMOTE_READ, APIC_NMI, APIC_INIT, APIC_STARTUP, APIC_EXTINT };

/* Destination shorthands, as in ICR bits 19:18. */
enum apic_shorthand { APIC_DEST, APIC_SELF, APIC_ALL, APIC_OTHERS };

struct apic_msg {
	u32 dest;
	u8 vector;    /* for APIC_STARTUP the page number, for APIC_REMOTE_READ the register's offset >> 4 */
	u8 mode;      /* enum apic_mode */
	u8 shorthand; /* enum apic_shorthand; always APIC_DEST from devices */
	bool logical; /* dest is a logical destination */
	bool level;   /* level-triggered: the EOI is broadcast */
	bool wide;    /* a 32-bit destination (x2APIC ICR): broadcast is FFFFFFFFh, else FFh */
};

/* Whether a bus master's write to pa is an interrupt message and not a memory write. */
static inline bool msi_address(u64 pa) { return pa >> 20 == 0xfee; }
/* The message that writing data to the address means. A level de-assert (data bits 15:14 = 10b) is no interrupt: false.
 */
bool msi_decode(u64 addr, u32 data, struct apic_msg *m);

#endif
