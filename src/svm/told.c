/*
 * A debugger hears what VMRUN, #VMEXIT, VMLOAD and VMSAVE load and store in VMCBs and the host state-save area. Which fields a store
 * writes is seen by letting it write two pages of different content: where they agree then, it has written. Nothing of this runs
 * unless somebody watches physical memory.
 */
#include "svm/state.h"

/* Up to 8 bytes at off. written: those bits; others stay. */
static void tell_store(struct x86_cpu *c, const char *who, u64 pa, unsigned off, unsigned size, u64 written, u64 val)
{
	u64 old = space_peek(c->mem, pa + off, size);

	if (written & mask_low(size * 8))
		c->spy->own(c->spy->arg, c, who, pa + off, size, true, (old & ~written) | (val & written));
}

static void tell_load(struct x86_cpu *c, const char *who, u64 pa, unsigned off, unsigned size)
{
	c->spy->own(c->spy->arg, c, who, pa + off, size, false, space_peek(c->mem, pa + off, size));
}

/* What write leaves the same in both pages. */
static void two_pages(struct x86_cpu *c, svm_writer *write, const void *arg, u8 a[PAGE_SIZE], u8 b[PAGE_SIZE])
{
	memset(a, 0, PAGE_SIZE);
	memset(b, 0xff, PAGE_SIZE);
	write(c, a, arg);
	write(c, b, arg);
}

static void tell_fields(struct x86_cpu *c, const char *who, u64 pa, svm_writer *write, const void *arg, bool store)
{
	u8 a[PAGE_SIZE], b[PAGE_SIZE];

	if (!c->spy->own)
		return;
	two_pages(c, write, arg, a, b);
	for (size_t i = 0; i < vmcb_fields_n; i++) {
		const struct field *f = &vmcb_fields[i];

		for (unsigned at = 0; at < f->size && f->fmt != FMT_PAD; at += 8) {
			unsigned n = f->size - at < 8 ? f->size - at : 8;
			u64 val = load_le(a + f->off + at, n), written = ~(val ^ load_le(b + f->off + at, n));

			if (store)
				tell_store(c, who, pa & PAGE_MASK, f->off + at, n, written, val);
			else if (written & mask_low(n * 8))
				tell_load(c, who, pa & PAGE_MASK, f->off + at, n);
		}
	}
}

void svm_tell_stores(struct x86_cpu *c, const char *who, u64 pa, svm_writer *write, const void *arg)
{
	tell_fields(c, who, pa, write, arg, true);
}

void svm_tell_loads_as(struct x86_cpu *c, const char *who, u64 pa, svm_writer *write, const void *arg)
{
	tell_fields(c, who, pa, write, arg, false);
}

/* What VMRUN loads of those that no clean bit covers: see load_switches, put_registers and pend_events in vmrun.c. */
static bool always_loaded(const struct field *f)
{
	static const char *const names[] = {"TLB_CONTROL", "INTERRUPT_SHADOW", "NP_CONTROL", "EVENTINJ", "VIRT_EXT", "VMCB_CLEAN",
					    "nRIP", "RFLAGS", "RIP", "RSP", "RAX", "PAUSE_FILTER_THRESHOLD"};

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(f->name, names[i]))
			return true;
	return false;
}

static bool loaded(const struct x86_cpu *c, size_t i, u32 clean)
{
	enum vmcb_group g = vmcb_group(i);

	if (vmcb_fields[i].size > 8 || vmcb_fields[i].fmt == FMT_PAD)
		return false;
	if (g == VMCB_LBR && !svm_priv_of(&c->svm)->lbr)
		return false;
	return g <= VMCB_LBR ? !(clean >> g & 1) : always_loaded(&vmcb_fields[i]);
}

void svm_tell_loads(struct x86_cpu *c, const char *who, u64 pa, u32 clean)
{
	for (size_t i = 0; i < vmcb_fields_n && c->spy->own; i++)
		if (loaded(c, i, clean))
			tell_load(c, who, pa & PAGE_MASK, vmcb_fields[i].off, vmcb_fields[i].size);
}

void svm_tell_vmload(struct x86_cpu *c, u64 pa)
{
	for (size_t i = 0; i < vmcb_fields_n && c->spy->own; i++)
		if (vmcb_group(i) == VMCB_VMLOAD)
			tell_load(c, "VMLOAD", pa & PAGE_MASK, vmcb_fields[i].off, vmcb_fields[i].size);
}
