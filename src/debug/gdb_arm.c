/* See gdb_arm.h. Registers are gdb_arm_regs.c's. */
#include "debug/gdb_arm.h"

#include <stdlib.h>

#include "debug/gdb_arm_regs.h"

enum { Z_SOFTWARE, Z_HARDWARE, Z_WRITE, Z_READ, Z_ACCESS };
enum { WAIT_MS = 20 };

static struct gdb_arm *arm_of(struct gdb *g) { return (struct gdb_arm *)g; }

/* ---- breakpoints ---- */

static bool spy_insn(void *arg, struct arm_cpu *c, u32 va)
{
	struct gdb_arm *a = arg;

	if (arm_icount(c) == a->from)
		return false;
	for (unsigned i = 0; i < GDB_ARM_BREAKS; i++) {
		const struct gdb_arm_break *b = &a->breaks[i];

		if (b->type && b->type <= Z_HARDWARE + 1 && b->lo == va) {
			machine_stop(&a->b->machine, STOP_DEBUG);
			return true;
		}
	}
	return false;
}

static const struct gdb_arm_break *watch_at(const struct gdb_arm *a, u32 va, unsigned size, bool write)
{
	for (unsigned i = 0; i < GDB_ARM_BREAKS; i++) {
		const struct gdb_arm_break *b = &a->breaks[i];

		if (b->type < Z_WRITE + 1 || va > b->hi || va + size - 1 < b->lo)
			continue;
		if (b->type == Z_ACCESS + 1 || b->type == (write ? Z_WRITE : Z_READ) + 1)
			return b;
	}
	return NULL;
}

static bool spy_wants(void *arg, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write)
{
	(void)c, (void)pa;
	return watch_at(arg, va, size, write);
}

static void spy_access(void *arg, struct arm_cpu *c, u32 va, u64 pa, unsigned size, bool write, u64 val)
{
	struct gdb_arm *a = arg;
	const struct gdb_arm_break *b = watch_at(a, va, size, write);

	(void)c, (void)pa, (void)val;
	if (!b || a->hit_type)
		return;
	a->hit_type = b->type;
	a->hit = va < b->lo ? b->lo : va;
	machine_stop(&a->b->machine, STOP_DEBUG);
}

/* Somebody watches something of this page. */
static bool page_watched(void *arg, u32 va, u64 pa)
{
	const struct gdb_arm *a = arg;

	(void)pa;
	for (unsigned i = 0; i < GDB_ARM_BREAKS; i++) {
		const struct gdb_arm_break *b = &a->breaks[i];

		if (b->type >= Z_WRITE + 1 && (b->lo & PAGE_MASK) <= va && va <= (b->hi | ~(u32)PAGE_MASK))
			return true;
	}
	return false;
}

/* What the CPU is to look at follows the list. */
static void show_breaks(struct gdb_arm *a)
{
	bool watch = false, exec = false;

	memset(a->offsets, 0, sizeof a->offsets);
	for (unsigned i = 0; i < GDB_ARM_BREAKS; i++) {
		const struct gdb_arm_break *b = &a->breaks[i];

		watch |= b->type >= Z_WRITE + 1;
		if (!b->type || b->type > Z_HARDWARE + 1)
			continue;
		exec = true;
		a->offsets[(b->lo & 0xfff) / 64] |= BIT(b->lo % 64);
	}
	a->b->cpu.spy = watch || exec ? &a->spy : NULL;
	arm_code_spy(&a->b->cpu, exec ? a->offsets : NULL);
	tlb_arm_spy(&a->b->cpu.tlb, watch ? page_watched : NULL, a);
	tlb_arm_forget_hot(&a->b->cpu.tlb);
}

static void breakpoint(struct gdb_arm *a, char *s, bool insert)
{
	u8 type = (u8)(strtoul(s, &s, 16) + 1);
	u32 at = *s == ',' ? (u32)strtoul(s + 1, &s, 16) : 0, kind = *s == ',' ? (u32)strtoul(s + 1, &s, 16) : 0;
	u32 hi = type > Z_HARDWARE + 1 && kind ? at + kind - 1 : at;
	struct gdb_arm_break *room = NULL, *same = NULL;

	if (type > Z_ACCESS + 1)
		return; /* not supported */
	for (unsigned i = 0; i < GDB_ARM_BREAKS; i++) {
		struct gdb_arm_break *b = &a->breaks[i];

		if (!b->type)
			room = b;
		else if (b->type == type && b->lo == at && b->hi == hi)
			same = b;
	}
	if (insert && !same && !room) {
		gdb_puts(&a->g, "E01");
		return;
	}
	if (insert && !same)
		*room = (struct gdb_arm_break){type, at, hi};
	if (!insert && same)
		same->type = 0;
	show_breaks(a);
	gdb_puts(&a->g, "OK");
}

