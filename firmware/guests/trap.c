/* trap.c: hands a trap to whoever asked for it. The IDT is made in trap64.c and trap32.c. */
#include "trap.h"

static void (*trap_handler)(struct trap *t);

void trap_init(void (*handler)(struct trap *t))
{
	trap_handler = handler;
	for (unsigned v = 0; v < TRAP_VECTORS; v++)
		gate_set(v, (uword)trap_stubs + v * TRAP_STUB_SIZE);
	gate_load();
}

void trap_dispatch(struct trap *t) { trap_handler(t); }
