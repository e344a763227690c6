/*
 * Build tool: reads object files of inline handlers compiled as templates (template.h) and prints the C table x86_templates[] of translate.h: for
 * each handler that a global table points at, its code and the holes in it. A handler whose code needs more than
 * translate.c can patch is left out and runs as an ordinary op.
 *
 * Usage: extract OBJECT... >templates.c
 */
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct object {
	const char *path;
	unsigned char *image;
	Elf64_Ehdr *eh;
	Elf64_Shdr *sh;
	const char *names;
	Elf64_Sym *sym;
	unsigned syms, strings;
};

static void __attribute__((noreturn)) die(const struct object *f, const char *what)
{
	fprintf(stderr, "extract: %s: %s\n", f->path, what);
	exit(1);
}

static void load(struct object *f, const char *path)
{
	FILE *in = fopen(path, "rb");
	long n;

	*f = (struct object){.path = path};
	if (!in || fseek(in, 0, SEEK_END) || (n = ftell(in)) < (long)sizeof(Elf64_Ehdr) || fseek(in, 0, SEEK_SET))
		die(f, "cannot be read");
	f->image = malloc((size_t)n);
	if (!f->image || fread(f->image, 1, (size_t)n, in) != (size_t)n)
		die(f, "cannot be read");
	fclose(in);
	f->eh = (Elf64_Ehdr *)(void *)f->image;
	if (memcmp(f->eh->e_ident, ELFMAG, SELFMAG) || f->eh->e_machine != EM_X86_64 || f->eh->e_type != ET_REL)
		die(f, "not an x86-64 object file");
	f->sh = (Elf64_Shdr *)(void *)(f->image + f->eh->e_shoff);
	f->names = (char *)f->image + f->sh[f->eh->e_shstrndx].sh_offset;
	for (unsigned i = 0; i < f->eh->e_shnum; i++)
		if (f->sh[i].sh_type == SHT_SYMTAB) {
			f->sym = (Elf64_Sym *)(void *)(f->image + f->sh[i].sh_offset);
			f->syms = (unsigned)(f->sh[i].sh_size / sizeof(Elf64_Sym));
			f->strings = f->sh[i].sh_link;
		}
	if (!f->sym)
		die(f, "no symbol table");
}

static const char *section_name(const struct object *f, unsigned i) { return f->names + f->sh[i].sh_name; }
static const char *symbol_name(const struct object *f, const Elf64_Sym *s)
{
	return (char *)f->image + f->sh[f->strings].sh_offset + s->st_name;
}

/* The section that holds relocations of section i, or 0. */
static unsigned rela_of(const struct object *f, unsigned i)
{
	for (unsigned k = 1; k < f->eh->e_shnum; k++)
		if (f->sh[k].sh_type == SHT_RELA && f->sh[k].sh_info == i)
			return k;
	return 0;
}
static Elf64_Rela *relas(const struct object *f, unsigned section, unsigned *n)
{
	unsigned k = rela_of(f, section);

	*n = k ? (unsigned)(f->sh[k].sh_size / sizeof(Elf64_Rela)) : 0;
	return k ? (Elf64_Rela *)(void *)(f->image + f->sh[k].sh_offset) : NULL;
}

/* .text.NAME has its cold part in .text.unlikely.NAME. */
static unsigned cold_of(const struct object *f, unsigned hot)
{
	const char *name = section_name(f, hot) + strlen(".text.");

	for (unsigned i = 1; i < f->eh->e_shnum; i++)
		if (!strncmp(section_name(f, i), ".text.unlikely.", 15) && !strcmp(section_name(f, i) + 15, name))
			return i;
	return 0;
}

/* ---- holes ---- */
static const char *hole(const char *name)
{
	static const char *const known[] = {"T_DST",   "T_SRC",  "T_BASE",  "T_INDEX", "T_SEG", "T_IMM", "T_IMM64", "T_DISP",
	                                    "T_END",   "T_AMASK", "T_OMASK", "T_SCALE", "T_OP",  "T_BLOCK", "T_DEAD", "T_SLOW", "T_NEXT", "T_SELF"};

	for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
		if (!strcmp(name, known[i]))
			return name;
	return NULL;
}

