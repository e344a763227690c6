/* See walk_out.h. */
#include "debug/walk_out.h"

#include <errno.h>
#include <stdio.h>

#include "debug/walk_html.h"
#include "debug/walk_json.h"
#include "debug/walk_svg.h"
#include "debug/walk_term.h"

struct job {
	const struct walk_shot *shot;
	unsigned n;
	const struct walk_stat *stat;
};

static void as_html(struct text *t, const struct job *j) { walk_html(t, j->shot, j->n, j->stat); }
static void as_json(struct text *t, const struct job *j) { walk_json(t, j->shot, j->n, j->stat); }

/* One walk: the last, since the run leads to it. */
static void as_svg(struct text *t, const struct job *j)
{
	struct walk_view v;

	walk_view_build(&v, &j->shot[j->n - 1]);
	walk_svg(t, &v, true);
}

static bool write_file(const char *path, void (*write)(struct text *, const struct job *), const struct job *j,
		       struct error *err)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "w") : stdout;
	struct text t;
	bool bad;

	if (!f)
		return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
	text_init_file(&t, f);
	write(&t, j);
	bad = fflush(f) || ferror(f);
	if (f != stdout)
		bad |= fclose(f) != 0;
	return !bad || error_set(err, "%s: cannot be written: %s", path, strerror(errno));
}

/* Does the standard output belong to a file? */
static bool to_stdout(const struct walk_files *f)
{
	return (f->html && !strcmp(f->html, "-")) || (f->svg && !strcmp(f->svg, "-")) ||
	       (f->json && !strcmp(f->json, "-"));
}

/* told: what was written where, unless that is the standard output. */
static bool write_files(const struct job *j, const struct walk_files *f, struct text *told, struct error *err)
{
	const struct {
		const char *path;
		void (*write)(struct text *, const struct job *);
	} kinds[] = {{f->html, as_html}, {f->svg, as_svg}, {f->json, as_json}};
	bool silent = to_stdout(f);

	if (!j->n && (f->svg || (f->html && !j->stat)))
		return error_set(err, "walk: no walk was made, so there is nothing to draw");
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		unsigned n = kinds[i].write == as_svg ? 1 : j->n;

		if (!kinds[i].path)
			continue;
		if (!write_file(kinds[i].path, kinds[i].write, j, err))
			return false;
		if (!silent)
			text_printf(told, "%u walk%s in %s\n", n, n == 1 ? "" : "s", kinds[i].path);
	}
	return true;
}

static void print(const struct walk_record *r, struct text *out, const struct walk_paper *paper)
{
	for (unsigned i = 0; i < r->shots; i++) {
		struct walk_view v;

		walk_view_build(&v, &r->shot[i]);
		text_printf(out, "%s---- walk %u of %u ----\n", i ? "\n" : "", i + 1, r->shots);
		walk_term(out, &v, paper);
	}
	if (r->full)
		text_printf(out, "(no more than %u walks are kept)\n", WALK_SHOTS);
}

bool walk_out(const struct walk_record *r, const struct walk_files *f, struct text *out, const struct walk_paper *paper,
	      struct error *err)
{
	const struct job j = {r->shot, r->shots, r->wish.stat ? &r->stat : NULL};
	bool silent = to_stdout(f);

	if (!f->html && !f->svg && !f->json && !f->quiet)
		print(r, out, paper);
	if (r->wish.stat && !silent)
		walk_stat_print(out, &r->stat);
	for (unsigned i = 0; i < r->wish.specs; i++)
		if (!r->taken[i] && !silent)
			text_printf(out, "walk of %s%llx: not made, the run has not come to it\n",
				    r->wish.spec[i].any ? "any page, from " : "",
				    (unsigned long long)r->wish.spec[i].va);
	if (!write_files(&j, f, out, err))
		return false;
	if (r->failed.msg[0])
		*err = r->failed;
	return !r->failed.msg[0];
}

bool walk_out_end(struct walk_record *r, const struct walk_wish *asked, const struct walk_files *f, struct error *err)
{
	struct walk_paper paper = walk_paper_of(stdout);
	struct text out;

	if (!asked->specs && !asked->stat)
		return true; /* the monitor's own, shown there */
	text_init_file(&out, stdout);
	walk_record_look(r, true);
	return walk_out(r, f, &out, &paper, err);
}

/* ---- the monitor ---- */

bool walk_files_take(char **args, struct walk_files *f, struct error *err)
{
	static const struct {
		const char *name;
		size_t off;
	} kinds[] = {
		{"html", offsetof(struct walk_files, html)},
		{"svg", offsetof(struct walk_files, svg)},
		{"json", offsetof(struct walk_files, json)},
	};
	char *save = NULL, *name, *file;

	name = strtok_r(*args, " \t", &save);
	file = strtok_r(NULL, " \t", &save);
	name += name[1] == '-' ? 2 : 1;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(name, kinds[i].name)) {
			if (!file)
				return error_set(err, "walk: --%s: expected a file after it", name);
			*(const char **)((char *)f + kinds[i].off) = file;
			*args = save + strspn(save, " \t");
			return true;
		}
	return error_set(err, "walk: --%s: expected --html, --svg or --json", name);
}

bool walk_command(const struct target *t, unsigned cpu, const char *args, struct text *out, unsigned width, bool colour,
		  struct error *err)
{
	struct walk_paper paper = {.width = width, .colour = colour};
	struct walk_files files = {0};
	struct walk_spec spec;
	struct walk_shot shot;
	struct walk_view v;
	char buf[1024], *p = buf, *end;

	if (strlen(args) >= sizeof buf)
		return error_set(err, "walk: longer than %zu characters", sizeof buf - 1);
	strcpy(buf, args);
	p += strspn(p, " \t");
	while (*p == '-')
		if (!walk_files_take(&p, &files, err))
			return false;
	for (end = p; *end; end++) /* options may follow by blanks too */
		if (*end == ' ' || *end == '\t')
			*end = ',';
	while (end > p && end[-1] == ',')
		*--end = 0;
	if (!*p)
		return error_set(err, "walk: expected [--html|--svg|--json FILE] ADDR[,OPTION...]");
	if (!walk_spec_parse(&spec, p, err) ||
	    (strchr(p, '@') && !error_set(err, "walk: the monitor walks now: no @")) ||
	    !walk_look(&shot, t, cpu, &spec, err))
		return false;
	walk_view_build(&v, &shot);
	walk_term(out, &v, &paper);
	return write_files(&(struct job){&shot, 1, NULL}, &files, out, err);
}
