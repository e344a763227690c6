/*
 * The LAN91C111 Ethernet controller (SMC91C111): four banks of 16 bytes of registers, four packets of 2 KB, and a PHY of its own behind a
 * serial interface. Frames leave at once through send().
 */
#ifndef DEVICES_SMC91C111_H
#define DEVICES_SMC91C111_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

#define SMC_SIZE    16u
#define SMC_PACKETS 4
#define SMC_PACKET  2048u
#define SMC_FRAME   1518u

/* Packet numbers in the order in which they came. */
struct smc_fifo {
	u8 packet[SMC_PACKETS];
	u8 count;
};

struct smc91c111_state {
	u16 tcr, eph, rcr, rpcr, config, base, general, control, pointer, ercv, mgmt;
	u8 bank, pnr, arr, raised, mask, allocated; /* raised: interrupts that are acknowledged; allocated: a bit per packet */
	u8 mac[6], multicast[8];
	struct smc_fifo tx, done, rx; /* sent but not released; received */
	u8 mii_count; /* bits of a management frame that came */
	u8 mii_out;   /* bits of an answer that are still to go, and the one that shows */
	u8 pad[1];
	u32 mii_in, mii_answer;
	u16 phy[32];
	u8 data[SMC_PACKETS][SMC_PACKET];
};

struct smc91c111 {
	struct smc91c111_state s;
	struct irq irq;
	void (*send)(void *arg, const u8 *frame, u32 size); /* NULL: nobody is there */
	void *send_arg;
	u8 address[6]; /* what its EEPROM says */
};

extern const struct region_ops smc91c111_ops;
#define SMC91C111_FIELDS 35
extern const struct field smc91c111_fields[SMC91C111_FIELDS];

void smc91c111_init(struct smc91c111 *n, const u8 mac[6]);
void smc91c111_reset(struct smc91c111 *n);
void smc91c111_post_load(struct smc91c111 *n);
void smc91c111_connect(struct smc91c111 *n, void (*send)(void *arg, const u8 *frame, u32 size), void *arg);
/* How many frames it can take now. */
unsigned smc91c111_room(const void *n);
void smc91c111_receive(void *n, const u8 *frame, u32 size);

#endif
