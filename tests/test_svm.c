/*
 * SVM on the real processor: a host of two instructions (VMRUN, HLT) and guests of a few bytes. Every test sets up a
 * VMCB, runs, and looks at what #VMEXIT left in it. APM2 ch. 15.
 */
#include "svm_fixture.h"

/* ---- tables ---- */

START_TEST(fields_cover_the_vmcb)
{
	ck_assert_int_eq(field_gap(vmcb_fields, vmcb_fields_n, VMCB_SIZE), -1);
	for (size_t i = 1; i < vmcb_fields_n; i++)
		ck_assert_uint_eq(vmcb_fields[i].off,
				  vmcb_fields[i - 1].off + vmcb_fields[i - 1].size * vmcb_fields[i - 1].count);
	ck_assert_int_eq(field_gap(svm_fields, svm_fields_n, sizeof(struct svm_state)), -1);
	ck_assert_int_eq(vmcb_group(vmcb_fields_n - 1), VMCB_NONE);
	ck_assert_int_eq(vmcb_group((size_t)(field_find(vmcb_fields, vmcb_fields_n, "CR2") - vmcb_fields)), VMCB_CR2);
}
END_TEST

START_TEST(accessors_agree_with_the_table)
{
	for (unsigned i = 0; i < VMCB_SIZE; i++)
		v[i] = (u8)(i * 7 + (i >> 8));
#define VMCB(id, off, width, group, label, names)                                                                      \
	ck_assert_uint_eq(vmcb_##id(v), field_get(field_find(vmcb_fields, vmcb_fields_n, label), v, 0));
#define VMCB_SEG(id, off, group, label)                                                                                \
	ck_assert_uint_eq(vmcb_##id(v)->base, field_get(field_find(vmcb_fields, vmcb_fields_n, label ".base"), v, 0));
#define VMCB_BYTES(id, off, size, group, label)
#define VMCB_PAD(off, size)
#include "svm/vmcb.def"
#undef VMCB
#undef VMCB_SEG
#undef VMCB_BYTES
#undef VMCB_PAD
}
END_TEST

START_TEST(check_rows_name_fields)
{
	for (unsigned i = 0; i < SVM_CHECK_COUNT; i++) {
		const char *p = svm_checks[i].others;
		char label[32];
		int n;

		ck_assert_msg(field_find(vmcb_fields, vmcb_fields_n, svm_checks[i].label) != NULL, "%s",
			      svm_checks[i].id);
		for (; sscanf(p, "%31s%n", label, &n) == 1; p += n)
			ck_assert_msg(field_find(vmcb_fields, vmcb_fields_n, label) != NULL, "%s %s", svm_checks[i].id,
				      label);
		ck_assert_str_ne(svm_checks[i].section, "");
	}
}
END_TEST

START_TEST(exit_names)
{
	char name[32];

	svm_exit_name(0x13, name, sizeof name);
	ck_assert_str_eq(name, "CR3_WRITE");
	svm_exit_name(0x400, name, sizeof name);
	ck_assert_str_eq(name, "NPF");
	svm_exit_name(~0ull, name, sizeof name);
	ck_assert_str_eq(name, "INVALID");
	svm_exit_name(0x87, name, sizeof name);
	ck_assert_str_eq(name, "RDTSCP");
	svm_exit_name(0x500, name, sizeof name);
	ck_assert_str_eq(name, "500h");
	ck_assert(svm_exit_has_nrip(0x43) && !svm_exit_has_nrip(0x4e) && !svm_exit_has_nrip(0x400) &&
		  svm_exit_has_nrip(0x7c));
}
END_TEST

/* ---- VMRUN's exceptions ---- */

START_TEST(vmrun_svme_clear)
{
	c->efer &= ~EFER_SVME;
	expect_host_vector(VEC_UD);
}
END_TEST

START_TEST(vmrun_address)
{
	c->r[R_AX] = VMCB1 + 8;
	expect_host_vector(VEC_GP);
	host_again();
	c->r[R_AX] = BIT(model.pa_bits);
	c->rip = HOST;
	expect_host_vector(VEC_GP);
}
END_TEST

START_TEST(vmrun_cpl)
{
	c->seg[SEG_CS].sel = 0x1b;
	c->seg[SEG_CS].attr |= 0x60;
	c->cpl = 3;
	poke(TSS + 4, 8, STACK);
	x86_state_changed(c);
	expect_host_vector(VEC_GP);
}
END_TEST

/* ---- the way in and out ---- */

START_TEST(round_trip)
{
	GUEST_CODE("\x48\x05\x22\x22\x00\x00\x48\x83\xec\x10\xf9\x0f\x01\xd9"); /* add rax,2222h; sub rsp,16; stc;
										   vmmcall */
	c->r[R_BX] = 77;
	c->flags |= FLAG_DF;
	run();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x81);
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 11);
	ck_assert_uint_eq(vmcb_nrip(v), GUEST + 14);
	ck_assert_uint_eq(vmcb_rax(v), 0x3333);
	ck_assert_uint_eq(vmcb_rsp(v), GUEST_STACK - 16);
	ck_assert(vmcb_rflags(v) & FLAG_CF && !(vmcb_rflags(v) & FLAG_DF));
	ck_assert_uint_eq(c->r[R_AX], VMCB1);
	ck_assert_uint_eq(c->r[R_SP], STACK);
	ck_assert_uint_eq(c->r[R_BX], 77);
	ck_assert(c->flags & FLAG_DF && !(x86_get_flags(c) & FLAG_CF));
	ck_assert_uint_eq(vmcb_cr3(v), PML4);
	ck_assert_uint_eq(vmcb_cs(v)->attr, 0xa9b);
	ck_assert_uint_eq(c->dr[7], 0x400);
	ck_assert_uint_eq(c->cpl, 0);
}
END_TEST

/* One instruction for VMRUN, and each of the guest's: time is exact. */
START_TEST(instructions_are_counted)
{
	GUEST_CODE("\x90\x90\x90\x90\x90\x0f\x01\xd9");
	run();
	ck_assert_uint_eq(icount, 1 + 5 + 1); /* VMRUN, five NOPs, the host's HLT; VMMCALL did not complete */
}
END_TEST

START_TEST(host_state_comes_from_hsave)
{
	run();
	ck_assert_uint_eq(peek(HSAVE + 0x578, 8), HOST + 3);
	ck_assert_uint_eq(peek(HSAVE + 0x5f8, 8), VMCB1);
	ck_assert_uint_eq(peek(HSAVE + 0x550, 8), PML4);
	/* The guest overwrites the host's RSP there. */
	GUEST_CODE("\x48\xc7\x04\x25\xd8\x55\x00\x00\x00\x77\x00\x00\x0f\x01\xd9"); /* mov qword [HSAVE+5d8h],7700h;
										       vmmcall */
	vmcb_set_rip(v, GUEST);
	again();
	ck_assert_uint_eq(c->r[R_SP], 0x7700);
}
END_TEST

START_TEST(bad_host_state_shuts_down)
{
	GUEST_CODE("\x48\xc7\x04\x25\x48\x55\x00\x00\x00\x00\x00\x00\x0f\x01\xd9"); /* mov qword [HSAVE+548h],0: CR4
										       without PAE */
	ck_assert_int_eq(x86_run(c, 1000), X86_STOP_SHUTDOWN);
}
END_TEST

START_TEST(not_restored)
{
	vmcb_set_cr2(v, 0x1234567);
	vmcb_set_dr6(v, 0xffff4ff0);
	vmcb_set_dr7(v, 0x403);
	c->cr2 = 1;
	GUEST_CODE("\x0f\x20\xd3\x0f\x01\xd9"); /* mov rbx,cr2 */
	run();
	ck_assert_uint_eq(c->r[R_BX], 0x1234567);
	ck_assert_uint_eq(c->cr2, 0x1234567);
	ck_assert_uint_eq(c->dr[6], 0xffff4ff0);
	ck_assert_uint_eq(c->dr[7], 0x400);
	ck_assert_uint_eq(vmcb_dr7(v), 0x403);
}
END_TEST

START_TEST(host_trace_trap_after_vmexit)
{
	c->flags |= FLAG_TF;
	ck_assert_int_eq(x86_run(c, 1000), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, HOST_HANDLERS + 16 * VEC_DB + 1);
	ck_assert_uint_eq(vmcb_exitcode(v), 0x81);
	ck_assert_uint_eq(peek(c->r[R_SP], 8), HOST + 3);
	ck_assert(c->dr[6] & BIT(14));
}
END_TEST

START_TEST(guest_trace_trap_after_first_instruction)
{
	GUEST_CODE("\x90\x90");
	vmcb_set_rflags(v, 2 | FLAG_TF);
	expect_vector(VEC_DB);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 1);
}
END_TEST

START_TEST(vmcb_without_memory)
{
	c->r[R_AX] = 0x100000000; /* nobody there: all ones, refused */
	ck_assert_int_eq(x86_run(c, 1000), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, HOST + 4);
	ck_assert_uint_ge(svm_failed_count(c), 5);
}
END_TEST

/* ---- consistency checks: each row, alone ---- */

