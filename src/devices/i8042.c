/*
 * 8042 keyboard controller, keyboard and mouse. Manuals: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and
 * Auxiliary Device Controller", "Keyboard (101/102-key)", "Mouse". The controller answers at once; bytes of a device
 * follow each other in 20 us, so that a guest that reads port 60h twice gets the same byte twice, as from a serial line
 * (which needs a millisecond). The A20 gate is open after reset. Typematic rate, sample rate and resolution are kept
 * and told; repeated keys and movement come as the host brings them.
 */
#include "devices/i8042.h"

#include "devices/report.h"

#define BYTE_NS 20000

enum { ST_OBF = 1, ST_SYS = 4, ST_COMMAND = 8, ST_UNLOCKED = 16, ST_AUX = 32 };
enum { CB_IRQ1 = 1, CB_IRQ12 = 2, CB_SYS = 4, CB_KBD_OFF = 16, CB_AUX_OFF = 32, CB_TRANSLATE = 64 };
enum { OUT_RUN = 1, OUT_A20 = 2, OUT_KBD_FULL = 16, OUT_AUX_FULL = 32, OUT_IDLE = 0xc0 | 0x0c };
enum { ACK = 0xfa, RESEND = 0xfe, BAT_OK = 0xaa, ECHO = 0xee };

static const char *const status_bits[] = {"OBF", "IBF",     "SYS",    "CMD",    "UNLOCKED",
					  "AUX", "TIMEOUT", "PARITY", FIELD_END};

#define QUEUE_FIELDS(q)                                                                                                \
	FIELD_BYTES(struct i8042_state, q.byte), FIELD_DEC(struct i8042_state, q.head),                                \
		FIELD_DEC(struct i8042_state, q.count)

const struct field i8042_fields[I8042_FIELDS] = {
	FIELD_DEC(struct i8042_state, ready_at),
	QUEUE_FIELDS(ctrl),
	QUEUE_FIELDS(kbd),
	QUEUE_FIELDS(aux),
	FIELD_BYTES(struct i8042_state, ram),
	FIELD_BITS(struct i8042_state, status, status_bits),
	FIELD_HEX(struct i8042_state, data),
	FIELD_HEX(struct i8042_state, outport),
	FIELD_HEX(struct i8042_state, command),
	FIELD_DEC(struct i8042_state, release),
	FIELD_HEX(struct i8042_state, kbd_command),
	FIELD_DEC(struct i8042_state, kbd_set),
	FIELD_HEX(struct i8042_state, kbd_leds),
	FIELD_HEX(struct i8042_state, kbd_rate),
	FIELD_DEC(struct i8042_state, kbd_scanning),
	FIELD_HEX(struct i8042_state, kbd_last),
	FIELD_HEX(struct i8042_state, mouse_command),
	FIELD_DEC(struct i8042_state, mouse_rate),
	FIELD_DEC(struct i8042_state, mouse_resolution),
	FIELD_DEC(struct i8042_state, mouse_scale21),
	FIELD_DEC(struct i8042_state, mouse_reporting),
	FIELD_DEC(struct i8042_state, mouse_remote),
	FIELD_DEC(struct i8042_state, mouse_wrap),
	FIELD_DEC(struct i8042_state, mouse_id),
	FIELD_DEC(struct i8042_state, mouse_knock),
	FIELD_HEX(struct i8042_state, mouse_buttons),
	FIELD_HEX(struct i8042_state, mouse_sent),
	FIELD_HEX(struct i8042_state, mouse_dx),
	FIELD_HEX(struct i8042_state, mouse_dy),
	FIELD_HEX(struct i8042_state, mouse_dz),
};

/* The controller's translation of set 2 make codes to set 1; codes above the table pass unchanged. */
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

static u8 set1_to_set2(u8 code)
{
	for (unsigned i = ARRAY_SIZE(set2_to_set1); i--;)
		if (set2_to_set1[i] == code)
			return (u8)i;
	return code;
}

static unsigned queue_room(const struct i8042_queue *q) { return I8042_QUEUE - q->count; }

static void queue_put(struct i8042_queue *q, u8 byte)
{
	if (q->count < I8042_QUEUE)
		q->byte[(q->head + q->count++) % I8042_QUEUE] = byte;
}

static u8 queue_get(struct i8042_queue *q)
{
	u8 byte = q->byte[q->head % I8042_QUEUE];

	q->head = (q->head + 1) % I8042_QUEUE;
	q->count--;
	return byte;
}

static void queue_clear(struct i8042_queue *q) { q->count = 0; }

