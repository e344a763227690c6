/* Unit tests of cpu_x86/msr.c and of the rules of control registers: values kept, values refused and why, TLB
 * consequences. */
#include "base/cover.h"
#include "cpu_x86/system.h"

#include <check.h>
#include <stdlib.h>

static struct x86_model model;
static struct error err;
static struct x86_cpu *cpu;
static struct space mem;
static struct sched sched;
static u64 apic_msr[256], deadline;

static bool apic_read(void *arg, unsigned n, u32 msr, u64 *val)
{
	(void)arg, (void)n;
	*val = msr == 0x6e0 ? deadline : apic_msr[msr & 0xff];
	return msr != 0x8ff;
}
static bool apic_write(void *arg, unsigned n, u32 msr, u64 val)
{
	(void)arg, (void)n;
	if (msr == 0x6e0)
		deadline = val;
	else
		apic_msr[msr & 0xff] = val;
	return msr != 0x8ff;
}
static bool apic_base(void *arg, unsigned n, u64 val)
{
	(void)arg, (void)n;
	return !(val & 0xff);
}

static void with_model(const char *spec) { ck_assert_msg(x86_model_parse(&model, spec, &err), "%s", err.msg); }

static void setup(void)
{
	ck_assert(cover_from_environment(&err));
	cpu = calloc(1, sizeof *cpu);
	ck_assert_ptr_nonnull(cpu);
	with_model("zen");
	ck_assert(space_init(&mem, "memory", 48, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "RAM", 0, 1 << 20, false, &err));
	sched_init(&sched);
	cpu->model = &model;
	cpu->mem = &mem;
	cpu->sched = &sched;
	cpu->board.x2apic_read = apic_read;
	cpu->board.x2apic_write = apic_write;
	cpu->board.apic_base_write = apic_base;
	cpu->cr0 = CR0_ET | CR0_CD | CR0_NW;
	tlb_init(&cpu->tlb, &mem);
	x86_msr_reset(cpu, false);
	x86_paging_changed(cpu);
}
static void teardown(void)
{
	tlb_free(&cpu->tlb);
	space_free(&mem);
	free(cpu);
}

static u64 rd(u32 msr)
{
	u64 v = 0;
	enum x86_rule why = x86_msr_read(cpu, msr, &v);

	ck_assert_msg(why == RULE_NONE, "read of %#x refused", msr);
	return v;
}
static void wr(u32 msr, u64 v) { ck_assert_msg(x86_msr_write(cpu, msr, v) == RULE_NONE, "write of %#x refused", msr); }
static void kept(u32 msr, u64 v)
{
	wr(msr, v);
	ck_assert_uint_eq(rd(msr), v);
}
#define is_rule(got, rule)                                                                                             \
	do {                                                                                                           \
		ck_assert_uint_eq(got, rule);                                                                          \
		if ((rule) != RULE_NONE)                                                                                 \
			cover(COVER_RULE, rule);                                                                       \
	} while (0)
#define refused(msr, v, rule) is_rule(x86_msr_write(cpu, msr, v), rule)

START_TEST(unknown)
{
	u64 v;

	is_rule(x86_msr_read(cpu, 0x12345, &v), RULE_GP_MSR_UNKNOWN);
	refused(0xc0020000, 0, RULE_GP_MSR_UNKNOWN);
	refused(0x3b, 0, RULE_GP_MSR_UNKNOWN); /* TSC_ADJUST: not in zen */
	ck_assert_str_eq(x86_msr_name(0xc0000082), "LSTAR");
	ck_assert_ptr_null(x86_msr_name(0x12345));
	with_model("zen,-svm");
	refused(0xc0010114, 0, RULE_GP_MSR_UNKNOWN);
}
END_TEST

START_TEST(system_linkage)
{
	kept(0xc0000081, 0x0023001000000000);
	kept(0xc0000082, 0xffffffff81000000);
	refused(0xc0000082, 0x0000900000000000, RULE_GP_MSR_CANON);
	kept(0xc0000083, 0x1234);
	wr(0xc0000084, 0xffffffff00047700);
	ck_assert_uint_eq(rd(0xc0000084), 0x47700);
	kept(0xc0000102, 0xffff888000000000);
	refused(0xc0000100, BIT(60), RULE_GP_MSR_CANON);
	kept(0x174, 0x10);
	wr(0xc0000103, 0x500000007);
	ck_assert_uint_eq(rd(0xc0000103), 7);
}
END_TEST