static void bad_svme(void) { vmcb_set_efer(v, vmcb_efer(v) & ~EFER_SVME); }
static void bad_cd_nw(void) { vmcb_set_cr0(v, vmcb_cr0(v) | CR0_NW); }
static void bad_cr0_high(void) { vmcb_set_cr0(v, vmcb_cr0(v) | BIT(40)); }
static void bad_cr3(void) { vmcb_set_cr3(v, vmcb_cr3(v) | BIT(60)); }
static void bad_cr4(void) { vmcb_set_cr4(v, vmcb_cr4(v) | BIT(15)); }
static void bad_cr4_high(void) { vmcb_set_cr4(v, vmcb_cr4(v) | BIT(63)); }
static void bad_dr6(void) { vmcb_set_dr6(v, vmcb_dr6(v) | BIT(32)); }
static void bad_dr7(void) { vmcb_set_dr7(v, vmcb_dr7(v) | BIT(50)); }
static void bad_efer(void) { vmcb_set_efer(v, vmcb_efer(v) | BIT(9)); }
static void bad_efer_high(void) { vmcb_set_efer(v, vmcb_efer(v) | BIT(40)); }
static void bad_pae(void) { vmcb_set_cr4(v, vmcb_cr4(v) & ~CR4_PAE); }
static void bad_pe(void) { vmcb_set_cr0(v, vmcb_cr0(v) & ~CR0_PE); }
static void bad_cs(void) { vmcb_at_cs(v)->attr |= ATTR_DB; }
static void bad_pdpe(void)
{
	vmcb_set_efer(v, EFER_SVME);
	vmcb_at_cs(v)->attr = 0xc9b;
	vmcb_set_cr3(v, OTHER);
	poke(OTHER + 16, 8, PD | 3); /* bit 1 is reserved */
}
static void bad_vmrun(void) { vmcb_set_intercept4(v, 2); }
static void bad_iopm(void) { vmcb_set_iopm_pa(v, BIT(model.pa_bits) - 0x2000); }
static void bad_msrpm(void) { vmcb_set_msrpm_pa(v, BIT(model.pa_bits) - 0x1000); }
static void bad_asid0(void) { vmcb_set_asid(v, 0); }
static void bad_asid(void) { vmcb_set_asid(v, SVM_ASIDS); }
static void bad_type1(void) { vmcb_set_eventinj(v, EVENT_V | 1 << 8); }
static void bad_type7(void) { vmcb_set_eventinj(v, EVENT_V | 7 << 8); }
static void bad_vector2(void) { vmcb_set_eventinj(v, EVENT_V | 3 << 8 | 2); }
static void bad_vector32(void) { vmcb_set_eventinj(v, EVENT_V | 3 << 8 | 32); }
static void bad_vector15(void) { vmcb_set_eventinj(v, EVENT_V | 3 << 8 | 15); }
static void bad_br(void) { vmcb_set_eventinj(v, EVENT_V | 3 << 8 | VEC_BR); }
static void bad_ncr3(void)
{
	nested();
	vmcb_set_ncr3(v, NPML4 | BIT(52));
}
static void bad_pat(void)
{
	nested();
	vmcb_set_g_pat(v, 0x0007040600070402);
}
static void bad_pat_bits(void)
{
	nested();
	vmcb_set_g_pat(v, 0x8007040600070406);
}
static void bad_vnmi(void) { vmcb_set_int_ctl(v, V_NMI_ENABLE); }

static const struct {
	enum svm_check_id row;
	void (*spoil)(void);
	const char *says;
} spoilt[] = {
	{SVM_CHECK_EFER_SVME, bad_svme, "12 (SVME) is 0"},
	{SVM_CHECK_CR0_CD_NW, bad_cd_nw, "29 (NW) is 1"},
	{SVM_CHECK_CR0_HIGH, bad_cr0_high, "bit 40 is 1"},
	{SVM_CHECK_CR3_MBZ, bad_cr3, "bit 60 is 1"},
	{SVM_CHECK_CR4_MBZ, bad_cr4, "bit 15 is 1"},
	{SVM_CHECK_CR4_MBZ, bad_cr4_high, "bit 63 is 1"},
	{SVM_CHECK_DR6_HIGH, bad_dr6, "bit 32 is 1"},
	{SVM_CHECK_DR7_HIGH, bad_dr7, "bit 50 is 1"},
	{SVM_CHECK_EFER_MBZ, bad_efer, "bit 9 is 1"},
	{SVM_CHECK_EFER_MBZ, bad_efer_high, "bit 40 is 1"},
	{SVM_CHECK_LME_PG_PAE, bad_pae, "5 (PAE) is 0"},
	{SVM_CHECK_LME_PG_PE, bad_pe, "0 (PE) is 0"},
	{SVM_CHECK_CS_L_D, bad_cs, "bit 9 (L) is 1, bit 10 (DB) is 1"},
	{SVM_CHECK_PDPE, bad_pdpe, "CR3="},
	{SVM_CHECK_VMRUN_INTERCEPT, bad_vmrun, "0 (VMRUN) is 0"},
	{SVM_CHECK_IOPM, bad_iopm, "APM2 15.5.1, 15.10.1"},
	{SVM_CHECK_MSRPM, bad_msrpm, "APM2 15.5.1, 15.11"},
	{SVM_CHECK_ASID_ZERO, bad_asid0, "bits 31:0 are 0"},
	{SVM_CHECK_ASID_RANGE, bad_asid, "bit 15 is 1"},
	{SVM_CHECK_EVENTINJ_TYPE, bad_type1, "APM2 15.20"},
	{SVM_CHECK_EVENTINJ_TYPE, bad_type7, "APM2 15.20"},
	{SVM_CHECK_EVENTINJ_VECTOR, bad_vector2, "APM2 15.20"},
	{SVM_CHECK_EVENTINJ_VECTOR, bad_vector32, "APM2 15.20"},
	{SVM_CHECK_EVENTINJ_VECTOR, bad_vector15, "APM2 15.20"},
	{SVM_CHECK_EVENTINJ_MODE, bad_br, "APM2 15.20"},
	{SVM_CHECK_NCR3_MBZ, bad_ncr3, "bit 52 is 1"},
	{SVM_CHECK_G_PAT, bad_pat, "1 is 1"},
	{SVM_CHECK_G_PAT, bad_pat_bits, "63 is 1"},
	{SVM_CHECK_VNMI, bad_vnmi, "1 (NMI) is 0"},
};

START_TEST(each_check)
{
	char buf[2048];
	struct text t;

	spoilt[_i].spoil();
	expect("INVALID");
	ck_assert_uint_eq(vmcb_exitcode(v), ~0ull);
	ck_assert_uint_eq(svm_failed_count(c), 1);
	ck_assert_uint_eq(svm_priv(&c->svm)->failed, BIT(spoilt[_i].row));
	text_init_buffer(&t, buf, sizeof buf);
	svm_failed_checks(c, &t);
	ck_assert_msg(strstr(buf, spoilt[_i].says) != NULL, "%s", buf);
	ck_assert_msg(strstr(buf, svm_checks[spoilt[_i].row].sentence) != NULL, "%s", buf);
	ck_assert_uint_eq(vmcb_eventinj(v), 0);
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
}
END_TEST

/* Rows that need another host or another model. */
START_TEST(check_np_needs_host_paging)
{
	c->cr0 &= ~CR0_PG;
	c->efer &= ~(u64)(EFER_LME | EFER_LMA);
	c->seg[SEG_CS].attr = 0xc9b;
	x86_state_changed(c);
	nested();
	expect("INVALID");
	ck_assert_uint_eq(svm_priv(&c->svm)->failed, BIT(SVM_CHECK_NP_HOST_PAGING));
}
END_TEST

START_TEST(every_row_has_a_test)
{
	u64 seen = BIT(SVM_CHECK_NP_HOST_PAGING) | BIT(SVM_CHECK_EFER_NO_LM);

	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++)
		seen |= BIT(spoilt[i].row);
	ck_assert_uint_eq(seen, BIT(SVM_CHECK_COUNT) - 1);
}
END_TEST

START_TEST(all_failures_are_told)
{
	bad_svme();
	bad_asid0();
	bad_dr7();
	expect("INVALID");
	ck_assert_uint_eq(svm_failed_count(c), 3);
}
END_TEST

START_TEST(low_map_bits_are_ignored)
{
	vmcb_set_iopm_pa(v, IOPM | 0xfff);
	vmcb_set_msrpm_pa(v, BIT(model.pa_bits) - 0x2000 + 0xfff);
	expect("VMMCALL");
}
END_TEST

START_TEST(check_long_mode_missing)
{
	teardown();
	setup_model("max,-lm");
	c->cr0 = CR0_PE | CR0_ET | CR0_NE;
	c->cr4 = 0;
	c->efer = EFER_SVME;
	c->seg[SEG_CS].attr = 0xc9b;
	x86_state_changed(c);
	expect("INVALID");
	ck_assert(svm_priv(&c->svm)->failed & BIT(SVM_CHECK_EFER_NO_LM));
}
END_TEST

/* ---- instruction intercepts ---- */

