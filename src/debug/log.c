/* See log.h. One function per kind of event prints the end of its line. */
#include "debug/log.h"

#include <strings.h>

#include "cpu_x86/insn.h"
#include "debug/disasm.h"
#include "debug/dump.h"

/* ---- -d LIST ---- */

static const struct {
	const char *name;
	enum event_kind kind;
	const char *help;
} items[] = {
	{"vmexit", EV_VMEXIT, "each #VMEXIT: its name and EXITINFO in words"},
	{"vmrun", EV_VMRUN, "each VMRUN, and what refused it"},
	{"int", EV_INTERRUPT, "interrupts and software interrupts as they are taken"},
	{"exc", EV_EXCEPTION, "exceptions, each with the rule that raised it"},
	{"mmio", EV_MMIO, "device memory, read and written"},
	{"pio", EV_PIO, "I/O ports, read and written"},
	{"walk", EV_WALK, "TLB fills"},
	{"flush", EV_FLUSH, "TLB flushes"},
	{"exec", EV_EXEC, "each instruction (slow)"},
	{"reset", EV_RESET, "reset, INIT, start-up messages, shutdown"},
};

static bool parse_explain(struct log_config *cfg, const char *names, struct error *err)
{
	cfg->explain = true;
	while (names && *names) {
		size_t n = strcspn(names, "+");

		if (cfg->onlys == LOG_EXITS || !n || n >= sizeof cfg->only[0])
			return error_set(err, "-d explain=%s: expected up to %u names of #VMEXITs joined by +", names,
					 LOG_EXITS);
		memcpy(cfg->only[cfg->onlys], names, n);
		cfg->only[cfg->onlys++][n] = 0;
		names += n + (names[n] == '+');
	}
	return true;
}

static bool parse_item(struct log_config *cfg, const char *item, struct error *err)
{
	if (!strncmp(item, "explain", 7) && (!item[7] || item[7] == '='))
		return parse_explain(cfg, item[7] ? item + 8 : NULL, err);
	for (unsigned i = 0; i < ARRAY_SIZE(items); i++)
		if (!strcmp(item, items[i].name)) {
			cfg->mask |= (u32)BIT(items[i].kind);
			return true;
		}
	return error_set(err, "-d: '%s' is not known (see -d help)", item);
}

bool log_parse(struct log_config *cfg, const char *list, struct error *err)
{
	char buf[256], *save = NULL;

	if (strlen(list) >= sizeof buf)
		return error_set(err, "-d: list longer than %zu characters", sizeof buf - 1);
	strcpy(buf, list);
	for (char *p = strtok_r(buf, ",", &save); p; p = strtok_r(NULL, ",", &save))
		if (!parse_item(cfg, p, err))
			return false;
	return true;
}

void log_help(struct text *out)
{
	for (unsigned i = 0; i < ARRAY_SIZE(items); i++)
		text_printf(out, "  %-8s %s\n", items[i].name, items[i].help);
	text_puts(out, "  explain  each #VMEXIT in full: VMCB changes, nested walk, refused checks; "
		       "explain=NPF+INVALID: only these\n");
}

/* ---- lines ---- */

static struct x86_cpu *cpu_of(struct log *l, const struct event *e) { return &l->pc->cpu[e->cpu].x86; }

static void begin(struct log *l, const struct event *e, const char *what)
{
	text_printf(&l->out, "%12llu cpu%u %-5s %016llx %-*s", (unsigned long long)e->icount, e->cpu,
		    e->guest ? "guest" : "host", (unsigned long long)e->ip, *what ? 7 : 0, what);
}

static void log_exception(struct log *l, const struct event *e)
{
	dump_exception(&l->out, e->a & 0xff, e->a >> 8 & 1, (u32)e->b, e->c, e->a >> 16);
	text_puts(&l->out, "\n");
}

