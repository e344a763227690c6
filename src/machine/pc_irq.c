/*
 * The PC's interrupt wiring. Devices -> 24 lines -> the 8259A pair and the I/O APIC (line 0 on pin 2); 8259A -> LINT0
 * of CPU 0 (virtual wire); messages -> local APICs -> CPUs. And what a CPU asks of the board (struct x86_board). MP
 * specification 1.4, 3.6 (virtual wire mode); IA-PC HPET specification 2.3.3 (legacy replacement).
 */
#include "machine/pc.h"

#include "cpu_x86/system.h"

/* Several devices may hold one line up. */
enum pc_source { SRC_DEVICE, SRC_DEVICE2, SRC_HPET, SRC_TESTDEV, SRC_PCI };
#define SRC(line, source) ((line) | (unsigned)(source) << 8)

/* ---- lines ---- */

static bool up(const struct pc *pc, unsigned line) { return pc->s.line[line] != 0; }

static void drive(struct pc *pc, unsigned line)
{
	if (line < 16)
		i8259_set(&pc->pic, line, up(pc, line));
	if (line == 0 || line == 2)
		ioapic_set(&pc->ioapic, 2, up(pc, 0) || up(pc, 2));
	else
		ioapic_set(&pc->ioapic, line, up(pc, line));
}

/* The sink of all device lines; n is SRC(line, source). */
static void line_set(void *arg, unsigned n, bool level)
{
	struct pc *pc = arg;
	unsigned line = n & 0xff;
	u32 bit = 1u << (n >> 8);
	bool was = up(pc, line);

	pc->s.line[line] = level ? pc->s.line[line] | bit : pc->s.line[line] & ~bit;
	if (up(pc, line) != was)
		drive(pc, line);
}

static void connect(struct pc *pc, struct irq *q, unsigned line, enum pc_source source)
{
	irq_connect(q, line_set, pc, SRC(line, source));
	line_set(pc, SRC(line, source), q->level);
}

static void board_ferr(void *pc, bool level) { line_set(pc, SRC(13, SRC_DEVICE), level); }

/* Port F0h ends the request and asserts IGNNE until the exception is gone. */
void pc_ignore_ferr(struct pc *pc)
{
	board_ferr(pc, false);
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		x86_ignne(&pc->cpu[i].x86);
}

/* While the HPET's legacy route is on, 8254 and RTC have no lines. */
static void hpet_legacy(void *arg, bool on)
{
	struct pc *pc = arg;

	if (on) {
		irq_connect(&pc->pit.out0, NULL, NULL, 0);
		irq_connect(&pc->rtc.irq, NULL, NULL, 0);
		line_set(pc, SRC(0, SRC_DEVICE), false);
		line_set(pc, SRC(8, SRC_DEVICE), false);
	} else {
		connect(pc, &pc->pit.out0, 0, SRC_DEVICE);
		connect(pc, &pc->rtc.irq, 8, SRC_DEVICE);
	}
	i8254_rearm(&pc->pit);
}

static void nmi_mask(void *arg, bool masked) { ((struct pc *)arg)->s.nmi_masked = masked; }

void pc_wire(struct pc *pc)
{
	connect(pc, &pc->pit.out0, 0, SRC_DEVICE);
	connect(pc, &pc->kbd.irq1, 1, SRC_DEVICE);
	connect(pc, &pc->uart[0].irq, 4, SRC_DEVICE);
	connect(pc, &pc->uart[1].irq, 3, SRC_DEVICE);
	connect(pc, &pc->uart[2].irq, 4, SRC_DEVICE2);
	connect(pc, &pc->uart[3].irq, 3, SRC_DEVICE2);
	connect(pc, &pc->fdc.irq, 6, SRC_DEVICE);
	connect(pc, &pc->rtc.irq, 8, SRC_DEVICE);
	connect(pc, &pc->pm.sci, 9, SRC_DEVICE);
	connect(pc, &pc->kbd.irq12, 12, SRC_DEVICE);
	for (unsigned i = 0; i < HPET_PINS; i++)
		connect(pc, &pc->hpet.pin[i], i, SRC_HPET);
	connect(pc, &pc->hpet.legacy_irq[0], 0, SRC_HPET);
	connect(pc, &pc->hpet.legacy_irq[1], 8, SRC_HPET);
	for (unsigned i = 0; i < PC_TESTDEV_LINES; i++)
		connect(pc, &pc->testdev.line[i], i, SRC_TESTDEV);
	connect(pc, &pc->ide.channel[0].irq, 14, SRC_DEVICE);
	connect(pc, &pc->ide.channel[1].irq, 15, SRC_DEVICE);
	for (unsigned i = 0; i < 16; i++)
		connect(pc, &pc->piix3.line[i], i, SRC_PCI);
	pc->hpet.legacy = hpet_legacy;
	pc->hpet.legacy_arg = pc;
	pc->rtc.nmi_mask = nmi_mask;
	pc->rtc.nmi_arg = pc;
	pc->bus.eoi = ioapic_eoi;
	pc->bus.eoi_arg = &pc->ioapic;
	irq_connect(&pc->pic.intr, lapic_lint_irq, &pc->cpu[0].lapic, 0);
}