static void update_irqs(struct i8042 *k)
{
	const struct i8042_state *s = &k->s;
	bool full = s->status & ST_OBF, aux = s->status & ST_AUX;

	irq_set(&k->irq1, full && !aux && s->ram[0] & CB_IRQ1);
	irq_set(&k->irq12, full && aux && s->ram[0] & CB_IRQ12);
}

static void fill_buffer(struct i8042_state *s, u8 byte, bool aux)
{
	s->data = byte;
	s->status = (s->status & (u8)~ST_AUX) | ST_OBF | (aux ? ST_AUX : 0);
}

/* The keyboard's next byte on its way through the translation; false when it was a prefix that is swallowed. */
static bool translated(struct i8042_state *s, u8 *byte)
{
	if (!(s->ram[0] & CB_TRANSLATE))
		return true;
	if (*byte == 0xf0) {
		s->release = 1;
		return false;
	}
	if (*byte < sizeof set2_to_set1)
		*byte = set2_to_set1[*byte];
	if (s->release && *byte < 0x80)
		*byte |= 0x80;
	s->release = 0;
	return true;
}

static bool fill_from_kbd(struct i8042_state *s)
{
	while (s->kbd.count && !(s->ram[0] & CB_KBD_OFF)) {
		u8 byte = queue_get(&s->kbd);

		if (!translated(s, &byte))
			continue;
		fill_buffer(s, byte, false);
		return true;
	}
	return false;
}

static bool device_waits(const struct i8042_state *s)
{
	return (s->kbd.count && !(s->ram[0] & CB_KBD_OFF)) || (s->aux.count && !(s->ram[0] & CB_AUX_OFF));
}

/* Moves the next byte to the output buffer when that is empty: the controller's answers first, then keyboard and mouse.
 */
static void advance(struct i8042 *k)
{
	struct i8042_state *s = &k->s;

	timer_cancel(&k->timer);
	if (!(s->status & ST_OBF)) {
		if (s->ctrl.count) {
			fill_buffer(s, queue_get(&s->ctrl), false);
		} else if (device_waits(s) && k->sched->now < s->ready_at) {
			timer_arm(&k->timer, s->ready_at);
		} else if (!fill_from_kbd(s) && s->aux.count && !(s->ram[0] & CB_AUX_OFF)) {
			fill_buffer(s, queue_get(&s->aux), true);
		}
	}
	update_irqs(k);
}

static void fire(void *arg, u64 now)
{
	(void)now;
	advance(arg);
}

/* --- the keyboard --- */

static void kbd_send(struct i8042_state *s, u8 byte)
{
	s->kbd_last = byte;
	queue_put(&s->kbd, byte);
}

static void kbd_defaults(struct i8042_state *s)
{
	s->kbd_set = 2;
	s->kbd_rate = 0x2b;
	s->kbd_leds = 0;
	s->kbd_command = 0;
}

static void kbd_parameter(struct i8042_state *s, u8 val)
{
	u8 command = s->kbd_command;

	s->kbd_command = 0;
	if (command == 0xed) {
		s->kbd_leds = val & 7;
	} else if (command == 0xf3) {
		s->kbd_rate = val & 0x7f;
	} else if (val == 1 || val == 2) {
		s->kbd_set = val;
	} else if (val != 0) {
		if (val == 3)
			device_unimplemented("keyboard: scan code set 3");
		kbd_send(s, RESEND);
		return;
	}
	kbd_send(s, ACK);
	if (command == 0xf0 && val == 0)
		kbd_send(s, s->kbd_set);
}

static void kbd_reset(struct i8042_state *s)
{
	kbd_defaults(s);
	s->kbd_scanning = 1;
	queue_clear(&s->kbd);
	kbd_send(s, ACK);
	kbd_send(s, BAT_OK);
}

static void kbd_identify(struct i8042_state *s)
{
	kbd_send(s, ACK);
	kbd_send(s, 0xab);
	kbd_send(s, 0x83);
}

/* F4h, F5h and F6h empty the keyboard's buffer. */
static void kbd_scanning(struct i8042_state *s, bool defaults, bool on)
{
	if (defaults)
		kbd_defaults(s);
	s->kbd_scanning = on;
	queue_clear(&s->kbd);
	kbd_send(s, ACK);
}

