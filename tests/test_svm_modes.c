/*
 * SVM with other kinds of guests and hosts: real mode, paged real mode, virtual-8086 mode, PAE; hosts with each kind of nested tables;
 * SMM; SKINIT and the processors that its loader starts; NMI masks when a delivery fails; time. The rest is in test_svm.c.
 * APM2 15.5, 15.19, 15.22, 15.25, 15.27, 15.30.
 */
#include "svm_fixture.h"

/* ---- other kinds of guest ---- */

static void real_mode(void)
{
	vmcb_set_cr0(v, CR0_ET);
	vmcb_set_cr4(v, 0);
	vmcb_set_efer(v, EFER_SVME);
	*vmcb_at_cs(v) = (struct vmcb_seg){0x1000, 0x9b, 0xffff, 0x10000};
	*vmcb_at_ds(v) = *vmcb_at_es(v) = *vmcb_at_ss(v) = (struct vmcb_seg){0, 0x93, 0xffff, 0};
	vmcb_set_rip(v, 0x1000);
	vmcb_set_rsp(v, 0x8000);
	vmcb_set_cpl(v, 3); /* forced to 0 */
}

START_TEST(real_mode_guest)
{
	nested();
	real_mode();
	GUEST_CODE("\xb8\x34\x12\xe6\x60"); /* mov ax,1234h; out 60h,al */
	intercept(ICPT_IOIO);
	mark_ports(0x60, 1);
	expect("IOIO");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0x00600090);
	ck_assert_uint_eq(vmcb_rax(v), 0x1234);
	ck_assert_uint_eq(vmcb_cpl(v), 0);
}
END_TEST

START_TEST(paged_real_mode_guest)
{
	real_mode();
	vmcb_set_cr0(v, CR0_ET | CR0_PG);
	vmcb_set_cr4(v, CR4_PSE);
	vmcb_set_cr3(v, OTHER);
	poke(OTHER, 4, 0x000000e7);                             /* 4 MB: 0 -> 0 */
	GUEST_CODE("\x0f\x20\xc3\x66\x0f\x01\xd9\x0f\x01\xd9"); /* mov ebx,cr0; vmmcall */
	expect("VMMCALL");
	ck_assert_uint_eq((u32)c->r[R_BX], CR0_ET | CR0_PG);
	ck_assert_uint_eq(vmcb_cr0(v), CR0_ET | CR0_PG);
}
END_TEST

START_TEST(v86_guest)
{
	nested();
	real_mode();
	vmcb_set_cr0(v, CR0_ET | CR0_PE);
	vmcb_set_rflags(v, 2 | FLAG_VM | FLAG_IOPL);
	vmcb_set_cpl(v, 0); /* forced to 3 */
	GUEST_CODE("\x0f\xa2");
	intercept(ICPT_CPUID);
	expect("CPUID");
	ck_assert_uint_eq(vmcb_cpl(v), 3);
	ck_assert(vmcb_rflags(v) & FLAG_VM);
}
END_TEST

START_TEST(rip_outside_is_a_guest_fault)
{
	intercept(ICPT_EXC + VEC_GP);
	vmcb_set_rip(v, 0x8000000000000000);
	expect("EXCP13 (#GP)");
	ck_assert_uint_eq(vmcb_rip(v), 0x8000000000000000);
}
END_TEST

START_TEST(legacy_host)
{
	/* A 32-bit host without long mode; its nested tables are two-level ones. */
	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE;
	c->cr3 = OTHER;
	c->cr4 = CR4_PSE;
	c->efer = EFER_SVME;
	c->seg[SEG_CS].attr = 0xc9b;
	poke(OTHER, 4, 0x000000e7);
	x86_state_changed(c);
	nested();
	vmcb_set_ncr3(v, OTHER);
	real_mode();
	put(GUEST, "\x0f\xa2", 2);
	intercept(ICPT_CPUID);
	expect("CPUID");
	ck_assert_uint_eq(c->cr3, OTHER);
}
END_TEST

