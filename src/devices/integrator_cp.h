/*
 * The Integrator/CP's own small registers: the board's identification and its flash and card control (CB000000h), and the debug
 * registers with alphanumeric display, LEDs and DIP switches (1A000000h).
 */
#ifndef DEVICES_INTEGRATOR_CP_H
#define DEVICES_INTEGRATOR_CP_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

#define INTEGRATOR_CP_SIZE 0x1000u

struct integrator_cp_state {
	u32 flashprog;
	u8 card_in, card_locked; /* the card socket's switches */
	u8 card_latch;           /* CP_INTREG.CARDIN: a card came or went */
	u8 pad;
	u32 alpha, leds;
};

struct integrator_cp {
	struct integrator_cp_state s;
	struct irq card; /* as long as a card is in */
	void (*flash_vpp)(void *arg, bool on); /* CP_FLASHPROG lets the flash be programmed; NULL: there is none */
	void *arg;
	u8 switches;     /* S1-4 */
};

extern const struct region_ops integrator_cp_ops;   /* CB000000h */
extern const struct region_ops integrator_leds_ops; /* 1A000000h */
#define INTEGRATOR_CP_FIELDS 7
extern const struct field integrator_cp_fields[INTEGRATOR_CP_FIELDS];

void integrator_cp_init(struct integrator_cp *c);
void integrator_cp_reset(struct integrator_cp *c);
void integrator_cp_post_load(struct integrator_cp *c);
void integrator_cp_card(struct integrator_cp *c, bool in, bool locked);

#endif
