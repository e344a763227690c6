/*
 * Unit tests of src/debug: expressions, what a breakpoint's text means, breakpoints on a small program in real mode, that
 * they change nothing, and GDB packets, well-formed and not.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/gdb.h"
#include "debug/stat.h"
#include "debug/trap.h"

static struct pc *pc;
static struct target target;
static struct hub hub;
static struct debugger d;
static struct error err;

/* 7C00h: mov ax,5; mov [9000h],ax; xchg bx,bx; mov bl,[9001h]; inc cx; jmp 7C00h. The second instruction is at 7C03h. */
static const u8 program[] = {0xb8, 0x05, 0x00, 0xa3, 0x00, 0x90, 0x87, 0xdb, 0x8a, 0x1e, 0x01, 0x90, 0x41, 0xeb, 0xf1};
enum { START = 0x7c00, STORE = 0x7c03, MAGIC = 0x7c06, LOAD = 0x7c08, INC = 0x7c0c, JMP = 0x7c0d, LOOP = 6 };

static void setup(void)
{
	struct pc_config cfg = {.ram_size = 4 << 20, .cpus = 2, .uarts = 2};
	struct x86_cpu *c;

	pc = malloc(sizeof *pc);
	ck_assert(x86_model_parse(&cfg.model, "zen", &err));
	ck_assert_msg(pc_init(pc, &cfg, &err), "%s", err.msg);
	target_pc(&target, pc);
	hub_init(&hub, &target);
	debugger_init(&d, &hub, 0);
	c = &pc->cpu[0].x86;
	for (unsigned i = 0; i < sizeof program; i++)
		space_write(&pc->mem, START + i, 1, program[i]);
	c->seg[SEG_CS].sel = 0;
	c->seg[SEG_CS].base = 0;
	c->rip = START;
	x86_state_changed(c);
}

static void teardown(void)
{
	debugger_free(&d);
	pc_free(pc);
	free(pc);
}

static u64 rip(void) { return pc->cpu[0].x86.rip; }

/* ---- expressions ---- */

static bool eval(const char *text, u64 *val)
{
	struct view v;
	struct expr_env env;

	debugger_view(&d, &v);
	env = debugger_env(&d, &v);
	return expr_eval(&env, text, NULL, val, &err);
}

START_TEST(test_values)
{
	static const struct {
		const char *text;
		u64 val;
	} good[] = {
		{"1 + 2 * 3", 7}, {"(1 + 2) * 3", 9}, {"0x10 + 10h", 32}, {"7 / 2", 3}, {"7 % 4", 3}, {"1 << 4 | 1", 17},
		{"~0", ~0ull}, {"-1", ~0ull}, {"!0", 1}, {"1 == 1 && 2 != 3", 1}, {"1 > 2 || 3 >= 3", 1}, {"5 & 4 == 4", 1},
		{"6 ^ 3", 5}, {"1 < 2", 1}, {"3 <= 2", 0}, {"5 in 5..6", 1}, {"7 in 5..6", 0}, {"rip", START}, {"$rip", START},
		{"eip + 1", START + 1}, {"cs", 0}, {"cs.base", 0}, {"ss.limit", 0xffff}, {"cr0 & 1", 0}, {"cpu", 0}, {"cpl", 0},
		{"[v:0x7c00].b", 0xb8}, {"[p:0x7c00].w", 0x05b8}, {"[g:0x7c03].b", 0xa3}, {"[0x7c00].d", 0xa30005b8},
		{"[p:0x7c00].q", 0x8790 /* checked below */}, {"NPF", 0x400}, {"IOIO", 0x7b}, {"INVALID", ~0ull}, {"1 << 64", 0},
	};
	u64 val;

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		ck_assert_msg(eval(good[i].text, &val), "%s: %s", good[i].text, err.msg);
		if (strcmp(good[i].text, "[p:0x7c00].q"))
			ck_assert_msg(val == good[i].val, "%s is %llx", good[i].text, (unsigned long long)val);
		else
			ck_assert_uint_eq(val, load_le(program, 8));
	}
}
END_TEST

