/*
 * The Intel 440FX host bridge: function 0 of slot 0, with the registers that decide who answers in A0000h-FFFFFh. The
 * board has the memory and listens. Manual: Intel 82441FX (PMC), 3.2.18 (PAM), 3.2.19 (DRB), 3.2.22 (SMRAM).
 */
#ifndef DEVICES_I440FX_H
#define DEVICES_I440FX_H

#include "devices/pci.h"

#define I440FX_SEGMENTS 13 /* F0000h-FFFFFh, then 16 KB each from C0000h to EC000h */

struct i440fx_segment {
	u32 base, size;
};
extern const struct i440fx_segment i440fx_segment[I440FX_SEGMENTS];

enum { PAM_READ = 1, PAM_WRITE = 2 }; /* the access goes to RAM, not to the bus */

struct i440fx {
	struct pci_device pci;
	void (*pam)(void *arg, unsigned segment, unsigned rights); /* of enum above */
	void (*smram)(void *arg);                                  /* i440fx_smram_open may answer otherwise now */
	void *arg;
	u8 told[I440FX_SEGMENTS]; /* the rights that the board knows of, plus 1; 0: none yet */
};

/* ram_low: bytes below 4 GB, for the row boundary registers. */
void i440fx_init(struct i440fx *h, u64 ram_low);
void i440fx_reset(struct i440fx *h);
void i440fx_post_load(struct i440fx *h);
/* Is RAM behind A0000h-BFFFFh for a CPU that is, or is not, in SMM? */
bool i440fx_smram_open(const struct i440fx *h, bool smm);

#endif