static void kbd_write(struct i8042_state *s, u8 val)
{
	if (s->kbd_command && val < 0x80) {
		kbd_parameter(s, val);
		return;
	}
	s->kbd_command = 0;
	switch (val) {
	case 0xed:
	case 0xf0:
	case 0xf3:
		s->kbd_command = val;
		kbd_send(s, ACK);
		break;
	case 0xee: kbd_send(s, ECHO); break;
	case 0xf2: kbd_identify(s); break;
	case 0xf4: kbd_scanning(s, false, true); break;
	case 0xf5: kbd_scanning(s, true, false); break;
	case 0xf6: kbd_scanning(s, true, true); break;
	case 0xf7:
	case 0xf8:
	case 0xf9:
	case 0xfa: kbd_send(s, ACK); break; /* all keys typematic, make/break: of set 3 only */
	case 0xfe: kbd_send(s, s->kbd_last); break;
	case 0xff: kbd_reset(s); break;
	default: kbd_send(s, RESEND); break;
	}
}

static void send_key(struct i8042_state *s, u8 set1)
{
	if (s->kbd_set == 1 || set1 == 0xe0 || set1 == 0xe1) { /* prefixes are the same in both sets */
		kbd_send(s, set1);
		return;
	}
	if (set1 & 0x80)
		kbd_send(s, 0xf0);
	kbd_send(s, set1_to_set2(set1 & 0x7f));
}

bool i8042_key(struct i8042 *k, u8 set1)
{
	if (!k->s.kbd_scanning)
		return true; /* the key is pressed and nobody looks */
	if (queue_room(&k->s.kbd) < 8)
		return false; /* the rest is for answers */
	send_key(&k->s, set1);
	advance(k);
	return true;
}

/* --- the mouse --- */

static void aux_send(struct i8042_state *s, u8 byte) { queue_put(&s->aux, byte); }

static void mouse_defaults(struct i8042_state *s)
{
	s->mouse_rate = 100;
	s->mouse_resolution = 2;
	s->mouse_scale21 = s->mouse_reporting = s->mouse_remote = s->mouse_command = s->mouse_wrap = 0;
	s->mouse_dx = s->mouse_dy = s->mouse_dz = 0;
	s->mouse_knock = 0;
}

static s32 clamp(s32 v, s32 limit) { return v > limit ? limit : v < -limit - 1 ? -limit - 1 : v; }

/* Scaling 2:1, of packets that the mouse sends by itself only. */
static s32 scaled(s32 v)
{
	static const u8 small[6] = {0, 1, 1, 3, 6, 9};
	s32 size = v < 0 ? -v : v;

	size = size < 6 ? small[size] : 2 * size;
	return clamp(v < 0 ? -size : size, 255);
}

