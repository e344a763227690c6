/* Monitor commands for the processor's tables in memory: GDT, IDT, TSS. APM2 4.8, 8.2, 12.2. */
#include "debug/monitor.h"

/* Types of system descriptors in legacy and long mode. APM2 tables 4-5, 4-6 */
static const char *system_type(unsigned type, bool lm)
{
	static const char *const legacy[16] = {"reserved", "16-bit TSS", "LDT", "16-bit TSS busy", "16-bit call gate", "task gate",
					       "16-bit interrupt gate", "16-bit trap gate", "reserved", "32-bit TSS", "reserved",
					       "32-bit TSS busy", "32-bit call gate", "reserved", "32-bit interrupt gate",
					       "32-bit trap gate"};
	static const char *const wide[16] = {[2] = "LDT", [9] = "64-bit TSS", [11] = "64-bit TSS busy", [12] = "64-bit call gate",
					     [14] = "64-bit interrupt gate", [15] = "64-bit trap gate"};

	return !lm ? legacy[type] : wide[type] ? wide[type] : "reserved";
}

static bool is_gate(unsigned type) { return type == 4 || type == 5 || type == 6 || type == 7 || type == 12 || type == 14 || type == 15; }

static void print_descriptor(struct text *out, u64 lo, u64 hi, bool lm)
{
	unsigned type = (unsigned)bits(lo, 43, 40), dpl = (unsigned)bits(lo, 46, 45);
	u64 base = bits(lo, 39, 16) | bits(lo, 63, 56) << 24, limit = bits(lo, 15, 0) | bits(lo, 51, 48) << 16;
	bool s = lo >> 44 & 1;

	if (lo >> 55 & 1)
		limit = limit << 12 | 0xfff;
	if (!s && is_gate(type)) {
		text_printf(out, "%s to %04x:%llx DPL %u", system_type(type, lm), (unsigned)bits(lo, 31, 16),
			    (unsigned long long)(bits(lo, 15, 0) | bits(lo, 63, 48) << 16 | (lm ? hi << 32 : 0)), dpl);
	} else if (!s) {
		text_printf(out, "%s base %llx limit %llx DPL %u", system_type(type, lm), (unsigned long long)(base | (lm ? hi << 32 : 0)),
			    (unsigned long long)limit, dpl);
	} else if (type & 8) {
		text_printf(out, "code %s base %llx limit %llx DPL %u%s%s%s", lo >> 53 & 1 ? "64-bit" : lo >> 54 & 1 ? "32-bit" : "16-bit",
			    (unsigned long long)base, (unsigned long long)limit, dpl, type & 2 ? " readable" : "",
			    type & 4 ? " conforming" : "", type & 1 ? " accessed" : "");
	} else {
		text_printf(out, "data%s base %llx limit %llx DPL %u%s%s%s", lo >> 54 & 1 ? " big" : "", (unsigned long long)base,
			    (unsigned long long)limit, dpl, type & 2 ? " writable" : "", type & 4 ? " expand-down" : "",
			    type & 1 ? " accessed" : "");
	}
	text_puts(out, lo >> 47 & 1 ? "\n" : " not present\n");
}

static void gdt(struct monitor *m, char *args)
{
	struct view v;
	bool lm;

	(void)args;
	debugger_view(m->d, &v);
	lm = v.efer & EFER_LMA;
	text_printf(m->out, "GDT base %llx limit %x\n", (unsigned long long)v.gdt.base, v.gdt.limit);
	for (u32 off = 0; off + 7 <= v.gdt.limit; off += 8) {
		u64 lo, hi = 0;
		bool wide;

		if (!view_load(&v, LEVEL_V, v.gdt.base + off, 8, &lo)) {
			mon_fail(m, "%llx cannot be read", (unsigned long long)(v.gdt.base + off));
			return;
		}
		if (!lo)
			continue;
		wide = lm && !(lo >> 44 & 1) && off + 15 <= v.gdt.limit;
		if (wide)
			view_load(&v, LEVEL_V, v.gdt.base + off + 8, 8, &hi);
		text_printf(m->out, "%04x  %016llx  ", off, (unsigned long long)lo);
		print_descriptor(m->out, lo, hi, lm);
		off += wide ? 8 : 0;
	}
}

static void idt_real(struct monitor *m, const struct view *v, u64 lo, u64 hi)
{
	for (u64 n = lo; n <= hi && n * 4 + 3 <= v->idt.limit; n++) {
		u64 e;

		if (view_load(v, LEVEL_V, v->idt.base + n * 4, 4, &e))
			text_printf(m->out, "%02llx  %04llx:%04llx\n", (unsigned long long)n, (unsigned long long)(e >> 16),
				    (unsigned long long)(e & 0xffff));
	}
}

