/* multiboot.c: reads the Multiboot 1 information structure (Multiboot 0.6.96, section 3.3) and command lines. */
#include "multiboot.h"
#include "memory.h"

enum { MBI_CMDLINE = 1 << 2, MBI_MODULES = 1 << 3, MBI_MMAP = 1 << 6, MMAP_USABLE = 1 };

struct mbi {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
};

struct mbi_module {
	u32 start, end, string, reserved;
};

struct mbi_range {
	u32 size; /* of what follows: the next entry starts at its end */
	u64 base, length;
	u32 type;
} __attribute__((packed));

static void copy_text(char *to, u32 pa)
{
	const char *from = phys_to_virt(pa);
	size_t n = 0;
	for (; pa && n < TEXT_MAX - 1 && from[n]; n++)
		to[n] = from[n];
	to[n] = '\0';
}

static void read_modules(struct boot_info *info, const struct mbi *mbi)
{
	const struct mbi_module *m = phys_to_virt(mbi->mods_addr);
	for (u32 i = 0; i < mbi->mods_count && i < MODULES_MAX; i++, m++) {
		info->module[i].memory = (struct range){m->start, m->end};
		copy_text(info->module[i].text, m->string);
		info->module_count++;
	}
}

static void read_memory_map(struct boot_info *info, const struct mbi *mbi)
{
	u64 at = mbi->mmap_addr, end = at + mbi->mmap_length;
	while (at < end && info->usable_count < RANGES_MAX) {
		const struct mbi_range *r = phys_to_virt(at);
		if (r->type == MMAP_USABLE)
			info->usable[info->usable_count++] = (struct range){r->base, r->base + r->length};
		at += r->size + sizeof r->size;
	}
}

void multiboot_read(struct boot_info *info, u64 mbi_pa)
{
	const struct mbi *mbi = phys_to_virt(mbi_pa);
	memset(info, 0, sizeof *info);
	if (mbi->flags & MBI_CMDLINE)
		copy_text(info->text, mbi->cmdline);
	if (mbi->flags & MBI_MODULES)
		read_modules(info, mbi);
	if (mbi->flags & MBI_MMAP)
		read_memory_map(info, mbi);
}

/* The next word of *text, its length in *n; *text moves behind it. NULL at the end. */
static const char *next_word(const char **text, size_t *n)
{
	const char *word = *text;
	while (*word == ' ')
		word++;
	for (*n = 0; word[*n] && word[*n] != ' ';)
		++*n;
	*text = word + *n;
	return *n ? word : NULL;
}

bool option_is_set(const char *text, const char *name)
{
	size_t n;
	for (const char *word; (word = next_word(&text, &n));)
		if (n == strlen(name) && memcmp(word, name, n) == 0)
			return true;
	return false;
}

const char *option_value(const char *text, const char *name, char *value, size_t size, const char *otherwise)
{
	size_t n, length = strlen(name);
	for (const char *word; (word = next_word(&text, &n));) {
		if (n <= length || memcmp(word, name, length) != 0 || word[length] != '=')
			continue;
		n = n - length - 1 < size - 1 ? n - length - 1 : size - 1;
		memcpy(value, word + length + 1, n);
		value[n] = '\0';
		return value;
	}
	return otherwise;
}