/* A 32-bit guest with legacy PAE paging, without and with nested paging. */
static void pae_guest(void)
{
	vmcb_set_efer(v, EFER_SVME);
	vmcb_at_cs(v)->attr = 0xc9b;
	vmcb_set_cr3(v, OTHER);
	poke(OTHER, 8, PD | 1);
	GUEST_CODE("\x8b\x1d\x00\x00\x15\x00\x0f\x01\xd9"); /* mov ebx,[DATA] */
	poke(DATA, 8, 0x12345678);
}

START_TEST(pae_guest_shadowed)
{
	pae_guest();
	expect("VMMCALL");
	ck_assert_uint_eq(c->r[R_BX], 0x12345678);
	ck_assert_uint_eq(vmcb_cs(v)->attr, 0xc9b);
}
END_TEST

START_TEST(pae_guest_nested)
{
	nested();
	pae_guest();
	poke(OTHER + 24, 8, 0x1e7); /* a bad PDPE is nobody's business until it is used. APM2 15.25.10 */
	expect("VMMCALL");
	ck_assert_uint_eq(c->r[R_BX], 0x12345678);
}
END_TEST

START_TEST(pae_host)
{
	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE;
	c->cr3 = OTHER;
	c->efer = EFER_SVME | EFER_NXE;
	c->seg[SEG_CS].attr = 0xc9b;
	poke(OTHER, 8, PD | 1);
	x86_state_changed(c);
	nested();
	vmcb_set_ncr3(v, OTHER);
	real_mode();
	put(GUEST, "\x0f\xa2", 2);
	intercept(ICPT_CPUID);
	expect("CPUID");
	ck_assert_uint_eq(c->tlb.env.np.levels, 3);
}
END_TEST

START_TEST(five_level_host)
{
	poke(OTHER, 8, PML4 | PAGE);
	poke(OTHER + 0x1000, 8, NPML4 | PAGE);
	c->cr3 = OTHER;
	c->cr4 |= CR4_LA57;
	x86_state_changed(c);
	nested();
	vmcb_set_ncr3(v, OTHER + 0x1000);
	poke(NPT + 8 * (DATA >> 12), 8, 0);
	GUEST_CODE("\x48\x89\x04\x25\x08\x00\x15\x00");
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo2(v), DATA + 8);
	ck_assert_uint_eq(c->tlb.env.np.levels, 5);
}
END_TEST

/* An SMI that the VMM does not intercept: the handler runs without intercepts; RSM goes back to the guest. APM2 15.22.2
 */
START_TEST(smm_suspends_intercepts)
{
	u64 entry = (c->msr.smbase & 0xffffffff) + 0x8000;

	nested();
	intercept(ICPT_CPUID);
	intercept(ICPT_RSM);
	put(entry, "\x0f\xa2\x66\xbf\x77\x00\x00\x00\x0f\xaa", 10); /* cpuid; mov edi,77h; rsm */
	GUEST_CODE("\x90\x0f\xa2");
	c->svm.gif = 0;
	x86_pend(c, PEND_SMI);
	expect("CPUID");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 1);
	ck_assert(!c->smm && !c->svm.smm_suspends);
}
END_TEST

START_TEST(task_switch_intercept)
{
	intercept(ICPT_TASK_SWITCH);
	pae_guest();
	poke(GDT + 0x28, 8, 0x0000890040000067); /* an available 32-bit TSS */
	poke(TSS + 0x1c, 4, OTHER);
	GUEST_CODE("\xea\x00\x00\x00\x00\x28\x00");
	expect("TASK_SWITCH");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0x28);
	ck_assert_uint_eq(vmcb_exitinfo2(v) >> 32 & 0x1050, BIT(6)); /* far jump */
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
	ck_assert_uint_eq(vmcb_nrip(v), 0);
}
END_TEST

/* ---- nested tables of every kind: rights, errors, accessed and dirty bits. APM2 15.25.3, 15.25.5, 15.25.6 ---- */

enum { TABLE = 0x160000, TABLE2 = 0x161000 };

/* A 32-bit host: two-level tables of its own and nested, the latter with 4 KB pages for the first 4 MB. */
static void host_two_levels(void)
{
	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE;
	c->cr3 = OTHER;
	c->cr4 = CR4_PSE;
	c->efer = EFER_SVME;
	c->seg[SEG_CS].attr = 0xc9b;
	poke(OTHER, 4, 0xe7);
	poke(TABLE, 4, TABLE2 | 7);
	for (unsigned i = 0; i < 1024; i++)
		poke(TABLE2 + 4 * i, 4, i << 12 | 7);
	x86_state_changed(c);
	nested();
	vmcb_set_ncr3(v, TABLE);
	real_mode();
}

