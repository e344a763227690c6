/* permission.c: the two bitmaps behind the IOIO and MSR intercepts. A set bit means #VMEXIT.
 * IOPM: APM2 15.10.1, one bit per port, 12 KB. MSRPM: APM2 15.11, two bits (read, write) per MSR, 8 KB. */
#include "permission.h"
#include "cpu.h"
#include "memory.h"
#include "port.h"

enum { IOPM_PAGES = 3, MSRPM_PAGES = 2, COM1_PORTS = 8 };

/* COM1 is the guest's as much as the VMM's, unless its arguments say io=trap. Everything else exits. */
u64 permission_create_iopm(struct vm *vm)
{
	u64 pa = vm_alloc(vm, IOPM_PAGES, 1);
	u8 *map = phys_to_virt(pa);
	char value[8];
	memset(map, 0xff, IOPM_PAGES * PAGE_SIZE);
	if (!str_equal(option_value(vm->text, "io", value, sizeof value, "pass"), "trap"))
		for (unsigned port = COM1; port < COM1 + COM1_PORTS; port++)
			map[port / 8] &= (u8) ~(1 << port % 8);
	return pa;
}

/* Three ranges of 8192 MSRs, 2 KB each: 0, C000_0000h, C001_0000h. Only the first two are used here. */
static void msrpm_pass(u8 *map, u32 first, u32 last)
{
	for (u32 msr = first; msr <= last; msr++) {
		u32 offset = (msr >= 0xc0000000 ? 0x800 : 0) + (msr & 0x1fff) / 4;
		map[offset] &= (u8) ~(3 << msr % 4 * 2);
	}
}

/* What VMLOAD and VMSAVE switch may be the guest's own. EFER may not: its SVME bit must stay 1. */
u64 permission_create_msrpm(struct vm *vm)
{
	u64 pa = vm_alloc(vm, MSRPM_PAGES, 1);
	u8 *map = phys_to_virt(pa);
	memset(map, 0xff, MSRPM_PAGES * PAGE_SIZE);
	msrpm_pass(map, MSR_SYSENTER_CS, MSR_SYSENTER_EIP);
	msrpm_pass(map, MSR_STAR, MSR_SFMASK);
	msrpm_pass(map, MSR_FS_BASE, MSR_KERNEL_GS_BASE);
	return pa;
}
