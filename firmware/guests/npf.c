/* npf.c: the nested page fault in its kinds, and against the guest's own page fault. The VMM takes rights from a page
 * on request (HC_PROTECT), prints the NPF that follows, and gives the rights back; the guest must not notice.
 * APM2 15.25.6 (EXITINFO1), 15.7.2 (an event that a #VMEXIT cuts short), 15.12 (exception intercepts). */
#include "guest.h"

enum {
	PAGE = 4096,
	EXIT_NPF = 0x400,
	EVENT_VECTOR_OWN = 0x30,
	VECTOR_PF = 14,
	READ_WRITE = HC_READ | HC_WRITE,
	SECOND_GB = 1 << 30,
	PAGE_GPA = 0x1f0000,
	CODE_GPA = 0x1f1000,
	TABLE_GPA = 0x1f2000 /* free memory, at addresses known beforehand */
};

#define NOT_MAPPED 0x7000000000ul /* beyond the guest's own page tables */

static u8 *const page = (u8 *)PAGE_GPA, *const code = (u8 *)CODE_GPA;
static unsigned events, faults;

static void on_trap(struct trap *t)
{
	if (t->vector == EVENT_VECTOR_OWN)
		events++;
	if (t->vector != VECTOR_PF)
		return;
	faults++;
	say("  #PF in the guest: error code %u, CR2 %010llx\n", (u32)t->error, (u64)read_cr2());
	t->ip = (uword)touch_end;
}

static void protect(const char *what, const void *at, uword rights)
{
	say("%s\n", what);
	expect(vmmcall(HC_PROTECT, (uword)at & ~(PAGE - 1ul), rights, 0) == 0, "HC_PROTECT");
}

static uword npf_count(void) { return vmmcall(HC_COUNT, EXIT_NPF, 0, 0); }

static void test_data(void)
{
	page[0] = 'a';
	protect("a read of a page that is not there", page, 0);
	say("  read %02x\n", touch_read((uword)page) & 0xff);
	protect("a write to a page that is not there", page, 0);
	touch_write((uword)page);
	protect("a write to a read-only page", page, HC_READ | HC_EXEC);
	say("  a read is fine: %08x\n", touch_read((uword)page));
	touch_write((uword)page);
	say("  and now it holds %08x\n", *(volatile u32 *)page);
}

static void test_fetch(void)
{
	static const u8 instructions[] = {0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3}; /* mov eax, 12345678h; ret */
	memcpy(code, instructions, sizeof instructions);
	protect("an instruction fetch from a page without execution", code, READ_WRITE);
	say("  the code returned %08x\n", touch_execute((uword)code));
}

/* A page directory for the second GB alone, so that only the touch walks through it. The walk of a guest's table counts
 * as a write, whatever the guest does (APM2 15.25.6). */
static void test_table(void)
{
	u64 *pml4 = (u64 *)(read_cr3() & ~0xffful), *pdpt = (u64 *)(uword)(pml4[0] & ~0xfffull), *pd = (u64 *)TABLE_GPA;
	pd[0] = 0x83; /* 2 MB, writable, present */
	pdpt[1] = TABLE_GPA | 3;
	page[0] = 'z';
	protect("a guest page table that is not there", pd, 0);
	say("  read %02x\n", touch_read(SECOND_GB + PAGE_GPA) & 0xff);
}

/* The injected event needs the stack, whose page is gone: the NPF cuts the delivery short, the VMM repeats it. */
static void test_delivery(void)
{
	uword before = npf_count();
	say("an injected event whose stack is not there\n");
	touch_deliver(PAGE_GPA + PAGE - 256, PAGE_GPA, EVENT_INTR | EVENT_VECTOR_OWN);
	say("  %u NPF, %u event\n", (u32)(npf_count() - before), events);
	expect(npf_count() - before == 1 && events == 1, "one NPF, and the event was not lost");
}

/* The guest's tables say no: nobody but the guest is concerned, unless the VMM intercepts #PF. */
static void test_own_fault(void)
{
	uword before = npf_count();
	say("the guest's own page fault\n");
	touch_read(NOT_MAPPED);
	say("the same, intercepted and reflected\n");
	vmmcall(HC_CATCH, 1 << VECTOR_PF, 0, 0);
	touch_write(NOT_MAPPED + 8);
	vmmcall(HC_CATCH, 0, 0, 0);
	expect(faults == 2, "two #PF");
	expect(npf_count() == before, "no NPF");
}

void guest_main(void)
{
	trap_init(on_trap);
	test_data();
	test_fetch();
	test_table();
	test_delivery();
	test_own_fault();
	say("nested page faults: %u\n", (u32)npf_count());
	guest_end("npf");
}
