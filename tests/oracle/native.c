/*
 * The native runner: a process of its own that executes the oracle's cases on the host CPU. It maps the oracle's pages,
 * gives up all system calls but reading and writing its pipes, and then runs batches out of shared memory. A case that
 * ends in an exception arrives in the signal handler, which reads the registers out of the signal frame and goes
 * straight back to the loop.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "fpstate.h"
#include "layout.h"

extern const u8 stub_begin[], stub_end[], stub_enter64[], stub_enter_far[];
extern void signal_entry(int, siginfo_t *, void *);
extern void signal_leave(void) NORETURN;
void signal_in_c(int sig, siginfo_t *info, void *frame);

static struct shared *shm;
static u8 *code; /* the code pages, writable */
static u8 *areas[AREAS];
static volatile bool in_case;
static struct outcome *current;

static void NORETURN die(const char *what)
{
	fprintf(stderr, "oracle-native: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- memory ---- */
static void *map_at(u64 at, size_t size, int prot, int fd)
{
	void *p = mmap((void *)(uintptr_t)at, size, prot,
		       (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | (at ? MAP_FIXED : 0), fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void map_everything(void)
{
	size_t size = (size_t)(stub_end - stub_begin);
	int fd = memfd_create("code", 0);
	u8 *stub;

	shm = map_at(0, sizeof *shm, PROT_READ | PROT_WRITE, RUNNER_SHM);
	if (fd < 0 || ftruncate(fd, CODE_SIZE))
		die("memfd");
	code = map_at(0, CODE_SIZE, PROT_READ | PROT_WRITE, fd);
	map_at(CODE_BASE, CODE_SIZE, PROT_READ | PROT_EXEC, fd);
	memset(code, 0xcc, CODE_SIZE);
	for (unsigned a = 0; a < AREAS; a++)
		areas[a] = map_at(oracle_area[a], 4096, PROT_READ | PROT_WRITE | (a == AREA_SMC ? PROT_EXEC : 0), -1);
	memcpy(map_at(RO_BASE, 4096, PROT_READ | PROT_WRITE, -1), shm->initial[AREAS], 4096);
	if (mprotect((void *)RO_BASE, 4096, PROT_READ))
		die("mprotect");
	map_at(STUB_IO, 4096, PROT_READ | PROT_WRITE, -1);
	stub = map_at(STUB_BASE, 4096, PROT_READ | PROT_WRITE, -1);
	memcpy(stub, stub_begin, size);
	if (size > 4096 || mprotect(stub, 4096, PROT_READ | PROT_EXEC))
		die("stub");
	area_reset(areas, shm);
}

static void load_ldt(void)
{
	for (unsigned i = 0; i < LDT_COUNT; i++) {
		const struct oseg *s = &oracle_ldt[i];
		struct user_desc d = {.entry_number = i,
				      .base_addr = s->base,
				      .limit = s->limit,
				      .seg_32bit = s->big & 1,
				      .contents = s->contents & 3,
				      .read_exec_only = s->readonly & 1,
				      .limit_in_pages = s->pages & 1,
				      .seg_not_present = s->absent & 1,
				      .useable = 1};

		if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d))
			shm->no_ldt = 1;
	}
}

/* ---- no way out ---- */

/* System calls by a case end it with SIGSYS, whatever their number: only code above 4 GB (ours) may make some. */
static void lock_up(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_read, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_SIZE(f), f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		die("seccomp");
}

static void catch_signals(void)
{
	static u8 stack[1 << 16] __attribute__((aligned(64)));
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGUSR1};
	stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
	struct sigaction sa = {.sa_sigaction = signal_entry, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	if (sigaltstack(&ss, NULL))
		die("sigaltstack");
	for (unsigned i = 0; i < ARRAY_SIZE(sigs); i++)
		if (sigaction(sigs[i], &sa, NULL))
			die("sigaction");
}

static void read_frame(const ucontext_t *uc, struct ostate *s)
{
	static const u8 order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
				     REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
	const greg_t *g = uc->uc_mcontext.gregs;

	for (unsigned i = 0; i < 16; i++)
		s->r[i] = (u64)g[order[i]];
	s->rip = (u64)g[REG_RIP];
	s->flags = (u64)g[REG_EFL];
	s->cs = (u16)g[REG_CSGSFS];
	s->ss = (u16)((u64)g[REG_CSGSFS] >> 48);
}

/* Called by signal_entry, on the alternate stack. SIGUSR1 is the watchdog's. */
void signal_in_c(int sig, siginfo_t *info, void *frame)
{
	const ucontext_t *uc = frame;
	struct ostate *s = (struct ostate *)IO_OUT;

	(void)info;
	if (!in_case) {
		if (sig == SIGUSR1)
			return;
		_exit(3);
	}
	read_frame(uc, s);
	memcpy(s->fx, uc->uc_mcontext.fpregs, FX_SIZE); /* the kernel saves it in the same form */
	current->end = sig == SIGUSR1 ? END_HANG : sig == SIGSYS ? END_SYSCALL : (u32)uc->uc_mcontext.gregs[REG_TRAPNO];
	current->error = (u32)uc->uc_mcontext.gregs[REG_ERR];
	current->cr2 = (u64)uc->uc_mcontext.gregs[REG_CR2];
	signal_leave();
}

/* ---- running ---- */
static int enter(const struct ocase *c)
{
	const u8 *to = c->bits == 64 ? stub_enter64 : stub_enter_far;
	int (*stub)(void);
	u64 at = STUB_BASE + (u64)(to - stub_begin);

	memcpy(&stub, &at, sizeof stub);
	return stub();
}

static u32 xcr0;

static void find_xcr0(void)
{
	u32 a, b, c, d, hi;

	__cpuid(1, a, b, c, d);
	if (!(c >> 27 & 1)) {
		errno = ENOTSUP;
		die("XSAVE");
	}
	__asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(hi) : "c"(0));
}

static bool all_zero(const u8 *p, unsigned n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

/* The components that are not as after reset: the others are made so by XRSTOR itself, so that the CPU does not count them as used. */
static u64 in_use(const u8 *fx)
{
	bool x87 = load_le(fx, 8) != 0x37f || !all_zero(fx + AT_FIP, 16) || !all_zero(fx + AT_ST, 128);

	return (x87 ? 1 : 0) | (all_zero(fx + AT_XMM, 256) ? 0 : 2) | (all_zero(fx + AT_YMM, 256) ? 0 : 4);
}

static void run_case(const struct ocase *c, struct outcome *o)
{
	static const u32 mxcsr = 0x1f80;
	struct ostate *out = (struct ostate *)IO_OUT;
	u8 bytes[CASE_CODE + 16];
	unsigned n = case_bytes(c, bytes);
	u8 *where = case_is_smc(c) ? areas[AREA_SMC] + (c->at - SMC_BASE) : code + (c->at - CODE_BASE);

	area_poke(areas, c);
	memcpy(where, bytes, n);
	*(struct ostate *)IO_IN = c->in;
	store_le(((struct ostate *)IO_IN)->fx + AT_BV, 8, in_use(c->in.fx) & xcr0);
	memset(out->fx, 0, FX_SIZE);
	*(u64 *)IO_TARGET = c->bits == 64 ? c->in.rip : (u32)c->in.rip | (u64)c->in.cs << 32;
	o->end = END_OK;
	o->error = 0;
	o->cr2 = 0;
	current = o;
	in_case = true;
	if (!enter(c)) {
		out->rip = EXIT_ADDR;
		out->cs = SEL_CODE64;
	}
	in_case = false;
	o->out = *out;
	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
	if (!case_is_smc(c))
		memset(where, 0xcc, n);
	area_collect(areas, shm, o);
}

int main(void)
{
	u8 slot;

	find_xcr0();
	map_everything();
	load_ldt();
	catch_signals();
	__asm__ volatile("rdfsbase %%rax; movq %%rax, (%0)" : : "r"((u64)IO_HOST_FS) : "rax", "memory");
	lock_up();
	while (read(RUNNER_IN, &slot, 1) == 1) {
		struct batch *b = &shm->slot[slot % SLOTS];

		for (u32 i = b->first; i < b->n; i++) {
			shm->progress = i;
			run_case(&b->in[i], &b->out[i]);
		}
		if (write(RUNNER_OUT, &slot, 1) != 1)
			break;
	}
	return 0;
}
