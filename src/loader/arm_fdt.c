/* Device trees: a file's tree with this boot's memory, command line and initrd. Manual: Devicetree Specification 0.4, 3.4 (memory), 3.6 (chosen). */
#include "loader/arm_boot.h"

#include <stdlib.h>

#include "loader/boot.h"

#ifndef HAVE_FDT

const char *arm_boot_library(void) { return NULL; }

bool arm_fdt_load(const char *name, const struct arm_fdt_facts *facts, u8 **data, size_t *size, struct error *err)
{
	(void)facts, (void)data, (void)size;
	return error_set(err, "%s: built without libfdt (package libfdt-dev): no -dtb", name);
}

#else

#include <libfdt.h>

#define ROOM 8192 /* for what is added, besides the command line */

const char *arm_boot_library(void) { return "libfdt"; }

/* The node at the path, made if it is not there; or a negative error. */
static int node(void *fdt, const char *path)
{
	int at = fdt_path_offset(fdt, path);

	return at == -FDT_ERR_NOTFOUND ? fdt_add_subnode(fdt, 0, path + 1) : at;
}

/* All memory nodes of the file go: one that says where RAM is stays. */
static int set_memory(void *fdt, u64 ram_size)
{
	int cells = fdt_address_cells(fdt, 0), sizes = fdt_size_cells(fdt, 0), at, bad;
	fdt32_t reg[4] = {0};

	if (cells < 1 || cells > 2 || sizes < 1 || sizes > 2)
		return -FDT_ERR_BADNCELLS;
	while ((at = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7)) >= 0)
		if ((bad = fdt_del_node(fdt, at)) < 0)
			return bad;
	if ((at = node(fdt, "/memory")) < 0)
		return at;
	reg[cells + sizes - 1] = cpu_to_fdt32((u32)ram_size);
	bad = fdt_setprop_string(fdt, at, "device_type", "memory");
	return bad < 0 ? bad : fdt_setprop(fdt, at, "reg", reg, (int)sizeof *reg * (cells + sizes));
}

/* dt-schema, chosen.yaml: rng-seed. Numbers of a fixed sequence (splitmix64): a guest without a source of its own need not wait for one. */
static int set_random(void *fdt, int at, u64 seed)
{
	u64 words[4];

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		u64 z = seed += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		words[i] = z ^ z >> 31;
	}
	return fdt_setprop(fdt, at, "rng-seed", words, sizeof words);
}

static int set_chosen(void *fdt, const struct arm_fdt_facts *f)
{
	int at = node(fdt, "/chosen"), bad = 0;

	if (at < 0)
		return at;
	if (f->bootargs)
		bad = fdt_setprop_string(fdt, at, "bootargs", f->bootargs);
	if (bad >= 0)
		bad = set_random(fdt, at, f->seed);
	if (bad >= 0 && f->initrd_end)
		bad = fdt_setprop_u32(fdt, at, "linux,initrd-start", f->initrd_start);
	if (bad >= 0 && f->initrd_end)
		bad = fdt_setprop_u32(fdt, at, "linux,initrd-end", f->initrd_end);
	return bad;
}

static int edit(const u8 *file, u8 *to, size_t room, const struct arm_fdt_facts *f)
{
	int bad = fdt_open_into(file, to, (int)room);

	if (bad >= 0)
		bad = set_memory(to, f->ram_size);
	if (bad >= 0)
		bad = set_chosen(to, f);
	return bad < 0 ? bad : fdt_pack(to);
}

bool arm_fdt_load(const char *name, const struct arm_fdt_facts *facts, u8 **data, size_t *size, struct error *err)
{
	size_t file_size, room;
	u8 *file;
	int bad;

	*data = NULL;
	if (!boot_read_file(name, &file, &file_size, err))
		return false;
	room = file_size + ROOM + (facts->bootargs ? strlen(facts->bootargs) : 0);
	bad = file_size < sizeof(struct fdt_header) ? -FDT_ERR_TRUNCATED : fdt_check_full(file, file_size);
	if (!bad && !(*data = malloc(room)))
		bad = -FDT_ERR_NOSPACE;
	if (!bad)
		bad = edit(file, *data, room, facts);
	free(file);
	if (bad < 0) {
		free(*data);
		*data = NULL;
		return error_set(err, "%s: not a device tree that can be edited: %s", name, fdt_strerror(bad));
	}
	*size = fdt_totalsize(*data);
	return true;
}

#endif