static const struct {
	unsigned icpt;
	const char *name, *bytes;
	unsigned len; /* of the instruction */
	u64 info1;
} insns[] = {
	{ICPT_CR_READ + 0, "CR0_READ", "\x0f\x20\xc3", 3, BIT(63) | 3},
	{ICPT_CR_READ + 2, "CR2_READ", "\x41\x0f\x20\xd2", 4, BIT(63) | 10},
	{ICPT_CR_READ + 3, "CR3_READ", "\x0f\x20\xd8", 3, BIT(63)},
	{ICPT_CR_READ + 4, "CR4_READ", "\x0f\x20\xe1", 3, BIT(63) | 1},
	{ICPT_CR_READ + 8, "CR8_READ", "\x44\x0f\x20\xc7", 4, BIT(63) | 7},
	{ICPT_CR_READ + 0, "CR0_READ", "\x0f\x01\xe0", 3, 0}, /* SMSW */
	{ICPT_CR_WRITE + 2, "CR2_WRITE", "\x0f\x22\xd1", 3, BIT(63) | 1},
	{ICPT_CR_WRITE + 8, "CR8_WRITE", "\x44\x0f\x22\xc2", 4, BIT(63) | 2},
	{ICPT_CR_WRITE + 0, "CR0_WRITE", "\x0f\x06", 2, 0},     /* CLTS */
	{ICPT_CR_WRITE + 0, "CR0_WRITE", "\x0f\x01\xf0", 3, 0}, /* LMSW */
	{ICPT_CR0_SEL, "CR0_SEL_WRITE", "\x0f\x01\xf0", 3, 0},  /* LMSW, whatever it writes */
	{ICPT_DR_READ + 0, "DR0_READ", "\x0f\x21\xc1", 3, 1},
	{ICPT_DR_READ + 6, "DR6_READ", "\x0f\x21\xf7", 3, 7},
	{ICPT_DR_WRITE + 3, "DR3_WRITE", "\x0f\x23\xdb", 3, 3},
	{ICPT_DR_WRITE + 7, "DR7_WRITE", "\x0f\x23\xf8", 3, 0},
	{ICPT_IDTR_READ, "IDTR_READ", "\x0f\x01\x0c\x25\x00\x00\x15\x00", 8, 0},
	{ICPT_GDTR_READ, "GDTR_READ", "\x0f\x01\x04\x25\x00\x00\x15\x00", 8, 0},
	{ICPT_LDTR_READ, "LDTR_READ", "\x0f\x00\xc0", 3, 0},
	{ICPT_TR_READ, "TR_READ", "\x0f\x00\xc8", 3, 0},
	{ICPT_IDTR_WRITE, "IDTR_WRITE", "\x0f\x01\x1c\x25\x00\x00\x15\x00", 8, 0},
	{ICPT_GDTR_WRITE, "GDTR_WRITE", "\x0f\x01\x14\x25\x00\x00\x15\x00", 8, 0},
	{ICPT_LDTR_WRITE, "LDTR_WRITE", "\x0f\x00\xd0", 3, 0},
	{ICPT_TR_WRITE, "TR_WRITE", "\x0f\x00\xd8", 3, 0},
	{ICPT_RDTSC, "RDTSC", "\x0f\x31", 2, 0},
	{ICPT_RDPMC, "RDPMC", "\x0f\x33", 2, 0},
	{ICPT_PUSHF, "PUSHF", "\x9c", 1, 0},
	{ICPT_POPF, "POPF", "\x9d", 1, 0},
	{ICPT_CPUID, "CPUID", "\x0f\xa2", 2, 0},
	{ICPT_RSM, "RSM", "\x0f\xaa", 2, 0},
	{ICPT_IRET, "IRET", "\x48\xcf", 2, 0},
	{ICPT_INTN, "SWINT", "\xcd\x51", 2, 0x51},
	{ICPT_INVD, "INVD", "\x0f\x08", 2, 0},
	{ICPT_PAUSE, "PAUSE", "\xf3\x90", 2, 0},
	{ICPT_HLT, "HLT", "\xf4", 1, 0},
	{ICPT_INVLPG, "INVLPG", "\x0f\x01\x3c\x25\x00\x00\x15\x00", 8, 0x150000},
	{ICPT_INVLPGA, "INVLPGA", "\x0f\x01\xdf", 3, 0},
	{ICPT_VMRUN, "VMRUN", "\x0f\x01\xd8", 3, 0},
	{ICPT_VMMCALL, "VMMCALL", "\x0f\x01\xd9", 3, 0},
	{ICPT_VMLOAD, "VMLOAD", "\x0f\x01\xda", 3, 0},
	{ICPT_VMSAVE, "VMSAVE", "\x0f\x01\xdb", 3, 0},
	{ICPT_STGI, "STGI", "\x0f\x01\xdc", 3, 0},
	{ICPT_CLGI, "CLGI", "\x0f\x01\xdd", 3, 0},
	{ICPT_SKINIT, "SKINIT", "\x0f\x01\xde", 3, 0},
	{ICPT_RDTSCP, "RDTSCP", "\x0f\x01\xf9", 3, 0},
	{ICPT_ICEBP, "ICEBP", "\xf1", 1, 0},
	{ICPT_WBINVD, "WBINVD", "\x0f\x09", 2, 0},
	{ICPT_WBINVD, "WBINVD", "\xf3\x0f\x09", 3, 0},
	{ICPT_MONITOR, "MONITOR", "\x0f\x01\xc8", 3, 0},
	{ICPT_MWAIT, "MWAIT", "\x0f\x01\xc9", 3, 0},
	{ICPT_XSETBV, "XSETBV", "\x0f\x01\xd1", 3, 0},
	{ICPT_RDPRU, "RDPRU", "\x0f\x01\xfd", 3, 0},
	{ICPT_EXC + VEC_BP, "EXCP3 (#BP)", "\xcc", 1, 0},
};

START_TEST(each_instruction)
{
	put(GUEST, insns[_i].bytes, insns[_i].len);
	intercept(insns[_i].icpt);
	vmcb_set_rax(v, VMCB2);
	vmcb_set_cr4(v, vmcb_cr4(v) | CR4_OSXSAVE);
	c->r[R_CX] = c->r[R_DX] = 0;
	expect(insns[_i].name);
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
	ck_assert_uint_eq(vmcb_nrip(v), GUEST + insns[_i].len);
	ck_assert_uint_eq(vmcb_exitinfo1(v), insns[_i].info1);
	ck_assert_uint_eq(vmcb_fetched(v), 0);
	ck_assert_uint_eq(vmcb_exitintinfo(v), 0);
}
END_TEST

/* The intercept words by their names in the VMCB. APM2 app. B */
START_TEST(intercept_words)
{
	static const char *const insn[] = {"\x0f\x20\xd8", "\x0f\x22\xd0", "\x0f\x21\xf0", "\x0f\x23\xc8", "\x0f\x0b",
					  "\x0f\xa2", "\x66\x0f\x38\x82\x00"};
	static const u64 exits[] = {0x03, 0x12, 0x26, 0x31, 0x46, 0x72, 0xa2};

	vmcb_set_cr_read(v, BIT(3));
	vmcb_set_cr_write(v, BIT(2));
	vmcb_set_dr_read(v, BIT(6));
	vmcb_set_dr_write(v, BIT(1));
	vmcb_set_exceptions(v, BIT(VEC_UD));
	vmcb_set_intercept3(v, BIT(18));
	vmcb_set_intercept5(v, BIT(2));
	for (unsigned i = 0; i < ARRAY_SIZE(exits); i++) {
		put(GUEST, insn[i], strlen(insn[i]) + (i == 6));
		again();
		ck_assert_uint_eq(vmcb_exitcode(v), exits[i]);
	}
}
END_TEST

START_TEST(cr0_selective)
{
	intercept(ICPT_CR0_SEL);
	GUEST_CODE(
		"\x0f\x20\xc0\x48\x83\xf0\x0a\x0f\x22\xc0\x0f\x06\x48\x35\x00\x00\x04\x00\x0f\x22\xc0"); /* flip TS, MP;
													    clts; flip
													    AM */
	expect("CR0_SEL_WRITE");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 18);
	ck_assert_uint_eq(vmcb_exitinfo1(v), BIT(63));
}
END_TEST

START_TEST(plain_cr0_write_goes_first)
{
	intercept(ICPT_CR0_SEL);
	intercept(ICPT_CR_WRITE);
	GUEST_CODE("\x0f\x01\xf0");
	expect("CR0_WRITE");
}
END_TEST

START_TEST(cr4_illegal_raises_gp_first)
{
	intercept(ICPT_CR_WRITE + 4);
	GUEST_CODE("\x48\x31\xc0\x0f\x22\xe0"); /* CR4 = 0 in long mode */
	expect_vector(VEC_GP);
}
END_TEST

START_TEST(mwait_conditional)
{
	intercept(ICPT_MWAIT_ARMED);
	intercept(ICPT_MWAIT);
	GUEST_CODE("\x31\xc9\x31\xd2\xb8\x00\x00\x15\x00\x0f\x01\xc8\x31\xc0\x0f\x01\xc9"); /* monitor; mwait */
	expect("MWAIT_CONDITIONAL");
}
END_TEST

START_TEST(cpl3_does_not_reach_the_intercept)
{
	intercept(ICPT_HLT);
	GUEST_CODE("\xf4");
	vmcb_at_cs(v)->attr |= 0x60;
	vmcb_at_ss(v)->attr |= 0x60;
	vmcb_set_cpl(v, 3);
	vmcb_at_cs(v)->sel |= 3;
	intercept(ICPT_EXC + VEC_GP);
	expect("EXCP13 (#GP)");
	ck_assert_uint_eq(vmcb_cpl(v), 3);
	ck_assert_uint_eq(vmcb_nrip(v), 0);
}
END_TEST

START_TEST(write_traps)
{
	intercept(ICPT_CR_WRITE_TRAP + 4);
	GUEST_CODE("\x0f\x20\xe0\x48\x83\xc8\x04\x0f\x22\xe0\x90"); /* set CR4.TSD */
	expect("CR4_WRITE_TRAP");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 10);
	ck_assert(vmcb_cr4(v) & CR4_TSD);
	ck_assert_uint_eq(vmcb_exitinfo1(v), vmcb_cr4(v));
}
END_TEST

START_TEST(no_nrip_without_the_feature)
{
	teardown();
	setup_model("max,-nrips,-decodeassists");
	vmcb_set_nrip(v, 0x5555);
	intercept(ICPT_CR_READ);
	GUEST_CODE("\x0f\x20\xc3");
	expect("CR0_READ");
	ck_assert_uint_eq(vmcb_nrip(v), 0x5555);
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0);
}
END_TEST

/* ---- IOIO ---- */

static const struct {
	const char *bytes;
	unsigned len, port, ports; /* ports that the map marks */
	u64 info1;
} ios[] = {
	{"\xe6\x60", 2, 0x60, 1, 0x00600000 | 0x200 | 0x10},                /* out 60h,al: A64 SZ8 */
	{"\xe4\x61", 2, 0x61, 1, 0x00610000 | 0x200 | 0x10 | 1},            /* in al,61h */
	{"\xed", 1, 0x3fb, 1, 0x03f80000 | 0x200 | 0x40 | 1},               /* in eax,dx: the last byte's bit */
	{"\x66\xed", 2, 0x3f9, 1, 0x03f80000 | 0x200 | 0x20 | 1},           /* in ax,dx */
	{"\x6e", 1, 0x3f8, 1, 0x03f80000 | 0x200 | 0x10 | 4 | 3 << 10},     /* outsb: DS */
	{"\x65\x6e", 2, 0x3f8, 1, 0x03f80000 | 0x200 | 0x10 | 4 | 5 << 10}, /* gs outsb */
	{"\xf3\x6d", 2, 0x3f8, 1, 0x03f80000 | 0x200 | 0x40 | 4 | 8 | 1},   /* rep insd */
	{"\x67\x6c", 2, 0x3f8, 1, 0x03f80000 | 0x100 | 0x10 | 4 | 1},       /* insb, 32-bit address */
};

START_TEST(each_io)
{
	intercept(ICPT_IOIO);
	mark_ports(ios[_i].port, ios[_i].ports);
	put(GUEST, ios[_i].bytes, ios[_i].len);
	c->r[R_DX] = 0x3f8;
	c->r[R_CX] = 2;
	c->r[R_SI] = c->r[R_DI] = DATA;
	expect("IOIO");
	ck_assert_uint_eq(vmcb_exitinfo1(v), ios[_i].info1);
	ck_assert_uint_eq(vmcb_exitinfo2(v), GUEST + ios[_i].len);
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
}
END_TEST

START_TEST(io_unmarked)
{
	intercept(ICPT_IOIO);
	mark_ports(0x5f, 1);
	mark_ports(0x61, 1);
	GUEST_CODE("\xe6\x60\x0f\x01\xd9");
	expect("VMMCALL");
}
END_TEST

/* Port FFFFh and size 4: bits 64K..64K+2 of the third page. */
START_TEST(io_third_page)
{
	intercept(ICPT_IOIO);
	poke(IOPM + 0x2000, 1, 2);
	GUEST_CODE("\xed");
	c->r[R_DX] = 0xffff;
	expect("IOIO");
	ck_assert_uint_eq(vmcb_exitinfo1(v) >> 16, 0xffff);
}
END_TEST

