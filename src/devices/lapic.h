/*
 * The local APIC of one CPU: xAPIC (a page of registers) and x2APIC (MSRs 800h-8FFh), as AMD builds it. It knows no
 * CPU: what it wants from its CPU and from the interrupt bus goes through callbacks. The bus that carries messages
 * between local APICs, I/O APICs and devices is apic_bus.h. Manuals: APM2 chapter 16 (16.3 registers, 16.4 local
 * interrupts, 16.5 IPIs, 16.6 acceptance, 16.8 and on x2APIC). The timer counts at 1 GHz (one virtual nanosecond)
 * before its divider.
 */
#ifndef DEVICES_LAPIC_H
#define DEVICES_LAPIC_H

#include "base/field.h"
#include "base/sched.h"
#include "base/types.h"
#include "devices/msi.h"
#include "mmu/space.h"

#define LAPIC_BASE       0xfee00000ull
#define LAPIC_SIZE       0x1000
#define LAPIC_LVT_EXT    4 /* extended LVTs, when the extended space is reported */
#define APIC_BASE_BSC    BIT(8)
#define APIC_BASE_EXTD   BIT(10)
#define APIC_BASE_AE     BIT(11)
#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0

/* Order of the LVT registers in the page: 320h, 330h, ... 370h; then the extended ones at 500h. */
enum lapic_lvt {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERF,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_EXT0,
	LVT_COUNT = LVT_EXT0 + 4
};

struct lapic_state {
	u64 base; /* IA32_APIC_BASE */
	u64 irr[4], isr[4], tmr[4], ier[4];
	u64 icr;            /* high half: destination in 63:56 (xAPIC) or 63:32 (x2APIC) */
	u64 timer_start;    /* virtual ns at which the timer's count was timer_count */
	u64 timer_deadline; /* TSC value; 0 = disarmed */
	u32 hw_id;          /* the x2APIC ID, and the xAPIC ID after reset */
	u32 id;             /* the xAPIC ID, 8 bits, writable */
	u32 tpr, ldr, dfr, svr, esr, esr_next, remote_read, ext_control;
	u32 lvt[LVT_COUNT];
	u32 timer_initial, timer_count, timer_divide;
	u8 lint[2];       /* levels of the pins */
	u8 lint_fired[2]; /* level-triggered LINTn interrupt sent, EOI awaited (remote IRR) */
	u8 extint_latch;  /* an ExtINT message came; the INTA cycle is still owed */
	u8 bsp, pad[6];
};

struct lapic;

/* Callbacks; each may be NULL. cpu and bus are the two arguments that the board chooses. */
struct lapic_wiring {
	void *cpu, *bus;
	void (*intr_changed)(void *cpu);       /* lapic_pending() may have changed */
	void (*extint)(void *cpu, bool level); /* INTR of the 8259A, as it passes through */
	void (*nmi)(void *cpu);
	void (*smi)(void *cpu);
	void (*init)(void *cpu);              /* the CPU resets itself and calls lapic_init_reset() */
	void (*sipi)(void *cpu, u8 vector);   /* start at vector << 12 */
	u64 (*tsc_to_ns)(void *cpu, u64 tsc); /* first virtual ns at which the TSC is >= tsc; TIME_NEVER if none */
	bool (*send_ipi)(void *bus, struct lapic *from, const struct apic_msg *m); /* false: nobody accepted */
	void (*eoi)(void *bus, u8 vector); /* EOI of a level-triggered interrupt, for the I/O APICs */
};

/* What CPUID reports; set once after lapic_init, before lapic_reset. */
struct lapic_features {
	bool x2apic;       /* Fn0000_0001_ECX[21] */
	bool tsc_deadline; /* Fn0000_0001_ECX[24] */
	bool ext_space;    /* Fn8000_0001_ECX[3]: IER, specific EOI and four extended LVTs; version bit 31 */
	bool eoi_suppress; /* version bit 24, SVR bit 12 (not on AMD) */
	u8 phys_bits;      /* Fn8000_0008_EAX[7:0] */
};

