/* REP string instructions that fault midway, restart, overlap, wrap; INS and OUTS; big counts. APM3 1.2.6. */
#include "guest64.h"

#define VA 0x7900000000ull

static u64 string_left;

static void string_tick(struct regs *r)
{
	string_left = r->cx;
	lapic_write(LAPIC_EOI, 0);
}

void guest_main(void)
{
	struct regs in, r;
	u8 *a = page_alloc(), *b = page_alloc();
	u64 *e0 = pte(boot_pml4, VA, 12), *e1 = e0 + 1;

	*e0 = addr(a) | PTE_ALL;
	*e1 = 0;
	flush();
	/* STOSB runs into an absent page: registers tell how far it came. */
	const u8 *c = CODE("rep stosb");
	in = kernel_regs(c);
	in.di = VA + 4000;
	in.cx = 200;
	in.ax = 0x33;
	r = run(in);
	trap_at(&r, PF, PF_W, c, 0, "REP STOSB into an absent page");
	is(r.cr2, VA + 4096, "CR2");
	is(r.cx, 104, "rCX: what is left");
	is(r.di, VA + 4096, "rDI");
	is(a[4095], 0x33, "the last byte is there");
	*e1 = addr(b) | PTE_ALL;
	r = run(r);
	trap_is(&r, DONE, 0, "restarted, it completes");
	is(r.cx, 0, "rCX");
	is(b[103] == 0x33 && b[104] == 0, 1, "exactly the rest");
	/* MOVSQ from an absent source, misaligned across the page. */
	*e1 = 0;
	invlpg((void *)(VA + 4096));
	in = kernel_regs(CODE("rep movsq"));
	in.si = VA + 4096 - 20;
	in.di = addr(b) + 512;
	in.cx = 8;
	r = run(in);
	trap_is(&r, PF, 0, "REP MOVSQ from an absent page");
	is(r.cx, 6, "two done");
	is(r.si, VA + 4096 - 4, "rSI at the one that crosses");
	is(r.cr2, VA + 4096, "CR2 is the absent page");
	/* Backward. */
	*e1 = addr(b) | PTE_ALL;
	*e0 = 0;
	flush();
	in = kernel_regs(CODE("std\n rep stosw\n cld"));
	in.di = VA + 4096 + 10;
	in.cx = 20;
	in.ax = 0x7777;
	r = run(in);
	trap_is(&r, PF, PF_W, "backward into an absent page");
	is(r.cx, 14, "six words done");
	is(r.di, VA + 4096 - 2, "rDI");
	is(r.flags & FL_DF, FL_DF, "DF in the frame");
	*e0 = addr(a) | PTE_ALL;
	/* CMPSB: flags of the last comparison, faults before. */
	memcpy(a, "hello world", 12);
	memcpy(b, "hello wOrld", 12);
	in = kernel_regs(CODE("repe cmpsb\n setz %%al"));
	in.si = addr(a);
	in.di = addr(b);
	in.cx = 12;
	r = run(in);
	is(r.cx, 4, "REPE CMPSB stops behind the first difference");
	is(r.ax & 1, 0, "ZF");
	in = kernel_regs(CODE("repne scasb"));
	in.di = addr(a);
	in.ax = 'w';
	in.cx = 100;
	r = run(in);
	is(r.di - addr(a), 7, "REPNE SCASB");
	/* rCX = 0: nothing, flags kept. */
	in.cx = 0;
	in.flags |= FL_ZF | FL_CF;
	in.di = 0x800000000000;
	r = run(in);
	trap_is(&r, DONE, 0, "rCX = 0 touches nothing");
	is(r.flags & (FL_ZF | FL_CF), FL_ZF | FL_CF, "and keeps the flags");
	/* Overlap: a pattern is repeated. */
	memset(a, 0, 256);
	a[0] = 1, a[1] = 2, a[2] = 3;
	in = kernel_regs(CODE("rep movsb"));
	in.si = addr(a);
	in.di = addr(a) + 3;
	in.cx = 30;
	run(in);
	is(a[30] == 1 && a[31] == 2 && a[32] == 3, 1, "overlapping REP MOVSB repeats the pattern");
	/* 32-bit address size: ECX, ESI, EDI only; 64-bit registers zero-extend. */
	in = kernel_regs(CODE("addr32 rep stosb"));
	in.di = addr(a);
	in.cx = 0xdead00000004;
	in.ax = 0x5a;
	r = run(in);
	is(r.cx, 0, "address size 32: ECX counts and is zero-extended");
	is(r.di, addr(a) + 4, "EDI");
	is(a[3] == 0x5a && a[4] != 0x5a, 1, "four bytes");
	/* A segment override of the source works, of the destination not. */
	msr_write(MSR_FS_BASE, 16);
	in = kernel_regs(CODE("fs rep movsb"));
	memcpy(b, "0123456789abcdefXYZ", 19);
	in.si = addr(b);
	in.di = addr(a);
	in.cx = 3;
	run(in);
	is(a[0], 'X', "FS override of MOVS' source");
	/* The first element faults behind the end of a page: with 32-bit addresses, too, nothing has changed. */
	msr_write(MSR_FS_BASE, VA + 4095);
	*e0 = addr(a) | PTE_ALL;
	*e1 = 0;
	flush();
	in = kernel_regs(CODE("mov %%fs:(%%rsi), %%al\n mov %%al, (%%rbx)\n addr32 fs rep movsw"));
	in.si = 0;
	in.di = 0xbeef00000000 | addr(b);
	in.bx = addr(b);
	in.cx = 0xdead00000004;
	r = run(in);
	trap_is(&r, PF, 0, "address size 32: MOVSW's first element faults");
	is(r.cx, 0xdead00000004, "all of rCX stays");
	is(r.di, 0xbeef00000000 | addr(b), "all of rDI stays");
	msr_write(MSR_FS_BASE, 0);
	/* Long counts. */
	u32 *big = (u32 *)0x8000000;
	in = kernel_regs(CODE("rep stosl"));
	in.di = addr(big);
	in.cx = 0x1000000 / 4;
	in.ax = 0xa5a5a5a5;
	r = run(in);
	is(r.di, addr(big) + 0x1000000, "REP STOSD of 16 MB");
	is(big[0x3fffff], 0xa5a5a5a5, "its end");
	is(big[0x400000] == 0xa5a5a5a5, 0, "and not more");
	/* INS and OUTS: port 80h and the pc-testdev latch E0h would do; COM1's scratch register here. */
	in = kernel_regs(CODE("rep outsb"));
	memcpy(a, "\1\2\3", 3);
	in.si = addr(a);
	in.dx = COM1 + 7;
	in.cx = 3;
	r = run(in);
	is(in8(COM1 + 7), 3, "REP OUTSB");
	is(r.si, addr(a) + 3, "rSI");
	in = kernel_regs(CODE("rep insb"));
	in.di = VA + 4094;
	in.dx = COM1 + 7;
	in.cx = 4;
	*e0 = addr(a) | PTE_ALL;
	*e1 = 0;
	flush();
	r = run(in);
	trap_is(&r, PF, PF_W, "REP INSB into an absent page");
	is(r.cx, 2, "two done");
	is(a[4095], 3, "the bytes are there");
	/* An interrupt comes between two iterations and the instruction goes on. */
	lapic_enable();
	handler_set(0x60, string_tick);
	lapic_write(LAPIC_DIV, 0xb);
	lapic_write(LAPIC_TIMER, 0x60);
	in = kernel_regs(CODE("rep lodsb"));
	in.flags |= FL_IF;
	for (u32 ticks = 100; ticks < 100000000; ticks *= 2) { /* how long it takes is not known */
		lapic_write(LAPIC_INIT, ticks);
		in.si = addr(big);
		in.cx = 0x4000000;
		string_left = 0;
		r = run(in);
		if (r.vector != DONE || r.cx || (string_left > 0 && string_left < 0x4000000))
			break;
	}
	trap_is(&r, DONE, 0, "REP LODSB of 64 MB with a timer");
	ok(string_left > 0 && string_left < 0x4000000, "an interrupt comes midway", "rCX %llx", string_left);
	is(r.cx, 0, "and the instruction goes on to its end");
}
