/*
 * See acpi_pm.h. Manual: ACPI 6.4, chapter 4.8.3 (PM1 event, control, PM timer). The timer's status bit is set whenever
 * its highest bit changes; it is brought up to date when somebody looks, and a timer is armed only while it can raise
 * the SCI. The SMI command port itself turns SCI_EN on and off as the firmware's SMM code would, and reports each
 * command.
 */
#include "devices/acpi_pm.h"

#include "devices/report.h"

#define STS_MASK                                                                                                       \
	(ACPI_STS_TMR | ACPI_STS_BM | ACPI_STS_GBL | ACPI_STS_PWRBTN | ACPI_STS_SLPBTN | ACPI_STS_RTC | ACPI_STS_WAK)
#define EN_MASK (ACPI_STS_TMR | ACPI_STS_GBL | ACPI_STS_PWRBTN | ACPI_STS_SLPBTN | ACPI_STS_RTC)

enum { CNT_SCI_EN = 1, CNT_BM_RLD = 2, CNT_GBL_RLS = 4, CNT_SLP_TYP = 0x1c00, CNT_SLP_EN = 0x2000 };

static const char *const status_bits[] = {"TMR",    NULL,  NULL, NULL, "BM", "GBL", NULL,  NULL,     "PWRBTN",
					  "SLPBTN", "RTC", NULL, NULL, NULL, NULL,  "WAK", FIELD_END};
static const char *const control_bits[] = {"SCI_EN", "BM_RLD", FIELD_END};

const struct field acpi_pm_fields[ACPI_PM_FIELDS] = {
	FIELD_DEC(struct acpi_pm_state, seen),
	FIELD_BITS(struct acpi_pm_state, status, status_bits),
	FIELD_BITS(struct acpi_pm_state, enable, status_bits),
	FIELD_BITS(struct acpi_pm_state, control, control_bits),
	FIELD_HEX(struct acpi_pm_state, gpe_status),
	FIELD_HEX(struct acpi_pm_state, gpe_enable),
	FIELD_HEX(struct acpi_pm_state, smi_cmd),
	FIELD_HEX(struct acpi_pm_state, smi_status),
	FIELD_(struct acpi_pm_state, pad, FMT_PAD, 0),
};

u32 acpi_pm_timer(const struct acpi_pm *p) { return (u32)(ticks_at(p->sched->now, ACPI_PM_HZ) & mask_low(p->timer_bits)); }

/* How often the timer's highest bit has changed. */
static u64 turns(const struct acpi_pm *p, u64 ns) { return ticks_at(ns, ACPI_PM_HZ) >> (p->timer_bits - 1); }

static u16 status(const struct acpi_pm *p)
{
	bool turned = turns(p, p->s.seen) != turns(p, p->sched->now);

	return p->s.status | (turned ? ACPI_STS_TMR : 0);
}

/* SCI line and timer follow the registers. */
static void update(struct acpi_pm *p)
{
	struct acpi_pm_state *s = &p->s;
	u64 now = p->sched->now;

	s->status = status(p);
	s->seen = now;
	irq_set(&p->sci, s->control & CNT_SCI_EN && (s->status & s->enable & EN_MASK || s->gpe_status & s->gpe_enable));
	if (s->enable & ACPI_STS_TMR && s->control & CNT_SCI_EN && !(s->status & ACPI_STS_TMR))
		timer_arm(&p->timer, tick_start((turns(p, now) + 1) << (p->timer_bits - 1), ACPI_PM_HZ));
	else
		timer_cancel(&p->timer);
}

static void fire(void *arg, u64 now)
{
	(void)now;
	update(arg);
}

static u64 pm_peek(const void *dev, u64 off, unsigned size)
{
	const struct acpi_pm *p = dev;
	u8 reg[ACPI_PM_PORTS + 8] = {0};

	if (off == ACPI_PM_TMR && size == 4)
		return acpi_pm_timer(p);
	if (off >= ACPI_PM_PORTS)
		return 0;
	store_le(reg, 2, status(p));
	store_le(reg + 2, 2, p->s.enable);
	store_le(reg + 4, 2, p->s.control);
	store_le(reg + 8, 4, acpi_pm_timer(p));
	return load_le(reg + off, size);
}

static u64 pm_read(void *dev, u64 off, unsigned size) { return pm_peek(dev, off, size); }

