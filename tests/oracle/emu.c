/* The emulated side. See emu.h. */
#include "emu.h"

#include <stdlib.h>

#include "cpu_x86/block.h"
#include "cpu_x86/flags.h"
#include "cpu_x86/insn.h"
#include "fpstate.h"

/* Physical memory: 64 KB of system pages, then the pages of the cases, then page tables. */
#define RAM_SIZE  0x400000
#define PA_SYSTEM 0x10000
#define PA_AREAS  0x20000 /* one page each, then the read-only page */
#define PA_CODE   0x30000
#define PA_STUB   0x40000
#define PA_TABLES 0x50000

/* Supervisor pages: in the kernel's half of the address space. */
#define VA_SYSTEM   0xffff800000010000ull
#define SYS_GDT     0x0000
#define SYS_LDT     0x0800
#define SYS_TSS     0x0c00
#define SYS_IDT     0x1000
#define SYS_HANDLER 0x2000 /* HLT everywhere; the handler of vector v starts at byte 16 * v */
#define SYS_SYSCALL 0x3000 /* HLT: where system calls go */
#define SYS_STACK   0x5000 /* top */
#define SYS_SIZE    0x6000

#define GDT_LIMIT 127
#define GDT_TSS   0x40
#define GDT_LDT   0x50

struct emu {
	struct space mem, io;
	struct sched sched;
	struct event_log log;
	struct x86_model model;
	struct x86_code *code;
	unsigned runs;
	struct x86_cpu cpu;
	const struct shared *shm;
	u8 *areas[AREAS];
	u8 *system;
	u64 icount, before;
};

/* ---- descriptors ---- */
static u64 descriptor(u32 base, u32 limit, unsigned access, unsigned upper)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 |
	       (u64)upper << 52 | (u64)(base >> 24) << 56;
}

/* As Linux makes it of a struct user_desc. */
static u64 ldt_descriptor(const struct oseg *s)
{
	unsigned access = 0x71u | (s->readonly ? 0 : 2) | (unsigned)s->contents << 2 | (s->absent ? 0 : 0x80);

	return descriptor(s->base, s->limit, access, 1u | (s->big ? 4 : 0) | (s->pages ? 8 : 0));
}

u64 emu_descriptor(u16 sel)
{
	if (sel & 4)
		return sel >> 3 < LDT_COUNT ? ldt_descriptor(&oracle_ldt[sel >> 3]) : 0;
	switch (sel & ~7) {                   /* Linux: arch/x86/include/asm/segment.h */
	case 0x08: return 0x00cf9b000000ffff; /* kernel, 32-bit code */
	case 0x10: return 0x00af9b000000ffff; /* kernel, 64-bit code */
	case 0x18: return 0x00cf93000000ffff; /* kernel data */
	case 0x20: return 0x00cffb000000ffff; /* user, 32-bit code */
	case 0x28: return 0x00cff3000000ffff; /* user data */
	case 0x30: return 0x00affb000000ffff; /* user, 64-bit code */
	case 0x40: return descriptor((u32)(VA_SYSTEM + SYS_TSS), 0x67, 0x8b, 0);
	case 0x50: return descriptor((u32)(VA_SYSTEM + SYS_LDT), LDT_COUNT * 8 - 1, 0x82, 0);
	case 0x78: return 0x0040f50000000000; /* its limit is the number of the CPU */
	default: return 0;
	}
}

static void put(struct emu *e, unsigned off, u64 val) { store_le(e->system + off, 8, val); }

static void make_tables(struct emu *e)
{
	for (u16 sel = 0; sel <= GDT_LIMIT; sel = (u16)(sel + 8))
		put(e, SYS_GDT + sel, emu_descriptor(sel));
	put(e, SYS_GDT + GDT_TSS + 8, (VA_SYSTEM + SYS_TSS) >> 32);
	put(e, SYS_GDT + GDT_LDT + 8, (VA_SYSTEM + SYS_LDT) >> 32);
	for (unsigned i = 0; i < LDT_COUNT; i++)
		put(e, SYS_LDT + i * 8, ldt_descriptor(&oracle_ldt[i]));
	put(e, SYS_TSS + 4, VA_SYSTEM + SYS_STACK);
	store_le(e->system + SYS_TSS + 0x66, 2, 0x68); /* no I/O bitmap */
	for (unsigned v = 0; v < 256; v++) {
		u64 h = VA_SYSTEM + SYS_HANDLER + v * 16;
		unsigned dpl = v == VEC_BP || v == VEC_OF || v == 0x80 ? 3 : 0;

		put(e, SYS_IDT + v * 16,
		    (h & 0xffff) | 0x10 << 16 | (u64)(0x8e | dpl << 5) << 40 | (h >> 16 & 0xffff) << 48);
		put(e, SYS_IDT + v * 16 + 8, h >> 32);
	}
	memset(e->system + SYS_HANDLER, 0xf4, 0x2000);
}

