/*
 * See arm_boot.h. Manual: Linux, Documentation/arm/booting.rst (registers, ATAGS, device tree, where things may lie).
 * A Linux kernel starts in Supervisor mode with interrupts, MMU and caches off; r0 = 0, r1 = the board's number, r2 = ATAGS or device tree.
 */
#include "loader/arm_boot.h"

#include <stdlib.h>

#include "loader/boot.h"
#include "loader/elf.h"

#define TAGS_AT     0x100u
#define TAGS_MAX    0x3f00u /* below the kernel's first page table */
#define KERNEL_AT   0x10000u
#define IMAGE_AT    0x8000u /* an Image runs where it is linked: 32 KB above RAM's begin */
#define IMAGE_SPACE (8u << 20) /* behind an Image: its zeros and page tables */

enum { TAG_CORE = 0x54410001, TAG_MEM = 0x54410002, TAG_INITRD2 = 0x54420005, TAG_CMDLINE = 0x54410009 };

enum kind { KIND_ELF, KIND_ZIMAGE, KIND_IMAGE, KIND_RAW };

struct load {
	const struct arm_boot *boot;
	struct icp *b;
	enum kind kind;
	u8 *file;
	size_t size;
	u32 entry, kernel_end;
	u32 initrd, initrd_end;
	u32 r2; /* ATAGS or device tree */
};

/* booting.rst 4: a zImage says so at 24h. An Image of an ARMv5 has no mark: it begins by reading the CPU's identification (MRC p15,0,r9,c0,c0,0). */
static enum kind kind_of(const u8 *p, size_t size)
{
	if (elf_is(p, size))
		return KIND_ELF;
	if (size >= 0x30 && load_le(p + 0x24, 4) == 0x016f2818)
		return KIND_ZIMAGE;
	for (unsigned i = 0; i < 16 && size >= 64; i++)
		if (load_le(p + 4 * i, 4) == 0xee109f10)
			return KIND_IMAGE;
	return KIND_RAW;
}

/* Bytes into RAM, all of them. */
static bool put(const struct load *l, u64 pa, const void *data, size_t n, const char *what, struct error *err)
{
	if (pa > l->b->cfg.ram_size || n > l->b->cfg.ram_size - pa)
		return error_set(err, "%s: %zu bytes at 0x%llx do not fit into %llu MB of RAM", what, n, (unsigned long long)pa,
				 (unsigned long long)(l->b->cfg.ram_size >> 20));
	space_write_bytes(&l->b->mem, pa, data, n);
	return true;
}

static bool load_elf(struct load *l, struct error *err)
{
	const char *name = l->boot->kernel;
	struct elf_segment s;
	struct elf e;

	if (!elf_open(&e, name, l->file, l->size, err))
		return false;
	if (e.machine != ELF_EM_ARM)
		return error_set(err, "%s: ELF file for machine %u, expected %u (ARM)", name, e.machine, ELF_EM_ARM);
	for (unsigned i = 0; i < e.phnum; i++) {
		if (!elf_segment(&e, i, &s, err))
			return false;
		if (s.type != ELF_PT_LOAD)
			continue;
		if (s.paddr + s.memsz > l->b->cfg.ram_size)
			return error_set(err, "%s: segment %u at 0x%llx is outside of %llu MB of RAM%s", name, i, (unsigned long long)s.paddr,
					 (unsigned long long)(l->b->cfg.ram_size >> 20),
					 s.paddr >> 30 == 3 ? " (a vmlinux is linked to virtual addresses: start its zImage or Image)" : "");
		space_write_bytes(&l->b->mem, s.paddr, l->file + s.offset, (size_t)s.filesz);
		if (s.paddr + s.memsz > l->kernel_end)
			l->kernel_end = (u32)(s.paddr + s.memsz);
	}
	l->entry = (u32)elf_entry_pa(&e);
	return true;
}

static bool load_kernel(struct load *l, struct error *err)
{
	u32 at = l->kind == KIND_IMAGE ? IMAGE_AT : KERNEL_AT;

	if (l->kind == KIND_ELF)
		return load_elf(l, err);
	if (!put(l, at, l->file, l->size, l->boot->kernel, err))
		return false;
	l->entry = at;
	l->kernel_end = at + (u32)l->size + (l->kind == KIND_IMAGE ? IMAGE_SPACE : 0);
	return true;
}

