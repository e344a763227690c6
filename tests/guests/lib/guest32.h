/* What only the 32-bit guests have: selectors, gates, task state segments, runs in real and virtual-8086 mode. */
#ifndef TEST_GUEST32_H
#define TEST_GUEST32_H

#include "guest.h"

/* Selectors of gdt[] in cpu32.c. From FREE on the entries are the guest's. */
enum { KCODE = 0x08, KDATA = 0x10, UCODE = 0x18 | 3, UDATA = 0x20 | 3, CODE_16 = 0x28, DATA_16 = 0x30, TSS = 0x38, FREE = 0x40 };
#define MSR_EFER 0xc0000080u

/* APM2 12.2.2 */
struct tss32 {
	u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	u32 es, cs, ss, ds, fs, gs, ldt;
	u16 trap, io_base;
	u8 redirect[32];  /* VME: interrupt redirection bitmap */
	u8 io[8192 + 1];
};
enum { TSS32_MIN = 104 };
struct tss16 {
	u16 link, sp0, ss0, sp1, ss1, sp2, ss2, ip, flags, ax, cx, dx, bx, sp, bp, si, di, es, cs, ss, ds, ldt;
};

extern u64 gdt[64], idt[256];
extern struct tss32 tss;
extern const u8 trap_stubs[];
extern u8 run_stack[16384], trap_stack[16384];

u64 gate(u16 sel, u32 offset, u8 access, u8 count); /* access 8C/EC call, 8E int, 8F trap, 85 task, 84/86/87 16-bit */
void gate_default(unsigned vector);
void load_gdt(void);
void load_idt(u32 limit);

/* Code in virtual-8086 mode: it is copied to low memory (REAL_CODE:0); fields ds, es, fs, gs of regs count. */
enum { REAL_CODE = 0x800, REAL_LINEAR = 0x8000, REAL_STACK = 0x7ff0, REAL_DATA = 0x900 };
struct regs v86_regs(const void *code);
/* Code in real mode, entered at REAL_CODE:0. Interrupt vectors 0 to 31 end the run. */
struct regs real_regs(const void *code);
struct regs run_real(struct regs in);

#endif
