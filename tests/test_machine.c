/*
 * Unit tests of src/machine: the run loop with scripted CPUs (turns, slices, idleness, stops), input, and the PC
 * board's memory map, interrupt wiring, local APIC pages, reset, state tables.
 */
#include "base/cover.h"
#include "machine/machine.h"
#include "machine/pc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------------- run loop */

#define TRACE 4096

/* A CPU that counts, and does what is asked for at a certain instruction of its own. */
struct fake {
	struct machine *m;
	unsigned n;
	u64 done;
	bool halted, deaf;
	u64 halt_at, wake_at, shutdown_at, unimplemented_at, power_off_at; /* 0: never */
	unsigned wake_whom;
};

static struct machine m;
static struct fake fake[4];
static u8 trace[TRACE]; /* which CPU ran each instruction */
static bool nmi_possible;

static enum cpu_stop fake_run(void *cpu, u64 budget)
{
	struct fake *f = cpu;

	while (budget-- && !f->halted && !f->m->sched.kick) {
		if (f->m->s.icount < TRACE)
			trace[f->m->s.icount] = (u8)f->n;
		f->m->s.icount++;
		f->m->sched.now++;
		f->done++;
		f->halted = f->done == f->halt_at;
		if (f->done == f->wake_at) {
			fake[f->wake_whom].halted = false;
			machine_wake(f->m, f->wake_whom);
		}
		if (f->done == f->shutdown_at)
			return CPU_SHUTDOWN;
		if (f->done == f->unimplemented_at)
			return CPU_UNIMPLEMENTED;
		if (f->done == f->power_off_at)
			machine_stop(f->m, STOP_POWER_OFF);
	}
	return f->halted ? CPU_IDLE : f->m->sched.kick ? CPU_KICK : CPU_BUDGET;
}
static bool fake_awake(const void *cpu)
{
	(void)cpu;
	return false; /* only machine_wake ends idleness */
}
static bool fake_deaf(const void *cpu) { return ((const struct fake *)cpu)->deaf; }
static u64 fake_hash(const void *cpu, u64 seed) { return seed * 31 + ((const struct fake *)cpu)->done; }

static const struct cpu_ops fake_ops = {"fake", fake_run, fake_awake, fake_deaf, fake_hash};

static void board_reset(void *b) { (void)b; }
static bool board_nmi(const void *b)
{
	(void)b;
	return nmi_possible;
}
static u64 board_hash(const void *b, u64 seed)
{
	(void)b;
	return seed;
}
static const struct board_ops fake_board = {"fake", board_reset, board_nmi, board_hash};

static void machine_with(unsigned cpus)
{
	machine_init(&m, &fake_board, NULL);
	memset(trace, 0xff, sizeof trace);
	nmi_possible = false;
	for (unsigned i = 0; i < cpus; i++) {
		fake[i] = (struct fake){.m = &m, .n = i};
		machine_add_cpu(&m, &fake_ops, &fake[i]);
	}
}

START_TEST(runs_until_exactly)
{
	machine_with(1);
	ck_assert_int_eq(machine_run(&m, 12345), STOP_UNTIL);
	ck_assert_uint_eq(m.s.icount, 12345);
	ck_assert_uint_eq(m.sched.now, 12345);
	ck_assert_int_eq(machine_run(&m, 12345), STOP_UNTIL);
	ck_assert_uint_eq(m.s.icount, 12345);
}
END_TEST

START_TEST(cpus_take_turns)
{
	machine_with(3);
	machine_run(&m, 2 * 3 * MACHINE_TURN / 3 + 500);
	for (unsigned i = 0; i < 2 * MACHINE_TURN + 500; i++)
		ck_assert_uint_eq(trace[i], i / MACHINE_TURN);
}
END_TEST

