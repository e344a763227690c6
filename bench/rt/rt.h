/*
 * The run-time of the benchmark payloads: what a payload gives, and what it may call.
 *
 * A payload is one file that defines `bench`. The run-time boots it by Multiboot 1, reads `n=` from the command line,
 * calls run(n) once, prints `bench NAME n=... ops=... sum=0x...` on COM1 and ends through isa-debug-exit.
 * The sum must be the same on every correct machine: never put time, addresses of the image or CPUID into it.
 * run(0) does the set-up only; bench/run subtracts its time.
 */
#ifndef RT_H
#define RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define NOINLINE __attribute__((noinline, noclone, unused))

struct result {
	u64 ops; /* how many of the payload's unit of work were done */
	u64 sum;
};

struct bench {
	const char *name;
	u64 n; /* when the command line has no n= : 1 to 3 seconds of QEMU */
	struct result (*run)(u64 n);
};

extern const struct bench bench;

/* The value written to isa-debug-exit; the process status is (value << 1) | 1. */
enum { RT_OK = 0, RT_FAILED = 1, RT_UNSUPPORTED = 2 };

void rt_puts(const char *s);
void rt_dec(u64 v);
void rt_hex(u64 v);
_Noreturn void rt_exit(u32 value);
_Noreturn void rt_fail(const char *why);        /* something is wrong in the machine or in the payload */
_Noreturn void rt_unsupported(const char *why); /* the machine lacks what the payload needs */

/* For the run-times' own use: what follows the word `key` (as in "n=") in the command line, or NULL; n; the result line without its end. */
const char *rt_option(const char *line, const char *key);
u64 rt_wanted(const char *line);
void rt_result(u64 n, struct result r);

/* Fails unless the machine has RAM up to `end` (bytes, at least 1 MB). */
void rt_need_ram(u64 end);

static inline u64 sum_mix(u64 sum, u64 v)
{
	sum ^= v;
	return (sum << 5 | sum >> 59) + 0x9e3779b97f4a7c15u;
}

/* George Marsaglia's xorshift64; the state must not be zero. */
static inline u64 rng_next(u64 *state)
{
	u64 x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

static inline void port_out8(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline u8 port_in8(u16 port)
{
	u8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void port_out32(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

#endif
