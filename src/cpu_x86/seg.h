/*
 * Private to segmentation, far transfers, tasks and event delivery: descriptor fields, checks shared by several of
 * them, implicit accesses that hit the TLB inline, and stacks that are not the current one. APM2 4.7, 4.8, 8.7-8.9.
 */
#ifndef CPU_X86_SEG_H
#define CPU_X86_SEG_H

#include "cpu_x86/body.h"
#include "cpu_x86/exec.h"

/* Types of system descriptors. APM2 4.7.2, table 4-5; in long mode only LDT, TSS, CALL, INT and TRAP exist (table 4-6).
 */
enum {
	TYPE_TSS16 = 1,
	TYPE_LDT = 2,
	TYPE_TSS16_BUSY = 3,
	TYPE_CALL16 = 4,
	TYPE_TASK = 5,
	TYPE_INT16 = 6,
	TYPE_TRAP16 = 7,
	TYPE_TSS = 9,
	TYPE_TSS_BUSY = 11,
	TYPE_CALL = 12,
	TYPE_INT = 14,
	TYPE_TRAP = 15,
};

static inline unsigned desc_type(u64 lo) { return bits(lo, 43, 40); }
static inline bool desc_s(u64 lo) { return lo >> 44 & 1; }
static inline unsigned desc_dpl(u64 lo) { return bits(lo, 46, 45); }
static inline bool desc_p(u64 lo) { return lo >> 47 & 1; }
static inline bool desc_l(u64 lo) { return lo >> 53 & 1; }
static inline bool desc_db(u64 lo) { return lo >> 54 & 1; }
static inline bool desc_code(u64 lo) { return desc_s(lo) && desc_type(lo) & 8; }
static inline bool desc_conforming(u64 lo) { return desc_type(lo) & 4; } /* of a code segment */
static inline bool desc_writable(u64 lo) { return desc_s(lo) && (desc_type(lo) & 0xa) == 2; }
static inline u32 desc_limit(u64 lo)
{
	u32 l = (u32)(lo & 0xffff) | (u32)(lo >> 32 & 0xf0000);

	return lo >> 55 & 1 ? l << 12 | 0xfff : l;
}

/* Selectors, offset and parameters of gates. APM2 4.7.3, 4.8.3 */
static inline u16 gate_sel(u64 lo) { return (u16)(lo >> 16); }
static inline u64 gate_offset(u64 lo, bool wide)
{
	return wide ? (lo & 0xffff) | (lo >> 32 & 0xffff0000) : lo & 0xffff;
}

static inline bool x86_long(const struct x86_cpu *c) { return c->mode & MODE_LONG; }
static inline bool sel_null(u16 sel) { return sel < 4; }

/* EXT: the fault came of delivering an external event or an exception, not of an instruction. APM2 8.4.1 */
static inline u32 ext_bit(const struct x86_cpu *c) { return !c->op && c->faults; }
static inline u32 sel_error(const struct x86_cpu *c, u16 sel) { return (sel & 0xfffcu) | ext_bit(c); }

/* ---- implicit supervisor accesses, inline when the TLB hits ---- */

static inline void *sys_host(struct x86_cpu *c, u64 va, unsigned size, unsigned rw, enum tlb_class cls)
{
	const struct tlb_entry *e = tlb_slot_of(&c->tlb, va);

	if (unlikely(e->tag[rw] != (((va + (size - 1)) & PAGE_MASK) | c->tlb.base_ctx | (u64)cls)))
		return NULL;
	return (void *)(uintptr_t)(va + e->add);
}
static inline u64 sys_load(struct x86_cpu *c, u64 va, unsigned size)
{
	const void *p = sys_host(c, va, size, TLB_R, TLB_SUPER);

	return likely(p != NULL) ? load_le(p, size) : x86_load_sys(c, va, size);
}
/* Linear addresses of tables wrap at 4 GB outside long mode. */
static inline u64 sys_va(const struct x86_cpu *c, u64 va) { return x86_long(c) ? va : (u32)va; }

/* ---- seg.c ---- */
/* The descriptor of sel, if it lies within its table; no exception but page faults. */
bool seg_find_desc(struct x86_cpu *c, u16 sel, struct x86_desc *d);
u64 seg_desc_va(const struct x86_cpu *c, u16 sel);
/* Set the accessed bit in memory if it is clear. Last of the checks: it may fault. APM2 4.7.1 */
void seg_mark_accessed(struct x86_cpu *c, u16 sel, struct x86_desc *d);
/* Read and check a stack segment's descriptor for cpl; vec: #GP for loads and returns, #TS for gates and tasks. */
void seg_check_stack(struct x86_cpu *c, u16 sel, unsigned cpl, unsigned vec, struct x86_desc *d);
/* In long mode a code segment with L and D both set is reserved. APM2 4.8.1 */
void seg_check_code_size(struct x86_cpu *c, u16 sel, const struct x86_desc *d);
/* The target must be canonical (64-bit code segment) or within the limit. APM2 4.12 */
void seg_check_target(struct x86_cpu *c, const struct x86_desc *cs, u64 rip);
/* Commit: these cannot fault. */
void seg_set_cs(struct x86_cpu *c, u16 sel, const struct x86_desc *d, unsigned cpl);
void seg_set(struct x86_cpu *c, unsigned seg, u16 sel, const struct x86_desc *d);
void seg_set_null(struct x86_cpu *c, unsigned seg, u16 sel);
void seg_set_null_ss(struct x86_cpu *c, u16 sel, unsigned cpl);
void seg_set_real(struct x86_cpu *c, unsigned seg, u16 sel);
void seg_null_outer(struct x86_cpu *c);
/* Go to rip in the (already loaded) code segment: far transfers. */
void seg_goto(struct x86_cpu *c, u64 rip);