/* ---- running ---- */

static void stop_reply(struct gdb_arm *a)
{
	static const char *const watch[] = {[Z_WRITE] = "watch", [Z_READ] = "rwatch", [Z_ACCESS] = "awatch"};

	if (a->over && a->why != STOP_UNIMPLEMENTED && a->why != STOP_HALTED) {
		gdb_printf(&a->g, "W%02x", (unsigned)machine_exit_status(&a->b->machine, a->why));
		return;
	}
	gdb_printf(&a->g, "T%02xthread:1;", a->why == STOP_UNIMPLEMENTED ? 4 : 5);
	if (a->hit_type)
		gdb_printf(&a->g, "%s:%x;", watch[a->hit_type - 1], a->hit);
}

static void poll_client(void *arg)
{
	struct gdb_arm *a = arg;

	if (gdb_look(&a->g))
		machine_stop(&a->b->machine, STOP_DEBUG);
}

/* Runs on to a stop that somebody wants to hear of, through resets. steps: so many instructions, 0: no limit. */
static void run(struct gdb_arm *a, u64 steps)
{
	struct machine *m = &a->b->machine;
	u64 until = steps && m->s.icount + steps < a->limit ? m->s.icount + steps : a->limit;

	a->from = m->s.icount;
	a->hit_type = 0;
	for (;;) {
		a->why = machine_run(m, until);
		if (a->why != STOP_RESET || !a->reset)
			break;
		machine_reset(m);
		if (!a->reset(a->reset_arg, a->err)) {
			a->failed = true;
			break;
		}
		show_breaks(a);
	}
	a->from = TIME_NEVER;
	a->over = a->failed || !(a->why == STOP_DEBUG || (a->why == STOP_UNTIL && m->s.icount < a->limit));
}

/* c, s, and vCont with the first action that steps. */
static void resume(struct gdb_arm *a, bool step)
{
	if (!a->over)
		run(a, step ? 1 : 0);
	stop_reply(a);
}

/* ---- memory ---- */

static void memory_read(struct gdb_arm *a, char *s)
{
	u32 at = (u32)strtoul(s, &s, 16), n = *s == ',' ? (u32)strtoul(s + 1, NULL, 16) : 0;
	u8 byte;

	if (n > GDB_PACKET / 2)
		n = GDB_PACKET / 2;
	for (u32 i = 0; i < n; i++) {
		if (!gdb_arm_peek(a->b, at + i, &byte)) {
			if (!i)
				gdb_puts(&a->g, "E14");
			return;
		}
		gdb_hex(&a->g, &byte, 1);
	}
}

/* M addr,len:hex and X addr,len:bytes. */
static void memory_write(struct gdb_arm *a, char *s, const char *end, bool binary)
{
	u32 at = (u32)strtoul(s, &s, 16), n = *s == ',' ? (u32)strtoul(s + 1, &s, 16) : 0;
	u8 byte;

	if (*s++ != ':' || (size_t)(end - s) < (size_t)n * (binary ? 1 : 2)) {
		gdb_puts(&a->g, "E01");
		return;
	}
	for (u32 i = 0; i < n; i++) {
		byte = (u8)s[i];
		if ((!binary && !gdb_unhex(s + 2 * i, &byte, 1)) || !gdb_arm_poke(a->b, at + i, byte)) {
			gdb_puts(&a->g, "E14");
			return;
		}
	}
	gdb_puts(&a->g, "OK");
}

/* ---- packets ---- */

static void features(struct gdb_arm *a, char *s)
{
	static char xml[16384];
	struct text t;
	u32 at, n, size;

	if (strncmp(s, "target.xml:", 11)) {
		gdb_puts(&a->g, "E00");
		return;
	}
	at = (u32)strtoul(s + 11, &s, 16);
	n = *s == ',' ? (u32)strtoul(s + 1, NULL, 16) : 0;
	text_init_buffer(&t, xml, sizeof xml);
	gdb_arm_target_xml(a->b, &t);
	size = (u32)strlen(xml);
	at = at < size ? at : size;
	n = n < size - at ? n : size - at;
	gdb_printf(&a->g, "%s", at + n < size ? "m" : "l");
	for (u32 i = 0; i < n; i++)
		gdb_printf(&a->g, "%c", xml[at + i]);
}

