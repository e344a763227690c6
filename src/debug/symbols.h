/*
 * Names, source lines and call frames of the programs in the machine: ELF symbols (libelf), DWARF lines and frames (libdw). Several images at
 * once, each bound to whom it belongs to: the host, the guests, one CR3 or one ASID. Without the libraries nothing has a name.
 */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

#include "base/error.h"
#include "debug/view.h"

#define SYMBOL_IMAGES 16

enum symbol_owner { SYMBOLS_ANY, SYMBOLS_HOST, SYMBOLS_GUEST, SYMBOLS_CR3, SYMBOLS_ASID };

struct symbol {
	u64 addr, size;
	const char *name;
	bool function, thumb;
};

struct symbol_image {
	char path[256];
	u64 bias; /* added to the file's addresses */
	enum symbol_owner owner;
	u64 owner_value;
	struct symbol *sym; /* by address */
	size_t syms;
	u64 lo, hi; /* of its loaded segments, biased */
	unsigned entry_bits;
	bool arm; /* for an ARM: addresses of Thumb functions have bit 0 set in the file, not here */
	int fd;
	void *elf, *dwarf, *cfi;
};

struct symbols {
	struct symbol_image image[SYMBOL_IMAGES];
	unsigned images;
};

/* "FILE[@BASE]", bound to owner. An image already there with the same owner and path is replaced. */
bool symbols_add(struct symbols *s, const char *spec, enum symbol_owner owner, u64 value, struct error *err);
/* "host", "guest", "cr3=X", "asid=N". */
bool symbols_owner(const char *word, enum symbol_owner *owner, u64 *value);
void symbols_free(struct symbols *s);

/* The symbol that holds the address in that world, or NULL; *off is the distance. */
const struct symbol *symbols_at(const struct symbols *s, const struct view *v, u64 addr, u64 *off);
/* Its address; prefers images of the view's world, then any. False: unknown. */
bool symbols_find(const struct symbols *s, const struct view *v, const char *name, u64 *addr);
/* "name+1a", or nothing. Returns whether there is one. */
bool symbols_name(const struct symbols *s, const struct view *v, u64 addr, char *buf, size_t size);
/* "file.c:12" of an address; the address of a line (its first statement). */
bool symbols_line(const struct symbols *s, const struct view *v, u64 addr, char *buf, size_t size);
bool symbols_line_addr(const struct symbols *s, const struct view *v, const char *file, int line, u64 *addr);
/* Whose image expressions take "name" or "file.c:12" (line not 0) from. False: nobody's. */
bool symbols_whose(const struct symbols *s, const struct view *v, const char *name, int line, enum symbol_owner *owner);
/* Is it inside the text of a known function? */
bool symbols_is_code(const struct symbols *s, const struct view *v, u64 addr);

/* Sets or clears bit T of the CPSR as the function at the address was compiled; nothing known: leaves it. */
void symbols_thumb(const struct symbols *s, const struct view *v, u64 addr, u64 *cpsr);

/* One step up the stack by the image's call frame information: r (DWARF numbers mapped to ours), *pc and *sp become the caller's. False: no
 * information there. */
bool symbols_unwind(const struct symbols *s, const struct view *v, u64 r[16], u64 *pc);
/* Files and line tables, for coverage: calls each(arg, file, line, addr) for all statements of the image. */
void symbols_lines(const struct symbol_image *im, void (*each)(void *arg, const char *file, int line, u64 addr), void *arg);
/* What the program was built with: "libelf, libdw", "libelf" or NULL. */
const char *symbols_library(void);

#endif
