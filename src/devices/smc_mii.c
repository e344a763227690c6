/*
 * See smc_mii.h. Manuals: IEEE 802.3 22.2.4 (registers 0 to 5), 22.2.4.5 (management frames); SMSC LAN91C111 data sheet, 10 (PHY registers).
 * A link partner with 100 Mbit/s full duplex is always there, and has always been negotiated with.
 */
#include "devices/smc_mii.h"

#include "devices/report.h"

enum { MDO = 1, MDI = 2, MCLK = 4, MDOE = 8 };
enum { PHY_CONTROL, PHY_STATUS, PHY_ID1, PHY_ID2, PHY_ADVERTISE, PHY_PARTNER, PHY_CFG1 = 16, PHY_CFG2, PHY_INT, PHY_MASK };
enum { CONTROL_RESET = 0x8000, CONTROL_RESTART = 0x0200 };

static void phy_reset(u16 phy[32])
{
	memset(phy, 0, 32 * sizeof *phy);
	phy[PHY_CONTROL] = 0x3000;
	phy[PHY_STATUS] = 0x782d; /* 10 and 100, half and full; negotiated; link */
	phy[PHY_ID1] = 0x0016;
	phy[PHY_ID2] = 0xf840;
	phy[PHY_ADVERTISE] = 0x01e1;
	phy[PHY_PARTNER] = 0x45e1;
	phy[PHY_CFG1] = 0x0022;
	phy[PHY_CFG2] = 0xff00;
	phy[PHY_INT] = 0x0080;
	phy[PHY_MASK] = 0xffc0;
}

static void phy_write(u16 phy[32], unsigned reg, u16 val)
{
	switch (reg) {
	case PHY_CONTROL:
		if (val & CONTROL_RESET)
			phy_reset(phy);
		else
			phy[reg] = val & (u16)~CONTROL_RESTART;
		break;
	case PHY_ADVERTISE:
	case PHY_CFG1:
	case PHY_CFG2:
	case PHY_MASK: phy[reg] = val; break;
	default: device_unimplemented("smc91c111: write of PHY register %u", reg); break;
	}
}

/* 22.2.4.5: after at least a one, 01, read 10 or write 01, five bits of PHY, five of register, two to turn around, 16 of data. */
static void bit_in(struct smc91c111_state *s, bool bit)
{
	if (!s->mii_count && bit)
		return;
	s->mii_in = s->mii_in << 1 | bit;
	s->mii_count++;
	if (s->mii_count == 2 && (s->mii_in & 3) != 1)
		s->mii_count = 0;
	if (s->mii_count == 14 && (s->mii_in >> 10 & 3) == 2) {
		bool ours = !(s->mii_in >> 5 & 31);

		s->mii_answer = ours ? s->phy[s->mii_in & 31] : 0; /* nobody pulls the line up */
		s->mii_out = 18;
		s->mii_count = 0;
	}
	if (s->mii_count == 32) {
		if (!(s->mii_in >> 23 & 31))
			phy_write(s->phy, s->mii_in >> 18 & 31, (u16)s->mii_in);
		s->mii_count = 0;
	}
}

u16 smc_mii_read(const struct smc91c111_state *s)
{
	bool bit = s->mii_out && s->mii_answer >> (s->mii_out - 1) & 1;

	return (u16)((s->mgmt & 0xff00) | 0x30 | (s->mgmt & (MDOE | MCLK | MDO)) | (bit ? MDI : 0));
}

void smc_mii_write(struct smc91c111_state *s, u8 val)
{
	bool rises = val & ~s->mgmt & MCLK;

	s->mgmt = (u16)((s->mgmt & 0xff00) | (val & (MDOE | MCLK | MDO)));
	if (!rises)
		return;
	if (val & MDOE) {
		s->mii_out = 0;
		bit_in(s, val & MDO);
	} else if (s->mii_out) {
		s->mii_out--;
	}
}

void smc_mii_reset(struct smc91c111_state *s)
{
	s->mii_count = s->mii_out = 0;
	s->mii_in = s->mii_answer = 0;
	phy_reset(s->phy);
}
