/* Single step, debug registers, RF, the shadows of MOV SS and STI. APM2 chapter 13.1, 8.5. */
#include "guest64.h"

enum { BS = 1 << 14, BD = 1 << 13 };
#define DR6_ONE 0xffff0ff0u
static unsigned steps;
static u64 step_ip[64], step_dr6[64], step_ax[64];
static volatile u64 word __attribute__((aligned(64))), words[8] __attribute__((aligned(64)));

static void on_db(struct regs *r)
{
	if (steps < 64) {
		step_ip[steps] = r->ip;
		step_ax[steps] = r->cx;
		step_dr6[steps] = dr6_read();
	}
	steps++;
	dr6_write(0xffff0ff0);
}

static struct regs count(struct regs in)
{
	steps = 0;
	dr6_write(0xffff0ff0);
	handler_set(DB, on_db);
	in = run(in);
	handler_set(DB, 0);
	return in;
}

static struct regs step(const u8 *code)
{
	struct regs in = kernel_regs(code);

	in.flags |= FL_TF;
	return count(in);
}

static void single_step(void)
{
	/* APM2 13.1.4: #DB after every instruction, DR6.BS; the handler's flags have TF clear. INT3 is the last. */
	const u8 *c = CODE("nop\n nop\n nop");
	step(c);
	is(steps, 3, "three steps");
	is(step_ip[0], addr(c) + 1, "first trap behind the first instruction");
	is(step_dr6[0], 0xffff4ff0, "DR6.BS");
	/* POPF that sets TF: the first trap comes after the next instruction. */
	struct regs in = kernel_regs(CODE("pushfq\n orl $0x100, (%%rsp)\n popfq\n nop\n nop"));
	count(in);
	is(steps, 2, "POPF sets TF: no trap behind the POPF itself");
	/* ... and POPF that clears it is still trapped. */
	step(CODE("pushfq\n andl $~0x100, (%%rsp)\n popfq\n nop\n nop"));
	is(steps, 3, "POPF clears TF: a trap behind the POPF");
	/* REP: a trap behind every iteration, rIP at the instruction until it is done. APM2 13.1.4 / APM3 REP */
	c = CODE("rep stosb\n nop");
	in = kernel_regs(c);
	in.flags |= FL_TF;
	in.cx = 4;
	in.di = addr(words);
	count(in);
	is(steps, 5, "REP STOSB of 4 and a NOP: 5 traps");
	is(step_ip[0], addr(c), "rIP at the REP after the first iteration");
	is(step_ax[0], 3, "rCX after the first iteration");
	is(step_ip[3], addr(c) + 2, "rIP behind it after the last");
	in.cx = 0;
	count(in);
	is(steps, 2, "REP with rCX = 0 is one step");
	c = CODE("repe cmpsb\n nop");
	in = kernel_regs(c);
	in.flags |= FL_TF;
	in.cx = 4;
	in.si = in.di = addr(words);
	count(in);
	is(steps, 5, "REPE CMPSB of 4 and a NOP");
	/* MOV SS and POP SS hold the trap for one instruction. APM2 8.5.1? the trap comes behind the next one. */
	c = CODE("mov %%ss, %%eax\n mov %%eax, %%ss\n nop\n nop");
	step(c);
	is(steps, 3, "MOV SS: no trap behind it");
	is(step_ip[1], addr(c) + 5, "the trap behind the instruction that follows MOV SS");
	/* INT n clears TF for its handler and no trap is pending there; APM2 8.7.3 */
	gate_set(0x40, CODE("nop\n nop\n nop"), 0, 0x8e);
	step(CODE("int $0x40\n nop"));
	is(steps, 0, "INT n clears TF: no step in the handler");
	gate_default(0x40);
	/* A faulting instruction is not stepped. */
	struct regs r = step(CODE("ud2"));
	is(steps, 0, "no step trap for an instruction that faults");
	is(r.flags & FL_TF, FL_TF, "the fault's frame has TF");
	/* Across SYSCALL with TF masked by SFMASK. */
	msr_write(MSR_STAR, (u64)KCODE << 32 | (u64)(UCODE32 - 0) << 48);
	msr_write(MSR_LSTAR, addr(CODE("nop\n nop")));
	msr_write(MSR_SFMASK, FL_TF);
	step(CODE("syscall"));
	is(steps, 0, "SYSCALL with TF in SFMASK: no step"); /* APM2 6.1.1 */
	/* DR6 bits 12 and 31:16 read as ones, 63:32 as zero; APM2 13.1.1.4 */
	dr6_write(0);
	is(dr6_read(), 0xffff0ff0, "DR6 fixed bits");
	dr7_write(0);
	is(dr7_read(), 0x400, "DR7 bit 10 reads as one");
}