START_TEST(sleepers_are_passed_over)
{
	machine_with(3);
	fake[1].halt_at = 10;
	machine_run(&m, 4000);
	ck_assert_uint_eq(fake[1].done, 10);
	ck_assert_uint_eq(trace[MACHINE_TURN + 9], 1);
	ck_assert_uint_eq(trace[MACHINE_TURN + 10], 2);
	ck_assert_uint_eq(trace[2 * MACHINE_TURN + 10], 0);
	ck_assert_uint_eq(trace[3 * MACHINE_TURN + 10], 2);
}
END_TEST

/* A CPU that ran alone has the same rest of a turn, however many turns it took at once. */
START_TEST(waking_a_cpu_keeps_the_turns)
{
	machine_with(2);
	fake[1].halt_at = 1;
	fake[0].wake_at = 2345;
	fake[0].wake_whom = 1;
	machine_run(&m, 4000);
	/* CPU 0: a turn; CPU 1: 1; CPU 0 alone: turns end after two, three of its own */
	ck_assert_uint_eq(trace[MACHINE_TURN], 1);
	ck_assert_uint_eq(trace[MACHINE_TURN + 1], 0);
	ck_assert_uint_eq(trace[3 * MACHINE_TURN], 0);
	ck_assert_uint_eq(trace[3 * MACHINE_TURN + 1], 1);
}
END_TEST

static void scene(unsigned variant)
{
	machine_with(3);
	fake[0].wake_at = 7777;
	fake[0].wake_whom = 2;
	fake[1].halt_at = 1500;
	fake[2].halt_at = 300 + variant;
}

/* However the run is cut, who runs what is the same. */
START_TEST(cuts_do_not_show)
{
	static const u64 cuts[] = {1, 7, 999, 1000, 1001, 3333};
	static u8 whole[TRACE];
	u64 hash;

	scene(0);
	machine_run(&m, 30000);
	memcpy(whole, trace, sizeof whole);
	hash = machine_hash(&m);
	for (unsigned i = 0; i < ARRAY_SIZE(cuts); i++) {
		scene(0);
		for (u64 to = cuts[i]; to < 30000; to += cuts[i])
			machine_run(&m, to);
		machine_run(&m, 30000);
		ck_assert_mem_eq(whole, trace, sizeof whole);
		ck_assert_uint_eq(machine_hash(&m), hash);
	}
	scene(0);
	m.stepwise = true;
	machine_run(&m, 30000);
	ck_assert_mem_eq(whole, trace, sizeof whole);
	ck_assert_uint_eq(machine_hash(&m), hash);
	scene(1);
	machine_run(&m, 30000);
	ck_assert_uint_ne(machine_hash(&m), hash);
}
END_TEST

/* A snapshot does not hold who is idle: finding out again changes nothing. */
START_TEST(forgetting_who_sleeps_does_not_show)
{
	u64 hash;

	scene(0);
	machine_run(&m, 30000);
	hash = machine_hash(&m);
	scene(0);
	for (u64 to = 100; to <= 30000; to += 100) {
		machine_run(&m, to);
		for (unsigned i = 0; i < 3; i++)
			m.cpu[i].idle = false;
	}
	ck_assert_uint_eq(machine_hash(&m), hash);
}
END_TEST

static u64 fired_at, fired_icount;
static void fire_wake(void *arg, u64 now)
{
	(void)arg;
	fired_at = now;
	fired_icount = m.s.icount;
	fake[0].halted = false;
	machine_wake(&m, 0);
}

START_TEST(timers_are_exact)
{
	struct timer t;

	machine_with(2);
	timer_init(&t, &m.sched, 1, fire_wake, NULL);
	timer_arm(&t, 12345);
	machine_run(&m, 20000);
	ck_assert_uint_eq(fired_at, 12345);
	ck_assert_uint_eq(fired_icount, 12345);
}
END_TEST

START_TEST(idle_machines_jump)
{
	struct timer t;

	machine_with(1);
	fake[0].halt_at = 100;
	timer_init(&t, &m.sched, 1, fire_wake, NULL);
	timer_arm(&t, 5 * NS_PER_SEC);
	ck_assert_int_eq(machine_run(&m, 200), STOP_UNTIL);
	ck_assert_uint_eq(fired_at, 5 * NS_PER_SEC);
	ck_assert_uint_eq(fired_icount, 100);
	ck_assert_uint_eq(m.sched.now, 5 * NS_PER_SEC + 100);
}
END_TEST

