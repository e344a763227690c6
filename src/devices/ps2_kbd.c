/* See ps2_kbd.h. Manual: IBM PS/2 Hardware Interface Technical Reference, "Keyboard (101/102-key)". */
#include "devices/ps2_kbd.h"

#include "devices/report.h"

enum { ECHO = 0xee, RESERVE = 8 /* of the queue, for answers to commands */ };

const struct field ps2_kbd_fields[PS2_KBD_FIELDS] = {
	PS2_QUEUE_FIELDS(struct ps2_kbd_state, out), FIELD_HEX(struct ps2_kbd_state, command),
	FIELD_DEC(struct ps2_kbd_state, set),        FIELD_HEX(struct ps2_kbd_state, leds),
	FIELD_HEX(struct ps2_kbd_state, rate),       FIELD_DEC(struct ps2_kbd_state, scanning),
	FIELD_HEX(struct ps2_kbd_state, last),
};

/* Set 1 by set 2; codes above the table pass unchanged. */
static const u8 set2_to_set1[0x85] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59, /* 00 */
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b, /* 10 */
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d, /* 20 */
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f, /* 30 */
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61, /* 40 */
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, /* 50 */
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, /* 60 */
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54, /* 70 */
	0x80, 0x81, 0x82, 0x41, 0x54,                                                                   /* 80 */
};

u8 ps2_kbd_set1(u8 set2) { return set2 < sizeof set2_to_set1 ? set2_to_set1[set2] : set2; }

static u8 set1_to_set2(u8 code)
{
	for (unsigned i = ARRAY_SIZE(set2_to_set1); i--;)
		if (set2_to_set1[i] == code)
			return (u8)i;
	return code;
}

static void kbd_send(struct ps2_kbd_state *s, u8 byte)
{
	s->last = byte;
	ps2_put(&s->out, byte);
}

static void kbd_defaults(struct ps2_kbd_state *s)
{
	s->set = 2;
	s->rate = 0x2b;
	s->leds = 0;
	s->command = 0;
}

static void kbd_parameter(struct ps2_kbd_state *s, u8 val)
{
	u8 command = s->command;

	s->command = 0;
	if (command == 0xed) {
		s->leds = val & 7;
	} else if (command == 0xf3) {
		s->rate = val & 0x7f;
	} else if (val == 1 || val == 2) {
		s->set = val;
	} else if (val != 0) {
		if (val == 3)
			device_unimplemented("keyboard: scan code set 3");
		kbd_send(s, PS2_RESEND);
		return;
	}
	kbd_send(s, PS2_ACK);
	if (command == 0xf0 && val == 0)
		kbd_send(s, s->set);
}

static void kbd_reset(struct ps2_kbd_state *s)
{
	kbd_defaults(s);
	s->scanning = 1;
	s->out.count = 0;
	kbd_send(s, PS2_ACK);
	kbd_send(s, PS2_BAT_OK);
}

static void kbd_identify(struct ps2_kbd_state *s)
{
	kbd_send(s, PS2_ACK);
	kbd_send(s, 0xab);
	kbd_send(s, 0x83);
}

/* F4h, F5h and F6h empty the keyboard's buffer. */
static void kbd_scanning(struct ps2_kbd_state *s, bool defaults, bool on)
{
	if (defaults)
		kbd_defaults(s);
	s->scanning = on;
	s->out.count = 0;
	kbd_send(s, PS2_ACK);
}

void ps2_kbd_write(struct ps2_kbd *k, u8 val)
{
	struct ps2_kbd_state *s = &k->s;

	if (s->command && val < 0x80) {
		kbd_parameter(s, val);
		return;
	}
	s->command = 0;
	switch (val) {
	case 0xed:
	case 0xf0:
	case 0xf3:
		s->command = val;
		kbd_send(s, PS2_ACK);
		break;
	case 0xee: kbd_send(s, ECHO); break;
	case 0xf2: kbd_identify(s); break;
	case 0xf4: kbd_scanning(s, false, true); break;
	case 0xf5: kbd_scanning(s, true, false); break;
	case 0xf6: kbd_scanning(s, true, true); break;
	case 0xf7:
	case 0xf8:
	case 0xf9:
	case 0xfa: kbd_send(s, PS2_ACK); break; /* all keys typematic, make/break: of set 3 only */
	case 0xfe: kbd_send(s, s->last); break;
	case 0xff: kbd_reset(s); break;
	default: kbd_send(s, PS2_RESEND); break;
	}
}

static void send_key(struct ps2_kbd_state *s, u8 set1)
{
	if (s->set == 1 || set1 == 0xe0 || set1 == 0xe1) { /* prefixes are the same in both sets */
		kbd_send(s, set1);
		return;
	}
	if (set1 & 0x80)
		kbd_send(s, 0xf0);
	kbd_send(s, set1_to_set2(set1 & 0x7f));
}

unsigned ps2_kbd_room(const struct ps2_kbd *k)
{
	unsigned room = ps2_room(&k->s.out);

	return room > RESERVE ? (room - RESERVE) / 2 : 0; /* a byte may become two */
}

bool ps2_kbd_key(struct ps2_kbd *k, u8 set1)
{
	if (!k->s.scanning)
		return true; /* the key is pressed and nobody looks */
	if (!ps2_kbd_room(k))
		return false;
	send_key(&k->s, set1);
	return true;
}

void ps2_kbd_init(struct ps2_kbd *k)
{
	memset(&k->s, 0, sizeof k->s);
	kbd_defaults(&k->s);
	k->s.scanning = 1;
}