/* ---- memory ---- */
enum { PTE_P = 1, PTE_W = 2, PTE_U = 4, PTE_A = 0x20, PTE_D = 0x40 };
#define PTE_NX BIT(63)

/* Map one page; tables on the way are taken from *next. The top table is the page at PA_TABLES. */
static void map_page(struct emu *e, u64 *next, u64 va, u64 entry)
{
	u64 table = PA_TABLES, at;

	for (unsigned shift = 39; shift > 12; shift -= 9) {
		at = table + (va >> shift & 511) * 8;
		if (!(space_read(&e->mem, at, 8) & PTE_P)) {
			space_write(&e->mem, at, 8, *next | PTE_P | PTE_W | PTE_U | PTE_A);
			*next += PAGE_SIZE;
		}
		table = space_read(&e->mem, at, 8) & PAGE_MASK;
	}
	space_write(&e->mem, table + (va >> 12 & 511) * 8, 8, entry);
}

static u64 make_paging(struct emu *e)
{
	u64 next = PA_TABLES + PAGE_SIZE, data = PTE_A | PTE_D | PTE_P | PTE_U | PTE_NX;

	for (unsigned a = 0; a < AREAS; a++)
		map_page(e, &next, oracle_area[a],
			 (PA_AREAS + a * PAGE_SIZE) | (a == AREA_SMC ? data & ~PTE_NX : data) | PTE_W);
	map_page(e, &next, RO_BASE, (PA_AREAS + AREAS * PAGE_SIZE) | data);
	for (unsigned i = 0; i < CODE_SIZE; i += PAGE_SIZE)
		map_page(e, &next, CODE_BASE + i, (PA_CODE + i) | PTE_A | PTE_P | PTE_U);
	map_page(e, &next, STUB_BASE, PA_STUB | PTE_A | PTE_P | PTE_U);
	for (unsigned i = 0; i < SYS_SIZE; i += PAGE_SIZE)
		map_page(e, &next, VA_SYSTEM + i, (PA_SYSTEM + i) | PTE_A | PTE_D | PTE_P | PTE_W);
	return PA_TABLES;
}

static bool make_memory(struct emu *e, struct error *err)
{
	static const u8 spin[2] = {0xeb, 0xfe};

	if (!space_init(&e->mem, "memory", 52, err) || !space_init(&e->io, "ports", 16, err))
		return false;
	if (!space_add_ram(&e->mem, "ram", 0, RAM_SIZE, false, err))
		return false;
	for (unsigned a = 0; a < AREAS; a++)
		e->areas[a] = space_host(&e->mem, PA_AREAS + a * PAGE_SIZE, true);
	e->system = space_host(&e->mem, PA_SYSTEM, true);
	area_reset(e->areas, e->shm);
	space_write_bytes(&e->mem, PA_AREAS + AREAS * PAGE_SIZE, e->shm->initial[AREAS], PAGE_SIZE);
	space_write_bytes(&e->mem, PA_STUB, spin, sizeof spin);
	memset(space_host(&e->mem, PA_CODE, true), 0xcc, CODE_SIZE);
	return true;
}

/* ---- the CPU ---- */
static int no_intack(void *arg, unsigned cpu)
{
	(void)arg, (void)cpu;
	return -1;
}
static bool no_intr(void *arg, unsigned cpu)
{
	(void)arg, (void)cpu;
	return false;
}