START_TEST(nothing_left_is_an_end)
{
	struct timer t;

	machine_with(2);
	fake[0].halt_at = fake[1].halt_at = 5;
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_HALTED);
	ck_assert_int_eq(machine_exit_status(&m, STOP_HALTED), 12);
	ck_assert_uint_eq(m.s.icount, 10);

	/* With a timer that nobody can hear, too; but an NMI would be heard. */
	machine_with(1);
	fake[0].halt_at = 5;
	fake[0].deaf = true;
	timer_init(&t, &m.sched, 1, fire_wake, NULL);
	timer_arm(&t, 1000);
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_HALTED);
	nmi_possible = true;
	ck_assert_int_eq(machine_run(&m, 100), STOP_UNTIL);
}
END_TEST

START_TEST(stops_name_their_cpu)
{
	machine_with(2);
	fake[1].shutdown_at = 17;
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_TRIPLE_FAULT);
	ck_assert_uint_eq(m.culprit, 1);
	ck_assert_int_eq(machine_exit_status(&m, m.stop), 6);
	machine_with(2);
	fake[0].unimplemented_at = 17;
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_UNIMPLEMENTED);
	ck_assert_uint_eq(m.culprit, 0);
	ck_assert_uint_eq(m.s.icount, 17);
	machine_with(2);
	fake[0].power_off_at = 500;
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_POWER_OFF);
	ck_assert_uint_eq(m.s.icount, 500);
	ck_assert_int_eq(machine_exit_status(&m, m.stop), 0);
}
END_TEST

START_TEST(statuses_are_even_and_different)
{
	bool seen[256] = {false};

	for (int s = STOP_UNTIL; s < STOP_COUNT; s++) {
		int status = machine_exit_status(&m, s);

		if (s == STOP_DEBUG_EXIT || s == STOP_SEMIHOST) /* the guest says which */
			continue;
		ck_assert_int_eq(status % 2, 0);
		ck_assert(!seen[status]);
		seen[status] = true;
	}
	m.status = 0x123 << 1 | 1;
	ck_assert_int_eq(machine_exit_status(&m, STOP_DEBUG_EXIT), 0x47);
}
END_TEST

START_TEST(host_time_and_signals_end_it)
{
	machine_with(1);
	m.time_limit = 30000000;
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_TIME);
	machine_with(1);
	machine_interrupt(&m);
	ck_assert_int_eq(machine_run(&m, TIME_NEVER), STOP_SIGNAL);
	ck_assert_uint_eq(m.s.icount, 0);
}
END_TEST

static unsigned looks;
static u64 looked_at[10];
static void look(void *arg)
{
	(void)arg;
	if (looks < 10)
		looked_at[looks] = m.sched.now;
	looks++;
}

