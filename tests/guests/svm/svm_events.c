/*
 * Events: EVENTINJ, virtual interrupts and NMIs, physical INTR, NMI, INIT, SMI against their intercepts, V_INTR_MASKING and
 * GIF, interrupt shadows. APM2 15.13, 15.17, 15.20, 15.21.
 */
#include "vm.h"

enum { IRQ = 0x70, VECTOR_SX = 30, MSR_SMM_CTL = (int)0xc0010116 };
static volatile unsigned irqs, nmis, sxs;
static volatile u64 sx_error;

static void on_irq(struct regs *f)
{
	(void)f;
	irqs++;
	lapic_write(LAPIC_EOI, 0);
}

static void on_nmi(struct regs *f)
{
	(void)f;
	nmis++;
}

static void on_sx(struct regs *f)
{
	sxs++;
	sx_error = f->error;
}

static void send(u32 icr)
{
	lapic_write(LAPIC_ICR2, lapic_read(LAPIC_ID));
	lapic_write(LAPIC_ICR, icr);
}

static void send_irq(void) { lapic_write(LAPIC_ICR, 0x44000 | IRQ); } /* to self */

static void sti_cli(void) { __asm__ volatile("sti; nop; nop; cli" : : : "memory"); }

/* ---- EVENTINJ. APM2 15.20 */