/* ---- far.c: what RET and IRET share ---- */
struct far_frame {
	u64 rip, sp; /* sp: the value that the stack pointer gets */
	u16 cs, ss;
	bool has_ss;
};
/* The checks on CS of a return; then those on SS and the target, and the commit. APM2 4.11.3, 8.7.5 */
void far_read_return_cs(struct x86_cpu *c, u16 sel, struct x86_desc *d);
void far_return(struct x86_cpu *c, const struct far_frame *f, struct x86_desc *cs);

/* ---- iret.c ---- */
void iret_unmask_nmi(struct x86_cpu *c);

/* ---- stack.c: a stack that is not (yet) the current one ---- */
struct stack {
	u64 sp, mask, base, lo, hi; /* hi: last valid offset */
	bool flat;                  /* 64-bit: canonical form alone counts */
	u8 cpl;
	u32 error; /* error code of #SS */
};
void stack_init_flat(struct stack *s, u64 sp, unsigned cpl, u32 error);
void stack_init_seg(struct stack *s, const struct x86_seg *ss, u64 sp, unsigned cpl, u32 error);
void stack_init_current(struct x86_cpu *c, struct stack *s);
void stack_push(struct x86_cpu *c, struct stack *s, unsigned size, u64 val);
/* Push n quadwords at once, v[0] ending at the lowest address. */
void stack_push_frame(struct x86_cpu *c, struct stack *s, const u64 *v, unsigned n);
/* The inner stack of a privilege level from the TSS. */
u64 stack_tss64(struct x86_cpu *c, unsigned off);
void stack_tss(struct x86_cpu *c, unsigned cpl, struct x86_desc *d, u16 *ss, struct stack *s);

/* ---- exception.c ---- */
/* An event on its way through the IDT. type: 0 external interrupt, 2 NMI, 3 exception, 4 software interrupt. */
struct delivery {
	u8 vector, type;
	bool soft; /* by INTn, INT3, INTO: gate privilege counts. APM2 8.7.4 */
	bool has_error, rf;
	u32 error;
	u64 rip; /* return address */
};
u64 deliver_idt(struct x86_cpu *c, const struct delivery *d); /* deliver.c: returns the handler's address */

/* ---- task.c ---- */
enum task_source { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };
/* Switch to the task of sel, whose descriptor's type, privilege and presence are checked. Continues in the new task:
 * returns when delivering an event, unwinds to the run loop when an instruction did it. e: the rip that the outgoing
 * TSS gets; error code; RF. */
void task_switch(struct x86_cpu *c, enum task_source src, u16 sel, const struct x86_desc *d, const struct delivery *e);
/* Through a task gate; gate privilege and presence are checked. */
void task_gate(struct x86_cpu *c, enum task_source src, u64 gate, const struct delivery *e);
/* IRET with NT set. */
void task_return(struct x86_cpu *c);

/* ---- v86.c ---- */
/* INTn in virtual-8086 mode: true when the interrupt went to the 8086 program's own handler. */
bool v86_redirect(struct x86_cpu *c, unsigned vector);
void v86_enter_segs(struct x86_cpu *c, const u16 sel[6]); /* in the order of SEG_ES.. */
/* Values of FLAGS as PUSHF and IRET/POPF see them at IOPL < 3 with VME; vme_set_flags raises #GP. */
u32 vme_flags(const struct x86_cpu *c);
void vme_check_flags(struct x86_cpu *c, u32 image);
void vme_set_flags(struct x86_cpu *c, u32 image);

/* ---- the instruction bodies; x86_insn.def names them ---- */
x86_body x86i_mov_sreg, x86i_mov_from_sreg, x86i_push_sreg, x86i_pop_sreg, x86i_lxs;
x86_body x86i_jmp_far_imm, x86i_jmp_far_mem, x86i_call_far_imm, x86i_call_far_mem, x86i_ret_far, x86i_iret;
x86_body x86i_int_n, x86i_int3, x86i_into, x86i_int1, x86i_bound;
x86_body x86i_syscall, x86i_sysret, x86i_sysenter, x86i_sysexit, x86i_swapgs;
x86_body x86i_lgdt, x86i_lidt, x86i_sgdt, x86i_sidt, x86i_lldt, x86i_ltr, x86i_sldt, x86i_str;
x86_body x86i_lar, x86i_lsl, x86i_verr, x86i_verw, x86i_arpl;
x86_body x86i_pushf, x86i_popf, x86i_cli, x86i_sti;

#endif