struct lapic {
	struct lapic_state s;
	struct lapic_features features;
	struct lapic_wiring wire;
	/* Derived from s by lapic_post_load. */
	s16 pending; /* vector that the CPU would get now, or -1 */
	s16 irrv;    /* highest requested (and enabled in IER) vector, or -1 */
	s16 isrv;    /* highest vector in service, or -1 */
	u8 ppr;
	bool extint_out;
	struct timer timer;
	struct sched *sched;
};

extern const struct region_ops lapic_ops; /* dev is the struct lapic */
#define LAPIC_FIELDS 27
extern const struct field lapic_fields[LAPIC_FIELDS]; /* of struct lapic_state */

/* id: APIC ID; features are preset to x2APIC, TSC deadline and 48 physical bits. Call lapic_reset next. */
void lapic_init(struct lapic *l, struct sched *sched, u32 timer_id, unsigned id, bool bsp);
void lapic_reset(struct lapic *l);      /* power-up, RESET# */
void lapic_init_reset(struct lapic *l); /* INIT: as reset, but APIC base and ID stay (APM2 16.3) */
void lapic_post_load(struct lapic *l);  /* s was replaced by a snapshot */
/* What firmware leaves behind for an operating system: enabled, LINT0 = ExtINT (boot CPU only), LINT1 = NMI. For boards
 * that start a kernel without firmware (Multiboot; MP specification 3.6.2.2, virtual wire mode). */
void lapic_virtual_wire(struct lapic *l);

static inline bool lapic_enabled(const struct lapic *l) { return l->s.base & APIC_BASE_AE; }
static inline bool lapic_x2apic(const struct lapic *l) { return l->s.base & APIC_BASE_EXTD; }

/* The highest vector above the processor priority, or -1. Cached. */
static inline int lapic_pending(const struct lapic *l) { return l->pending; }
/* The CPU acknowledges: moves the vector from IRR to ISR. The spurious vector when nothing is deliverable. */
u8 lapic_accept(struct lapic *l);
/* The 8259A's INTR reaches the CPU: an LINT pin in ExtINT mode, the bare pin while the APIC is off, or an ExtINT
 * message. */
static inline bool lapic_extint(const struct lapic *l) { return l->extint_out; }
/* The CPU ran the INTA cycle at the 8259A. */
void lapic_extint_ack(struct lapic *l);

/* CR8: the task priority class, 0..15. */
void lapic_set_tpr(struct lapic *l, u8 cr8);
static inline u8 lapic_get_tpr(const struct lapic *l) { return (u8)(l->s.tpr >> 4); }

/* MSRs 800h-8FFh and IA32_TSC_DEADLINE; false = #GP. */
bool lapic_msr_read(const struct lapic *l, u32 msr, u64 *val);
bool lapic_msr_write(struct lapic *l, u32 msr, u64 val);
/* IA32_APIC_BASE is s.base. Writing: false = #GP, nothing changed. The caller maps the page at bits 51:12 if xAPIC is
 * on. */
bool lapic_base_write(struct lapic *l, u64 val);

/* Pin LINT0 (the 8259A) or LINT1 (NMI). lint_irq has the form of a struct irq sink. */
void lapic_lint(struct lapic *l, unsigned n, bool level);
void lapic_lint_irq(void *lapic, unsigned n, bool level);
/* Events of the CPU that raise a local interrupt: performance counter overflow, thermal threshold, extended LVT n. */
void lapic_local(struct lapic *l, enum lapic_lvt n);
/* A message arrives; false = not accepted (APIC off, or disabled by software and the message fixed). */
bool lapic_receive(struct lapic *l, enum apic_mode mode, u8 vector, bool level);
/* The TSC was written or rescaled: the deadline means another time now. */
void lapic_tsc_changed(struct lapic *l);

/* For the bus: does a message to dest mean this APIC; arbitration priority for lowest-priority messages, 0..255
 * (APM2 16.6.2); already serving this vector (focus processor). */
bool lapic_matches(const struct lapic *l, const struct apic_msg *m);
u8 lapic_apr(const struct lapic *l);
static inline bool lapic_accepts_fixed(const struct lapic *l) { return lapic_enabled(l) && l->s.svr >> 8 & 1; }
bool lapic_is_focus(const struct lapic *l, u8 vector);
/* Register at byte offset off of the page, without side effects; all ones if there is none. */
u32 lapic_peek_reg(const struct lapic *l, unsigned off);

#endif
