/*
 * The Integrator core module: identification, oscillators behind a lock, LED, REMAP and RESET, the LCD's multiplexer, a 24 MHz
 * counter, flags, an interrupt controller of its own, and the SDRAM module's serial presence detect memory.
 */
#ifndef DEVICES_INTEGRATOR_CM_H
#define DEVICES_INTEGRATOR_CM_H

#include "base/sched.h"
#include "devices/integrator_pic.h"

#define INTEGRATOR_CM_SIZE 0x1000u

enum { CM_CTRL_LED = 1, CM_CTRL_MBDET = 2, CM_CTRL_REMAP = 4, CM_CTRL_RESET = 8 };
/* CM_CTRL bits 13:11, LCDMUXSEL: what stands behind the LCD controller. 1:5:5:5 pixels and palettes, 24 bits; anything else is 5:6:5. */
enum { CM_CTRL_LCDMUX_SHIFT = 11, CM_LCD_VGA_565 = 2, CM_LCD_VGA_555 = 4, CM_LCD_VGA_24 = 7 };

struct integrator_cm_state {
	u64 counted_from; /* virtual ns at which the 24 MHz counter was 0 */
	u32 osc, ctrl, lock, auxosc, sdram, init, flags, nvflags;
	u32 voltage[4];
};

struct integrator_cm {
	struct integrator_cm_state s;
	struct integrator_pic pic; /* its state: a part of the board's state of its own */
	struct sched *sched;
	u32 ram_mb;
	bool flash_boot; /* REMAP is clear after a reset, as on the board; else as firmware leaves it */
	void (*reset)(void *arg);            /* CM_CTRL.RESET was written */
	void (*remap)(void *arg, bool on);   /* REMAP: RAM, not flash, at 0 */
	void (*lcd_mux)(void *arg, u32 mux); /* CM_LCD_... */
	void *arg;
};

extern const struct region_ops integrator_cm_ops;
#define INTEGRATOR_CM_FIELDS 10
extern const struct field integrator_cm_fields[INTEGRATOR_CM_FIELDS];

void integrator_cm_init(struct integrator_cm *c, struct sched *sched, u64 ram_size);
void integrator_cm_reset(struct integrator_cm *c);
void integrator_cm_post_load(struct integrator_cm *c);

#endif
