/*
 * See machine.h. The run loop: whose turn it is, how far it may go (the next timer, the end of the turn), what to do
 * when all CPUs sleep. Host time is looked at only to ask for input and to keep --limit-seconds.
 */
#include "machine/machine.h"

#include <time.h>

#define POLL_NS     4000000u /* host time between two looks for input */
#define POLL_SLICES 64       /* and between two looks at the clock: slices, instructions */
#define POLL_INSNS  200000u
#define NS_PER_MS   1000000u
#define IDLE_FREE_NS (10 * NS_PER_SEC) /* virtual time that an idle machine may skip while it could get input */
#define HOST_WAIT_MS 20 /* the longest sleep while a debugger or a window wants to be asked */
#define PACE_SLACK   NS_PER_MS

static const struct {
	int status; /* exit status */
	const char *text;
} stops[STOP_COUNT] = {
	[STOP_NONE] = {0, "still running"},           [STOP_UNTIL] = {8, "instruction limit reached"},
	[STOP_POWER_OFF] = {0, "powered off"},        [STOP_DEBUG_EXIT] = {1, "isa-debug-exit written"},
	[STOP_RESET] = {16, "reset by the guest"},    [STOP_TRIPLE_FAULT] = {6, "triple fault"},
	[STOP_TIME] = {10, "time limit reached"},     [STOP_HALTED] = {12, "all CPUs halted for ever"},
	[STOP_UNIMPLEMENTED] = {14, "unimplemented"}, [STOP_SIGNAL] = {18, "ended by a signal"},
	[STOP_IMAGE] = {4, "kernel not loaded"},
	[STOP_SEMIHOST] = {0, "semihosting exit"},
	[STOP_CLOSED] = {22, "window closed"},
	[STOP_DEBUG] = {20, "stopped by the debugger"},
};

const struct field machine_fields[] = {
	FIELD_DEC(struct machine_state, icount),
	FIELD_DEC(struct machine_state, turn_cpu),
	FIELD_DEC(struct machine_state, turn_left),
};
const size_t machine_fields_n = ARRAY_SIZE(machine_fields);

int machine_exit_status(const struct machine *m, enum stop why)
{
	return why == STOP_DEBUG_EXIT || why == STOP_SEMIHOST ? (int)(m->status & 0xff) : stops[why].status;
}

const char *machine_stop_text(enum stop why) { return stops[why].text; }

void machine_init(struct machine *m, const struct board_ops *board, void *board_arg)
{
	memset(m, 0, sizeof *m);
	sched_init(&m->sched);
	m->board = board;
	m->board_arg = board_arg;
	m->s.turn_left = MACHINE_TURN;
}

void machine_add_cpu(struct machine *m, const struct cpu_ops *ops, void *cpu)
{
	m->cpu[m->cpus++] = (struct machine_cpu){.ops = ops, .cpu = cpu};
}

void machine_reset(struct machine *m)
{
	m->board->reset(m->board_arg);
	for (unsigned i = 0; i < m->cpus; i++)
		m->cpu[i].idle = false;
	m->s.turn_cpu = 0;
	m->s.turn_left = MACHINE_TURN;
}

void machine_stop(struct machine *m, enum stop why)
{
	if (!m->stop)
		m->stop = why;
	m->sched.kick = true;
}

void machine_look_soon(struct machine *m)
{
	m->unseen_slices = POLL_SLICES;
	m->host_seen = 0;
}

void machine_interrupt(struct machine *m) { m->interrupted = 1; }

void machine_wake(struct machine *m, unsigned n)
{
	m->cpu[n].idle = false;
	if (n != m->s.turn_cpu)
		m->sched.kick = true; /* a CPU that ran alone has to share again */
}

u64 machine_hash(const struct machine *m)
{
	u64 h = field_hash(machine_fields, machine_fields_n, &m->s, m->sched.now);

	for (unsigned i = 0; i < m->cpus; i++)
		h = m->cpu[i].ops->hash(m->cpu[i].cpu, h);
	return m->board->hash(m->board_arg, h);
}

/* ---- the host ---- */

static u64 lower(u64 a, u64 b) { return a < b ? a : b; }

static u64 host_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t); /* a few ns; a few ms exact */
	return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

static u64 time_left(const struct machine *m, u64 now)
{
	u64 used = m->time_used + (now - m->time_start);

	return !m->time_limit ? TIME_NEVER : used >= m->time_limit ? 0 : m->time_limit - used;
}