START_TEST(read_only)
{
	ck_assert_uint_eq(rd(0xfe), 0x508);
	refused(0xfe, 0x508, RULE_GP_MSR_READ_ONLY);
	refused(0x1db, 0, RULE_GP_MSR_READ_ONLY);
	ck_assert_uint_eq(rd(0x179), 0x108);
	wr(0x8b, 5); /* ignored */
	ck_assert_uint_eq(rd(0x8b), 0x0a0011d1);
}
END_TEST

START_TEST(memory_types)
{
	ck_assert_uint_eq(rd(0x277), 0x0007040600070406);
	kept(0x277, 0x0007010600070106);
	refused(0x277, 0x0007040600070402, RULE_GP_MSR_PAT);
	refused(0x277, 0x0307040600070406, RULE_GP_MSR_PAT);
	kept(0x2ff, 0xc06);
	refused(0x2ff, 0xc02, RULE_GP_MSR_MTRR);
	refused(0x2ff, 0x1c06, RULE_GP_MSR_RESERVED);
	kept(0x200, 0x80000006);
	kept(0x201, 0x0000ffff80000800);
	refused(0x200, 0x80000007, RULE_GP_MSR_MTRR);
	refused(0x200, 0x80000106, RULE_GP_MSR_RESERVED);
	refused(0x201, BIT(48) | 0x800, RULE_GP_MSR_RESERVED);
	kept(0x20f, 0x0000ff0000000800);
	for (u32 n = 0x268; n < 0x270; n++)
		kept(n, 0x0606060606060606);
	kept(0x250, 0x0505050505050505);
	kept(0x259, 0);
	refused(0x259, 2, RULE_GP_MSR_MTRR);
	refused(0x259, 0x1e, RULE_GP_MSR_MTRR); /* RdMem, WrMem only with SYSCFG.MtrrFixDramModEn */
	wr(0xc0010010, BIT(19));
	kept(0x259, 0x1e);
	wr(0xc0010010, 0);
	ck_assert_uint_eq(rd(0x259), 6);
}
END_TEST

START_TEST(efer)
{
	kept(0xc0000080, EFER_SCE | EFER_NXE | EFER_SVME | EFER_FFXSR | EFER_TCE);
	refused(0xc0000080, BIT(16), RULE_GP_EFER_RESERVED);
	refused(0xc0000080, EFER_LMSLE, RULE_GP_EFER_LMSLE);
	refused(0xc0000080, EFER_LMA, RULE_GP_EFER_LMA);
	cpu->cr0 = CR0_PE | CR0_PG | CR0_ET;
	refused(0xc0000080, EFER_LME, RULE_GP_EFER_LME_PG);
	cpu->svm.vm_cr = BIT(4);
	refused(0xc0000080, EFER_SVME, RULE_GP_EFER_SVMDIS);
	with_model("zen,-nx");
	refused(0xc0000080, EFER_NXE, RULE_GP_EFER_RESERVED);
}
END_TEST

START_TEST(machine_check)
{
	kept(0x400, ~0ull);
	refused(0x401, 1, RULE_GP_MSR_MC_STATUS);
	wr(0x401, 0);
	wr(0xc0010015, HWCR_MCSTATUS_WR);
	kept(0x41d, 1);
	ck_assert_uint_eq(rd(0xc0010015), HWCR_MCSTATUS_WR | HWCR_TSCFREQ);
}
END_TEST

START_TEST(smm_lock)
{
	ck_assert_uint_eq(rd(0xc0010111), 0x30000);
	kept(0xc0010111, 0xa0000);
	kept(0xc0010112, 0x7f000000);
	wr(0xc0010015, HWCR_SMMLOCK);
	refused(0xc0010111, 0x30000, RULE_GP_MSR_SMM_LOCK);
	wr(0xc0010015, 0);
	ck_assert(rd(0xc0010015) & HWCR_SMMLOCK);
}
END_TEST

START_TEST(apic)
{
	kept(0x1b, 0xfee00c00);
	refused(0x1b, 0xfee00c01, RULE_GP_MSR_APIC_BASE);
	kept(0x808, 0x20);
	refused(0x8ff, 0, RULE_GP_MSR_APIC);
	kept(0x6e0, 1000);
	with_model("zen,-x2apic,-tsc-deadline");
	refused(0x808, 0, RULE_GP_MSR_UNKNOWN);
	refused(0x6e0, 0, RULE_GP_MSR_UNKNOWN);
}
END_TEST