START_TEST(ticks_are_at_virtual_times)
{
	machine_with(1);
	looks = 0;
	m.tick = (struct machine_tick){.period = 1000, .next = 1000, .look = look};
	machine_run(&m, 3500);
	ck_assert_uint_eq(looks, 3);
	ck_assert_uint_eq(looked_at[0], 1000);
	ck_assert_uint_eq(looked_at[2], 3000);
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- input */

static char heard[16];
static unsigned heard_n, room;
static unsigned ear_room(const void *dev)
{
	(void)dev;
	return room;
}
static void ear(void *dev, u8 byte)
{
	(void)dev;
	heard[heard_n++] = (char)byte;
	room--;
}
static struct input_event recorded[16];
static unsigned records;
static void record(void *arg, const struct input_event *e)
{
	(void)arg;
	recorded[records++] = *e;
}

START_TEST(input_waits_for_room_and_is_stamped)
{
	struct bytes b = {.kind = BYTES_PTY, .listener = -1};
	struct input in = {.record = record};
	int fd[2];

	heard_n = records = 0;
	ck_assert_int_eq(pipe(fd), 0);
	b.in = fd[0];
	ck_assert(input_add(&in, &b, NULL, ear_room, ear));
	ck_assert_int_eq(write(fd[1], "abc", 3), 3);
	room = 0;
	ck_assert(!input_poll(&in, 1, 1));
	room = 2;
	ck_assert(input_poll(&in, 100, 77));
	room = 2;
	ck_assert(input_poll(&in, 200, 99));
	ck_assert_mem_eq(heard, "abc", 3);
	ck_assert_uint_eq(records, 3);
	ck_assert_uint_eq(recorded[1].now, 100);
	ck_assert_uint_eq(recorded[2].icount, 99);
	ck_assert_uint_eq(recorded[2].byte, 'c');
	ck_assert(input_open(&in));
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------- PC board */

static struct pc *pc;
static struct pc_config cfg;

static void board(u64 ram, unsigned cpus)
{
	struct error err = {""};

	ck_assert(cover_from_environment(&err));
	if (!pc)
		pc = malloc(sizeof *pc);
	cfg = (struct pc_config){
		.ram_size = ram, .cpus = cpus, .uarts = 2, .vga = true, .testdev = true, .debug_exit = true};
	cfg.debug_exit_base = 0xf4;
	cfg.debug_exit_size = 4;
	ck_assert(x86_model_parse(&cfg.model, "zen", &err));
	ck_assert_msg(pc_init(pc, &cfg, &err), "%s", err.msg);
}

static void setup(void) { board(16 << 20, 2); }
static void teardown(void)
{
	pc_free(pc);
	free(pc);
	pc = NULL;
}

static void out(u16 port, unsigned size, u32 val) { space_write(&pc->io, port, size, val); }
static u32 in(u16 port, unsigned size) { return (u32)space_read(&pc->io, port, size); }

START_TEST(ram_is_split_below_4g)
{
	teardown();
	board(3ull << 30, 1);
	ck_assert_uint_eq(pc->ram_low, 3ull << 30);
	ck_assert_uint_eq(pc->ram_high, 0);
	teardown();
	board(4ull << 30, 1);
	ck_assert_uint_eq(pc->ram_low, 3ull << 30);
	ck_assert_uint_eq(pc->ram_high, 1ull << 30);
	space_write(&pc->mem, PC_RAM_HIGH, 8, 0x1122334455667788);
	ck_assert_uint_eq(space_read(&pc->mem, PC_RAM_HIGH, 8), 0x1122334455667788);
	ck_assert_uint_eq(space_read(&pc->mem, 3ull << 30, 4), 0xffffffff);
	teardown();
	board(64ull << 30, 16);
	space_write(&pc->mem, (65ull << 30) - 8, 8, 5);
	ck_assert_uint_eq(space_read(&pc->mem, (65ull << 30) - 8, 8), 5);
}
END_TEST

static const struct {
	u64 base;
	const char *name;
} memory_map[] = {
	{0, "ram"},
	{0x9ffff, "ram"},
	{0xa0000, "vga-memory"},
	{0xb7fff, "vga-memory"},
	{0xb8000, "vga-text"},
	{0xbffff, "vga-text"},
	{0xc0000, "isa-rom"},
	{0xf0000, "isa-rom"},
	{0x100000, "ram"},
	{0xfec00000, "ioapic"},
	{0xfed00000, "hpet"},
	{0xfee00000, "lapic"},
	{0xff000000, "pc-testdev-mem"},
	{0xfffffff0, "bios"},
};

START_TEST(memory_map_is_a_pc)
{
	struct region *r = space_find(&pc->mem, memory_map[_i].base);

	ck_assert_ptr_nonnull(r);
	ck_assert_str_eq(r->ops ? r->ops->name : r->name, memory_map[_i].name);
}
END_TEST

static const struct {
	u16 port;
	const char *name; /* NULL: nobody */
} port_map[] = {
	{0x20, "pic-master"},
	{0x40, NULL},
	{0x60, NULL},
	{0x3f8, "uart"},
	{0x2ff, "uart"},
	{0x3e8, "-"},
	{0xf4, "isa-debug-exit"},
	{0xe8, "pc-testdev"},
	{0xe4, "pc-testdev-flush"},
	{0x2000, "pc-testdev-irq"},
	{0x600, "-"}, /* until PMBA says so */
	{0xafe0, "acpi-gpe"},
	{0xb100, "smbus"},
	{0x510, NULL},
	{0xcf8, "pci-address"},
	{0xcff, "pci-data"},
	{0xcf9, "reset-control"},
	{0x1f0, "ata"},
	{0x376, "ata-control"},
};

/* "-": nobody; NULL: somebody. */
START_TEST(port_map_is_a_pc)
{
	struct region *r = space_find(&pc->io, port_map[_i].port);

	if (port_map[_i].name && !strcmp(port_map[_i].name, "-"))
		ck_assert_ptr_null(r);
	else
		ck_assert_ptr_nonnull(r);
	if (r && port_map[_i].name && *port_map[_i].name != 'u' && strncmp(port_map[_i].name, "pic", 3))
		ck_assert_str_eq(r->ops->name, port_map[_i].name);
}
END_TEST

START_TEST(fields_cover_the_states)
{
	ck_assert_int_eq(field_gap(machine_fields, machine_fields_n, sizeof(struct machine_state)), -1);
	ck_assert_int_eq(field_gap(pc_fields, pc_fields_n, sizeof(struct pc_state)), -1);
	ck_assert_int_eq(field_gap(x86_fields, x86_fields_n, offsetof(struct x86_cpu, derived)), -1);
}
END_TEST

/* Every byte of state is in the hash: a change anywhere changes it. */
START_TEST(every_part_is_hashed)
{
	u64 before = machine_hash(&pc->machine);

	for (size_t i = 0; i < pc_parts_n; i++) {
		const struct field *f = &pc_parts[i].fields[0];
		u8 *p = (u8 *)pc + pc_parts[i].off + f->off;

		*p ^= 0x40;
		ck_assert_msg(machine_hash(&pc->machine) != before, "%s is not hashed", pc_parts[i].name);
		*p ^= 0x40;
	}
	ck_assert_uint_eq(machine_hash(&pc->machine), before);
	space_write(&pc->mem, 0x123456, 1, 1);
	ck_assert_uint_ne(machine_hash(&pc->machine), before);
	space_write(&pc->mem, 0x123456, 1, 0);
	ck_assert_uint_eq(machine_hash(&pc->machine), before);
	pc->cpu[1].lapic.s.ldr = 1;
	ck_assert_uint_ne(machine_hash(&pc->machine), before);
}
END_TEST

/* Vectors 20h-2Fh, all unmasked. */
static void pic_on(void)
{
	static const u16 writes[][2] = {{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 1}, {0xa0, 0x11},
					{0xa1, 0x28}, {0xa1, 2},    {0xa1, 1}, {0x21, 0}, {0xa1, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
		out(writes[i][0], 1, writes[i][1]);
	lapic_virtual_wire(&pc->cpu[0].lapic);
}

START_TEST(isa_lines_reach_the_pic)
{
	const struct x86_board *b = &pc->cpu[0].x86.board;

	pic_on();
	ck_assert(!b->intr(pc, 0));
	out(0x2000 + _i, 1, 1);
	ck_assert(b->intr(pc, 0));
	ck_assert(!b->intr(pc, 1));
	ck_assert(pc->cpu[0].x86.pending & PEND_INTR);
	ck_assert_int_eq(b->intack(pc, 0), 0x20 + _i);
	ck_assert(!b->intr(pc, 0));
	ck_assert_int_eq(b->intack(pc, 0), -1);
}
END_TEST

static void ioapic_write(unsigned reg, u32 val)
{
	space_write(&pc->mem, IOAPIC_BASE, 4, reg);
	space_write(&pc->mem, IOAPIC_BASE + 0x10, 4, val);
}

START_TEST(lines_reach_the_ioapic)
{
	const struct x86_board *b = &pc->cpu[0].x86.board;
	unsigned pin = _i == 0 ? 2 : (unsigned)_i;

	irq_set(&pc->pit.out0, false); /* high at power-on, and it shares pin 2 */
	lapic_virtual_wire(&pc->cpu[1].lapic);
	ioapic_write(0x10 + 2 * pin, 0x60 + pin);
	ioapic_write(0x11 + 2 * pin, 1u << 24); /* to CPU 1 */
	out(0x2000 + (u16)_i, 1, 1);
	ck_assert(b->intr(pc, 1));
	ck_assert(!b->intr(pc, 0));
	ck_assert_int_eq(b->intack(pc, 1), 0x60 + (int)pin);
}
END_TEST

START_TEST(shared_lines_are_ored)
{
	ioapic_write(0x10 + 2 * 4, 0x64 | 1 << 15 | 1 << 16); /* level, masked: its pin can be seen */
	irq_set(&pc->uart[0].irq, true);
	out(0x2004, 1, 1);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 4 & 1, 1);
	irq_set(&pc->uart[0].irq, false);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 4 & 1, 1);
	out(0x2004, 1, 0);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 4 & 1, 0);
}
END_TEST

START_TEST(hpet_takes_the_legacy_lines)
{
	irq_set(&pc->pit.out0, true);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 2 & 1, 1);
	pc->hpet.legacy(pc->hpet.legacy_arg, true);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 2 & 1, 0);
	irq_set(&pc->hpet.legacy_irq[0], true);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 2 & 1, 1);
	irq_set(&pc->hpet.legacy_irq[0], false);
	pc->hpet.legacy(pc->hpet.legacy_arg, false);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 2 & 1, pc->pit.out0.level);
}
END_TEST

