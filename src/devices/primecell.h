/*
 * What ARM's PrimeCell peripherals have in common: 4 KB of 32-bit registers whose last 32 bytes identify the part
 * (PrimeCell identification registers, e.g. DDI0183 3.3.16-17). A bus of words: a narrower access meets the whole register.
 */
#ifndef DEVICES_PRIMECELL_H
#define DEVICES_PRIMECELL_H

#include "base/types.h"
#include "devices/report.h"

#define PRIMECELL_SIZE 0x1000u
#define PRIMECELL_ID   0xfe0u

/* The register that an access of any size meets, and what a narrower read sees of it. */
static inline u32 primecell_reg(u64 off) { return (u32)off & (PRIMECELL_SIZE - 4); }
static inline u64 primecell_lane(u64 off, u32 reg) { return reg >> 8 * (off & 3); }

/* One of the eight identification bytes at FE0h, FE4h ...; part is e.g. 011h, peripheral is bytes 1 to 3 of PeriphID. */
static inline u32 primecell_id(u32 reg, u8 part, u8 id1, u8 id2, u8 id3)
{
	const u8 id[8] = {part, id1, id2, id3, 0x0d, 0xf0, 0x05, 0xb1};

	return id[(reg - PRIMECELL_ID) / 4 % 8];
}

/* An access that nothing answers is said once, and reads as zero. */
static inline u32 primecell_no_read(const char *name, u32 reg)
{
	device_unimplemented("%s: read of register 0x%03x", name, reg);
	return 0;
}
static inline void primecell_no_write(const char *name, u32 reg)
{
	device_unimplemented("%s: write of register 0x%03x", name, reg);
}

#endif