/* One movement packet: 3 bytes, 4 with the wheel. What does not fit stays for the next one. */
static void mouse_packet(struct i8042_state *s, bool scale)
{
	s32 dx = clamp(s->mouse_dx, 255), dy = clamp(s->mouse_dy, 255), dz = clamp(s->mouse_dz, 7);

	s->mouse_dx -= dx;
	s->mouse_dy -= dy;
	s->mouse_dz -= dz;
	s->mouse_sent = s->mouse_buttons;
	if (scale) {
		dx = scaled(dx);
		dy = scaled(dy);
	}
	aux_send(s, (u8)(8 | (s->mouse_buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
	aux_send(s, (u8)dx);
	aux_send(s, (u8)dy);
	if (s->mouse_id == 3)
		aux_send(s, (u8)dz);
}

/* Packets go out while there is something to tell and room; an answer to a command always finds room. */
static void mouse_report(struct i8042_state *s)
{
	if (!s->mouse_reporting || s->mouse_remote || s->mouse_wrap)
		return;
	while ((s->mouse_dx || s->mouse_dy || (s->mouse_dz && s->mouse_id == 3) || s->mouse_buttons != s->mouse_sent) &&
	       queue_room(&s->aux) >= 16)
		mouse_packet(s, s->mouse_scale21);
}

static void mouse_status(struct i8042_state *s)
{
	u8 buttons = (u8)((s->mouse_buttons & 1) << 2 | (s->mouse_buttons & 2) >> 1 | (s->mouse_buttons & 4) >> 1);

	aux_send(s, ACK);
	aux_send(s, (u8)(s->mouse_remote << 6 | s->mouse_reporting << 5 | s->mouse_scale21 << 4 | buttons));
	aux_send(s, s->mouse_resolution);
	aux_send(s, s->mouse_rate);
}

static void mouse_reset(struct i8042_state *s)
{
	mouse_defaults(s);
	s->mouse_id = 0;
	queue_clear(&s->aux);
	aux_send(s, ACK);
	aux_send(s, BAT_OK);
	aux_send(s, 0);
}

/* The sample rates 200, 100, 80 in a row turn the wheel on. */
static void mouse_sample_rate(struct i8042_state *s, u8 val)
{
	static const u8 knock[3] = {200, 100, 80};

	s->mouse_rate = val;
	s->mouse_knock = val == knock[s->mouse_knock % 3] ? s->mouse_knock + 1 : val == knock[0];
	if (s->mouse_knock == 3) {
		s->mouse_id = 3;
		s->mouse_knock = 0;
	}
}

static void mouse_parameter(struct i8042_state *s, u8 val)
{
	if (s->mouse_command == 0xf3)
		mouse_sample_rate(s, val);
	else
		s->mouse_resolution = val & 3;
	s->mouse_command = 0;
	aux_send(s, ACK);
}

/* Commands that only change a mode; false when val is none of them. */
static bool mouse_mode(struct i8042_state *s, u8 val)
{
	switch (val) {
	case 0xe6: s->mouse_scale21 = 0; break;
	case 0xe7: s->mouse_scale21 = 1; break;
	case 0xe8:
	case 0xf3: s->mouse_command = val; break;
	case 0xea: s->mouse_remote = 0; break;
	case 0xec: s->mouse_wrap = 0; break;
	case 0xee: s->mouse_wrap = 1; break;
	case 0xf0: s->mouse_remote = 1; break;
	case 0xf4: s->mouse_reporting = 1; break;
	case 0xf5: s->mouse_reporting = 0; break;
	case 0xf6: mouse_defaults(s); break;
	default: return false;
	}
	aux_send(s, ACK);
	return true;
}

static void mouse_write(struct i8042_state *s, u8 val)
{
	if (s->mouse_wrap && val != 0xec && val != 0xff) {
		aux_send(s, val);
		return;
	}
	if (s->mouse_command) {
		mouse_parameter(s, val);
		return;
	}
	if (mouse_mode(s, val))
		return;
	switch (val) {
	case 0xe9: mouse_status(s); break;
	case 0xeb:
		aux_send(s, ACK);
		mouse_packet(s, false);
		break;
	case 0xf2:
		aux_send(s, ACK);
		aux_send(s, s->mouse_id);
		break;
	case 0xff: mouse_reset(s); break;
	default: aux_send(s, RESEND); break;
	}
}

void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, u8 buttons)
{
	struct i8042_state *s = &k->s;

	s->mouse_dx = clamp(s->mouse_dx + dx, 4096);
	s->mouse_dy = clamp(s->mouse_dy + dy, 4096);
	s->mouse_dz = clamp(s->mouse_dz + dz, 64);
	s->mouse_buttons = buttons & 7;
	mouse_report(s);
	advance(k);
}

/* --- the controller --- */

/* The output port: bit 0 low holds the machine in reset, bit 1 is the A20 gate. */
static void write_outport(struct i8042 *k, u8 val)
{
	k->s.outport = val & (u8) ~(OUT_KBD_FULL | OUT_AUX_FULL);
	irq_set(&k->a20, val & OUT_A20);
	if (!(val & OUT_RUN)) {
		k->s.outport |= OUT_RUN; /* the reset that follows sets it again */
		irq_pulse(&k->reset);
	}
}

static u8 outport_now(const struct i8042_state *s)
{
	u8 full = s->status & ST_OBF ? s->status & ST_AUX ? OUT_AUX_FULL : OUT_KBD_FULL : 0;

	return s->outport | full;
}

static void reply(struct i8042_state *s, u8 byte) { queue_put(&s->ctrl, byte); }

static void set_outport_bit(struct i8042 *k, u8 bit, bool on)
{
	write_outport(k, on ? k->s.outport | bit : k->s.outport & (u8)~bit);
}

/* The system flag of the command byte shows in the status. */
static void set_command_byte(struct i8042_state *s, u8 val)
{
	s->ram[0] = val;
	s->status = (s->status & (u8)~ST_SYS) | (val & CB_SYS ? ST_SYS : 0);
}

static void self_test(struct i8042_state *s)
{
	set_command_byte(s, s->ram[0] | CB_SYS);
	reply(s, 0x55);
}

/* 20h-3Fh read the controller's memory, 60h-7Fh write it, F0h-FFh pulse the bits of the output port that are 0. */
static void command(struct i8042 *k, u8 val)
{
	struct i8042_state *s = &k->s;

	switch (val) {
	case 0x20 ... 0x3f: reply(s, s->ram[val & 31]); break;
	case 0x60 ... 0x7f:
	case 0xd1 ... 0xd4: s->command = val; break;
	case 0xa4: reply(s, 0xf1); break; /* no password */
	case 0xa7: s->ram[0] |= CB_AUX_OFF; break;
	case 0xa8: s->ram[0] &= (u8)~CB_AUX_OFF; break;
	case 0xa9:
	case 0xab: reply(s, 0); break; /* interface tests: no error */
	case 0xaa: self_test(s); break;
	case 0xad: s->ram[0] |= CB_KBD_OFF; break;
	case 0xae: s->ram[0] &= (u8)~CB_KBD_OFF; break;
	case 0xc0: reply(s, 0x80); break; /* input port: keyboard not locked */
	case 0xd0: reply(s, outport_now(s)); break;
	case 0xdd: set_outport_bit(k, OUT_A20, false); break;
	case 0xdf: set_outport_bit(k, OUT_A20, true); break;
	case 0xe0: reply(s, 0); break; /* test inputs: clock and data lines */
	case 0xf0 ... 0xff:
		if (!(val & OUT_RUN))
			irq_pulse(&k->reset);
		break;
	default: device_unimplemented("i8042: controller command %02x", val); break;
	}
}

/* The data byte of a controller command. */
static void command_data(struct i8042 *k, u8 cmd, u8 val)
{
	struct i8042_state *s = &k->s;

	switch (cmd) {
	case 0x60: set_command_byte(s, val); break;
	case 0xd1: write_outport(k, val); break;
	case 0xd2:
	case 0xd3: fill_buffer(s, val, cmd == 0xd3); break; /* as if the device had sent it */
	case 0xd4:
		s->ram[0] &= (u8)~CB_AUX_OFF;
		mouse_write(s, val);
		mouse_report(s);
		break;
	default: s->ram[cmd & 31] = val; break;
	}
}

static u64 status_peek(const void *dev, u64 off, unsigned size)
{
	(void)off, (void)size;
	return ((const struct i8042 *)dev)->s.status;
}

static u64 status_read(void *dev, u64 off, unsigned size) { return status_peek(dev, off, size); }

static void command_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8042 *k = dev;

	(void)off, (void)size;
	k->s.status |= ST_COMMAND;
	k->s.command = 0;
	command(k, (u8)val);
	advance(k);
}

static u64 data_peek(const void *dev, u64 off, unsigned size)
{
	(void)off, (void)size;
	return ((const struct i8042 *)dev)->s.data;
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
	struct i8042 *k = dev;
	u8 val = k->s.data;

	(void)off, (void)size;
	if (!(k->s.status & ST_OBF))
		return val;
	k->s.status &= (u8) ~(ST_OBF | ST_AUX);
	k->s.ready_at = k->sched->now + BYTE_NS;
	mouse_report(&k->s);
	update_irqs(k);
	advance(k);
	return val;
}

/* Without a waiting controller command the byte is for the keyboard, whose interface it enables. */
static void data_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct i8042 *k = dev;
	u8 cmd = k->s.command;

	(void)off, (void)size;
	k->s.status &= (u8)~ST_COMMAND;
	k->s.command = 0;
	if (cmd) {
		command_data(k, cmd, (u8)val);
	} else {
		k->s.ram[0] &= (u8)~CB_KBD_OFF;
		kbd_write(&k->s, (u8)val);
	}
	advance(k);
}

