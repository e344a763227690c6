/* System control port A (92h): the fast A20 gate and the fast reset. Outputs: a20 (high: address bit 20 passes) and
 * reset (a pulse). Manual: Intel 82371 (PIIX) data sheet, RC register. */
#ifndef DEVICES_PORT92_H
#define DEVICES_PORT92_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

struct port92_state {
	u8 val;
	u8 pad[7];
};

struct port92 {
	struct port92_state s;
	struct irq a20, reset;
};

extern const struct region_ops port92_ops;
#define PORT92_FIELDS 2
extern const struct field port92_fields[PORT92_FIELDS];

void port92_init(struct port92 *p);
void port92_reset(struct port92 *p);
void port92_post_load(struct port92 *p);

#endif