START_TEST(test_refused_expressions)
{
	static const char *const bad[] = {"", "1 +", "(1", "nobody", "1 2", "[0x10", "[v:1", "1 / 0", "5 % 0", "vmcb.exitcode", "vmcb.nothing",
					  "guest.rip", "rip.x", "0x", "12z", "5 in 3", ")", "a.c:12", "1 === 1", "]"};
	char deep[400];
	u64 val;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		err.msg[0] = 0;
		ck_assert_msg(!eval(bad[i], &val), "'%s' is %llx", bad[i], (unsigned long long)val);
		ck_assert(err.msg[0]);
	}
	memset(deep, '(', sizeof deep - 1);
	deep[sizeof deep - 1] = 0;
	ck_assert(!eval(deep, &val));
}
END_TEST

/* ---- breakpoints ---- */

START_TEST(test_texts)
{
	static const struct {
		const char *text;
		enum break_kind kind;
		u64 lo, hi;
	} good[] = {
		{"0x7c03", BREAK_EXEC, 0x7c03, 0x7c03}, {"exec p:0x7c03", BREAK_EXEC, 0x7c03, 0x7c03}, {"rip + 3", BREAK_EXEC, 0x7c03, 0x7c03},
		{"write 0x9000, 2", BREAK_WATCH, 0x9000, 0x9001}, {"access g:0x10,1", BREAK_WATCH, 0x10, 0x10}, {"magic", BREAK_MAGIC, 0, 0},
		{"port 0x60-0x64 in", BREAK_PORT, 0x60, 0x64}, {"port", BREAK_PORT, 0, 0xffff}, {"msr 0xc0000080 write", BREAK_MSR, 0xc0000080, 0xc0000080},
		{"cr 3", BREAK_CR, 3, 3}, {"exception #PF", BREAK_EXCEPTION, 14, 14}, {"exception 6", BREAK_EXCEPTION, 6, 6},
		{"interrupt 0x20", BREAK_INTERRUPT, 0x20, 0x20}, {"mode", BREAK_MODE, 0, 0}, {"vmrun", BREAK_VMRUN, 0, 0},
		{"vmexit", BREAK_VMEXIT, 0, ~0ull}, {"vmexit CPUID", BREAK_VMEXIT, 0x72, 0x72}, {"vmexit 0x400 if 1", BREAK_VMEXIT, 0x400, 0x400},
		{"npf 0x1000-0x1fff", BREAK_NPF, 0x1000, 0x1fff}, {"inject", BREAK_INJECT, 0, 0}, {"asid 2", BREAK_ASID, 2, 2},
		{"flush", BREAK_FLUSH, 0, 0}, {"triple", BREAK_TRIPLE, 0, 0}, {"reset if cpu == 0", BREAK_RESET, 0, 0}, {"count 100", BREAK_COUNT, 100, 0},
	};
	static const char *const bad[] = {"", "nowhere", "port x", "port 5-3", "vmexit NOBODY", "exception #ZZ", "write 0x9000,0", "magic 1",
					  "interrupt #PF", "write", "write vmcb.cr0", "0x7c00 0x7c01", "msr 1 sideways", "count", "x.c:9"};
	struct breakpoint b;
	struct expr_env env;
	struct view v;

	debugger_view(&d, &v);
	env = debugger_env(&d, &v);
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		ck_assert_msg(breaks_parse(&b, good[i].text, &env, &err), "%s: %s", good[i].text, err.msg);
		ck_assert_msg(b.kind == good[i].kind && b.lo == good[i].lo, "%s: %u %llx", good[i].text, b.kind, (unsigned long long)b.lo);
		if (b.kind == BREAK_WATCH || b.kind == BREAK_PORT || b.kind == BREAK_NPF)
			ck_assert_uint_eq(b.hi, good[i].hi);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(!breaks_parse(&b, bad[i], &env, &err), "'%s' is accepted", bad[i]);
}
END_TEST