/* ---- MSR ---- */

static const struct {
	u32 msr;
	unsigned byte, bit;
	bool write;
} msrs[] = {
	{0x10, 0x4, 0, false},         {0x10, 0x4, 1, true},         {0x1fff, 0x7ff, 6, false},
	{0xc0000080, 0x820, 0, false}, {0xc0000080, 0x820, 1, true}, {0xc0010114, 0x1045, 0, false},
	{0xc0011fff, 0x17ff, 7, true},
};

START_TEST(each_msr)
{
	intercept(ICPT_MSR);
	poke(MSRPM + msrs[_i].byte, 1, 1u << msrs[_i].bit);
	put(GUEST, msrs[_i].write ? "\x0f\x30" : "\x0f\x32", 2);
	c->r[R_CX] = msrs[_i].msr;
	expect("MSR");
	ck_assert_uint_eq(vmcb_exitinfo1(v), msrs[_i].write);
	ck_assert_uint_eq(vmcb_nrip(v), GUEST + 2);
}
END_TEST

START_TEST(msr_outside_the_map)
{
	intercept(ICPT_MSR);
	GUEST_CODE("\x0f\x32");
	c->r[R_CX] = 0x40000000;
	expect("MSR");
}
END_TEST

START_TEST(msr_unmarked)
{
	intercept(ICPT_MSR);
	poke(MSRPM + 4, 1, 2); /* writes only */
	GUEST_CODE("\x0f\x32\x0f\x01\xd9");
	c->r[R_CX] = 0x10;
	expect("VMMCALL");
}
END_TEST

/* ---- exceptions and NPF ---- */

START_TEST(page_fault_intercept)
{
	intercept(ICPT_EXC + VEC_PF);
	poke(PT + 8 * (DATA >> 12), 8, 0);
	GUEST_CODE("\x48\x89\x04\x25\x00\x00\x15\x00\x0f\x01\xd9\x90\x90\x90\x90\x90"); /* mov [DATA],rax */
	vmcb_set_cr2(v, 5);
	expect("EXCP14 (#PF)");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 2);
	ck_assert_uint_eq(vmcb_exitinfo2(v), DATA);
	ck_assert_uint_eq(vmcb_cr2(v), 5);
	ck_assert_uint_eq(vmcb_fetched(v), 15);
	ck_assert_mem_eq(vmcb_insn_bytes(v), "\x48\x89\x04\x25\x00\x00\x15\x00\x0f\x01\xd9\x90\x90\x90\x90", 15);
	ck_assert_uint_eq(vmcb_nrip(v), 0);
}
END_TEST

START_TEST(fetch_fault_has_no_bytes)
{
	intercept(ICPT_EXC + VEC_PF);
	vmcb_set_rip(v, DATA);
	poke(PT + 8 * (DATA >> 12), 8, 0);
	expect("EXCP14 (#PF)");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0x10);
	ck_assert_uint_eq(vmcb_fetched(v), 0);
}
END_TEST

START_TEST(bytes_stop_at_a_missing_page)
{
	intercept(ICPT_EXC + VEC_PF);
	put(DATA - 8, "\x48\x89\x04\x25\x00\x00\x17\x00", 8);
	poke(PT + 8 * (DATA >> 12), 8, 0);
	poke(PT + 8 * 0x170, 8, 0);
	vmcb_set_rip(v, DATA - 8);
	expect("EXCP14 (#PF)");
	ck_assert_uint_eq(vmcb_fetched(v), 8);
}
END_TEST

START_TEST(error_codes)
{
	intercept(ICPT_EXC + VEC_GP);
	GUEST_CODE("\xb8\x50\x01\x00\x00\x8e\xd8"); /* mov ds,150h: beyond the GDT */
	expect("EXCP13 (#GP)");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0x150);
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 5);
}
END_TEST

START_TEST(ud_without_error_code)
{
	intercept(ICPT_EXC + VEC_UD);
	GUEST_CODE("\x0f\x0b");
	expect("EXCP6 (#UD)");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 0);
}
END_TEST

START_TEST(npf_final)
{
	nested();
	poke(NPT + 8 * (DATA >> 12), 8, 0);
	GUEST_CODE("\x48\x89\x04\x25\x08\x00\x15\x00");
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo1(v), BIT(32) | 6);
	ck_assert_uint_eq(vmcb_exitinfo2(v), DATA + 8);
	ck_assert_uint_eq(vmcb_fetched(v), 15);
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
}
END_TEST

START_TEST(npf_read_only)
{
	nested();
	poke(NPT + 8 * (DATA >> 12), 8, DATA | 0x65);
	GUEST_CODE("\x48\x8b\x04\x25\x00\x00\x15\x00\x48\x89\x04\x25\x00\x00\x15\x00");
	expect("NPF");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 8);
	ck_assert_uint_eq(vmcb_exitinfo1(v), BIT(32) | 7);
}
END_TEST

START_TEST(npf_table)
{
	nested();
	poke(NPT + 8 * (PT >> 12), 8, PT | 0x65); /* the guest's page table is read-only */
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo1(v), BIT(33) | 7);
	ck_assert_uint_eq(vmcb_exitinfo2(v), PT + 8 * (GUEST >> 12));
	ck_assert_uint_eq(vmcb_fetched(v), 0);
}
END_TEST

START_TEST(npf_fetch)
{
	nested();
	poke(NPT + 8 * (GUEST >> 12), 8, GUEST | PAGE | BIT(63));
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo1(v), BIT(32) | 0x15);
	ck_assert_uint_eq(vmcb_fetched(v), 0);
}
END_TEST

START_TEST(npf_in_delivery)
{
	nested();
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, 0);
	GUEST_CODE("\x0f\x0b");
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 3 << 8 | VEC_UD);
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
}
END_TEST

START_TEST(second_exception_is_checked_first)
{
	/* #UD delivery meets a #GP (gate beyond the limit): intercepted #GP exits with EXITINTINFO = #UD. APM2 15.12 */
	intercept(ICPT_EXC + VEC_GP);
	vmcb_at_idtr(v)->limit = 16 * VEC_UD;
	GUEST_CODE("\x0f\x0b");
	expect("EXCP13 (#GP)");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 3 << 8 | VEC_UD);
}
END_TEST

START_TEST(shutdown_intercept)
{
	vmcb_at_idtr(v)->limit = 0;
	GUEST_CODE("\x0f\x0b");
	expect("SHUTDOWN");
}
END_TEST

START_TEST(host_faults_start_afresh)
{
	/* The chain of faults that ended in the exit does not count for the host. */
	vmcb_at_idtr(v)->limit = 0;
	GUEST_CODE("\x0f\x0b");
	put(HOST + 3, "\x0f\x0b", 2);
	ck_assert_int_eq(x86_run(c, 1000), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, HOST_HANDLERS + 16 * VEC_UD + 1);
}
END_TEST

/* ---- event injection ---- */

static void inject(unsigned type, unsigned vector, u64 more)
{
	vmcb_set_eventinj(v, EVENT_V | type << 8 | vector | more);
}

START_TEST(inject_interrupt)
{
	inject(EVENT_INTR, 0x55, 0); /* whatever IF says */
	expect_vector(0x55);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST);
	ck_assert_uint_eq(vmcb_eventinj(v), 0);
	ck_assert_uint_eq(vmcb_exitintinfo(v), 0);
}
END_TEST

START_TEST(inject_nmi)
{
	inject(EVENT_NMI, 0x77, 0);
	expect_vector(2);
	ck_assert(!c->nmi_masked);
}
END_TEST

START_TEST(inject_exception_with_error)
{
	inject(EVENT_EXCEPTION, VEC_GP, EVENT_EV | 0xabcdull << 32);
	expect_vector(VEC_GP);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), 0xabcd);
	ck_assert_uint_eq(peek(vmcb_rsp(v) + 8, 8), GUEST);
}
END_TEST

START_TEST(inject_exception_without_error)
{
	inject(EVENT_EXCEPTION, VEC_GP, 0);
	expect_vector(VEC_GP);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST);
}
END_TEST

START_TEST(inject_page_fault_keeps_cr2)
{
	vmcb_set_cr2(v, 0x987654);
	inject(EVENT_EXCEPTION, VEC_PF, EVENT_EV | 2ull << 32);
	expect_vector(VEC_PF);
	ck_assert_uint_eq(vmcb_cr2(v), 0x987654);
}
END_TEST

START_TEST(inject_is_not_intercepted)
{
	intercept(ICPT_EXC + VEC_GP);
	intercept(ICPT_INTN);
	inject(EVENT_EXCEPTION, VEC_GP, EVENT_EV);
	expect_vector(VEC_GP);
}
END_TEST

START_TEST(inject_software_interrupt)
{
	GUEST_CODE("\xcd\x60");
	vmcb_set_nrip(v, GUEST + 2);
	inject(EVENT_SOFT, 0x60, 0);
	expect_vector(0x60);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 2);
}
END_TEST

START_TEST(inject_int3_checks_dpl)
{
	vmcb_set_nrip(v, GUEST + 1);
	vmcb_at_cs(v)->attr |= 0x60;
	vmcb_at_cs(v)->sel |= 3;
	vmcb_set_cpl(v, 3);
	poke(TSS + 4, 8, STACK);
	c->seg[SEG_TR].base = TSS;
	inject(EVENT_EXCEPTION, VEC_BP, 0);
	expect_vector(VEC_GP); /* the gate's DPL is 0 */
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), VEC_BP * 8 + 2);
	ck_assert_uint_eq(peek(vmcb_rsp(v) + 8, 8), GUEST); /* not nRIP */
}
END_TEST

START_TEST(fault_during_injection)
{
	nested();
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, 0);
	inject(EVENT_EXCEPTION, VEC_GP, EVENT_EV | 0x18ull << 32);
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | EVENT_EV | 3 << 8 | VEC_GP | 0x18ull << 32);
	ck_assert_uint_eq(vmcb_eventinj(v), 0);
}
END_TEST

START_TEST(fault_during_soft_injection_restores_rip)
{
	intercept(ICPT_EXC + VEC_PF);
	poke(PT + 8 * ((GUEST_STACK - 8) >> 12), 8, 0);
	vmcb_set_nrip(v, GUEST + 2);
	inject(EVENT_SOFT, 0x60, 0);
	expect("EXCP14 (#PF)");
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 4 << 8 | 0x60);
}
END_TEST

