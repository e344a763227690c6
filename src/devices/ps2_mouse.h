/*
 * A PS/2 mouse with three buttons and a wheel (IntelliMouse, when the guest knocks for it). Sample rate and resolution
 * are kept and told; movement is reported as it comes.
 */
#ifndef DEVICES_PS2_MOUSE_H
#define DEVICES_PS2_MOUSE_H

#include "devices/ps2.h"

struct ps2_mouse_state {
	struct ps2_queue out;
	u8 command; /* that waits for its parameter, or 0 */
	u8 rate, resolution, scale21;
	u8 reporting, remote, wrap;
	u8 id, knock;      /* 0, or 3 with a wheel; progress of the sample rates 200, 100, 80 */
	u8 buttons, sent;  /* now, and in the last packet */
	u8 part[3], parts; /* of a message of ps2_mouse_receive */
	u8 pad[3];
	s32 dx, dy, dz; /* movement not yet reported */
};

struct ps2_mouse {
	struct ps2_mouse_state s;
};

#define PS2_MOUSE_FIELDS 20
extern const struct field ps2_mouse_fields[PS2_MOUSE_FIELDS];

void ps2_mouse_init(struct ps2_mouse *m);
/* A byte from the host: a command or its parameter. */
void ps2_mouse_write(struct ps2_mouse *m, u8 val);
/* The mouse moves (right, up, wheel down are positive) and its buttons are: 1 left, 2 right, 4 middle. */
void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, u8 buttons);
/* The same as a message of four bytes, one by one: buttons, then dx, dy, dz as signed bytes. */
void ps2_mouse_receive(struct ps2_mouse *m, u8 byte);
/* Room was made in the queue: movement that waits goes out. */
void ps2_mouse_report(struct ps2_mouse *m);

#endif
