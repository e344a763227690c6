/* Protected mode: GDT, TSS, IDT, runs, also in virtual-8086 and real mode. The stubs are in trap32.S. */
#include "guest32.h"

void run_enter(struct regs *in);
void real_enter(void);
_Noreturn void run_return(void);
void trap_dispatch(struct regs *f, u32 ss);

u64 gdt[64] = {
	[KCODE / 8] = 0x00cf9b000000ffff, [KDATA / 8] = 0x00cf93000000ffff,   [UCODE / 8] = 0x00cffb000000ffff,
	[UDATA / 8] = 0x00cff3000000ffff, [CODE_16 / 8] = 0x00009b000000ffff, [DATA_16 / 8] = 0x000093000000ffff,
};
u64 idt[256] __attribute__((aligned(16)));
struct tss32 tss __attribute__((aligned(16)));
u8 run_stack[16384] __attribute__((aligned(16))), trap_stack[16384] __attribute__((aligned(16)));
static void (*handlers[256])(struct regs *);
static struct regs run_in, run_out;
static bool running;

struct __attribute__((packed)) ptr {
	u16 limit;
	u32 base;
};
extern struct ptr idt_ptr;
struct ptr idt_ptr;
extern const u8 real_blob[], real_blob_end[];

void trap_dispatch(struct regs *f, u32 ss)
{
	bool outer = f->flags & FL_VM || f->cs & 3;

	if (handlers[f->vector & 255]) {
		handlers[f->vector & 255](f);
		return;
	}
	if (!running)
		die("vector %u error %x at %x:%x flags %x cr2 %x", f->vector, f->error, f->cs, f->ip, f->flags, (u32)cr2_read());
	memset(&run_out, 0, sizeof run_out);
	memcpy(&run_out, f, outer ? offsetof(struct regs, cr2) : offsetof(struct regs, sp));
	if (!outer) {
		run_out.sp = addr(&f->sp);
		run_out.ss = ss;
	}
	if (f->flags & FL_VM) {
		run_out.ds = f->v_ds;
		run_out.es = f->v_es;
		run_out.fs = f->v_fs;
		run_out.gs = f->v_gs;
	}
	run_out.cr2 = cr2_read();
	run_out.dr6 = dr6_read();
	running = false;
	run_return();
}

struct regs run(struct regs in)
{
	struct regs *at = &run_in;
	bool outer = in.flags & FL_VM || in.cs & 3;

	running = true;
	if (in.flags & FL_VM) {
		in.v_ds = in.ds;
		in.v_es = in.es;
		in.v_fs = in.fs;
		in.v_gs = in.gs;
		in.ds = in.es = in.fs = in.gs = KDATA;
	}
	if (!outer) /* IRET to the same privilege leaves ESP behind its frame: APM2 8.7.4 */
		at = (struct regs *)(in.sp - offsetof(struct regs, sp));
	memcpy(at, &in, outer ? sizeof in : offsetof(struct regs, sp));
	run_enter(at);
	return run_out;
}

static struct regs flat(const void *code, u32 cs, u32 data)
{
	return (struct regs){.ip = addr(code), .cs = cs, .ss = data, .ds = data, .es = data, .fs = data, .gs = data, .flags = 2,
		.sp = addr(run_stack + sizeof run_stack - 64)};
}

struct regs kernel_regs(const void *code) { return flat(code, KCODE, KDATA); }

struct regs user_regs(const void *code) { return flat(code, UCODE, UDATA); }

struct regs run_kernel(const void *code) { return run(kernel_regs(code)); }

struct regs run_user(const void *code) { return run(user_regs(code)); }

static struct regs low(const void *code)
{
	memcpy((void *)REAL_LINEAR, code, CODE_SIZE(code));
	return (struct regs){.cs = REAL_CODE, .sp = REAL_STACK, .ds = REAL_DATA, .es = REAL_DATA, .fs = REAL_DATA,
		.gs = REAL_DATA, .flags = 2};
}

struct regs v86_regs(const void *code)
{
	struct regs r = low(code);

	r.flags = 2 | FL_VM;
	return r;
}

struct regs real_regs(const void *code) { return low(code); }

struct regs run_real(struct regs in)
{
	struct regs *r = (void *)0x6000;
	struct ptr *g = (void *)0x6080, *i = (void *)0x6090;
	u32 *frame = (void *)(in.ss * 16 + in.sp - 12), *ivt = (void *)(addr(run_stack) & 0);
	u16 *stack;

	__asm__("" : "+r"(ivt)); /* gcc warns of address 0 */
	memcpy((void *)0x7000, real_blob, (u32)(real_blob_end - real_blob));
	for (unsigned v = 0; v < 256; v++)
		ivt[v] = 0x7000 + 8 * (v & 31);
	*r = in;
	r->sp = in.sp - 12;
	frame[0] = in.ip;
	frame[1] = in.cs;
	frame[2] = in.flags;
	*g = (struct ptr){sizeof gdt - 1, addr(gdt)};
	*i = (struct ptr){0x3ff, 0};
	real_enter();
	in = *r;
	in.ss &= 0xffff;
	in.ds &= 0xffff;
	in.es &= 0xffff;
	in.fs &= 0xffff;
	in.gs &= 0xffff;
	stack = (u16 *)((in.ss << 4) + (in.frame & 0xffff));
	in.vector = stack[0];
	in.ip = stack[1];
	in.cs = stack[2];
	in.flags = stack[3];
	in.sp = in.frame + 8;
	in.error = 0;
	return in;
}

void handler_set(unsigned vector, void (*handler)(struct regs *)) { handlers[vector] = handler; }

u64 segment(u32 base, u32 limit, u8 access, u8 flags)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 15) << 48
		| (u64)flags << 52 | (u64)(base >> 24) << 56;
}

u64 gate(u16 sel, u32 offset, u8 access, u8 count)
{
	return (offset & 0xffff) | (u32)sel << 16 | (u64)count << 32 | (u64)access << 40 | (u64)(offset >> 16) << 48;
}

void gate_default(unsigned vector)
{
	idt[vector] = gate(KCODE, addr(trap_stubs + 16 * vector), vector == 3 || vector == 4 || vector == 0x80 ? 0xee : 0x8e, 0);
}

void load_gdt(void)
{
	struct ptr p = {sizeof gdt - 1, addr(gdt)};

	__asm__ volatile("lgdt %0" : : "m"(p));
}

void load_idt(u32 limit)
{
	idt_ptr = (struct ptr){(u16)limit, addr(idt)};
	__asm__ volatile("lidt %0" : : "m"(idt_ptr));
}

void cpu_init(void)
{
	for (unsigned i = 0; i < 256; i++)
		gate_default(i);
	load_idt(sizeof idt - 1);
	tss.esp0 = addr(trap_stack + sizeof trap_stack);
	tss.ss0 = KDATA;
	tss.io_base = TSS32_MIN;
	gdt[TSS / 8] = segment(addr(&tss), TSS32_MIN - 1, 0x89, 0);
	load_gdt();
	__asm__ volatile("ltr %w0" : : "r"(TSS));
}
