/*
 * A program for /dev/kvm, without a C library and without the FPU, for the test guest of tests/linux: it makes virtual machines and
 * runs small guests (code.S) in real, protected and long mode, and checks each exit: ports, memory that nobody has, HLT, an
 * interrupt, shutdown. It prints a line a guest; its exit status is the number of those that failed.
 * Manual: the kernel's Documentation/virt/kvm/api.rst.
 */
#include <asm/unistd.h>
#include <linux/kvm.h>
#include <stdint.h>

#define MEM_SIZE 0x200000ul /* of a guest, from 0 on */
#define CODE     0x1000
#define IDT      0x3000
#define GDT      0x3800
#define RESULT   0x4000
#define PML4     0x10000
#define STACK    0x9000
#define MMIO     0xd0000 /* nobody there: behind the memory slots' hole */

struct code {
	const char *name;
	const uint8_t *begin, *end;
};
extern const uint8_t real_begin[], real_end[], mmio_begin[], mmio_end[], prot_begin[], prot_end[], paged_begin[], paged_end[],
	long_begin[], long_end[], irq_begin[], irq_end[], triple_begin[], triple_end[];

/* ---- the kernel ---- */

static long call(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return r;
}

static long ioctl(long fd, unsigned long req, unsigned long arg) { return call(__NR_ioctl, fd, (long)req, (long)arg, 0, 0, 0); }

static void *map(unsigned long size, long fd)
{
	/* read and write; shared, and of no file when there is none */
	long p = call(__NR_mmap, 0, (long)size, 3, fd < 0 ? 0x21 : 1, fd, 0);

	return p < 0 && p > -4096 ? 0 : (void *)p;
}

static void print(const char *s)
{
	unsigned long n = 0;

	while (s[n])
		n++;
	call(__NR_write, 1, (long)s, (long)n, 0, 0, 0);
}

static void print_hex(uint64_t v)
{
	char s[17];

	for (int i = 0; i < 16; i++)
		s[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
	s[16] = 0;
	print(s);
}

/* ---- a virtual machine ---- */

struct vm {
	long kvm, vm, cpu;
	uint8_t *mem;
	struct kvm_run *run;
};

static long fail(const char *what, long val)
{
	print("kvm: ");
	print(what);
	print(": ");
	print_hex((uint64_t)val);
	print("\n");
	return 0;
}

static void put(struct vm *m, unsigned at, unsigned size, uint64_t val)
{
	for (unsigned i = 0; i < size; i++)
		m->mem[at + i] = (uint8_t)(val >> 8 * i);
}

static uint64_t get(const struct vm *m, unsigned at, unsigned size)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)m->mem[at + i] << 8 * i;
	return v;
}

/* Memory from 0 to MMIO, and from 1 MB on. */
static long memory(struct vm *m)
{
	struct kvm_userspace_memory_region low = {0, 0, 0, MMIO, (uintptr_t)m->mem};
	struct kvm_userspace_memory_region high = {1, 0, 0x100000, MEM_SIZE - 0x100000, (uintptr_t)m->mem + 0x100000};

	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&low) |
	       ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, (uintptr_t)&high);
}

static long vm_new(struct vm *m, const uint8_t *begin, const uint8_t *end)
{
	long size;

	m->vm = ioctl(m->kvm, KVM_CREATE_VM, 0);
	m->mem = map(MEM_SIZE, -1);
	if (m->vm < 0 || !m->mem || memory(m))
		return fail("KVM_CREATE_VM", m->vm);
	m->cpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	size = ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	m->run = m->cpu < 0 ? 0 : map((unsigned long)size, m->cpu);
	if (!m->run)
		return fail("KVM_CREATE_VCPU", m->cpu);
	for (long i = 0; i < end - begin; i++)
		m->mem[CODE + i] = begin[i];
	return 1;
}

static void vm_end(struct vm *m)
{
	call(__NR_munmap, (long)m->run, ioctl(m->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), 0, 0, 0, 0);
	call(__NR_munmap, (long)m->mem, MEM_SIZE, 0, 0, 0, 0);
	call(__NR_close, m->cpu, 0, 0, 0, 0, 0);
	call(__NR_close, m->vm, 0, 0, 0, 0, 0);
}

static void flat(struct kvm_segment *s, unsigned selector, unsigned type, int bits64, int bits32)
{
	*s = (struct kvm_segment){.limit = 0xffffffff, .selector = (uint16_t)selector, .present = 1, .type = (uint8_t)type,
				  .db = (uint8_t)bits32, .s = 1, .l = (uint8_t)bits64, .g = 1};
}

