/*
 * The interrupt controllers of ARM's Integrator boards: 32 lines, each enabled for IRQ and for FIQ apart, line 0 set by software. The
 * board has a primary and a secondary one of them; the core module's own has the same registers (integrator_cm.h).
 */
#ifndef DEVICES_INTEGRATOR_PIC_H
#define DEVICES_INTEGRATOR_PIC_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

#define INTEGRATOR_PIC_SIZE 0x1000u

struct integrator_pic_state {
	u32 level, irq_enabled, fiq_enabled;
};

struct integrator_pic {
	struct integrator_pic_state s;
	struct irq irq, fiq;
};

extern const struct region_ops integrator_pic_ops;
#define INTEGRATOR_PIC_FIELDS 3
extern const struct field integrator_pic_fields[INTEGRATOR_PIC_FIELDS];

void integrator_pic_init(struct integrator_pic *p);
/* Nothing is enabled; the lines stay as they are. */
void integrator_pic_reset(struct integrator_pic *p);
void integrator_pic_post_load(struct integrator_pic *p);
/* Line n (0..31) changes; the form of struct irq's set. */
void integrator_pic_line(void *pic, unsigned n, bool level);
/* Registers at offset 0 to 2Ch, for controllers inside of other devices. False: there is none. */
bool integrator_pic_get(const struct integrator_pic *p, u32 reg, u32 *val);
bool integrator_pic_set(struct integrator_pic *p, u32 reg, u32 val);

#endif