START_TEST(each_cpu_sees_its_own_lapic)
{
	struct x86_board *b = &pc->cpu[0].x86.board;
	u64 id = LAPIC_BASE + 0x20;

	pc->machine.s.turn_cpu = 0;
	ck_assert_uint_eq(space_read(&pc->mem, id, 4) >> 24, 0);
	pc->machine.s.turn_cpu = 1;
	ck_assert_uint_eq(space_read(&pc->mem, id, 4) >> 24, 1);
	/* CPU 1 moves its page: CPU 0's stays. */
	ck_assert(b->apic_base_write(pc, 1, 0xfe000000 | APIC_BASE_AE));
	ck_assert_uint_eq(space_read(&pc->mem, id, 4), 0xffffffff);
	ck_assert_uint_eq(space_read(&pc->mem, 0xfe000020, 4) >> 24, 1);
	pc->machine.s.turn_cpu = 0;
	ck_assert_uint_eq(space_read(&pc->mem, id, 4) >> 24, 0);
	ck_assert_uint_eq(space_read(&pc->mem, 0xfe000020, 4), 0xffffffff);
	/* Off: all ones; and on again. */
	ck_assert(b->apic_base_write(pc, 0, LAPIC_BASE));
	ck_assert_uint_eq(space_read(&pc->mem, id, 4), 0xffffffff);
	ck_assert(b->apic_base_write(pc, 0, LAPIC_BASE | APIC_BASE_AE));
	ck_assert_uint_eq(space_read(&pc->mem, id, 4) >> 24, 0);
	/* x2APIC: the page is gone, the MSRs are there. */
	ck_assert(b->apic_base_write(pc, 0, LAPIC_BASE | APIC_BASE_AE | APIC_BASE_EXTD));
	ck_assert_uint_eq(space_read(&pc->mem, id, 4), 0xffffffff);
}
END_TEST

