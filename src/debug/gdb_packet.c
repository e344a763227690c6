/* The stub's packets: threads, memory, queries. GDB manual, E.2 (packets), E.4 (queries). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/gdb.h"

/* ---- processes and threads ---- */

static struct guest *guest_of(struct gdb *g, unsigned pid) { return pid >= 2 && pid - 2 < g->d->worlds.guests ? &g->d->worlds.guest[pid - 2] : NULL; }

bool gdb_view(struct gdb *g, unsigned pid, unsigned tid, struct view *v)
{
	struct guest *guest = guest_of(g, pid);
	unsigned cpu = tid ? tid - 1 : guest ? guest->cpu : 0;

	if (cpu >= g->d->t->cpus || (pid > 1 && !guest))
		return false;
	if (guest) /* a guest is where it ran last */
		return view_get(&g->d->worlds, guest->cpu, VIEW_GUEST, guest->vmcb, v);
	return view_get(&g->d->worlds, cpu, VIEW_HOST, 0, v);
}

static bool present(struct gdb *g, struct view *v) { return gdb_view(g, gdb_pid(g), g->g_tid, v); }

/* "p1.2", "1", "-1", "p2.-1"; 0: any, all. Returns what follows. */
static char *thread_id(char *s, unsigned *pid, unsigned *tid)
{
	*pid = 1;
	*tid = 0;
	if (*s == 'p') {
		*pid = (unsigned)strtoul(s + 1, &s, 16);
		if (*s != '.')
			return s;
		s++;
	}
	if (s[0] == '-' && s[1] == '1')
		return s + 2;
	*tid = (unsigned)strtoul(s, &s, 16);
	return s;
}

static void put_thread(struct gdb *g, unsigned pid, unsigned tid)
{
	if (g->multiprocess)
		gdb_printf(g, "p%x.%x", pid, tid);
	else
		gdb_printf(g, "%x", tid);
}

static void all_threads(struct gdb *g)
{
	gdb_puts(g, "m");
	for (unsigned i = 0; i < g->d->t->cpus; i++) {
		gdb_puts(g, i ? "," : "");
		put_thread(g, 1, i + 1);
	}
	for (unsigned i = 0; g->multiprocess && i < g->d->worlds.guests; i++) {
		if (g->detached >> (i + 2) & 1 || !(g->told >> (i + 2) & 1))
			continue;
		gdb_puts(g, ",");
		put_thread(g, i + 2, g->d->worlds.guest[i].cpu + 1);
	}
}

static void thread_text(struct gdb *g, char *id)
{
	unsigned pid, tid;
	struct view v;
	char text[100];

	thread_id(id, &pid, &tid);
	if (!gdb_view(g, pid, tid, &v)) {
		gdb_puts(g, "E01");
		return;
	}
	if (v.guest)
		snprintf(text, sizeof text, "cpu%u guest, VMCB %llx%s", v.id, (unsigned long long)v.vmcb, v.live ? "" : ", not running");
	else
		snprintf(text, sizeof text, "cpu%u host%s", v.id, v.live ? "" : ", in VMRUN");
	gdb_hex(g, text, strlen(text));
}

/* ---- memory ---- */

static bool addr_size(char *s, u64 *addr, u64 *size, char **end)
{
	char *p;

	*addr = strtoull(s, &p, 16);
	if (p == s || *p != ',')
		return false;
	s = p + 1;
	*size = strtoull(s, end, 16);
	return *end != s;
}

static void read_memory(struct gdb *g, char *args)
{
	u8 buf[GDB_PACKET / 2];
	u64 addr, size;
	struct view v;
	char *end;
	size_t n;

	if (!addr_size(args, &addr, &size, &end) || !present(g, &v)) {
		gdb_puts(g, "E01");
		return;
	}
	n = view_read(&v, LEVEL_V, addr, buf, size < sizeof buf ? (size_t)size : sizeof buf);
	if (!n && size)
		gdb_puts(g, "E14");
	else
		gdb_hex(g, buf, n);
}

