/*
 * The PL050 keyboard and mouse interface: one PS/2 port, with the keyboard or the mouse of ps2_kbd.h and ps2_mouse.h behind it.
 */
#ifndef DEVICES_PL050_H
#define DEVICES_PL050_H

#include "base/irq.h"
#include "devices/ps2_kbd.h"
#include "devices/ps2_mouse.h"
#include "mmu/space.h"

struct pl050_state {
	u8 cr, clkdiv, data, full; /* data: the byte received; full: it was not read yet */
};

struct pl050 {
	struct pl050_state s;
	bool is_mouse;
	struct ps2_kbd kbd;     /* one of them */
	struct ps2_mouse mouse;
	struct irq irq;
};

extern const struct region_ops pl050_ops;
#define PL050_FIELDS 4
extern const struct field pl050_fields[PL050_FIELDS];

void pl050_init(struct pl050 *k, bool is_mouse);
void pl050_reset(struct pl050 *k);
void pl050_post_load(struct pl050 *k);
/* A byte of a set 1 scan code, and bytes of scan codes for which there is room. */
bool pl050_key(struct pl050 *k, u8 set1);
unsigned pl050_key_room(const struct pl050 *k);
/* A byte of a message for ps2_mouse_receive. */
void pl050_mouse_byte(struct pl050 *k, u8 byte);

#endif
