/* Port 80h, where firmware writes its POST codes (and kernels write for a delay), and port E9h of Bochs, whose bytes go
 * to a stream and which reads E9h, so that a guest can find it. */
#ifndef DEVICES_DEBUG_PORT_H
#define DEVICES_DEBUG_PORT_H

#include "base/field.h"
#include "mmu/space.h"

struct debug_port_state {
	u8 post; /* the last POST code */
	u8 pad[7];
};

struct debug_port {
	struct debug_port_state s;
	void (*out)(void *arg, u8 byte); /* port E9h; NULL: bytes vanish */
	void *out_arg;
};

extern const struct region_ops debug_port_post_ops; /* 80h */
extern const struct region_ops debug_port_out_ops;  /* E9h */
#define DEBUG_PORT_FIELDS 2
extern const struct field debug_port_fields[DEBUG_PORT_FIELDS];

void debug_port_init(struct debug_port *d);
void debug_port_reset(struct debug_port *d);
void debug_port_connect(struct debug_port *d, void (*out)(void *arg, u8 byte), void *arg);

#endif