static const char *patch_kind(unsigned type)
{
	switch (type) {
	case R_X86_64_8: return "PATCH_8";
	case R_X86_64_32:
	case R_X86_64_32S: return "PATCH_32";
	case R_X86_64_64: return "PATCH_64";
	case R_X86_64_PC32:
	case R_X86_64_PLT32: return "PATCH_REL";
	default: return NULL;
	}
}

/* ---- one template ---- */
struct part {
	unsigned section;
	unsigned size;
	bool falls; /* the jump to the next op at its end is dropped */
};

/* Prints the patches of a part if out, and says whether all of them can be done. */
static bool patches(const struct object *f, const struct part *part, unsigned which, FILE *out, unsigned *count)
{
	unsigned n;
	Elf64_Rela *r = relas(f, part[which].section, &n);

	for (unsigned i = 0; i < n; i++) {
		const Elf64_Sym *s = &f->sym[ELF64_R_SYM(r[i].r_info)];
		const char *kind = patch_kind(ELF64_R_TYPE(r[i].r_info)), *name = symbol_name(f, s), *what = NULL;
		bool outside = s->st_shndx == SHN_UNDEF;
		long add = r[i].r_addend;

		if (!kind)
			return false;
		if (part[which].falls && r[i].r_offset >= part[which].size)
			continue;
		if (outside && !strncmp(name, "T_", 2)) {
			if (!(what = hole(name)))
				return false;
		} else if (outside) {
			if (strcmp(kind, "PATCH_REL") || strncmp(name, "x86_", 4))
				return false;
		} else if (s->st_shndx == part[0].section) {
			what = "T_HOT", add += (long)s->st_value;
		} else if (part[1].section && s->st_shndx == part[1].section) {
			what = "T_COLD", add += (long)s->st_value;
		} else {
			return false;
		}
		++*count;
		if (!out)
			continue;
		fprintf(out, "{%u, %u, %s, ", (unsigned)r[i].r_offset, which, kind);
		if (what)
			fprintf(out, "%s, %ld, 0}, ", what, add);
		else
			fprintf(out, "T_FUNCTION, %ld, %s}, ", add, name);
	}
	return true;
}

static void print_code(const struct object *f, const struct part *p, unsigned id, unsigned which)
{
	const unsigned char *code = f->image + f->sh[p->section].sh_offset;

	printf("static const u8 code%u_%u[] = {", id, which);
	for (unsigned i = 0; i < p->size; i++)
		printf("%s%u", i ? "," : "", code[i]);
	printf("};\n");
}

/* A hot part that ends in "jmp T_NEXT" falls through to the next op instead. */
static void find_fall(const struct object *f, struct part *p)
{
	unsigned n;
	Elf64_Rela *r = relas(f, p->section, &n);
	const unsigned char *code = f->image + f->sh[p->section].sh_offset;

	for (unsigned i = 0; i < n; i++)
		if (r[i].r_offset + 4 == p->size && p->size >= 5 && code[p->size - 5] == 0xe9 &&
		    !strcmp(symbol_name(f, &f->sym[ELF64_R_SYM(r[i].r_info)]), "T_NEXT")) {
			p->size -= 5;
			p->falls = true;
			return;
		}
}

static unsigned ids;

/* True: template number ids - 1 was printed. */
static bool template(const struct object *f, unsigned hot)
{
	struct part part[2] = {{.section = hot, .size = (unsigned)f->sh[hot].sh_size}, {.section = cold_of(f, hot)}};
	unsigned count = 0;

	part[1].size = part[1].section ? (unsigned)f->sh[part[1].section].sh_size : 0;
	find_fall(f, &part[0]);
	if (!patches(f, part, 0, NULL, &count) || (part[1].section && !patches(f, part, 1, NULL, &count)) || !part[0].size)
		return false;
	print_code(f, &part[0], ids, 0);
	if (part[1].size)
		print_code(f, &part[1], ids, 1);
	if (count) {
		printf("static const struct x86_patch patch%u[] = {", ids);
		patches(f, part, 0, stdout, &count);
		if (part[1].section)
			patches(f, part, 1, stdout, &count);
		printf("};\n");
	}
	printf("static const struct x86_template template%u = {", ids);
	printf(part[1].size ? "{code%u_0, code%u_1}" : "{code%u_0, 0}", ids, ids);
	printf(", {%u, %u}, ", part[0].size, part[1].size);
	printf(count ? "patch%u, ARRAY_SIZE(patch%u)};\n" : "0, 0};\n", ids, ids);
	ids++;
	return true;
}

