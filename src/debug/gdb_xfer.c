/* The stub's qXfer objects: target description, executable of each inferior, memory map. GDB manual, E.4 (qXfer), E.17 (memory map). */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "debug/gdb.h"

#define OBJECT_MAX 65536

/* Linear addresses are what GDB knows. With paging off the ROMs are where physical memory has them; all else may be RAM. */
static void memory_map(struct gdb *g, struct text *out)
{
	const struct space *s = g->d->t->mem;
	u64 from = 0;
	struct view v;

	text_puts(out, "<?xml version=\"1.0\"?><!DOCTYPE memory-map PUBLIC \"+//IDN gnu.org//DTD GDB Memory Map V1.0//EN\" "
		       "\"http://sourceware.org/gdb/gdb-memory-map.dtd\"><memory-map>");
	if (gdb_view(g, gdb_pid(g), g->g_tid, &v) && (v.arm ? !v.arm->tlb.env.on : !v.env.p.levels && !v.env.nested))
		for (unsigned i = 0; i < s->regions; i++) { /* in order of address, as the board adds them */
			const struct region *r = &s->region[i];

			if (r->kind != REGION_ROM || r->off || r->base < from)
				continue;
			if (r->base > from)
				text_printf(out, "<memory type=\"ram\" start=\"0x%llx\" length=\"0x%llx\"/>", (unsigned long long)from,
					    (unsigned long long)(r->base - from));
			text_printf(out, "<memory type=\"rom\" start=\"0x%llx\" length=\"0x%llx\"/>", (unsigned long long)r->base,
				    (unsigned long long)r->size);
			from = r->base + r->size;
		}
	text_printf(out, "<memory type=\"ram\" start=\"0x%llx\" length=\"0x%llx\"/></memory-map>", (unsigned long long)from,
		    (unsigned long long)(0ull - from - 1));
}

/* The first image that is bound to the process' world, else one that is bound to nobody. */
const struct symbol_image *gdb_image(struct gdb *g, const struct view *v)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < g->d->symbols.images; i++) {
			const struct symbol_image *im = &g->d->symbols.image[i];
			bool mine = im->owner == SYMBOLS_ANY ? pass == 1 : im->owner == SYMBOLS_HOST ? !v->guest : v->guest;

			if (mine && (im->owner != SYMBOLS_ASID || v->asid == im->owner_value))
				return im;
		}
	return NULL;
}

static void exec_file(struct gdb *g, const char *pid, struct text *out)
{
	unsigned n = (unsigned)strtoul(pid, NULL, 16);
	const struct symbol_image *im;
	char full[PATH_MAX];
	struct view v;

	if (!gdb_view(g, n ? n : 1, 0, &v))
		return;
	im = gdb_image(g, &v);
	if (im && realpath(im->path, full))
		text_puts(out, full);
}

/* OBJECT:read:ANNEX:OFFSET,LENGTH */
bool gdb_xfer(struct gdb *g, char *s)
{
	char *object = s, *op = strchr(s, ':'), *annex, *range, *end;
	struct text out;
	u64 off, len;
	char name[sizeof g->xfer_name];

	if (!op || strncmp(op, ":read:", 6))
		return false;
	*op = 0;
	annex = op + 6;
	range = strrchr(annex, ':');
	if (!range)
		return false;
	*range++ = 0;
	off = strtoull(range, &end, 16);
	if (*end != ',')
		return false;
	len = strtoull(end + 1, NULL, 16);
	snprintf(name, sizeof name, "%u %.40s %.60s", g->g_pid, object, annex);
	if (!off || !g->xfer || strcmp(name, g->xfer_name)) { /* made at the first piece, so that all fit together */
		if (!g->xfer)
			g->xfer = malloc(OBJECT_MAX);
		if (!g->xfer)
			return false;
		text_init_buffer(&out, g->xfer, OBJECT_MAX);
		if (!strcmp(object, "features") && !strcmp(annex, "target.xml"))
			gdb_target_xml(g, &out);
		else if (!strcmp(object, "exec-file"))
			exec_file(g, annex, &out);
		else if (!strcmp(object, "memory-map"))
			memory_map(g, &out);
		else
			return false;
		g->xfer_size = out.used;
		strcpy(g->xfer_name, name);
	}
	if (off >= g->xfer_size) {
		gdb_puts(g, "l");
		return true;
	}
	if (len > g->xfer_size - off)
		len = g->xfer_size - off;
	if (len > GDB_PACKET - 64)
		len = GDB_PACKET - 64;
	gdb_puts(g, off + len < g->xfer_size ? "m" : "l");
	for (u64 i = 0; i < len; i++) {
		char c = g->xfer[off + i];

		if (strchr("$#}*", c) && c)
			gdb_printf(g, "}%c", c ^ 0x20);
		else
			gdb_printf(g, "%c", c);
	}
	return true;
}
