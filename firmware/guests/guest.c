/* guest.c: text to COM1 (which the VMM has set up) and the guest's last word. */
#include "guest.h"

static unsigned failures;

void say(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	format(serial_put, fmt, ap);
	va_end(ap);
}

void expect(bool ok, const char *what)
{
	if (ok)
		return;
	failures++;
	say("  failed: %s\n", what);
}

void guest_end(const char *name)
{
	if (failures)
		say("guest %s: failed, %u times\n", name, failures);
	else
		say("guest %s: ok\n", name);
	vmmcall(HC_EXIT, failures, 0, 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}
