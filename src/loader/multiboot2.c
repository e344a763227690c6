/* See multiboot.h. Here: the tags of Multiboot 2, of the header (Multiboot2 3.1) and of the boot information (3.6). */
#include "loader/multiboot.h"

#define MB2_EAX 0x36d76289u

/* Header tags */
enum {
	HEADER_END,
	HEADER_INFORMATION,
	HEADER_ADDRESS,
	HEADER_ENTRY,
	HEADER_CONSOLE,
	HEADER_FRAMEBUFFER,
	HEADER_MODULE_ALIGN,
	HEADER_EFI_BOOT_SERVICES,
	HEADER_ENTRY_EFI32,
	HEADER_ENTRY_EFI64,
	HEADER_RELOCATABLE
};

/* Boot information tags */
enum {
	TAG_END,
	TAG_COMMAND_LINE,
	TAG_LOADER,
	TAG_MODULE,
	TAG_MEMORY,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_SECTIONS,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW,
	TAG_LOAD_BASE = 21
};

/* What the header asks for. */
struct header {
	bool addresses, entry, relocatable;
	struct multiboot_addresses a;
	u32 entry_address, min, max;
};

static u32 file32(const struct multiboot *m, size_t off) { return (u32)load_le(m->b.file + off, 4); }

static bool tag_error(struct multiboot *m, size_t at, struct error *err, const char *expected)
{
	return error_set(err, "%s: offset 0x%zx: Multiboot2 header tag %u of %u bytes: expected %s", m->b.name, at,
			 (unsigned)load_le(m->b.file + at, 2), file32(m, at + 4), expected);
}

/* 3.1.4: we know all tags of the specification; some describe what a machine without firmware lacks (EFI, VBE, network)
 * and are then left out, as GRUB leaves them out. */
static bool information_request(struct multiboot *m, size_t at, u32 size, struct error *err)
{
	for (u32 i = 8; i + 4 <= size; i += 4)
		if (file32(m, at + i) > TAG_LOAD_BASE)
			return error_set(err,
					 "%s: offset 0x%zx: required Multiboot2 information %u, expected at most %u",
					 m->b.name, at + i, file32(m, at + i), TAG_LOAD_BASE);
	return true;
}

static void address_tag(struct multiboot *m, size_t at, struct header *h)
{
	h->addresses = true;
	h->a = (struct multiboot_addresses){file32(m, at + 8), file32(m, at + 12), file32(m, at + 16),
					    file32(m, at + 20), at + 12};
	if (h->a.load == 0xffffffff) /* from the beginning of the file */
		h->a.load = h->a.header - (u32)m->header;
}

/* The least size of each header tag. */
static const u8 tag_sizes[] = {8, 8, 24, 12, 12, 20, 8, 8, 12, 12, 24};

static bool header_tag(struct multiboot *m, size_t at, u32 size, struct header *h, struct error *err)
{
	unsigned type = (unsigned)load_le(m->b.file + at, 2);
	bool optional = m->b.file[at + 2] & 1;

	if (type >= ARRAY_SIZE(tag_sizes))
		return optional || tag_error(m, at, err, "no unknown tag without its optional bit");
	if (size < tag_sizes[type])
		return tag_error(m, at, err, "more bytes");
	switch (type) {
	case HEADER_INFORMATION: return optional || information_request(m, at, size, err);
	case HEADER_ADDRESS: address_tag(m, at, h); break;
	case HEADER_ENTRY:
		h->entry = true;
		h->entry_address = file32(m, at + 8);
		break;
	case HEADER_CONSOLE: /* bit 0: there must be a console; bit 1: EGA text will do */
		if (!optional && (file32(m, at + 8) & 3) == 1)
			return tag_error(m, at, err, "flags bit 1: there is an EGA text console only");
		break;
	case HEADER_RELOCATABLE:
		h->relocatable = true;
		h->min = file32(m, at + 8);
		h->max = file32(m, at + 12);
		break;
	default: break; /* a framebuffer is a wish; modules are always aligned; the EFI tags are for EFI */
	}
	return true;
}

static bool header_tags(struct multiboot *m, struct header *h, struct error *err)
{
	u64 at = m->header + 16, end = m->header + file32(m, m->header + 8);

	if (end > m->b.size || end < at)
		return error_set(err,
				 "%s: offset 0x%zx: Multiboot2 header of %u bytes, expected 16 or more within the file",
				 m->b.name, m->header + 8, file32(m, m->header + 8));
	while (at + 8 <= end) {
		u32 size = file32(m, at + 4);

		if (size < 8 || size > end - at)
			return tag_error(m, at, err, "a size within the header");
		if (load_le(m->b.file + at, 2) == HEADER_END)
			return true;
		if (!header_tag(m, at, size, h, err))
			return false;
		at += ((u64)size + 7) & ~7ull;
	}
	return true; /* without an end tag: GRUB takes it, too */
}

