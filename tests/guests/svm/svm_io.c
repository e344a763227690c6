/* IOIO and MSR intercepts: EXITINFO1 and 2, the permission maps bit by bit. APM2 15.10, 15.11 */
#include "vm.h"

enum { IN = 1, STR = 4, REP = 8, SZ8 = 0x10, SZ16 = 0x20, SZ32 = 0x40, A16 = 0x80, A32 = 0x100, A64 = 0x200 };
#define SEG(n)  ((n) << 10)
#define PORT(p) ((u64)(p) << 16)
enum { ES, CS, SS_, DS, FS, GS };

static u8 page[4096];

static void port_set(unsigned port) { iopm[port / 8] |= (u8)(1 << port % 8); }

/* An access, its EXITINFO1, its length; nRIP and EXITINFO2 are the next instruction's address. APM2 15.10.2 */
static void forms(void)
{
	const struct {
		const char *name;
		const u8 *code;
		u64 info1;
		int len;
	} rows[] = {
		{"in $0x77, %al", CODE("in $0x77, %%al"), PORT(0x77) | A64 | SZ8 | IN, 2},
		{"in $0x77, %ax", CODE("in $0x77, %%ax"), PORT(0x77) | A64 | SZ16 | IN, 3},
		{"in $0x77, %eax", CODE("in $0x77, %%eax"), PORT(0x77) | A64 | SZ32 | IN, 2},
		{"in %dx, %al", CODE("in %%dx, %%al"), PORT(0x1234) | A64 | SZ8 | IN, 1},
		{"in %dx, %ax", CODE("in %%dx, %%ax"), PORT(0x1234) | A64 | SZ16 | IN, 2},
		{"in %dx, %eax", CODE("in %%dx, %%eax"), PORT(0x1234) | A64 | SZ32 | IN, 1},
		{"out %al, $0x77", CODE("out %%al, $0x77"), PORT(0x77) | A64 | SZ8, 2},
		{"out %ax, $0x77", CODE("out %%ax, $0x77"), PORT(0x77) | A64 | SZ16, 3},
		{"out %eax, $0x77", CODE("out %%eax, $0x77"), PORT(0x77) | A64 | SZ32, 2},
		{"out %al, %dx", CODE("out %%al, %%dx"), PORT(0x1234) | A64 | SZ8, 1},
		{"out %ax, %dx", CODE("out %%ax, %%dx"), PORT(0x1234) | A64 | SZ16, 2},
		{"out %eax, %dx", CODE("out %%eax, %%dx"), PORT(0x1234) | A64 | SZ32, 1},
		{"insb", CODE("insb"), PORT(0x1234) | SEG(ES) | A64 | SZ8 | STR | IN, 1},
		{"insw", CODE("insw"), PORT(0x1234) | SEG(ES) | A64 | SZ16 | STR | IN, 2},
		{"insl", CODE("insl"), PORT(0x1234) | SEG(ES) | A64 | SZ32 | STR | IN, 1},
		{"rep insb", CODE("rep insb"), PORT(0x1234) | SEG(ES) | A64 | SZ8 | REP | STR | IN, 2},
		{"rep insl", CODE("rep insl"), PORT(0x1234) | SEG(ES) | A64 | SZ32 | REP | STR | IN, 2},
		{"addr32 insb", CODE(".byte 0x67, 0x6c"), PORT(0x1234) | SEG(ES) | A32 | SZ8 | STR | IN, 2},
		{"outsb", CODE("outsb"), PORT(0x1234) | SEG(DS) | A64 | SZ8 | STR, 1},
		{"outsw", CODE("outsw"), PORT(0x1234) | SEG(DS) | A64 | SZ16 | STR, 2},
		{"outsl", CODE("outsl"), PORT(0x1234) | SEG(DS) | A64 | SZ32 | STR, 1},
		{"rep outsw", CODE("rep outsw"), PORT(0x1234) | SEG(DS) | A64 | SZ16 | REP | STR, 3},
		{"fs outsb", CODE(".byte 0x64, 0x6e"), PORT(0x1234) | SEG(FS) | A64 | SZ8 | STR, 2},
		{"gs rep outsl", CODE(".byte 0x65, 0xf3, 0x6f"), PORT(0x1234) | SEG(GS) | A64 | SZ32 | REP | STR, 3},
		{"addr32 outsb", CODE(".byte 0x67, 0x6e"), PORT(0x1234) | SEG(DS) | A32 | SZ8 | STR, 2},
	};
	const u64 seg = svm_features & F_DECODE ? ~0ull : ~0x1c00ull;

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		vm_new(rows[i].code);
		memset(iopm, 0xff, 3 * 4096);
		vm_set(I_IOIO, true);
		vm->rax = 0x55;
		vr.rdx = 0x1234;
		vr.rcx = 3;
		vr.rsi = vr.rdi = addr(page);
		vm_run();
		exit_at(EXIT_IOIO, rows[i].info1 & seg, addr(rows[i].code) + (u64)rows[i].len, rows[i].code, 0, rows[i].len,
			rows[i].name);
		ok(vr.rcx == 3 && vr.rsi == addr(page) && vr.rdi == addr(page) && vm->rax == 0x55,
		   text("%s: nothing is done", rows[i].name), "rcx %llx rsi %llx rdi %llx rax %llx", vr.rcx, vr.rsi, vr.rdi, vm->rax);
	}
}

