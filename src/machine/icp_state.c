/* The Integrator/CP's state as a list of field tables, and the hash over all of it. A device with a state struct has a row here. */
#include "machine/integratorcp.h"
#include "machine/memory_hash.h"

const struct field icp_fields[] = {
	FIELD_HEX(struct icp_state, irq),
	FIELD_HEX(struct icp_state, fiq),
	FIELD_(struct icp_state, pad, FMT_PAD, 0),
};
const size_t icp_fields_n = ARRAY_SIZE(icp_fields);

#define PART(name, table, member)                                                                                      \
	{                                                                                                              \
		name, table, ARRAY_SIZE(table), offsetof(struct icp, member)                                           \
	}

const struct icp_part icp_parts[] = {
	PART("board", icp_fields, s),
	PART("core-module", integrator_cm_fields, cm.s),
	PART("core-module-pic", integrator_pic_fields, cm.pic.s),
	PART("timer0", integrator_timer_fields, timers.timer[0].s),
	PART("timer1", integrator_timer_fields, timers.timer[1].s),
	PART("timer2", integrator_timer_fields, timers.timer[2].s),
	PART("pic", integrator_pic_fields, pic.s),
	PART("rtc", pl031_fields, rtc.s),
	PART("uart0", pl011_fields, uart[0].s),
	PART("uart1", pl011_fields, uart[1].s),
	PART("keyboard-port", pl050_fields, kbd.s),
	PART("keyboard", ps2_kbd_fields, kbd.kbd.s),
	PART("mouse-port", pl050_fields, mouse.s),
	PART("mouse", ps2_mouse_fields, mouse.mouse.s),
	PART("mmc", pl181_fields, mmc.s),
	PART("sd-card", sd_card_fields, mmc.card.s),
	PART("flash-chip0", cfi_chip_fields, flash.s.chip[0]),
	PART("flash-chip1", cfi_chip_fields, flash.s.chip[1]),
	PART("lcd", pl110_fields, lcd.s),
	PART("ethernet", smc91c111_fields, nic.s),
	PART("secondary-pic", integrator_pic_fields, sic.s),
	PART("cp-registers", integrator_cp_fields, cp.s),
};
const size_t icp_parts_n = ARRAY_SIZE(icp_parts);

u64 icp_hash(const void *arg, u64 h)
{
	const struct icp *b = arg;

	for (size_t i = 0; i < icp_parts_n; i++)
		h = field_hash(icp_parts[i].fields, icp_parts[i].n, (const char *)b + icp_parts[i].off, h);
	return memory_hash(&b->mem, h);
}
