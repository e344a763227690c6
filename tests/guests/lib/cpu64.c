/* Long mode: GDT, TSS, IDT, runs, page tables. The stubs are in trap64.S, the entry in boot64.S. */
#include "guest64.h"

void run_enter(struct regs *in);
_Noreturn void run_return(void);
void trap_dispatch(struct regs *f);

u64 gdt[64] = {
	[KCODE / 8] = 0x00af9b000000ffff,   [KDATA / 8] = 0x00cf93000000ffff,   [UCODE32 / 8] = 0x00cffb000000ffff,
	[UDATA / 8] = 0x00cff3000000ffff,   [UCODE / 8] = 0x00affb000000ffff,   [KCODE32 / 8] = 0x00cf9b000000ffff,
	[KCODE16 / 8] = 0x00009b000000ffff, [KDATA16 / 8] = 0x000093000000ffff,
};
struct gate idt[256] __attribute__((aligned(16)));
u32 tss[26] __attribute__((aligned(16)));
u8 run_stack[16384] __attribute__((aligned(16)));
static u8 trap_stack[16384] __attribute__((aligned(16)));
static void (*handlers[256])(struct regs *);
static struct regs run_in, run_out;
static bool running;
static u64 page_next = 0x1000000;

void trap_dispatch(struct regs *f)
{
	if (handlers[f->vector & 255]) {
		handlers[f->vector & 255](f);
		return;
	}
	if (!running)
		die("vector %u error %llx at %llx:%llx flags %llx sp %llx cr2 %llx", (u32)f->vector, f->error, f->cs, f->ip,
		    f->flags, f->sp, (u64)cr2_read());
	memcpy(&run_out, f, offsetof(struct regs, cr2));
	run_out.cr2 = cr2_read();
	run_out.dr6 = dr6_read();
	running = false;
	run_return();
}

struct regs run(struct regs in)
{
	run_in = in;
	running = true;
	run_enter(&run_in);
	return run_out;
}

struct regs kernel_regs(const void *code)
{
	return (struct regs){.ip = addr(code), .cs = KCODE, .ss = KDATA, .ds = KDATA, .es = KDATA, .flags = 2,
		.sp = addr(run_stack + sizeof run_stack - 64)};
}

struct regs user_regs(const void *code)
{
	return (struct regs){.ip = user(code), .cs = UCODE, .ss = UDATA, .ds = UDATA, .es = UDATA, .flags = 2,
		.sp = user(run_stack + sizeof run_stack - 64)};
}

struct regs compat_regs(const void *code)
{
	struct regs r = user_regs(code);

	r.cs = UCODE32;
	return r;
}

struct regs run_kernel(const void *code) { return run(kernel_regs(code)); }

struct regs run_user(const void *code) { return run(user_regs(code)); }

void handler_set(unsigned vector, void (*handler)(struct regs *)) { handlers[vector] = handler; }

u64 segment(u32 base, u32 limit, u8 access, u8 flags)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 15) << 48
		| (u64)flags << 52 | (u64)(base >> 24) << 56;
}

void gate_set(unsigned vector, const void *target, u8 ist, u8 type)
{
	u64 a = addr(target);

	idt[vector] = (struct gate){(u16)a, KCODE, ist, type, (u16)(a >> 16), (u32)(a >> 32), 0};
}

void gate_default(unsigned vector)
{
	gate_set(vector, trap_stubs + 16 * vector, 1, vector == 3 || vector == 4 || vector == 0x80 ? 0xee : 0x8e);
}

void tss_word(unsigned word, u64 v)
{
	tss[word] = (u32)v;
	tss[word + 1] = (u32)(v >> 32);
}

void load_gdt(void)
{
	struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} ptr = {sizeof gdt - 1, addr(gdt)};

	__asm__ volatile("lgdt %0" : : "m"(ptr));
}

void cpu_init(void)
{
	struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} ptr = {sizeof idt - 1, addr(idt)};
	u64 top = addr(trap_stack + sizeof trap_stack);

	for (unsigned i = 0; i < 256; i++)
		gate_default(i);
	__asm__ volatile("lidt %0" : : "m"(ptr));
	tss_word(1, top);
	tss_word(9, top);
	tss[25] = sizeof tss << 16; /* no I/O permission map */
	gdt[TSS / 8] = segment((u32)addr(tss), sizeof tss - 1, 0x89, 0);
	gdt[TSS / 8 + 1] = addr(tss) >> 32;
	load_gdt();
	__asm__ volatile("ltr %w0" : : "r"(TSS));
}

void *page_alloc(void)
{
	void *p = (void *)page_next;

	page_next += 4096;
	return memset(p, 0, 4096);
}

u64 *pte(u64 *root, u64 va, unsigned shift)
{
	u64 *table = root;

	for (unsigned at = 39; at > shift; at -= 9) {
		u64 *e = &table[va >> at & 511];

		if (!(*e & PTE_P))
			*e = addr(page_alloc()) | PTE_ALL;
		table = (u64 *)(uword)(*e & 0xffffffffff000);
	}
	return &table[va >> shift & 511];
}

/* CR4.LA57 cannot change in long mode: through 32-bit mode without paging and back. APM2 5.3, 14.6 */
struct regs five_levels_on(const u64 *pml5)
{
	struct regs in = kernel_regs(CODE("lea 1f(%%rip), %%rax\n push $0x40\n push %%rax\n lretq\n"
					  ".code32\n1: mov %%cr0, %%eax\n btr $31, %%eax\n mov %%eax, %%cr0\n"
					  "mov %%cr4, %%eax\n bts $12, %%eax\n mov %%eax, %%cr4\n mov %%ebx, %%cr3\n"
					  "mov %%cr0, %%eax\n bts $31, %%eax\n mov %%eax, %%cr0\n"
					  "pushl $8\n push $2f\n lret\n .code64\n2: mov %%cr4, %%rax"));

	in.bx = addr(pml5);
	return run(in);
}

static struct regs access(bool as_user, const void *code, u64 va)
{
	struct regs r = as_user ? user_regs(code) : kernel_regs(code);

	r.bx = va;
	r.ax = 0x5a;
	return run(r);
}

struct regs try_read(bool as_user, u64 va) { return access(as_user, CODE("mov (%%rbx), %%al"), va); }

struct regs try_write(bool as_user, u64 va) { return access(as_user, CODE("mov %%al, (%%rbx)"), va); }

struct regs try_exec(bool as_user, u64 va) { return access(as_user, CODE("jmp *%%rbx"), va); }

void lapic_enable(void)
{
	msr_write(MSR_APIC_BASE, 0xfee00900); /* APM2 16.3.1 */
	lapic_write(LAPIC_SVR, 0x1ff);
}