/* A large page for everything, in each format; 32 entries are enough for the MMIO at 3 GB in long mode. */
static void page_tables(struct vm *m, int is64)
{
	if (!is64) {
		for (unsigned i = 0; i < 1024; i++)
			put(m, PML4 + 4 * i, 4, (uint64_t)i << 22 | 0x83);
		return;
	}
	put(m, PML4, 8, (PML4 + 0x1000) | 3);
	for (unsigned i = 0; i < 4; i++) {
		put(m, PML4 + 0x1000 + 8 * i, 8, (PML4 + 0x2000 + 0x1000 * i) | 3);
		for (unsigned k = 0; k < 512; k++)
			put(m, PML4 + 0x2000 + 0x1000 * i + 8 * k, 8, ((uint64_t)i << 30 | k << 21) | 0x83);
	}
}

enum mode { REAL, PROTECTED, PAGED, LONG };

/* Descriptors for what the guest itself loads: 08h code, 10h data. */
static void tables(struct vm *m, enum mode mode, struct kvm_sregs *s)
{
	put(m, GDT + 8, 8, mode == LONG ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
	put(m, GDT + 16, 8, 0x00cf93000000ffff);
	s->gdt = (struct kvm_dtable){.base = GDT, .limit = 23};
	s->idt = (struct kvm_dtable){.base = IDT, .limit = 0x7ff};
}

static long set_mode(struct vm *m, enum mode mode)
{
	struct kvm_sregs s;
	struct kvm_regs r = {.rip = CODE, .rsp = STACK, .rflags = 2};

	if (ioctl(m->cpu, KVM_GET_SREGS, (uintptr_t)&s))
		return fail("KVM_GET_SREGS", 0);
	s.cs.base = s.cs.selector = 0;
	if (mode != REAL) {
		flat(&s.cs, 8, 11, mode == LONG, mode != LONG);
		flat(&s.ds, 16, 3, 0, 1);
		s.es = s.fs = s.gs = s.ss = s.ds;
		tables(m, mode, &s);
		s.cr0 |= 1;
	}
	if (mode == PAGED || mode == LONG) {
		page_tables(m, mode == LONG);
		s.cr3 = PML4;
		s.cr0 |= 0x80010000;
		s.cr4 |= mode == LONG ? 0x20 : 0x10;
		s.efer |= mode == LONG ? 0x500 : 0;
	}
	if (ioctl(m->cpu, KVM_SET_SREGS, (uintptr_t)&s) || ioctl(m->cpu, KVM_SET_REGS, (uintptr_t)&r))
		return fail("KVM_SET_SREGS", mode);
	return 1;
}

static void gate(struct vm *m, unsigned vector, unsigned offset, int is64)
{
	unsigned at = IDT + vector * (is64 ? 16 : 8);

	put(m, at, 8, (uint64_t)(offset & 0xffff) | 8u << 16 | 0x8e00ull << 32 | (uint64_t)(offset >> 16) << 48);
	if (is64)
		put(m, at + 8, 8, 0);
}

/* ---- what must happen ---- */

static long reason(struct vm *m, unsigned want)
{
	long r = ioctl(m->cpu, KVM_RUN, 0);

	if (r)
		return fail("KVM_RUN", r);
	return m->run->exit_reason == want || fail("exit reason", m->run->exit_reason);
}

static uint8_t *io_data(struct vm *m) { return (uint8_t *)m->run + m->run->io.data_offset; }

static long expect_out(struct vm *m, unsigned port, unsigned val)
{
	return reason(m, KVM_EXIT_IO) &&
	       ((m->run->io.direction == KVM_EXIT_IO_OUT && m->run->io.port == port && *io_data(m) == val) ||
		fail("OUT", m->run->io.port << 8 | *io_data(m)));
}

static long answer_in(struct vm *m, unsigned port, unsigned val)
{
	if (!reason(m, KVM_EXIT_IO) || m->run->io.direction != KVM_EXIT_IO_IN || m->run->io.port != port)
		return fail("IN", m->run->io.port);
	*io_data(m) = (uint8_t)val;
	return 1;
}

static uint64_t mmio_data(struct vm *m)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < m->run->mmio.len && i < 8; i++)
		v |= (uint64_t)m->run->mmio.data[i] << 8 * i;
	return v;
}

static long expect_mmio_write(struct vm *m, uint64_t addr, unsigned len, uint64_t val)
{
	return reason(m, KVM_EXIT_MMIO) && ((m->run->mmio.is_write && m->run->mmio.phys_addr == addr && m->run->mmio.len == len &&
					     mmio_data(m) == val) ||
					    fail("MMIO write", (long)m->run->mmio.phys_addr));
}