/* mov ds:[bx],al in real mode: at DATA + 8. */
static void store_at_data(void)
{
	put(GUEST, "\x88\x07", 2);
	*vmcb_at_ds(v) = (struct vmcb_seg){0, 0x93, 0xffff, DATA};
	c->r[R_BX] = 8;
}

static void expect_npf(u64 info1, u64 gpa)
{
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo1(v), info1);
	ck_assert_uint_eq(vmcb_exitinfo2(v), gpa);
}

/* Once more, with nothing cached. */
static void afresh(void)
{
	host_again();
	vmcb_set_tlb_control(v, 1);
}

START_TEST(two_level_nested_tables)
{
	const u64 pte = TABLE2 + 4 * (DATA >> 12);

	host_two_levels();
	store_at_data();
	poke(pte, 4, DATA | 6);
	expect_npf(BIT(32) | 6, DATA + 8);
	poke(pte, 4, DATA | 5); /* read-only; that hCR0.WP is clear does not count. APM2 15.25.7 */
	afresh();
	expect_npf(BIT(32) | 7, DATA + 8);
	poke(pte, 4, DATA | 3);
	afresh();
	expect_npf(BIT(32) | 7, DATA + 8);
	poke(pte, 4, OTHER | 7); /* another frame */
	put(GUEST + 2, "\x0f\x01\xd9", 3);
	afresh();
	expect("VMMCALL");
	ck_assert_uint_eq(peek(OTHER + 8, 1), 0x11);
	ck_assert_uint_eq(peek(pte, 4), OTHER | 0x67); /* accessed, dirty */
	ck_assert_uint_eq(c->tlb.env.np.levels, 2);
}
END_TEST

START_TEST(two_level_nested_large_page)
{
	host_two_levels();
	store_at_data();
	poke(TABLE, 4, 0x004000e7); /* guest-physical 0..4 MB is 4..8 MB */
	put(0x400000 + GUEST, "\x88\x07\x0f\x01\xd9", 5);
	expect("VMMCALL");
	ck_assert_uint_eq(peek(0x400000 + DATA + 8, 1), 0x11);
	poke(TABLE, 4, 0x004000e7 | 1 << 21); /* reserved */
	vmcb_set_rip(v, 0x1000);
	afresh();
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo1(v), BIT(32) | 0x1d); /* a fetch, with NXE or without */
}
END_TEST

static void host_pae(void)
{
	c->cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE;
	c->cr3 = OTHER;
	c->efer = EFER_SVME | EFER_NXE;
	c->seg[SEG_CS].attr = 0xc9b;
	poke(OTHER, 8, PD | 1);
	poke(TABLE, 8, NPD | 1);
	x86_state_changed(c);
	nested();
	vmcb_set_ncr3(v, TABLE);
}

START_TEST(pae_nested_tables)
{
	const u64 pte = NPT + 8 * (DATA >> 12);

	host_pae();
	real_mode();
	store_at_data();
	poke(pte, 8, DATA | 5);
	expect_npf(BIT(32) | 7, DATA + 8);
	poke(pte, 8, BIT(52) | DATA | 7);
	afresh();
	expect_npf(BIT(32) | 0xf, DATA + 8);
	poke(NPT + 8 * (GUEST >> 12), 8, BIT(63) | GUEST | 0x67); /* no execution */
	afresh();
	expect_npf(BIT(32) | 0x15, GUEST);
	poke(TABLE, 8, 0); /* no PDPE */
	afresh();
	expect_npf(BIT(32) | 0x14, GUEST);
	poke(TABLE, 8, NPD | 1 | 0x1e0); /* reserved bits of a PDPE */
	afresh();
	expect_npf(BIT(32) | 0x1d, GUEST);
}
END_TEST

