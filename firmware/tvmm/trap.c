/* trap.c: the VMM's IDT, its panic, and its end. APM2 8.2 (vectors), 4.8.4 (gates).
 * Guests' exceptions do not come here: they go through the guest's own IDT, or exit. */
#include "trap.h"
#include "console.h"
#include "cpu.h"
#include "port.h"
#include "segment.h"
#include "timer.h"

enum { VECTORS = 48, VECTOR_NMI = 2, VECTOR_DF = 8, VECTOR_PF = 14, STUB_SIZE = 16 };

struct gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset16;
	u32 offset32, reserved;
};

struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

static struct gate idt[VECTORS];
static bool has_debug_exit;
extern u8 trap_stubs[]; /* trap.S */
void trap_handle(const struct trap_frame *f);

static const char *const exception_names[32] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9",  "#TS", "#NP", "#SS", "#GP", "#PF", "15",
	"#MF", "#AC", "#MC", "#XF", "20",  "#CP", "22",  "23",  "24",  "25", "26",  "27",  "#HV", "#VC", "#SX", "31",
};

void trap_init(bool debug_exit)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uword)idt};
	has_debug_exit = debug_exit;
	for (unsigned v = 0; v < VECTORS; v++) {
		uword stub = (uword)trap_stubs + v * STUB_SIZE;
		idt[v] = (struct gate){
			.offset0 = (u16)stub,
			.offset16 = (u16)(stub >> 16),
			.offset32 = (u32)(stub >> 32),
			.selector = SEL_CODE,
			.ist = v == VECTOR_NMI || v == VECTOR_DF ? IST_FAULT : 0,
			.type = 0x8e, /* present, DPL 0, 64-bit interrupt gate */
		};
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

void trap_handle(const struct trap_frame *f)
{
	if (f->vector >= TIMER_VECTOR) {
		if (f->vector == TIMER_VECTOR)
			timer_tick();
		return; /* the other 15 are masked: a spurious one needs no answer */
	}
	print("tvmm: %s in the VMM, error code %llx\n", exception_names[f->vector], f->error);
	if (f->vector == VECTOR_PF)
		print("tvmm: cr2 %016llx\n", read_cr2());
	print("tvmm: rip %016llx cs %04llx rflags %08llx rsp %016llx\n", f->rip, f->cs, f->rflags, f->rsp);
	print("tvmm: rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", f->rax, f->rbx, f->rcx, f->rdx);
	print("tvmm: rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n", f->rsi, f->rdi, f->rbp, f->r8);
	print("tvmm: r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n", f->r9, f->r10, f->r11, f->r12);
	print("tvmm: r13 %016llx r14 %016llx r15 %016llx\n", f->r13, f->r14, f->r15);
	panic("unexpected exception");
}

void panic(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	print("tvmm: panic: ");
	format(console_put, fmt, ap);
	print("\n");
	va_end(ap);
	machine_end(RESULT_PANIC);
}

/* The debug-exit port ends the emulator; a machine without one halts for good. */
void machine_end(enum result result)
{
	print("tvmm: end, result %u\n", (u32)result);
	if (has_debug_exit)
		out8(PORT_DEBUG_EXIT, (u8)result);
	for (;;)
		__asm__ volatile("cli; hlt");
}
