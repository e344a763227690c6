/* See arm.h. */
#include "arm.h"

#define UART 0x16000000

volatile struct seen seen;
volatile u32 resume;
void (*interrupt)(u32 vector);
void on_interrupt(u32 vector);

static u32 tests, failed;

static void putch(char c)
{
	while (get(UART + 0x18) & 0x20)
		;
	put(UART, (u8)c);
}

void say(const char *text)
{
	while (*text)
		putch(*text++);
}

static void hex(u32 v)
{
	for (int i = 28; i >= 0; i -= 4)
		putch("0123456789abcdef"[v >> i & 15]);
}

void check(const char *name, u32 got, u32 want)
{
	tests++;
	say(got == want ? "ok " : "FAIL ");
	say(name);
	if (got != want) {
		failed++;
		say(": got ");
		hex(got);
		say(", expected ");
		hex(want);
	}
	say("\n");
}

void on_interrupt(u32 vector)
{
	if (interrupt)
		interrupt(vector);
}

u32 try_read(u32 addr)
{
	u32 v;

	seen.count = 0;
	__asm__ volatile("ldr %0, =1f\n\tstr %0, [%2]\n\tldr %0, [%1]\n1:" : "=&r"(v) : "r"(addr), "r"(&resume) : "memory");
	resume = 0;
	return v;
}

void try_write(u32 addr, u32 val)
{
	u32 t;

	seen.count = 0;
	__asm__ volatile("ldr %0, =1f\n\tstr %0, [%3]\n\tstr %2, [%1]\n1:" : "=&r"(t) : "r"(addr), "r"(val), "r"(&resume) : "memory");
	resume = 0;
}

void finish(void);
void finish(void)
{
	say("end: ");
	hex(tests);
	say(" tests, ");
	hex(failed);
	say(" failed\n");
	leave(failed ? 3 : 0);
}