/* A PAE guest under PAE tables: its own tables are read through them. */
START_TEST(pae_guest_of_a_pae_host)
{
	host_pae();
	pae_guest();
	vmcb_set_cr3(v, OTHER + 0x2000);
	poke(OTHER + 0x2000, 8, PD | 1);
	poke(NPT + 8 * ((OTHER + 0x2000) >> 12), 8, (OTHER + 0x2000) | 5); /* read-only, and table walks are writes */
	expect_npf(BIT(33) | 7, OTHER + 0x2000);
	poke(NPT + 8 * ((OTHER + 0x2000) >> 12), 8, (OTHER + 0x2000) | 7);
	afresh();
	expect("VMMCALL");
	ck_assert_uint_eq(c->r[R_BX], 0x12345678);
}
END_TEST

START_TEST(five_level_nested_tables)
{
	poke(OTHER, 8, PML4 | PAGE);
	poke(TABLE, 8, NPML4 | PAGE);
	c->cr3 = OTHER;
	c->cr4 |= CR4_LA57;
	x86_state_changed(c);
	nested();
	vmcb_set_ncr3(v, TABLE);
	GUEST_CODE("\x48\x89\x04\x25\x08\x00\x15\x00\x0f\x01\xd9");
	expect("VMMCALL");
	poke(TABLE, 8, NPML4 | 0x65); /* the top level's rights count too */
	vmcb_set_rip(v, GUEST);
	afresh();
	expect_npf(BIT(33) | 7, PML4);
	poke(TABLE, 8, NPML4 | PAGE | 0x80); /* there is no page of this size */
	afresh();
	expect_npf(BIT(33) | 0xf, PML4);
}
END_TEST

/* ---- virtual-8086 mode in a guest ---- */

static void v86(u64 flags)
{
	nested();
	real_mode();
	vmcb_set_cr0(v, CR0_ET | CR0_PE);
	vmcb_set_rflags(v, 2 | FLAG_VM | flags);
}

/* The TSS bitmap goes before the IOIO intercept, the SWINT intercept before IOPL, HLT's #GP before its intercept.
 * APM2 15.9, 15.10.2 */
START_TEST(v86_priorities)
{
	v86(0);
	intercept(ICPT_IOIO);
	intercept(ICPT_EXC + VEC_GP);
	mark_ports(0x60, 1);
	GUEST_CODE("\xe6\x60");
	poke(TSS + 102, 2, 0x68); /* the bitmap lies beyond the TSS */
	expect("EXCP13 (#GP)");
	c->seg[SEG_TR].limit = 0x68 + 0x100;
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x7b);
	GUEST_CODE("\xcd\x21");
	intercept(ICPT_INTN);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x75);
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0x21);
	GUEST_CODE("\xf4");
	intercept(ICPT_HLT);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x4d);
}
END_TEST

/* CLI, STI and PUSHF work on VIF with VME and IOPL below 3. APM2 8.10.2 */
START_TEST(v86_guest_with_vme)
{
	v86(FLAG_VIF | FLAG_IF);
	vmcb_set_cr4(v, CR4_VME);
	GUEST_CODE("\xfa\x9c\xfb\x9c\x0f\xa2"); /* cli; pushf; sti; pushf; cpuid */
	intercept(ICPT_CPUID);
	expect("CPUID");
	ck_assert_uint_eq(peek(0x7ffe, 2) & FLAG_IF, 0);
	ck_assert_uint_eq(peek(0x7ffc, 2) & FLAG_IF, FLAG_IF);
	ck_assert_uint_eq(vmcb_rflags(v) & (FLAG_VIF | FLAG_IF), FLAG_VIF | FLAG_IF);
	vmcb_set_rflags(v, 2 | FLAG_VM | FLAG_VIP | FLAG_IF);
	vmcb_set_rip(v, 0x1000);
	GUEST_CODE("\xfb");
	intercept(ICPT_EXC + VEC_GP);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x4d); /* STI with VIP */
	ck_assert_uint_eq(vmcb_rflags(v) & FLAG_VIF, 0);
}
END_TEST