bool multiboot2_parse(struct multiboot *m, u64 *entry, struct error *err)
{
	struct header h = {0};

	if (file32(m, m->header + 4) != 0)
		return error_set(err, "%s: offset 0x%zx: Multiboot2 architecture %u, expected 0 (i386)", m->b.name,
				 m->header + 4, file32(m, m->header + 4));
	if (!header_tags(m, &h, err))
		return false;
	if (h.addresses && !h.entry)
		return error_set(err, "%s: offset 0x%zx: address tag, expected an entry address tag with it", m->b.name,
				 h.a.at - 12);
	if (h.addresses) {
		if (!multiboot_load_flat(m, &h.a, err))
			return false;
	} else {
		m->is_elf = true;
		if (!elf_open(&m->elf, m->b.name, m->b.file, m->b.size, err) || !multiboot_load_elf(m, err))
			return false;
		*entry = elf_entry_pa(&m->elf);
	}
	if (h.entry)
		*entry = h.entry_address;
	if (h.relocatable && (m->b.kernel_base < h.min || m->b.kernel_end - 1 > h.max))
		return error_set(err, "%s: linked at 0x%llx-0x%llx, expected 0x%x-0x%x (it is not relocated)",
				 m->b.name, (unsigned long long)m->b.kernel_base,
				 (unsigned long long)m->b.kernel_end - 1, h.min, h.max);
	return true;
}

/* ---------------------------------------------------------------------------------------- boot information (3.6) */

/* A tag: type, size, then up to two pieces of content; the next tag begins on a multiple of 8. */
static void tag(struct multiboot *m, u32 type, const void *p, size_t n, const void *q, size_t k)
{
	u32 head[2] = {type, (u32)(sizeof head + n + k)};

	multiboot_info_add(m, head, sizeof head);
	multiboot_info_add(m, p, n);
	multiboot_info_add(m, q, k);
	multiboot_info_add(m, NULL, -m->info_len & 7);
}

static void tag_string(struct multiboot *m, u32 type, const void *p, size_t n, const char *s)
{
	tag(m, type, p, n, s, strlen(s) + 1);
}

static void tag_memory_map(struct multiboot *m)
{
	const struct mem_map *map = m->b.opt->map;
	u32 head[2] = {24, 0}; /* entry size, version */
	u8 e[MEM_MAP_MAX * 24] = {0};

	for (unsigned i = 0; i < map->count; i++) {
		store_le(e + i * 24, 8, map->range[i].base);
		store_le(e + i * 24 + 8, 8, map->range[i].size);
		store_le(e + i * 24 + 16, 4, map->range[i].type);
	}
	tag(m, TAG_MEMORY_MAP, head, sizeof head, e, (size_t)map->count * 24);
}

/* The EGA text screen: address, pitch, width, height, bits, type 2. */
static void tag_framebuffer(struct multiboot *m)
{
	u8 t[24] = {0};

	store_le(t, 8, 0xb8000);
	store_le(t + 8, 4, 160);
	store_le(t + 12, 4, 80);
	store_le(t + 16, 4, 25);
	t[20] = 16;
	t[21] = 2;
	tag(m, TAG_FRAMEBUFFER, t, sizeof t, NULL, 0);
}

/* 3.6.14, 3.6.15: copies of the root pointer. */
static void tag_acpi(struct multiboot *m)
{
	u8 rsdp[36];

	if (!m->b.opt->rsdp)
		return;
	for (unsigned i = 0; i < sizeof rsdp; i++)
		rsdp[i] = (u8)space_peek(m->b.mem, m->b.opt->rsdp + i, 1);
	tag(m, TAG_ACPI_OLD, rsdp, 20, NULL, 0);
	if (rsdp[15] >= 2)
		tag(m, TAG_ACPI_NEW, rsdp, sizeof rsdp, NULL, 0);
}

enum { MB2_FIXED = 512 }; /* more than all tags without strings, map, modules and sections */

bool multiboot2_info(struct multiboot *m, struct boot_state *st, struct error *err)
{
	u32 lower = multiboot_mem_kb(m, 0), base = (u32)m->b.kernel_base;
	u32 memory[2] = {lower < 640 ? lower : 640, multiboot_mem_kb(m, 1 << 20)};
	u32 sections[3] = {m->elf.shnum, m->elf.shentsize, m->elf.shstrndx};

	if (!multiboot_info_begin(m, MB2_FIXED, err))
		return false;
	multiboot_info_add(m, NULL, 8); /* total size and a reserved word */
	tag_string(m, TAG_COMMAND_LINE, NULL, 0, m->command_line);
	tag_string(m, TAG_LOADER, NULL, 0, MULTIBOOT_LOADER);
	for (unsigned i = 0; i < m->modules; i++)
		tag_string(m, TAG_MODULE, &m->module[i], 8, m->module[i].args);
	tag(m, TAG_MEMORY, memory, sizeof memory, NULL, 0);
	tag_memory_map(m);
	tag_framebuffer(m);
	if (m->sections)
		tag(m, TAG_SECTIONS, sections, sizeof sections, m->sections, m->sections_size);
	tag_acpi(m);
	tag(m, TAG_LOAD_BASE, &base, sizeof base, NULL, 0);
	tag(m, TAG_END, NULL, 0, NULL, 0);
	store_le(m->info, 4, m->info_len);
	multiboot_info_end(m);
	st->eax = MB2_EAX;
	st->ebx = (u32)m->info_base;
	return true;
}
