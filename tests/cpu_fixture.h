/*
 * A processor on 16 MB of memory for instruction tests: descriptor tables, stacks, and one way to set up each mode.
 * Code is given as bytes and run for one instruction; exceptions are heard from the event log with their rule.
 */
#ifndef TESTS_CPU_FIXTURE_H
#define TESTS_CPU_FIXTURE_H

#include <check.h>
#include <stdlib.h>

#include "base/cover.h"
#include "cpu_x86/block.h"
#include "cpu_x86/seg.h"
#include "page_tables.h"

enum {
	GDT = 0x1000,
	IDT = 0x2000,
	TSS1 = 0x4000,
	TSS2 = 0x5000,
	LDT = 0x6000,
	TABLES = 0x100000,
	CODE = 0x10000,
	STACK0 = 0x28000,
	STACK1 = 0x2c000,
	STACK3 = 0x30000,
	IST1 = 0x34000,
	HANDLER = 0x40000,
	DATA = 0x50000,
};
enum { /* selectors */
       C32 = 0x08,
       D32 = 0x10,
       C32U = 0x1b,
       D32U = 0x23,
       C64 = 0x28,
       C64U = 0x33,
       X = 0x38,
       X2 = 0x40,
       SEL_LDT = 0x48,
       SEL_TSS = 0x60,
       SEL_TSS2 = 0x70,
       C16 = 0x80,
       D16 = 0x88,
       C32R1 = 0x91,
       D32R1 = 0x99,
       GDT_LIMIT = 0xff,
};
/* Attributes in the VMCB's 12-bit form. */
enum {
	A_CODE32 = 0xc9b,
	A_DATA32 = 0xc93,
	A_CODE64 = 0xa9b,
	A_CODE16 = 0x09b,
	A_DATA16 = 0x093,
	A_DPL1 = 0x20,
	A_DPL3 = 0x60,
	A_TSS = 0x089,
	A_TSS_BUSY = 0x08b,
	A_LDT = 0x082,
};

static struct space mem, io;
static struct sched sched;
static struct event_log events;
static struct x86_model model;
static struct x86_code *code;
static struct x86_cpu *c;
static struct error error;
static u64 icount;
static struct event last; /* the last exception */
static unsigned exceptions;

static inline void hear(void *arg, const struct event *e)
{
	(void)arg;
	if (e->kind != EV_EXCEPTION)
		return;
	last = *e;
	exceptions++;
}

static inline u64 peek(u64 pa, unsigned size) { return space_read(&mem, pa, size); }
static inline void poke(u64 pa, unsigned size, u64 v) { space_write(&mem, pa, size, v); }

static inline u64 descriptor(u32 base, u32 limit, unsigned attr)
{
	return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)(attr & 0xff) << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)(attr >> 8) << 52 | (u64)(base >> 24) << 56;
}
static inline void gdt_set(unsigned sel, u32 base, u32 limit, unsigned attr)
{
	poke(GDT + (sel & ~7u), 8, descriptor(base, limit, attr));
}
static inline u64 gate(unsigned sel, u32 off, unsigned type, unsigned dpl, unsigned params)
{
	return (off & 0xffff) | (u64)sel << 16 | (u64)params << 32 | (u64)(0x80 | dpl << 5 | type) << 40 |
	       (u64)(off >> 16) << 48;
}
static inline void idt32(unsigned vector, unsigned sel, unsigned type, unsigned dpl)
{
	poke(IDT + 8 * vector, 8, gate(sel, HANDLER + 16 * vector, type, dpl, 0));
}
static inline void idt64(unsigned vector, unsigned sel, unsigned type, unsigned dpl, unsigned ist)
{
	poke(IDT + 16 * vector, 8, gate(sel, HANDLER + 16 * vector, type, dpl, ist));
	poke(IDT + 16 * vector + 8, 8, 0);
}

static inline void cpu_setup(void)
{
	static const struct x86_board board;

	ck_assert(cover_from_environment(&error));
	ck_assert(space_init(&mem, "memory", 52, &error) && space_init(&io, "io", 16, &error));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 16 << 20, false, &error));
	sched_init(&sched);
	events = (struct event_log){.mask = BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT), .sink = hear};
	ck_assert(x86_model_parse(&model, "max", &error));
	code = x86_code_new(&mem);
	c = calloc(1, sizeof *c);
	x86_init(c, 0, &model, &mem, &io, &sched, code, &events, &board, &icount);
	x86_reset(c, false);
	for (unsigned i = 0; i < 0x1000; i++)
		poke(HANDLER + i, 1, 0x90);
	exceptions = 0;
}
static inline void cpu_teardown(void)
{
	x86_code_free(code);
	free(c);
	space_free(&mem);
	space_free(&io);
}

static inline void load(unsigned seg, unsigned sel)
{
	struct x86_desc d = {peek(GDT + (sel & ~7u), 8), 0};

	x86_desc_to_seg(&d, (u16)sel, &c->seg[seg]);
}

