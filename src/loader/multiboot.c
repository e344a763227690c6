/* See multiboot.h. Here: finding the header, loading kernel and modules, Multiboot 1, plain ELF files. */
#include "loader/multiboot.h"

#include "loader/linux.h"

#include <stdlib.h>

#define MB1_MAGIC  0x1badb002u
#define MB1_EAX    0x2badb002u
#define MB1_SEARCH 8192
#define MB2_MAGIC  0xe85250d6u
#define MB2_SEARCH 32768

/* Header flags (3.1.2) */
#define MB1_PAGE_ALIGN 1u
#define MB1_MEMORY     2u
#define MB1_VIDEO      4u
#define MB1_ADDRESSES  0x10000u
#define MB1_KNOWN      (MB1_PAGE_ALIGN | MB1_MEMORY | MB1_VIDEO)

static u32 file32(const struct multiboot *m, size_t off) { return (u32)load_le(m->b.file + off, 4); }

unsigned multiboot_find(const u8 *data, size_t size, size_t *offset)
{
	for (size_t i = 0; i + 12 <= size && i + 12 <= MB1_SEARCH; i += 4)
		if (load_le(data + i, 4) == MB1_MAGIC &&
		    !(u32)(load_le(data + i, 4) + load_le(data + i + 4, 4) + load_le(data + i + 8, 4))) {
			*offset = i;
			return 1;
		}
	for (size_t i = 0; i + 16 <= size && i + 16 <= MB2_SEARCH; i += 8)
		if (load_le(data + i, 4) == MB2_MAGIC && !(u32)(load_le(data + i, 4) + load_le(data + i + 4, 4) +
								load_le(data + i + 8, 4) + load_le(data + i + 12, 4))) {
			*offset = i;
			return 2;
		}
	return 0;
}

/* ---------------------------------------------------------------------------------------------------- the kernel */

bool multiboot_load_elf(struct multiboot *m, struct error *err)
{
	u16 want = m->elf.is64 ? ELF_EM_X86_64 : ELF_EM_386;
	struct elf_segment s;
	bool any = false;

	if (m->elf.machine != want)
		return error_set(err, "%s: offset 18: ELF machine %u, expected %u (%s)", m->b.name, m->elf.machine,
				 want, m->elf.is64 ? "x86-64" : "80386");
	for (unsigned i = 0; i < m->elf.phnum; i++) {
		if (!elf_segment(&m->elf, i, &s, err))
			return false;
		if (s.type != ELF_PT_LOAD || !s.memsz)
			continue;
		if (!boot_load(&m->b, s.paddr, m->b.file + s.offset, s.filesz, s.memsz, err))
			return false;
		any = true;
	}
	return any || error_set(err, "%s: offset 0x%llx: expected a loadable program header", m->b.name,
				(unsigned long long)m->elf.phoff);
}

bool multiboot_load_flat(struct multiboot *m, const struct multiboot_addresses *a, struct error *err)
{
	u64 off, n, mem;

	if (a->load > a->header || a->header - a->load > m->header)
		return error_set(err,
				 "%s: offset 0x%zx: load address 0x%x, expected at most 0x%zx below the header's 0x%x",
				 m->b.name, a->at, a->load, m->header, a->header);
	off = m->header - (a->header - a->load);
	n = m->b.size - off;
	if (a->load_end) {
		if (a->load_end < a->load || a->load_end - a->load > n)
			return error_set(err,
					 "%s: offset 0x%zx: load end 0x%x, expected 0x%x to 0x%llx (the file's end)",
					 m->b.name, a->at + 4, a->load_end, a->load, (unsigned long long)(a->load + n));
		n = a->load_end - a->load;
	}
	mem = n;
	if (a->bss_end) {
		if (a->bss_end < a->load + n)
			return error_set(err, "%s: offset 0x%zx: bss end 0x%x, expected at least 0x%llx", m->b.name,
					 a->at + 8, a->bss_end, (unsigned long long)(a->load + n));
		mem = a->bss_end - a->load;
	}
	return boot_load(&m->b, a->load, m->b.file + off, n, mem, err);
}

/* ---------------------------------------------------------------------------------------------- modules, symbols */

/* Cuts the next "FILE ARGS" off *in, up to a single comma; doubled commas become one. Returns where the next begins, or
 * NULL. */
