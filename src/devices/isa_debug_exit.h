/* QEMU's isa-debug-exit: a write of val ends the run with exit status (val << 1) | 1. */
#ifndef DEVICES_ISA_DEBUG_EXIT_H
#define DEVICES_ISA_DEBUG_EXIT_H

#include "mmu/space.h"

struct isa_debug_exit {
	void (*exit)(void *arg, u32 status);
	void *arg;
};

/* Mapped at iobase, iosize ports (QEMU: 501h, 2 by default). No saved state. */
extern const struct region_ops isa_debug_exit_ops;

void isa_debug_exit_init(struct isa_debug_exit *d, void (*exit)(void *arg, u32 status), void *arg);

#endif