START_TEST(inject_page_fault_twice_makes_double_fault)
{
	poke(PT + 8 * ((GUEST_STACK - 8) >> 12), 8, 0);
	intercept(ICPT_EXC + VEC_DF);
	inject(EVENT_EXCEPTION, VEC_PF, EVENT_EV);
	expect("EXCP8 (#DF)");
	ck_assert_uint_eq(vmcb_exitintinfo(v) & 0xffffffff, EVENT_V | EVENT_EV | 3 << 8 | VEC_PF);
}
END_TEST

/* ---- virtual interrupts ---- */

static void virq(unsigned prio, unsigned v_tpr, u64 more)
{
	vmcb_set_int_ctl(v, V_IRQ | v_tpr | (u64)prio << 16 | 0x61ull << 32 | more);
}

START_TEST(virq_taken)
{
	virq(5, 4, 0);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	expect_vector(0x61);
	ck_assert(!(vmcb_int_ctl(v) & V_IRQ));
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST);
}
END_TEST

START_TEST(virq_masked_by_tpr)
{
	virq(5, 5, 0);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	expect("VMMCALL");
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
	ck_assert(vmcb_int_ctl(v) & V_IRQ);
}
END_TEST

START_TEST(virq_ignores_tpr)
{
	virq(0, 15, V_IGN_TPR);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	expect_vector(0x61);
}
END_TEST

START_TEST(virq_waits_for_if)
{
	virq(5, 0, 0);
	GUEST_CODE("\x90\xfb\x90\x90"); /* nop; sti; nop: taken after the shadow */
	expect_vector(0x61);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 3);
}
END_TEST

START_TEST(virq_waits_one_instruction_in_a_shadow)
{
	virq(5, 0, 0);
	vmcb_set_int_state(v, 1);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	GUEST_CODE("\x90\x90\x90");
	expect_vector(0x61);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 1);
}
END_TEST

START_TEST(shadow_is_saved)
{
	vmcb_set_int_state(v, 1);
	expect("VMMCALL");
	ck_assert_uint_eq(vmcb_int_state(v), 1);
	GUEST_CODE("\x90\x0f\x01\xd9");
	again();
	ck_assert_uint_eq(vmcb_int_state(v), 0);
}
END_TEST

START_TEST(vintr_intercept)
{
	virq(5, 0, 0);
	intercept(ICPT_VINTR);
	GUEST_CODE("\xfb\x90\x90");
	expect("VINTR");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 2);
	ck_assert(vmcb_int_ctl(v) & V_IRQ);
}
END_TEST

START_TEST(virq_after_cr8)
{
	virq(5, 9, V_INTR_MASKING);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	GUEST_CODE("\x31\xc0\x90\x44\x0f\x22\xc0\x90\x90"); /* mov cr8,0 */
	expect_vector(0x61);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 7);
	ck_assert_uint_eq(vmcb_int_ctl(v) & 0xff, 0);
	ck_assert_uint_eq(tpr, 0);
}
END_TEST

START_TEST(cr8_without_masking_writes_both)
{
	GUEST_CODE("\xb8\x07\x00\x00\x00\x44\x0f\x22\xc0\x44\x0f\x20\xc3\x0f\x01\xd9"); /* mov cr8,7; mov rbx,cr8 */
	expect("VMMCALL");
	ck_assert_uint_eq(tpr, 7);
	ck_assert_uint_eq(vmcb_int_ctl(v) & 0xff, 7);
	ck_assert_uint_eq(c->r[R_BX], 7);
}
END_TEST

START_TEST(virq_wakes_hlt)
{
	virq(5, 0, 0);
	GUEST_CODE("\xfb\xf4");
	expect_vector(0x61);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 2);
}
END_TEST

START_TEST(vgif)
{
	virq(5, 0, V_GIF_ENABLE);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	GUEST_CODE("\x90\x90\x0f\x01\xdc\x90"); /* nop; nop; stgi */
	expect_vector(0x61);
	ck_assert_uint_eq(peek(vmcb_rsp(v), 8), GUEST + 5);
	ck_assert(vmcb_int_ctl(v) & V_GIF);
	vmcb_set_rip(v, GUEST);
	GUEST_CODE("\x0f\x01\xdd\x0f\x01\xd9"); /* clgi */
	again();
	ck_assert(!(vmcb_int_ctl(v) & V_GIF));
}
END_TEST

START_TEST(vnmi)
{
	intercept(ICPT_NMI);
	vmcb_set_int_ctl(v, V_NMI_ENABLE | V_NMI);
	expect_vector(2);
	ck_assert_uint_eq(vmcb_int_ctl(v) & (V_NMI | V_NMI_MASK), V_NMI_MASK);
	/* Masked until IRET. */
	vmcb_set_int_ctl(v, vmcb_int_ctl(v) | V_NMI);
	put(HANDLERS + 32, "\x90\x48\xcf", 3);
	put(GUEST, "\x0f\x01\xd9", 3);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x81);
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
	ck_assert_uint_eq(vmcb_int_ctl(v) & (V_NMI | V_NMI_MASK), 0);
}
END_TEST

START_TEST(vnmi_exit_in_delivery)
{
	nested();
	intercept(ICPT_NMI);
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, 0);
	vmcb_set_int_ctl(v, V_NMI_ENABLE | V_NMI);
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 2 << 8 | 2);
	ck_assert_uint_eq(vmcb_int_ctl(v) & (V_NMI | V_NMI_MASK), 0);
}
END_TEST

/* ---- physical events ---- */

START_TEST(intr_intercept)
{
	intercept(ICPT_INTR);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	intr = true;
	x86_pend(c, PEND_INTR);
	expect("INTR");
	ck_assert_uint_eq(vmcb_rip(v), GUEST);
	ck_assert(intr);
	ck_assert_uint_eq(vmcb_nrip(v), 0);
}
END_TEST

START_TEST(intr_masked_by_guest_if)
{
	intercept(ICPT_INTR);
	intr = true;
	x86_pend(c, PEND_INTR);
	expect("VMMCALL");
}
END_TEST

START_TEST(intr_masking_looks_at_host_if)
{
	intercept(ICPT_INTR);
	vmcb_set_int_ctl(v, V_INTR_MASKING);
	c->flags |= FLAG_IF;
	c->svm.gif = 0; /* as after CLGI: VMRUN sets it */
	intr = true;
	x86_pend(c, PEND_INTR);
	expect("INTR");
	c->flags &= ~(u32)FLAG_IF;
	vmcb_set_rflags(v, 2 | FLAG_IF);
	again();
	ck_assert_uint_eq(vmcb_exitcode(v), 0x81);
}
END_TEST

START_TEST(intr_not_intercepted_goes_to_the_guest)
{
	vmcb_set_rflags(v, 2 | FLAG_IF);
	intr = true;
	x86_pend(c, PEND_INTR);
	c->svm.gif = 0;
	expect_vector(0x40);
}
END_TEST

START_TEST(nmi_intercept)
{
	intercept(ICPT_NMI);
	c->svm.gif = 0;
	x86_pend(c, PEND_NMI);
	expect("NMI");
	ck_assert(c->pending & PEND_NMI);
}
END_TEST

START_TEST(init_intercept)
{
	intercept(ICPT_INIT);
	c->svm.gif = 0;
	x86_pend(c, PEND_INIT);
	expect("INIT");
	ck_assert(c->pending & PEND_INIT);
}
END_TEST

START_TEST(smi_intercept)
{
	intercept(ICPT_SMI);
	c->svm.gif = 0;
	x86_pend(c, PEND_SMI);
	expect("SMI");
	ck_assert_uint_eq(vmcb_exitinfo1(v), 1);
	ck_assert(c->pending & PEND_SMI);
}
END_TEST

START_TEST(injection_before_interrupts)
{
	intercept(ICPT_INTR);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	c->svm.gif = 0;
	intr = true;
	x86_pend(c, PEND_INTR);
	inject(EVENT_EXCEPTION, VEC_UD, 0);
	put(HANDLERS + 16 * VEC_UD, "\xfb\x90\x90", 3);
	expect("INTR");
	ck_assert_uint_eq(vmcb_rip(v), HANDLERS + 16 * VEC_UD + 2);
}
END_TEST

START_TEST(virq_exit_in_delivery)
{
	nested();
	poke(NPT + 8 * (GUEST_IDT >> 12), 8, 0);
	virq(5, 0, 0);
	vmcb_set_rflags(v, 2 | FLAG_IF);
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitintinfo(v), EVENT_V | 0x61);
	ck_assert(!(vmcb_int_ctl(v) & V_IRQ));
}
END_TEST

START_TEST(gif_holds_nmi)
{
	c->svm.gif = 0;
	x86_pend(c, PEND_NMI);
	put(HOST + 0x40, "\x90\x90\x0f\x01\xdc\x90\xf4", 7);
	c->rip = HOST + 0x40;
	expect_host_vector(2);
	ck_assert_uint_eq(peek(c->r[R_SP], 8), HOST + 0x45);
}
END_TEST

START_TEST(clgi_in_a_guest_is_the_real_one)
{
	intercept(ICPT_NMI);
	GUEST_CODE("\x0f\x01\xdd\x90\x0f\x01\xdc\x90"); /* clgi; nop; stgi */
	x86_run(c, 3);
	x86_pend(c, PEND_NMI);
	expect("NMI");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 7);
}
END_TEST

START_TEST(stgi_intercept_beats_vgif)
{
	vmcb_set_int_ctl(v, V_GIF_ENABLE);
	intercept(ICPT_STGI);
	GUEST_CODE("\x0f\x01\xdc");
	expect("STGI");
	ck_assert(!(vmcb_int_ctl(v) & V_GIF));
}
END_TEST

START_TEST(features_off_are_ignored)
{
	teardown();
	setup_model("max,-vgif,-vnmi,-npt,-lbrv,-v-vmsave-vmload");
	nested();
	vmcb_set_virt_ext(v, LBR_ENABLE | VMLOAD_ENABLE);
	vmcb_set_int_ctl(v, V_GIF_ENABLE | V_NMI_ENABLE | V_NMI); /* no NMI intercept either */
	poke(NPT + 8 * (GUEST >> 12), 8, 0);
	GUEST_CODE("\x90\x0f\x01\xd9");
	expect("VMMCALL");
	ck_assert_uint_eq(vmcb_int_ctl(v), V_GIF_ENABLE | V_NMI_ENABLE | V_NMI);
}
END_TEST

