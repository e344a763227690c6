/* See integrator_pic.h. Manual: Integrator/CP user guide, DUI0159, 4.2 (interrupt controllers). */
#include "devices/integrator_pic.h"

#include "devices/primecell.h"

enum {
	IRQ_STATUS = 0x00, IRQ_RAWSTAT = 0x04, IRQ_ENABLESET = 0x08, IRQ_ENABLECLR = 0x0c, INT_SOFTSET = 0x10, INT_SOFTCLR = 0x14,
	FIQ_STATUS = 0x20, FIQ_RAWSTAT = 0x24, FIQ_ENABLESET = 0x28, FIQ_ENABLECLR = 0x2c,
};

const struct field integrator_pic_fields[INTEGRATOR_PIC_FIELDS] = {
	FIELD_HEX(struct integrator_pic_state, level),
	FIELD_HEX(struct integrator_pic_state, irq_enabled),
	FIELD_HEX(struct integrator_pic_state, fiq_enabled),
};

static void update(struct integrator_pic *p)
{
	irq_set(&p->irq, p->s.level & p->s.irq_enabled);
	irq_set(&p->fiq, p->s.level & p->s.fiq_enabled);
}

void integrator_pic_line(void *pic, unsigned n, bool level)
{
	struct integrator_pic *p = pic;

	p->s.level = level ? p->s.level | 1u << (n & 31) : p->s.level & ~(1u << (n & 31));
	update(p);
}

bool integrator_pic_get(const struct integrator_pic *p, u32 reg, u32 *val)
{
	const struct integrator_pic_state *s = &p->s;

	switch (reg) {
	case IRQ_STATUS: *val = s->level & s->irq_enabled; return true;
	case IRQ_RAWSTAT:
	case FIQ_RAWSTAT: *val = s->level; return true;
	case IRQ_ENABLESET: *val = s->irq_enabled; return true;
	case INT_SOFTSET: *val = s->level & 1; return true;
	case FIQ_STATUS: *val = s->level & s->fiq_enabled; return true;
	case FIQ_ENABLESET: *val = s->fiq_enabled; return true;
	default: return false;
	}
}

bool integrator_pic_set(struct integrator_pic *p, u32 reg, u32 val)
{
	struct integrator_pic_state *s = &p->s;

	switch (reg) {
	case IRQ_ENABLESET: s->irq_enabled |= val; break;
	case IRQ_ENABLECLR: s->irq_enabled &= ~val; break;
	case INT_SOFTSET: s->level |= val & 1; break;
	case INT_SOFTCLR: s->level &= ~(val & 1); break;
	case FIQ_ENABLESET: s->fiq_enabled |= val; break;
	case FIQ_ENABLECLR: s->fiq_enabled &= ~val; break;
	default: return false;
	}
	update(p);
	return true;
}

static u64 pic_read(void *dev, u64 off, unsigned size)
{
	u32 reg = primecell_reg(off), val;

	(void)size;
	return primecell_lane(off, integrator_pic_get(dev, reg, &val) ? val : primecell_no_read("interrupt controller", reg));
}

static u64 pic_peek(const void *dev, u64 off, unsigned size)
{
	u32 val = 0;

	(void)size;
	integrator_pic_get(dev, primecell_reg(off), &val);
	return primecell_lane(off, val);
}

static void pic_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)size;
	if (!integrator_pic_set(dev, primecell_reg(off), (u32)val))
		primecell_no_write("interrupt controller", primecell_reg(off));
}

const struct region_ops integrator_pic_ops = {"integrator-pic", pic_read, pic_write, pic_peek, 1, 4};

void integrator_pic_reset(struct integrator_pic *p)
{
	p->s.irq_enabled = p->s.fiq_enabled = 0;
	p->s.level &= ~1u;
	update(p);
}

void integrator_pic_init(struct integrator_pic *p) { *p = (struct integrator_pic){0}; }

void integrator_pic_post_load(struct integrator_pic *p) { update(p); }
