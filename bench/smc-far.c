/* A loop that patches an immediate in a function on another page, then calls it: a small JIT. Op: one patch. APM2 7.6.1 */
#include "rt/rt.h"

u64 smc_loop(u64 n);

__asm__(
	".text\n"
	".balign 64\n"
	"smc_loop:\n"
	"	xor	%eax, %eax\n"
	"	mov	$0x12345678, %ecx\n"
	"	test	%rdi, %rdi\n"
	"	jz	2f\n"
	"1:	mov	%ecx, patched+1(%rip)\n"
	"	imul	$1664525, %ecx, %ecx\n"
	"	add	$1013904223, %ecx\n"
	"	call	patched\n"
	"	rol	$3, %rax\n"
	"	add	%rdx, %rax\n"
	"	dec	%rdi\n"
	"	jnz	1b\n"
	"2:	ret\n"
	".balign 4096\n"
	"patched:\n"
	"	mov	$0, %edx\n"
	"	ret\n"
	".balign 4096\n");

static struct result run(u64 n)
{
	return (struct result){ n, smc_loop(n) };
}

const struct bench bench = { "smc-far", 100000, run };
