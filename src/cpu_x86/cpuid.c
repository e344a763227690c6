/*
 * CPUID: the leaves of a Zen-class processor. Feature bits come from features.def only; sizes and counts of caches and
 * TLBs are those of Zen 3. APM3 app. E (leaf by leaf), APM2 3.3.
 */
#include "cpu_x86/system.h"

#define MAX_STD 0xdu
#define MAX_EXT 0x80000021u
#define NASID   0x8000u
/* Bits of leaf 1 EDX that leaf 8000_0001 EDX repeats. APM3 E.4.2 */
#define LEAF1_REPEATED 0x0183f3ffu

/* One register's feature bits. With constant arguments only the rows of that register remain. */
static ALWAYS_INLINE u32 word(const struct x86_model *m, u32 leaf, u32 sub, enum cpuid_reg reg)
{
	u32 v = 0;

#define FEATURE(id, name, l, s, r, bit, models)                                                                        \
	if ((l) == leaf && (s) == sub && (r) == reg)                                                                   \
		v |= (u32)m->has[X86_F_##id] << (bit);
#include "cpu_x86/features.def"
#undef FEATURE
	return v;
}

static void put(u32 out[4], u32 a, u32 b, u32 c, u32 d)
{
	out[CPUID_EAX] = a;
	out[CPUID_EBX] = b;
	out[CPUID_ECX] = c;
	out[CPUID_EDX] = d;
}

static u32 text4(const char *s) { return (u32)load_le(s, 4); }

/* Family, model, stepping. APM3 E.3.2 */
static u32 signature(const struct x86_model *m)
{
	u32 ext = m->family > 0xf ? m->family - 0xf : 0;

	return ext << 20 | (m->model >> 4) << 16 | 0xf00 | (m->model & 0xf) << 4 | m->stepping;
}

static bool apic_on(const struct x86_cpu *c) { return c->msr.apic_base & APIC_BASE_ON; }

/* Leaf 1 EDX as it is now: the APIC bit follows IA32_APIC_BASE. APM2 16.3.1 */
static u32 leaf1_edx(const struct x86_cpu *c)
{
	u32 d = word(c->model, 1, 0, CPUID_EDX);

	if (!apic_on(c))
		d &= ~(1u << 9);
	return d;
}

static void leaf1(const struct x86_cpu *c, u32 out[4])
{
	const struct x86_model *m = c->model;
	u32 cx = word(m, 1, 0, CPUID_ECX), d = leaf1_edx(c);
	u32 b = c->id << 24 | (u32)m->cpus << 16 | 8 << 8; /* CLFLUSH: 8 quadwords */

	if (c->cr4 & CR4_OSXSAVE)
		cx |= 1u << 27;
	if (c->msr.hwcr & HWCR_MONDIS)
		cx &= ~(1u << 3);
	if (m->cpus > 1)
		d |= 1u << 28; /* HTT */
	put(out, signature(m), b, cx, d);
}

/* Bits that number the CPUs of the package. */
static u32 id_bits(const struct x86_model *m)
{
	u32 n = 0;

	while ((1u << n) < m->cpus)
		n++;
	return n;
}

/* One thread a core, all cores in one package. APM3 E.3.8 */
static void topology(const struct x86_cpu *c, u32 sub, u32 out[4])
{
	if (sub == 0)
		put(out, 0, 1, 1 << 8, c->id);
	else if (sub == 1)
		put(out, id_bits(c->model), c->model->cpus, 2 << 8 | 1, c->id);
	else
		put(out, 0, 0, sub, c->id);
}

/* APM3 E.3.10 */
static void xstate(const struct x86_cpu *c, u32 sub, u32 out[4])
{
	u64 all = x86_xcr0_supported(c->model);

	if (!x86_has(c->model, X86_F_XSAVE))
		return;
	if (sub == 0)
		put(out, (u32)all, x86_xsave_size(c->xcr0, false), x86_xsave_size(all, false), (u32)(all >> 32));
	else if (sub == 1)
		put(out, word(c->model, 0xd, 1, CPUID_EAX), x86_xsave_size(c->xcr0 | c->msr.xss, true), 0, 0);
	else if (sub < 63 && (all >> sub & 1))
		put(out, x86_xsave_size(all & BIT(sub), true) - 576, x86_xsave_size(mask_low(sub) & all, false), 0, 0);
}

static void standard(const struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4])
{
	const struct x86_model *m = c->model;

	switch (leaf) {
	case 0: put(out, MAX_STD, text4(m->vendor), text4(m->vendor + 8), text4(m->vendor + 4)); break;
	case 1: leaf1(c, out); break;
	case 5: /* 64-byte line; EMX, interrupt break. APM3 E.3.4 */
		if (x86_has(m, X86_F_MONITOR))
			put(out, MONITOR_LINE, MONITOR_LINE, 3, 0);
		break;
	case 6: put(out, word(m, 6, 0, CPUID_EAX), 0, word(m, 6, 0, CPUID_ECX), 0); break;
	case 7:
		if (sub == 0)
			put(out, 0, word(m, 7, 0, CPUID_EBX), word(m, 7, 0, CPUID_ECX), word(m, 7, 0, CPUID_EDX));
		break;
	case 0xb: topology(c, sub, out); break;
	case 0xd: xstate(c, sub, out); break;
	}
}

