/* See world.h. APM2 4.8 (descriptors), 5 (page tables), 12 (TSS), 15 and app. B (VMCB). */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "cpu_x86/block.h"
#include "svm/state.h"

/* Pages of the world, in the order in which an input names them. */
enum {
	PG_IVT, PG_GDT, PG_IDT, PG_TSS, PG_VMCB, PG_HSAVE, PG_IOPM, PG_IOPM2, PG_IOPM3, PG_MSRPM, PG_MSRPM2, PG_L4, PG_L3, PG_L2, PG_L1, PG_LEGACY, PG_LEGACY1,
	PG_PAE3, PG_PAE2, PG_N4, PG_N3, PG_N2, PG_N1, PG_DATA, PG_XSAVE, PG_GUEST, PAGES
};
#define AT(page)      ((u64)(page) << 12)
#define PG_STACK      0x30000
#define PG_HANDLERS   0x38000
#define DEVICE        0x80000
#define LINK          0x67 /* P W U A D */
enum { C32 = 0x08, D32 = 0x10, C64 = 0x18, C32U = 0x20, D32U = 0x28, C64U = 0x30, TASK = 0x38, TASK2 = 0x48, LDT = 0x58, CALL = 0x68, C16 = 0x78 };

static void put(struct world *w, u64 at, unsigned size, u64 v) { store_le(w->ram + (at & (WORLD_RAM - 1)), size, v); }

/* ---- devices ---- */
static u64 device_read(void *dev, u64 off, unsigned size)
{
	struct world *w = dev;

	return (w->port + off) & mask_low(size * 8);
}
static void device_write(void *dev, u64 off, unsigned size, u64 v)
{
	struct world *w = dev;

	w->port = w->port * 31 + v + off + size;
}
static u64 device_peek(const void *dev, u64 off, unsigned size)
{
	const struct world *w = dev;

	return (w->port + off) & mask_low(size * 8);
}
static const struct region_ops device_ops = {"device", device_read, device_write, device_peek, 1, 8};

static bool board_intr(void *arg, unsigned cpu)
{
	(void)cpu;
	return ((struct world *)arg)->intr;
}
static int board_intack(void *arg, unsigned cpu)
{
	(void)cpu;
	((struct world *)arg)->intr = false;
	return 0x41;
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	static struct x86_board board = {.intr = board_intr, .intack = board_intack};
	struct error err = {""};

	board.arg = w;
	if (!w || !(w->cpu = aligned_alloc(64, (sizeof *w->cpu + 63) & ~63ul)) || !space_init(&w->mem, "memory", 52, &err) ||
	    !space_init(&w->io, "ports", 16, &err) || !space_add_ram(&w->mem, "ram", 0, WORLD_RAM, false, &err) ||
	    !x86_model_parse(&w->model, "max", &err)) {
		fprintf(stderr, "fuzz: %s\n", err.msg);
		exit(2);
	}
	memset(w->cpu, 0, sizeof *w->cpu);
	space_add_device(&w->mem, DEVICE, PAGE_SIZE, &device_ops, w);
	space_add_device(&w->io, 0, 0x10000, &device_ops, w);
	w->ram = space_host(&w->mem, 0, true);
	sched_init(&w->sched);
	w->code = x86_code_new(&w->mem);
	x86_init(w->cpu, 0, &w->model, &w->mem, &w->io, &w->sched, w->code, &w->log, &board, &w->icount);
	return w;
}

/* ---- tables ---- */
static u64 descriptor(u32 base, u32 limit, unsigned access, unsigned upper)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 | (u64)upper << 52 |
	       (u64)(base >> 24) << 56;
}

static void make_gdt(struct world *w)
{
	const u64 g = AT(PG_GDT);

	put(w, g + C32, 8, descriptor(0, 0xfffff, 0x9b, 0xc));
	put(w, g + D32, 8, descriptor(0, 0xfffff, 0x93, 0xc));
	put(w, g + C64, 8, descriptor(0, 0xfffff, 0x9b, 0xa));
	put(w, g + C32U, 8, descriptor(0, 0xfffff, 0xfb, 0xc));
	put(w, g + D32U, 8, descriptor(0, 0xfffff, 0xf3, 0xc));
	put(w, g + C64U, 8, descriptor(0, 0xfffff, 0xfb, 0xa));
	put(w, g + TASK, 8, descriptor(AT(PG_TSS), 0x7ff, 0x8b, 0));
	put(w, g + TASK2, 8, descriptor(AT(PG_TSS) + 0x800, 0x67, 0x89, 0));
	put(w, g + LDT, 8, descriptor(AT(PG_GDT) + 0x400, 0xff, 0x82, 0));
	put(w, g + CALL, 8, descriptor(0, WORLD_CODE >> 16 << 16, 0xec, 0) | (WORLD_CODE & 0xffff) | C32 << 16 | (u64)(WORLD_CODE >> 16) << 48);
	put(w, g + C16, 8, descriptor(WORLD_CODE, 0xffff, 0x9b, 0));
}

