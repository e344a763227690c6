/* A fault that cannot be delivered, three times: shutdown. The emulator's exit status tells. APM2 8.2.9 */
#include "guest32.h"

void guest_main(void)
{
	ok(true, "before the triple fault", "");
	load_idt(0);
	__asm__ volatile("ud2");
	die("after the triple fault");
}
