/* hello.c: says hello on the screen and on COM1, then touches memory that the VM has not got.
 * The touch is the demonstration: it is not a page fault of the guest (whose own tables map it) but an NPF of the VMM.
 */
#include "guest.h"

enum { SCREEN = 0xb8000, COLUMNS = 80, ROW = 21, BRIGHT = 0x0f00, UNMAPPED = 8 << 20 };

static const char text[] = "Hello World (from the virtual machine).";

static void say_on_screen(const char *s)
{
	volatile u16 *cell = (volatile u16 *)(uword)SCREEN + ROW * COLUMNS;
	while (*s)
		*cell++ = (u16)(BRIGHT | (u8)*s++);
}

void guest_main(void)
{
	say_on_screen(text);
	say("%s\n", text);
	say("guest hello: ok\n");
	touch_write(UNMAPPED);
	say("guest hello: failed, unmapped memory was written\n");
	vmmcall(HC_EXIT, 1, 0, 0);
}