static inline void tables(void)
{
	gdt_set(C32, 0, 0xfffff, A_CODE32);
	gdt_set(D32, 0, 0xfffff, A_DATA32);
	gdt_set(C32U, 0, 0xfffff, A_CODE32 | A_DPL3);
	gdt_set(D32U, 0, 0xfffff, A_DATA32 | A_DPL3);
	gdt_set(C64, 0, 0xfffff, A_CODE64);
	gdt_set(C64U, 0, 0xfffff, A_CODE64 | A_DPL3);
	gdt_set(C16, 0, 0xffff, A_CODE16);
	gdt_set(D16, 0, 0xffff, A_DATA16);
	gdt_set(C32R1, 0, 0xfffff, A_CODE32 | A_DPL1);
	gdt_set(D32R1, 0, 0xfffff, A_DATA32 | A_DPL1);
	gdt_set(SEL_TSS, TSS1, 0x67, A_TSS_BUSY);
	gdt_set(SEL_TSS2, TSS2, 0x67, A_TSS);
	c->gdt = (struct x86_dt){.base = GDT, .limit = GDT_LIMIT};
	c->idt = (struct x86_dt){.base = IDT, .limit = 0xfff};
	c->seg[SEG_TR] = (struct x86_seg){SEL_TSS, A_TSS_BUSY, 0x67, TSS1};
	c->seg[SEG_LDTR] = (struct x86_seg){0};
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		load(i, i == SEG_CS ? (c->cpl ? C32U : C32) : c->cpl ? D32U : D32);
	c->flags = FLAG_1;
	c->r[R_SP] = c->cpl ? STACK3 : STACK0;
}

/* 32-bit protected mode without paging; every vector has an interrupt gate to CPL 0. */
static inline void protected32(unsigned cpl)
{
	c->cr0 = CR0_PE | CR0_ET;
	c->cr4 = c->efer = 0;
	c->cpl = (u8)cpl;
	tables();
	for (unsigned v = 0; v < 256; v++)
		idt32(v, C32, TYPE_INT, 3);
	poke(TSS1 + 4, 4, STACK0);
	poke(TSS1 + 8, 2, D32);
	poke(TSS1 + 12, 4, STACK1);
	poke(TSS1 + 16, 2, D32R1);
	x86_state_changed(c);
}

/* Long mode, everything mapped for everybody by 2 MB pages; 64-bit code, or compatibility mode. */
static inline void long_mode(unsigned cpl, bool code64)
{
	struct tables t;

	tables_init(&t, &mem, 4, 0, TABLES);
	for (u64 va = 0; va < 16 << 20; va += 2 << 20)
		tables_map(&t, va, 2, va, P | W | U | A | D);
	c->cr0 = CR0_PE | CR0_ET | CR0_PG | CR0_WP;
	c->cr3 = t.root;
	c->cr4 = CR4_PAE;
	c->efer = EFER_LME | EFER_LMA | EFER_SCE;
	c->cpl = (u8)cpl;
	tables();
	if (code64)
		load(SEG_CS, cpl ? C64U : C64);
	for (unsigned v = 0; v < 256; v++)
		idt64(v, C64, TYPE_INT, 3, 0);
	poke(TSS1 + 4, 8, STACK0);
	poke(TSS1 + 12, 8, STACK1);
	poke(TSS1 + 0x24, 8, IST1);
	x86_state_changed(c);
}

static inline void real_mode(void)
{
	c->cr0 = CR0_ET;
	c->cr4 = c->efer = 0;
	c->cpl = 0;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		c->seg[i] = (struct x86_seg){0, i == SEG_CS ? 0x9b : 0x93, 0xffff, 0};
	c->seg[SEG_CS].sel = CODE >> 4;
	c->seg[SEG_CS].base = CODE;
	c->seg[SEG_SS].sel = STACK0 >> 4;
	c->seg[SEG_SS].base = STACK0;
	c->idt = (struct x86_dt){.base = 0, .limit = 0x3ff};
	for (unsigned v = 0; v < 256; v++)
		poke(4 * v, 4, (HANDLER >> 4) << 16 | 16 * v);
	c->flags = FLAG_1;
	c->r[R_SP] = 0x1000;
	x86_state_changed(c);
}

/* Virtual-8086 mode: code at CODE, stack at STACK3. */
static inline void virtual86(unsigned iopl)
{
	protected32(3);
	c->flags = FLAG_1 | FLAG_VM | iopl << 12;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		c->seg[i] = (struct x86_seg){DATA >> 4, 0xf3, 0xffff, DATA};
	c->seg[SEG_CS].sel = CODE >> 4;
	c->seg[SEG_CS].base = CODE;
	c->seg[SEG_SS].sel = (STACK3 - 0x1000) >> 4;
	c->seg[SEG_SS].base = STACK3 - 0x1000;
	c->r[R_SP] = 0x1000;
	x86_state_changed(c);
}

/* Run one instruction, given as bytes, at CODE. */
static inline void run_bytes(const u8 *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		poke(CODE + i, 1, b[i]);
	for (size_t i = n; i < n + 4; i++)
		poke(CODE + i, 1, 0x90);
	c->rip = CODE - c->seg[SEG_CS].base;
	if (x86_long64(c))
		c->rip = CODE;
	exceptions = 0;
	x86_run(c, 1);
}
#define RUN(...) run_bytes((const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))
#define IMM16(v) (u8)(v), (u8)((v) >> 8)
#define IMM32(v) (u8)(v), (u8)((v) >> 8), (u8)((v) >> 16), (u8)((u32)(v) >> 24)

#define NO_ERROR (-1)
static inline void raised(unsigned vector, s64 code_, enum x86_rule rule)
{
	ck_assert_uint_ge(exceptions, 1);
	ck_assert_str_eq(x86_rules[last.a >> 16].id, x86_rules[rule].id);
	ck_assert_uint_eq(last.a & 0xff, vector);
	ck_assert_int_eq((last.a >> 8 & 1) ? (s64)last.b : NO_ERROR, code_);
	ck_assert_uint_eq(exceptions, 1);
	exceptions = 0;
}
static inline void quiet(void)
{
	if (exceptions)
		ck_abort_msg("exception %u error %llx: %s", last.a & 0xff, (unsigned long long)last.b,
			     x86_rules[last.a >> 16].sentence);
}
static inline bool in_handler(unsigned vector) { return c->seg[SEG_CS].base + c->rip - (HANDLER + 16 * vector) < 16; }

#endif
