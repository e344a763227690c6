/* elf.h: the loader of guests. */
#ifndef TVMM_ELF_H
#define TVMM_ELF_H

#include "vm.h"

/* Copies the module's segments to their guest-physical addresses; NULL, or why it cannot be done.
 * *mode becomes the start mode that fits the file: long for ELF64, prot for ELF32. */
const char *elf_load(struct vm *vm, const struct module *module, u64 *entry, const char **mode);

#endif
