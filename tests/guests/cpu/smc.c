/* Self-modifying code: no flush and no jump is needed. APM2 7.6.1. Stores to code take effect on the next instruction. */
#include "guest64.h"

#define VA 0x7800000000ull

void guest_main(void)
{
	struct regs in, r;
	const u8 *c;

	/* The next instruction of the same block. */
	c = CODE("movb $7, 1f + 1(%%rip)\n1: mov $1, %%al");
	r = run_kernel(c);
	is(r.ax & 0xff, 7, "the next instruction's immediate");
	/* A few ahead, in a loop: the loop runs with a new immediate each time. */
	c = CODE("mov $5, %%ecx\n xor %%ebx, %%ebx\n1: mov %%cl, 2f + 1(%%rip)\n nop\n nop\n2: mov $0, %%al\n movzbl %%al, %%eax\n"
		 "add %%eax, %%ebx\n dec %%ecx\n jnz 1b");
	r = run_kernel(c);
	is(r.bx, 15, "an immediate changed in each round of a loop");
	/* An instruction behind: the next round sees it. */
	c = CODE("mov $3, %%ecx\n xor %%ebx, %%ebx\n1: add $1, %%ebx\n movb $16, 1b + 2(%%rip)\n dec %%ecx\n jnz 1b");
	r = run_kernel(c);
	is(r.bx, 33, "an instruction behind is changed for the next round");
	/* The opcode itself, by a wide store that covers two instructions. */
	c = CODE("movl $0x90c0fec3, %%eax\n movl $0xc0fec0fe, 1f(%%rip)\n mov $0, %%eax\n1: nop\n nop\n nop\n nop");
	r = run_kernel(c);
	is(r.ax, 2, "four NOPs become two INC AL");
	/* REP STOSB over the code ahead, and over itself's followers. */
	c = CODE("lea 1f(%%rip), %%rdi\n mov $4, %%ecx\n mov $0x90, %%al\n mov $0, %%ebx\n rep stosb\n1: ud2\n ud2\n mov $9, %%ebx");
	r = run_kernel(c);
	trap_is(&r, DONE, 0, "REP STOSB over the instructions that follow it");
	is(r.bx, 9, "they are NOPs now");
	/* Another page. */
	u8 *page = page_alloc(), *next = page_alloc();
	static const u8 body[] = {0xb8, 1, 0, 0, 0, 0xc3};
	memcpy(page, body, sizeof body);
	in = kernel_regs(CODE("call *%%rbx\n mov %%eax, %%esi\n movb $2, 1(%%rbx)\n call *%%rbx"));
	in.bx = addr(page);
	r = run(in);
	is(r.si, 1, "a function in another page");
	is(r.ax, 2, "changed");
	/* Through another mapping: run at the user alias' twin, store through the other address. */
	*pte(boot_pml4, VA, 12) = addr(page) | PTE_RW;
	*pte(boot_pml4, VA + 4096, 12) = addr(next) | PTE_RW;
	invlpg((void *)VA);
	invlpg((void *)(VA + 4096));
	in = kernel_regs(CODE("call *%%rbx\n mov %%eax, %%esi\n movb $3, 1(%%rdx)\n call *%%rbx"));
	in.bx = VA;
	in.dx = addr(page);
	r = run(in);
	is(r.si, 2, "through another mapping: before");
	is(r.ax, 3, "through another mapping: after");
	/* An instruction across two pages: change its second half. */
	memset(page + 4088, 0x90, 8);
	page[4094] = 0xb8;
	page[4095] = 0x11;
	next[0] = next[1] = next[2] = 0;
	next[3] = 0xc3;
	in.bx = VA + 4088;
	in.dx = addr(next) - 1;
	r = run(in);
	is(r.si, 0x11, "an instruction across pages: before");
	is(r.ax, 0x311, "its second half changed");
	/* A changed mapping: other code at the same address, after INVLPG. */
	memcpy(next, body, sizeof body);
	next[1] = 0x44;
	in = kernel_regs(CODE("call *%%rbx\n mov %%eax, %%esi\n mov %%rdx, (%%rdi)\n invlpg (%%rbx)\n call *%%rbx"));
	memcpy(page, body, sizeof body);
	in.bx = VA;
	in.di = addr(pte(boot_pml4, VA, 12));
	in.dx = addr(next) | PTE_RW;
	r = run(in);
	is(r.si, 1, "a page remapped: before");
	is(r.ax, 0x44, "a page remapped: after");
	/* A cross-page instruction whose second page is remapped. */
	*pte(boot_pml4, VA, 12) = addr(page) | PTE_RW;
	u8 *third = page_alloc();
	page[4094] = 0xb8;
	page[4095] = 0x11;
	memset(next, 0, 16), next[3] = 0xc3;
	memset(third, 0, 16), third[0] = 0x22, third[3] = 0xc3;
	*pte(boot_pml4, VA + 4096, 12) = addr(next) | PTE_RW;
	flush();
	in = kernel_regs(CODE("call *%%rbx\n mov %%eax, %%esi\n mov %%rdx, (%%rdi)\n invlpg 4096(%%rbp)\n call *%%rbx"));
	in.bx = VA + 4094;
	in.bp = VA;
	in.di = addr(pte(boot_pml4, VA + 4096, 12));
	in.dx = addr(third) | PTE_RW;
	r = run(in);
	is(r.si, 0x11, "second page of an instruction: before");
	is(r.ax, 0x2211, "second page of an instruction remapped");
	/* A locked store, a PUSH and an XCHG into code. */
	c = CODE("mov $0x5b, %%edx\n lock orb %%dl, 1f + 1(%%rip)\n1: mov $0, %%al");
	r = run_kernel(c);
	is(r.ax & 0xff, 0x5b, "a locked store into the next instruction");
	/* The same code in two modes: 64-bit and compatibility mode decode 48h differently. */
	u8 *both = page_alloc();
	both[0] = 0x48, both[1] = 0x90, both[2] = 0xcc; /* REX NOP, or DEC EAX; NOP */
	in = user_regs(both);
	in.ax = 5;
	r = run(in);
	is(r.ax, 5, "REX in 64-bit mode");
	in = compat_regs(both);
	in.ax = 5;
	r = run(in);
	is(r.ax, 4, "DEC EAX in compatibility mode, same bytes");
	in = user_regs(both);
	in.ax = 5;
	r = run(in);
	is(r.ax, 5, "and 64-bit mode again");
	/* CPL in the key: user code that runs as kernel code too. */
	both[0] = 0xfa, both[1] = 0xcc;
	r = run_kernel(both);
	trap_is(&r, DONE, 0, "CLI as kernel");
	r = run_user(both);
	trap_is(&r, GP, 0, "CLI as user, same page");
	/* A store from another width that crosses into a code page. */
	u8 *p = page_alloc(), *q = page_alloc(); /* neighbours */
	memcpy(q, body, sizeof body);
	in = kernel_regs(CODE("call *%%rbx\n mov %%eax, %%esi\n movq %%rdx, -4(%%rbx)\n call *%%rbx"));
	in.bx = addr(q);
	in.dx = 0x000007b800000000;
	r = run(in);
	is(q == p + 4096, 1, "neighbouring pages");
	is(r.ax, 7, "a store that crosses into code");
}
