/* The PL181 multimedia card interface with one SD card in its socket: commands, a FIFO of 16 words, two interrupt lines. */
#ifndef DEVICES_PL181_H
#define DEVICES_PL181_H

#include "base/irq.h"
#include "base/sched.h"
#include "devices/sd_card.h"
#include "mmu/space.h"

#define PL181_FIFO 16

struct pl181_state {
	u64 timeout_at; /* virtual ns of the data timeout, or TIME_NEVER */
	u32 power, clock, argument, command, respcmd, response[4];
	u32 datatimer, datalength, datactrl, datacnt;
	u32 status; /* what stays until it is cleared */
	u32 mask[2], select;
	u32 fifo[PL181_FIFO];
	u8 head, count;
	u8 active; /* the data path: 0, or a transfer is under way */
	u8 pad[1];
};

struct pl181 {
	struct pl181_state s;
	struct sd_card card;
	struct irq irq[2];
	struct timer timer;
	struct sched *sched;
	u32 clock; /* MCLK in Hz */
};

extern const struct region_ops pl181_ops;
#define PL181_FIELDS 19
extern const struct field pl181_fields[PL181_FIELDS];

bool pl181_init(struct pl181 *m, struct sched *sched, u32 timer_id, u32 clock, struct disk *card, struct error *err);
void pl181_reset(struct pl181 *m);
void pl181_post_load(struct pl181 *m);

#endif
