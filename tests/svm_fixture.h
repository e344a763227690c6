/*
 * A processor with SVM on 32 MB of memory: a host of two instructions (VMRUN, HLT) and guests of a few bytes. A test changes the
 * VMCB v, runs, and looks at what #VMEXIT left in it. APM2 ch. 15.
 */
#ifndef TESTS_SVM_FIXTURE_H
#define TESTS_SVM_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cover.h"
#include "cpu_x86/block.h"
#include "cpu_x86/system.h"
#include "svm/checks.h"
#include "svm/explain.h"
#include "svm/state.h"

enum {
	GDT = 0x1000,
	IDT = 0x2000,
	GUEST_IDT = 0x3000,
	TSS = 0x4000,
	HSAVE = 0x5000,
	VMCB1 = 0x6000,
	VMCB2 = 0x7000,
	IOPM = 0x8000,
	MSRPM = 0xb000,
	HOST = 0x10000,
	GUEST = 0x11000,
	HANDLERS = 0x14000,
	HOST_HANDLERS = 0x18000,
	STACK = 0x20000,
	GUEST_STACK = 0x28000,
	PML4 = 0x100000,
	PDPT = 0x101000,
	PD = 0x102000,
	PT = 0x103000,
	NPML4 = 0x110000,
	NPDPT = 0x111000,
	NPD = 0x112000,
	NPT = 0x113000,
	DATA = 0x150000,
	OTHER = 0x151000,
	PAGE = 0x67, /* P W U A D */
};

static struct space mem, io;
static struct sched sched;
static struct event_log events;
static struct x86_model model;
static struct x86_code *code;
static struct x86_cpu *c;
static struct error error;
static u64 icount;
static u8 *v;     /* the VMCB */
static bool intr; /* the board's interrupt line */
static u64 tpr;

static inline u64 peek(u64 pa, unsigned size) { return space_read(&mem, pa, size); }
static inline void poke(u64 pa, unsigned size, u64 x) { space_write(&mem, pa, size, x); }
static inline void put(u64 pa, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		poke(pa + i, 1, (u8)bytes[i]);
}
#define GUEST_CODE(bytes) put(GUEST, bytes, sizeof(bytes) - 1)

static inline bool board_intr(void *arg, unsigned cpu)
{
	(void)arg, (void)cpu;
	return intr;
}
static inline int board_intack(void *arg, unsigned cpu)
{
	(void)arg, (void)cpu;
	intr = false;
	return 0x40;
}
static inline u64 board_tpr_read(void *arg, unsigned cpu)
{
	(void)arg, (void)cpu;
	return tpr;
}
static inline void board_tpr_write(void *arg, unsigned cpu, u64 x)
{
	(void)arg, (void)cpu;
	tpr = x;
}

static inline void gate64(u64 idt, unsigned vector, u64 to, unsigned dpl)
{
	poke(idt + 16 * vector, 8, (to & 0xffff) | 8 << 16 | (u64)(0x8e | dpl << 5) << 40 | (to >> 16 & 0xffff) << 48);
	poke(idt + 16 * vector + 8, 8, to >> 32);
}

/* Identity for 1 GB in 2 MB pages, the first 2 MB in 4 KB pages. */
static inline void identity(u64 l4, u64 l3, u64 l2, u64 l1)
{
	poke(l4, 8, l3 | PAGE);
	poke(l3, 8, l2 | PAGE);
	for (unsigned i = 0; i < 512; i++) {
		poke(l2 + 8 * i, 8, i ? (u64)i << 21 | PAGE | 0x80 : l1 | PAGE);
		poke(l1 + 8 * i, 8, (u64)i << 12 | PAGE);
	}
}

static inline void host_state(void)
{
	static const struct x86_seg data = {0x10, 0xc93, 0xffffffff, 0};

	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP;
	c->cr3 = PML4;
	c->cr4 = CR4_PAE | CR4_DE | CR4_PGE;
	c->efer = EFER_LME | EFER_LMA | EFER_SVME | EFER_NXE | EFER_SCE;
	c->seg[SEG_CS] = (struct x86_seg){8, 0xa9b, 0xffffffff, 0};
	for (unsigned s = 0; s <= SEG_GS; s++)
		if (s != SEG_CS)
			c->seg[s] = data;
	c->seg[SEG_TR] = (struct x86_seg){0x20, 0x8b, 0x67, TSS};
	c->gdt = (struct x86_dt){GDT, 0xff, {0}};
	c->idt = (struct x86_dt){IDT, 0xfff, {0}};
	c->svm.hsave_pa = HSAVE;
	x86_state_changed(c);
}

/* The host again: VMRUN; HLT. */
static inline void host_again(void)
{
	c->rip = HOST;
	c->r[R_AX] = VMCB1;
	c->r[R_SP] = STACK;
	c->activity = ACT_RUN;
	c->svm.gif = 1;
	c->stop = false;
}

