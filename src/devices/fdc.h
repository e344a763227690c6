/*
 * A floppy disk controller (82078) without drives: what firmware and systems find when they look for one. Commands are
 * taken and answered; those that need a drive end as "not ready". Manual: Intel 82078 data sheet, 2.1 (registers), 4-5
 * (commands).
 */
#ifndef DEVICES_FDC_H
#define DEVICES_FDC_H

#include "base/field.h"
#include "base/irq.h"
#include "mmu/space.h"

#define FDC_PORTS 6 /* 3F0h-3F5h, and 3F7h by itself */

/* Saved. */
struct fdc_state {
	u8 dor, tape, rate; /* digital output, tape drive, data rate */
	u8 pos, len;        /* in fifo: bytes of a command, or of a result, that have passed and that there are */
	u8 in_result;       /* the fifo holds a result */
	u8 sense;           /* interrupts that SENSE INTERRUPT STATUS has to tell: 4 after a reset, 1 after a seek */
	u8 st0;
	u8 cylinder[4];
	u8 config[3], locked, perpendicular, specify[2]; /* as written */
	u8 fifo[16];
	u8 pad[5];
};

struct fdc {
	struct fdc_state s;
	struct irq irq;
};

extern const struct region_ops fdc_ops;     /* 3F0h-3F5h */
extern const struct region_ops fdc_dir_ops; /* 3F7h */
#define FDC_FIELDS 15
extern const struct field fdc_fields[FDC_FIELDS];

void fdc_init(struct fdc *f);
void fdc_reset(struct fdc *f);

#endif
