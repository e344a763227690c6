/* Which instructions and events leave the guest, and what EXITINFO1 and EXITINFO2 say of them. APM2 15.9-15.14. */
#include "svm/state.h"

static bool decode_assists(const struct x86_cpu *c) { return x86_has(c->model, X86_F_DECODEASSISTS); }

/* EXITINFO1 of MOV CRn: bit 63 and the register; of CLTS, LMSW, SMSW nothing. APM2 15.8.1 */
static u64 cr_info(const struct x86_cpu *c, int gpr)
{
	return decode_assists(c) && gpr >= 0 ? BIT(63) | ((u64)gpr & 15) : 0;
}

void svm_check_cr_read(struct x86_cpu *c, unsigned cr, int gpr)
{
	if (svm_wants(&c->svm, ICPT_CR_READ + (cr & 15)))
		svm_exit(c, ICPT_CR_READ + (cr & 15), cr_info(c, gpr), 0);
}

void svm_check_cr_write(struct x86_cpu *c, unsigned cr, int gpr, u64 new_val)
{
	const struct svm_state *s = &c->svm;

	if (likely(!s->guest))
		return;
	if (svm_wants(s, ICPT_CR_WRITE + (cr & 15)))
		svm_exit(c, ICPT_CR_WRITE + (cr & 15), cr_info(c, gpr), 0);
	/* The plain intercept goes first; CLTS is no selective write, and LMSW always is one, which its handler sees
	 * to. APM2 15.9 */
	if (cr == 0 && gpr >= 0 && svm_wants(s, ICPT_CR0_SEL) && (new_val ^ c->cr0) & ~(CR0_TS | CR0_MP))
		svm_exit(c, svm_code(ICPT_CR0_SEL), cr_info(c, gpr), 0);
}

void svm_check_dr(struct x86_cpu *c, unsigned dr, int gpr, bool write)
{
	unsigned i = (write ? ICPT_DR_WRITE : ICPT_DR_READ) + (dr & 15);

	if (svm_wants(&c->svm, i))
		svm_exit(c, i, decode_assists(c) && gpr >= 0 ? (u64)gpr & 15 : 0, 0);
}

/* The two bits of an MSR in the permissions map: read, write. False: it is in none of the map's ranges. APM2 15.11 */
static bool msrpm_bits(struct x86_cpu *c, u32 msr, unsigned *rw)
{
	static const u32 first[3] = {0, 0xc0000000, 0xc0010000};
	u64 base = c->svm.msrpm_pa & PAGE_MASK;

	for (unsigned i = 0; i < 3; i++) {
		u32 n = msr - first[i];

		if (n < 0x2000) {
			*rw = (unsigned)space_read(c->mem, base + i * 0x800 + n / 4, 1) >> (n % 4 * 2) & 3;
			return true;
		}
	}
	return false;
}

void svm_check_msr(struct x86_cpu *c, u32 msr, bool write)
{
	unsigned rw;

	if (likely(!svm_wants(&c->svm, ICPT_MSR)))
		return;
	if (!msrpm_bits(c, msr, &rw) || rw >> write & 1)
		svm_exit(c, svm_code(ICPT_MSR), write, 0);
}

/* APM2 15.10.2, figure 15-2. The segment of OUTS counts with decode assists; INS has ES, number 0. */
static u64 io_info(const struct x86_cpu *c, u16 port, unsigned size, bool in, bool string, bool rep, unsigned seg,
		   unsigned asize)
{
	u64 info = (u64)port << 16 | (asize == 8 ? BIT(9) : asize == 4 ? BIT(8) : BIT(7)) | (u64)(size & 7) << 4;

	if (string && !in && decode_assists(c))
		info |= (u64)(seg & 7) << 10;
	return info | (rep ? BIT(3) : 0) | (string ? BIT(2) : 0) | in;
}

void svm_check_io(struct x86_cpu *c, u16 port, unsigned size, bool in, bool string, bool rep, unsigned seg,
		  unsigned asize)
{
	u64 map;

	if (likely(!svm_wants(&c->svm, ICPT_IOIO)))
		return;
	/* One bit for each byte of the access; port FFFFh and beyond runs into the map's third page. APM2 15.10.1 */
	map = space_read(c->mem, (c->svm.iopm_pa & PAGE_MASK) + port / 8, 2);
	if (map >> (port & 7) & mask_low(size))
		svm_exit(c, svm_code(ICPT_IOIO), io_info(c, port, size, in, string, rep, seg, asize), x86_next_rip(c));
}

void svm_check_intn(struct x86_cpu *c, u8 vector)
{
	if (svm_wants(&c->svm, ICPT_INTN)) /* APM2 15.8.2 */
		svm_exit(c, svm_code(ICPT_INTN), decode_assists(c) ? vector : 0, 0);
}

void svm_check_task_switch(struct x86_cpu *c, u16 sel, u64 info2)
{
	if (svm_wants(&c->svm, ICPT_TASK_SWITCH)) /* APM2 15.14.1 */
		svm_exit(c, svm_code(ICPT_TASK_SWITCH), sel, info2);
}

/* Exceptions that push an error code. APM2 8.2 */
#define ERROR_CODES                                                                                                    \
	(1u << VEC_DF | 1u << VEC_TS | 1u << VEC_NP | 1u << VEC_SS | 1u << VEC_GP | 1u << VEC_PF | 1u << VEC_AC |      \
	 1u << 30)

void svm_check_exception(struct x86_cpu *c, unsigned vector, u32 error, u64 cr2)
{
	struct svm_state *s = &c->svm;

	if (likely(!s->guest))
		return;
	if (svm_event_is_injected(c))
		return;
	if (vector == VEC_NMI || !svm_wants(s, ICPT_EXC + (vector & 31)))
		return;
	svm_exit_next(c, SVM_EXIT_EXCP + vector, ERROR_CODES >> vector & 1 ? error : 0, vector == VEC_PF ? cr2 : 0,
		      svm_soft_nrip(c, vector));
}

/* Physical events are left pending. SMI: bit 0, it came from outside. APM2 15.13 */
void svm_check_event(struct x86_cpu *c, enum svm_intercept i)
{
	if (!svm_wants(&c->svm, i))
		return;
	if (i == ICPT_SMI && c->msr.hwcr & 1) /* SmmLock: the intercept does not count. APM2 15.13.3 */
		return;
	svm_exit(c, svm_code(i), i == ICPT_SMI, 0);
}

void svm_npf(struct x86_cpu *c, const struct walk *w)
{
	struct svm_priv *p = svm_priv(&c->svm);

	p->npf_va = w->va;
	p->npf_physical = 0;
	svm_exit(c, SVM_EXIT_NPF, w->exitinfo1, w->gpa);
}

/*
 * PAUSE counts down; with a threshold, a PAUSE that comes later than that many cycles (here: instructions) after the
 * last one starts the count anew and is not counted itself. At zero the intercept is taken. APM2 15.14.4
 */
void svm_check_pause(struct x86_cpu *c)
{
	struct svm_priv *p = svm_priv(&c->svm);
	u64 now, since;

	if (likely(!svm_wants(&c->svm, ICPT_PAUSE)))
		return;
	if (p->g.pause_count && x86_has(c->model, X86_F_PAUSEFILTER)) {
		now = x86_tsc(c);
		since = now - p->pause_time;
		p->pause_time = now;
		if (p->pause_threshold && since > p->pause_threshold) {
			p->pause_left = p->g.pause_count;
			return;
		}
		if (p->pause_left) {
			p->pause_left--;
			return;
		}
	}
	svm_exit(c, svm_code(ICPT_PAUSE), 0, 0);
}
