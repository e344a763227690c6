/* memory.h: where physical memory is seen from, and the bits of page-table entries.
 *
 * Physical 0-1 GB is mapped twice, both times with 2 MB pages (boot.S):
 *
 *     linear 0 .. 1 GB                       the VMM's own text and data, linked at 1 MB
 *     linear DIRECT_MAP .. DIRECT_MAP+1 GB   every physical address that came from a table or from the allocator
 *
 * "pa" is a system-physical address, "gpa" a guest-physical one, "va" a linear one. Also read by the assembler. */
#ifndef TVMM_MEMORY_H
#define TVMM_MEMORY_H

#define DIRECT_MAP 0xffff830000000000
#define MEMORY_TOP 0x40000000 /* nothing above 1 GB is used */
#define LOW_MEMORY 0x100000   /* nor below 1 MB: BIOS data, VGA, ROMs, the loader's tables */
#define PAGE_SIZE  0x1000
#define LARGE_SIZE 0x200000

/* Page-table entries, host, guest and nested alike: APM2 5.4.1 */
#define PTE_P       0x001
#define PTE_W       0x002
#define PTE_U       0x004
#define PTE_A       0x020
#define PTE_D       0x040
#define PTE_PS      0x080
#define PTE_NX      0x8000000000000000
#define PTE_ADDRESS 0x000ffffffffff000

#ifndef __ASSEMBLER__
#include "types.h"

static inline void *phys_to_virt(u64 pa) { return (void *)(DIRECT_MAP + (uword)pa); }

static inline u64 virt_to_phys(const void *va)
{
	uword address = (uword)va;
	return address >= DIRECT_MAP ? address - DIRECT_MAP : address;
}
#endif

#endif