#define DR7_FIELD(n, rw, len) (2u << 2 * (n) | (u32)((rw) | (len) << 2) << (16 + 4 * (n)))
enum { X = 0, W = 1, IO = 2, RW = 3, LEN1 = 0, LEN2 = 1, LEN8 = 2, LEN4 = 3 };

static void breakpoints(void)
{
	const u8 *c = CODE("nop\n nop\n nop\n nop");
	struct regs r, in;

	/* APM2 13.1.2: an instruction breakpoint is a fault: before the instruction. */
	dr0_write(addr(c) + 2);
	dr7_write(DR7_FIELD(0, X, LEN1));
	dr6_write(DR6_ONE);
	r = run_kernel(c);
	trap_at(&r, DB, 0, c, 2, "instruction breakpoint");
	is(r.dr6, 0xffff0ff1, "DR6.B0");
	/* IRET with RF goes on behind it: run() enters by IRETQ. */
	dr6_write(DR6_ONE);
	in = kernel_regs(c + 2);
	in.flags |= FL_RF;
	r = run(in);
	trap_at(&r, DONE, 0, c, 5, "RF suppresses an instruction breakpoint");
	in.flags &= ~(u64)FL_RF;
	r = run(in);
	trap_at(&r, DB, 0, c, 2, "without RF it comes again");
	/* RF lasts for one instruction. */
	in = kernel_regs(c + 1);
	in.flags |= FL_RF;
	r = run(in);
	trap_at(&r, DB, 0, c, 2, "RF is cleared by the instruction that completes");
	dr7_write(0);

	/* Data: a trap behind the access. */
	const u8 *st = CODE("mov %%eax, (%%rbx)\n nop"), *ld = CODE("mov (%%rbx), %%eax\n nop");
	dr1_write(addr(&word));
	dr7_write(DR7_FIELD(1, W, LEN4));
	in = kernel_regs(st);
	in.bx = addr(&word);
	in.ax = 0x12345678;
	dr6_write(DR6_ONE);
	r = run(in);
	trap_at(&r, DB, 0, st, 2, "write breakpoint");
	is(r.dr6, 0xffff0ff2, "DR6.B1");
	is(word, 0x12345678, "the store is done");
	in.bx = addr(&word) + 4;
	r = run(in);
	trap_at(&r, DONE, 0, st, 4, "write beside it");
	in.bx = addr(&word) - 1;
	r = run(in);
	trap_at(&r, DB, 0, st, 2, "write that overlaps by one byte");
	in.bx = addr(&word) + 3;
	r = run(in);
	trap_at(&r, DB, 0, st, 2, "write that overlaps the last byte");
	in = kernel_regs(ld);
	in.bx = addr(&word);
	r = run(in);
	trap_at(&r, DONE, 0, ld, 4, "a read does not hit a write breakpoint");
	dr7_write(DR7_FIELD(1, RW, LEN4));
	r = run(in);
	trap_at(&r, DB, 0, ld, 2, "read/write breakpoint on a read");
	dr7_write(DR7_FIELD(1, RW, LEN8));
	in.bx = addr(&word) + 7;
	r = run(in);
	trap_at(&r, DB, 0, ld, 2, "length 8");
	dr7_write(DR7_FIELD(1, RW, LEN2));
	in.bx = addr(&word) + 2;
	r = run(in);
	trap_at(&r, DONE, 0, ld, 4, "length 2");
	/* Implicit accesses: PUSH, CALL, string. */
	dr7_write(DR7_FIELD(1, W, LEN8));
	const u8 *push = CODE("push %%rax\n nop");
	in = kernel_regs(push);
	in.sp = addr(&word) + 8;
	r = run(in);
	trap_at(&r, DB, 0, push, 1, "write breakpoint on PUSH");
	const u8 *rep = CODE("rep stosq\n nop");
	in = kernel_regs(rep);
	in.di = addr(&word) - 16;
	in.cx = 4;
	dr1_write(addr(&word));
	static volatile u64 *const before = &word - 2; /* inside the image */
	(void)before;
	in.di = addr(words);
	dr1_write(addr(&words[2]));
	r = run(in);
	trap_at(&r, DB, 0, rep, 0, "write breakpoint inside REP STOSQ"); /* APM2 13.1.2: after the iteration */
	is(r.cx, 1, "rCX: three of four done");
	dr7_write(0);
	dr1_write(addr(&word));
	dr0_write(addr(&word));
	/* Two at once set both bits; DR6 bits of disabled ones may be set too: mask. */
	dr7_write(DR7_FIELD(0, RW, LEN4) | DR7_FIELD(1, W, LEN4));
	in = kernel_regs(st);
	in.bx = addr(&word);
	dr6_write(DR6_ONE);
	r = run(in);
	is(r.dr6 & 15, 3, "two breakpoints on one access");
	in.flags |= FL_TF;
	dr6_write(DR6_ONE);
	r = run(in);
	is(r.dr6 & (BS | 15), BS | 3, "and the single step with them");
	/* A locked or faulting store does not trap. */
	dr7_write(0);

	/* I/O breakpoints need CR4.DE. APM2 13.1.2 */
	const u8 *out = CODE("out %%al, $0x80\n nop");
	cr4_write(cr4_read() | CR4_DE);
	dr2_write(0x80);
	dr7_write(DR7_FIELD(2, IO, LEN1));
	dr6_write(DR6_ONE);
	r = run_kernel(out);
	trap_at(&r, DB, 0, out, 2, "I/O breakpoint");
	is(r.dr6, 0xffff0ff4, "DR6.B2");
	const u8 *in_dx = CODE("in %%dx, %%al\n nop");
	in = kernel_regs(in_dx);
	in.dx = 0x80;
	r = run(in);
	trap_at(&r, DB, 0, in_dx, 1, "I/O breakpoint on IN");
	in.dx = 0x84;
	r = run(in);
	trap_at(&r, DONE, 0, in_dx, 3, "IN of another port");
	/* With CR4.DE = 1 DR4 and DR5 are #UD; without, they are DR6 and DR7. APM2 13.1.1.3 */
	const u8 *dr4 = CODE("mov %%db4, %%rax");
	r = run_kernel(dr4);
	trap_at(&r, UD, 0, dr4, 0, "DR4 with CR4.DE");
	dr7_write(0);
	cr4_write(cr4_read() & ~(uword)CR4_DE);
	dr6_write(DR6_ONE);
	r = run_kernel(dr4);
	is(r.ax, 0xffff0ff0, "DR4 is DR6 without CR4.DE");
	r = run_kernel(out);
	trap_at(&r, DONE, 0, out, 4, "no I/O breakpoint when disabled");
	/* Upper halves: #GP in long mode. APM2 13.1.1.4 */
	const u8 *set6 = CODE("mov %%rbx, %%db6"), *set7 = CODE("mov %%rbx, %%db7");
	in = kernel_regs(set6);
	in.bx = 1ull << 32;
	r = run(in);
	trap_at(&r, GP, 0, set6, 0, "MOV DR6 with bit 32");
	in.ip = addr(set7);
	r = run(in);
	trap_at(&r, GP, 0, set7, 0, "MOV DR7 with bit 32");
	/* An instruction breakpoint goes before the fault of the same instruction. APM2 8.5 */
	const u8 *bad = CODE("ud2");
	dr0_write(addr(bad));
	dr7_write(DR7_FIELD(0, X, LEN1));
	dr6_write(DR6_ONE);
	r = run_kernel(bad);
	trap_at(&r, DB, 0, bad, 0, "instruction breakpoint before #UD");
	/* Global or local enable, either is enough. */
	dr7_write(1);
	r = run_kernel(bad);
	trap_at(&r, DB, 0, bad, 0, "local enable");
	dr7_write(0);
	/* In user code too. */
	const u8 *u = CODE("nop");
	dr0_write(user(u));
	dr7_write(2);
	r = run_user(u);
	trap_is(&r, DB, 0, "instruction breakpoint at CPL 3");
	dr7_write(0);
}