/* A 64-bit guest at GUEST with the host's page tables, no nested paging, ASID 1. VMMCALL, SHUTDOWN and VMRUN exit. */
static inline void vmcb_init(u64 pa)
{
	u8 *b = space_host(&mem, pa, true);
	const struct vmcb_seg data = {0x10, 0xc93, 0xffffffff, 0};

	memset(b, 0, VMCB_SIZE);
	vmcb_set_intercept3(b, 1u << 31);
	vmcb_set_intercept4(b, 3);
	vmcb_set_iopm_pa(b, IOPM);
	vmcb_set_msrpm_pa(b, MSRPM);
	vmcb_set_asid(b, 1);
	vmcb_set_tlb_control(b, 1);
	*vmcb_at_es(b) = *vmcb_at_ss(b) = *vmcb_at_ds(b) = *vmcb_at_fs(b) = *vmcb_at_gs(b) = data;
	*vmcb_at_cs(b) = (struct vmcb_seg){8, 0xa9b, 0xffffffff, 0};
	*vmcb_at_gdtr(b) = (struct vmcb_seg){0, 0, 0xff, GDT};
	*vmcb_at_idtr(b) = (struct vmcb_seg){0, 0, 0xfff, GUEST_IDT};
	vmcb_set_efer(b, EFER_LME | EFER_LMA | EFER_SVME | EFER_NXE);
	vmcb_set_cr0(b, CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP);
	vmcb_set_cr3(b, PML4);
	vmcb_set_cr4(b, CR4_PAE | CR4_DE);
	vmcb_set_dr6(b, 0xffff0ff0);
	vmcb_set_dr7(b, 0x400);
	vmcb_set_rflags(b, 2);
	vmcb_set_rip(b, GUEST);
	vmcb_set_rsp(b, GUEST_STACK);
	vmcb_set_rax(b, 0x1111);
	vmcb_set_g_pat(b, 0x0007040600070406);
}

static inline void nested(void)
{
	vmcb_set_np_ctl(v, NP_ENABLE);
	vmcb_set_ncr3(v, NPML4);
}

static inline void setup_model(const char *spec)
{
	static const struct x86_board board = {
		.intr = board_intr, .intack = board_intack, .tpr_read = board_tpr_read, .tpr_write = board_tpr_write};

	ck_assert(cover_from_environment(&error));
	ck_assert(space_init(&mem, "memory", 52, &error) && space_init(&io, "io", 16, &error));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 32 << 20, false, &error));
	sched_init(&sched);
	events = (struct event_log){0};
	ck_assert_msg(x86_model_parse(&model, spec, &error), "%s", error.msg);
	code = x86_code_new(&mem);
	c = calloc(1, sizeof *c);
	icount = tpr = 0;
	intr = false;
	x86_init(c, 0, &model, &mem, &io, &sched, code, &events, &board, &icount);
	identity(PML4, PDPT, PD, PT);
	identity(NPML4, NPDPT, NPD, NPT);
	poke(GDT + 8, 8, 0x00af9b000000ffff);
	poke(GDT + 16, 8, 0x00cf93000000ffff);
	for (unsigned i = 0; i < 256; i++) {
		gate64(IDT, i, HOST_HANDLERS + 16 * i, 0);
		gate64(GUEST_IDT, i, HANDLERS + 16 * i, 0);
		put(HOST_HANDLERS + 16 * i, "\xf4", 1);
		put(HANDLERS + 16 * i, "\x0f\x01\xd9", 3); /* VMMCALL: rip tells the vector */
	}
	put(HOST, "\x0f\x01\xd8\xf4", 4);
	put(GUEST, "\x0f\x01\xd9", 3);
	v = space_host(&mem, VMCB1, true);
	vmcb_init(VMCB1);
	host_state();
	host_again();
}
static inline void setup(void) { setup_model("max"); }
static inline void teardown(void)
{
	x86_code_free(code);
	free(c);
	space_free(&mem);
	space_free(&io);
}

/* Runs until the host halts, which it must do at HOST + 4 after a #VMEXIT. */
static inline u64 run(void)
{
	enum x86_stop why = x86_run(c, 100000);

	ck_assert_msg(why == X86_STOP_IDLE, "stop %d %s at %llx", why, c->stop_text, (unsigned long long)c->rip);
	ck_assert_uint_eq(c->rip, HOST + 4);
	ck_assert(!c->svm.guest && !c->svm.gif);
	return vmcb_exitcode(v);
}
static inline u64 again(void)
{
	host_again();
	vmcb_set_tlb_control(v, 0);
	return run();
}
/* Runs and expects an exit, by name. */
static inline void expect(const char *name)
{
	char got[32];

	svm_exit_name(run(), got, sizeof got);
	ck_assert_str_eq(got, name);
}
/* The guest took this vector (its handler is a VMMCALL). */
static inline void expect_vector(unsigned vector)
{
	ck_assert_uint_eq(run(), 0x81);
	ck_assert_uint_eq(vmcb_rip(v), HANDLERS + 16 * vector);
}
/* The host took this vector instead of an exit. */
static inline void expect_host_vector(unsigned vector)
{
	ck_assert_int_eq(x86_run(c, 100000), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, HOST_HANDLERS + 16 * vector + 1);
}
static inline void intercept(unsigned i)
{
	u32 w = (u32)load_le(v + i / 32 * 4, 4) | 1u << i % 32;

	store_le(v + i / 32 * 4, 4, w);
}
static inline void mark_ports(unsigned port, unsigned n)
{
	for (unsigned i = port; i < port + n; i++)
		poke(IOPM + i / 8, 1, peek(IOPM + i / 8, 1) | 1u << i % 8);
}

static inline void host_code(const char *bytes, size_t n)
{
	put(HOST + 0x40, bytes, n);
	put(HOST + 0x40 + n, "\xf4", 1);
	c->rip = HOST + 0x40;
}

#endif
