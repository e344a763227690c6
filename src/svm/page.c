/* Pages that the processor reaches by system-physical address: VMCBs and the host state-save area. */
#include "svm/state.h"

/* Stands for a page without RAM behind it: a read gives all ones, a write goes nowhere. */
static u8 nowhere[PAGE_SIZE];

COLD NOINLINE u8 *svm_no_page(void) { return memset(nowhere, 0xff, sizeof nowhere); }

u8 *svm_page_write(struct x86_cpu *c, u64 pa)
{
	struct space_ram ram;

	pa &= PAGE_MASK;
	if (unlikely(!space_ram(c->mem, pa, &ram) || ram.rom))
		return svm_no_page();
	if (unlikely(ram.page->code) && c->mem->code_hit)
		c->mem->code_hit(c->mem->code_owner, pa, PAGE_SIZE);
	ram.page->dirty = 1;
	return ram.host;
}