static void idt(struct monitor *m, char *args)
{
	struct view v;
	u64 lo = 0, hi = 255;
	bool lm;
	char name[128];

	debugger_view(m->d, &v);
	if (*args && (!mon_value(m, &args, &lo) || !mon_end(m, args)))
		return;
	if (lo)
		hi = lo;
	lm = v.efer & EFER_LMA;
	text_printf(m->out, "IDT base %llx limit %x\n", (unsigned long long)v.idt.base, v.idt.limit);
	if (!(v.cr0 & CR0_PE)) {
		idt_real(m, &v, lo, hi);
		return;
	}
	for (u64 n = lo; n <= hi && n * (lm ? 16 : 8) + (lm ? 15 : 7) <= v.idt.limit; n++) {
		u64 at = v.idt.base + n * (lm ? 16 : 8), e, up = 0;

		if (!view_load(&v, LEVEL_V, at, 8, &e) || (lm && !view_load(&v, LEVEL_V, at + 8, 8, &up))) {
			mon_fail(m, "%llx cannot be read", (unsigned long long)at);
			return;
		}
		if (!e)
			continue;
		text_printf(m->out, "%02llx  ", (unsigned long long)n);
		if (symbols_name(&m->d->symbols, &v, bits(e, 15, 0) | bits(e, 63, 48) << 16 | up << 32, name, sizeof name))
			text_printf(m->out, "<%s>  ", name);
		if (lm && up >> 32 == 0 && bits(e, 34, 32))
			text_printf(m->out, "IST%u  ", (unsigned)bits(e, 34, 32));
		print_descriptor(m->out, e, (u32)up, lm);
	}
}

/* APM2 12.2.5: the 64-bit TSS; 12.2.4: the 32-bit one. */
static void tss(struct monitor *m, char *args)
{
	static const struct {
		const char *name;
		u8 off, size;
	} wide[] = {{"rsp0", 4, 8}, {"rsp1", 12, 8}, {"rsp2", 20, 8}, {"ist1", 0x24, 8}, {"ist2", 0x2c, 8}, {"ist3", 0x34, 8},
		    {"ist4", 0x3c, 8}, {"ist5", 0x44, 8}, {"ist6", 0x4c, 8}, {"ist7", 0x54, 8}, {"iomap", 0x66, 2}},
	  legacy[] = {{"link", 0, 2}, {"esp0", 4, 4}, {"ss0", 8, 2}, {"esp1", 12, 4}, {"ss1", 16, 2}, {"esp2", 20, 4}, {"ss2", 24, 2},
		      {"cr3", 28, 4}, {"eip", 32, 4}, {"eflags", 36, 4}, {"eax", 40, 4}, {"ecx", 44, 4}, {"edx", 48, 4}, {"ebx", 52, 4},
		      {"esp", 56, 4}, {"ebp", 60, 4}, {"esi", 64, 4}, {"edi", 68, 4}, {"es", 72, 2}, {"cs", 76, 2}, {"ss", 80, 2},
		      {"ds", 84, 2}, {"fs", 88, 2}, {"gs", 92, 2}, {"ldtr", 96, 2}, {"iomap", 102, 2}};
	const struct x86_seg *tr;
	struct view v;
	bool lm;

	(void)args;
	debugger_view(m->d, &v);
	lm = v.efer & EFER_LMA;
	tr = &v.seg[SEG_TR];
	text_printf(m->out, "TSS %04x base %llx limit %x\n", tr->sel, (unsigned long long)tr->base, tr->limit);
	if (!lm && (tr->attr & 15) != 9 && (tr->attr & 15) != 11) {
		text_puts(m->out, "not a 32-bit TSS\n");
		return;
	}
	for (size_t i = 0; i < (lm ? ARRAY_SIZE(wide) : ARRAY_SIZE(legacy)); i++) {
		unsigned off = lm ? wide[i].off : legacy[i].off, size = lm ? wide[i].size : legacy[i].size;
		u64 val;

		if (off + size - 1 > tr->limit || !view_load(&v, LEVEL_V, tr->base + off, size, &val))
			continue;
		text_printf(m->out, "  %-6s %0*llx\n", lm ? wide[i].name : legacy[i].name, (int)size * 2, (unsigned long long)val);
	}
}

const struct command mon_system[] = {
	{"gdt", NULL, "", "the global descriptor table", gdt, false},
	{"idt", NULL, "[VECTOR]", "the interrupt descriptor table", idt, false},
	{"tss", NULL, "", "the task state segment", tss, false},
	{0},
};