/* The segment and the address size of 32- and 16-bit code. */
static void other_modes(void)
{
	const u8 *c = CODE32(".byte 0x26, 0x6e"), *d = CODE16(".byte 0x2e, 0xf3, 0x6f"), *e = CODE16(".byte 0x67, 0x6c");
	const u64 seg = svm_features & F_DECODE ? ~0ull : ~0x1c00ull;

	vm_new32(c, false);
	memset(iopm, 0xff, 3 * 4096);
	vm_set(I_IOIO, true);
	vr.rdx = 0x80;
	vm_run();
	exit_info(EXIT_IOIO, (PORT(0x80) | SEG(ES) | A32 | SZ8 | STR) & seg, addr(c) + 2, "32-bit es outsb");
	vm_new16(d);
	memset(iopm, 0xff, 3 * 4096);
	vm_set(I_IOIO, true);
	vr.rdx = 0x80;
	vr.rcx = 1;
	vm_run();
	exit_info(EXIT_IOIO, (PORT(0x80) | SEG(CS) | A16 | SZ16 | REP | STR) & seg, 3, "16-bit cs rep outsw");
	vm_new16(e);
	memset(iopm, 0xff, 3 * 4096);
	vm_set(I_IOIO, true);
	vr.rdx = 0x80;
	vm_run();
	exit_info(EXIT_IOIO, PORT(0x80) | SEG(ES) | A32 | SZ8 | STR | IN, 2, "16-bit addr32 insb");
}

/* One bit a port; an access of several bytes looks at each, into the third page at port FFFFh. APM2 15.10.1 */
static void map(void)
{
	const u8 *in1 = CODE("in %%dx, %%al"), *in2 = CODE("in %%dx, %%ax"), *in4 = CODE("in %%dx, %%eax");
	const struct {
		unsigned marked, port;
		const u8 *code;
		bool exits;
	} rows[] = {
		{0x100, 0x100, in1, true},    {0x100, 0xff, in1, false},    {0x100, 0x101, in1, false},
		{0x100, 0xff, in2, true},     {0x100, 0xfe, in2, false},    {0x100, 0xfd, in4, true},
		{0x100, 0xfc, in4, false},    {0x101, 0x100, in2, true},    {0x103, 0x100, in4, true},
		{0x104, 0x100, in4, false},   {0x107, 0x104, in4, true},    {0x8000, 0x7fff, in2, true},
		{0x7fff, 0x7fff, in1, true},  {0x8000, 0x7ffd, in4, true},  {0xffff, 0xffff, in1, true},
		{0x10000, 0xffff, in1, false}, {0x10000, 0xffff, in2, true}, {0x10002, 0xffff, in4, true},
		{0x10003, 0xffff, in4, false}, {0xfffe, 0xfffc, in4, true},  {0, 0, in1, true},
	};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		vm_new(rows[i].code);
		port_set(rows[i].marked);
		vm_set(I_IOIO, true);
		vr.rdx = rows[i].port;
		vm_run();
		exit_is(rows[i].exits ? EXIT_IOIO : EXIT_DONE, text("port %x marked, access %u at %x", rows[i].marked, i, rows[i].port));
	}
	vm_new(in1);
	memset(iopm, 0xff, 3 * 4096);
	vm_run();
	exit_is(EXIT_DONE, "IOPM without the intercept");
	vm_new(in1);
	port_set(0);
	vm_set(I_IOIO, true);
	vm->iopm += 0xfff;
	vm_run();
	exit_is(EXIT_IOIO, "IOPM_BASE_PA bits 11:0 are ignored");
	/* A string goes on to the port's exit each time. */
	const u8 *rep = CODE("rep outsb");
	vm_new(rep);
	port_set(0x80);
	vm_set(I_IOIO, true);
	vr.rdx = 0x80;
	vr.rcx = 0;
	vr.rsi = addr(page);
	vm_run();
	ok(vm->exitcode == EXIT_DONE || vm->exitcode == EXIT_IOIO, "rep outsb of nothing", "exit %llx", vm->exitcode);
}