static void write_control(struct acpi_pm *p, u16 val, u16 mask)
{
	u16 keep = CNT_SCI_EN | CNT_BM_RLD | CNT_SLP_TYP;

	p->s.control = (p->s.control & (u16)~mask) | (val & keep & mask);
	update(p);
	if (val & mask & CNT_GBL_RLS)
		device_unimplemented("acpi: GBL_RLS (PM1 control bit 2): no BIOS listens");
	if (val & mask & CNT_SLP_EN && p->sleep)
		p->sleep(p->arg, (p->s.control & CNT_SLP_TYP) >> 10);
}

/* One 16-bit register; mask has the bits of the bytes that are written. */
static void write_reg(struct acpi_pm *p, unsigned reg, u16 val, u16 mask)
{
	update(p);
	switch (reg) {
	case 0: p->s.status &= (u16) ~(val & mask); break;
	case 2: p->s.enable = (p->s.enable & (u16)~mask) | (val & mask & EN_MASK); break;
	case 4: write_control(p, val, mask); return;
	default: return; /* the timer is read-only */
	}
	update(p);
}

static void pm_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct acpi_pm *p = dev;

	for (unsigned reg = 0; reg <= ACPI_PM1A_CNT; reg += 2) {
		u64 at = off < 8 ? val << off * 8 : 0, all = off < 8 ? mask_low(size * 8) << off * 8 : 0;
		u16 mask = (u16)(all >> reg * 8);

		if (mask)
			write_reg(p, reg, (u16)(at >> reg * 8), mask);
	}
}

/* ---- general-purpose events (4.8.4.1) ---- */

static u64 gpe_peek(const void *dev, u64 off, unsigned size)
{
	const struct acpi_pm_state *s = &((const struct acpi_pm *)dev)->s;

	(void)size;
	return (off & 2 ? s->gpe_enable : s->gpe_status) >> (off & 1) * 8 & 0xff;
}

static u64 gpe_read(void *dev, u64 off, unsigned size) { return gpe_peek(dev, off, size); }

static void gpe_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct acpi_pm *p = dev;
	u16 mask = (u16)(0xff << (off & 1) * 8), bits_set = (u16)(val << (off & 1) * 8);

	(void)size;
	if (off & 2)
		p->s.gpe_enable = (p->s.gpe_enable & (u16)~mask) | bits_set;
	else
		p->s.gpe_status &= (u16)~bits_set;
	update(p);
}

void acpi_pm_gpe(struct acpi_pm *p, unsigned n)
{
	p->s.gpe_status |= (u16)BIT(n % ACPI_GPES);
	update(p);
}

/* ---- the SMI command port ---- */

static u64 smi_peek(const void *dev, u64 off, unsigned size)
{
	const struct acpi_pm *p = dev;

	(void)size;
	return off & 1 ? p->s.smi_status : p->s.smi_cmd;
}

static u64 smi_read(void *dev, u64 off, unsigned size) { return smi_peek(dev, off, size); }

static void smi_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct acpi_pm *p = dev;

	(void)size;
	if (off & 1) {
		p->s.smi_status = (u8)val;
		return;
	}
	p->s.smi_cmd = (u8)val;
	if (val == ACPI_ENABLE)
		p->s.control |= CNT_SCI_EN;
	else if (val == ACPI_DISABLE)
		p->s.control &= (u16)~CNT_SCI_EN;
	update(p);
	if (p->smi)
		p->smi(p->arg, (u8)val);
}

const struct region_ops acpi_pm_ops = {"acpi-pm", pm_read, pm_write, pm_peek, 1, 4};
const struct region_ops acpi_pm_gpe_ops = {"acpi-gpe", gpe_read, gpe_write, gpe_peek, 1, 1};
const struct region_ops acpi_pm_smi_ops = {"smi-command", smi_read, smi_write, smi_peek, 1, 1};

void acpi_pm_reset(struct acpi_pm *p)
{
	p->s = (struct acpi_pm_state){.seen = p->sched->now};
	update(p);
}

void acpi_pm_init(struct acpi_pm *p, struct sched *sched, u32 timer_id, unsigned timer_bits)
{
	*p = (struct acpi_pm){.sched = sched, .timer_bits = timer_bits == 32 ? 32 : 24};
	timer_init(&p->timer, sched, timer_id, fire, p);
	acpi_pm_reset(p);
}

void acpi_pm_post_load(struct acpi_pm *p) { update(p); }

void acpi_pm_set_status(struct acpi_pm *p, u16 sts)
{
	p->s.status |= sts & STS_MASK;
	update(p);
}

void acpi_pm_power_button(struct acpi_pm *p) { acpi_pm_set_status(p, ACPI_STS_PWRBTN); }
