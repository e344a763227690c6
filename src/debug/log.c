/* See log.h. What a line says is in event_text.c; instructions and #VMEXITs are told here, from the machine as it is. */
#include "debug/log.h"

#include <strings.h>

#include "cpu_x86/insn.h"
#include "debug/disasm.h"
#include "debug/event_text.h"

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
	{"msr", EV_MSR, "RDMSR and WRMSR"},
	{"cr", EV_CR, "control registers written"},
	{"mode", EV_MODE, "changes of the operating mode"},
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
	if (!strcmp(item, "walk=grid"))
		return cfg->walk_grid = true;
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
	text_puts(out, "  walk=grid  every page walk as a grid, refused ones too\n");
	text_puts(out, "  explain  each #VMEXIT in full: VMCB changes, nested walk, refused checks; "
		       "explain=NPF+INVALID: only these\n");
}

/* ---- lines ---- */

static struct x86_cpu *cpu_of(struct log *l, const struct event *e) { return &l->t->pc->cpu[e->cpu].x86; }

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
	event_print_head(&l->out, e, "");
	if (full) {
		svm_print_exit(&l->out, cpu_of(l, e), &l->at_vmrun[e->cpu]);
		return;
	}
	svm_print_exit_line(&l->out, cpu_of(l, e));
	if (e->a)
		svm_failed_checks(cpu_of(l, e), &l->out);
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
	char text[128], name[128] = "";

	n = fetch(c, e->b, e->c, bytes, sizeof bytes);
	len = x86_decode(c, bytes, n, 0, &o, &d) == DECODE_OK && op_len(&o) <= n ? op_len(&o) : n;
	disasm_x86(bytes, len, bits, e->ip, text, sizeof text);
	if (l->where)
		l->where(l->where_arg, c->id, e->b, name, sizeof name);
	text_printf(&l->out, *name ? "<%s> %s\n" : "%s%s\n", name, text);
}

/* ---- the sink ---- */

static void log_line(struct log *l, const struct event *e)
{
	char name[128] = "";

	if (l->t->icp && e->kind == EV_EXEC) {
		if (l->where)
			l->where(l->where_arg, e->cpu, e->b, name, sizeof name);
		event_print_arm_exec(&l->out, l->t, e, name);
		return;
	}
	if (e->kind != EV_EXEC) {
		event_print(&l->out, l->t, e);
		return;
	}
	event_print_head(&l->out, e, "exec");
	log_exec(l, e);
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

u32 log_kinds(bool arm)
{
	u32 all = BIT(EV_EXCEPTION) | BIT(EV_INTERRUPT) | BIT(EV_MMIO) | BIT(EV_WALK) | BIT(EV_FLUSH) | BIT(EV_EXEC) | BIT(EV_RESET) | BIT(EV_CR) | BIT(EV_MODE);

	return arm ? all : all | BIT(EV_VMRUN) | BIT(EV_VMEXIT) | BIT(EV_PIO) | BIT(EV_MSR);
}

void log_start(struct log *l, const struct log_config *cfg, struct hub *hub, FILE *f)
{
	u32 mask = cfg->mask;

	l->cfg = *cfg;
	l->t = hub->t;
	text_init_file(&l->out, f);
	if (cfg->explain || mask & BIT(EV_VMRUN))
		mask |= BIT(EV_VMRUN) | BIT(EV_VMEXIT);
	hub_listen(hub, hub_add(hub, sink, l), mask);
}
