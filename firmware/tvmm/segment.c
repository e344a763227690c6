/* segment.c: the VMM's own GDT and TSS. APM2 4.8 (long-mode descriptors), 12.2.5 (64-bit TSS).
 * TR must be loaded before the first VMRUN: VMSAVE stores it, VMLOAD brings it back after each #VMEXIT. */
#include "segment.h"
#include "cpu.h"

struct tss {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, io_map;
} __attribute__((packed));

struct table_register {
	u16 limit;
	u64 base;
} __attribute__((packed));

static u64 gdt[5] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff};
static u8 fault_stack[8192] __attribute__((aligned(16)));
static struct tss tss;

/* A system descriptor takes two entries in long mode. Type 9: available 64-bit TSS. APM2 4.8.3 */
static void set_tss_descriptor(u64 *entry, u64 base, u64 limit)
{
	entry[0] = limit | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	entry[1] = base >> 32;
}

void segment_init(void)
{
	struct table_register gdtr = {sizeof gdt - 1, (uword)gdt};
	tss.ist[IST_FAULT - 1] = (uword)fault_stack + sizeof fault_stack;
	tss.io_map = sizeof tss;
	set_tss_descriptor(&gdt[SEL_TSS / 8], (uword)&tss, sizeof tss - 1);
	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("ltr %0" : : "r"((u16)SEL_TSS));
	__asm__ volatile("lldt %0" : : "r"((u16)0));
}
