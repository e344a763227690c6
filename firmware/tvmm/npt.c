/* npt.c: nested page tables in the format of the host's paging, four levels. APM2 15.25.
 * Every nested access counts as a user access, so every entry has U set (APM2 15.25.5). Frames of the VGA text memory
 * are passed through; a page without a frame is an NPF. */
#include "npt.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"

#define NPT_TABLE  (PTE_P | PTE_W | PTE_U)
#define NPT_RIGHTS (PTE_P | PTE_W | PTE_NX)

enum { LEVELS = 4 };

static u64 *npt_entry(u64 table, unsigned level, u64 gpa)
{
	return (u64 *)phys_to_virt(table) + (gpa >> (12 + 9 * (level - 1)) & 511);
}

/* The entry for gpa at `level` (1: 4 KB page, 2: 2 MB page); missing tables on the way are made if `make`. */
static u64 *npt_find(struct vm *vm, u64 gpa, unsigned level, bool make)
{
	u64 table = vm->ncr3;
	for (unsigned l = LEVELS; l > level; l--) {
		u64 *entry = npt_entry(table, l, gpa);
		if (!*entry && make)
			*entry = vm_alloc(vm, 1, 1) | NPT_TABLE;
		if (!*entry || *entry & PTE_PS)
			return NULL;
		table = *entry & PTE_ADDRESS;
	}
	return npt_entry(table, level, gpa);
}

static u64 npt_frame(const struct vm *vm, u64 gpa)
{
	bool vga = gpa >= VGA_FRAME && gpa < VGA_FRAME_END;
	return vga ? gpa : vm->memory + gpa;
}

/* x -> B + x for 4 MB. With npt=2m all but the first 2 MB, which have the VGA's hole, is one large page. */
void npt_create(struct vm *vm)
{
	char value[8];
	bool large = str_equal(option_value(vm->text, "npt", value, sizeof value, "4k"), "2m");
	u64 gpa = 0;
	vm->ncr3 = vm_alloc(vm, 1, 1);
	for (; gpa < (large ? LARGE_SIZE : GUEST_MEMORY); gpa += PAGE_SIZE)
		*npt_find(vm, gpa, 1, true) = npt_frame(vm, gpa) | NPT_TABLE;
	for (; gpa < GUEST_MEMORY; gpa += LARGE_SIZE)
		*npt_find(vm, gpa, 2, true) = npt_frame(vm, gpa) | NPT_TABLE | PTE_PS;
}

bool npt_protect(struct vm *vm, u64 gpa, u64 rights)
{
	u64 *entry = gpa < GUEST_MEMORY ? npt_find(vm, gpa, 1, false) : NULL;
	if (!entry)
		return false;
	*entry = (*entry & ~NPT_RIGHTS) | rights;
	vm->flush = true;
	return true;
}

bool npt_restore(struct vm *vm, u64 gpa)
{
	u64 *entry = gpa < GUEST_MEMORY ? npt_find(vm, gpa, 1, false) : NULL;
	return entry && (*entry & NPT_RIGHTS) != (PTE_P | PTE_W) && npt_protect(vm, gpa, PTE_P | PTE_W);
}