const struct region_ops i8042_data_ops = {"i8042-data", data_read, data_write, data_peek, 1, 1};
const struct region_ops i8042_command_ops = {"i8042-command", status_read, command_write, status_peek, 1, 1};

void i8042_reset(struct i8042 *k)
{
	struct i8042_state *s = &k->s;

	*s = (struct i8042_state){.status = ST_COMMAND | ST_UNLOCKED, .outport = OUT_IDLE | OUT_RUN | OUT_A20};
	s->ram[0] = CB_IRQ1 | CB_IRQ12 | CB_TRANSLATE;
	kbd_defaults(s);
	mouse_defaults(s);
	s->kbd_scanning = 1;
	irq_set(&k->a20, true);
	advance(k);
}

void i8042_init(struct i8042 *k, struct sched *sched, u32 timer_id)
{
	*k = (struct i8042){.sched = sched};
	timer_init(&k->timer, sched, timer_id, fire, k);
	i8042_reset(k);
}

void i8042_post_load(struct i8042 *k)
{
	struct i8042_queue *q[3] = {&k->s.ctrl, &k->s.kbd, &k->s.aux};

	for (unsigned i = 0; i < 3; i++) {
		q[i]->head %= I8042_QUEUE;
		if (q[i]->count > I8042_QUEUE)
			q[i]->count = I8042_QUEUE;
	}
	irq_set(&k->a20, k->s.outport & OUT_A20);
	advance(k);
}