static void make_system_state(struct emu *e, u64 root)
{
	struct x86_cpu *c = &e->cpu;

	c->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
	c->cr3 = root;
	c->cr4 = CR4_PAE | CR4_PGE | CR4_DE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
	c->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	c->gdt = (struct x86_dt){.base = VA_SYSTEM + SYS_GDT, .limit = GDT_LIMIT};
	c->idt = (struct x86_dt){.base = VA_SYSTEM + SYS_IDT, .limit = 0xfff};
	c->seg[SEG_TR] = (struct x86_seg){.sel = GDT_TSS, .attr = 0x8b, .limit = 0x67, .base = VA_SYSTEM + SYS_TSS};
	c->seg[SEG_LDTR] =
		(struct x86_seg){.sel = GDT_LDT, .attr = 0x82, .limit = LDT_COUNT * 8 - 1, .base = VA_SYSTEM + SYS_LDT};
	c->msr.star = 0x0023001000000000;
	c->msr.lstar = c->msr.cstar = c->msr.sysenter_eip = VA_SYSTEM + SYS_SYSCALL;
	c->msr.sysenter_cs = 0x10;
	x86_state_changed(c);
}

struct emu *emu_new(const struct shared *s, const u8 has[X86_F_COUNT], struct error *err)
{
	static const struct x86_board board = {.intack = no_intack, .intr = no_intr};
	struct emu *e = aligned_alloc(64, (sizeof *e + 63) & ~63ul);

	if (!e) {
		error_set(err, "out of memory");
		return NULL;
	}
	memset(e, 0, sizeof *e);
	e->shm = s;
	if (!x86_model_parse(&e->model, "max", err) || !make_memory(e, err)) {
		free(e);
		return NULL;
	}
	memcpy(e->model.has, has, X86_F_COUNT);
	e->model.has[X86_F_XSAVEERPTR] = 1; /* Intel always saves and restores the x87 pointers */
	e->model.la57 = 0;
	sched_init(&e->sched);
	e->log.mask = BIT(EV_EXCEPTION);
	e->code = x86_code_new(&e->mem);
	x86_init(&e->cpu, 0, &e->model, &e->mem, &e->io, &e->sched, e->code, &e->log, &board, &e->icount);
	make_tables(e);
	make_system_state(e, make_paging(e));
	return e;
}

void emu_free(struct emu *e)
{
	tlb_free(&e->cpu.tlb);
	x86_code_free(e->code);
	space_free(&e->mem);
	space_free(&e->io);
	free(e);
}

/* ---- state in ---- */
static void set_seg(struct x86_cpu *c, unsigned seg, u16 sel, u64 base)
{
	struct x86_desc d = {.lo = emu_descriptor(sel)};

	c->seg[seg] = (struct x86_seg){.sel = sel};
	if (sel > 3)
		x86_desc_to_seg(&d, sel, &c->seg[seg]);
	if (seg >= SEG_FS)
		c->seg[seg].base = base;
}

static void set_state(struct x86_cpu *c, const struct ostate *s)
{
	memcpy(c->r, s->r, sizeof s->r);
	c->rip = s->rip;
	set_seg(c, SEG_ES, s->es, 0);
	set_seg(c, SEG_CS, s->cs, 0);
	set_seg(c, SEG_SS, s->ss, 0);
	set_seg(c, SEG_DS, s->ds, 0);
	set_seg(c, SEG_FS, s->fs, s->fsbase);
	set_seg(c, SEG_GS, s->gs, s->gsbase);
	fp_to_cpu(s->fx, c);
	c->flags = FLAG_1;
	x86_set_cpl(c, 3);
	x86_mode_changed(c);
	x86_set_flags(c, s->flags | FLAG_IF | FLAG_1, ~0ull);
	c->pending = 0;
	c->db_pending = 0;
	c->shadow = c->shadow_nmi = 0;
	c->activity = ACT_RUN;
	c->stop = false;
	c->exc_raised = false;
	c->faults = 0;
}

/* ---- state out ---- */
static bool has_error_code(unsigned v) { return v == 8 || (v >= 10 && v <= 14) || v == 17; }

/* In a handler: everything that the exception pushed. */
static void read_frame(struct emu *e, unsigned vec, struct outcome *o)
{
	const u8 *top = e->system + SYS_STACK;
	struct ostate *s = &o->out;

	s->ss = (u16)load_le(top - 8, 2);
	s->r[R_SP] = load_le(top - 16, 8);
	s->flags = load_le(top - 24, 8);
	s->cs = (u16)load_le(top - 32, 2);
	s->rip = load_le(top - 40, 8);
	o->error = has_error_code(vec) ? (u32)load_le(top - 48, 4) : 0;
	o->cr2 = e->cpu.cr2;
	o->end = vec;
}

