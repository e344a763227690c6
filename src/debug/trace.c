/* See trace.h. The format is Google's "Trace Event Format": X complete, i instant, M metadata events; ts and dur in microseconds. */
#include "debug/trace.h"

#include <errno.h>

#include "debug/dump.h"
#include "debug/fault_arm.h"
#include "debug/regs.h"
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

/* In microseconds: the time of an event that happens now. */
static double when(const struct trace *t, const struct event *e) { return (double)t->hub->t->ops->now(t->hub->t, e->cpu) / 1000.0; }

/* A process for each CPU, a thread for each of its tracks. No number is 0, which Perfetto takes for an idle process, or used twice. */
static int pid_of(unsigned cpu) { return (int)cpu + 1; }
static int tid_of(unsigned cpu, unsigned track) { return ((int)cpu + 1) * 100 + (int)track; }

static void name_track(struct trace *t, unsigned cpu, unsigned track, const char *name)
{
	put(t, json_pack("{s:s,s:s,s:i,s:i,s:{s:s}}", "name", "thread_name", "ph", "M", "pid", pid_of(cpu), "tid",
			 tid_of(cpu, track), "args", "name", name));
}

/* ---- ARM: a track for each mode ---- */

static unsigned mode_track(u32 psr) { return (psr & 15) + 1; }

static void name_modes(struct trace *t)
{
	static const u32 modes[] = {MODE_USR, MODE_FIQ, MODE_IRQ, MODE_SVC, MODE_ABT, MODE_UND, MODE_SYS};

	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
		name_track(t, 0, mode_track(modes[i]), regs_arm_mode(modes[i]));
}

static void mode_slice(struct trace *t, double now)
{
	put(t, json_pack("{s:s,s:s,s:f,s:f,s:i,s:i}", "name", regs_arm_mode(t->mode), "ph", "X", "ts", t->mode_since, "dur", now - t->mode_since, "pid",
			 pid_of(0), "tid", tid_of(0, mode_track(t->mode))));
}

static void hear_arm(struct trace *t, const struct event *e)
{
	u32 now = t->hub->t->icp->cpu.s.cpsr;

	if (e->kind == EV_MODE) {
		mode_slice(t, when(t, e));
		t->mode = e->a;
		t->mode_since = when(t, e);
		return;
	}
	put(t, json_pack("{s:s,s:s,s:s,s:f,s:i,s:i,s:{s:o,s:o,s:o}}", "name", arm_vector_name(e->a), "ph", "i", "s", "t", "ts", when(t, e), "pid", pid_of(0),
			 "tid", tid_of(0, mode_track(now)), "args", "pc", hex(e->ip), "fsr", hex(e->b), "far", hex(e->c)));
}

/* ---- x86: a track for each world ---- */

static void name_tracks(struct trace *t)
{
	for (unsigned i = 0; i < t->hub->t->cpus; i++) {
		char name[16];

		snprintf(name, sizeof name, "cpu%u", i);
		put(t, json_pack("{s:s,s:s,s:i,s:{s:s}}", "name", "process_name", "ph", "M", "pid", pid_of(i), "args", "name", name));
		if (t->hub->t->icp) {
			name_modes(t);
			continue;
		}
		name_track(t, i, TRACK_HOST, "host");
		name_track(t, i, TRACK_GUEST, "guest");
	}
}

static void instant(struct trace *t, const struct event *e, const char *name, json_t *args)
{
	put(t, json_pack("{s:s,s:s,s:s,s:f,s:i,s:i,s:o}", "name", name, "ph", "i", "s", "t", "ts", when(t, e), "pid", pid_of(e->cpu), "tid",
			 tid_of(e->cpu, e->guest ? TRACK_GUEST : TRACK_HOST), "args", args));
}

/* From VMRUN, or from when the trace began, to now. Takes args over. */
static void guest_slice(struct trace *t, unsigned cpu, const char *name, double now, json_t *args)
{
	double since = t->guest[cpu].running ? t->guest[cpu].since : now;

	put(t, json_pack("{s:s,s:s,s:f,s:f,s:i,s:i,s:o}", "name", name, "ph", "X", "ts", since, "dur", now - since, "pid", pid_of(cpu), "tid",
			 tid_of(cpu, TRACK_GUEST), "args", args));
}

static void slice(struct trace *t, const struct event *e)
{
	struct space *mem = t->hub->t->mem;
	u64 info1 = space_peek(mem, e->b + 0x78, 8), info2 = space_peek(mem, e->b + 0x80, 8);
	char name[32];

	svm_exit_name(e->c, name, sizeof name);
	guest_slice(t, e->cpu, name, when(t, e), json_pack("{s:o,s:i,s:o,s:o,s:o,s:o}", "vmcb", hex(e->b), "asid", (int)t->guest[e->cpu].asid,
		    "entry", hex(t->guest[e->cpu].rip), "rip", hex(e->ip), "exitinfo1", hex(info1), "exitinfo2", hex(info2)));
	if (e->c == EXIT_NPF)
		instant(t, e, "NPF", json_pack("{s:o,s:o}", "gpa", hex(info2), "error", hex(info1)));
	t->guest[e->cpu].running = false;
}

static void hear(void *arg, const struct event *e)
{
	struct trace *t = arg;
	char name[32], buf[16];

	if (t->hub->t->icp) {
		hear_arm(t, e);
		return;
	}
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

/* The trace begins or ends while guests run. */
static void guests_on(struct trace *t, bool on)
{
	const struct target *target = t->hub->t;
	double now = (double)target->machine->sched.now / 1000.0;

	for (unsigned i = 0; target->pc && i < target->cpus; i++) {
		const struct svm_state *s = &target->pc->cpu[i].x86.svm;

		if (t->on && !on && t->guest[i].running)
			guest_slice(t, i, "no #VMEXIT yet", now > t->guest[i].since ? now : t->guest[i].since,
				    json_pack("{s:o,s:i,s:o}", "vmcb", hex(s->vmcb_pa), "asid", (int)t->guest[i].asid, "entry", hex(t->guest[i].rip)));
		t->guest[i].running = on && (t->on ? t->guest[i].running : s->guest);
		if (on && !t->on) {
			t->guest[i].since = now;
			t->guest[i].asid = s->asid;
			t->guest[i].rip = target->pc->cpu[i].x86.rip;
		}
	}
}

void trace_enable(struct trace *t, bool on)
{
	const u32 worlds = t->hub->t->icp ? BIT(EV_MODE) : BIT(EV_VMRUN) | BIT(EV_VMEXIT);

	if (!on && t->on && t->hub->t->icp)
		mode_slice(t, (double)t->hub->t->machine->sched.now / 1000.0);
	guests_on(t, on);
	if (on && !t->on && t->hub->t->icp) {
		t->mode = t->hub->t->icp->cpu.s.cpsr;
		t->mode_since = (double)t->hub->t->machine->sched.now / 1000.0;
	}
	t->on = on;
	hub_listen(t->hub, t->ear, on ? worlds | BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT) : 0);
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
	trace_enable(t, false);
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
