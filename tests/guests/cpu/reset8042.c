/* The 8042's pulse of the reset line (command FEh): the machine starts again; with -no-reboot the emulator ends. */
#include "guest64.h"

void guest_main(void)
{
	ok(true, "before the reset", "");
	out8(0x64, 0xfe);
	for (volatile unsigned i = 0; i < 1000000; i++)
		;
	die("after the reset");
}