static void read_state(struct emu *e, enum x86_stop why, struct outcome *o)
{
	struct x86_cpu *c = &e->cpu;
	struct ostate *s = &o->out;
	u64 handler = c->rip - 1 - (VA_SYSTEM + SYS_HANDLER); /* HLT is done */

	memcpy(s->r, c->r, sizeof s->r);
	s->rip = c->rip;
	s->flags = x86_get_flags(c);
	s->es = c->seg[SEG_ES].sel;
	s->cs = c->seg[SEG_CS].sel;
	s->ss = c->seg[SEG_SS].sel;
	s->ds = c->seg[SEG_DS].sel;
	s->fs = c->seg[SEG_FS].sel;
	s->gs = c->seg[SEG_GS].sel;
	s->fsbase = c->seg[SEG_FS].base;
	s->gsbase = c->seg[SEG_GS].base;
	fp_from_cpu(s->fx, c);
	if (why == X86_STOP_IDLE && handler < 0x1000)
		read_frame(e, (unsigned)handler / 16, o);
	else if (why == X86_STOP_IDLE)
		o->end = END_SYSCALL;
	else if (c->rip == EXIT_ADDR && c->cpl == 3)
		o->end = END_OK;
	else
		o->end = why == X86_STOP_BUDGET ? END_HANG : END_DIED;
}

/* ---- running ---- */
static enum x86_stop run(struct emu *e, const struct ocase *c, enum emu_mode m)
{
	u64 budget = m == EMU_STEP ? 1 : c->loop ? 1000 : c->ninsn + 4u;
	enum x86_stop why = X86_STOP_BUDGET;

	for (unsigned i = 0; i < 3000 && why == X86_STOP_BUDGET && (e->cpu.rip != EXIT_ADDR || e->cpu.pending); i++) {
		e->code->hot = ++e->runs & 1 ? 1 : 1000; /* as host code, as ops */
		why = x86_run(&e->cpu, budget);
	}
	return why;
}

static void write_code(struct emu *e, const struct ocase *c, bool there)
{
	u8 bytes[CASE_CODE + 16];
	unsigned n = case_bytes(c, bytes);
	u64 pa = case_is_smc(c) ? PA_AREAS + AREA_SMC * PAGE_SIZE + (c->at - SMC_BASE) : PA_CODE + (c->at - CODE_BASE);

	if (!there)
		memset(bytes, 0xcc, n);
	space_write_bytes(&e->mem, pa, bytes, n);
}

void emu_load(struct emu *e, const struct ocase *c)
{
	if (!case_is_smc(c)) /* those are loaded for each run */
		write_code(e, c, true);
}

void emu_unload(struct emu *e, const struct ocase *c)
{
	if (!case_is_smc(c))
		write_code(e, c, false);
}

void emu_run(struct emu *e, const struct ocase *c, enum emu_mode m, struct outcome *o)
{
	if (case_is_smc(c))
		write_code(e, c, true);
	area_poke(e->areas, c);
	set_state(&e->cpu, &c->in);
	memset(o, 0, offsetof(struct outcome, change));
	e->before = e->cpu.retired;
	read_state(e, run(e, c, m), o);
	o->retired = o->end < END_OK ? (u32)(e->cpu.retired - e->before) : 0;
	area_collect(e->areas, e->shm, o);
	if (case_is_smc(c)) /* so that the CPU learns of it */
		space_write_bytes(&e->mem, PA_AREAS + AREA_SMC * PAGE_SIZE, e->shm->initial[AREA_SMC], PAGE_SIZE);
}

unsigned emu_length(struct emu *e, const struct ocase *c)
{
	struct x86_op op;
	struct x86_decoded d;

	set_state(&e->cpu, &c->in);
	if (x86_decode(&e->cpu, c->code, c->ncode, 0, &op, &d) == DECODE_MORE || (!d.row && op.imm == RULE_GP_LENGTH))
		return 16;
	return op_len(&op);
}

const char *emu_text(const struct emu *e)
{
	const struct event *v = &e->log.ring[(e->log.count - 1) % EVENT_RING];

	if (e->cpu.stop_text[0])
		return e->cpu.stop_text;
	return e->log.count ? x86_rules[v->a >> 16].sentence : "";
}
