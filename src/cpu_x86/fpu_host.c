/*
 * The host's x87 as the guest's: loading and storing all of it, and single instructions on a state in memory. The instructions of the
 * second kind are a table of tiny routines, one for each opcode and ModRM byte. See fpu.h.
 */
#include "cpu_x86/fpu.h"

/* Routine (opcode - D8h) * 72 + ModRM - C0h, or + 64 + ModRM.reg for memory: rdi the image, rsi the operand, rdx flags. */
#define ROUTINE_SIZE 16
extern const u8 fpu_host_routines[];
__asm__(".pushsection .text\n"
        "	.balign 16\n"
        "fpu_host_routines:\n"
        "	.macro fpu_routine op, modrm\n"
        "	pushq %rdx\n"
        "	frstor (%rdi)\n"
        "	popfq\n"
        "	.byte \\op, \\modrm\n"
        "	pushfq\n"
        "	fnsave (%rdi)\n"
        "	popq %rax\n"
        "	ret\n"
        "	.balign 16, 0xcc\n"
        "	.endm\n"
        "	.irp op, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf\n"
        "	.set m, 0xc0\n"
        "	.rept 64\n"
        "	fpu_routine \\op, m\n"
        "	.set m, m + 1\n"
        "	.endr\n"
        "	.set m, 6\n" /* (%rsi) */
        "	.rept 8\n"
        "	fpu_routine \\op, m\n"
        "	.set m, m + 8\n"
        "	.endr\n"
        "	.endr\n"
        "	.purgem fpu_routine\n"
        "	.popsection\n");

u64 fpu_host_one(struct fpu_image *img, unsigned opcode, unsigned modrm, void *mem, u64 flags)
{
	unsigned n = (opcode & 7) * 72 + (modrm >= 0xc0 ? modrm - 0xc0 : 64 + (modrm >> 3 & 7));
	u64 (*routine)(struct fpu_image *, void *, u64) =
	        (u64(*)(struct fpu_image *, void *, u64))(uintptr_t)(fpu_host_routines + n * ROUTINE_SIZE);

	return routine(img, mem, flags & FLAGS_ARITH) & FLAGS_ARITH;
}

void fpu_host_load(const struct x86_fpu *f)
{
	struct fpu_image img = {.fcw = f->fcw, .fsw = f->fsw, .ftw = fpu_tags_wide(f->ftw)};

	for (unsigned i = 0; i < 8; i++)
		memcpy(img.st[i], f->st[i], 10);
	__asm__ volatile("frstor %0" : : "m"(img));
}

void fpu_host_store(struct x86_fpu *f)
{
	struct fpu_image img;

	__asm__ volatile("fnsave %0" : "=m"(img));
	f->fcw = img.fcw;
	f->fsw = img.fsw;
	f->ftw = fpu_tags_abridged(img.ftw);
	for (unsigned i = 0; i < 8; i++)
		memcpy(f->st[i], img.st[i], 10);
}