START_TEST(counters)
{
	cpu->retired = 1000;
	wr(0xc0010000, 0xc0 | 3 << 16 | BIT(22));
	wr(0xc0010004, 5);
	cpu->retired = 1100;
	ck_assert_uint_eq(rd(0xc0010004), 105);
	wr(0xc0010000, 0xc0);
	cpu->retired = 2000;
	ck_assert_uint_eq(rd(0xc0010004), 105);
	ck_assert_uint_eq(x86_pmc_read(cpu, 0), 105);
	wr(0xc0010001, 0x29 | BIT(22)); /* an event that is not counted */
	cpu->retired = 3000;
	ck_assert_uint_eq(rd(0xc0010005), 0);
}
END_TEST

/* What is kept for its own sake, what always reads the same, what is written and forgotten. */
START_TEST(the_others)
{
	static const struct {
		u32 msr;
		u64 good, bad; /* a value that is kept, one that is #GP (0: none) */
	} rows[] = {
		{0x17a, 7, 8},
		{0x17b, ~0ull, 0},
		{0xc0010016, 0xfed00018, 1},
		{0xc0010017, 0xfff000800, 1},
		{0xc0010018, 0xfed00010, 0x20},
		{0xc0010019, 0xfff000800, 0x400},
		{0xc001001a, 0x80000000, 0},
		{0xc001001d, 0x200000000, 0},
		{0xc0010062, 3, 8},
		{0xc0010113, 0xfffffe000003, 0},
		{0xc0011020, 0x1234, 0},
		{0xc0011029, 3, 0},
		{0xda0, 0, 1},
	};
	static const struct {
		u32 msr;
		u64 val;
	} fixed[] = {{0xc0010058, 0}, {0xc0010061, 0}, {0xc0010064, BIT(63) | 0x828}, {0xc0010065, 0}, {0xc001006b, 0}};
	u64 v;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		kept(rows[i].msr, rows[i].good);
		if (rows[i].bad)
			ck_assert_uint_ne(x86_msr_write(cpu, rows[i].msr, rows[i].bad), RULE_NONE);
	}
	ck_assert_uint_eq(rd(0xc0010063), 3); /* the P-state that was asked for */
	refused(0xc0010063, 0, RULE_GP_MSR_READ_ONLY);
	for (unsigned i = 0; i < ARRAY_SIZE(fixed); i++) {
		ck_assert_uint_eq(rd(fixed[i].msr), fixed[i].val);
		refused(fixed[i].msr, fixed[i].val, RULE_GP_MSR_READ_ONLY);
	}
	for (u32 n = 0x1db; n <= 0x1de; n++) {
		ck_assert_uint_eq(rd(n), 0);
		refused(n, 0, RULE_GP_MSR_READ_ONLY);
	}
	wr(0xc001001f, 0);
	ck_assert_uint_eq(rd(0xc001001f), BIT(54));
	wr(0xc0010020, 0x1000);
	is_rule(x86_msr_read(cpu, 0xc0010020, &v), RULE_GP_MSR_WRITE_ONLY);
	wr(0xc001001a, 0x80001234); /* bits below 8 MB are not there */
	ck_assert_uint_eq(rd(0xc001001a), 0x80000000);
	for (u32 n = 0; n < 6; n++)
		rd(0xc0010030 + n);
	ck_assert_uint_eq(rd(0xc0010030) & 0xff, (u8)model.brand[0]);
}
END_TEST

START_TEST(tsc_adjust)
{
	with_model("max");
	cpu->sched->now = 1000;
	kept(0x3b, 500);
	ck_assert_uint_eq(rd(0x10), rd(0x10));
	wr(0x10, rd(0x10) + 100); /* a write of the TSC shows in the adjustment */
	ck_assert_uint_eq(rd(0x3b), 600);
	kept(0xe7, 7000);
	kept(0xe8, 8000);
}
END_TEST

/* ---- control register rules ---- */