/* INT n of a VME guest through its own vectors, when the TSS says so. APM2 8.10.2, 12.2.4 */
START_TEST(v86_redirection)
{
	v86(FLAG_VIF);
	vmcb_set_cr4(v, CR4_VME);
	c->seg[SEG_TR].limit = 0x68 + 0x100;
	poke(TSS + 102, 2, 0x88);
	poke(TSS + 0x68 + 0x21 / 8, 1, 0);
	poke(4 * 0x21, 4, 0x20000123);
	put(0x20123, "\x0f\xa2", 2);
	GUEST_CODE("\xcd\x21");
	intercept(ICPT_CPUID);
	expect("CPUID");
	ck_assert_uint_eq(vmcb_cs(v)->sel, 0x2000);
	ck_assert_uint_eq(vmcb_rip(v), 0x123);
	ck_assert_uint_eq(vmcb_rflags(v) & FLAG_VIF, 0);
	ck_assert_uint_eq(peek(0x7ffe, 2) & FLAG_IF, FLAG_IF); /* the image has VIF in IF's place */
}
END_TEST

/* ---- NMI masks: an NMI that was not delivered masks nothing ---- */

START_TEST(injected_nmi_fails)
{
	nested();
	intercept(ICPT_NMI);
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, 0);
	vmcb_set_int_ctl(v, V_NMI_ENABLE);
	vmcb_set_eventinj(v, EVENT_V | 2 << 8 | 2);
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 2 << 8 | 2);
	ck_assert_uint_eq(vmcb_int_ctl(v) & V_NMI_MASK, 0);
	vmcb_set_int_ctl(v, V_NMI_ENABLE | V_NMI_MASK); /* masked before: masked afterwards */
	vmcb_set_eventinj(v, EVENT_V | 2 << 8 | 2);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x400);
	ck_assert_uint_eq(vmcb_int_ctl(v) & V_NMI_MASK, V_NMI_MASK);
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, GUEST_IDT | PAGE);
	vmcb_set_int_ctl(v, V_NMI_ENABLE);
	vmcb_set_eventinj(v, EVENT_V | 2 << 8 | 2);
	again();
	ck_assert_uint_eq(vmcb_rip(v), HANDLERS + 32);
	ck_assert_uint_eq(vmcb_int_ctl(v) & V_NMI_MASK, V_NMI_MASK);
}
END_TEST

START_TEST(physical_nmi_fails)
{
	nested();
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, 0);
	c->svm.gif = 0;
	x86_pend(c, PEND_NMI);
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 2 << 8 | 2);
	ck_assert_uint_eq(c->nmi_masked, 0);
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, GUEST_IDT | PAGE);
	afresh();
	c->svm.gif = 0;
	x86_pend(c, PEND_NMI);
	expect_vector(2);
	ck_assert_uint_eq(c->nmi_masked, 1);
}
END_TEST

/* ---- #SX ---- */

/* INIT with VM_CR.R_INIT: in the guest an #SX, which can be intercepted. APM2 15.21.8, 15.12.20 */
START_TEST(sx_intercept)
{
	c->svm.vm_cr = VM_CR_R_INIT;
	intercept(ICPT_EXC + 30);
	c->svm.gif = 0;
	x86_pend(c, PEND_INIT);
	ck_assert_int_eq(x86_run(c, 100), X86_STOP_KICK); /* for the board to look at what became of the INIT */
	sched.kick = false;
	expect("EXCP30 (#SX)");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 1);
	ck_assert_uint_eq(c->pending & PEND_INIT, 0);
}
END_TEST

/* ---- SKINIT ---- */

static unsigned a20m_calls;
static void a20m_changed(void *arg)
{
	(void)arg;
	a20m_calls++;
}

