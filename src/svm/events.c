/*
 * Events of the guest: what VMRUN injects (EVENTINJ), virtual interrupts and NMIs (V_INTR), the record of the event
 * under delivery (EXITINTINFO), and how V_INTR_MASKING divides IF and TPR. APM2 15.7.2, 15.20, 15.21.
 */
#include "svm/state.h"

/* ---- the event under delivery ---- */

void svm_begin_event(struct x86_cpu *c, unsigned vector, unsigned type, bool has_error, u32 error)
{
	struct svm_priv *p = svm_priv(&c->svm);

	if (likely(!c->svm.guest))
		return;
	if (p->injecting) { /* recorded already, as the VMM asked for it */
		p->injecting = 0;
		return;
	}
	if (type == EVENT_NMI && !p->nmi_event)
		p->nmi_event = SVM_NMI_PHYSICAL;
	p->event = vector | (u64)type << 8 | EVENT_V | (has_error ? EVENT_EV | (u64)error << 32 : 0);
}

void svm_end_event(struct x86_cpu *c)
{
	struct svm_priv *p = svm_priv(&c->svm);

	p->event = 0;
	p->soft = p->nmi_event = p->injecting = 0;
}

u64 svm_event_cancel(struct x86_cpu *c)
{
	struct svm_priv *p = svm_priv(&c->svm);
	u64 e = p->event;

	if (likely(!e))
		return 0;
	if (p->soft)
		c->rip = p->soft_rip;
	/* An NMI that the guest did not get masks none. The physical one is a guess after the virtual one's rule: APM2 15.21.10 */
	if (p->nmi_event == SVM_NMI_VIRTUAL)
		c->svm.int_ctl &= ~V_NMI_MASK;
	else if (p->nmi_event == SVM_NMI_PHYSICAL)
		c->nmi_masked = 0;
	svm_end_event(c);
	return e;
}

/* Is the exception that is about to be delivered the injected one? Injected events are not intercepted; what happens
 * during their delivery is. APM2 15.20 */
bool svm_event_is_injected(struct x86_cpu *c)
{
	struct svm_priv *p = svm_priv(&c->svm);

	if (unlikely(p->injecting))
		return true;
	if (unlikely(p->soft)) { /* an injected INTn, INT3 or INTO faulted: its own rip counts again */
		c->rip = p->soft_rip;
		p->soft = 0;
	}
	return false;
}

/* nRIP of the exceptions of INT3, INTO and BOUND, else 0. APM2 15.7.1 */
u64 svm_soft_nrip(const struct x86_cpu *c, unsigned vector)
{
	return vector >= VEC_BP && vector <= VEC_BR && c->op ? x86_next_rip(c) : 0;
}

/* ---- injection ---- */

static void inject_exception(struct x86_cpu *c, u64 inject)
{
	struct svm_priv *p = svm_priv(&c->svm);
	unsigned vector = EVENT_VECTOR(inject);
	struct x86_exception e = {.vector = (u8)vector, .rule = RULE_SVM_INJECTED};

	e.has_error = (inject & EVENT_EV) != 0;
	e.error = e.has_error ? (u32)(inject >> 32) : 0;
	e.cr2 = vector == VEC_PF ? c->cr2 : 0; /* the VMM has put the address into CR2 already */
	/* "behaves like a trap raised by INT3 and INTO": the gate's DPL counts. APM2 15.20 */
	e.soft = EVENT_TYPE(inject) == EVENT_SOFT || vector == VEC_BP || vector == VEC_OF;
	if (e.soft) {
		p->soft = 1;
		p->soft_rip = c->rip;
		c->rip = p->inject_nrip;
	}
	x86_deliver(c, &e);
}

bool svm_take_injection(struct x86_cpu *c)
{
	struct svm_priv *p = svm_priv(&c->svm);
	u64 inject = p->inject;

	if (!c->svm.guest || !inject)
		return false;
	p->inject = 0;
	p->event = inject & (inject & EVENT_EV ? 0xffffffff80000fffull : 0x800007ffull);
	p->injecting = 1;
	if (EVENT_TYPE(inject) == EVENT_NMI && (c->svm.int_ctl & (V_NMI_ENABLE | V_NMI_MASK)) == V_NMI_ENABLE) {
		c->svm.int_ctl |= V_NMI_MASK; /* APM2 15.21.10 */
		p->nmi_event = SVM_NMI_VIRTUAL;
	}
	switch (EVENT_TYPE(inject)) {
	case EVENT_INTR: x86_interrupt(c, (u8)EVENT_VECTOR(inject), false); break;
	case EVENT_NMI: /* as an interrupt: "An injected NMI does not block delivery of further NMIs." APM2 15.20 */
		p->event = (p->event & ~0xffull) | VEC_NMI;
		x86_interrupt(c, VEC_NMI, false);
		break;
	default: inject_exception(c, inject); break;
	}
	if (!svm_virtual_pending(c))
		c->pending &= ~(u32)PEND_VIRQ;
	return true;
}

