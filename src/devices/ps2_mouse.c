/* See ps2_mouse.h. Manual: IBM PS/2 Hardware Interface Technical Reference, "Mouse". */
#include "devices/ps2_mouse.h"

const struct field ps2_mouse_fields[PS2_MOUSE_FIELDS] = {
	PS2_QUEUE_FIELDS(struct ps2_mouse_state, out),   FIELD_HEX(struct ps2_mouse_state, command),
	FIELD_DEC(struct ps2_mouse_state, rate),         FIELD_DEC(struct ps2_mouse_state, resolution),
	FIELD_DEC(struct ps2_mouse_state, scale21),      FIELD_DEC(struct ps2_mouse_state, reporting),
	FIELD_DEC(struct ps2_mouse_state, remote),       FIELD_DEC(struct ps2_mouse_state, wrap),
	FIELD_DEC(struct ps2_mouse_state, id),           FIELD_DEC(struct ps2_mouse_state, knock),
	FIELD_HEX(struct ps2_mouse_state, buttons),      FIELD_HEX(struct ps2_mouse_state, sent),
	FIELD_ARRAY(struct ps2_mouse_state, part),       FIELD_DEC(struct ps2_mouse_state, parts),
	FIELD_(struct ps2_mouse_state, pad, FMT_PAD, 0), FIELD_HEX(struct ps2_mouse_state, dx),
	FIELD_HEX(struct ps2_mouse_state, dy),           FIELD_HEX(struct ps2_mouse_state, dz),
};

static void mouse_send(struct ps2_mouse_state *s, u8 byte) { ps2_put(&s->out, byte); }

static void mouse_defaults(struct ps2_mouse_state *s)
{
	s->rate = 100;
	s->resolution = 2;
	s->scale21 = s->reporting = s->remote = s->command = s->wrap = 0;
	s->dx = s->dy = s->dz = 0;
	s->knock = 0;
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
static void mouse_packet(struct ps2_mouse_state *s, bool scale)
{
	s32 dx = clamp(s->dx, 255), dy = clamp(s->dy, 255), dz = clamp(s->dz, 7);

	s->dx -= dx;
	s->dy -= dy;
	s->dz -= dz;
	s->sent = s->buttons;
	if (scale) {
		dx = scaled(dx);
		dy = scaled(dy);
	}
	mouse_send(s, (u8)(8 | (s->buttons & 7) | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0)));
	mouse_send(s, (u8)dx);
	mouse_send(s, (u8)dy);
	if (s->id == 3)
		mouse_send(s, (u8)dz);
}

/* Packets go out while there is something to tell and room; an answer to a command always finds room. */
void ps2_mouse_report(struct ps2_mouse *m)
{
	struct ps2_mouse_state *s = &m->s;

	if (!s->reporting || s->remote || s->wrap)
		return;
	while ((s->dx || s->dy || (s->dz && s->id == 3) || s->buttons != s->sent) && ps2_room(&s->out) >= 16)
		mouse_packet(s, s->scale21);
}

static void mouse_status(struct ps2_mouse_state *s)
{
	u8 buttons = (u8)((s->buttons & 1) << 2 | (s->buttons & 2) >> 1 | (s->buttons & 4) >> 1);

	mouse_send(s, PS2_ACK);
	mouse_send(s, (u8)(s->remote << 6 | s->reporting << 5 | s->scale21 << 4 | buttons));
	mouse_send(s, s->resolution);
	mouse_send(s, s->rate);
}

static void mouse_reset(struct ps2_mouse_state *s)
{
	mouse_defaults(s);
	s->id = 0;
	s->out.count = 0;
	mouse_send(s, PS2_ACK);
	mouse_send(s, PS2_BAT_OK);
	mouse_send(s, 0);
}

/* The sample rates 200, 100, 80 in a row turn the wheel on. */
static void mouse_sample_rate(struct ps2_mouse_state *s, u8 val)
{
	static const u8 knock[3] = {200, 100, 80};

	s->rate = val;
	s->knock = val == knock[s->knock % 3] ? s->knock + 1 : val == knock[0];
	if (s->knock == 3) {
		s->id = 3;
		s->knock = 0;
	}
}

static void mouse_parameter(struct ps2_mouse_state *s, u8 val)
{
	if (s->command == 0xf3)
		mouse_sample_rate(s, val);
	else
		s->resolution = val & 3;
	s->command = 0;
	mouse_send(s, PS2_ACK);
}

/* Commands that only change a mode; false when val is none of them. */
static bool mouse_mode(struct ps2_mouse_state *s, u8 val)
{
	switch (val) {
	case 0xe6: s->scale21 = 0; break;
	case 0xe7: s->scale21 = 1; break;
	case 0xe8:
	case 0xf3: s->command = val; break;
	case 0xea: s->remote = 0; break;
	case 0xec: s->wrap = 0; break;
	case 0xee: s->wrap = 1; break;
	case 0xf0: s->remote = 1; break;
	case 0xf4: s->reporting = 1; break;
	case 0xf5: s->reporting = 0; break;
	case 0xf6: mouse_defaults(s); break;
	default: return false;
	}
	mouse_send(s, PS2_ACK);
	return true;
}

void ps2_mouse_write(struct ps2_mouse *m, u8 val)
{
	struct ps2_mouse_state *s = &m->s;

	if (s->wrap && val != 0xec && val != 0xff) {
		mouse_send(s, val);
		return;
	}
	if (s->command) {
		mouse_parameter(s, val);
		return;
	}
	if (mouse_mode(s, val))
		return;
	switch (val) {
	case 0xe9: mouse_status(s); break;
	case 0xeb:
		mouse_send(s, PS2_ACK);
		mouse_packet(s, false);
		break;
	case 0xf2:
		mouse_send(s, PS2_ACK);
		mouse_send(s, s->id);
		break;
	case 0xff: mouse_reset(s); break;
	default: mouse_send(s, PS2_RESEND); break;
	}
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, u8 buttons)
{
	struct ps2_mouse_state *s = &m->s;

	s->dx = clamp(s->dx + dx, 4096);
	s->dy = clamp(s->dy + dy, 4096);
	s->dz = clamp(s->dz + dz, 64);
	s->buttons = buttons & 7;
	ps2_mouse_report(m);
}

void ps2_mouse_receive(struct ps2_mouse *m, u8 byte)
{
	struct ps2_mouse_state *s = &m->s;

	if (s->parts < 3) {
		s->part[s->parts++] = byte;
		return;
	}
	s->parts = 0;
	ps2_mouse_move(m, (s8)s->part[1], (s8)s->part[2], (s8)byte, s->part[0]);
}

void ps2_mouse_init(struct ps2_mouse *m)
{
	memset(&m->s, 0, sizeof m->s);
	mouse_defaults(&m->s);
}