/* The loader's state, what is kept, what is held; then a processor that the loader starts. APM2 15.27.6, 15.27.8 */
START_TEST(skinit_starts_a_loader)
{
	static const struct x86_board board;
	struct x86_cpu *second = calloc(1, sizeof *second);
	const u32 held = PEND_NMI | PEND_SMI | PEND_INIT;

	x86_init(second, 1, &model, &mem, &io, &sched, code, &events, &board, &icount);
	second->activity = ACT_WAIT_SIPI;
	c->board.a20m_changed = a20m_changed;
	a20m_calls = 0;
	poke(0x200000, 2, 0x40);
	poke(0x200002, 2, 0x100);
	put(0x200040, "\x68\x78\x56\x34\x12\xf4", 6); /* push 12345678h; hlt */
	c->msr.star = 0x1234;
	c->dr[7] = 0x403;
	c->dr[0] = 0x200040;
	x86_debug_changed(c);
	host_code("\x0f\x01\xde", 3);
	c->r[R_AX] = 0x20abcd;
	x86_run(c, 1);
	ck_assert_uint_eq(c->rip, 0x200040);
	ck_assert_uint_eq(c->r[R_DX], 0xa00f11);
	ck_assert_uint_eq(c->r[R_CX] | c->r[R_BX] | c->r[R_SI] | c->r[R_DI] | c->r[R_BP] | c->r[15], 0);
	ck_assert_uint_eq(c->seg[SEG_CS].sel, 8);
	ck_assert_uint_eq(c->seg[SEG_SS].sel, 0x10);
	ck_assert_uint_eq(c->seg[SEG_SS].limit, 0xffffffff);
	ck_assert_uint_eq(c->seg[SEG_DS].limit, 0xffff);
	ck_assert_uint_eq(c->dr[7], 0x400);
	ck_assert_uint_eq(c->msr.star, 0x1234);
	ck_assert_uint_eq(a20m_calls, 1);
	x86_pend(c, held);
	ck_assert_int_eq(x86_run(c, 100), X86_STOP_IDLE); /* GIF is clear */
	ck_assert_uint_eq(c->pending & held, held);
	ck_assert_uint_eq(peek(0x20fffc, 4), 0x12345678); /* the stack is the block's end */
	second->sipi_vector = 0x20;
	x86_pend(second, PEND_SIPI);
	put(0x20000, "\xf4", 1);
	ck_assert_int_eq(x86_run(second, 10), X86_STOP_IDLE);
	ck_assert_uint_eq(second->svm.gif, 0);
	ck_assert_uint_eq(second->svm.vm_cr, VM_CR_DPD | VM_CR_R_INIT | VM_CR_DIS_A20M);
	x86_reset(second, true); /* the next start-up message is an ordinary one */
	second->activity = ACT_WAIT_SIPI;
	x86_pend(second, PEND_SIPI);
	x86_run(second, 10);
	ck_assert_uint_eq(second->svm.gif, 1);
	tlb_free(&second->tlb);
	free(second);
}
END_TEST

static void gone(const char *spec, const char *bytes)
{
	teardown();
	setup_model(spec);
	c->efer &= ~(u64)EFER_SVME;
	host_code(bytes, 3);
	expect_host_vector(VEC_UD);
}

START_TEST(without_skinit)
{
	gone("max,-skinit", "\x0f\x01\xde");
	gone("max,-skinit,-svm-lock", "\x0f\x01\xdc"); /* STGI */
	teardown();
	setup_model("max,-svm-lock");
	c->efer &= ~(u64)EFER_SVME;
	c->svm.gif = 0;
	host_code("\x0f\x01\xdc", 3);
	x86_run(c, 1);
	ck_assert_uint_eq(c->svm.gif, 1); /* SKINIT is enough. APM2 15.4 */
}
END_TEST

START_TEST(real_mode_host)
{
	c->cr0 = CR0_ET;
	c->efer = EFER_SVME;
	c->seg[SEG_CS] = (struct x86_seg){HOST >> 4, 0x9b, 0xffff, HOST};
	c->idt = (struct x86_dt){0, 0x3ff, {0}};
	poke(4 * VEC_UD, 4, (HOST_HANDLERS >> 4) << 16);
	x86_state_changed(c);
	c->rip = 0;
	ck_assert_int_eq(x86_run(c, 10), X86_STOP_IDLE); /* VMRUN is #UD outside protected mode */
	ck_assert_uint_eq(c->seg[SEG_CS].base, HOST_HANDLERS);
}
END_TEST

/* Without CR0.NE a pending x87 exception freezes the processor at the next waiting instruction. APM2 15.14.2 */
START_TEST(ferr_freeze)
{
	vmcb_set_cr0(v, vmcb_cr0(v) & ~(u64)CR0_NE);
	GUEST_CODE("\xdb\xe3\xd9\x2d\x0a\x00\x00\x00\xd9\xe8\xd9\xee\xde\xf9\x9b"); /* fninit; fldcw; fld1; fldz; fdivp; fwait */
	put(GUEST + 18, "\x7b\x03", 2);						       /* zero divide unmasked */
	poke(GUEST + 4, 4, 18 - 8);
	intercept(ICPT_FERR_FREEZE);
	expect("FERR_FREEZE");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 14);
	ck_assert_uint_eq(vmcb_nrip(v), 0);
}
END_TEST

