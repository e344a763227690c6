/* See symbols.h. Images and ELF symbols; DWARF is in symbols_dwarf.c. */
#include "debug/symbols.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "debug/symbols_dwarf.h"

bool symbols_owner(const char *word, enum symbol_owner *owner, u64 *value)
{
	char *end;

	*value = 0;
	if (!strcmp(word, "host") || !strcmp(word, "guest") || !strcmp(word, "any")) {
		*owner = *word == 'h' ? SYMBOLS_HOST : *word == 'g' ? SYMBOLS_GUEST : SYMBOLS_ANY;
		return true;
	}
	if (strncmp(word, "cr3=", 4) && strncmp(word, "asid=", 5))
		return false;
	*owner = *word == 'c' ? SYMBOLS_CR3 : SYMBOLS_ASID;
	*value = strtoull(strchr(word, '=') + 1, &end, 0);
	return !*end;
}

/* Does the image belong to that world? */
static bool owned(const struct symbol_image *im, const struct view *v)
{
	switch (im->owner) {
	case SYMBOLS_HOST: return !v->guest;
	case SYMBOLS_GUEST: return v->guest;
	case SYMBOLS_CR3: return (v->cr3 & PAGE_MASK) == (im->owner_value & PAGE_MASK);
	case SYMBOLS_ASID: return v->guest && v->asid == im->owner_value;
	default: return true;
	}
}

#ifdef HAVE_LIBELF
#include <gelf.h>

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->size != y->size ? x->size < y->size ? -1 : 1 : strcmp(x->name, y->name);
}

static bool wanted(const GElf_Sym *y, const char *name)
{
	unsigned type = GELF_ST_TYPE(y->st_info);

	return name && *name && *name != '$' && y->st_shndx != SHN_UNDEF && y->st_shndx != SHN_ABS &&
	       (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE);
}

static struct symbol symbol_of(const struct symbol_image *im, const GElf_Sym *y, const char *name)
{
	struct symbol s = {.addr = y->st_value + im->bias, .size = y->st_size, .name = name, .function = GELF_ST_TYPE(y->st_info) == STT_FUNC};

	s.thumb = im->arm && s.function && y->st_value & 1;
	s.addr -= s.thumb;
	return s;
}

static bool read_table(struct symbol_image *im, Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = sh->sh_entsize ? sh->sh_size / sh->sh_entsize : 0;
	struct symbol *grown = realloc(im->sym, (im->syms + n) * sizeof *grown);

	if (!data || !grown)
		return false;
	im->sym = grown;
	for (size_t i = 0; i < n; i++) {
		const char *name;
		GElf_Sym y;

		if (!gelf_getsym(data, (int)i, &y))
			break;
		name = elf_strptr(elf, sh->sh_link, y.st_name);
		if (wanted(&y, name))
			im->sym[im->syms++] = symbol_of(im, &y, name);
	}
	return true;
}

/* Symbols without a size reach to the next one. */
static void close_gaps(struct symbol_image *im)
{
	if (im->syms)
		qsort(im->sym, im->syms, sizeof *im->sym, by_address);
	for (size_t i = 0; i < im->syms; i++)
		if (!im->sym[i].size)
			for (size_t k = i + 1; k < im->syms && !im->sym[i].size; k++)
				im->sym[i].size = im->sym[k].addr - im->sym[i].addr;
	if (im->syms && !im->sym[im->syms - 1].size)
		im->sym[im->syms - 1].size = im->hi > im->sym[im->syms - 1].addr ? im->hi - im->sym[im->syms - 1].addr : 1;
}

static void read_range(struct symbol_image *im, Elf *elf)
{
	size_t n = 0;

	im->lo = ~0ull;
	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;

		if (!gelf_getphdr(elf, (int)i, &p) || p.p_type != PT_LOAD)
			continue;
		if (p.p_vaddr + im->bias < im->lo)
			im->lo = p.p_vaddr + im->bias;
		if (p.p_vaddr + p.p_memsz + im->bias > im->hi)
			im->hi = p.p_vaddr + p.p_memsz + im->bias;
	}
}

static bool read_image(struct symbol_image *im, struct error *err)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr header;
	Elf *elf;

	elf_version(EV_CURRENT);
	im->fd = open(im->path, O_RDONLY | O_CLOEXEC);
	if (im->fd < 0)
		return error_set(err, "%s: %s", im->path, strerror(errno));
	im->elf = elf = elf_begin(im->fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return error_set(err, "%s: not an ELF file", im->path);
	im->arm = gelf_getehdr(elf, &header) && header.e_machine == EM_ARM;
	im->entry_bits = gelf_getclass(elf) == ELFCLASS64 ? 64 : 32;
	read_range(im, elf);
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB && !read_table(im, elf, scn, &sh))
			return error_set(err, "%s: its symbol table cannot be read", im->path);
	}
	close_gaps(im);
	dwarf_open(im);
	return true;
}

static void close_image(struct symbol_image *im)
{
	dwarf_close(im);
	if (im->elf)
		elf_end(im->elf);
	if (im->fd >= 0)
		close(im->fd);
	free(im->sym);
}

const char *symbols_library(void) { return dwarf_library() ? "libelf, libdw" : "libelf"; }
#else
static bool read_image(struct symbol_image *im, struct error *err)
{
	return error_set(err, "%s: built without libelf: no symbols", im->path);
}
static void close_image(struct symbol_image *im) { (void)im; }
const char *symbols_library(void) { return NULL; }
#endif

