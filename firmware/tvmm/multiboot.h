/* multiboot.h: what the boot loader tells, copied out of the loader's memory before anything can overwrite it. */
#ifndef TVMM_MULTIBOOT_H
#define TVMM_MULTIBOOT_H

#include "types.h"

enum { TEXT_MAX = 256, RANGES_MAX = 32, MODULES_MAX = 8 };

struct range {
	u64 start, end; /* physical; end is the first byte behind */
};

struct module {
	struct range memory;
	char text[TEXT_MAX]; /* file name and arguments, as given to the loader */
};

struct boot_info {
	char text[TEXT_MAX]; /* the VMM's own command line */
	struct range usable[RANGES_MAX];
	unsigned usable_count;
	struct module module[MODULES_MAX];
	unsigned module_count;
};

void multiboot_read(struct boot_info *info, u64 mbi_pa);

/* Words of a command line: is `name` there; the text behind `name=`, or `otherwise`. */
bool option_is_set(const char *text, const char *name);
const char *option_value(const char *text, const char *name, char *value, size_t size, const char *otherwise);

#endif
