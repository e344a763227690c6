/* The DWARF half of symbols.h: lines and call frames of one image. Without libdw all of them answer no. */
#ifndef DEBUG_SYMBOLS_DWARF_H
#define DEBUG_SYMBOLS_DWARF_H

#include "debug/symbols.h"

void dwarf_open(struct symbol_image *im); /* what there is; no DWARF is no error */
void dwarf_close(struct symbol_image *im);
bool dwarf_library(void);
bool dwarf_line(const struct symbol_image *im, u64 addr, char *buf, size_t size);
bool dwarf_line_addr(const struct symbol_image *im, const char *file, int line, u64 *addr);
bool dwarf_unwind(const struct symbol_image *im, const struct view *v, u64 r[16], u64 *pc);

#endif