static void log_interrupt(struct log *l, const struct event *e)
{
	static const char *const source[] = {"external", "software", "NMI", "injected", "virtual"};
	unsigned from = e->a >> 8 & 0xff;

	text_printf(&l->out, "vector %02xh %s\n", e->a & 0xff, from < ARRAY_SIZE(source) ? source[from] : "?");
}

static void log_vmrun(struct log *l, const struct event *e)
{
	text_printf(&l->out, "ASID %u VMCB %llx guest rip %016llx\n", e->a, (unsigned long long)e->b,
		    (unsigned long long)e->c);
}

static bool explained(const struct log_config *cfg, u64 code)
{
	char name[32];

	svm_exit_name(code, name, sizeof name);
	for (unsigned i = 0; i < cfg->onlys; i++)
		if (!strcasecmp(cfg->only[i], name))
			return true;
	return !cfg->onlys;
}

static void log_vmexit(struct log *l, const struct event *e)
{
	bool full = l->cfg.explain && explained(&l->cfg, e->c);
	u32 lines = BIT(EV_VMEXIT) | (e->a ? BIT(EV_VMRUN) : 0); /* why a VMRUN failed belongs to both */

	if (!full && !(l->cfg.mask & lines))
		return;
	begin(l, e, "");
	if (full) {
		svm_print_exit(&l->out, cpu_of(l, e), &l->at_vmrun[e->cpu]);
		return;
	}
	svm_print_exit_line(&l->out, cpu_of(l, e));
	if (e->a)
		svm_failed_checks(cpu_of(l, e), &l->out);
}

static void log_access(struct log *l, const struct event *e, struct space *s)
{
	const struct region *r = space_find(s, e->b);
	const char *name = !r ? "nobody" : r->ops ? r->ops->name : r->name;
	unsigned size = e->a & 0xff;

	text_printf(&l->out, "%s %u at %llx (%s) %0*llx\n", e->a >> 8 & 1 ? "write" : "read ", size,
		    (unsigned long long)e->b, name, (int)size * 2, (unsigned long long)(e->c & mask_low(size * 8)));
}

static void log_walk(struct log *l, const struct event *e)
{
	static const char *const access[] = {"read", "write", "fetch", "fetch"};

	text_printf(&l->out, "%s%s %016llx -> %016llx\n", e->a & ACC_USER ? "user " : "", access[e->a & 3],
		    (unsigned long long)e->b, (unsigned long long)e->c);
}

static void log_flush(struct log *l, const struct event *e)
{
	static const char *const what[] = {[FLUSH_EVERYTHING] = "everything",
					   [FLUSH_ASID] = "ASID",
					   [FLUSH_PCID] = "one PCID of ASID",
					   [FLUSH_PCIDS] = "all PCIDs of ASID",
					   [FLUSH_PAGE] = "page"};

	text_puts(&l->out, e->a < ARRAY_SIZE(what) ? what[e->a] : "?");
	if (e->a == FLUSH_EVERYTHING)
		text_puts(&l->out, "\n");
	else
		text_printf(&l->out, " %llx\n", (unsigned long long)e->b);
}

static void log_reset(struct log *l, const struct event *e)
{
	static const char *const what[] = {"reset", "INIT", "start-up", "shutdown"};

	text_puts(&l->out, e->a < ARRAY_SIZE(what) ? what[e->a] : "?");
	if (e->a == 2)
		text_printf(&l->out, " at %llx000h", (unsigned long long)e->b);
	text_puts(&l->out, "\n");
}

/* ---- instructions ---- */

/* Bytes at the linear address as the CPU would fetch them, without leaving traces; the first page is at pa. */
static unsigned fetch(struct x86_cpu *c, u64 va, u64 pa, u8 *buf, unsigned size)
{
	unsigned n = 0;
	struct walk w;

	for (; n < size; n++) {
		u64 at = va + n;

		if (n && !(at & ~PAGE_MASK)) {
			walk_x86(&c->tlb.env, at, ACC_EXEC | (c->cpl == 3 ? ACC_USER : 0), false, &w);
			if (w.why != WALK_OK)
				break;
			pa = w.pa - n;
		}
		buf[n] = (u8)space_peek(c->mem, pa + n, 1);
	}
	return n;
}