static void inject(void)
{
	const u8 *code = CODE("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop");
	const struct {
		const char *name;
		u64 event;
		int vector;
		u64 error; /* ~0: none */
		unsigned next; /* nRIP in the VMCB, and in the frame; 0: rIP */
	} rows[] = {
		{"inject INTR", EV(EV_INTR, 0x40), 0x40, ~0ull, 0},
		{"inject INTR 255", EV(EV_INTR, 255), 255, ~0ull, 0},
		{"inject INTR 3", EV(EV_INTR, 3), 3, ~0ull, 0},
		{"inject NMI", EV(EV_NMI, 2), 2, ~0ull, 0},
		{"inject NMI, vector ignored", EV(EV_NMI, 77), 2, ~0ull, 0},
		{"inject #DE", EV(EV_EXC, DE), DE, ~0ull, 0},
		{"inject #DB", EV(EV_EXC, DB), DB, ~0ull, 0},
		{"inject #UD", EV(EV_EXC, UD), UD, ~0ull, 0},
		{"inject #NM", EV(EV_EXC, NM), NM, ~0ull, 0},
		{"inject #DF", EV_ERROR(EV_EXC, DF, 0), DF, 0, 0},
		{"inject #TS", EV_ERROR(EV_EXC, TS, 0x18), TS, 0x18, 0},
		{"inject #NP", EV_ERROR(EV_EXC, NP, 0x20), NP, 0x20, 0},
		{"inject #SS", EV_ERROR(EV_EXC, SS, 0x28), SS, 0x28, 0},
		{"inject #GP", EV_ERROR(EV_EXC, GP, 0x1234), GP, 0x1234, 0},
		{"inject #GP without error code", EV(EV_EXC, GP), GP, ~0ull, 0},
		{"inject #PF", EV_ERROR(EV_EXC, PF, 7), PF, 7, 0},
		{"inject #MF", EV(EV_EXC, MF), MF, ~0ull, 0},
		{"inject #AC", EV_ERROR(EV_EXC, AC, 0), AC, 0, 0},
		{"inject #MC", EV(EV_EXC, MC), MC, ~0ull, 0},
		{"inject #XF", EV(EV_EXC, XF), XF, ~0ull, 0},
		{"inject INT 50h", EV(EV_SOFT, 0x50), 0x50, ~0ull, 7},
		{"inject #BP", EV(EV_EXC, 3), 3, ~0ull, 3},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		for (unsigned flag = 0; flag < 2; flag++) {
			bool error = rows[i].error != ~0ull;

			vm_new(code);
			vm->eventinj = rows[i].event;
			vm->nrip = addr(code) + rows[i].next;
			vm->cr2 = 0x4321;
			vm->rflags = flag ? 0x202 : 2;
			vm_run(); /* all exceptions are intercepted: not the injected ones */
			vector_is(rows[i].vector, error ? rows[i].error : addr(code) + rows[i].next,
				  text("%s%s", rows[i].name, flag ? ", IF" : ""));
			if (vm_vector() < 0)
				continue;
			is(vm_frame(error), addr(code) + rows[i].next, text("%s: rip", rows[i].name));
			is(vm_frame(error + 2u) & 0x202, flag ? 0x202 : 2, text("%s: RFLAGS", rows[i].name));
			is(vm->eventinj, 0, text("%s: EVENTINJ is cleared", rows[i].name));
			is(vm->cr2, 0x4321, text("%s: CR2", rows[i].name));
		}
	vm_new(code);
	vm->eventinj = EV(EV_INTR, 0x40) & ~(u64)EV_VALID;
	vm_run();
	exit_is(EXIT_DONE, "EVENTINJ not valid");
}

/* What happens while an injected event is delivered is intercepted, and EXITINTINFO has the event. */
static void inject_fault(void)
{
	const u8 *code = CODE("nop\n nop");
	const u64 events[] = {EV(EV_INTR, 0x40), EV(EV_NMI, 2), EV_ERROR(EV_EXC, GP, 0x10), EV(EV_SOFT, 0x50), EV(EV_EXC, UD)};

	for (unsigned i = 0; i < 5; i++) {
		vm_new(code);
		vm->eventinj = events[i];
		vm->nrip = addr(code) + 1;
		vm->rsp = 1ull << 40;
		vm_run();
		exit_info(EXIT_PF, 2, (1ull << 40) - 8, text("#PF while event %u is injected", i));
		is(vm->intinfo, events[i], text("#PF while event %u is injected: EXITINTINFO", i));
		is(vm->rip, addr(code), text("#PF while event %u is injected: rip", i));
		vm_new(code);
		vm->eventinj = events[i];
		vm->nrip = addr(code) + 1;
		vm->rsp = 0x0c000100;
		*pte(npt, 0x0c000000, 21) &= ~1ull;
		vm_run();
		exit_info(EXIT_NPF, 1ull << 32 | PF_W | PF_U, 0x0c0000f8, text("NPF while event %u is injected", i));
		is(vm->intinfo, events[i], text("NPF while event %u is injected: EXITINTINFO", i));
		npt_new();
		vm->eventinj = vm->intinfo; /* the VMM gives it again */
		vm_run();
		ok(vm_vector() == (int)(events[i] & 255), text("event %u once more", i), "exit %llx rip %llx", vm->exitcode, vm->rip);
	}
	vm_new(code); /* #PF inside #PF */
	vm->eventinj = EV_ERROR(EV_EXC, PF, 0);
	vm->rsp = 1ull << 40;
	vm->exceptions = 1 << DF;
	vm_run();
	exit_is(EXIT_EXC + DF, "#PF while #PF is injected: #DF");
}

/* Real mode: through the table at IDTR's base. */
static void inject_real(void)
{
	u16 *ivt = (u16 *)0x5000;

	vm_new16(CODE16("nop\n nop\n nop\n nop\n vmmcall"));
	vm->idtr.base = 0x5000;
	ivt[0x40 * 2] = 4;
	ivt[0x40 * 2 + 1] = LOW_CODE >> 4;
	vm->eventinj = EV(EV_INTR, 0x40);
	vm_run();
	exit_is(EXIT_VMMCALL, "inject INTR in real mode");
	is(vm->rip, 4, "inject INTR in real mode: rip");
	is(vm->rsp, 0x8000 - 6, "inject INTR in real mode: SP");
}

/* ---- V_IRQ. APM2 15.21.4 */

static void virtual_interrupts(void)
{
	const u8 *nop = CODE("nop\n nop\n nop"), *sti = CODE("sti\n nop\n nop"), *ss = CODE("mov %%ss, %%eax\n mov %%eax, %%ss\n nop\n nop");
	const u8 *cr8 = CODE("mov %%rbx, %%cr8\n nop"), *sti_hlt = CODE("sti\n hlt"), *popf = CODE("pushq $0x202\n popfq\n nop");
	const u64 irq = V_IRQ | V_PRIO(5) | V_VECTOR(0x61);
	const struct {
		const char *name;
		const u8 *code;
		u64 v_intr, shadow;
		bool flag;
		int at; /* taken there; -1: not */
	} rows[] = {
		{"V_IRQ", nop, irq, 0, true, 0},
		{"V_IRQ, IF clear", nop, irq, 0, false, -1},
		{"V_IRQ, V_TPR above", nop, irq | 6, 0, true, -1},
		{"V_IRQ, V_TPR the same", nop, irq | 5, 0, true, -1},
		{"V_IRQ, V_TPR below", nop, irq | 4, 0, true, 0},
		{"V_IRQ, V_TPR above, V_IGN_TPR", nop, irq | 15 | V_IGN_TPR, 0, true, 0},
		{"V_IRQ after STI", sti, irq, 0, false, 2},
		{"V_IRQ after POPF", popf, irq, 0, false, 6},
		{"V_IRQ in a shadow", nop, irq, 1, true, 1},
		{"V_IRQ, IF clear, in a shadow", nop, irq, 1, false, -1},
		{"V_IRQ after CR8", cr8, irq | 7 | V_INTR_MASKING, 0, true, 4},
		{"V_IRQ and V_INTR_MASKING", nop, irq | V_INTR_MASKING, 0, true, 0},
		{"no V_IRQ", nop, irq & ~V_IRQ, 0, true, -1},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		for (unsigned icpt = 0; icpt < 2; icpt++) {
			vm_new(rows[i].code);
			vm->rflags = rows[i].flag ? 0x202 : 2;
			vm->v_intr = rows[i].v_intr;
			vm->shadow = rows[i].shadow;
			vm_set(I_VINTR, icpt);
			vm_run();
			const char *name = text("%s%s", rows[i].name, icpt ? ", intercepted" : "");
			if (rows[i].at < 0)
				exit_is(EXIT_DONE, name);
			else if (icpt)
				exit_at(EXIT_VINTR, 0, 0, rows[i].code, rows[i].at, -1, name);
			else
				vector_is(0x61, addr(rows[i].code) + (u64)rows[i].at, name);
			is(vm->v_intr & V_IRQ, rows[i].at < 0 || icpt ? rows[i].v_intr & V_IRQ : 0, text("%s: V_IRQ", name));
		}
	vm_new(ss);
	vm->v_intr = irq;
	vm->rflags = 0x202;
	vm->shadow = 1; /* the first MOV is in its shadow: then the interrupt */
	vm_run();
	vector_is(0x61, addr(ss) + 2, "V_IRQ before MOV SS");
	vm_new(CODE("mov %%eax, %%ss\n nop"));
	vr.rbx = 0;
	vm->rax = KDATA;
	vm->v_intr = irq;
	vm->rflags = 2;
	vm_run();
	exit_is(EXIT_DONE, "MOV SS with IF clear");
	vm_new(sti_hlt);
	vm_set(I_HLT, true);
	vm_run();
	exit_at(EXIT_HLT, 0, 0, sti_hlt, 1, 2, "STI; HLT");
	is(vm->shadow & 1, 1, "the shadow of STI is saved");
	vm->rip = vm->nrip; /* a VMM that skips the instruction ends the shadow */
	vm->shadow = 0;
	vm->v_intr = irq;
	vm_run();
	vector_is(0x61, addr(sti_hlt) + 2, "V_IRQ after the skipped HLT");
	vm_new(cr8); /* CR8 is V_TPR, masked or not. APM2 15.21.2 */
	vm->v_intr = V_INTR_MASKING;
	vr.rbx = 9;
	vm_run();
	is(vm->v_intr & 0xff, 9, "CR8 writes V_TPR");
	u64 tpr;
	__asm__ volatile("mov %%cr8, %0" : "=r"(tpr));
	is(tpr, 0, "CR8 with V_INTR_MASKING leaves the host's TPR");
	vm_new(CODE("mov %%cr8, %%rbx"));
	vm->v_intr = V_INTR_MASKING | 11;
	vm_run();
	is(vr.rbx, 11, "CR8 reads V_TPR");
}

/* ---- physical events */

static void interrupts(void)
{
	const u8 *code = CODE("nop\n nop");
	const struct {
		const char *name;
		bool masking, host_if, guest_if, icpt;
		u64 exit; /* VMMCALL: taken by the guest */
	} rows[] = {
		{"INTR", false, false, true, true, EXIT_INTR},
		{"INTR, guest IF clear", false, true, false, true, EXIT_DONE},
		{"INTR, masking, host IF", true, true, false, true, EXIT_INTR},
		{"INTR, masking, both IF", true, true, true, true, EXIT_INTR},
		{"INTR, masking, host IF clear", true, false, true, true, EXIT_DONE},
		{"INTR not intercepted", false, false, true, false, EXIT_VMMCALL},
		{"INTR not intercepted, guest IF clear", false, true, false, false, EXIT_DONE},
		{"INTR not intercepted, masking, host IF, guest IF clear", true, true, false, false, EXIT_VMMCALL},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		vm_new(code);
		vm_set(I_INTR, rows[i].icpt);
		vm->v_intr = rows[i].masking ? V_INTR_MASKING : 0;
		vm_host_flags = rows[i].host_if ? 0x202 : 2;
		vm->rflags = rows[i].guest_if ? 0x202 : 2;
		irqs = 0;
		send_irq();
		vm_run();
		exit_is(rows[i].exit, rows[i].name);
		if (rows[i].exit != EXIT_DONE)
			is(vm->rip, rows[i].exit == EXIT_INTR ? addr(code) : addr(vm_stubs + 16 * IRQ), text("%s: rip", rows[i].name));
		sti_cli();
		is(irqs, rows[i].exit != EXIT_VMMCALL, text("%s: then in the host", rows[i].name));
		if (!irqs)
			lapic_write(LAPIC_EOI, 0);
	}
	vm_new(code); /* held by the shadow for one instruction */
	vm->shadow = 1;
	vm->rflags = 0x202;
	send_irq();
	vm_run();
	exit_at(EXIT_INTR, 0, 0, code, 1, -1, "INTR in a shadow");
	sti_cli();
	vm_new(code); /* the guest's HLT ends with it */
	vm->rip = addr(CODE("sti\n hlt\n nop"));
	send_irq();
	vm_run();
	exit_is(EXIT_INTR, "INTR wakes the guest's HLT");
	sti_cli();
}

/* Held while GIF is 0, taken after STGI. APM2 15.17 */
static void gif(void)
{
	const u8 *code = CODE("nop");

	irqs = nmis = 0;
	clgi();
	send_irq();
	send(0x4400);
	sti_cli();
	is(irqs + nmis, 0, "GIF 0 holds INTR and NMI");
	stgi();
	is(nmis, 1, "STGI: NMI comes");
	is(irqs, 0, "STGI with IF clear: INTR does not");
	sti_cli();
	is(irqs, 1, "INTR comes with IF");
	vm_new(code);
	vm_run_gif0();
	irqs = 0;
	send_irq();
	sti_cli();
	is(irqs, 0, "GIF is 0 after #VMEXIT");
	__asm__ volatile("sti\n stgi\n cli" : : : "memory");
	is(irqs, 1, "STGI with IF set: INTR at once");
	vm_new(CODE("clgi\n int3"));
	vm_run_gif0();
	clgi();
	vm_new(code); /* VMRUN sets GIF */
	nmis = 0;
	vm_set(I_NMI, true);
	clgi();
	send(0x4400);
	vm_run_gif0();
	exit_at(EXIT_NMI, 0, 0, code, 0, -1, "NMI");
	is(nmis, 0, "NMI is held after its exit");
	stgi();
	is(nmis, 1, "NMI comes after STGI");
	vm_new(code);
	clgi();
	send(0x4400);
	vm_run();
	vector_is(2, addr(code), "NMI not intercepted goes to the guest");
	is(nmis, 1, "NMI not intercepted: not in the host");
	__asm__ volatile("push %%rbp; mov %%rsp, %%rbp; pushq $0x10; push %%rbp; pushfq; pushq $8; pushq $1f; iretq; 1: pop %%rbp" : : : "memory");
	vm_new(CODE("clgi\n nop\n nop")); /* a guest's CLGI that is not intercepted is the processor's */
	clgi();
	send_irq();
	vm->rflags = 2;
	vm_run();
	irqs = 0;
	sti_cli();
	is(irqs, 1, "after a guest's CLGI");
}

/* VM_CR.R_INIT makes #SX of an INIT, so that the test lives on. APM2 15.21.8, 15.28 */
static void init_smi(void)
{
	const u8 *code = CODE("nop");
	u64 was = msr_read(MSR_VM_CR);

	msr_write(MSR_VM_CR, was | 2);
	if (on_qemu() || !(msr_read(MSR_VM_CR) & 2)) {
		skip("INIT", "no VM_CR.R_INIT");
	} else {
		vm_new(code);
		vm_set(I_INIT, true);
		clgi();
		send(0x4500);
		vm_run_gif0();
		exit_at(EXIT_INIT, 0, 0, code, 0, -1, "INIT");
		is(sxs, 0, "INIT is held after its exit");
		stgi();
		__asm__ volatile("nop");
		is(sxs, 1, "INIT comes after STGI, as #SX");
		is(sx_error, 1, "INIT: #SX error code");
	}
	msr_write(MSR_VM_CR, was);
	if (on_qemu()) {
		skip("SMI", "QEMU has no SMM_CTL");
		return;
	}
	vm_new(code);
	vm_set(I_SMI, true);
	clgi();
	send(0x4200);
	vm_run_gif0();
	exit_is(EXIT_SMI, "SMI");
	msr_write((u32)MSR_SMM_CTL, 1); /* dismissed. APM2 15.30.3 */
	stgi();
	ok(true, "SMI dismissed", " ");
}

/* ---- virtual GIF and NMI. APM2 15.33.2, 15.21.10 */

static void vgif(void)
{
	const u8 *code = CODE("nop\n stgi\n nop"), *clear = CODE("clgi\n nop");
	const u64 irq = V_IRQ | V_PRIO(5) | V_VECTOR(0x61) | V_GIF_ENABLE;

	if (!(svm_features & F_VGIF)) {
		skip("vGIF", "not reported");
		return;
	}
	vm_new(code);
	vm->rflags = 0x202;
	vm->v_intr = irq;
	vm_run();
	vector_is(0x61, addr(code) + 4, "vGIF 0 holds V_IRQ until STGI");
	is(vm->v_intr & V_GIF, V_GIF, "vGIF: STGI sets V_GIF");
	vm_new(code);
	vm->rflags = 0x202;
	vm->v_intr = irq | V_GIF;
	vm_run();
	vector_is(0x61, addr(code), "vGIF 1 does not");
	vm_new(clear);
	vm->v_intr = V_GIF | V_GIF_ENABLE;
	vm_run();
	exit_is(EXIT_DONE, "vGIF: CLGI");
	is(vm->v_intr & V_GIF, 0, "vGIF: CLGI clears V_GIF");
	vm_new(clear);
	vm->v_intr = V_GIF | V_GIF_ENABLE | V_INTR_MASKING;
	vm_host_flags = 0x202;
	vm->v_intr &= ~V_GIF;
	send_irq();
	vm_run();
	exit_is(EXIT_INTR, "vGIF 0 does not hold physical INTR");
	sti_cli();
	vm_new(clear);
	vm->v_intr = V_GIF | V_GIF_ENABLE;
	vm_set(I_CLGI, true);
	vm_run();
	exit_at(0x85, 0, 0, clear, 0, 3, "vGIF: the CLGI intercept goes first");
}

static void vnmi(void)
{
	const u8 *code = CODE("nop\n nop");

	if (!(svm_features & F_VNMI)) {
		skip("vNMI", "not reported");
		return;
	}
	vm_new(code);
	vm_set(I_NMI, true);
	vm->v_intr = V_NMI | V_NMI_ENABLE;
	vm_run();
	vector_is(2, addr(code), "vNMI");
	is(vm->v_intr & (V_NMI | V_NMI_MASK), V_NMI_MASK, "vNMI: V_NMI, V_NMI_MASK");
	vm->v_intr |= V_NMI; /* one more, held until IRET */
	vm->rip += 3;
	vm_run();
	vector_is(2, addr(code), "vNMI: the next after IRET");
	vm->rip += 3;
	vm_run();
	exit_is(EXIT_DONE, "vNMI: no third");
	is(vm->v_intr & (V_NMI | V_NMI_MASK), 0, "vNMI: IRET clears V_NMI_MASK");
	vm_new(code);
	vm_set(I_NMI, true);
	vm->v_intr = V_NMI | V_NMI_MASK | V_NMI_ENABLE;
	vm_run();
	exit_is(EXIT_DONE, "vNMI: masked");
	is(vm->v_intr & V_NMI, V_NMI, "vNMI: masked: still pending");
	vm_new(code);
	vm_set(I_NMI, true);
	vm->v_intr = V_NMI_ENABLE;
	vm->eventinj = EV(EV_NMI, 2);
	vm_run();
	vector_is(2, addr(code), "vNMI: NMI by EVENTINJ");
	is(vm->v_intr & V_NMI_MASK, V_NMI_MASK, "vNMI: NMI by EVENTINJ masks");
	vm_new(code);
	vm_set(I_NMI, true);
	vm_set(I_IRET, true);
	vm->v_intr = V_NMI | V_NMI_ENABLE;
	vm->shadow = 1;
	vm_run();
	vector_is(2, addr(code) + 1, "vNMI waits in a shadow");
}

void guest_main(void)
{
	svm_on();
	lapic_enable();
	handler_set(IRQ, on_irq);
	handler_set(NMI, on_nmi);
	handler_set(VECTOR_SX, on_sx);
	inject();
	inject_fault();
	inject_real();
	virtual_interrupts();
	interrupts();
	gif();
	init_smi();
	vgif();
	vnmi();
}