/* At CPL 3 IOPL and the TSS come first. APM2 15.10.2 */
static void protection(void)
{
	const u8 *code = CODE("in %%dx, %%al");

	for (unsigned iopl = 0; iopl < 2; iopl++) {
		vm_new(code);
		port_set(0x80);
		vm_set(I_IOIO, true);
		vm->rip += USER_BASE;
		vm->cpl = 3;
		vm->cs = (struct vmcb_seg){UCODE, 0xafb, ~0u, 0};
		vm->ss = (struct vmcb_seg){UDATA, 0xcf3, ~0u, 0};
		vm->rflags = iopl ? 0x3002 : 2;
		vr.rdx = 0x80;
		vm_run();
		exit_is(iopl ? EXIT_IOIO : EXIT_GP, iopl ? "CPL 3, IOPL 3: exits" : "CPL 3, IOPL 0: #GP");
	}
}

/* Two bits an MSR: read, write; all others exit always. APM2 15.11 */
static void msrs(void)
{
	const struct {
		u32 msr;
		int bit; /* of the read; -1: not in the map */
	} rows[] = {
		{0x10, 0x20},          {0x174, 0x2e8},         {0x1fff, 0x3ffe},      {0x2000, -1},          {0xbfffffff, -1},
		{0xc0000000, 0x4000},  {0xc0000080, 0x4100},   {0xc0000102, 0x4204},  {0xc0001fff, 0x7ffe},  {0xc0002000, -1},
		{0xc0010000, 0x8000},  {0xc0010114, 0x8228},   {0xc0011fff, 0xbffe},  {0xc0012000, -1},      {0x40000000, -1},
		{0xffffffff, -1},
	};
	const u8 *code[2] = {CODE("rdmsr"), CODE("wrmsr")};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
		for (unsigned w = 0; w < 2; w++) {
			int bit = rows[i].bit + (int)w;

			vm_new(code[w]);
			vm_set(I_MSR, true);
			if (rows[i].bit >= 0)
				msrpm[bit / 8] |= (u8)(1 << bit % 8);
			vr.rcx = rows[i].msr;
			vr.rdx = ~0ull;
			vm->rax = 0x1234;
			vm_run();
			exit_at(EXIT_MSR, w, 0, code[w], 0, 2, text("%s %x", w ? "WRMSR" : "RDMSR", rows[i].msr));
			is(vm->rax, 0x1234, text("%s %x: RAX", w ? "WRMSR" : "RDMSR", rows[i].msr));
			if (rows[i].bit < 0)
				continue;
			memset(msrpm, 0xff, 2 * 4096); /* all but this one */
			msrpm[bit / 8] = (u8)~(1 << bit % 8);
			vm_run();
			ok(vm->exitcode == EXIT_DONE || vm->exitcode == EXIT_GP, text("%s %x not marked", w ? "WRMSR" : "RDMSR", rows[i].msr),
			   "exit %llx", vm->exitcode);
		}
	vm_new(code[0]);
	memset(msrpm, 0xff, 2 * 4096);
	vr.rcx = 0x10;
	vm_run();
	exit_is(EXIT_DONE, "MSRPM without the intercept");
	vm_new(code[0]);
	vm_set(I_MSR, true);
	vm->msrpm += 0xabc;
	msrpm[4] = 1;
	vr.rcx = 0x10;
	vm_run();
	exit_is(EXIT_MSR, "MSRPM_BASE_PA bits 11:0 are ignored");
}

void guest_main(void)
{
	svm_on();
	forms();
	other_modes();
	map();
	protection();
	msrs();
}