/* ---- virtual interrupts and NMIs ---- */

static bool virtual_gif(const struct svm_state *s)
{
	return s->int_ctl & V_GIF_ENABLE ? (s->int_ctl & V_GIF) != 0 : s->gif;
}

/* V_IRQ and its priority over V_TPR. APM2 15.21.4 */
static bool virq_wanted(const struct svm_state *s)
{
	return s->int_ctl & V_IRQ && (s->int_ctl & V_IGN_TPR || V_PRIO(s->int_ctl) > (s->int_ctl & V_TPR));
}

static bool vnmi_wanted(const struct svm_state *s)
{
	return (s->int_ctl & (V_NMI_ENABLE | V_NMI | V_NMI_MASK)) == (V_NMI_ENABLE | V_NMI);
}

/* Masked or not: what unmasks it need not know of it. */
bool svm_virtual_pending(const struct x86_cpu *c)
{
	const struct svm_state *s = &c->svm;

	return s->guest && !s->smm_suspends &&
	       (svm_priv_of(s)->inject || s->int_ctl & V_IRQ ||
		(s->int_ctl & (V_NMI_ENABLE | V_NMI)) == (V_NMI_ENABLE | V_NMI));
}

int svm_virtual_interrupt(struct x86_cpu *c)
{
	struct svm_state *s = &c->svm;

	if (!s->guest || s->smm_suspends || !virtual_gif(s) || !virq_wanted(s) || !(c->flags & FLAG_IF) || c->shadow)
		return -1;
	svm_check(c, s, ICPT_VINTR); /* V_IRQ stays. APM2 15.13.5 */
	s->int_ctl &= ~V_IRQ;
	if (!svm_virtual_pending(c))
		c->pending &= ~(u32)PEND_VIRQ;
	return (int)V_VECTOR(s->int_ctl);
}

int svm_virtual_nmi(struct x86_cpu *c)
{
	struct svm_state *s = &c->svm;

	if (!s->guest || s->smm_suspends || !virtual_gif(s) || !vnmi_wanted(s) || c->shadow)
		return 0;
	s->int_ctl = (s->int_ctl & ~V_NMI) | V_NMI_MASK;
	svm_priv(s)->nmi_event = SVM_NMI_VIRTUAL;
	if (!svm_virtual_pending(c))
		c->pending &= ~(u32)PEND_VIRQ;
	return 1;
}

void svm_virtual_changed(struct x86_cpu *c)
{
	if (unlikely(svm_virtual_pending(c)))
		x86_pend(c, PEND_VIRQ);
}

/* ---- IF and TPR under V_INTR_MASKING. APM2 15.21.1, 15.21.2 ---- */

bool svm_physical_if(const struct x86_cpu *c)
{
	const struct svm_state *s = &c->svm;

	if (unlikely(s->guest) && s->int_ctl & V_INTR_MASKING && !s->smm_suspends)
		return svm_priv_of(s)->host_if;
	return c->flags & FLAG_IF;
}

bool svm_cr8_read(struct x86_cpu *c, u64 *val)
{
	const struct svm_state *s = &c->svm;

	if (likely(!s->guest) || !(s->int_ctl & V_INTR_MASKING) || s->smm_suspends)
		return false;
	*val = s->int_ctl & V_TPR;
	return true;
}

bool svm_cr8_write(struct x86_cpu *c, u64 val)
{
	struct svm_state *s = &c->svm;

	if (likely(!s->guest) || s->smm_suspends)
		return false;
	s->int_ctl = (s->int_ctl & ~0xffull) | (val & V_TPR); /* with and without V_INTR_MASKING */
	svm_virtual_changed(c);
	return s->int_ctl & V_INTR_MASKING;
}

/* ---- time. APM2 15.30.5 ---- */

u64 svm_guest_scaled(const struct x86_cpu *c, u64 ticks)
{
	const struct svm_state *s = &c->svm;

	if (!s->guest || s->smm_suspends || !x86_has(c->model, X86_F_TSCRATE) || s->tsc_ratio == BIT(32))
		return ticks;
	return (u64)((unsigned __int128)ticks * s->tsc_ratio >> 32);
}

u64 svm_guest_tsc(const struct x86_cpu *c, u64 tsc)
{
	if (!c->svm.guest || c->svm.smm_suspends)
		return tsc;
	return svm_guest_scaled(c, tsc) + c->svm.tsc_offset;
}