static void write_memory(struct gdb *g, char *args, size_t len, bool binary)
{
	u8 buf[GDB_PACKET];
	u64 addr, size;
	struct view v;
	char *end, *start = args;

	if (!addr_size(args, &addr, &size, &end) || *end != ':' || size > sizeof buf || !present(g, &v)) {
		gdb_puts(g, "E01");
		return;
	}
	end++;
	if (binary ? (size_t)(end - start) + size > len : !gdb_unhex(end, buf, (size_t)size)) {
		gdb_puts(g, "E01");
		return;
	}
	if (binary)
		memcpy(buf, end, (size_t)size);
	gdb_puts(g, view_write(&v, LEVEL_V, addr, buf, (size_t)size) == size ? "OK" : "E14");
}

/* ---- the monitor ---- */

static void put_console(struct text *t, const char *s, size_t n)
{
	struct gdb *g = t->arg;

	for (size_t i = 0; i < n && g->out_used + 16 < sizeof g->out; i++)
		gdb_hex(g, s + i, 1);
}

static void monitor_command(struct gdb *g, const char *hex)
{
	struct text out = {.put = put_console, .arg = g};
	char line[1024];
	size_t n = strlen(hex) / 2;
	struct debugger *d = g->d;
	struct view v;

	if (n >= sizeof line || !gdb_unhex(hex, line, n)) {
		gdb_puts(g, "E01");
		return;
	}
	line[n] = 0;
	monitor_init(&g->monitor, d, &out);
	g->monitor.remote = true;
	g->monitor.stat = g->stat;
	if (present(g, &v)) { /* what GDB looks at is what the monitor looks at */
		d->cpu = v.id;
		d->world = v.guest ? VIEW_GUEST : VIEW_HOST;
		d->vmcb = v.guest ? v.vmcb : 0;
	}
	monitor_execute(&g->monitor, line);
	if (!strncmp(line, "guests", 6)) /* asked for: from now on they are listed */
		g->told = ~0u;
	d->world = VIEW_NOW;
	if (g->out_used == 1)
		gdb_puts(g, "OK");
}

/* ---- queries ---- */

static bool begins(char **s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*s, word, n))
		return false;
	*s += n;
	return true;
}

static void supported(struct gdb *g, const char *offers)
{
	g->told = ~0u >> (30 - (g->d->worlds.guests < 30 ? g->d->worlds.guests : 30));
	g->multiprocess = strstr(offers, "multiprocess+") != NULL;
	gdb_printf(g,
		   "PacketSize=%x;multiprocess+;swbreak+;hwbreak+;QStartNoAckMode+;qXfer:features:read+;qXfer:exec-file:read+;"
		   "qXfer:memory-map:read+;vContSupported+;ConditionalBreakpoints+",
		   GDB_PACKET);
}

static void query(struct gdb *g, char *s)
{
	unsigned pid, tid;

	if (begins(&s, "Supported"))
		supported(g, s);
	else if (begins(&s, "fThreadInfo"))
		all_threads(g);
	else if (begins(&s, "sThreadInfo"))
		gdb_puts(g, "l");
	else if (begins(&s, "ThreadExtraInfo,"))
		thread_text(g, s);
	else if (begins(&s, "Attached"))
		gdb_puts(g, "1");
	else if (begins(&s, "Rcmd,"))
		monitor_command(g, s);
	else if (begins(&s, "Xfer:")) {
		if (!gdb_xfer(g, s))
			g->out_used = 1; /* not supported */
	} else if (begins(&s, "Symbol:"))
		gdb_puts(g, "OK");
	else if (!strcmp(s, "C")) {
		pid = gdb_live_pid(g, g->d->cpu);
		tid = g->d->cpu + 1;
		gdb_puts(g, "QC");
		put_thread(g, pid, tid);
	}
}

/* ---- the packet ---- */

