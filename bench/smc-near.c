/* A loop that patches the immediate of an instruction in its own body, then runs it. Op: one patch. APM2 7.6.1 */
#include "rt/rt.h"

u64 smc_loop(u64 n); /* within 64 bytes: one page */

__asm__(
	".text\n"
	".balign 64\n"
	"smc_loop:\n"
	"	xor	%eax, %eax\n"
	"	mov	$0x12345678, %ecx\n"
	"	test	%rdi, %rdi\n"
	"	jz	2f\n"
	"1:	mov	%ecx, 3f+1(%rip)\n"
	"	imul	$1664525, %ecx, %ecx\n"
	"	add	$1013904223, %ecx\n"
	"3:	mov	$0, %edx\n"
	"	rol	$3, %rax\n"
	"	add	%rdx, %rax\n"
	"	dec	%rdi\n"
	"	jnz	1b\n"
	"2:	ret\n"
	".balign 64\n");

static struct result run(u64 n)
{
	return (struct result){ n, smc_loop(n) };
}

const struct bench bench = { "smc-near", 30000, run };