void pc_nmi(struct pc *pc)
{
	if (pc->s.nmi_masked)
		return;
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		lapic_lint(&pc->cpu[i].lapic, 1, true);
		lapic_lint(&pc->cpu[i].lapic, 1, false);
	}
}

/* Delivery modes that EFLAGS.IF does not hold back, on a pin that a timer could drive. */
bool pc_may_nmi(const void *arg)
{
	const struct pc *pc = arg;

	for (unsigned i = 0; i < IOAPIC_PINS; i++) {
		unsigned mode = pc->ioapic.s.entry[i] >> 8 & 7;

		if (!(pc->ioapic.s.entry[i] & BIT(16)) && mode != APIC_FIXED && mode != APIC_LOWEST &&
		    mode != APIC_EXTINT)
			return true;
	}
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		u32 lint0 = pc->cpu[i].lapic.s.lvt[LVT_LINT0];

		if (!(lint0 & BIT(16)) && (lint0 >> 8 & 7) == APIC_NMI)
			return true;
	}
	return false;
}

/* ---- local APIC -> CPU ---- */

static void pend(struct pc_cpu *c, u32 bits)
{
	x86_pend(&c->x86, bits);
	machine_wake(&c->pc->machine, c->x86.id);
}

static bool wants_interrupt(const struct pc_cpu *c) { return lapic_pending(&c->lapic) >= 0 || lapic_extint(&c->lapic); }

static void on_intr(void *cpu)
{
	if (wants_interrupt(cpu))
		pend(cpu, PEND_INTR);
}

static void on_extint(void *cpu, bool level)
{
	if (level)
		pend(cpu, PEND_INTR);
}

static void on_nmi(void *cpu) { pend(cpu, PEND_NMI); }
static void on_smi(void *cpu) { pend(cpu, PEND_SMI); }

void pc_smi(struct pc *pc) { on_smi(&pc->cpu[0]); }

/* The CPU takes the INIT when it may (GIF, SMM, intercepts); its local APIC is reset then: see take_init_sipi. */
static void on_init(void *arg)
{
	struct pc_cpu *c = arg;
	u32 bit = 1u << c->x86.id;

	c->pc->s.init_sent |= bit;
	c->pc->s.sipi_late &= ~bit;
	c->pc->machine.sched.kick = true;
	pend(c, PEND_INIT);
}

void pc_init_cpus(struct pc *pc)
{
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		on_init(&pc->cpu[i]);
}

static void on_sipi(void *arg, u8 vector)
{
	struct pc_cpu *c = arg;
	struct pc_state *s = &c->pc->s;
	u32 bit = 1u << c->x86.id;

	if (s->init_sent & bit) {
		s->sipi_late |= bit;
		s->sipi_vector[c->x86.id] = vector;
		return;
	}
	c->x86.sipi_vector = vector;
	pend(c, PEND_SIPI);
}

/* After the CPU ran: if it took its INIT, the local APIC follows, and a start-up message that came after it counts.
 * True: there was one, and the CPU has work. */
static bool take_init_sipi(struct pc_cpu *c)
{
	struct pc_state *s = &c->pc->s;
	u32 bit = 1u << c->x86.id;

	if (!(s->init_sent & bit) || c->x86.pending & PEND_INIT)
		return false;
	s->init_sent &= ~bit;
	if (!(c->x86.svm.vm_cr & 2)) /* R_INIT made it an exception. APM2 15.30.1 */
		lapic_init_reset(&c->lapic);
	if (!(s->sipi_late & bit))
		return false;
	s->sipi_late &= ~bit;
	on_sipi(c, s->sipi_vector[c->x86.id]);
	return true;
}

/* The TSC is virtual time plus the CPU's offset. */
static u64 tsc_to_ns(void *arg, u64 tsc)
{
	struct pc_cpu *c = arg;
	u64 now = c->pc->machine.sched.now;
	s64 left = (s64)(tsc - (now + c->x86.msr.tsc_adjust));

	return left <= 0 ? now : now + (u64)left;
}

void pc_wire_cpu(struct pc_cpu *c)
{
	struct lapic_wiring *w = &c->lapic.wire;

	w->cpu = c;
	w->intr_changed = on_intr;
	w->extint = on_extint;
	w->nmi = on_nmi;
	w->smi = on_smi;
	w->init = on_init;
	w->sipi = on_sipi;
	w->tsc_to_ns = tsc_to_ns;
}

/* ---- CPU -> board ---- */

static struct pc_cpu *cpu_of(void *pc, unsigned n) { return &((struct pc *)pc)->cpu[n]; }

/* The CPU's interrupt acknowledge: the local APIC's own interrupts go before the 8259A's. */
static int board_intack(void *pc, unsigned n)
{
	struct pc_cpu *c = cpu_of(pc, n);

	if (lapic_pending(&c->lapic) >= 0)
		return lapic_accept(&c->lapic);
	if (!lapic_extint(&c->lapic))
		return -1;
	lapic_extint_ack(&c->lapic);
	return i8259_ack(&c->pc->pic);
}