START_TEST(init_keeps_the_msrs)
{
	c->svm.vm_cr = VM_CR_SVMDIS | VM_CR_R_INIT;
	c->svm.tsc_ratio = 5;
	svm_init(&c->svm);
	ck_assert_uint_eq(c->svm.vm_cr, VM_CR_R_INIT);
	ck_assert_uint_eq(c->svm.hsave_pa, HSAVE);
	ck_assert_uint_eq(c->svm.tsc_ratio, 5);
	c->svm.vm_cr = VM_CR_SVMDIS | VM_CR_LOCK;
	svm_init(&c->svm);
	ck_assert_uint_eq(c->svm.vm_cr, VM_CR_SVMDIS | VM_CR_LOCK);
}
END_TEST

/* ---- clean bits: with the bit, the value of the last run is used; without it, that in memory ---- */

static void new_intercept(void) { intercept(ICPT_CPUID); }
static bool saw_intercept(void) { return vmcb_exitcode(v) == 0x72; }
static void new_iopm(void) { vmcb_set_iopm_pa(v, OTHER); }
static bool saw_iopm(void) { return vmcb_exitcode(v) == 0x7b; }
static void new_asid(void) { vmcb_set_asid(v, 7); }
static bool saw_asid(void) { return c->svm.asid == 7; }
static void new_tpr(void) { vmcb_set_int_ctl(v, 9 | V_INTR_MASKING); }
static bool saw_tpr(void) { return c->r[R_DI] == 9; }
static void new_np(void) { vmcb_set_g_pat(v, 0); }
static bool saw_np(void) { return (u32)c->r[R_SI] == 0; }
static void new_crx(void) { vmcb_set_cr4(v, vmcb_cr4(v) | CR4_TSD); }
static bool saw_crx(void) { return c->r[R_BP] & CR4_TSD; }
static void new_drx(void) { vmcb_set_dr7(v, 0x402); }
static bool saw_drx(void) { return c->r[11] & 2; }
static void new_dt(void) { vmcb_at_gdtr(v)->limit = 0x77; }
static bool saw_dt(void) { return peek(DATA, 2) == 0x77; }
static void new_seg(void) { vmcb_at_ds(v)->sel = 0x33; }
static bool saw_seg(void) { return (u16)c->r[8] == 0x33; }
static void new_cr2(void) { vmcb_set_cr2(v, 0x5555); }
static bool saw_cr2(void) { return c->r[9] == 0x5555; }
static void new_lbr(void) { vmcb_set_br_from(v, 0x1234); }
static bool saw_lbr(void) { return (u32)c->r[10] == 0x1234; }

static const struct {
	unsigned bit;
	void (*change)(void);
	bool (*seen)(void);
} groups[] = {
	{VMCB_I, new_intercept, saw_intercept}, {VMCB_IOPM, new_iopm, saw_iopm}, {VMCB_ASID, new_asid, saw_asid},
	{VMCB_TPR, new_tpr, saw_tpr},           {VMCB_NP, new_np, saw_np},       {VMCB_CRX, new_crx, saw_crx},
	{VMCB_DRX, new_drx, saw_drx},           {VMCB_DT, new_dt, saw_dt},       {VMCB_SEG, new_seg, saw_seg},
	{VMCB_CR2, new_cr2, saw_cr2},           {VMCB_LBR, new_lbr, saw_lbr},
};

/* Reads what the groups hold into registers the VMCB does not: CR8 rdi, PAT rsi, CR4 rbp, DR7 r11, SGDT, DS r8, CR2 r9,
 * BR_FROM r10; then CPUID, OUT, VMMCALL. */
static void clean_guest(void)
{
	nested();
	vmcb_set_virt_ext(v, LBR_ENABLE);
	vmcb_set_int_ctl(v, V_INTR_MASKING);
	intercept(ICPT_IOIO);
	poke(OTHER + 0x80 / 8, 1, 1);
	GUEST_CODE("\x44\x0f\x20\xc7"                         /* mov rdi,cr8 */
		   "\xb9\x77\x02\x00\x00\x0f\x32\x89\xc6"     /* PAT */
		   "\x0f\x20\xe5"                             /* mov rbp,cr4 */
		   "\x41\x0f\x21\xfb"                         /* mov r11,dr7 */
		   "\x0f\x01\x04\x25\x00\x00\x15\x00"         /* sgdt [DATA] */
		   "\x41\x8c\xd8"                             /* mov r8d,ds */
		   "\x41\x0f\x20\xd1"                         /* mov r9,cr2 */
		   "\xb9\xdb\x01\x00\x00\x0f\x32\x41\x89\xc2" /* BR_FROM */
		   "\x0f\xa2\xe6\x80\x0f\x01\xd9");
}

START_TEST(clean_bit_set)
{
	clean_guest();
	expect("VMMCALL");
	groups[_i].change();
	vmcb_set_rip(v, GUEST);
	vmcb_set_clean(v, 0xffffffff);
	again();
	ck_assert(!groups[_i].seen());
}
END_TEST

START_TEST(clean_bit_clear)
{
	clean_guest();
	expect("VMMCALL");
	groups[_i].change();
	vmcb_set_rip(v, GUEST);
	vmcb_set_clean(v, ~(1u << groups[_i].bit));
	again();
	ck_assert(groups[_i].seen());
}
END_TEST

START_TEST(clean_bits_of_another_vmcb)
{
	clean_guest();
	expect("VMMCALL");
	vmcb_set_rip(v, GUEST);
	memcpy(space_host(&mem, VMCB2, true), v, VMCB_SIZE);
	v = space_host(&mem, VMCB2, true);
	new_cr2();
	vmcb_set_clean(v, 0xffffffff);
	host_again();
	c->r[R_AX] = VMCB2;
	run();
	ck_assert(saw_cr2());
}
END_TEST

START_TEST(clean_bits_need_the_feature)
{
	teardown();
	setup_model("max,-vmcb-clean");
	clean_guest();
	expect("VMMCALL");
	new_cr2();
	vmcb_set_rip(v, GUEST);
	vmcb_set_clean(v, 0xffffffff);
	again();
	ck_assert(saw_cr2());
}
END_TEST

START_TEST(never_clean)
{
	expect("VMMCALL");
	vmcb_set_clean(v, 0xffffffff);
	vmcb_set_rip(v, GUEST + 0x100);
	vmcb_set_rax(v, 0x9999);
	vmcb_set_rsp(v, 0x29000);
	vmcb_set_rflags(v, 2 | FLAG_CF);
	put(GUEST + 0x100, "\x0f\x01\xd9", 3);
	again();
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 0x100);
	ck_assert_uint_eq(vmcb_rax(v), 0x9999);
	ck_assert_uint_eq(vmcb_rsp(v), 0x29000);
	ck_assert(vmcb_rflags(v) & FLAG_CF);
}
END_TEST

/* ---- ASID and TLB ---- */

/* Reads [DATA] into rbx; returns it. The page is mapped elsewhere between the runs. */
static u64 read_after_remap(void)
{
	nested();
	poke(DATA, 8, 111);
	poke(OTHER, 8, 222);
	GUEST_CODE("\x48\x8b\x1c\x25\x00\x00\x15\x00\x0f\x01\xd9");
	run();
	ck_assert_uint_eq(c->r[R_BX], 111);
	poke(NPT + 8 * (DATA >> 12), 8, OTHER | PAGE);
	vmcb_set_rip(v, GUEST);
	host_again();
	return 0;
}

START_TEST(stale_without_flush)
{
	read_after_remap();
	vmcb_set_tlb_control(v, 0);
	run();
	ck_assert_uint_eq(c->r[R_BX], 111);
}
END_TEST

START_TEST(fresh_with_tlb_control)
{
	static const u8 control[] = {1, 3, 7};

	read_after_remap();
	vmcb_set_tlb_control(v, control[_i]);
	run();
	/* 7 drops linear translations, the nested ones stay. */
	ck_assert_uint_eq(c->r[R_BX], control[_i] == 7 ? 111 : 222);
}
END_TEST

START_TEST(flush_by_asid_is_a_feature)
{
	teardown();
	setup_model("max,-flushbyasid");
	read_after_remap();
	vmcb_set_tlb_control(v, 3); /* reserved then: everything goes */
	run();
	ck_assert_uint_eq(c->r[R_BX], 222);
}
END_TEST

START_TEST(fresh_with_a_new_asid)
{
	read_after_remap();
	vmcb_set_tlb_control(v, 0);
	vmcb_set_asid(v, 2);
	run();
	ck_assert_uint_eq(c->r[R_BX], 222);
}
END_TEST

START_TEST(invlpga_needs_the_asid)
{
	poke(DATA, 8, 111);
	poke(OTHER, 8, 222);
	GUEST_CODE("\x48\x8b\x1c\x25\x00\x00\x15\x00\x0f\x01\xd9");
	run();
	poke(PT + 8 * (DATA >> 12), 8, OTHER | PAGE); /* shadow paging: the tables are the host's */
	put(HOST + 0x40, "\x0f\x01\xdf\xf4", 4);
	host_again();
	c->rip = HOST + 0x40;
	c->r[R_AX] = DATA;
	c->r[R_CX] = 2;
	x86_run(c, 100);
	vmcb_set_rip(v, GUEST);
	again();
	ck_assert_uint_eq(c->r[R_BX], 111);
	host_again();
	c->rip = HOST + 0x40;
	c->r[R_AX] = DATA;
	c->r[R_CX] = 1;
	x86_run(c, 100);
	vmcb_set_rip(v, GUEST);
	again();
	ck_assert_uint_eq(c->r[R_BX], 222);
}
END_TEST

START_TEST(host_translations_survive)
{
	/* A world switch does not flush: the host's stale page stays what it was. */
	put(HOST + 0x40, "\x48\x8b\x1c\x25\x00\x00\x15\x00\x0f\x01\xd8\x48\x8b\x0c\x25\x00\x00\x15\x00\xf4", 20);
	poke(DATA, 8, 111);
	poke(OTHER, 8, 222);
	c->rip = HOST + 0x40;
	GUEST_CODE("\x48\xc7\x04\x25\x80\x3a\x10\x00\x67\x10\x15\x00\x0f\x01\xd9"); /* mov qword [PT + 8 * 150h], OTHER
										       | PAGE */
	vmcb_set_tlb_control(v, 0);
	ck_assert_int_eq(x86_run(c, 1000), X86_STOP_IDLE);
	ck_assert_uint_eq(peek(PT + 8 * (DATA >> 12), 8), OTHER | PAGE);
	ck_assert_uint_eq(c->r[R_BX], 111);
	ck_assert_uint_eq(c->r[R_CX], 111);
}
END_TEST

