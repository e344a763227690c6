/* See coverage.h. */
#include "debug/coverage.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_SIZE (1u << 14)

static struct cover_entry *slot(struct cover_entry *table, size_t size, u64 va, unsigned guest)
{
	size_t i = (size_t)((va * 0x9e3779b97f4a7c15ull) >> 20 ^ guest) & (size - 1);

	while (table[i].used && (table[i].va != va || table[i].guest != guest))
		i = (i + 1) & (size - 1);
	return &table[i];
}

static bool grow(struct coverage *c)
{
	struct cover_entry *bigger = calloc(c->size * 2, sizeof *bigger);

	if (!bigger)
		return false;
	for (size_t i = 0; i < c->size; i++)
		if (c->table[i].used)
			*slot(bigger, c->size * 2, c->table[i].va, c->table[i].guest) = c->table[i];
	free(c->table);
	c->table = bigger;
	c->size *= 2;
	return true;
}

static void hear(void *arg, const struct event *e)
{
	struct coverage *c = arg;
	struct cover_entry *s = slot(c->table, c->size, e->b, e->guest);
	char text[128];
	struct view v;

	if (!s->used) {
		if (c->full || (c->used * 2 > c->size && !grow(c))) {
			c->full = true;
			return;
		}
		s = slot(c->table, c->size, e->b, e->guest);
		view_get(&c->d->worlds, e->cpu, VIEW_NOW, 0, &v);
		*s = (struct cover_entry){.va = e->b, .guest = e->guest, .used = 1, .len = (u8)view_disasm(&v, e->b, text, sizeof text)};
		c->used++;
	}
	s->count++;
}

bool coverage_start(struct coverage *c, struct debugger *d, struct error *err)
{
	*c = (struct coverage){.d = d, .size = FIRST_SIZE};
	c->table = calloc(c->size, sizeof *c->table);
	if (!c->table)
		return error_set(err, "--coverage: no memory");
	c->ear = hub_add(d->hub, hear, c);
	hub_listen(d->hub, c->ear, BIT(EV_EXEC));
	return true;
}

void coverage_free(struct coverage *c) { free(c->table); }

static bool belongs(const struct symbol_image *im, unsigned guest)
{
	return im->owner == SYMBOLS_ANY || (im->owner == SYMBOLS_HOST) == !guest;
}

static u64 count_at(const struct coverage *c, const struct symbol_image *im, u64 va)
{
	u64 n = 0;

	for (unsigned guest = 0; guest < 2; guest++)
		if (belongs(im, guest))
			n += slot(c->table, c->size, va, guest)->count;
	return n;
}

/* ---- lcov ---- */

struct line {
	const char *file;
	int no;
	u64 count;
};

struct lines {
	const struct coverage *c;
	const struct symbol_image *im;
	struct line *line;
	size_t n, room;
};

static void add_line(void *arg, const char *file, int no, u64 addr)
{
	struct lines *l = arg;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 1024;
		struct line *more = realloc(l->line, room * sizeof *more);

		if (!more)
			return;
		l->line = more;
		l->room = room;
	}
	l->line[l->n++] = (struct line){file, no, count_at(l->c, l->im, addr)};
}

/* By file and line; the most often executed first. */
static int by_line(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int files = strcmp(x->file, y->file);

	return files ? files : x->no != y->no ? (x->no < y->no ? -1 : 1) : x->count > y->count ? -1 : x->count < y->count;
}

static void write_lines(const struct lines *l, FILE *f)
{
	for (size_t i = 0; i < l->n;) {
		const char *file = l->line[i].file;
		unsigned found = 0, hit = 0;

		fprintf(f, "TN:\nSF:%s\n", file);
		while (i < l->n && !strcmp(l->line[i].file, file)) {
			const struct line *first = &l->line[i];

			fprintf(f, "DA:%d,%llu\n", first->no, (unsigned long long)first->count);
			found++;
			hit += first->count != 0;
			while (i < l->n && !strcmp(l->line[i].file, file) && l->line[i].no == first->no)
				i++;
		}
		fprintf(f, "LF:%u\nLH:%u\nend_of_record\n", found, hit);
	}
}

static void write_lcov(const struct coverage *c, FILE *f)
{
	for (unsigned i = 0; i < c->d->symbols.images; i++) {
		struct lines l = {.c = c, .im = &c->d->symbols.image[i]};

		symbols_lines(l.im, add_line, &l);
		if (l.n)
			qsort(l.line, l.n, sizeof *l.line, by_line);
		write_lines(&l, f);
		free(l.line);
	}
}

/* ---- drcov, version 2: a module table, then 8 bytes for each run of code: offset, size, module ---- */

static unsigned module_of(const struct symbols *s, const struct cover_entry *e)
{
	for (unsigned i = 0; i < s->images; i++)
		if (belongs(&s->image[i], e->guest) && e->va >= s->image[i].lo && e->va < s->image[i].hi)
			return i;
	return s->images;
}

static void write_drcov(const struct coverage *c, FILE *f)
{
	const struct symbols *s = &c->d->symbols;
	size_t n = 0;

	fprintf(f, "DRCOV VERSION: 2\nDRCOV FLAVOR: undervisor\nModule Table: version 2, count %u\n", s->images);
	fprintf(f, "Columns: id, base, end, entry, path\n");
	for (unsigned i = 0; i < s->images; i++)
		fprintf(f, "%3u, 0x%016llx, 0x%016llx, 0x%016llx, %s\n", i, (unsigned long long)s->image[i].lo,
			(unsigned long long)s->image[i].hi, 0ull, s->image[i].path);
	for (size_t i = 0; i < c->size; i++)
		n += c->table[i].used && module_of(s, &c->table[i]) < s->images;
	fprintf(f, "BB Table: %zu bbs\n", n);
	for (size_t i = 0; i < c->size; i++) {
		const struct cover_entry *e = &c->table[i];
		unsigned module = e->used ? module_of(s, e) : s->images;
		u8 row[8];

		if (module == s->images)
			continue;
		store_le(row, 4, e->va - s->image[module].lo);
		store_le(row + 4, 2, e->len);
		store_le(row + 6, 2, module);
		fwrite(row, 1, sizeof row, f);
	}
}

bool coverage_write(const struct coverage *c, const char *path, struct error *err)
{
	size_t n = strlen(path);
	FILE *f = fopen(path, "w");

	if (!f)
		return error_set(err, "%s: %s", path, strerror(errno));
	if (n > 6 && !strcmp(path + n - 6, ".drcov"))
		write_drcov(c, f);
	else
		write_lcov(c, f);
	if (c->full)
		fprintf(stderr, "undervisor: --coverage: not all instructions fitted into memory\n");
	return fclose(f) == 0 || error_set(err, "%s: %s", path, strerror(errno));
}