/* The clock itself is asked once in a while only. */
static bool host_due(struct machine *m)
{
	if (++m->unseen_slices < POLL_SLICES && m->s.icount - m->unseen_since < POLL_INSNS)
		return false;
	m->unseen_slices = 0;
	m->unseen_since = m->s.icount;
	return true;
}

/* How long one may sleep, in ms: until the time limit, or the next question of those who want to be asked. */
static int wait_limit(const struct machine *m, u64 ns)
{
	u64 left = lower(ns, time_left(m, host_now()));

	left = lower(left, (m->host_poll || m->window ? HOST_WAIT_MS : 1000) * (u64)NS_PER_MS);
	return (int)(left / NS_PER_MS + (left % NS_PER_MS != 0));
}

/* --realtime, and virtual time is ahead of the wall clock. */
static void host_pace(struct machine *m)
{
	u64 ahead = m->sched.now - pace_now(&m->pace, m->sched.now);

	if ((s64)ahead > (s64)PACE_SLACK)
		input_wait(&m->input, wait_limit(m, ahead));
}

static void host_look(struct machine *m)
{
	u64 now;

	if (m->interrupted)
		machine_stop(m, STOP_SIGNAL);
	if (!host_due(m))
		return;
	if (m->pace.on)
		host_pace(m);
	now = host_now();
	if (now - m->host_seen < POLL_NS)
		return;
	m->host_seen = now;
	if (m->host_poll)
		m->host_poll(m->host_arg);
	if (m->window)
		m->window(m->window_arg);
	input_flush(&m->input);
	input_poll(&m->input, m->sched.now, m->s.icount);
	if (!time_left(m, now))
		machine_stop(m, STOP_TIME);
}

/* ---- turns ---- */

static bool cpu_idle(const struct machine_cpu *c) { return c->idle && !c->ops->awake(c->cpu); }

/* The CPU whose turn it is; those that sleep are passed over. NULL: all sleep. */
static struct machine_cpu *turn_take(struct machine *m)
{
	if (!m->s.turn_left) {
		m->s.turn_cpu = (m->s.turn_cpu + 1) % m->cpus;
		m->s.turn_left = MACHINE_TURN;
	}
	for (unsigned i = 0; i < m->cpus; i++) {
		unsigned n = (m->s.turn_cpu + i) % m->cpus;

		if (cpu_idle(&m->cpu[n]))
			continue;
		if (i) {
			m->s.turn_cpu = n;
			m->s.turn_left = MACHINE_TURN;
		}
		return &m->cpu[n];
	}
	return NULL;
}

static bool turn_shared(const struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++)
		if (i != m->s.turn_cpu && !cpu_idle(&m->cpu[i]))
			return true;
	return false;
}

/* A CPU that runs alone takes turn after turn: what is left is the same as if each had been taken by itself. */
static void turn_used(struct machine *m, u64 insns)
{
	u64 rest = (MACHINE_TURN - m->s.turn_left + insns) % MACHINE_TURN;

	if (insns)
		m->s.turn_left = rest ? (u32)(MACHINE_TURN - rest) : 0;
}

static u64 slice_size(const struct machine *m, u64 until)
{
	u64 n = lower(MACHINE_SLICE, until - m->s.icount);

	n = lower(n, sched_next(&m->sched) - m->sched.now);
	if (m->tick.period)
		n = lower(n, m->tick.next - m->sched.now);
	if (turn_shared(m))
		n = lower(n, m->s.turn_left);
	return m->stepwise ? 1 : n;
}

static void slice_run(struct machine *m, struct machine_cpu *c, const struct machine_state *before, u64 until)
{
	enum cpu_stop why;
	u64 ran;

	m->sched.kick = false;
	m->sched.alone = !turn_shared(m);
	why = c->ops->run(c->cpu, slice_size(m, until));
	ran = m->s.icount - before->icount;

	m->culprit = (unsigned)(c - m->cpu);
	turn_used(m, ran);
	switch (why) {
	case CPU_BUDGET:
	case CPU_KICK: break;
	case CPU_IDLE:
		c->idle = true;
		if (!ran)
			m->s = *before; /* asking a sleeper is no turn */
		break;
	case CPU_SHUTDOWN: machine_stop(m, STOP_TRIPLE_FAULT); break;
	case CPU_UNIMPLEMENTED: machine_stop(m, STOP_UNIMPLEMENTED); break;
	}
}

/* ---- all CPUs sleep ---- */