/* ---- other instructions ---- */

START_TEST(vmload_vmsave)
{
	*vmcb_at_fs(v) = (struct vmcb_seg){0x10, 0xc93, 0xffffffff, 0x123456};
	*vmcb_at_gs(v) = (struct vmcb_seg){0x10, 0xc93, 0xffffffff, 0x00f0123456789abc}; /* not canonical */
	*vmcb_at_tr(v) = (struct vmcb_seg){0x20, 0x8b, 0x67, TSS};
	*vmcb_at_ldtr(v) = (struct vmcb_seg){0, 0, 0, 0};
	vmcb_set_star(v, 1);
	vmcb_set_lstar(v, 2);
	vmcb_set_cstar(v, 3);
	vmcb_set_sfmask(v, 4);
	vmcb_set_kernel_gs_base(v, 5);
	vmcb_set_sysenter_cs(v, 6);
	vmcb_set_sysenter_esp(v, 7);
	vmcb_set_sysenter_eip(v, 8);
	host_code("\x0f\x01\xda\xb8\x00\x70\x00\x00\x0f\x01\xdb", 11); /* vmload; mov eax,VMCB2; vmsave */
	ck_assert_int_eq(x86_run(c, 100), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, HOST + 0x40 + 12);
	ck_assert_uint_eq(c->seg[SEG_FS].base, 0x123456);
	ck_assert_uint_eq(c->msr.lstar, 2);
	ck_assert_mem_eq(space_host(&mem, VMCB2 + 0x440, false), v + 0x440, 0x10);
	ck_assert_uint_eq(peek(VMCB2 + 0x458, 8),
			  (u64)sign_extend(0x00f0123456789abc, 57) == 0x00f0123456789abc && c->cr4 & CR4_LA57
				  ? 0x00f0123456789abc
				  : (u64)sign_extend(0x00f0123456789abc, 48));
	ck_assert_mem_eq(space_host(&mem, VMCB2 + 0x600, false), v + 0x600, 0x40);
}
END_TEST

START_TEST(vmload_in_a_guest_is_physical)
{
	nested();
	poke(NPT + 8 * (VMCB2 >> 12), 8, OTHER | PAGE);
	poke(VMCB2 + 0x600, 8, 0xaaaa);
	poke(OTHER + 0x600, 8, 0xbbbb);
	GUEST_CODE("\x0f\x01\xda\x0f\x01\xd9");
	vmcb_set_rax(v, VMCB2);
	expect("VMMCALL");
	ck_assert_uint_eq(c->msr.star, 0xaaaa); /* system-physical */
	vmcb_set_virt_ext(v, VMLOAD_ENABLE);
	vmcb_set_rip(v, GUEST);
	again();
	ck_assert_uint_eq(c->msr.star, 0xbbbb); /* guest-physical */
	poke(NPT + 8 * (VMCB2 >> 12), 8, 0);
	vmcb_set_rip(v, GUEST);
	vmcb_set_tlb_control(v, 1);
	host_again();
	expect("NPF");
	ck_assert_uint_eq(vmcb_exitinfo2(v), VMCB2);
}
END_TEST

START_TEST(virtual_vmload_needs_nested_paging)
{
	vmcb_set_virt_ext(v, VMLOAD_ENABLE);
	GUEST_CODE("\x0f\x01\xda");
	vmcb_set_rax(v, VMCB2);
	expect("VMLOAD");
}
END_TEST

START_TEST(stgi_clgi)
{
	host_code("\x0f\x01\xdd\x0f\x01\xdc\x0f\x01\xdd", 9);
	x86_run(c, 1);
	ck_assert_uint_eq(c->svm.gif, 0);
	x86_run(c, 1);
	ck_assert_uint_eq(c->svm.gif, 1);
	x86_run(c, 1);
	ck_assert_uint_eq(c->svm.gif, 0);
}
END_TEST

START_TEST(stgi_lets_the_interrupt_in)
{
	c->flags |= FLAG_IF;
	c->svm.gif = 0;
	intr = true;
	x86_pend(c, PEND_INTR);
	host_code("\x90\x0f\x01\xdc\x90", 5);
	ck_assert_int_eq(x86_run(c, 100), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, HOST_HANDLERS + 16 * 0x40 + 1);
	ck_assert_uint_eq(peek(c->r[R_SP], 8), HOST + 0x44);
}
END_TEST

START_TEST(vmmcall_undefined)
{
	host_code("\x0f\x01\xd9", 3);
	expect_host_vector(VEC_UD);
	host_again();
	vmcb_set_intercept4(v, 1);
	intercept(ICPT_EXC + VEC_UD);
	expect("EXCP6 (#UD)");
}
END_TEST

START_TEST(stgi_without_svme)
{
	c->efer &= ~EFER_SVME;
	c->svm.gif = 0;
	host_code("\x0f\x01\xdc", 3);
	x86_run(c, 1);
	ck_assert_uint_eq(c->svm.gif, 1); /* SVM-Lock. APM2 15.31 */
	host_code("\x0f\x01\xdd", 3);
	expect_host_vector(VEC_UD);
}
END_TEST

START_TEST(skinit)
{
	poke(0x200000, 2, 0x40);
	poke(0x200002, 2, 0x100);
	put(0x200040, "\xf4", 1);
	host_code("\x0f\x01\xde", 3);
	c->r[R_AX] = 0x20abcd;
	ck_assert_int_eq(x86_run(c, 100), X86_STOP_IDLE);
	ck_assert_uint_eq(c->rip, 0x200041);
	ck_assert_uint_eq(c->r[R_AX], 0x200000);
	ck_assert_uint_eq(c->r[R_SP], 0x210000);
	ck_assert_uint_eq(c->cr0, CR0_PE | CR0_ET);
	ck_assert_uint_eq(c->efer, 0);
	ck_assert_uint_eq(c->svm.gif, 0);
	ck_assert_uint_eq(c->svm.vm_cr & 7, 7);
	ck_assert_uint_eq(c->svm.hsave_pa, HSAVE);
}
END_TEST

/* ---- MSRs ---- */

START_TEST(vm_cr_lock_and_key)
{
	u64 x;

	ck_assert(!svm_msr_write(c, 0xc0010114, VM_CR_SVMDIS)); /* SVME is set */
	ck_assert(!svm_msr_write(c, 0xc0010114, BIT(5)));
	c->efer &= ~EFER_SVME;
	ck_assert(svm_msr_write(c, 0xc0010118, 0x1234567890));
	ck_assert(svm_msr_write(c, 0xc0010114, VM_CR_SVMDIS | VM_CR_LOCK));
	ck_assert(svm_msr_write(c, 0xc0010114, VM_CR_R_INIT)); /* LOCK and SVMDIS stay */
	ck_assert(svm_msr_read(c, 0xc0010114, &x));
	ck_assert_uint_eq(x, VM_CR_SVMDIS | VM_CR_LOCK | VM_CR_R_INIT);
	ck_assert(svm_msr_write(c, 0xc0010118, 0x1111));
	ck_assert(c->svm.vm_cr & VM_CR_LOCK);
	ck_assert(svm_msr_write(c, 0xc0010118, 0x1234567890));
	ck_assert(!(c->svm.vm_cr & VM_CR_LOCK));
	ck_assert(svm_msr_read(c, 0xc0010118, &x) && x == 0);
}
END_TEST

START_TEST(hsave_and_ratio)
{
	u64 x;

	ck_assert(!svm_msr_write(c, 0xc0010117, 0x1001));
	ck_assert(!svm_msr_write(c, 0xc0010117, BIT(model.pa_bits)));
	ck_assert(svm_msr_write(c, 0xc0010117, 0x9000));
	ck_assert(svm_msr_read(c, 0xc0010117, &x) && x == 0x9000);
	ck_assert(!svm_msr_write(c, 0xc0000104, BIT(40)));
	ck_assert(svm_msr_read(c, 0xc0000104, &x) && x == BIT(32));
	ck_assert(!svm_msr_read(c, 0xc0010116, &x));
}
END_TEST

START_TEST(tsc_offset_and_ratio)
{
	GUEST_CODE("\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\x48\x89\xc3\x0f\x01\xd9"); /* rdtsc; rbx = edx:eax */
	vmcb_set_tsc_offset(v, 1000000);
	c->msr.tsc_adjust = 5000;
	run();
	ck_assert_uint_ge(c->r[R_BX], 1005000);
	ck_assert_uint_le(c->r[R_BX], 1005010);
	c->svm.tsc_ratio = 2 * BIT(32);
	vmcb_set_rip(v, GUEST);
	again();
	ck_assert_uint_ge(c->r[R_BX], 1010000);
	ck_assert_uint_le(c->r[R_BX], 1010100);
}
END_TEST

START_TEST(lbr_virtualization)
{
	vmcb_set_virt_ext(v, LBR_ENABLE);
	vmcb_set_dbgctl(v, 2);
	vmcb_set_br_from(v, 0x1111);
	vmcb_set_br_to(v, 0x2222);
	vmcb_set_exc_from(v, 0x3333);
	vmcb_set_exc_to(v, 0x4444);
	c->msr.br_from = 0x77;
	GUEST_CODE("\xb9\xdb\x01\x00\x00\x0f\x32\x89\xc3"                               /* BR_FROM */
		   "\xb9\xd9\x01\x00\x00\x0f\x32\x89\xc6\x31\xc0\x0f\x30\x0f\x01\xd9"); /* DBGCTL; cleared */
	expect("VMMCALL");
	ck_assert_uint_eq((u32)c->r[R_BX], 0x1111);
	ck_assert_uint_eq((u32)c->r[R_SI], 2);
	ck_assert_uint_eq(vmcb_dbgctl(v), 0);
	ck_assert_uint_eq(vmcb_exc_to(v), 0x4444);
	ck_assert_uint_eq(c->msr.br_from, 0x77);
	ck_assert_uint_eq(c->msr.debugctl, 0);
}
END_TEST

START_TEST(lbr_without_virtualization)
{
	vmcb_set_br_from(v, 0x1111);
	c->msr.br_from = 0x77;
	GUEST_CODE("\xb9\xdb\x01\x00\x00\x0f\x32\x89\xc3\x0f\x01\xd9");
	expect("VMMCALL");
	ck_assert_uint_eq((u32)c->r[R_BX], 0x77);
	ck_assert_uint_eq(vmcb_br_from(v), 0x1111);
}
END_TEST