static volatile unsigned ticks;
static u64 tick_ip;

static void on_tick(struct regs *r)
{
	ticks++;
	tick_ip = r->ip;
	lapic_write(LAPIC_EOI, 0);
}

static void shadows(void)
{
	lapic_enable();
	lapic_write(LAPIC_TPR, 0);
	handler_set(0x50, on_tick);
	/* A self-IPI is pending; STI lets it in only behind the next instruction. APM3 STI */
	const u8 *c = CODE("movl $0x40050, 0x300(%%rbx)\n mov $2000, %%ecx\n1: pause\n loop 1b\n sti\n nop\n nop\n cli");
	struct regs in = kernel_regs(c), r;
	u64 sti = 0;
	for (const u8 *p = c; !sti; p++)
		if (p[0] == 0xfb && p[1] == 0x90)
			sti = addr(p);
	in.bx = 0xfee00000;
	run(in);
	is(ticks, 1, "STI lets the interrupt in");
	is(tick_ip, sti + 2, "behind the instruction that follows STI");
	c = CODE("movl $0x40050, 0x300(%%rbx)\n mov $2000, %%ecx\n1: pause\n loop 1b\n sti\n cli\n nop");
	in.ip = addr(c);
	ticks = 0;
	run(in);
	is(ticks, 0, "STI; CLI lets nothing in");
	__asm__ volatile("sti\n nop\n nop\n cli");
	is(ticks, 1, "it stays pending");
	/* MOV SS blocks for one instruction. APM2 8.5.1, APM3 MOV. Here IF comes from POPF, without a shadow. */
	c = CODE("mov %%ss, %%edx\n movl $0x40050, 0x300(%%rbx)\n mov $2000, %%ecx\n1: pause\n loop 1b\n pushq $0x202\n"
		 "popfq\n nop\n nop\n cli");
	in.ip = addr(c);
	ticks = 0;
	run(in);
	u64 popf = 0;
	for (const u8 *p = c; !popf; p++)
		if (p[0] == 0x9d && p[1] == 0x90)
			popf = addr(p);
	is(tick_ip, popf + 1, "POPF has no shadow");
	c = CODE("mov %%ss, %%edx\n movl $0x40050, 0x300(%%rbx)\n mov $2000, %%ecx\n1: pause\n loop 1b\n pushq $0x202\n"
		 "lea 1f(%%rip), %%rax\n lea 2f(%%rip), %%rsi\n sti\n mov %%edx, %%ss\n1: nop\n2: nop\n cli");
	in.ip = addr(c);
	ticks = 0;
	r = run(in);
	is(tick_ip, r.si, "STI; MOV SS; NOP: the shadow of MOV SS follows that of STI");
	/* CLI; HLT waits for nothing; STI; HLT wakes: the shadow covers HLT. */
	c = CODE("movl $0x40050, 0x300(%%rbx)\n sti\n hlt\n cli");
	in.ip = addr(c);
	ticks = 0;
	r = run(in);
	is(ticks, 1, "STI; HLT is woken");
	is(tick_ip, r.ip - 2, "behind the HLT");
	/* A breakpoint trap under MOV SS is held until behind the next instruction. */
	word = KDATA;
	dr0_write(addr(&word));
	dr7_write(DR7_FIELD(0, RW, LEN4));
	c = CODE("mov (%%rbx), %%ss\n nop\n nop");
	in = kernel_regs(c);
	in.bx = addr(&word);
	r = run(in);
	trap_at(&r, DB, 0, c, 3, "data breakpoint of MOV SS comes behind the next instruction");
	dr7_write(0);
}

static void general_detect(void) /* last: where GD is not cleared, no debug register can be used any more */
{
	struct regs r;

	/* General detect: any MOV DR raises #DB, and GD is cleared for the handler. APM2 13.1.1.5 */
	const u8 *get = CODE("mov %%db0, %%rax\n nop");
	dr6_write(DR6_ONE);
	dr7_write(0x2000);
	r = run_kernel(get);
	trap_at(&r, DB, 0, get, 0, "general detect");
	is(r.dr6, 0xffff0ff0u | BD, "DR6.BD");
	r = run_kernel(CODE("mov %%db7, %%rax"));
	is(r.vector == DONE ? r.ax & 0x2000 : r.vector, 0, "DR7.GD is cleared");
}

void guest_main(void)
{
	single_step();
	breakpoints();
	shadows();
	general_detect();
}
