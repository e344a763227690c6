/* See msi.h. */
#include "devices/msi.h"

bool msi_decode(u64 addr, u32 data, struct apic_msg *m)
{
	bool assert_level = data >> 14 & 1;

	*m = (struct apic_msg){
		.dest = (u32)bits(addr, 19, 12),
		.vector = (u8)data,
		.mode = (u8)bits(data, 10, 8),
		.logical = addr >> 2 & 1, /* meaningful with the redirection hint only, but sent by all (PCI 6.8.1) */
		.level = data >> 15 & 1,
	};
	return msi_address(addr) && (!m->level || assert_level);
}