static struct breakpoint *set(const char *text)
{
	struct breakpoint *b = debugger_break(&d, text, &err);

	ck_assert_msg(b != NULL, "%s: %s", text, err.msg);
	return b;
}

START_TEST(test_exec)
{
	struct breakpoint *b = set("0x7c0c");

	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
		ck_assert_uint_eq(rip(), INC);
		ck_assert_uint_eq(pc->machine.s.icount, 4 + (i - 1) * LOOP);
		ck_assert_uint_eq(b->hits, i);
	}
	strcpy(b->condition, "cx == 10");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_uint_eq(pc->cpu[0].x86.r[R_CX], 10);
	ck_assert_uint_eq(b->met, 11);
	b->condition[0] = 0;
	b->ignore = 4;
	debugger_go(&d);
	ck_assert_uint_eq(pc->cpu[0].x86.r[R_CX], 15);
	b->on = false;
	debugger_changed(&d);
	ck_assert_int_eq(debugger_go_until(&d, 1000), STOP_UNTIL);
	ck_assert_uint_eq(pc->machine.s.icount, 1000);
	debugger_delete(&d, b);
	ck_assert_ptr_null(pc->cpu[0].x86.spy);
}
END_TEST

START_TEST(test_watch)
{
	set("write 0x9001, 1");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_uint_eq(rip(), MAGIC);
	ck_assert_uint_eq(d.stop_hit.rip, STORE);
	ck_assert_uint_eq(d.stop_hit.size, 2);
	ck_assert_uint_eq(d.stop_hit.old, 0);
	ck_assert_uint_eq(d.stop_hit.val, 5);
	debugger_go(&d);
	ck_assert_uint_eq(d.stop_hit.old, 5);
	ck_assert_uint_eq(pc->machine.s.icount, 2 + LOOP);
	debugger_delete(&d, d.breaks);
	set("read p:0x9000, 2");
	debugger_go(&d);
	ck_assert_uint_eq(rip(), INC);
	ck_assert(!d.stop_hit.write);
	debugger_delete(&d, d.breaks);
	ck_assert_ptr_null(pc->cpu[0].x86.tlb.spy);
}
END_TEST

/* 32-bit paging, everything at its place: directory at 10000h, table at 11000h; no A or D bit is set yet. */
static void page(void)
{
	struct x86_cpu *c = &pc->cpu[0].x86;

	space_write(&pc->mem, 0x10000, 4, 0x11007);
	for (unsigned i = 0; i < 16; i++)
		space_write(&pc->mem, 0x11000 + 4 * i, 4, i << 12 | 7);
	c->cr3 = 0x10000;
	c->cr0 |= CR0_PE | CR0_PG;
	x86_state_changed(c);
}

/* A walk's reads, and the A and D bits that it sets; the stop comes right after the instruction, before it for its fetch. */
START_TEST(test_watch_walks)
{
	page();
	set("write p:0x1101c, 4"); /* the code's page */
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_str_eq(d.stop_hit.who, "the page walk for a fetch at 7c00");
	ck_assert_uint_eq(d.stop_hit.old, 0x7007);
	ck_assert_uint_eq(d.stop_hit.val, 0x7027);
	ck_assert_uint_eq(rip(), START);
	ck_assert_uint_eq(pc->machine.s.icount, 0);
	debugger_delete(&d, d.breaks);
	set("access p:0x11024, 4 if by == 1"); /* that of 9000h */
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_str_eq(d.stop_hit.who, "the page walk for a write at 9000");
	ck_assert(!d.stop_hit.write);
	ck_assert_uint_eq(d.stop_hit.val, 0x9007);
	ck_assert_uint_eq(d.stop_hit.rip, STORE);
	ck_assert_uint_eq(rip(), MAGIC);
	ck_assert_uint_eq(pc->machine.s.icount, 2);
	ck_assert_uint_eq(space_peek(&pc->mem, 0x11024, 4), 0x9067);
	ck_assert_int_eq(debugger_go_until(&d, 100), STOP_UNTIL); /* from now on the TLB has it */
	debugger_delete(&d, d.breaks);
	ck_assert_uint_eq(pc->cpu[0].x86.tlb.ears, 0);
	tlb_flush_everything(&pc->cpu[0].x86.tlb);
	space_write(&pc->mem, 0x11024, 4, 0x9027); /* D alone */
	set("write p:0x11024, 1 if value & 0x40");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert(d.stop_hit.write);
	ck_assert_uint_eq(d.stop_hit.old, 0x9027);
}
END_TEST