/* Cache n: type (1 data, 2 code, 3 both), level, ways, sets, CPUs that share it. APM3 E.4.15 */
static void cache_leaf(const struct x86_model *m, u32 n, u32 out[4])
{
	static const struct {
		u16 type, level, ways, shared, sets;
	} cache[] = {{1, 1, 8, 0, 64}, {2, 1, 8, 0, 64}, {3, 2, 8, 0, 1024}, {3, 3, 16, 1, 16384}};
	u32 share;

	if (!x86_has(m, X86_F_TOPOEXT) || n >= ARRAY_SIZE(cache))
		return;
	share = cache[n].shared ? m->cpus - 1u : 0;
	put(out, cache[n].type | cache[n].level << 5 | 1 << 8 | share << 14, 63 | (cache[n].ways - 1u) << 22,
	    cache[n].sets - 1u, n >= 2 ? 2 : 0);
}

/* SVM: revision 1, ASIDs, features. APM3 E.4.9 */
static void svm_leaf(const struct x86_model *m, u32 out[4])
{
	if (x86_has(m, X86_F_SVM))
		put(out, 1, NASID, 0, word(m, 0x8000000a, 0, CPUID_EDX));
}

static void leaf_8000_0001(const struct x86_cpu *c, u32 out[4])
{
	const struct x86_model *m = c->model;
	u32 cx = word(m, 0x80000001, 0, CPUID_ECX), d = word(m, 0x80000001, 0, CPUID_EDX);

	if (m->cpus > 1)
		cx |= 1u << 1; /* CmpLegacy: cores, not threads */
	put(out, signature(m), 4u << 28, cx, d | (leaf1_edx(c) & LEAF1_REPEATED));
}

/* APM3 E.4.7 */
static void sizes(const struct x86_cpu *c, u32 out[4])
{
	const struct x86_model *m = c->model;
	u32 va = !x86_has(m, X86_F_LM) ? 32 : m->la57 ? 57 : 48;

	put(out, va << 8 | m->pa_bits, word(m, 0x80000008, 0, CPUID_EBX), 4u << 12 | (m->cpus - 1u),
	    x86_has(m, X86_F_RDPRU) ? 1u << 16 : 0);
}

static void extended(const struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4])
{
	const struct x86_model *m = c->model;
	const char *name;

	switch (leaf) {
	case 0x80000000: put(out, MAX_EXT, text4(m->vendor), text4(m->vendor + 8), text4(m->vendor + 4)); break;
	case 0x80000001: leaf_8000_0001(c, out); break;
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
		name = m->brand + (leaf - 0x80000002) * 16;
		put(out, text4(name), text4(name + 4), text4(name + 8), text4(name + 12));
		break;
	case 0x80000005:
		put(out, 0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140);
		break; /* L1: 64 entries; 32 KB, 8 ways */
	case 0x80000006: put(out, 0x5c002200, 0x68004200, 0x02006140, 0x00808140); break; /* L2: 512 KB; L3: 16 MB */
	case 0x80000007: put(out, 0, 0, 0, word(m, 0x80000007, 0, CPUID_EDX)); break;
	case 0x80000008: sizes(c, out); break;
	case 0x8000000a: svm_leaf(m, out); break;
	case 0x80000019: /* 1 GB pages */
		if (x86_has(m, X86_F_PAGE1GB))
			put(out, 0xf040f040, 0, 0, 0);
		break;
	case 0x8000001d: cache_leaf(m, sub, out); break;
	case 0x8000001e: /* APIC ID, core ID, node. APM3 E.4.16 */
		if (x86_has(m, X86_F_TOPOEXT) && apic_on(c))
			put(out, c->id, c->id & 0xff, 0, 0);
		break;
	case 0x80000021: put(out, word(m, 0x80000021, 0, CPUID_EAX), 0, 0, 0); break;
	}
}

void x86_cpuid(const struct x86_cpu *c, u32 leaf, u32 sub, u32 out[4])
{
	put(out, 0, 0, 0, 0); /* every leaf that is not there */
	if (leaf <= MAX_STD)
		standard(c, leaf, sub, out);
	else if (leaf >= 0x80000000 && leaf <= MAX_EXT)
		extended(c, leaf, sub, out);
}

void x86i_cpuid(struct x86_cpu *c, const struct x86_op *o)
{
	u32 out[4];

	(void)o;
	svm_check(c, &c->svm, ICPT_CPUID);
	x86_cpuid(c, (u32)c->r[R_AX], (u32)c->r[R_CX], out);
	c->r[R_AX] = out[CPUID_EAX];
	c->r[R_BX] = out[CPUID_EBX];
	c->r[R_CX] = out[CPUID_ECX];
	c->r[R_DX] = out[CPUID_EDX];
}
