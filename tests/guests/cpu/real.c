/* Real mode: segments of 64 KB, vectors, big real mode, A20, what is not recognized. APM2 4.5.1, 8.6, 14.1. */
#include "guest32.h"

static void basics(void)
{
	struct regs in, r;

	in = real_regs(CODE16("mov %%ds:0x10, %%ax\n mov %%cs, %%dx\n mov %%cr0, %%ebx\n push %%dx"));
	in.ds = 0x912;
	*(u16 *)0x9130 = 0x4711;
	r = run_real(in);
	trap_is(&r, DONE, 0, "runs and ends in INT3");
	is(r.ax & 0xffff, 0x4711, "segment * 16 + offset");
	is(r.dx & 0xffff, REAL_CODE, "CS");
	is(r.bx & 1, 0, "CR0.PE is clear");
	is(r.sp, REAL_STACK - 2, "SP");
	/* INT n pushes FLAGS, CS, IP and clears IF, TF, AC. APM2 8.6 */
	in = real_regs(CODE16("sti\n int $0x10\n nop"));
	r = run_real(in);
	trap_is(&r, 0x10, 0, "INT 10h");
	is(r.ip, 3, "IP of the next instruction");
	is(r.flags & FL_IF, FL_IF, "IF in the pushed flags");
	is(r.sp, REAL_STACK, "three words");
	/* IRET, PUSHF, POPF are free. */
	in = real_regs(CODE16("pushw $0x38d7\n popf\n pushf\n pop %%ax"));
	r = run_real(in);
	is(r.ax & 0xffff, 0x38d7, "POPF sets IOPL and all arithmetic flags");
	/* Faults have no error code; a limit is 64 KB: #GP, through SS #SS. APM2 table 8-1 */
	in = real_regs(CODE16("mov (%%bx), %%ax"));
	in.bx = 0xffff;
	r = run_real(in);
	trap_is(&r, GP, 0, "a word at offset FFFFh");
	is(r.ip, 0, "at the instruction");
	in = real_regs(CODE16("mov (%%ebx), %%al"));
	in.bx = 0x10000;
	r = run_real(in);
	trap_is(&r, GP, 0, "an offset above 64 KB");
	in = real_regs(CODE16("mov (%%bp), %%ax"));
	in.bp = 0xffff;
	r = run_real(in);
	trap_is(&r, SS, 0, "a word at SS:FFFFh");
	in = real_regs(CODE16("xor %%cx, %%cx\n div %%cx"));
	r = run_real(in);
	trap_is(&r, DE, 0, "#DE");
	is(r.ip, 2, "saved IP at the DIV");
	in = real_regs(CODE16("ud2"));
	r = run_real(in);
	trap_is(&r, UD, 0, "UD2");
	static const char *const name[] = {"LLDT", "LTR", "SLDT", "STR", "LAR", "LSL", "VERR", "VERW", "ARPL"};
	const u8 *c[] = {CODE16("lldt %%ax"), CODE16("ltr %%ax"), CODE16("sldt %%ax"), CODE16("str %%ax"), CODE16("lar %%ax, %%ax"),
		CODE16("lsl %%ax, %%ax"), CODE16("verr %%ax"), CODE16("verw %%ax"), CODE16("arpl %%ax, %%ax")};
	for (unsigned i = 0; i < 9; i++) {
		r = run_real(real_regs(c[i]));
		trap_is(&r, UD, 0, text("%s in real mode", name[i]));
	}
	/* SMSW, LMSW, SGDT, MOV CR, CLTS, HLT are allowed. */
	r = run_real(real_regs(CODE16("smsw %%ax\n clts\n sgdtl 0\n mov %%cr4, %%ecx\n wbinvd")));
	trap_is(&r, DONE, 0, "SMSW, CLTS, SGDT, MOV from CR4, WBINVD");
	r = run_real(real_regs(CODE16("sysenter")));
	trap_is(&r, GP, 0, "SYSENTER");
	/* 32-bit operands and addresses below 64 KB work. */
	in = real_regs(CODE16("mov $0x12345678, %%eax\n mov %%eax, (%%ebx, %%ecx, 4)\n mov 0x20, %%edx"));
	in.bx = 0x10;
	in.cx = 4;
	r = run_real(in);
	is(r.dx, 0x12345678, "32-bit operands and addressing forms");
	/* Stack wrap: PUSH at SP = 0 goes to FFFEh. */
	in = real_regs(CODE16("mov $0x1000, %%dx\n mov %%dx, %%ss\n xor %%sp, %%sp\n push %%ax\n mov %%sp, %%bx\n"
			      "mov $0, %%dx\n mov %%dx, %%ss\n mov $0x7ff0, %%sp"));
	r = run_real(in);
	is(r.bx & 0xffff, 0xfffe, "PUSH at SP = 0 wraps");
	/* The end of a segment, for data and for code. */
	in = real_regs(CODE16("mov $0xfffe, %%si\n movw $0x9090, (%%si)\n push %%cs\n pop %%ax\n mov %%ds, %%ax"));
	in.ds = REAL_CODE;
	r = run_real(in);
	trap_is(&r, DONE, 0, "store at the end of a segment");
	in = real_regs(CODE16("jmp *%%si"));
	in.si = 0xffff;
	*(u8 *)(REAL_LINEAR + 0xffff) = 0xb0; /* the first byte of MOV AL, imm8 */
	r = run_real(in);
	trap_is(&r, GP, 0, "an instruction that crosses the end of the code segment");
	/* REP MOVS with wrap of SI inside a segment: 16-bit index registers wrap. */
	in = real_regs(CODE16("rep movsb"));
	in.si = 0xfffe;
	in.di = 0x100;
	in.cx = 4;
	*(u8 *)0x18ffe = 1, *(u8 *)0x18fff = 2, *(u8 *)0x9000 = 3, *(u8 *)0x9001 = 4;
	r = run_real(in);
	is(*(u32 *)0x9100, 0x04030201, "SI wraps at 64 KB");
	is(r.si & 0xffff, 2, "SI");
}

