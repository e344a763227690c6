/* ioio.c: #VMEXIT IOIO. APM2 15.10.2: EXITINFO1 describes the access, EXITINFO2 is the next RIP. */
#include "console.h"
#include "exit.h"
#include "port.h"

enum {
	IOIO_IN = 1 << 0,
	IOIO_STRING = 1 << 2,
	IOIO_SIZE = 4, /* bits 6:4, one of them set: 1, 2 or 4 bytes */
	IOIO_PORT = 16
};

static bool is_com1(u16 port) { return port >= COM1 && port < COM1 + 8; }

static bool is_scratch(u16 port, unsigned size) { return port >= PORT_SCRATCH && port + size <= PORT_SCRATCH + 4; }

static u32 size_mask(unsigned size) { return size == 4 ? 0xffffffff : (1u << 8 * size) - 1; }

/* Four bytes of memory at PORT_SCRATCH; COM1 (only with io=trap) goes to the device; behind the rest there is nothing.
 */
static u32 port_read(const struct vm *vm, u16 port, unsigned size)
{
	if (is_scratch(port, size))
		return vm->scratch_port >> 8 * (port - PORT_SCRATCH) & size_mask(size);
	if (is_com1(port) && size == 1)
		return in8(port);
	return size_mask(size);
}

static void port_write(struct vm *vm, u16 port, unsigned size, u32 value)
{
	if (is_scratch(port, size)) {
		unsigned shift = 8 * (port - PORT_SCRATCH);
		vm->scratch_port &= ~(size_mask(size) << shift);
		vm->scratch_port |= (value & size_mask(size)) << shift;
	} else if (is_com1(port) && size == 1) {
		out8(port, (u8)value);
	}
}

/* IN AL and IN AX keep the rest of RAX, IN EAX clears the upper half, as every 32-bit result does. APM3 IN */
static u64 merge(u64 rax, u32 value, unsigned size)
{
	return size == 4 ? value : (rax & ~(u64)size_mask(size)) | value;
}

void exit_ioio(struct vm *vm)
{
	u64 info = vm->vmcb->exitinfo1;
	u16 port = (u16)(info >> IOIO_PORT);
	unsigned size = info >> IOIO_SIZE & 7;
	if (info & IOIO_STRING) {
		print("tvmm: INS and OUTS are not emulated\n");
		exit_finish(vm);
		return;
	}
	if (info & IOIO_IN)
		vm->vmcb->rax = merge(vm->vmcb->rax, port_read(vm, port, size), size);
	else
		port_write(vm, port, size, (u32)vm->vmcb->rax);
	vm->vmcb->rip = vm->vmcb->exitinfo2;
	vm->vmcb->interrupt_shadow &= ~1ull;
}
