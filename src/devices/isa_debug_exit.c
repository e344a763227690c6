/* See isa_debug_exit.h. Behaviour as in QEMU's hw/misc/debugexit.c: reads return 0. */
#include "devices/isa_debug_exit.h"

static u64 exit_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off, (void)size;
	return 0;
}

static u64 exit_read(void *dev, u64 off, unsigned size) { return exit_peek(dev, off, size); }

static void exit_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct isa_debug_exit *d = dev;

	(void)off, (void)size;
	d->exit(d->arg, (u32)val << 1 | 1);
}

const struct region_ops isa_debug_exit_ops = {"isa-debug-exit", exit_read, exit_write, exit_peek, 1, 4};

void isa_debug_exit_init(struct isa_debug_exit *d, void (*exit)(void *arg, u32 status), void *arg)
{
	*d = (struct isa_debug_exit){exit, arg};
}
