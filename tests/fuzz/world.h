/*
 * A processor on 1 MB of memory for the fuzzers, set up by the first bytes of the input: one of eight modes, each with its descriptor tables, page
 * tables, TSS, and a VMCB with nested tables; then changes of all these; the rest is code. A device region and ports are there too.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "cpu_x86/cpu.h"

enum { WORLD_RAM = 1 << 20, WORLD_CODE = 0x40000, WORLD_CODE_MAX = 512 };
enum world_mode { WORLD_REAL, WORLD_PROT0, WORLD_PROT3, WORLD_PAE3, WORLD_LONG0, WORLD_LONG3, WORLD_COMPAT3, WORLD_V86, WORLD_SVM, WORLD_MODES };

struct world {
	struct space mem, io;
	struct sched sched;
	struct event_log log;
	struct x86_model model;
	struct x86_code *code;
	struct x86_cpu *cpu;
	u8 *ram;
	u64 icount;
	u64 port; /* the device's only register */
	bool intr;
};

/* Made once, and set up anew by every input. Ends the program when there is no memory. */
struct world *world_new(void);
/* After reset, in that mode with its tables. */
void world_mode(struct world *w, enum world_mode m);
void world_set(struct world *w, const u8 *in, size_t n);
/* insns instructions, at most step at a time. */
enum x86_stop world_run(struct world *w, u64 insns, u64 step);

#endif