static void make_idt(struct world *w, bool is64)
{
	for (unsigned v = 0; v < 256; v++) {
		u64 to = PG_HANDLERS + v * 16, dpl = v & 1 ? 0x60 : 0;

		if (is64)
			put(w, AT(PG_IDT) + v * 16, 8, (to & 0xffff) | C64 << 16 | (0x8e | dpl) << 40 | (to >> 16 & 0xffff) << 48);
		else
			put(w, AT(PG_IDT) + v * 8, 8, (to & 0xffff) | C32 << 16 | (0x8e | dpl) << 40 | (to >> 16 & 0xffff) << 48);
		put(w, AT(PG_IVT) + v * 4, 4, (u32)(PG_HANDLERS >> 4 << 16) | v * 16);
		put(w, to, 8, 0x90909090cf90f490); /* NOP HLT NOP IRET */
	}
}

/* 2 MB at 0, the first of them in pages of 4 KB. */
static void make_paging(struct world *w)
{
	put(w, AT(PG_L4), 8, AT(PG_L3) | LINK);
	put(w, AT(PG_L3), 8, AT(PG_L2) | LINK);
	put(w, AT(PG_L2), 8, AT(PG_L1) | LINK);
	put(w, AT(PG_N4), 8, AT(PG_N3) | LINK);
	put(w, AT(PG_N3), 8, AT(PG_N2) | LINK);
	put(w, AT(PG_N2), 8, AT(PG_N1) | LINK);
	put(w, AT(PG_PAE3), 8, AT(PG_PAE2) | 1);
	put(w, AT(PG_PAE2), 8, AT(PG_L1) | LINK);
	put(w, AT(PG_LEGACY), 4, AT(PG_LEGACY1) | LINK);
	for (unsigned i = 0; i < 256; i++) {
		put(w, AT(PG_L1) + i * 8, 8, AT(i) | LINK);
		put(w, AT(PG_N1) + i * 8, 8, AT(i) | LINK);
		put(w, AT(PG_LEGACY1) + i * 4, 4, AT(i) | LINK);
	}
}

static void make_tss(struct world *w, bool is64)
{
	const u64 t = AT(PG_TSS);

	put(w, t + 4, is64 ? 8 : 4, PG_STACK + 0x1000);
	if (!is64)
		put(w, t + 8, 2, D32);
	put(w, t + 0x24, 8, PG_STACK + 0x2000);
	put(w, t + 0x66, 2, 0x68);
	put(w, t + 0x800 + 0x20, 4, WORLD_CODE);
	put(w, t + 0x800 + 0x24, 4, 2);
	put(w, t + 0x800 + 0x38, 4, PG_STACK);
	for (unsigned i = 0; i < 6; i++)
		put(w, t + 0x800 + 0x48 + i * 4, 2, i == 1 ? C32 : D32);
}

static void make_vmcb(struct world *w)
{
	u8 *b = w->ram + AT(PG_VMCB);
	const struct vmcb_seg data = {D32, 0xc93, 0xffffffff, 0};

	vmcb_set_intercept3(b, 1u << 31);
	vmcb_set_intercept4(b, 3);
	vmcb_set_iopm_pa(b, AT(PG_IOPM));
	vmcb_set_msrpm_pa(b, AT(PG_MSRPM));
	vmcb_set_asid(b, 1);
	*vmcb_at_es(b) = *vmcb_at_ss(b) = *vmcb_at_ds(b) = *vmcb_at_fs(b) = *vmcb_at_gs(b) = data;
	*vmcb_at_cs(b) = (struct vmcb_seg){C64, 0xa9b, 0xffffffff, 0};
	*vmcb_at_gdtr(b) = (struct vmcb_seg){0, 0, 0xff, AT(PG_GDT)};
	*vmcb_at_idtr(b) = (struct vmcb_seg){0, 0, 0xfff, AT(PG_IDT)};
	vmcb_set_efer(b, EFER_LME | EFER_LMA | EFER_SVME | EFER_NXE);
	vmcb_set_cr0(b, CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP);
	vmcb_set_cr3(b, AT(PG_L4));
	vmcb_set_cr4(b, CR4_PAE | CR4_DE | CR4_OSFXSR);
	vmcb_set_dr6(b, 0xffff0ff0);
	vmcb_set_dr7(b, 0x400);
	vmcb_set_rflags(b, 2);
	vmcb_set_rip(b, AT(PG_GUEST));
	vmcb_set_rsp(b, PG_STACK + 0x3000);
	vmcb_set_g_pat(b, 0x0007040600070406);
	vmcb_set_np_ctl(b, NP_ENABLE);
	vmcb_set_ncr3(b, AT(PG_N4));
}

