/* Lines of results on COM1, the count of failures, the end of a guest. */
#include "guest.h"

#ifdef __x86_64__
#define HEX "%llx"
#else
#define HEX "%x"
#endif

static unsigned failures, tests;
static char buffers[8][120], *put_at;
static unsigned put_left, buffer_next;

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format(serial_put, fmt, ap);
	va_end(ap);
}

static void put_buffer(char c)
{
	if (put_left > 1) {
		*put_at++ = c;
		put_left--;
	}
}

const char *text(const char *fmt, ...)
{
	char *s = buffers[buffer_next++ & 7];
	va_list ap;

	put_at = s;
	put_left = sizeof buffers[0];
	va_start(ap, fmt);
	format(put_buffer, fmt, ap);
	va_end(ap);
	*put_at = 0;
	return s;
}

static bool line(bool good, const char *name)
{
	tests++;
	failures += !good;
	say(good ? "ok %s\n" : "FAIL %s: ", name);
	return good;
}

void ok(bool good, const char *name, const char *fmt, ...)
{
	va_list ap;

	if (line(good, name))
		return;
	va_start(ap, fmt);
	format(serial_put, fmt, ap);
	va_end(ap);
	say("\n");
}

void is(u64 got, u64 want, const char *name) { ok(got == want, name, "%llx, expected %llx", got, want); }

void skip(const char *name, const char *why) { say("skip %s: %s\n", name, why); }

static void trap_line(const struct regs *r, bool good, const char *name, const char *expected)
{
	if (!line(good, name))
		say("vector %u error %llx at " HEX " (flags " HEX " cr2 " HEX "), expected %s\n", (u32)r->vector, (u64)r->error,
		    r->ip, r->flags, r->cr2, expected);
}

void trap_is(const struct regs *r, unsigned vector, u64 error, const char *name)
{
	trap_line(r, r->vector == vector && r->error == error, name, text("%u error %llx", vector, error));
}

void trap_at(const struct regs *r, unsigned vector, u64 error, const void *code, unsigned offset, const char *name)
{
	uword at = addr(code) + offset;

	trap_line(r, r->vector == vector && r->error == error && r->ip == at, name,
		  text("%u error %llx at " HEX, vector, error, at));
}

_Noreturn static void leave(u32 value)
{
	out32(PORT_DEBUG_EXIT, value);
	for (;;)
		__asm__ volatile("cli; hlt");
}

_Noreturn void guest_end(void)
{
	say("end: %u tests, %u failed\n", tests, failures);
	leave(failures != 0);
}

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	say("FAIL guest: ");
	va_start(ap, fmt);
	format(serial_put, fmt, ap);
	va_end(ap);
	say("\n");
	leave(2);
}

void start_c(u32 magic)
{
	out8(0x21, 0xff); /* both PICs masked: firmware may have left the PIT running */
	out8(0xa1, 0xff);
	out8(COM1_IER, 0);
	out8(COM1_LCR, 0x80);
	out8(COM1, 1);
	out8(COM1_IER, 0);
	out8(COM1_LCR, 3);
	out8(COM1_FCR, 7);
	out8(COM1_MCR, 3);
	if (magic != 0x2badb002)
		die("not started by a Multiboot 1 loader");
	cpu_init();
	guest_main();
	guest_end();
}