/* A walk that is refused: the stop comes with the exception delivered. */
START_TEST(test_watch_refused_walk)
{
	page();
	space_write(&pc->mem, 0x11024, 4, 0x9006);
	set("read p:0x11024, 4 if by");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_str_eq(d.stop_hit.who, "the page walk for a write at 9000");
	ck_assert_uint_eq(pc->cpu[0].x86.cr2, 0x9000);
}
END_TEST

/* 7C00h: fw_cfg's DMA of 4 bytes of item 0 ("QEMU") to 9200h, by the descriptor at 9100h. */
START_TEST(test_watch_dma)
{
	static const u8 code[] = {0x66, 0xb8, 0x00, 0x00, 0x91, 0x00, 0xba, 0x18, 0x05, 0x66, 0xef, 0x90, 0xeb, 0xf2};
	static const u8 descriptor[] = {0, 0, 0, 0x0a, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0x92, 0};

	space_write_bytes(&pc->mem, START, code, sizeof code);
	space_write_bytes(&pc->mem, 0x9100, descriptor, sizeof descriptor);
	set("write p:0x9202, 8");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_str_eq(d.stop_hit.who, "DMA by fw_cfg");
	ck_assert_uint_eq(d.stop_hit.pa, 0x9202);
	ck_assert_uint_eq(d.stop_hit.size, 2);
	ck_assert_uint_eq(d.stop_hit.old, 0);
	ck_assert_uint_eq(d.stop_hit.val, 'M' | 'U' << 8);
	ck_assert_uint_eq(d.stop_hit.by, BY_DEVICE);
	ck_assert_uint_eq(rip(), START + 11);
	ck_assert_uint_eq(d.stop_hit.rip, START + 9);
	debugger_delete(&d, d.breaks);
	set("read p:0x9104, 4 if by == 2");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_uint_eq(d.stop_hit.val, 0x04000000);
	debugger_delete(&d, d.breaks);
	ck_assert_ptr_null(pc->mem.dma_spy);
}
END_TEST

START_TEST(test_magic_and_count)
{
	set("magic");
	debugger_go(&d);
	ck_assert_uint_eq(rip(), MAGIC);
	debugger_go(&d);
	ck_assert_uint_eq(pc->machine.s.icount, 2 + LOOP);
	debugger_delete(&d, d.breaks);
	set("count 777");
	ck_assert_int_eq(debugger_go(&d), STOP_DEBUG);
	ck_assert_uint_eq(pc->machine.s.icount, 777);
}
END_TEST

START_TEST(test_steps)
{
	static const u64 at[] = {STORE, MAGIC, LOAD, INC, JMP, START, STORE};

	set("0x7c08"); /* in the way: it is told once, and stepped over */
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++) {
		debugger_step(&d, 0, 1);
		ck_assert_uint_eq(rip(), at[i]);
	}
	debugger_step(&d, 0, 5);
	ck_assert_uint_eq(rip(), START);
	debugger_delete(&d, d.breaks);
	ck_assert_int_eq(debugger_go_to(&d, 0, VIEW_HOST, JMP, 0), STOP_UNTIL);
	ck_assert_uint_eq(rip(), JMP);
}
END_TEST

/* The same state with everything on as with nothing. */
START_TEST(test_changes_nothing)
{
	u64 plain, watched;

	machine_run(&pc->machine, 5000);
	plain = machine_hash(&pc->machine);
	teardown();
	setup();
	set("write 0x9000, 4 if 0");
	set("0x7c06 if 0");
	set("magic if 0");
	set("exception if 0");
	while (pc->machine.s.icount < 5000)
		debugger_go_until(&d, pc->machine.s.icount + 7 < 5000 ? pc->machine.s.icount + 7 : 5000);
	watched = machine_hash(&pc->machine);
	ck_assert_uint_eq(plain, watched);
}
END_TEST

