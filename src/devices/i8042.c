/*
 * See i8042.h. Manual: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller". The
 * controller answers at once; bytes of a device follow each other in 20 us, so that a guest that reads port 60h twice
 * gets the same byte twice, as from a serial line (which needs a millisecond). The A20 gate is open after reset.
 */
#include "devices/i8042.h"

#include "devices/report.h"

#define BYTE_NS 20000

enum { ST_OBF = 1, ST_SYS = 4, ST_COMMAND = 8, ST_UNLOCKED = 16, ST_AUX = 32 };
enum { CB_IRQ1 = 1, CB_IRQ12 = 2, CB_SYS = 4, CB_KBD_OFF = 16, CB_AUX_OFF = 32, CB_TRANSLATE = 64 };
enum { OUT_RUN = 1, OUT_A20 = 2, OUT_KBD_FULL = 16, OUT_AUX_FULL = 32, OUT_IDLE = 0xc0 | 0x0c };

static const char *const status_bits[] = {"OBF", "IBF",     "SYS",    "CMD",    "UNLOCKED",
					  "AUX", "TIMEOUT", "PARITY", FIELD_END};

const struct field i8042_fields[I8042_FIELDS] = {
	FIELD_DEC(struct i8042_state, ready_at),     PS2_QUEUE_FIELDS(struct i8042_state, ctrl),
	FIELD_BYTES(struct i8042_state, ram),        FIELD_BITS(struct i8042_state, status, status_bits),
	FIELD_HEX(struct i8042_state, data),         FIELD_HEX(struct i8042_state, outport),
	FIELD_HEX(struct i8042_state, command),      FIELD_DEC(struct i8042_state, release),
	FIELD_(struct i8042_state, pad, FMT_PAD, 0),
};

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
	*byte = ps2_kbd_set1(*byte);
	if (s->release && *byte < 0x80)
		*byte |= 0x80;
	s->release = 0;
	return true;
}

static bool fill_from_kbd(struct i8042 *k)
{
	struct i8042_state *s = &k->s;

	while (k->kbd.s.out.count && !(s->ram[0] & CB_KBD_OFF)) {
		u8 byte = ps2_get(&k->kbd.s.out);

		if (!translated(s, &byte))
			continue;
		fill_buffer(s, byte, false);
		return true;
	}
	return false;
}

static bool mouse_waits(const struct i8042 *k) { return k->mouse.s.out.count && !(k->s.ram[0] & CB_AUX_OFF); }

static bool device_waits(const struct i8042 *k)
{
	return (k->kbd.s.out.count && !(k->s.ram[0] & CB_KBD_OFF)) || mouse_waits(k);
}

/* Moves the next byte to the output buffer when that is empty: the controller's answers first, then keyboard and mouse.
 */
static void advance(struct i8042 *k)
{
	struct i8042_state *s = &k->s;

	timer_cancel(&k->timer);
	if (!(s->status & ST_OBF)) {
		if (s->ctrl.count) {
			fill_buffer(s, ps2_get(&s->ctrl), false);
		} else if (device_waits(k) && k->sched->now < s->ready_at) {
			timer_arm(&k->timer, s->ready_at);
		} else if (!fill_from_kbd(k) && mouse_waits(k)) {
			fill_buffer(s, ps2_get(&k->mouse.s.out), true);
		}
	}
	update_irqs(k);
}

static void fire(void *arg, u64 now)
{
	(void)now;
	advance(arg);
}

bool i8042_key(struct i8042 *k, u8 set1)
{
	if (!ps2_kbd_key(&k->kbd, set1))
		return false;
	advance(k);
	return true;
}

unsigned i8042_key_room(const struct i8042 *k) { return ps2_kbd_room(&k->kbd); }

void i8042_mouse(struct i8042 *k, int dx, int dy, int dz, u8 buttons)
{
	ps2_mouse_move(&k->mouse, dx, dy, dz, buttons);
	advance(k);
}

void i8042_mouse_byte(struct i8042 *k, u8 byte)
{
	ps2_mouse_receive(&k->mouse, byte);
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

static void reply(struct i8042_state *s, u8 byte) { ps2_put(&s->ctrl, byte); }

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
		ps2_mouse_write(&k->mouse, val);
		ps2_mouse_report(&k->mouse);
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
	ps2_mouse_report(&k->mouse);
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
		ps2_kbd_write(&k->kbd, (u8)val);
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
	ps2_kbd_init(&k->kbd);
	ps2_mouse_init(&k->mouse);
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
	ps2_queue_load(&k->s.ctrl);
	ps2_queue_load(&k->kbd.s.out);
	ps2_queue_load(&k->mouse.s.out);
	irq_set(&k->a20, k->s.outport & OUT_A20);
	advance(k);
}