static void log_exec(struct log *l, const struct event *e)
{
	static const unsigned widths[] = {16, 32, 64};
	struct x86_cpu *c = cpu_of(l, e);
	unsigned bits = widths[(c->mode & MODE_SIZE) % 3], n, len;
	struct x86_decoded d;
	struct x86_op o;
	u8 bytes[15];
	char text[128];

	n = fetch(c, e->b, e->c, bytes, sizeof bytes);
	len = x86_decode(c, bytes, n, 0, &o, &d) == DECODE_OK && op_len(&o) <= n ? op_len(&o) : n;
	disasm_x86(bytes, len, bits, e->ip, text, sizeof text);
	text_printf(&l->out, "%s\n", text);
}

/* ---- the sink ---- */

static void log_line(struct log *l, const struct event *e)
{
	static const char *const names[EV_KINDS] = {
		[EV_EXCEPTION] = "exc", [EV_INTERRUPT] = "int", [EV_VMRUN] = "vmrun",
		[EV_MMIO] = "mmio",     [EV_PIO] = "pio",       [EV_WALK] = "walk",
		[EV_FLUSH] = "flush",   [EV_EXEC] = "exec",     [EV_RESET] = "reset",
	};

	begin(l, e, names[e->kind]);
	switch ((enum event_kind)e->kind) {
	case EV_EXCEPTION: log_exception(l, e); break;
	case EV_INTERRUPT: log_interrupt(l, e); break;
	case EV_VMRUN: log_vmrun(l, e); break;
	case EV_MMIO: log_access(l, e, &l->pc->mem); break;
	case EV_PIO: log_access(l, e, &l->pc->io); break;
	case EV_WALK: log_walk(l, e); break;
	case EV_FLUSH: log_flush(l, e); break;
	case EV_EXEC: log_exec(l, e); break;
	default: log_reset(l, e); break;
	}
}

static void sink(void *arg, const struct event *e)
{
	struct log *l = arg;

	if (e->kind == EV_VMRUN)
		svm_snapshot(cpu_of(l, e), &l->at_vmrun[e->cpu]);
	if (e->kind == EV_VMEXIT)
		log_vmexit(l, e);
	else if (l->cfg.mask >> e->kind & 1)
		log_line(l, e);
}

static void spy_mem(void *arg, u64 pa, unsigned size, bool write, u64 val)
{
	struct log *l = arg;

	x86_log(pc_current(l->pc), EV_MMIO, size | (u32)write << 8, pa, val);
}

static void spy_io(void *arg, u64 port, unsigned size, bool write, u64 val)
{
	struct log *l = arg;

	x86_log(pc_current(l->pc), EV_PIO, size | (u32)write << 8, port, val);
}

void log_start(struct log *l, const struct log_config *cfg, struct pc *pc, FILE *f)
{
	struct event_log *log = &pc->machine.log;

	l->cfg = *cfg;
	l->pc = pc;
	text_init_file(&l->out, f);
	log->mask = cfg->mask;
	if (cfg->explain || event_on(log, EV_VMRUN))
		log->mask |= BIT(EV_VMRUN) | BIT(EV_VMEXIT);
	if (!log->mask)
		return;
	log->sink = sink;
	log->sink_arg = l;
	if (event_on(log, EV_MMIO)) {
		pc->mem.spy = spy_mem;
		pc->mem.spy_arg = l;
	}
	if (event_on(log, EV_PIO)) {
		pc->io.spy = spy_io;
		pc->io.spy_arg = l;
	}
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		pc->cpu[i].x86.trace_exec = event_on(log, EV_EXEC);
}
