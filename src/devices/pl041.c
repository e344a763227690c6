/* See pl041.h. Manual: ARM PrimeCell Advanced Audio CODEC Interface (PL041) TRM, DDI0173, 3.3. */
#include "devices/pl041.h"

#include "devices/primecell.h"

static u64 aaci_peek(const void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off);

	(void)dev, (void)size;
	return reg >= PRIMECELL_ID ? primecell_lane(off, primecell_id(reg, 0x41, 0x10, 0x04, 0x00)) : 0;
}

static u64 aaci_read(void *dev, u64 off, unsigned size)
{
	if (primecell_reg(off) < PRIMECELL_ID)
		primecell_no_read("audio (pl041)", primecell_reg(off));
	return aaci_peek(dev, off, size);
}

static void aaci_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)dev, (void)size, (void)val;
	primecell_no_write("audio (pl041)", primecell_reg(off));
}

const struct region_ops pl041_ops = {"pl041", aaci_read, aaci_write, aaci_peek, 1, 4};