START_TEST(init_and_start_up)
{
	struct x86_cpu *ap = &pc->cpu[1].x86;

	pc->cpu[0].x86.activity = ACT_HALT;
	ck_assert_int_eq(ap->activity, ACT_WAIT_SIPI);
	space_write(&pc->mem, 0x8000, 2, 0xfeeb); /* jmp . */
	pc->cpu[1].lapic.s.ldr = 5;
	pc->machine.s.turn_cpu = 0;
	space_write(&pc->mem, LAPIC_BASE + 0x300, 4, 0xc4500); /* INIT to all others */
	space_write(&pc->mem, LAPIC_BASE + 0x300, 4, 0xc4608); /* at once: start at 8000h */
	ck_assert_int_eq(machine_run(&pc->machine, 1000), STOP_UNTIL);
	ck_assert_uint_eq(ap->retired, 1000);
	ck_assert_uint_eq(ap->seg[SEG_CS].base, 0x8000);
	ck_assert_uint_eq(pc->cpu[1].lapic.s.ldr, 0);
}
END_TEST

/* 8042, port 92h and CF9h without bit 1 pull INIT# of all CPUs: the board and its memory stay. */
START_TEST(soft_resets)
{
	static const struct {
		u16 port, val;
	} how[] = {{0x64, 0xfe}, {0x92, 1}, {0xcf9, 4}};

	space_write(&pc->mem, 0x1234, 1, 5);
	memset(pc->bios[1], 0x90, PC_BIOS_SIZE);
	pc->cpu[0].x86.rip = 0x1234;
	pc->cpu[1].x86.activity = ACT_HALT;
	out(how[_i].port, 1, how[_i].val);
	ck_assert_int_eq(machine_run(&pc->machine, 2), STOP_UNTIL);
	ck_assert_uint_eq(pc->cpu[0].x86.rip, 0xfff2);
	ck_assert_int_eq(pc->cpu[1].x86.activity, ACT_HALT); /* its turn has not come */
	machine_run(&pc->machine, MACHINE_TURN + 1);
	ck_assert_int_eq(pc->cpu[1].x86.activity, ACT_WAIT_SIPI);
	ck_assert_uint_eq(space_read(&pc->mem, 0x1234, 1), 5);
}
END_TEST

