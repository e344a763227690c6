/*
 * The run-time of the test guests: what a guest gives (guest_main) and what it may call, in both word sizes.
 *
 * A test is one run of a piece of code: run(regs) enters it with IRET in the state that `regs` tells, at any privilege, and
 * returns the state in which the next exception or interrupt found it. Code that comes to its end stops in INT3, so vector
 * DONE means "no fault". Every test prints one line, `ok NAME` or `FAIL NAME: text`; a guest ends through isa-debug-exit
 * with 0 when no test failed.
 */
#ifndef TEST_GUEST_H
#define TEST_GUEST_H

#include "port.h"
#include "types.h"

enum vector { DE, DB, NMI, DONE, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC, MC, XF };

enum { FL_CF = 1, FL_PF = 4, FL_ZF = 0x40, FL_TF = 0x100, FL_IF = 0x200, FL_DF = 0x400, FL_IOPL = 0x3000, FL_NT = 0x4000,
       FL_RF = 0x10000, FL_VM = 0x20000, FL_AC = 0x40000, FL_VIF = 0x80000, FL_VIP = 0x100000, FL_ID = 0x200000 };
enum { CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_NE = 0x20, CR0_WP = 0x10000, CR0_AM = 0x40000, CR0_NW = 1 << 29,
       CR0_CD = 1 << 30 };
#define CR0_PG 0x80000000u
enum { CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 0x10, CR4_PAE = 0x20, CR4_PGE = 0x80, CR4_OSFXSR = 0x200,
       CR4_UMIP = 0x800, CR4_LA57 = 0x1000, CR4_FSGSBASE = 0x10000, CR4_PCIDE = 0x20000, CR4_OSXSAVE = 0x40000,
       CR4_SMEP = 0x100000, CR4_SMAP = 0x200000 };
enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_PWT = 8, PTE_PCD = 16, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80, PTE_G = 0x100,
       PTE_RW = 3, PTE_ALL = 7 };
#define PTE_NX (1ull << 63)
/* #PF error code: APM2 8.4.2 */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSV = 8, PF_I = 16 };

/* The frame that the trap stubs build; run() takes and returns it. */
#ifdef __x86_64__
struct regs {
	u64 es, ds, r15, r14, r13, r12, r11, r10, r9, r8, di, si, bp, bx, dx, cx, ax, vector, error, ip, cs, flags, sp, ss;
	u64 cr2, dr6;
};
#else
struct regs {
	u32 gs, fs, es, ds, di, si, bp, frame, bx, dx, cx, ax, vector, error, ip, cs, flags, sp, ss;
	u32 v_es, v_ds, v_fs, v_gs; /* in virtual-8086 mode */
	u32 cr2, dr6;
};
#endif

/* ---- report.c */
void guest_main(void);
void say(const char *fmt, ...);
const char *text(const char *fmt, ...); /* lives until seven more calls */
void ok(bool good, const char *name, const char *fmt, ...);
void is(u64 got, u64 want, const char *name);
void skip(const char *name, const char *why);
/* The run ended in `vector` with this error code. */
void trap_is(const struct regs *r, unsigned vector, u64 error, const char *name);
/* ... and at code + offset, which no GPR write may change: the saved rIP is part of the rule. APM2 8.2 */
void trap_at(const struct regs *r, unsigned vector, u64 error, const void *code, unsigned offset, const char *name);
_Noreturn void guest_end(void);
_Noreturn void die(const char *fmt, ...);
void start_c(u32 magic); /* called by boot*.S */

/* ---- cpu64.c, cpu32.c */
void cpu_init(void);
struct regs run(struct regs in);
struct regs kernel_regs(const void *code); /* flat, CPL 0, interrupts off, own stack */
struct regs user_regs(const void *code);   /* flat, CPL 3 */
struct regs run_kernel(const void *code);
struct regs run_user(const void *code);
/* Calls handler(frame) for the vector instead of ending the run; 0 takes it away. */
void handler_set(unsigned vector, void (*handler)(struct regs *));
u64 segment(u32 base, u32 limit, u8 access, u8 flags); /* flags: 8 G, 4 D/B, 2 L. limit counts units of G */

/*
 * CODE("text"): a piece of code, out of line; INT3 follows it. CODE_SIZE tells its length with the INT3.
 * CODE32, CODE16: for the other code sizes. Labels inside: 1: 2: ... but not 771 to 773.
 */
#define CODE_AS(mode, body) \
	({ \
		const u8 *code_; \
		__asm__ volatile(".pushsection .snippets,\"awx\"\n\t" mode "\n\t.balign 16\n\t.long 772f-771f\n771:\t" body \
				 "\n\tint3\n772:\n\t" MODE_NATIVE "\n\t.popsection\n\tmov $771b, %0" \
				 : "=r"(code_)); \
		code_; \
	})
#ifdef __x86_64__
#define MODE_NATIVE ".code64"
#else
#define MODE_NATIVE ".code32"
#endif
#define CODE(body)      CODE_AS(MODE_NATIVE, body)
#define CODE32(body)    CODE_AS(".code32", body)
#define CODE16(body)    CODE_AS(".code16", body)
#define CODE_SIZE(code) (((const u32 *)(code))[-1])

static inline uword addr(const volatile void *p) { return (uword)p; }

/* ---- registers */
#define REGISTER(name) \
	static inline uword name##_read(void) \
	{ \
		uword v; \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(v)); \
		return v; \
	} \
	static inline void name##_write(uword v) { __asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory"); }
REGISTER(cr0)
REGISTER(cr2)
REGISTER(cr3)
REGISTER(cr4)
REGISTER(dr0)
REGISTER(dr1)
REGISTER(dr2)
REGISTER(dr3)
REGISTER(dr6)
REGISTER(dr7)
#undef REGISTER

static inline u64 msr_read(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void msr_write(u32 msr, u64 v)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
}

static inline void invlpg(const volatile void *p) { __asm__ volatile("invlpg (%0)" : : "r"(p) : "memory"); }

static inline u64 tsc_read(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
	return r;
}

/* QEMU's TCG names itself. Only for what would end it: other deviations stand in qemu.known. */
static inline bool on_qemu(void)
{
	return cpuid(1, 0).c >> 31 && cpuid(0x40000000, 0).b == 0x54474354;
}

#endif