/* ---- modes ---- */
static void load_seg(struct x86_cpu *c, unsigned seg, u16 sel, u64 desc)
{
	struct x86_desc d = {desc, 0};

	x86_desc_to_seg(&d, sel, &c->seg[seg]);
}

static u64 desc_of(const struct world *w, u16 sel) { return load_le(w->ram + AT(PG_GDT) + (sel & 0xfff8), 8); }

static void set_mode(struct world *w, enum world_mode m)
{
	struct x86_cpu *c = w->cpu;
	bool is_long = m == WORLD_LONG0 || m == WORLD_LONG3 || m == WORLD_COMPAT3 || m == WORLD_SVM;
	unsigned cpl = m == WORLD_PROT3 || m == WORLD_PAE3 || m == WORLD_LONG3 || m == WORLD_COMPAT3 || m == WORLD_V86 ? 3 : 0;
	u16 cs = m == WORLD_LONG3 ? C64U | 3 : m == WORLD_COMPAT3 ? C32U | 3 : is_long ? C64 : cpl ? C32U | 3 : C32;

	make_gdt(w);
	make_idt(w, is_long);
	make_paging(w);
	make_tss(w, is_long);
	make_vmcb(w);
	c->rip = WORLD_CODE;
	c->flags = FLAG_1;
	c->idt = (struct x86_dt){.base = m == WORLD_REAL ? 0 : AT(PG_IDT), .limit = m == WORLD_REAL ? 0x3ff : 0xfff};
	c->gdt = (struct x86_dt){.base = AT(PG_GDT), .limit = 0x7ff};
	if (m == WORLD_REAL) {
		for (unsigned s = SEG_ES; s <= SEG_GS; s++)
			c->seg[s] = (struct x86_seg){(u16)(s == SEG_CS ? WORLD_CODE >> 4 : 0x2000), s == SEG_CS ? 0x9b : 0x93, 0xffff, s == SEG_CS ? WORLD_CODE : 0x20000};
		c->rip = 0;
		c->cr0 = CR0_ET;
		c->r[R_SP] = 0x8000;
		x86_state_changed(c);
		return;
	}
	c->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_MP | CR0_WP | (m == WORLD_PROT0 ? 0 : CR0_PG);
	c->cr3 = is_long ? AT(PG_L4) : m == WORLD_PAE3 ? AT(PG_PAE3) : AT(PG_LEGACY);
	c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_DE | CR4_PGE | CR4_FSGSBASE | CR4_VME | (is_long || m == WORLD_PAE3 ? CR4_PAE : 0);
	c->efer = is_long ? EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE | EFER_SVME : EFER_NXE | EFER_SVME;
	c->xcr0 = 7;
	c->cpl = (u8)cpl;
	for (unsigned s = SEG_ES; s <= SEG_GS; s++)
		load_seg(c, s, s == SEG_CS ? cs : cpl ? D32U | 3 : D32, desc_of(w, s == SEG_CS ? cs : cpl ? D32U : D32));
	c->seg[SEG_TR] = (struct x86_seg){TASK, 0x8b, 0x7ff, AT(PG_TSS)};
	c->seg[SEG_LDTR] = (struct x86_seg){LDT, 0x82, 0xff, AT(PG_GDT) + 0x400};
	c->r[R_SP] = PG_STACK;
	c->svm.hsave_pa = AT(PG_HSAVE);
	c->msr.star = (u64)C32U << 48 | (u64)C32 << 32;
	c->msr.lstar = c->msr.cstar = c->msr.sysenter_eip = PG_HANDLERS;
	c->msr.sysenter_cs = C32;
	if (m == WORLD_V86) {
		c->flags |= FLAG_VM;
		for (unsigned s = SEG_ES; s <= SEG_GS; s++)
			c->seg[s] = (struct x86_seg){(u16)(s == SEG_CS ? WORLD_CODE >> 4 : 0x2000), 0xf3, 0xffff, s == SEG_CS ? WORLD_CODE : 0x20000};
		c->rip = 0;
		c->r[R_SP] = 0x8000;
	}
	x86_state_changed(c);
}

