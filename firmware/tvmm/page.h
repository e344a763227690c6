/* page.h: physical pages, 4 KB each. */
#ifndef TVMM_PAGE_H
#define TVMM_PAGE_H

#include "multiboot.h"

void page_init(const struct boot_info *info);
u32 page_free_count(void);

/* `count` zeroed pages in a row, the first at a multiple of `align` pages; panics if there are none. */
u64 page_alloc(unsigned count, unsigned align);
void page_free(u64 pa, unsigned count);

#endif
