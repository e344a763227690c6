/* See debug_port.h. Bochs: "port_e9_hack" in its documentation. */
#include "devices/debug_port.h"

const struct field debug_port_fields[DEBUG_PORT_FIELDS] = {
	FIELD_HEX(struct debug_port_state, post),
	FIELD_(struct debug_port_state, pad, FMT_PAD, 0),
};

static u64 post_peek(const void *dev, u64 off, unsigned size)
{
	(void)off, (void)size;
	return ((const struct debug_port *)dev)->s.post;
}

static u64 post_read(void *dev, u64 off, unsigned size) { return post_peek(dev, off, size); }

static void post_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)off, (void)size;
	((struct debug_port *)dev)->s.post = (u8)val;
}

static u64 out_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off, (void)size;
	return 0xe9;
}

static u64 out_read(void *dev, u64 off, unsigned size) { return out_peek(dev, off, size); }

static void out_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct debug_port *d = dev;

	(void)off, (void)size;
	if (d->out)
		d->out(d->out_arg, (u8)val);
}

const struct region_ops debug_port_post_ops = {"port80", post_read, post_write, post_peek, 1, 1};
const struct region_ops debug_port_out_ops = {"porte9", out_read, out_write, out_peek, 1, 1};

void debug_port_reset(struct debug_port *d) { d->s = (struct debug_port_state){0}; }

void debug_port_init(struct debug_port *d) { *d = (struct debug_port){0}; }

void debug_port_connect(struct debug_port *d, void (*out)(void *arg, u8 byte), void *arg)
{
	d->out = out;
	d->out_arg = arg;
}
