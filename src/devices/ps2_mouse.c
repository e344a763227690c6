/*
 * The PS/2 mouse behind the 8042: commands, movement packets, the wheel. Manual: IBM PS/2 Hardware Interface Technical Reference,
 * "Mouse". Sample rate and resolution are kept and told; movement comes as the host brings it.
 */
#include "devices/i8042_int.h"

static void aux_send(struct i8042_state *s, u8 byte) { ps2_queue_put(&s->aux, byte); }

void ps2_mouse_defaults(struct i8042_state *s)
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
void ps2_mouse_report(struct i8042_state *s)
{
	if (!s->mouse_reporting || s->mouse_remote || s->mouse_wrap)
		return;
	while ((s->mouse_dx || s->mouse_dy || (s->mouse_dz && s->mouse_id == 3) || s->mouse_buttons != s->mouse_sent) &&
	       ps2_queue_room(&s->aux) >= 16)
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
	ps2_mouse_defaults(s);
	s->mouse_id = 0;
	ps2_queue_clear(&s->aux);
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
	case 0xf6: ps2_mouse_defaults(s); break;
	default: return false;
	}
	aux_send(s, ACK);
	return true;
}

void ps2_mouse_write(struct i8042_state *s, u8 val)
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
	ps2_mouse_report(s);
	i8042_advance(k);
}