/* ---- what no model reports by itself ---- */

START_TEST(mcommit_intercept)
{
	teardown();
	setup_model("max,+mcommit");
	GUEST_CODE("\xf3\x0f\x01\xfa\x0f\x01\xd9");
	intercept(ICPT_EXC + VEC_UD);
	expect("EXCP6 (#UD)"); /* EFER.MCOMMIT is clear */
	vmcb_set_efer(v, vmcb_efer(v) | BIT(17));
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x81);
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 4);
	vmcb_set_rip(v, GUEST);
	intercept(ICPT_MCOMMIT);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0xa3);
	ck_assert_uint_eq(vmcb_nrip(v), GUEST + 4);
}
END_TEST

/* ---- time ---- */

/* The TSC ratio scales what a guest reads of MPERF by RDMSR; not APERF, not what it writes. APM2 15.30.5 */
START_TEST(mperf_ratio)
{
	u64 mperf, aperf;

	GUEST_CODE("\xb9\xe7\x00\x00\x00\x0f\x32\x89\xc3\xb9\xe8\x00\x00\x00\x0f\x32\x89\xc6\x0f\x01\xd9");
	c->svm.tsc_ratio = 3 * BIT(32);
	ck_assert_uint_eq(x86_msr_write(c, 0xe7, 1000000), RULE_NONE);
	ck_assert_uint_eq(x86_msr_write(c, 0xe8, 1000000), RULE_NONE);
	ck_assert_uint_eq(x86_msr_read(c, 0xe7, &mperf), RULE_NONE);
	ck_assert_uint_eq(mperf, 1000000); /* the host's is not scaled */
	vmcb_set_tsc_offset(v, 1 << 30);   /* for the TSC only */
	expect("VMMCALL");
	ck_assert_uint_ge(c->r[R_BX], 3000000);
	ck_assert_uint_le(c->r[R_BX], 3000100);
	ck_assert_uint_ge(c->r[R_SI], 1000000);
	ck_assert_uint_le(c->r[R_SI], 1000100);
	ck_assert_uint_eq(x86_msr_read(c, 0xe8, &aperf), RULE_NONE);
	ck_assert_uint_le(aperf, 1000100);
	GUEST_CODE("\xb9\xe7\x00\x00\x00\xb8\x00\x10\x00\x00\x31\xd2\x0f\x30\x0f\x01\xd9"); /* MPERF = 1000h */
	vmcb_set_rip(v, GUEST);
	again();
	ck_assert_uint_eq(x86_msr_read(c, 0xe7, &mperf), RULE_NONE);
	ck_assert_uint_ge(mperf, 0x1000);
	ck_assert_uint_le(mperf, 0x1100);
}
END_TEST

#define TEST(name) tcase_add_test(t, name)

static void add_tests(TCase *t)
{
	TEST(real_mode_guest);
	TEST(paged_real_mode_guest);
	TEST(v86_guest);
	TEST(rip_outside_is_a_guest_fault);
	TEST(legacy_host);
	TEST(pae_guest_shadowed);
	TEST(pae_guest_nested);
	TEST(pae_host);
	TEST(five_level_host);
	TEST(smm_suspends_intercepts);
	TEST(task_switch_intercept);
	TEST(two_level_nested_tables);
	TEST(two_level_nested_large_page);
	TEST(pae_nested_tables);
	TEST(pae_guest_of_a_pae_host);
	TEST(five_level_nested_tables);
	TEST(v86_priorities);
	TEST(v86_guest_with_vme);
	TEST(v86_redirection);
	TEST(injected_nmi_fails);
	TEST(physical_nmi_fails);
	TEST(sx_intercept);
	TEST(skinit_starts_a_loader);
	TEST(without_skinit);
	TEST(real_mode_host);
	TEST(ferr_freeze);
	TEST(mcommit_intercept);
	TEST(mperf_ratio);
}

int main(void)
{
	Suite *s = suite_create("svm_modes");
	TCase *t = tcase_create("modes");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	add_tests(t);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