/* ---- the monitor ---- */

static char said[1 << 16];

static bool monitor(const char *line)
{
	struct monitor m;
	struct text out;

	text_init_buffer(&out, said, sizeof said);
	monitor_init(&m, &d, &out);
	monitor_execute(&m, line);
	return !m.failed;
}

START_TEST(test_monitor)
{
	ck_assert(monitor("help"));
	ck_assert_ptr_nonnull(strstr(said, "stepworld"));
	ck_assert(monitor("break 0x7c0c if cx == 2; run; print cx"));
	ck_assert_ptr_nonnull(strstr(said, "2 = 2"));
	ck_assert(monitor("x/4xb p:0x7c00"));
	ck_assert_ptr_nonnull(strstr(said, "b8 05 00 a3"));
	ck_assert(monitor("write p:0x5000.w 0x1234; search p:0x4000, 0x2000 34 12"));
	ck_assert_ptr_nonnull(strstr(said, "5000\n1 found"));
	ck_assert(monitor("cpu 1"));
	ck_assert_ptr_nonnull(strstr(said, "waits for a start-up message"));
	ck_assert(monitor("info pic; map; registers; gdt; idt 3; events; tlb; why; guests; delete"));
	ck_assert(!monitor("frobnicate"));
	ck_assert(!monitor("vmexit-stat")); /* nobody counts here */
	ck_assert(!monitor("vmcb"));
	ck_assert(!monitor("walk 1 q"));
	ck_assert(!monitor("x/0x 5"));
	ck_assert(!monitor("info nobody"));
}
END_TEST

/* ---- GDB ---- */

static struct gdb gdb;

static const char *packet(const char *text)
{
	char buf[GDB_PACKET];

	snprintf(buf, sizeof buf, "%s", text);
	gdb.out_used = 1;
	gdb_packet(&gdb, buf, strlen(buf));
	gdb.out[gdb.out_used] = 0;
	return gdb.out + 1;
}

static void gdb_begin(void)
{
	memset(&gdb, 0, sizeof gdb);
	gdb.d = &d;
	gdb.fd = gdb.listener = -1;
	d.limit = 20000;
}

START_TEST(test_packets)
{
	gdb_begin();
	ck_assert_ptr_nonnull(strstr(packet("qSupported:multiprocess+;swbreak+"), "multiprocess+"));
	ck_assert_str_eq(packet("qfThreadInfo"), "mp1.1,p1.2");
	ck_assert_str_eq(packet("qAttached:1"), "1");
	ck_assert_str_eq(packet("m7c00,4"), "b80500a3");
	ck_assert_str_eq(packet("M5000,2:cdab"), "OK");
	ck_assert_str_eq(packet("m5000,2"), "cdab");
	ck_assert_str_eq(packet("M5000,2:cd"), "E01");
	ck_assert_str_eq(packet("P0=78563412"), "OK");
	ck_assert_uint_eq(pc->cpu[0].x86.r[R_AX], 0x12345678);
	ck_assert_str_eq(packet("Z0,7c0c,1"), "OK");
	ck_assert_str_eq(packet("vCont;c"), "T05thread:p1.1;core:0;swbreak:;");
	ck_assert_uint_eq(rip(), INC);
	ck_assert_str_eq(packet("z0,7c0c,1"), "OK");
	ck_assert_str_eq(packet("vCont;s:p1.1"), "T05thread:p1.1;core:0;");
	ck_assert_uint_eq(rip(), JMP);
	ck_assert_str_eq(packet("vCont;r7c00,7c08:p1.1"), "T05thread:p1.1;core:0;");
	ck_assert_uint_eq(rip(), LOAD);
	ck_assert_str_eq(packet("Z2,9000,2"), "OK");
	ck_assert_str_eq(packet("c"), "T05thread:p1.1;core:0;watch:9000;");
	ck_assert_str_eq(packet("z2,9000,2"), "OK");
	ck_assert_str_eq(packet("T9"), "E01");
	ck_assert_str_eq(packet("Hgp5.1"), "E01");
	ck_assert_ptr_nonnull(strstr(packet("qXfer:features:read:target.xml:0,fff"), "<architecture>i8086"));
	ck_assert_ptr_null(d.breaks);
	ck_assert_str_eq(packet("vCont;c"), "W08;process:1");
	free(gdb.xfer);
}
END_TEST