static const char *next_module(const char *in, char **out)
{
	char *o = *out;

	for (; *in; in++) {
		if (*in == ',') {
			if (in[1] != ',')
				break;
			in++;
		}
		*o++ = *in;
	}
	*o++ = 0;
	*out = o;
	return *in ? in + 1 : NULL;
}

static bool load_module(struct multiboot *m, char *text, struct error *err)
{
	struct multiboot_module *mod = &m->module[m->modules];
	size_t len = strcspn(text, " "), size;
	char space_or_end = text[len];
	u64 base;
	u8 *data;
	bool ok;

	if (!len)
		return error_set(err, "-initrd: module %u: expected a file name", m->modules + 1);
	text[len] = 0;
	ok = boot_read_file(text, &data, &size, err);
	text[len] = space_or_end;
	if (!ok)
		return false;
	if (boot_place(&m->b, m->b.kernel_end, size, PAGE_SIZE, text, &base, err)) {
		space_write_bytes(m->b.mem, base, data, size);
		*mod = (struct multiboot_module){(u32)base, (u32)(base + size), text};
		m->modules++;
	} else {
		ok = false;
	}
	free(data);
	return ok;
}

static bool load_modules(struct multiboot *m, struct error *err)
{
	const char *in = m->b.opt->initrd;
	char *out;

	if (!in || !*in)
		return true;
	out = m->module_text = malloc(strlen(in) + 2);
	if (!out)
		return error_set(err, "-initrd: no memory");
	while (in) {
		char *text = out;

		if (m->modules == MULTIBOOT_MODULES)
			return error_set(err, "-initrd: expected at most %u modules", MULTIBOOT_MODULES);
		in = next_module(in, &out);
		if (!load_module(m, text, err))
			return false;
	}
	return true;
}

/* Symbols, strings and other sections that no segment holds go behind the modules, as GRUB does it; their headers get
 * the addresses. A file whose sections are bad or do not fit is started without them. */
static bool place_sections(struct multiboot *m)
{
	u64 after = m->modules ? m->module[m->modules - 1].end : m->b.kernel_end, base;
	struct elf_section s;
	struct error ignored;

	for (unsigned i = 0; i < m->elf.shnum; i++) {
		if (!elf_section(&m->elf, i, &s, &ignored))
			return false;
		if (s.type == ELF_SHT_NULL || s.type == ELF_SHT_NOBITS || s.flags & ELF_SHF_ALLOC || !s.size)
			continue;
		if (!boot_place(&m->b, after, s.size, 16, "section", &base, &ignored))
			return false;
		space_write_bytes(m->b.mem, base, m->b.file + s.offset, s.size);
		store_le(m->sections + (size_t)i * m->elf.shentsize + (m->elf.is64 ? 16 : 12), m->elf.is64 ? 8 : 4,
			 base);
	}
	return true;
}

static void load_sections(struct multiboot *m)
{
	m->sections_size = (size_t)m->elf.shnum * m->elf.shentsize;
	if (!m->is_elf || !m->sections_size || !(m->sections = malloc(m->sections_size)))
		return;
	memcpy(m->sections, m->b.file + m->elf.shoff, m->sections_size);
	if (!place_sections(m)) {
		free(m->sections);
		m->sections = NULL;
	}
}

/* ---------------------------------------------------------------------------------------------- boot information */

/* As QEMU and GRUB have it: the file's name, then the arguments. */
static bool make_command_line(struct multiboot *m, struct error *err)
{
	const char *append = m->b.opt->append ? m->b.opt->append : "";
	size_t n = strlen(m->b.name), k = strlen(append);
	char *s = m->command_line = malloc(n + k + 2);

	if (!s)
		return error_set(err, "-append: no memory");
	memcpy(s, m->b.name, n + 1);
	if (k) {
		s[n] = ' ';
		memcpy(s + n + 1, append, k + 1);
	}
	return true;
}