bool symbols_add(struct symbols *s, const char *spec, enum symbol_owner owner, u64 value, struct error *err)
{
	struct symbol_image im = {.owner = owner, .owner_value = value, .fd = -1};
	const char *at = strrchr(spec, '@');
	char *end = NULL;
	unsigned n = 0;

	if (at) {
		im.bias = strtoull(at + 1, &end, 0);
		if (*end || end == at + 1)
			at = NULL, im.bias = 0; /* part of the name */
	}
	snprintf(im.path, sizeof im.path, "%.*s", at ? (int)(at - spec) : (int)strlen(spec), spec);
	if (!read_image(&im, err)) {
		close_image(&im);
		return false;
	}
	while (n < s->images && (strcmp(s->image[n].path, im.path) || s->image[n].owner != owner || s->image[n].owner_value != value))
		n++;
	if (n == SYMBOL_IMAGES) {
		close_image(&im);
		return error_set(err, "%s: there are %u images already", im.path, SYMBOL_IMAGES);
	}
	if (n < s->images)
		close_image(&s->image[n]);
	else
		s->images++;
	s->image[n] = im;
	return true;
}

void symbols_free(struct symbols *s)
{
	while (s->images)
		close_image(&s->image[--s->images]);
}

/* ---- looking up ---- */

/* The last function, or else the last symbol, that begins at or before the address and reaches it. */
static const struct symbol *image_at(const struct symbol_image *im, u64 addr)
{
	size_t lo = 0, hi = im->syms;
	const struct symbol *best = NULL;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (im->sym[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo, tries = 0; i-- > 0 && tries < 16; tries++) {
		const struct symbol *y = &im->sym[i];

		if (addr - y->addr >= y->size)
			continue;
		if (y->function)
			return y;
		best = best ? best : y;
	}
	return best;
}

const struct symbol *symbols_at(const struct symbols *s, const struct view *v, u64 addr, u64 *off)
{
	for (unsigned i = 0; i < s->images; i++) {
		const struct symbol_image *im = &s->image[i];
		const struct symbol *y = owned(im, v) ? image_at(im, addr) : NULL;

		if (y) {
			*off = addr - y->addr;
			return y;
		}
	}
	return NULL;
}

static const struct symbol_image *image_of(const struct symbols *s, const struct view *v, u64 addr)
{
	for (unsigned i = 0; i < s->images; i++)
		if (owned(&s->image[i], v) && addr >= s->image[i].lo && addr < s->image[i].hi)
			return &s->image[i];
	return NULL;
}

bool symbols_find(const struct symbols *s, const struct view *v, const char *name, u64 *addr)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < s->images; i++) {
			const struct symbol_image *im = &s->image[i];

			if ((pass == 0) != owned(im, v))
				continue;
			for (size_t k = 0; k < im->syms; k++)
				if (!strcmp(im->sym[k].name, name)) {
					*addr = im->sym[k].addr;
					return true;
				}
		}
	return false;
}

static bool image_has(const struct symbol_image *im, const char *name, int line)
{
	u64 addr;

	if (line)
		return dwarf_line_addr(im, name, line, &addr);
	for (size_t k = 0; k < im->syms; k++)
		if (!strcmp(im->sym[k].name, name))
			return true;
	return false;
}

bool symbols_whose(const struct symbols *s, const struct view *v, const char *name, int line, enum symbol_owner *owner)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < s->images; i++)
			if ((pass == 0) == owned(&s->image[i], v) && image_has(&s->image[i], name, line)) {
				*owner = s->image[i].owner;
				return true;
			}
	return false;
}

bool symbols_name(const struct symbols *s, const struct view *v, u64 addr, char *buf, size_t size)
{
	u64 off;
	const struct symbol *y = symbols_at(s, v, addr, &off);

	*buf = 0;
	if (y && off)
		snprintf(buf, size, "%s+0x%llx", y->name, (unsigned long long)off);
	else if (y)
		snprintf(buf, size, "%s", y->name);
	return y != NULL;
}

bool symbols_is_code(const struct symbols *s, const struct view *v, u64 addr)
{
	u64 off;
	const struct symbol *y = symbols_at(s, v, addr, &off);

	return y && y->function;
}

void symbols_thumb(const struct symbols *s, const struct view *v, u64 addr, u64 *cpsr)
{
	u64 off;
	const struct symbol *y = symbols_at(s, v, addr, &off);

	if (y && y->function)
		*cpsr = (*cpsr & ~(u64)PSR_T) | (y->thumb ? PSR_T : 0);
}

bool symbols_line(const struct symbols *s, const struct view *v, u64 addr, char *buf, size_t size)
{
	const struct symbol_image *im = image_of(s, v, addr);

	*buf = 0;
	return im && dwarf_line(im, addr, buf, size);
}

bool symbols_line_addr(const struct symbols *s, const struct view *v, const char *file, int line, u64 *addr)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < s->images; i++)
			if ((pass == 0) == owned(&s->image[i], v) && dwarf_line_addr(&s->image[i], file, line, addr))
				return true;
	return false;
}

bool symbols_unwind(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc)
{
	const struct symbol_image *im = image_of(s, v, *pc);

	return im && dwarf_unwind(im, v, r, pc);
}
