/*
 * The PL110 colour LCD controller: registers, palette, and the picture, which it reads from memory. What the board has behind the
 * controller decides how 16-bit pixels are understood (pl110_mux).
 */
#ifndef DEVICES_PL110_H
#define DEVICES_PL110_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "devices/picture.h"
#include "mmu/space.h"

#define PL110_WIDTH_MAX  1024u
#define PL110_HEIGHT_MAX 1024u
#define PL110_FRAME_NS   (NS_PER_SEC / 60)

struct pl110_state {
	u64 frame_from; /* virtual ns at which the first frame began, or TIME_NEVER while the controller is off */
	u64 seen;       /* frames since then whose interrupts were cleared */
	u32 timing[4], upbase, lpbase, imsc, control;
	u32 palette[128];
	u8 pixel_555; /* the board understands 16-bit pixels as 1:5:5:5, not 5:6:5 */
	u8 pad[7];
};

struct pl110 {
	struct pl110_state s;
	struct irq irq;
	struct timer timer;
	struct sched *sched;
	struct space *mem;
};

extern const struct region_ops pl110_ops;
#define PL110_FIELDS 10
extern const struct field pl110_fields[PL110_FIELDS];

void pl110_init(struct pl110 *l, struct sched *sched, u32 timer_id, struct space *mem);
void pl110_reset(struct pl110 *l);
void pl110_post_load(struct pl110 *l);
/* What the board's multiplexer does with 16-bit pixels. */
void pl110_mux(struct pl110 *l, bool pixel_555);
/* pl110_render.c */
struct picture pl110_picture(const struct pl110 *l);

#endif