static void select_thread(struct gdb *g, char *s)
{
	unsigned pid, tid;
	struct view v;
	char op = *s;

	if (!op) {
		gdb_puts(g, "E01");
		return;
	}
	thread_id(s + 1, &pid, &tid);
	if (pid && !gdb_view(g, pid, tid, &v)) {
		gdb_puts(g, "E01");
		return;
	}
	if (op == 'g') {
		g->g_pid = pid;
		g->g_tid = tid;
	}
	gdb_puts(g, "OK");
}

/* D;PID leaves one process; the machine goes on when all are left. */
static void detach(struct gdb *g, char *s)
{
	unsigned pid = *s == ';' ? (unsigned)strtoul(s + 1, NULL, 16) : 0, all = 2;

	if (pid && pid < 32)
		g->detached |= 1u << pid;
	for (unsigned i = 0; i < g->d->worlds.guests; i++)
		all |= 4u << i;
	for (struct breakpoint *b = g->d->breaks, *next; b; b = next) {
		next = b->next;
		if (b->hidden && !b->temporary && (!pid || (b->world == VIEW_HOST) == (pid == 1)))
			debugger_delete(g->d, b);
	}
	g->go = !pid || (g->detached & all) == all;
	gdb_puts(g, "OK");
}

static void alive(struct gdb *g, char *s)
{
	unsigned pid, tid;
	struct view v;

	thread_id(s, &pid, &tid);
	gdb_puts(g, pid && gdb_view(g, pid, tid, &v) ? "OK" : "E01");
}

static void v_packet(struct gdb *g, char *s)
{
	if (begins(&s, "Cont?"))
		gdb_puts(g, "vCont;c;C;s;S;r");
	else if (begins(&s, "Cont;"))
		gdb_resume(g, s);
	else if (begins(&s, "Kill")) {
		g->d->quit = true;
		gdb_puts(g, "OK");
	}
}

/* OK, or an error with words, which GDB shows. */
static void said(struct gdb *g, bool good, const struct error *err)
{
	gdb_puts(g, good ? "OK" : "E.");
	for (const char *p = good ? "" : err->msg; *p; p++)
		if (!strchr("#$}*", *p)) /* framing */
			gdb_printf(g, "%c", *p);
}

bool gdb_packet(struct gdb *g, char *s, size_t len)
{
	char op = *s++;
	struct error err;

	switch (op) {
	case '?': gdb_stop_reply(g); break;
	case 'g': gdb_registers_read(g); break;
	case 'G': said(g, gdb_registers_write(g, s, &err), &err); break;
	case 'p':
		if (!gdb_register_read(g, (unsigned)strtoul(s, NULL, 16)))
			gdb_puts(g, "E01");
		break;
	case 'P': {
		unsigned n = (unsigned)strtoul(s, &s, 16);

		said(g, *s == '=' ? gdb_register_write(g, n, s + 1, &err) : error_set(&err, "malformed"), &err);
		break;
	}
	case 'm': read_memory(g, s); break;
	case 'M': write_memory(g, s, len - 1, false); break;
	case 'X': write_memory(g, s, len - 1, true); break;
	case 'H': select_thread(g, s); break;
	case 'T': alive(g, s); break;
	case 'Z':
	case 'z': gdb_breakpoint(g, s, op == 'Z'); break;
	case 'c':
	case 's':
	case 'C':
	case 'S': {
		char action[8];

		if (*s && (op == 'c' || op == 's')) { /* from another address: set the register instead */
			gdb_puts(g, "E01");
			break;
		}
		snprintf(action, sizeof action, "%c", op | 0x20);
		gdb_resume(g, action);
		break;
	}
	case 'D': detach(g, s); break;
	case 'k': g->d->quit = true; return false;
	case 'q': query(g, s); break;
	case 'Q':
		if (!strcmp(s, "StartNoAckMode")) {
			gdb_puts(g, "OK");
			g->noack = true;
		}
		break;
	case 'v': v_packet(g, s); break;
	default: break; /* an empty answer: not supported */
	}
	return true;
}