/* ---- functions that templates call, declared once ---- */
static void declare_functions(const struct object *f, const struct object *first)
{
	for (unsigned i = 1; i < f->syms; i++) {
		const Elf64_Sym *s = &f->sym[i];
		const char *name = symbol_name(f, s);
		bool seen = false;

		if (s->st_shndx != SHN_UNDEF || strncmp(name, "x86_", 4))
			continue;
		for (const struct object *g = first; g < f && !seen; g++)
			for (unsigned k = 1; k < g->syms && !seen; k++)
				seen = g->sym[k].st_shndx == SHN_UNDEF && !strcmp(symbol_name(g, &g->sym[k]), name);
		if (!seen)
			printf("extern const char %s[];\n", name);
	}
}

/* Every pointer to a .text.NAME in a global object is a handler; its place names the ordinary handler at run time. */
struct slot {
	const char *object;
	unsigned long offset;
	unsigned id;
};
static struct slot *slots;
static unsigned n_slots;

static void handlers(const struct object *f)
{
	int *done = calloc(f->eh->e_shnum, sizeof *done);

	for (unsigned i = 1; i < f->syms; i++) {
		const Elf64_Sym *o = &f->sym[i];
		unsigned n;
		Elf64_Rela *r;

		if (ELF64_ST_TYPE(o->st_info) != STT_OBJECT || ELF64_ST_BIND(o->st_info) != STB_GLOBAL || o->st_shndx == SHN_UNDEF)
			continue;
		r = relas(f, o->st_shndx, &n);
		for (unsigned k = 0; k < n; k++) {
			const Elf64_Sym *s = &f->sym[ELF64_R_SYM(r[k].r_info)];
			unsigned section = s->st_shndx;

			if (r[k].r_offset < o->st_value || r[k].r_offset >= o->st_value + o->st_size || section == SHN_UNDEF ||
			    section >= f->eh->e_shnum || strncmp(section_name(f, section), ".text.", 6) || s->st_value + (unsigned long)r[k].r_addend)
				continue;
			if (strstr(section_name(f, section), "_slow"))
				continue;
			if (!done[section])
				done[section] = template(f, section) ? (int)ids : -1;
			if (done[section] < 0)
				continue;
			slots = realloc(slots, (n_slots + 1) * sizeof *slots);
			slots[n_slots++] = (struct slot){symbol_name(f, o), r[k].r_offset - o->st_value, (unsigned)done[section] - 1};
		}
	}
	free(done);
}

static void declare_object(unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (!strcmp(slots[k].object, slots[i].object))
			return;
	printf("extern const char %s[];\n", slots[i].object);
}

int main(int argc, char **argv)
{
	struct object *f = calloc((size_t)argc, sizeof *f);

	printf("/* Made by gen/extract.c from the inline handlers. */\n#include \"cpu_x86/translate.h\"\n\n");
	for (int i = 1; i < argc; i++) {
		load(&f[i], argv[i]);
		declare_functions(&f[i], &f[1]);
	}
	for (int i = 1; i < argc; i++)
		handlers(&f[i]);
	for (unsigned i = 0; i < n_slots; i++)
		declare_object(i);
	printf("const struct x86_template_slot x86_template_slots[] = {\n");
	for (unsigned i = 0; i < n_slots; i++)
		printf("{%s + %lu, &template%u},\n", slots[i].object, slots[i].offset, slots[i].id);
	printf("};\nconst unsigned x86_template_slots_n = ARRAY_SIZE(x86_template_slots);\n");
	return 0;
}
