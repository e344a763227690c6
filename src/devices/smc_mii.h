/* The LAN91C111's PHY and the serial management interface to it (register 8 of bank 3). For smc91c111.c. */
#ifndef DEVICES_SMC_MII_H
#define DEVICES_SMC_MII_H

#include "devices/smc91c111.h"

void smc_mii_reset(struct smc91c111_state *s);
u16 smc_mii_read(const struct smc91c111_state *s);
/* The low byte: MDO, MDI, MCLK, MDOE. */
void smc_mii_write(struct smc91c111_state *s, u8 val);

#endif