START_TEST(cr0_rules)
{
	is_rule(x86_check_cr0(cpu, BIT(32)), RULE_GP_CR0_HIGH);
	is_rule(x86_check_cr0(cpu, CR0_PG), RULE_GP_CR0_PG_PE);
	is_rule(x86_check_cr0(cpu, CR0_NW), RULE_GP_CR0_NW_CD);
	is_rule(x86_check_cr0(cpu, CR0_PG | CR0_PE), RULE_NONE);
	cpu->efer = EFER_LME;
	is_rule(x86_check_cr0(cpu, CR0_PG | CR0_PE), RULE_GP_CR0_LME_PAE);
	cpu->cr4 = CR4_PAE;
	is_rule(x86_check_cr0(cpu, CR0_PG | CR0_PE), RULE_NONE);
	cpu->seg[SEG_CS].attr = ATTR_L;
	is_rule(x86_check_cr0(cpu, CR0_PG | CR0_PE), RULE_GP_CR0_LME_CSL);
	cpu->cr0 = CR0_PG | CR0_PE;
	cpu->cr4 |= CR4_PCIDE;
	is_rule(x86_check_cr0(cpu, CR0_PE), RULE_GP_CR0_PG_PCIDE);
	cpu->mode = MODE_64 | MODE_LONG | MODE_PE;
	is_rule(x86_check_cr0(cpu, CR0_PE), RULE_GP_CR0_PG_64);
}
END_TEST

START_TEST(cr3_and_cr4_rules)
{
	is_rule(x86_check_cr3(cpu, BIT(50)), RULE_NONE); /* legacy mode: only 32 bits can be written */
	cpu->efer = EFER_LME | EFER_LMA;
	cpu->cr4 = CR4_PAE;
	is_rule(x86_check_cr3(cpu, BIT(50)), RULE_GP_CR3_RESERVED);
	is_rule(x86_check_cr4(cpu, 0), RULE_GP_CR4_PAE_LMA);
	is_rule(x86_check_cr4(cpu, CR4_PAE | BIT(13)), RULE_GP_CR4_RESERVED);
	is_rule(x86_check_cr4(cpu, CR4_PAE | CR4_LA57), RULE_GP_CR4_RESERVED); /* zen has no LA57 */
	with_model("max");
	is_rule(x86_check_cr4(cpu, CR4_PAE | CR4_LA57), RULE_GP_CR4_LA57_LMA);
	cpu->cr3 = 8;
	is_rule(x86_check_cr4(cpu, CR4_PAE | CR4_PCIDE), RULE_GP_CR4_PCIDE_CR3);
	cpu->cr3 = 0x1000;
	is_rule(x86_check_cr4(cpu, CR4_PAE | CR4_PCIDE), RULE_NONE);
	cpu->efer = 0;
	is_rule(x86_check_cr4(cpu, CR4_PAE | CR4_PCIDE), RULE_GP_CR4_PCIDE_LMA);
}
END_TEST

START_TEST(paging_follows_the_registers)
{
	const struct paging *p = &cpu->tlb.env.p;

	ck_assert_uint_eq(p->levels, 0);
	cpu->cr0 |= CR0_PE | CR0_PG;
	cpu->cr3 = 0x12345678;
	x86_paging_changed(cpu);
	ck_assert_uint_eq(p->levels, 2);
	ck_assert_uint_eq(p->root, 0x12345000);
	cpu->cr4 = CR4_PAE | CR4_SMEP;
	x86_paging_changed(cpu);
	ck_assert_uint_eq(p->levels, 3);
	ck_assert_uint_eq(p->root, 0x12345660);
	ck_assert(p->smep && !p->use_pdpte); /* Zen reads PDPTEs at each walk */
	cpu->efer = EFER_LME | EFER_LMA;
	cpu->cr4 |= CR4_PCIDE;
	x86_paging_changed(cpu);
	ck_assert_uint_eq(p->levels, 4);
	ck_assert_uint_eq(p->root, 0x12345000);
	ck_assert_uint_eq(cpu->tlb.pcid, 0x678);
	cpu->cr4 |= CR4_LA57;
	x86_paging_changed(cpu);
	ck_assert_uint_eq(p->levels, 5);
	cpu->svm.guest = cpu->svm.np = 1;
	cpu->svm.asid = 7;
	x86_paging_changed(cpu);
	ck_assert(cpu->tlb.env.nested);
	ck_assert_uint_eq(cpu->tlb.asid, 7);
}
END_TEST