static long answer_mmio_read(struct vm *m, uint64_t addr, uint32_t val)
{
	if (!reason(m, KVM_EXIT_MMIO) || m->run->mmio.is_write || m->run->mmio.phys_addr != addr)
		return fail("MMIO read", (long)m->run->mmio.phys_addr);
	for (unsigned i = 0; i < 4; i++)
		m->run->mmio.data[i] = (uint8_t)(val >> 8 * i);
	return 1;
}

static long expect_memory(struct vm *m, unsigned at, uint64_t val)
{
	return get(m, at, 8) == val || fail("memory", (long)get(m, at, 8));
}

/* ---- the guests ---- */

static long guest_real(struct vm *m)
{
	return set_mode(m, REAL) && expect_out(m, 0x3f8, 'R') && answer_in(m, 0x3f9, 0x5a) && reason(m, KVM_EXIT_HLT) &&
	       expect_memory(m, RESULT, 0x5a5b);
}

static long guest_mmio(struct vm *m)
{
	return set_mode(m, REAL) && expect_mmio_write(m, MMIO + 0x10, 4, 0x12345678) && answer_mmio_read(m, MMIO + 0x20, 0x600df00d) &&
	       reason(m, KVM_EXIT_HLT) && expect_memory(m, RESULT, 0x600df00d);
}

static long guest_protected(struct vm *m)
{
	return set_mode(m, PROTECTED) && expect_out(m, 0x80, 'P') && reason(m, KVM_EXIT_HLT) && expect_memory(m, RESULT, 5050);
}

/* UD2 goes through the guest's own IDT. */
static long guest_paged(struct vm *m)
{
	if (!set_mode(m, PAGED))
		return 0;
	gate(m, 6, CODE + 0x80, 0);
	return reason(m, KVM_EXIT_HLT) && expect_memory(m, RESULT, 0x6006);
}

static long guest_long(struct vm *m)
{
	return set_mode(m, LONG) && expect_out(m, 0x80, 'L') && expect_mmio_write(m, 0xc0000008, 8, 0x1122334455667788) &&
	       reason(m, KVM_EXIT_HLT) && expect_memory(m, RESULT, 0x123456789abcdef0) && expect_memory(m, RESULT + 8, 1);
}

/* HLT with interrupts on; the interrupt that we then give runs the guest's handler. */
static long guest_irq(struct vm *m)
{
	struct kvm_interrupt irq = {0x20};

	if (!set_mode(m, LONG))
		return 0;
	gate(m, 0x20, CODE + 0x80, 1);
	return reason(m, KVM_EXIT_HLT) && (!ioctl(m->cpu, KVM_INTERRUPT, (uintptr_t)&irq) || fail("KVM_INTERRUPT", 0)) &&
	       reason(m, KVM_EXIT_HLT) && expect_memory(m, RESULT, 0x20);
}

static long guest_triple(struct vm *m) { return set_mode(m, PROTECTED) && reason(m, KVM_EXIT_SHUTDOWN); }

static const struct {
	const char *name;
	const uint8_t *begin, *end;
	long (*run)(struct vm *m);
} guests[] = {
	{"real mode, ports", real_begin, real_end, guest_real},
	{"real mode, memory-mapped I/O", mmio_begin, mmio_end, guest_mmio},
	{"protected mode", prot_begin, prot_end, guest_protected},
	{"paging, an exception", paged_begin, paged_end, guest_paged},
	{"long mode", long_begin, long_end, guest_long},
	{"an interrupt", irq_begin, irq_end, guest_irq},
	{"shutdown", triple_begin, triple_end, guest_triple},
};

static long run_all(void)
{
	long failed = 0;
	long kvm = call(__NR_openat, -100, (long)"/dev/kvm", 2, 0, 0, 0);

	if (kvm < 0 || ioctl(kvm, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return fail("/dev/kvm", kvm), 100;
	for (unsigned i = 0; i < sizeof guests / sizeof guests[0]; i++) {
		struct vm m = {.kvm = kvm};
		long ok = vm_new(&m, guests[i].begin, guests[i].end) && guests[i].run(&m);

		print("kvm: ");
		print(guests[i].name);
		print(ok ? ": ok\n" : ": FAILED\n");
		failed += !ok;
		vm_end(&m);
	}
	return failed;
}

void start(void);
void start(void) { call(__NR_exit_group, run_all(), 0, 0, 0, 0, 0); }