bool multiboot_info_begin(struct multiboot *m, size_t extra, struct error *err)
{
	size_t n = extra + strlen(m->command_line) + sizeof MULTIBOOT_LOADER + m->sections_size + 64;

	n += m->b.opt->map->count * 24;
	for (unsigned i = 0; i < m->modules; i++)
		n += strlen(m->module[i].args) + 32;
	m->info = calloc(1, n);
	m->info_size = n;
	if (!m->info)
		return error_set(err, "%s: no memory for the boot information", m->b.name);
	return boot_place(&m->b, MULTIBOOT_INFO, n, 16, "boot information", &m->info_base, err);
}

u32 multiboot_info_add(struct multiboot *m, const void *p, size_t n)
{
	u32 at = (u32)(m->info_base + m->info_len);

	if (n > m->info_size - m->info_len)
		n = m->info_size - m->info_len; /* cannot happen: begin has counted */
	if (p)
		memcpy(m->info + m->info_len, p, n);
	m->info_len += n;
	return at;
}

void multiboot_info_end(struct multiboot *m) { space_write_bytes(m->b.mem, m->info_base, m->info, m->info_len); }

u32 multiboot_mem_kb(const struct multiboot *m, u64 from)
{
	const struct mem_range *r = mem_map_ram(m->b.opt->map, from);

	return r ? (u32)((r->base + r->size - from) / 1024) : 0;
}

/* --------------------------------------------------------------------------------------------- Multiboot 1 (3.1) */

bool multiboot1_parse(struct multiboot *m, u64 *entry, struct error *err)
{
	size_t h = m->header;
	u32 flags = file32(m, h + 4);
	struct multiboot_addresses a = {.at = h + 16};

	if (flags & 0xffff & ~MB1_KNOWN)
		return error_set(err, "%s: offset 0x%zx: Multiboot flags 0x%x, expected none of the required bits 0x%x",
				 m->b.name, h + 4, flags, flags & 0xffff & ~MB1_KNOWN);
	if (!(flags & MB1_ADDRESSES)) {
		m->is_elf = true;
		if (!elf_is(m->b.file, m->b.size))
			return error_set(err,
					 "%s: offset 0x%zx: Multiboot flags 0x%x, expected bit 16 (address fields) or "
					 "an ELF file",
					 m->b.name, h + 4, flags);
		if (!elf_open(&m->elf, m->b.name, m->b.file, m->b.size, err) || !multiboot_load_elf(m, err))
			return false;
		*entry = elf_entry_pa(&m->elf);
		return true;
	}
	if (m->b.size - h < 32)
		return error_set(err, "%s: offset 0x%zx: expected address fields, but the file ends at 0x%zx",
				 m->b.name, h + 12, m->b.size);
	a.header = file32(m, h + 12);
	a.load = file32(m, h + 16);
	a.load_end = file32(m, h + 20);
	a.bss_end = file32(m, h + 24);
	*entry = file32(m, h + 28);
	return multiboot_load_flat(m, &a, err);
}

static void put32(u8 *p, unsigned off, u32 val) { store_le(p + off, 4, val); }

/* 3.3: flags bit 6. Each entry's size field does not count itself. */
static void mb1_memory_map(struct multiboot *m, u8 *info)
{
	const struct mem_map *map = m->b.opt->map;
	u32 at = (u32)(m->info_base + m->info_len);

	for (unsigned i = 0; i < map->count; i++) {
		u8 e[24];

		store_le(e, 4, 20);
		store_le(e + 4, 8, map->range[i].base);
		store_le(e + 12, 8, map->range[i].size);
		store_le(e + 20, 4, map->range[i].type);
		multiboot_info_add(m, e, sizeof e);
	}
	put32(info, 44, map->count * 24);
	put32(info, 48, at);
}

static void mb1_modules(struct multiboot *m, u8 *info)
{
	u32 text[MULTIBOOT_MODULES] = {0};

	for (unsigned i = 0; i < m->modules; i++)
		text[i] = multiboot_info_add(m, m->module[i].args, strlen(m->module[i].args) + 1);
	multiboot_info_add(m, NULL, -m->info_len & 3);
	put32(info, 20, m->modules);
	put32(info, 24, (u32)(m->info_base + m->info_len));
	for (unsigned i = 0; i < m->modules; i++) {
		u32 e[4] = {m->module[i].start, m->module[i].end, text[i], 0};

		multiboot_info_add(m, e, sizeof e);
	}
}