START_TEST(older_cpus_load_pdptes)
{
	with_model("zen,family=0x10");
	space_write(&mem, 0x1000, 8, 0x2001);
	space_write(&mem, 0x1008, 8, 0x6); /* not present: anything goes */
	cpu->cr0 |= CR0_PE | CR0_PG;
	cpu->cr4 = CR4_PAE;
	x86_write_cr3(cpu, 0x1000);
	ck_assert(cpu->tlb.env.p.use_pdpte);
	ck_assert_uint_eq(cpu->pdpte[0], 0x2001);
	ck_assert_uint_eq(cpu->tlb.env.p.pdpte[0], 0x2001);
}
END_TEST

START_TEST(breakpoints_match)
{
	cpu->dr[0] = 0x1003;
	cpu->dr[1] = 0x2000;
	cpu->dr[2] = 0x60;
	cpu->dr[3] = 0x3000;
	/* 0: write 4 bytes; 1: execute; 2: I/O 1 byte; 3: read or write 8 bytes; all on */
	cpu->dr[7] = DR7_FIXED | 0xff | 0xdull << 16 | 2ull << 24 | 0xbull << 28;
	ck_assert_uint_eq(x86_debug_data(cpu, 0x1000, 1, true), 1);
	ck_assert_uint_eq(x86_debug_data(cpu, 0x1000, 1, false), 0);
	ck_assert_uint_eq(x86_debug_data(cpu, 0xffc, 4, true), 0);
	ck_assert_uint_eq(x86_debug_data(cpu, 0xffc, 8, true), 1);
	ck_assert_uint_eq(x86_debug_data(cpu, 0x3007, 1, false), 8);
	ck_assert_uint_eq(x86_debug_exec(cpu, 0x2000), 2);
	ck_assert_uint_eq(x86_debug_exec(cpu, 0x2001), 0);
	ck_assert_uint_eq(x86_debug_io(cpu, 0x60, 1), 0); /* needs CR4.DE */
	cpu->cr4 = CR4_DE;
	ck_assert_uint_eq(x86_debug_io(cpu, 0x60, 1), 4);
	ck_assert_uint_eq(x86_debug_io(cpu, 0x5e, 2), 0);
	x86_debug_changed(cpu);
	ck_assert(cpu->break_exec && cpu->step);
	ck_assert_uint_eq(cpu->tlb.watches, 2);
	cpu->dr[7] = DR7_FIXED;
	x86_debug_changed(cpu);
	ck_assert(!cpu->break_exec && !cpu->step);
	ck_assert_uint_eq(cpu->tlb.watches, 0);
}
END_TEST

START_TEST(monitor_line)
{
	cpu->monitor_pa = 0x1000 | 1;
	cpu->activity = ACT_MWAIT;
	ck_assert(x86_mwait_masked(cpu));
	x86_monitor_hit(cpu, 0x1040, 8);
	x86_monitor_hit(cpu, 0xff8, 8);
	ck_assert_uint_eq(cpu->activity, ACT_MWAIT);
	x86_monitor_hit(cpu, 0xffc, 8);
	ck_assert_uint_eq(cpu->activity, ACT_RUN);
	ck_assert_uint_eq(cpu->monitor_pa, MONITOR_NONE);
	ck_assert(sched.kick);
}
END_TEST

START_TEST(random_repeats)
{
	u64 a = x86_random(cpu), b = x86_random(cpu);

	ck_assert_uint_ne(a, b);
	x86_msr_reset(cpu, false);
	ck_assert_uint_eq(x86_random(cpu), a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("msr");
	TCase *msr = tcase_create("msr"), *control = tcase_create("control");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(msr, setup, teardown);
	tcase_add_test(msr, unknown);
	tcase_add_test(msr, system_linkage);
	tcase_add_test(msr, read_only);
	tcase_add_test(msr, memory_types);
	tcase_add_test(msr, efer);
	tcase_add_test(msr, machine_check);
	tcase_add_test(msr, smm_lock);
	tcase_add_test(msr, apic);
	tcase_add_test(msr, counters);
	tcase_add_test(msr, the_others);
	tcase_add_test(msr, tsc_adjust);
	tcase_add_checked_fixture(control, setup, teardown);
	tcase_add_test(control, cr0_rules);
	tcase_add_test(control, cr3_and_cr4_rules);
	tcase_add_test(control, paging_follows_the_registers);
	tcase_add_test(control, older_cpus_load_pdptes);
	tcase_add_test(control, breakpoints_match);
	tcase_add_test(control, monitor_line);
	tcase_add_test(control, random_repeats);
	suite_add_tcase(s, msr);
	suite_add_tcase(s, control);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
