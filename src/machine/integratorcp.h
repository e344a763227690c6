/*
 * ARM's Integrator/CP with an ARM926EJ-S core module: what the board is made of. The memory map, wiring and life stand in
 * integratorcp.c; what the program may do for a guest that asks in semihost.h.
 */
#ifndef MACHINE_INTEGRATORCP_H
#define MACHINE_INTEGRATORCP_H

#include "cpu_arm/cpu.h"
#include "devices/bytes.h"
#include "devices/cfi_flash.h"
#include "devices/integrator_cm.h"
#include "devices/integrator_cp.h"
#include "devices/integrator_timer.h"
#include "devices/net_user.h"
#include "devices/pl011.h"
#include "devices/pl031.h"
#include "devices/pl041.h"
#include "devices/pl050.h"
#include "devices/pl110.h"
#include "devices/pl181.h"
#include "devices/smc91c111.h"
#include "machine/machine.h"
#include "machine/semihost.h"

#define ICP_UARTS      2
#define ICP_RAM_MIN    (1ull << 20)
#define ICP_RAM_MAX    (256ull << 20)
#define ICP_RAM        0x80000000ull /* where it is always; at 0 it may be behind the flash */
#define ICP_SSRAM      0x10800000ull
#define ICP_BOOT_SIZE  0x00100000ull /* of the flash at 0 while REMAP is clear; of the SSRAM */
#define ICP_FLASH      0x24000000ull
#define ICP_FLASH_SIZE 0x02000000ull
#define ICP_BOARD_ID   275 /* in Linux's list of ARM boards */

struct icp_config {
	u64 ram_size;      /* bytes; whole MB */
	s64 rtc_time;      /* seconds since 1970 */
	bool vfp;          /* the CPU has a VFP9-S */
	int hot;           /* runs after which a block becomes host code; 0: ARM_HOT; -1: never */
	struct disk *card; /* open, must stay; NULL: no card in the socket */
	const char *flash; /* raw file of ICP_FLASH_SIZE bytes that keeps the flash's contents, must stay; NULL: erased at power-on, lost at the end */
	unsigned flash_flags; /* enum disk_flags */
	bool flash_boot;   /* a reset begins in the flash; else REMAP is set, as firmware leaves it, and RAM is at 0 */
	u8 mac[6];
	struct semihost_config semihost;
};

/* Saved: who pulls the CPU's interrupt lines. */
struct icp_state {
	u8 irq, fiq; /* bit 0: the primary controller, bit 1: the core module's */
	u8 pad[6];
};

struct icp {
	struct machine machine;
	struct icp_config cfg;
	struct icp_state s;
	struct space mem;
	struct arm_cpu cpu;
	struct region *ram, *flash_rom, *boot; /* boot: the flash's first MB at 0 */
	struct disk flash_disk;
	struct integrator_cm cm;
	struct integrator_timers timers;
	struct integrator_pic pic, sic;
	struct pl031 rtc;
	struct pl011 uart[ICP_UARTS];
	struct pl050 kbd, mouse;
	struct integrator_cp cp; /* with LEDs and switches */
	struct pl181 mmc;
	struct pl110 lcd;
	struct smc91c111 nic;
	struct cfi_flash flash;
	struct semihost semihost;
};

/* cfg is copied. All of *b is overwritten; it must not move afterwards. The machine is as after power-on. */
bool icp_init(struct icp *b, const struct icp_config *cfg, struct error *err);
void icp_free(struct icp *b);
/* The guest's serial port n talks to the host stream. */
void icp_serial(struct icp *b, unsigned n, struct bytes *host);
void icp_network(struct icp *b, struct net_user *net);

/* All state as field tables (icp_state.c). */
struct icp_part {
	const char *name;
	const struct field *fields;
	size_t n;
	size_t off; /* of the state struct in struct icp */
};
extern const struct icp_part icp_parts[];
extern const size_t icp_parts_n;
extern const struct field icp_fields[];
extern const size_t icp_fields_n;
u64 icp_hash(const void *icp, u64 seed);

#endif
