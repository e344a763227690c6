/* Long-mode tables (GDT's TSS, IDT), page allocator, page tables, local APIC, the arena. The entry is in boot64.S. */
#include "rt64.h"

struct fault_frame {
	u64 vector, error, rip, cs, rflags, rsp, ss;
};

void rt_cpu_init(void);
_Noreturn void fault_show(const struct fault_frame *f);

extern const char fault_stubs[];
extern u64 gdt[];

struct gate {
	u16 off0, sel;
	u8 ist, type;
	u16 off1;
	u32 off2, zero;
};

static struct gate idt[256];
static u32 tss[26]; /* 104 bytes: APM2 12.2.5 */
static u8 int_stack[16384] __attribute__((aligned(16)));
static u64 page_next = 0x2000000;

_Noreturn void fault_show(const struct fault_frame *f)
{
	u64 cr2;

	__asm__ volatile("mov %%cr2, %0" : "=r"(cr2));
	rt_puts("exception ");
	rt_dec(f->vector);
	rt_puts(" error ");
	rt_hex(f->error);
	rt_puts(" rip ");
	rt_hex(f->rip);
	rt_puts(" cr2 ");
	rt_hex(cr2);
	rt_puts("\n");
	rt_fail("unexpected exception");
}

static void gate_set(unsigned vector, u64 target)
{
	idt[vector] = (struct gate){ .off0 = (u16)target, .sel = SEL_KCODE, .type = 0x8e,
		.off1 = (u16)(target >> 16), .off2 = (u32)(target >> 32) };
}

void idt_set(unsigned vector, void (*handler)(struct int_frame *))
{
	gate_set(vector & 255, (u64)handler);
}

void rt_cpu_init(void)
{
	const struct __attribute__((packed)) { u16 limit; u64 base; } idtr = { sizeof idt - 1, (u64)idt };
	u64 base = (u64)tss, stack = (u64)(int_stack + sizeof int_stack);

	for (unsigned i = 0; i < 32; i++)
		gate_set(i, (u64)fault_stubs + 16 * i);
	__asm__ volatile("lidt %0" : : "m"(idtr));

	tss[1] = (u32)stack; /* RSP0 */
	tss[2] = (u32)(stack >> 32);
	tss[25] = sizeof tss << 16; /* no I/O permission map */
	gdt[SEL_TSS / 8] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
	gdt[SEL_TSS / 8 + 1] = base >> 32;
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

void *page_alloc(unsigned count)
{
	u64 *p = (u64 *)page_next;

	page_next += (u64)count << 12;
	if (page_next > ARENA_BASE)
		rt_fail("out of pages");
	rt_need_ram(page_next);
	for (u64 i = 0; i < (u64)count << 9; i++)
		p[i] = 0;
	return p;
}

u64 *page_map(u64 *root, u64 va, u64 pa, unsigned shift, u64 bits)
{
	u64 *table = root;

	for (unsigned at = 39; at > shift; at -= 9) {
		u64 *entry = &table[va >> at & 511];

		if (!(*entry & PTE_P))
			*entry = (u64)page_alloc(1) | PTE_ALL;
		table = (u64 *)(*entry & 0xffffffffff000);
	}
	table += va >> shift & 511;
	*table = pa | bits | (shift == 12 ? 0 : PTE_PS);
	return table;
}

u64 *page_identity(u64 end, unsigned shift)
{
	u64 *root = page_alloc(1);

	for (u64 pa = 0; pa < end; pa += 1ull << shift)
		page_map(root, pa, pa, shift, PTE_ALL);
	return root;
}

void lapic_enable(void)
{
	msr_write(MSR_APIC_BASE, 0xfee00900); /* enabled, bootstrap processor, not x2APIC: APM2 16.3.1 */
	lapic_write(LAPIC_SVR, 0x1ff);
}

void arena_init(u32 odd)
{
	rt_need_ram(ARENA_BASE + ARENA_PAGES * 4096ull);
	for (u32 i = 0; i < ARENA_PAGES; i++)
		*(u64 *)(ARENA_BASE + (u64)arena_shuffle(i, odd) * 4096 + arena_offset(i)) = i;
}

u64 arena_touch(u64 n)
{
	u64 state = 0x853c49e6748fea9b, sum = 0;

	while (n--) {
		u64 r = rng_next(&state);
		u32 i = (u32)(r >> 47);
		u64 *p = (u64 *)(ARENA_VA + (u64)i * 4096 + arena_offset(i));

		*p += r;
		sum = sum_mix(sum, *p);
	}
	return sum;
}
