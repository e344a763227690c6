/* See trace.h. The format is Google's "Trace Event Format": X complete, i instant, M metadata events; ts and dur in microseconds. */
#include "debug/trace.h"

#include <errno.h>

#include "debug/dump.h"
#include "svm/explain.h"
#include "svm/vmcb.h"

#ifdef HAVE_JANSSON
#include <jansson.h>

enum { TRACK_HOST = 1, TRACK_GUEST };
#define EXIT_NPF 0x400

const char *trace_library(void) { return "jansson " JANSSON_VERSION; }

static void put(struct trace *t, json_t *o)
{
	fputs(t->any ? ",\n" : "[\n", t->f);
	t->any = true;
	json_dumpf(o, t->f, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(o);
}

static json_t *hex(u64 v)
{
	char buf[24];

	snprintf(buf, sizeof buf, "0x%llx", (unsigned long long)v);
	return json_string(buf);
}

/* Virtual time of an event: the CPU's slice began at sched.now. */
static double when(const struct trace *t, const struct event *e)
{
	const struct machine *m = &t->hub->pc->machine;

	return (double)(m->sched.now + (e->icount - m->s.icount)) / 1000.0;
}

static void name_tracks(struct trace *t)
{
	for (unsigned i = 0; i < t->hub->pc->cfg.cpus; i++) {
		char name[16];

		snprintf(name, sizeof name, "cpu%u", i);
		put(t, json_pack("{s:s,s:s,s:i,s:{s:s}}", "name", "process_name", "ph", "M", "pid", (int)i, "args", "name", name));
		put(t, json_pack("{s:s,s:s,s:i,s:i,s:{s:s}}", "name", "thread_name", "ph", "M", "pid", (int)i, "tid", TRACK_HOST, "args",
				 "name", "host"));
		put(t, json_pack("{s:s,s:s,s:i,s:i,s:{s:s}}", "name", "thread_name", "ph", "M", "pid", (int)i, "tid", TRACK_GUEST, "args",
				 "name", "guest"));
	}
}

static void instant(struct trace *t, const struct event *e, const char *name, json_t *args)
{
	put(t, json_pack("{s:s,s:s,s:s,s:f,s:i,s:i,s:o}", "name", name, "ph", "i", "s", "t", "ts", when(t, e), "pid", (int)e->cpu, "tid",
			 e->guest ? TRACK_GUEST : TRACK_HOST, "args", args));
}

static void slice(struct trace *t, const struct event *e)
{
	const struct space *mem = &t->hub->pc->mem;
	u64 info1 = space_peek((struct space *)mem, e->b + 0x78, 8), info2 = space_peek((struct space *)mem, e->b + 0x80, 8);
	double now = when(t, e), since = t->guest[e->cpu].running ? t->guest[e->cpu].since : now;
	char name[32];

	svm_exit_name(e->c, name, sizeof name);
	put(t, json_pack("{s:s,s:s,s:f,s:f,s:i,s:i,s:{s:o,s:i,s:o,s:o,s:o,s:o}}", "name", name, "ph", "X", "ts", since, "dur", now - since,
			 "pid", (int)e->cpu, "tid", TRACK_GUEST, "args", "vmcb", hex(e->b), "asid", (int)t->guest[e->cpu].asid, "entry",
			 hex(t->guest[e->cpu].rip), "rip", hex(e->ip), "exitinfo1", hex(info1), "exitinfo2", hex(info2)));
	if (e->c == EXIT_NPF)
		instant(t, e, "NPF", json_pack("{s:o,s:o}", "gpa", hex(info2), "error", hex(info1)));
	t->guest[e->cpu].running = false;
}

static void hear(void *arg, const struct event *e)
{
	struct trace *t = arg;
	char name[32], buf[16];

	switch (e->kind) {
	case EV_VMRUN:
		t->guest[e->cpu].running = true;
		t->guest[e->cpu].since = when(t, e);
		t->guest[e->cpu].asid = e->a;
		t->guest[e->cpu].rip = e->c;
		break;
	case EV_VMEXIT: slice(t, e); break;
	case EV_EXCEPTION:
		instant(t, e, exception_name(e->a & 0xff, buf, sizeof buf), json_pack("{s:o,s:o,s:o}", "rip", hex(e->ip), "error", hex(e->b),
			"address", hex(e->c)));
		break;
	case EV_INTERRUPT:
		snprintf(name, sizeof name, "interrupt %02xh", e->a & 0xff);
		instant(t, e, name, json_pack("{s:o}", "rip", hex(e->ip)));
		break;
	default: break;
	}
}

void trace_enable(struct trace *t, bool on)
{
	t->on = on;
	hub_listen(t->hub, t->ear, on ? BIT(EV_VMRUN) | BIT(EV_VMEXIT) | BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT) : 0);
	for (unsigned i = 0; !on && i < PC_CPUS; i++)
		t->guest[i].running = false;
}

bool trace_open(struct trace *t, struct hub *hub, const char *path, struct error *err)
{
	memset(t, 0, sizeof *t);
	t->hub = hub;
	t->path = path;
	t->f = fopen(path, "w");
	if (!t->f)
		return error_set(err, "%s: %s", path, strerror(errno));
	t->ear = hub_add(hub, hear, t);
	name_tracks(t);
	trace_enable(t, true);
	return true;
}

bool trace_close(struct trace *t, struct error *err)
{
	fputs("\n]\n", t->f);
	return fclose(t->f) == 0 || error_set(err, "%s: %s", t->path, strerror(errno));
}
#else
const char *trace_library(void) { return NULL; }
bool trace_open(struct trace *t, struct hub *hub, const char *path, struct error *err)
{
	(void)t, (void)hub;
	return error_set(err, "--trace %s: built without jansson", path);
}
void trace_enable(struct trace *t, bool on) { (void)t, (void)on; }
bool trace_close(struct trace *t, struct error *err)
{
	(void)t, (void)err;
	return true;
}
#endif
