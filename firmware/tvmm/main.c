/* main.c: the story of tvmm, a tiny VMM for AMD64 SVM.
 *
 *     multiboot_read   what is there: memory, guests, options
 *     page_init        pages to give away
 *     segment_init     GDT, TSS; trap_init: IDT
 *     timer_init       a tick
 *     svm_enable       the processor's half of a VMM
 *     vm_create        for every module: memory, nested page tables, VMCB
 *     vm_run           VMRUN, #VMEXIT, VMRUN, ... until the guest ends
 *
 * Command line: debug-exit (write the result to port F4h at the end), trace (print every #VMEXIT).
 * A module's arguments: mode=long|prot|pae|real|paged-real, npt=4k|2m, io=pass|trap, expect=NAME of a #VMEXIT, bug=NAME
 * (bug.c). */
#include "console.h"
#include "memory.h"
#include "multiboot.h"
#include "page.h"
#include "segment.h"
#include "svm.h"
#include "timer.h"
#include "trap.h"
#include "vm.h"

void tvmm_main(u64 mbi_pa);

static enum result run_guest(const struct svm *svm, const struct module *module, u32 asid, bool trace)
{
	static struct vm vm;
	const char *why_not = vm_create(&vm, svm, module, asid);
	if (why_not) {
		print("tvmm: %s cannot be started: %s\n", vm.name, why_not);
		vm_destroy(&vm);
		return RESULT_REFUSED;
	}
	vm.trace = trace;
	print("tvmm: %s starts: ASID %u, memory at %llx, nested tables at %llx\n", vm.name, asid, vm.memory, vm.ncr3);
	vm_run(&vm);
	print("tvmm: %s ended, result %u\n", vm.name, (u32)vm.result);
	vm_destroy(&vm);
	return vm.result;
}

/* One after the other, each under an ASID of its own. The first that fails decides the result. */
static enum result run_guests(const struct svm *svm, const struct boot_info *boot)
{
	enum result result = RESULT_OK;
	bool trace = option_is_set(boot->text, "trace");
	if (!boot->module_count) {
		print("tvmm: no guest: give the loader a module\n");
		return RESULT_REFUSED;
	}
	for (unsigned i = 0; i < boot->module_count; i++) {
		enum result r = run_guest(svm, &boot->module[i], 1 + i % (svm->asids - 1), trace);
		result = result == RESULT_OK ? r : result;
	}
	return result;
}

void tvmm_main(u64 mbi_pa)
{
	static struct boot_info boot;
	static struct svm svm;
	console_init();
	print("tvmm: a tiny VMM for AMD64 SVM\n");
	multiboot_read(&boot, mbi_pa);
	page_init(&boot);
	segment_init();
	trap_init(option_is_set(boot.text, "debug-exit"));
	timer_init();
	print("tvmm: %u free pages, %u guests\n", page_free_count(), boot.module_count);
	const char *why_not = svm_enable(&svm);
	if (why_not) {
		print("tvmm: no SVM: %s\n", why_not);
		machine_end(RESULT_REFUSED);
	}
	print("tvmm: SVM features %08x, %u ASIDs\n", svm.features, svm.asids);
	machine_end(run_guests(&svm, &boot));
}