/* In the middle of RAM, as QEMU has it: out of the way of a kernel that unpacks itself. */
static bool load_initrd(struct load *l, struct error *err)
{
	const char *name = l->boot->initrd;
	u64 half = l->b->cfg.ram_size / 2, at = half < (128u << 20) ? half : 128u << 20;
	size_t size;
	u8 *data;
	bool ok;

	if (!name)
		return true;
	if (!boot_read_file(name, &data, &size, err))
		return false;
	at &= PAGE_MASK;
	if (at < l->kernel_end)
		at = (l->kernel_end + PAGE_SIZE - 1) & PAGE_MASK;
	ok = put(l, at, data, size, name, err);
	free(data);
	l->initrd = (u32)at;
	l->initrd_end = (u32)(at + size);
	return ok;
}

static bool load_dtb(struct load *l, struct error *err)
{
	const struct arm_fdt_facts facts = {l->b->cfg.ram_size, l->boot->append, l->initrd, l->initrd_end, l->boot->seed};
	u64 half = l->b->cfg.ram_size / 2, at = half < (128u << 20) ? half : 128u << 20;
	size_t size;
	u8 *data;
	bool ok;

	if (!arm_fdt_load(l->boot->dtb, &facts, &data, &size, err))
		return false;
	at = (l->initrd_end ? l->initrd_end : at > l->kernel_end ? at : l->kernel_end) + PAGE_SIZE - 1;
	l->r2 = (u32)(at & PAGE_MASK);
	ok = put(l, l->r2, data, size, l->boot->dtb, err);
	free(data);
	return ok;
}

/* ---- ATAGS: booting.rst 4a ---- */

struct tags {
	u8 byte[TAGS_MAX];
	u32 used;
};

static void tag(struct tags *t, u32 id, const u32 *val, u32 n)
{
	store_le(t->byte + t->used, 4, 2 + n);
	store_le(t->byte + t->used + 4, 4, id);
	memcpy(t->byte + t->used + 8, val, 4 * n);
	t->used += 8 + 4 * n;
}

static bool tag_cmdline(struct tags *t, const char *text, struct error *err)
{
	u32 words[1024] = {0}, n = (u32)strlen(text) + 1;

	if (n > sizeof words)
		return error_set(err, "-append: longer than %zu characters", sizeof words - 1);
	memcpy(words, text, n);
	tag(t, TAG_CMDLINE, words, (n + 3) / 4);
	return true;
}

static bool load_tags(struct load *l, struct error *err)
{
	const u32 core[3] = {1, PAGE_SIZE, 0}, memory[2] = {(u32)l->b->cfg.ram_size, 0};
	const u32 initrd[2] = {l->initrd, l->initrd_end - l->initrd};
	struct tags t = {.used = 0};

	tag(&t, TAG_CORE, core, 3);
	tag(&t, TAG_MEM, memory, 2);
	if (l->initrd_end)
		tag(&t, TAG_INITRD2, initrd, 2);
	if (l->boot->append && !tag_cmdline(&t, l->boot->append, err))
		return false;
	memset(t.byte + t.used, 0, 8); /* the end: no words */
	l->r2 = TAGS_AT;
	return put(l, TAGS_AT, t.byte, t.used + 8, "ATAGS", err);
}

/* ---- start ---- */

static bool refuse(const struct load *l, struct error *err)
{
	const struct arm_boot *o = l->boot;
	const char *what = o->initrd ? "-initrd" : o->dtb ? "-dtb" : o->append && !l->b->cfg.semihost.on ? "-append" : NULL;

	return l->kind == KIND_ELF && what && !error_set(err, "%s: %s goes with a Linux zImage or Image, not with an ELF program", o->kernel, what);
}

static void start(const struct load *l)
{
	struct arm_cpu *c = &l->b->cpu;

	c->s.r[15] = l->entry & ~1u;
	if (l->kind != KIND_ELF) {
		c->s.r[0] = 0;
		c->s.r[1] = ICP_BOARD_ID;
		c->s.r[2] = l->r2;
	}
	arm_state_changed(c);
	if (l->entry & 1)
		arm_set_cpsr(c, arm_cpsr(c) | PSR_T);
}

static bool load_all(struct load *l, struct error *err)
{
	if (refuse(l, err) || !load_kernel(l, err))
		return false;
	if (l->kind == KIND_ELF)
		return true;
	return load_initrd(l, err) && (l->boot->dtb ? load_dtb(l, err) : load_tags(l, err));
}

bool arm_boot_load(const struct arm_boot *boot, struct icp *b, struct error *err)
{
	struct load l = {.boot = boot, .b = b};
	bool ok;

	if (!boot->kernel) /* the flash has what there is to run */
		return true;
	if (!boot_read_file(boot->kernel, &l.file, &l.size, err))
		return false;
	l.kind = kind_of(l.file, l.size);
	ok = load_all(&l, err);
	free(l.file);
	if (ok)
		start(&l);
	return ok;
}