START_TEST(hard_reset)
{
	pc->cpu[0].x86.rip = 0x1234;
	pc->cpu[1].x86.activity = ACT_RUN;
	out(0xcf9, 1, 6);
	ck_assert_int_eq(pc->machine.stop, STOP_RESET);
	machine_reset(&pc->machine);
	ck_assert_uint_eq(pc->cpu[0].x86.rip, 0xfff0);
	ck_assert_int_eq(pc->cpu[1].x86.activity, ACT_WAIT_SIPI);
}
END_TEST

START_TEST(power_and_exit_ports)
{
	pci_config_write(&pc->piix4.pci, 0x40, 4, PC_ACPI_PM | 1);
	pci_config_write(&pc->piix4.pci, 0x80, 1, 1);
	out(PC_ACPI_PM + ACPI_PM1A_CNT, 2, 1 << 13);
	ck_assert_int_eq(pc->machine.stop, STOP_POWER_OFF);
	pc->machine.stop = STOP_NONE;
	out(0xf4, 4, 0x10);
	ck_assert_int_eq(pc->machine.stop, STOP_DEBUG_EXIT);
	ck_assert_int_eq(machine_exit_status(&pc->machine, STOP_DEBUG_EXIT), 0x21);
}
END_TEST

START_TEST(a20_gates)
{
	ck_assert_uint_eq(pc->mem.a20_mask, ~0ull);
	out(0x92, 1, 2);
	out(0x92, 1, 0);
	ck_assert_uint_eq(pc->mem.a20_mask, ~BIT(20));
	out(0x92, 1, 2);
	ck_assert_uint_eq(pc->mem.a20_mask, ~0ull);
	out(0x64, 1, 0xdd);
	ck_assert_uint_eq(pc->mem.a20_mask, ~BIT(20));
	ck_assert(svm_msr_write(&pc->cpu[1].x86, 0xc0010114, VM_CR_DIS_A20M)); /* overrides the gate. APM2 15.30.1 */
	ck_assert_uint_eq(pc->mem.a20_mask, ~0ull);
	out(0x92, 1, 2);
	out(0x92, 1, 0);
	ck_assert_uint_eq(pc->mem.a20_mask, ~0ull);
	ck_assert(svm_msr_write(&pc->cpu[1].x86, 0xc0010114, 0));
	ck_assert_uint_eq(pc->mem.a20_mask, ~BIT(20));
	out(0x64, 1, 0xdf);
	ck_assert_uint_eq(pc->mem.a20_mask, ~0ull);
}
END_TEST