void world_mode(struct world *w, enum world_mode m)
{
	struct x86_cpu *c = w->cpu;

	x86_code_flush(w->code);
	x86_reset(c, false);
	tlb_flush_everything(&c->tlb);
	sched_init(&w->sched);
	c->stop = c->exc_raised = false;
	c->retired = 0;
	c->faults = 0;
	set_mode(w, m);
}

/* ---- the input ---- */
struct cursor {
	const u8 *p;
	size_t n;
};
static u8 get(struct cursor *k) { return k->n ? (k->n--, *k->p++) : 0; }
static u64 get_n(struct cursor *k, unsigned n)
{
	u64 v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (u64)get(k) << (8 * i);
	return v;
}

/* A register: an address of something, a small number, or any. */
static u64 some_value(struct cursor *k)
{
	u8 b = get(k);

	if (b < PAGES)
		return AT(b) + get(k) * 8u;
	if (b < 64)
		return (u64)(s64)(s8)get(k);
	if (b < 80)
		return DEVICE + get(k);
	if (b < 96)
		return 0xc0000080 + get(k);
	if (b < 128)
		return get(k) << 4;
	return get_n(k, 8);
}

/* One to eight bytes of any table are changed, or XORed. */
static void change(struct world *w, struct cursor *k)
{
	u8 what = get(k), page = get(k) % PAGES;
	u64 at = AT(page) + (get_n(k, 2) & 0xfff), v = get_n(k, 1 + (what & 7));

	if (what & 8)
		at &= ~7ull;
	if (what & 16)
		at &= ~0xf00ull;
	if (what & 32)
		v ^= load_le(w->ram + at, 8);
	put(w, at, 1 + (what & 7), v);
}

void world_set(struct world *w, const u8 *in, size_t n)
{
	struct cursor k = {in, n};
	enum world_mode m = (enum world_mode)(get(&k) % WORLD_MODES);
	struct x86_cpu *c = w->cpu;
	u8 flags = get(&k), changes = get(&k) & 15, guest;

	memset(w->ram, 0, WORLD_RAM);
	memset(w->ram + WORLD_CODE, 0xf4, PAGE_SIZE); /* the end of code that comes to its end */
	memset(w->ram + AT(PG_GUEST), 0xf4, PAGE_SIZE);
	w->port = 0x1234;
	w->icount = 0;
	w->intr = flags & 1;
	w->code->hot = flags & 4 ? 1 : 1000; /* as host code, as ops */
	world_mode(w, m);
	for (unsigned i = 0; i < (m == WORLD_LONG0 || m == WORLD_LONG3 || m == WORLD_SVM ? 16 : 8); i++)
		if (i != R_SP || flags & 2)
			c->r[i] = m == WORLD_LONG0 || m == WORLD_LONG3 || m == WORLD_SVM ? some_value(&k) : (u32)some_value(&k);
	x86_set_flags(c, get_n(&k, 2) & (FLAGS_ARITH | FLAG_IF | FLAG_DF | FLAG_TF | 0x3000), FLAGS_ARITH | FLAG_IF | FLAG_DF | FLAG_TF | 0x3000);
	while (changes--)
		change(w, &k);
	if (m == WORLD_SVM) {
		c->r[R_AX] = AT(PG_VMCB);
		c->svm.gif = 1;
		guest = get(&k);
		for (unsigned i = 0; i < guest; i++)
			put(w, AT(PG_GUEST) + i, 1, get(&k));
		put(w, AT(PG_GUEST) + guest, 3, 0xd9010f); /* VMMCALL */
	}
	for (u64 at = WORLD_CODE; k.n && at < WORLD_CODE + WORLD_CODE_MAX; at++)
		put(w, at, 1, get(&k));
	if (w->intr)
		x86_pend(c, PEND_INTR);
	x86_state_changed(c);
}

enum x86_stop world_run(struct world *w, u64 insns, u64 step)
{
	enum x86_stop why = X86_STOP_BUDGET;

	while (w->cpu->retired < insns && why == X86_STOP_BUDGET) {
		u64 left = insns - w->cpu->retired;

		why = x86_run(w->cpu, left < step ? left : step);
	}
	return why;
}