static void big_real(void)
{
	/* Enter protected mode, load DS with 4 GB, leave: the limit stays. APM2 4.5.1 */
	struct regs in = real_regs(CODE16("lgdtl %%cs:0x70\n mov %%cr0, %%eax\n or $1, %%al\n mov %%eax, %%cr0\n jmp 1f\n"
					  "1: mov $0x10, %%dx\n mov %%dx, %%fs\n and $0xfe, %%al\n mov %%eax, %%cr0\n jmp 2f\n"
					  "2: mov $0x200000, %%ebx\n mov $0x600dcafe, %%eax\n mov %%eax, %%fs:(%%ebx)\n"
					  "mov %%fs:(%%ebx), %%ecx\n mov $0x912, %%dx\n mov %%dx, %%fs\n mov %%fs:(%%ebx), %%esi"));
	struct __attribute__((packed)) {
		u16 limit;
		u32 base;
	} ptr = {sizeof gdt - 1, addr(gdt)};

	memcpy((void *)(REAL_LINEAR + 0x70), &ptr, sizeof ptr);
	*(volatile u32 *)(0x200000 + 0x9120) = 0x0badf00d;
	struct regs r = run_real(in);
	trap_is(&r, DONE, 0, "big real mode");
	is(r.cx, 0x600dcafe, "a read at 2 MB");
	is(*(volatile u32 *)0x200000, 0x600dcafe, "a write at 2 MB");
	is(r.si, 0x0badf00d, "a segment load changes the base and keeps the limit");
}

static void a20(void)
{
	/* A20 off: bit 20 of physical addresses is 0. Port 92h bit 1. Only in real mode: this program lies above 1 MB. */
	struct regs in = real_regs(CODE16("mov $0xffff, %%dx\n mov %%dx, %%es\n xor %%dx, %%dx\n mov %%dx, %%ds\n"
					  "movw $0x1234, %%ds:0x9500\n movw $0x5678, %%es:0x9510\n mov %%ds:0x9500, %%ax\n"
					  "in $0x92, %%al\n mov %%ds:0x9500, %%bx\n and $0xfd, %%al\n out %%al, $0x92\n"
					  "mov %%es:0x9510, %%cx\n movw $0x9abc, %%es:0x9510\n mov %%ds:0x9500, %%si\n"
					  "or $2, %%al\n out %%al, $0x92\n mov %%es:0x9510, %%di"));
	u16 was = *(volatile u16 *)(0x109500);
	struct regs r = run_real(in);
	*(volatile u16 *)(0x109500) = was; /* part of this program, perhaps */
	trap_is(&r, DONE, 0, "A20");
	is(r.bx & 0xffff, 0x1234, "A20 on: FFFF:9510 is another word");
	is(r.cx & 0xffff, 0x1234, "A20 off: reads wrap to 0");
	is(r.si & 0xffff, 0x9abc, "A20 off: writes wrap to 0");
	is(r.di & 0xffff, 0x5678, "A20 on again: the word above 1 MB");
}

/* Often enough to become host code. The address size is the counter's. APM3 "LOOPcc", "JrCXZ" */
static void loops(void)
{
	struct regs in = real_regs(CODE16("mov $200, %%cx\n 1: inc %%ax\n adc %%dx, %%dx\n loop 1b\n mov %%ecx, %%edx\n"
					  "mov $200, %%ecx\n 2: inc %%bx\n addr32 loop 2b\n"
					  "mov $200, %%cx\n 3: inc %%si\n cmp $150, %%si\n loopne 3b\n shl $16, %%ecx\n"
					  "mov $200, %%cx\n 4: inc %%di\n test $0, %%di\n loope 4b\n"
					  "mov $100, %%cx\n 5: jcxz 6f\n inc %%bp\n dec %%cx\n jmp 5b\n 6:"));
	struct regs r;

	in.ax = in.bx = in.si = in.di = in.bp = 0;
	in.cx = 0xabcd0000;
	r = run_real(in);
	trap_is(&r, DONE, 0, "loops");
	is(r.ax & 0xffff, 200, "LOOP with CX");
	is(r.dx, 0xabcd0000, "LOOP with CX keeps the upper half of ECX");
	is(r.bx & 0xffff, 200, "LOOP with ECX");
	is(r.si & 0xffff, 150, "LOOPNE");
	is(r.cx, 50u << 16, "LOOPNE leaves what is left; JCXZ at CX = 0");
	is(r.di & 0xffff, 200, "LOOPE");
	is(r.bp & 0xffff, 100, "JCXZ");
}

void guest_main(void)
{
	basics();
	loops();
	big_real();
	a20();
}