static bool board_intr(void *pc, unsigned n) { return wants_interrupt(cpu_of(pc, n)); }
static u64 board_tpr_read(void *pc, unsigned n) { return lapic_get_tpr(&cpu_of(pc, n)->lapic); }
static void board_tpr_write(void *pc, unsigned n, u64 val) { lapic_set_tpr(&cpu_of(pc, n)->lapic, (u8)val); }

static bool board_apic_base_write(void *pc, unsigned n, u64 val)
{
	if (!lapic_base_write(&cpu_of(pc, n)->lapic, val))
		return false;
	pc_map_lapics(pc);
	return true;
}

static bool board_x2apic_read(void *pc, unsigned n, u32 msr, u64 *val)
{
	return lapic_msr_read(&cpu_of(pc, n)->lapic, msr, val);
}

static bool board_x2apic_write(void *pc, unsigned n, u32 msr, u64 val)
{
	return lapic_msr_write(&cpu_of(pc, n)->lapic, msr, val);
}

static void board_smm_changed(void *pc, unsigned n, bool smm)
{
	(void)n, (void)smm;
	pc_smram_follow(pc);
}

const struct x86_board pc_board = {
	.intack = board_intack,
	.intr = board_intr,
	.tpr_read = board_tpr_read,
	.tpr_write = board_tpr_write,
	.apic_base_write = board_apic_base_write,
	.x2apic_read = board_x2apic_read,
	.x2apic_write = board_x2apic_write,
	.smm_changed = board_smm_changed,
	.a20m_changed = pc_a20_changed,
	.ferr = board_ferr,
};

/* ---- the local APICs' pages: each CPU sees its own ---- */

static u64 page_of(const struct lapic *l) { return l->s.base & 0x000ffffffffff000; }
static bool page_shown(const struct lapic *l) { return lapic_enabled(l) && !lapic_x2apic(l); }

/* The local APIC that answers the CPU that runs, at the page of c; NULL: nobody. */
static struct lapic *lapic_here(const struct pc_cpu *c)
{
	struct lapic *l = &c->pc->cpu[c->pc->machine.s.turn_cpu].lapic;

	return page_shown(l) && page_of(l) == c->lapic_page->base ? l : NULL;
}

static u64 page_read(void *dev, u64 off, unsigned size)
{
	struct lapic *l = lapic_here(dev);

	return l ? lapic_ops.read(l, off, size) : mask_low(size * 8);
}
static u64 page_peek(const void *dev, u64 off, unsigned size)
{
	struct lapic *l = lapic_here(dev);

	return l ? lapic_ops.peek(l, off, size) : mask_low(size * 8);
}
static void page_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct lapic *l = lapic_here(dev);

	if (l)
		lapic_ops.write(l, off, size, val);
}
const struct region_ops pc_lapic_ops = {"lapic", page_read, page_write, page_peek, 1, 4};

/* One region per address; the first CPU that has its page there lends its region. */
void pc_map_lapics(struct pc *pc)
{
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		struct pc_cpu *c = &pc->cpu[i];
		bool on = page_shown(&c->lapic);

		for (unsigned k = 0; k < i && on; k++)
			on = pc->cpu[k].lapic_page->off || pc->cpu[k].lapic_page->base != page_of(&c->lapic);
		region_enable(&pc->mem, c->lapic_page, false);
		region_move(&pc->mem, c->lapic_page, page_of(&c->lapic));
		region_enable(&pc->mem, c->lapic_page, on);
	}
}

/* ---- the CPU as the machine sees it ---- */

static enum cpu_stop run(void *arg, u64 budget)
{
	static const enum cpu_stop why[] = {
		[X86_STOP_BUDGET] = CPU_BUDGET,
		[X86_STOP_KICK] = CPU_KICK,
		[X86_STOP_IDLE] = CPU_IDLE,
		[X86_STOP_SHUTDOWN] = CPU_SHUTDOWN,
		[X86_STOP_UNIMPLEMENTED] = CPU_UNIMPLEMENTED,
		[X86_STOP_REQUEST] = CPU_KICK,
	};
	struct pc_cpu *c = arg;
	enum x86_stop stop;

	pc_smram_follow(c->pc); /* each CPU sees its own */
	stop = x86_run(&c->x86, budget);
	if (unlikely(c->pc->s.init_sent) && take_init_sipi(c))
		return CPU_KICK;
	return why[stop];
}

static bool awake(const void *cpu) { return ((const struct pc_cpu *)cpu)->x86.activity == ACT_RUN; }

static bool deaf(const void *arg)
{
	const struct x86_cpu *c = &((const struct pc_cpu *)arg)->x86;

	if (c->activity == ACT_RUN)
		return false;
	if (c->activity == ACT_WAIT_SIPI || c->activity == ACT_SHUTDOWN || !c->svm.gif)
		return true;
	return !svm_physical_if(c) && !(c->activity == ACT_MWAIT && x86_mwait_masked(c));
}

const struct cpu_ops pc_cpu_ops = {"x86", run, awake, deaf, pc_cpu_hash};