/* Flags bit 12: the EGA text screen; the answer to any video request, which is a wish only (3.1.4). */
static void mb1_screen(u8 *info)
{
	store_le(info + 88, 8, 0xb8000);
	put32(info, 96, 160);
	put32(info, 100, 80);
	put32(info, 104, 25);
	info[108] = 16;
	info[109] = 2;
}

enum { MB1_SIZE = 120 };

bool multiboot1_info(struct multiboot *m, struct boot_state *st, struct error *err)
{
	u8 info[MB1_SIZE] = {0};
	u32 flags = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9; /* memory, command line, modules, map, loader name */
	u32 lower = multiboot_mem_kb(m, 0);

	if (!multiboot_info_begin(m, MB1_SIZE, err))
		return false;
	multiboot_info_add(m, NULL, MB1_SIZE);
	put32(info, 4, lower < 640 ? lower : 640);
	put32(info, 8, multiboot_mem_kb(m, 1 << 20));
	mb1_memory_map(m, info);
	if (m->sections) {
		flags |= 1 << 5;
		put32(info, 28, m->elf.shnum);
		put32(info, 32, m->elf.shentsize);
		put32(info, 36, multiboot_info_add(m, m->sections, m->sections_size));
		put32(info, 40, m->elf.shstrndx);
	}
	put32(info, 16, multiboot_info_add(m, m->command_line, strlen(m->command_line) + 1));
	put32(info, 64, multiboot_info_add(m, MULTIBOOT_LOADER, sizeof MULTIBOOT_LOADER));
	mb1_modules(m, info);
	if (file32(m, m->header + 4) & MB1_VIDEO) {
		flags |= 1 << 12;
		mb1_screen(info);
	}
	put32(info, 0, flags);
	memcpy(m->info, info, sizeof info);
	multiboot_info_end(m);
	st->eax = MB1_EAX;
	st->ebx = (u32)m->info_base;
	return true;
}

/* ----------------------------------------------------------------------------------------------------------- all */

static bool load_plain(struct multiboot *m, struct boot_state *st, struct error *err)
{
	const struct boot_options *opt = m->b.opt;

	if (!elf_is(m->b.file, m->b.size))
		return error_set(err,
				 "%s: offset 0: expected a Multiboot header in the first %u bytes, a Linux bzImage or "
				 "an ELF file",
				 m->b.name, MB2_SEARCH);
	if (opt->initrd || opt->append)
		return error_set(err,
				 "%s: no Multiboot header in the first %u bytes, expected one for -initrd and -append",
				 m->b.name, MB2_SEARCH);
	if (!elf_open(&m->elf, m->b.name, m->b.file, m->b.size, err) || !multiboot_load_elf(m, err))
		return false;
	return boot_enter(&m->b, m->elf.is64, elf_entry_pa(&m->elf), st, err);
}

static bool load_multiboot(struct multiboot *m, unsigned version, struct boot_state *st, struct error *err)
{
	u64 entry;

	if (!(version == 1 ? multiboot1_parse : multiboot2_parse)(m, &entry, err))
		return false;
	if (entry > 0xffffffff)
		return error_set(err, "%s: entry point 0x%llx, expected one below 4 GB", m->b.name,
				 (unsigned long long)entry);
	if (!load_modules(m, err) || !make_command_line(m, err) || !boot_enter(&m->b, false, entry, st, err))
		return false;
	load_sections(m);
	return (version == 1 ? multiboot1_info : multiboot2_info)(m, st, err);
}

bool kernel_load(struct space *mem, const struct boot_options *opt, struct boot_state *st, struct error *err)
{
	struct multiboot m = {.b = {.mem = mem, .opt = opt, .name = opt->kernel, .kernel_base = ~0ull}};
	unsigned version;
	bool ok;

	if (!boot_read_file(opt->kernel, &m.b.file, &m.b.size, err))
		return false;
	if (linux_is(m.b.file, m.b.size))
		return linux_load(mem, opt, m.b.file, m.b.size, st, err);
	version = multiboot_find(m.b.file, m.b.size, &m.header);
	ok = version ? load_multiboot(&m, version, st, err) : load_plain(&m, st, err);
	free(m.b.file);
	free(m.module_text);
	free(m.sections);
	free(m.command_line);
	free(m.info);
	return ok;
}