static bool all_deaf(const struct machine *m)
{
	for (unsigned i = 0; i < m->cpus; i++)
		if (!m->cpu[i].ops->deaf(m->cpu[i].cpu))
			return false;
	return !m->board->may_nmi(m->board_arg);
}

/* Virtual time stands while the host has the word. */
static void wait_for_input(struct machine *m)
{
	input_flush(&m->input);
	if (input_poll(&m->input, m->sched.now, m->s.icount) || !input_open(&m->input))
		return;
	m->unseen_slices = POLL_SLICES; /* it may have been long */
	input_wait(&m->input, wait_limit(m, TIME_NEVER));
}

/* --realtime: sleeps towards the next timer. Input that comes before enters at the time that the wall clock says. True: the timer is
 * not due yet. */
static bool wait_for_timer(struct machine *m, u64 next)
{
	u64 at = pace_now(&m->pace, m->sched.now);

	if ((s64)(next - at) < (s64)PACE_SLACK)
		return false;
	input_flush(&m->input);
	m->unseen_slices = POLL_SLICES;
	if (input_wait(&m->input, wait_limit(m, next - at))) {
		at = lower(pace_now(&m->pace, m->sched.now), next);
		m->sched.now = (s64)(at - m->sched.now) > 0 ? at : m->sched.now;
		input_poll(&m->input, m->sched.now, m->s.icount);
	}
	return true;
}

/* Time may leap to the next timer, but not for ever while somebody outside may have something to say, and not at all while a
 * network talks: its other end lives in the host's time. What the guest sees does not depend on it. */
static bool idle_paced(struct machine *m)
{
	if (m->input.events != m->idle_events) {
		m->idle_events = m->input.events;
		m->idle_free = 0;
	}
	return input_busy(&m->input) || (m->idle_free > IDLE_FREE_NS && input_open(&m->input));
}

static u64 fine_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NS_PER_SEC + (u64)t.tv_nsec;
}

/* Sleeps some of the debt; true when nothing is left of it that poll() could sleep. */
static bool idle_slept(struct machine *m, u64 next)
{
	u64 before = fine_now(), slept;

	if (m->idle_next != next)
		m->idle_debt += next - m->sched.now;
	m->idle_next = next;
	if (m->idle_debt < NS_PER_MS)
		return true;
	input_flush(&m->input);
	m->unseen_slices = POLL_SLICES;
	if (input_poll(&m->input, m->sched.now, m->s.icount))
		return false;
	input_wait(&m->input, wait_limit(m, lower(m->idle_debt, 200 * NS_PER_MS)));
	slept = fine_now() - before;
	m->idle_debt -= lower(slept, m->idle_debt);
	if (input_poll(&m->input, m->sched.now, m->s.icount))
		m->idle_debt = 0;
	return false;
}

static void idle_skip(struct machine *m, u64 next)
{
	if (!m->pace.on && idle_paced(m)) {
		if (!idle_slept(m, next))
			return;
	} else {
		m->idle_free += next - m->sched.now;
		m->idle_debt = 0;
	}
	m->idle_next = 0;
	m->sched.now = next;
}

static void idle(struct machine *m)
{
	u64 next = sched_next(&m->sched);

	if (all_deaf(m))
		machine_stop(m, STOP_HALTED);
	else if (next != TIME_NEVER && m->pace.on && wait_for_timer(m, next))
		return;
	else if (next != TIME_NEVER)
		idle_skip(m, next);
	else if (input_open(&m->input))
		wait_for_input(m);
	else
		machine_stop(m, STOP_HALTED);
}

static void tick(struct machine *m)
{
	struct machine_tick *t = &m->tick;

	if (!t->period || m->sched.now < t->next)
		return;
	t->next = m->sched.now + t->period;
	t->look(t->arg);
}

enum stop machine_run(struct machine *m, u64 until)
{
	m->stop = STOP_NONE;
	m->time_start = host_now();
	m->unseen_slices = POLL_SLICES;
	pace_start(&m->pace, m->sched.now);
	while (!m->stop) {
		struct machine_state before;
		struct machine_cpu *c;

		host_look(m);
		sched_fire(&m->sched);
		tick(m);
		if (m->stop)
			break;
		if (m->s.icount >= until) {
			m->stop = STOP_UNTIL;
			break;
		}
		before = m->s;
		c = turn_take(m);
		if (c)
			slice_run(m, c, &before, until);
		else
			idle(m);
	}
	m->time_used += host_now() - m->time_start;
	input_flush(&m->input);
	return m->stop;
}