START_TEST(nmi_reaches_lint1)
{
	lapic_virtual_wire(&pc->cpu[0].lapic);
	pc_nmi(pc);
	ck_assert(pc->cpu[0].x86.pending & PEND_NMI);
	ck_assert(!(pc->cpu[1].x86.pending & PEND_NMI));
	pc->cpu[0].x86.pending = 0;
	out(0x70, 1, 0x80);
	pc_nmi(pc);
	ck_assert(!(pc->cpu[0].x86.pending & PEND_NMI));
}
END_TEST

START_TEST(ferr_is_irq_13)
{
	pc->cpu[0].x86.board.ferr(pc, true);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 13 & 1, 1);
	out(0xf0, 1, 0);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 13 & 1, 0);
}
END_TEST

START_TEST(fw_cfg_counts)
{
	out(0x510, 2, FW_CFG_NB_CPUS);
	ck_assert_uint_eq(in(0x511, 1), 2);
	out(0x510, 2, FW_CFG_SIGNATURE);
	ck_assert_uint_eq(in(0x511, 1), 'Q');
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("machine");
	TCase *loop = tcase_create("run loop"), *host = tcase_create("input"), *b = tcase_create("pc");
	SRunner *r = srunner_create(suite);
	int failed;

	tcase_add_test(loop, runs_until_exactly);
	tcase_add_test(loop, cpus_take_turns);
	tcase_add_test(loop, sleepers_are_passed_over);
	tcase_add_test(loop, waking_a_cpu_keeps_the_turns);
	tcase_add_test(loop, cuts_do_not_show);
	tcase_add_test(loop, forgetting_who_sleeps_does_not_show);
	tcase_add_test(loop, timers_are_exact);
	tcase_add_test(loop, idle_machines_jump);
	tcase_add_test(loop, nothing_left_is_an_end);
	tcase_add_test(loop, stops_name_their_cpu);
	tcase_add_test(loop, statuses_are_even_and_different);
	tcase_add_test(loop, host_time_and_signals_end_it);
	tcase_add_test(loop, ticks_are_at_virtual_times);
	tcase_add_test(host, input_waits_for_room_and_is_stamped);
	tcase_add_checked_fixture(b, setup, teardown);
	tcase_add_test(b, ram_is_split_below_4g);
	tcase_add_loop_test(b, memory_map_is_a_pc, 0, ARRAY_SIZE(memory_map));
	tcase_add_loop_test(b, port_map_is_a_pc, 0, ARRAY_SIZE(port_map));
	tcase_add_test(b, fields_cover_the_states);
	tcase_add_test(b, every_part_is_hashed);
	tcase_add_loop_test(b, isa_lines_reach_the_pic, 3, 8);
	tcase_add_loop_test(b, isa_lines_reach_the_pic, 8, 16);
	tcase_add_loop_test(b, lines_reach_the_ioapic, 0, 24);
	tcase_add_test(b, shared_lines_are_ored);
	tcase_add_test(b, hpet_takes_the_legacy_lines);
	tcase_add_test(b, each_cpu_sees_its_own_lapic);
	tcase_add_test(b, init_and_start_up);
	tcase_add_loop_test(b, soft_resets, 0, 3);
	tcase_add_test(b, hard_reset);
	tcase_add_test(b, power_and_exit_ports);
	tcase_add_test(b, a20_gates);
	tcase_add_test(b, nmi_reaches_lint1);
	tcase_add_test(b, ferr_is_irq_13);
	tcase_add_test(b, fw_cfg_counts);
	suite_add_tcase(suite, loop);
	suite_add_tcase(suite, host);
	suite_add_tcase(suite, b);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