static void query(struct gdb_arm *a, char *s)
{
	struct gdb *g = &a->g;

	if (!strncmp(s, "Supported", 9))
		gdb_printf(g, "PacketSize=%x;qXfer:features:read+;QStartNoAckMode+;swbreak-;hwbreak-;vContSupported+", GDB_PACKET);
	else if (!strncmp(s, "Xfer:features:read:", 19))
		features(a, s + 19);
	else if (!strcmp(s, "Attached"))
		gdb_puts(g, "1");
	else if (!strcmp(s, "C"))
		gdb_puts(g, "QC1");
	else if (!strcmp(s, "fThreadInfo"))
		gdb_puts(g, "m1");
	else if (!strcmp(s, "sThreadInfo"))
		gdb_puts(g, "l");
}

static void vcont(struct gdb_arm *a, char *s)
{
	if (!strcmp(s, "Cont?"))
		gdb_puts(&a->g, "vCont;c;C;s;S");
	else if (!strncmp(s, "Cont;", 5))
		resume(a, s[5] == 's' || s[5] == 'S');
}

static void registers_write(struct gdb_arm *a, const char *s)
{
	for (unsigned n = 0; n < GDB_ARM_REGS && *s; n++) {
		unsigned hex = 2 * gdb_arm_reg_size(a->b, n);

		if (strlen(s) < hex || !gdb_arm_reg_write(a->b, n, s)) {
			gdb_puts(&a->g, "E01");
			return;
		}
		s += hex;
	}
	gdb_puts(&a->g, "OK");
}

static void one_register_write(struct gdb_arm *a, char *s)
{
	unsigned n = (unsigned)strtoul(s, &s, 16);

	gdb_puts(&a->g, *s == '=' && gdb_arm_reg_write(a->b, gdb_arm_reg_index(n), s + 1) ? "OK" : "E01");
}

static void leave(struct gdb_arm *a)
{
	memset(a->breaks, 0, sizeof a->breaks);
	show_breaks(a);
	a->g.go = true;
}

/* False: the connection is over, without an answer. */
static bool packet(struct gdb *g, char *s, size_t len)
{
	struct gdb_arm *a = arm_of(g);

	switch (s[0]) {
	case '?': stop_reply(a); break;
	case 'g':
		for (unsigned n = 0; n < GDB_ARM_REGS; n++)
			gdb_arm_reg_read(g, a->b, n);
		break;
	case 'G': registers_write(a, s + 1); break;
	case 'p': gdb_arm_reg_read(g, a->b, gdb_arm_reg_index((unsigned)strtoul(s + 1, NULL, 16))); break;
	case 'P': one_register_write(a, s + 1); break;
	case 'm': memory_read(a, s + 1); break;
	case 'M': memory_write(a, s + 1, s + len, false); break;
	case 'X': memory_write(a, s + 1, s + len, true); break;
	case 'Z': breakpoint(a, s + 1, true); break;
	case 'z': breakpoint(a, s + 1, false); break;
	case 'c': resume(a, false); break;
	case 's': resume(a, true); break;
	case 'v': vcont(a, s + 1); break;
	case 'H':
	case 'T': gdb_puts(g, "OK"); break;
	case 'q': query(a, s + 1); break;
	case 'Q':
		if (!strcmp(s, "QStartNoAckMode")) {
			gdb_puts(g, "OK");
			g->noack = true;
		}
		break;
	case 'D':
		gdb_puts(g, "OK");
		leave(a);
		break;
	case 'k':
		a->over = true;
		a->why = STOP_SIGNAL;
		return false;
	default: break; /* an empty answer: not known */
	}
	return true;
}

static void hung_up(struct gdb *g) { leave(arm_of(g)); }

/* ---- life ---- */

bool gdb_arm_open(struct gdb_arm *a, struct icp *b, const char *spec, struct error *err)
{
	a->b = b;
	a->from = TIME_NEVER;
	a->limit = TIME_NEVER;
	a->why = STOP_DEBUG;
	a->spy = (struct arm_spy){a, spy_insn, spy_wants, spy_access};
	a->g.packet = packet;
	a->g.hung_up = hung_up;
	b->machine.host_poll = poll_client;
	b->machine.host_arg = a;
	return gdb_open(&a->g, NULL, spec, err);
}

void gdb_arm_close(struct gdb_arm *a) { gdb_close(&a->g); }

enum stop gdb_arm_run(struct gdb_arm *a, bool wait, struct error *err)
{
	bool stands = wait;

	a->err = err;
	while (!a->over) {
		if (stands || gdb_connected(&a->g)) {
			a->g.go = false;
			gdb_serve(&a->g);
			if (a->g.go)
				stands = false;
			else if (!a->over)
				gdb_wait(&a->g, WAIT_MS);
			if (a->b->machine.interrupted) {
				a->over = true;
				a->why = STOP_SIGNAL;
			}
		} else {
			run(a, 0);
		}
		a->g.go = false;
	}
	return a->why;
}
