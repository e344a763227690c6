/*
 * The few routines of a BIOS that a kernel started without firmware may still run into: what CPU 0 does at its reset
 * vector, and the real-mode interrupt vectors with the timer's tick. There are no services (INT 10h, 13h, 15h return
 * without doing anything). IBM PC/AT Technical Reference (addresses F000:E05B, FEA5, FF53; shutdown status byte 0Fh).
 */
#ifndef LOADER_PC_BIOS_H
#define LOADER_PC_BIOS_H

#include "machine/pc.h"

/* Puts the routines into both ROMs, and the vectors and the BIOS data area into memory. */
void pc_bios_install(struct pc *pc);
/* The shutdown status byte in CMOS memory asks CPU 0 to go on at the address in 0040:0067 after a reset. */
bool pc_bios_resumes(const struct pc *pc);

#define PC_BIOS_EBDA 0x9fc00u

#endif
