/* What only the 64-bit guests have: selectors, page tables, the alias for user code, the local APIC. */
#ifndef TEST_GUEST64_H
#define TEST_GUEST64_H

#include "guest.h"

/* Selectors of gdt[] in cpu64.c. From FREE on the entries are the guest's. */
enum { KCODE = 0x08, KDATA = 0x10, UCODE32 = 0x18 | 3, UDATA = 0x20 | 3, UCODE = 0x28 | 3, TSS = 0x30, KCODE32 = 0x40,
       KCODE16 = 0x48, KDATA16 = 0x50, FREE = 0x60 };
enum { MSR_APIC_BASE = 0x1b, MSR_PAT = 0x277 };
#define MSR_EFER           0xc0000080u
#define MSR_STAR           0xc0000081u
#define MSR_LSTAR          0xc0000082u
#define MSR_CSTAR          0xc0000083u
#define MSR_SFMASK         0xc0000084u
#define MSR_FS_BASE        0xc0000100u
#define MSR_GS_BASE        0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

struct gate {
	u16 off0, sel;
	u8 ist, type;
	u16 off1;
	u32 off2, zero;
};

extern u64 gdt[64];
extern struct gate idt[256];
extern u32 tss[]; /* APM2 12.2.5: words 1 RSP0, 9 IST1 .. 21 IST7 */
extern u64 boot_pml4[];

void gate_set(unsigned vector, const void *target, u8 ist, u8 type);
void gate_default(unsigned vector); /* the run-time's own stub, on IST1 */
extern const u8 trap_stubs[];       /* 16 bytes a vector */
void tss_word(unsigned word, u64 v);
void load_gdt(void);

/* The low 256 MB stand a second time here, for ring 3; kernel addresses are supervisor pages. */
#define USER_BASE 0x80000000ull
static inline uword user(const volatile void *p) { return addr(p) + USER_BASE; }
struct regs compat_regs(const void *code); /* CPL 3, 32-bit compatibility mode */

extern u8 run_stack[16384];

void *page_alloc(void); /* one zeroed page */
/* The entry that maps va on a level (shift 12, 21, 30, 39) of the tree at root; missing tables are made with P, W, U. */
u64 *pte(u64 *root, u64 va, unsigned shift);
/* Paging with five levels from this root; rax is then CR4. CPUID must report LA57. */
struct regs five_levels_on(const u64 *pml5);
static inline void flush(void) { cr3_write(cr3_read()); }

/* One access of each kind, from CPL 0 or 3. */
struct regs try_read(bool user, u64 va);
struct regs try_write(bool user, u64 va);
struct regs try_exec(bool user, u64 va); /* there must be INT3 */

static inline u32 lapic_read(u32 reg) { return *(volatile u32 *)(uword)(0xfee00000u + reg); }
static inline void lapic_write(u32 reg, u32 v) { *(volatile u32 *)(uword)(0xfee00000u + reg) = v; }
enum { LAPIC_ID = 0x20, LAPIC_VERSION = 0x30, LAPIC_TPR = 0x80, LAPIC_EOI = 0xb0, LAPIC_LDR = 0xd0, LAPIC_DFR = 0xe0,
       LAPIC_SVR = 0xf0, LAPIC_ISR = 0x100, LAPIC_IRR = 0x200, LAPIC_ESR = 0x280, LAPIC_ICR = 0x300, LAPIC_ICR2 = 0x310,
       LAPIC_TIMER = 0x320, LAPIC_LINT0 = 0x350, LAPIC_LINT1 = 0x360, LAPIC_LVT_ERROR = 0x370, LAPIC_INIT = 0x380,
       LAPIC_COUNT = 0x390, LAPIC_DIV = 0x3e0 };
void lapic_enable(void);

#endif