/* A condition as GDB sends it: pc-relative registers are not known in 16-bit descriptions, so it stops; constants are computed. */
START_TEST(test_conditions)
{
	gdb_begin();
	ck_assert_str_eq(packet("Z0,7c0c,1;X3,220027"), "OK"); /* const8 0; end */
	ck_assert_str_eq(d.breaks->condition, "0x0");
	ck_assert_str_eq(packet("vCont;c"), "W08");
	ck_assert_str_eq(packet("Z0,7c0d,1;X9,22"), "E01");
	ck_assert_str_eq(packet("Z0,7c0d,1;X2,2227"), "OK");
	free(gdb.xfer);
}
END_TEST

START_TEST(test_malformed)
{
	static const char *const seeds[] = {
		"qSupported:multiprocess+", "?", "g", "G0011", "p10", "P0=11", "m7c00,40", "M7c00,2:aabb", "X7c00,2:ab", "Hgp1.1", "Tp1.1",
		"Z0,7c00,1;X4,22002700", "z0,7c00,1", "Z2,9000,8", "Z4,0,ffffffffffffffff", "vCont;s:p1.1", "vCont;r7c00,7c10:p1.1", "vCont?",
		"qXfer:features:read:target.xml:0,fff", "qXfer:memory-map:read::0,ff", "qXfer:exec-file:read:1:0,ff", "qfThreadInfo",
		"qRcmd,68656c70", "qRcmd,782f333278", "qThreadExtraInfo,p1.1", "D;9", "vCont;c", "s", "qAttached:ffffffffff", "qC", "QStartNoAckMode",
	};
	unsigned r = 12345;

	gdb_begin();
	for (unsigned i = 0; i < 60000; i++) {
		char buf[300];
		const char *seed;
		size_t n;

		r = r * 1103515245 + 12345;
		seed = seeds[(r >> 16) % ARRAY_SIZE(seeds)];
		n = strlen(seed);
		strcpy(buf, seed);
		for (unsigned k = (r >> 8) & 3; k--;) {
			r = r * 1103515245 + 12345;
			switch ((r >> 20) & 3) {
			case 0: buf[(r >> 10) % (n + 1)] = (char)(r >> 24); break;
			case 1: buf[n = (r >> 10) % (n + 1)] = 0; break;
			case 2: memmove(buf + n / 2, buf, n + 1), n = strlen(buf); break;
			default: buf[(r >> 10) % (n + 1)] = "0f,;:.-p"[(r >> 24) & 7]; break;
			}
			buf[n] = 0;
			n = strlen(buf);
			if (n > 140)
				buf[n = 140] = 0;
		}
		packet(buf);
		ck_assert_uint_lt(gdb.out_used, sizeof gdb.out);
		d.quit = false;
		d.over = false;
		d.limit = pc->machine.s.icount + 50;
	}
	free(gdb.xfer);
}
END_TEST

/* Lines that a user might type, damaged: for the monitor, as expressions and conditions, as traps. Nothing of it writes files. */
static void damage(char *buf, unsigned *r)
{
	size_t n = strlen(buf);

	for (unsigned k = 1 + (*r >> 9 & 3); k--;) {
		*r = *r * 1103515245 + 12345;
		switch (*r >> 20 & 3) {
		case 0: buf[(*r >> 10) % (n + 1)] = (char)(1 + (*r >> 24) % 255); break;
		case 1: buf[(*r >> 10) % (n + 1)] = 0; break;
		case 2: memmove(buf + n / 2, buf, n + 1); break;
		default: buf[(*r >> 10) % (n + 1)] = "()[]:;,.-*/%&|!=<>#' 09afpvg"[(*r >> 24) % 28]; break;
		}
		n = strlen(buf);
		if (n > 150)
			buf[n = 150] = 0;
	}
}

