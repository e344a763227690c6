/* Monitor commands about what happened: events, the reason, the callers, statistics. */
#include "debug/backtrace.h"
#include "debug/event_text.h"
#include "debug/log.h"
#include "debug/monitor.h"
#include "debug/stat.h"
#include "debug/why.h"

static void events(struct monitor *m, char *args)
{
	const struct event_log *log = &m->d->t->machine->log;
	u64 n = 20, have = log->count < EVENT_RING ? log->count : EVENT_RING;

	if (*args && (!mon_value(m, &args, &n) || !mon_end(m, args)))
		return;
	if (n > have)
		n = have;
	for (u64 i = log->count - n; i < log->count; i++)
		event_print(m->out, m->d->t, &log->ring[i % EVENT_RING]);
	if (!n)
		text_puts(m->out, "nothing was recorded (exceptions, VMRUN and #VMEXIT are; record adds others)\n");
}

static void record(struct monitor *m, char *args)
{
	struct debugger *d = m->d;
	u32 mask = 0;
	char *w;

	while ((w = mon_word(&args))) {
		enum event_kind k = EV_NONE;

		for (enum event_kind i = EV_NONE + 1; i < EV_KINDS; i++)
			if (!strcmp(event_name(i), w))
				k = i;
		if (k == EV_NONE && strcmp(w, "none")) {
			mon_fail(m, "no event is called '%s' (exc int vmrun vmexit mmio pio walk flush exec reset msr cr mode)", w);
			return;
		}
		if (k != EV_NONE && !(log_kinds(d->t->icp) >> k & 1)) {
			mon_fail(m, "%s: not on this board", w);
			return;
		}
		mask |= k == EV_NONE ? 0 : (u32)BIT(k);
	}
	d->record = mask;
	debugger_changed(d);
}

static void why(struct monitor *m, char *args)
{
	if (mon_end(m, args))
		why_print(m->d, m->out);
}

static void backtrace(struct monitor *m, char *args)
{
	if (mon_end(m, args))
		backtrace_print_all(m->d, m->out);
}

static void vmexit_stat(struct monitor *m, char *args)
{
	if (!m->stat)
		mon_fail(m, "nothing is counted here");
	else if (!strcmp(args, "reset"))
		stat_reset(m->stat);
	else if (mon_end(m, args))
		stat_print(m->stat, m->out);
}

const struct command mon_history[] = {
	{"why", NULL, "", "the rule behind the last exception or #VMEXIT, with its manual section; all failed checks of a VMRUN", why, false},
	{"backtrace", "bt", "", "who called, in both worlds across the VMRUN", backtrace, false},
	{"events", NULL, "[N]", "the last N events", events, false},
	{"record", NULL, "EVENT...|none", "record these events too (as in -d)", record, false},
	{"vmexit-stat", NULL, "[reset]", "#VMEXITs counted by reason, rip, port, MSR and guest-physical page", vmexit_stat, false},
	{0},
};
