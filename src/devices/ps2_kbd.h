/*
 * A PS/2 keyboard with 101/102 keys: scan code sets 1 and 2, LEDs, typematic rate, identification. Keys come in as scan
 * codes of set 1, whatever set the guest has chosen. Repeated keys come from outside: the typematic rate is kept and
 * told only.
 */
#ifndef DEVICES_PS2_KBD_H
#define DEVICES_PS2_KBD_H

#include "devices/ps2.h"

struct ps2_kbd_state {
	struct ps2_queue out;
	u8 command; /* that waits for its parameter, or 0 */
	u8 set, leds, rate, scanning;
	u8 last; /* the last byte sent, for Resend */
};

struct ps2_kbd {
	struct ps2_kbd_state s;
};

#define PS2_KBD_FIELDS 9
extern const struct field ps2_kbd_fields[PS2_KBD_FIELDS];

void ps2_kbd_init(struct ps2_kbd *k);
/* A byte from the host: a command or its parameter. */
void ps2_kbd_write(struct ps2_kbd *k, u8 val);
/* Bytes of scan codes that ps2_kbd_key would take now. */
unsigned ps2_kbd_room(const struct ps2_kbd *k);
/* One byte of a set 1 scan code (E0h or E1h prefix, make, or make | 80h). False: the buffer is full, try later. */
bool ps2_kbd_key(struct ps2_kbd *k, u8 set1);
/* The 8042's translation of a set 2 make code to set 1. */
u8 ps2_kbd_set1(u8 set2);

#endif