static const char *const lines[] = {
	"step 3", "x/4xw p:0x7c00", "x/3i rip", "disassemble rip, 4", "print [v:sp].q + cs.base * 2", "break 0x7c0c if cx == 2 && count > 1",
	"delete 1", "tbreak write g:0x9000,4 if by != 2 || value in 1..5", "ignore 1 2", "watch p:0x9000,4 if by", "registers all", "tlb 1",
	"walk 0x9000 w", "tables nested", "gdt", "idt 3", "search p:0, 0x1000 55 aa", "write p:0x5000.d 3 + 4", "set rax = 5", "set cs.base = 1",
	"events 10", "info lapic", "cpu 1", "world guest 0x1000", "vmcb diff", "iopm", "msrpm", "backtrace", "next", "finish", "until 0x7c0c",
	"break vmexit NPF if gpa in 0x800000..0x8fffff", "exception #PF", "port 0x3f8-0x3ff out", "msr 0xc0000080 write", "help break", "why",
	"enable 1", "disable 1", "commands 1 print rip; x/2i rip", "npf 0x1000-0x1fff if info1 & 2", "count 1000", "grid 0x9000", "tss", "map",
};

static void start_again(void)
{
	while (d.breaks)
		debugger_delete(&d, d.breaks);
	d.quit = d.over = false;
	d.cpu = 0;
	d.world = VIEW_NOW;
	d.limit = pc->machine.s.icount + 200;
}

START_TEST(test_damaged_lines)
{
	struct breakpoint b;
	struct expr_env env;
	struct traps traps;
	struct view v;
	unsigned r = 4711;
	u64 val;

	traps_init(&traps, &d, NULL);
	for (unsigned i = 0; i < 12000; i++) {
		char buf[400], trap[420];

		r = r * 1103515245 + 12345;
		snprintf(buf, sizeof buf, "%s", lines[(r >> 16) % ARRAY_SIZE(lines)]);
		damage(buf, &r);
		start_again();
		debugger_view(&d, &v);
		env = debugger_env(&d, &v);
		err.msg[0] = 0;
		ck_assert(expr_eval(&env, buf, NULL, &val, &err) || err.msg[0]); /* refused means a word why */
		err.msg[0] = 0;
		ck_assert(breaks_parse(&b, buf, &env, &err) || err.msg[0]);
		snprintf(trap, sizeof trap, "%s=%s", buf, i & 1 ? "continue; stop" : buf);
		err.msg[0] = 0;
		ck_assert(traps_add(&traps, trap, &err) || err.msg[0]);
		monitor(buf);
		ck_assert_uint_lt(strlen(said), sizeof said);
		debugger_go_until(&d, pc->machine.s.icount + 20);
	}
	start_again();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("debug");
	TCase *t = tcase_create("debug");
	SRunner *run;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_values);
	tcase_add_test(t, test_refused_expressions);
	tcase_add_test(t, test_texts);
	tcase_add_test(t, test_exec);
	tcase_add_test(t, test_watch);
	tcase_add_test(t, test_watch_walks);
	tcase_add_test(t, test_watch_refused_walk);
	tcase_add_test(t, test_watch_dma);
	tcase_add_test(t, test_magic_and_count);
	tcase_add_test(t, test_steps);
	tcase_add_test(t, test_changes_nothing);
	tcase_add_test(t, test_monitor);
	tcase_add_test(t, test_packets);
	tcase_add_test(t, test_conditions);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_damaged_lines);
	suite_add_tcase(s, t);
	run = srunner_create(s);
	srunner_run_all(run, CK_NORMAL);
	failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed != 0;
}