START_TEST(guest_pat)
{
	nested();
	vmcb_set_g_pat(v, 0x0606060606060606);
	c->msr.pat = 0x0007040600070406;
	GUEST_CODE("\xb9\x77\x02\x00\x00\x0f\x32\x89\xc3\x31\xc0\x31\xd2\x0f\x30\x0f\x01\xd9"); /* rdmsr PAT; wrmsr
												   PAT,0 */
	expect("VMMCALL");
	ck_assert_uint_eq((u32)c->r[R_BX], 0x06060606);
	ck_assert_uint_eq(vmcb_g_pat(v), 0);
	ck_assert_uint_eq(c->msr.pat, 0x0007040600070406);
}
END_TEST

START_TEST(pause_filter)
{
	intercept(ICPT_PAUSE);
	vmcb_set_pause_count(v, 3);
	GUEST_CODE("\xf3\x90\xf3\x90\xf3\x90\xf3\x90\xf3\x90");
	expect("PAUSE");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 6);
	ck_assert_uint_eq(vmcb_pause_count(v), 3);
}
END_TEST

START_TEST(pause_threshold)
{
	char nops[64];

	intercept(ICPT_PAUSE);
	vmcb_set_pause_count(v, 1);
	vmcb_set_pause_threshold(v, 10);
	memset(nops, 0x90, sizeof nops);
	/* Far apart: never; then three close together. */
	put(GUEST, "\xf3\x90", 2);
	put(GUEST + 2, nops, 20);
	put(GUEST + 22, "\xf3\x90", 2);
	put(GUEST + 24, nops, 20);
	put(GUEST + 44, "\xf3\x90\xf3\x90\xf3\x90", 6);
	expect("PAUSE");
	ck_assert_uint_eq(vmcb_rip(v), GUEST + 48); /* the late one counts anew, the next is the one that is free */
}
END_TEST

/* ---- explanation ---- */

static struct svm_snapshot before;
static char told[65536];

static void hear(void *arg, const struct event *e)
{
	struct text t;

	(void)arg;
	if (e->kind == EV_VMRUN)
		svm_snapshot(c, &before);
	if (e->kind != EV_VMEXIT)
		return;
	text_init_buffer(&t, told, sizeof told);
	svm_print_exit(&t, c, &before);
}

static void explain(void)
{
	events.mask = BIT(EV_VMRUN) | BIT(EV_VMEXIT);
	events.sink = hear;
	before.valid = false;
	run();
}
static void tells(const char *what) { ck_assert_msg(strstr(told, what) != NULL, "no \"%s\" in:\n%s", what, told); }

START_TEST(explains_npf)
{
	nested();
	poke(NPT + 8 * (DATA >> 12), 8, 0);
	GUEST_CODE("\x48\x89\x04\x25\x08\x00\x15\x00");
	explain();
	tells("#VMEXIT NPF");
	tells("host-level page fault");
	tells("guest-physical 150008");
	tells("EXITCODE 0000000000000000 -> 0000000000000400 NPF");
	tells("the walk that failed");
}
END_TEST

START_TEST(explains_invalid)
{
	bad_asid0();
	bad_cr4();
	explain();
	tells("#VMEXIT INVALID");
	tells("refused by 2 consistency check(s)");
	tells("ASID is zero");
	tells("CR4=000000000000802");
	tells("APM2 15.5.1");
}
END_TEST

START_TEST(explains_io)
{
	intercept(ICPT_IOIO);
	mark_ports(0x60, 1);
	GUEST_CODE("\xe6\x60");
	explain();
	tells("OUT port 0060 size 1");
}
END_TEST

START_TEST(prints_a_vmcb)
{
	struct text t;

	text_init_buffer(&t, told, sizeof told);
	svm_print_vmcb(&t, c, VMCB1, false);
	tells("INTERCEPT_4=00000003 VMRUN VMMCALL");
	tells("CR0=0000000080010031 PE ET NE WP PG");
	tells("ASID=00000001");
}
END_TEST

/* ---- the same again ---- */

START_TEST(two_runs_are_equal)
{
	u64 first, second;

	GUEST_CODE("\x0f\xa2\x0f\x31\x0f\x01\xd9");
	run();
	first = field_hash(svm_fields, svm_fields_n, &c->svm, icount);
	teardown();
	setup();
	GUEST_CODE("\x0f\xa2\x0f\x31\x0f\x01\xd9");
	run();
	second = field_hash(svm_fields, svm_fields_n, &c->svm, icount);
	ck_assert_uint_eq(first, second);
}
END_TEST

#define TEST(name)        tcase_add_test(t, name)
#define LOOP(name, array) tcase_add_loop_test(t, name, 0, ARRAY_SIZE(array))

static void add_tables(TCase *t)
{
	TEST(fields_cover_the_vmcb);
	TEST(accessors_agree_with_the_table);
	TEST(check_rows_name_fields);
	TEST(exit_names);
	TEST(explains_npf);
	TEST(explains_invalid);
	TEST(explains_io);
	TEST(prints_a_vmcb);
	TEST(two_runs_are_equal);
}

static void add_switch(TCase *t)
{
	TEST(vmrun_svme_clear);
	TEST(vmrun_address);
	TEST(vmrun_cpl);
	TEST(round_trip);
	TEST(instructions_are_counted);
	TEST(host_state_comes_from_hsave);
	TEST(bad_host_state_shuts_down);
	TEST(not_restored);
	TEST(host_trace_trap_after_vmexit);
	TEST(guest_trace_trap_after_first_instruction);
	TEST(vmcb_without_memory);
}

static void add_checks(TCase *t)
{
	LOOP(each_check, spoilt);
	TEST(check_np_needs_host_paging);
	TEST(check_long_mode_missing);
	TEST(every_row_has_a_test);
	TEST(all_failures_are_told);
	TEST(low_map_bits_are_ignored);
}

static void add_intercepts(TCase *t)
{
	LOOP(each_instruction, insns);
	TEST(intercept_words);
	TEST(cr0_selective);
	TEST(plain_cr0_write_goes_first);
	TEST(cr4_illegal_raises_gp_first);
	TEST(mwait_conditional);
	TEST(cpl3_does_not_reach_the_intercept);
	TEST(write_traps);
	TEST(no_nrip_without_the_feature);
	LOOP(each_io, ios);
	TEST(io_unmarked);
	TEST(io_third_page);
	LOOP(each_msr, msrs);
	TEST(msr_outside_the_map);
	TEST(msr_unmarked);
	TEST(pause_filter);
	TEST(pause_threshold);
}

static void add_faults(TCase *t)
{
	TEST(page_fault_intercept);
	TEST(fetch_fault_has_no_bytes);
	TEST(bytes_stop_at_a_missing_page);
	TEST(error_codes);
	TEST(ud_without_error_code);
	TEST(npf_final);
	TEST(npf_read_only);
	TEST(npf_table);
	TEST(npf_fetch);
	TEST(npf_in_delivery);
	TEST(second_exception_is_checked_first);
	TEST(shutdown_intercept);
	TEST(host_faults_start_afresh);
}

static void add_events(TCase *t)
{
	TEST(inject_interrupt);
	TEST(inject_nmi);
	TEST(inject_exception_with_error);
	TEST(inject_exception_without_error);
	TEST(inject_page_fault_keeps_cr2);
	TEST(inject_is_not_intercepted);
	TEST(inject_software_interrupt);
	TEST(inject_int3_checks_dpl);
	TEST(fault_during_injection);
	TEST(fault_during_soft_injection_restores_rip);
	TEST(inject_page_fault_twice_makes_double_fault);
	TEST(virq_taken);
	TEST(virq_masked_by_tpr);
	TEST(virq_ignores_tpr);
	TEST(virq_waits_for_if);
	TEST(virq_waits_one_instruction_in_a_shadow);
	TEST(shadow_is_saved);
	TEST(vintr_intercept);
	TEST(virq_after_cr8);
	TEST(cr8_without_masking_writes_both);
	TEST(virq_wakes_hlt);
	TEST(vgif);
	TEST(vnmi);
	TEST(vnmi_exit_in_delivery);
	TEST(intr_intercept);
	TEST(intr_masked_by_guest_if);
	TEST(intr_masking_looks_at_host_if);
	TEST(intr_not_intercepted_goes_to_the_guest);
	TEST(nmi_intercept);
	TEST(init_intercept);
	TEST(smi_intercept);
	TEST(injection_before_interrupts);
	TEST(virq_exit_in_delivery);
	TEST(gif_holds_nmi);
	TEST(clgi_in_a_guest_is_the_real_one);
	TEST(stgi_intercept_beats_vgif);
	TEST(features_off_are_ignored);
	TEST(init_keeps_the_msrs);
}

static void add_caching(TCase *t)
{
	LOOP(clean_bit_set, groups);
	LOOP(clean_bit_clear, groups);
	TEST(clean_bits_of_another_vmcb);
	TEST(clean_bits_need_the_feature);
	TEST(never_clean);
	TEST(stale_without_flush);
	tcase_add_loop_test(t, fresh_with_tlb_control, 0, 3);
	TEST(fresh_with_a_new_asid);
	TEST(flush_by_asid_is_a_feature);
	TEST(invlpga_needs_the_asid);
	TEST(host_translations_survive);
}

static void add_rest(TCase *t)
{
	TEST(vmload_vmsave);
	TEST(vmload_in_a_guest_is_physical);
	TEST(virtual_vmload_needs_nested_paging);
	TEST(stgi_clgi);
	TEST(stgi_lets_the_interrupt_in);
	TEST(vmmcall_undefined);
	TEST(stgi_without_svme);
	TEST(skinit);
	TEST(vm_cr_lock_and_key);
	TEST(hsave_and_ratio);
	TEST(tsc_offset_and_ratio);
	TEST(lbr_virtualization);
	TEST(lbr_without_virtualization);
	TEST(guest_pat);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*add)(TCase *t);
	} cases[] = {{"tables", add_tables},         {"switch", add_switch}, {"checks", add_checks},
		     {"intercepts", add_intercepts}, {"faults", add_faults}, {"events", add_events},
		     {"caching", add_caching},       {"rest", add_rest}};
	Suite *s = suite_create("svm");
	SRunner *r;
	int failed;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		TCase *t = tcase_create(cases[i].name);

		tcase_add_checked_fixture(t, setup, teardown);
		cases[i].add(t);
		suite_add_tcase(s, t);
	}
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
