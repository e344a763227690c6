/*
 * A driver without libFuzzer: PROGRAM --runs N [--seed N], or PROGRAM FILE... to repeat inputs. Random inputs out of bytes and of pieces that
 * change modes, tables and worlds. An input that fails is left in PROGRAM.input.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

static u64 seed = 1;
static u8 input[1024];
static size_t size;
static char leave[4096];

static u32 any(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 20) % below;
}

#define P(s) {s, sizeof(s) - 1}
static const struct {
	const char *bytes;
	unsigned n;
} pieces[] = {
	P("\x0f\x22\xc0"), P("\x0f\x20\xc0"), P("\x0f\x22\xd8"), P("\x0f\x20\xd8"), P("\x0f\x22\xe0"), P("\x0f\x20\xe0"), P("\x0f\x23\xf8"), P("\x0f\x30"),
	P("\x0f\x32"), P("\x0f\x01\x10"), P("\x0f\x01\x18"), P("\x0f\x01\x38"), P("\x0f\x01\xd8"), P("\x0f\x01\xd9"), P("\x0f\x01\xda"), P("\x0f\x01\xdb"),
	P("\x0f\x01\xdc"), P("\x0f\x01\xdd"), P("\x0f\x01\xdf"), P("\x0f\x00\xd8"), P("\x0f\x00\xd0"), P("\xcf"), P("\x48\xcf"), P("\xcb"), P("\x48\xcb"),
	P("\xcd\x80"), P("\xcd\x21"), P("\xcc"), P("\xce"), P("\xf1"), P("\x9d"), P("\x9c"), P("\x0f\x05"), P("\x0f\x07"), P("\x0f\x34"), P("\x0f\x35"),
	P("\x8e\xd8"), P("\x8e\xc0"), P("\x8e\xd0"), P("\x8e\xe0"), P("\xfa"), P("\xfb"), P("\xf4"), P("\xe4\x10"), P("\xe6\x10"), P("\xed"), P("\xef"),
	P("\x6c"), P("\xf3\x6e"), P("\xf3\xa4"), P("\xf3\x48\xab"), P("\xf2\xae"), P("\xff\x18"), P("\xff\x28"), P("\xff\xd0"), P("\xff\xe0"), P("\xc3"),
	P("\xeb\xfe"), P("\x75\xf0"), P("\xe2\xf8"), P("\x0f\xae\x00"), P("\x0f\xae\x08"), P("\x0f\xae\x20"), P("\x0f\xae\x28"), P("\x0f\xc7\x20"),
	P("\x0f\xc7\x28"), P("\x0f\xc7\x18"), P("\x0f\x01\xd1"), P("\x0f\x01\xd0"), P("\x0f\xa2"), P("\x0f\x31"), P("\x0f\xaa"), P("\x0f\x08"),
	P("\x66\x0f\x38\x82\x00"), P("\x0f\x01\xf8"), P("\x0f\x01\xfc"), P("\x0f\x01\xc8"), P("\x0f\x01\xc9"), P("\xd9\x00"), P("\xdd\x18"), P("\xd8\xf1"),
	P("\xdb\xe3"), P("\x0f\x77"), P("\xc5\xf8\x77"), P("\xc4\xe2\x75\x90\x04\x08"), P("\x66\x0f\xf7\xc1"), P("\x0f\x58\xc1"), P("\xf2\x0f\x5e\xc1"),
	P("\x62\x00"), P("\x63\xc0"), P("\xc8\x10\x00\x05"), P("\xc9"), P("\x61"), P("\x60"), P("\x0f\x03\xc0"), P("\x0f\x02\xc0"), P("\x88\x00"),
	P("\x89\x03"), P("\xc6\x00\x90"), P("\xf0\x0f\xb0\x08"), P("\x0f\xc7\x08"), P("\xd7"), P("\x9a\x00\x00\x04\x00\x68\x00"), P("\xea\x00\x00\x00\x00\x48\x00"),
};

static void make(void)
{
	size = 3 + any(30);
	for (size_t i = 0; i < size; i++)
		input[i] = (u8)any(256);
	if (!any(3))
		for (size_t i = 0; i < size; i++) /* small numbers mean addresses */
			input[i] = (u8)any(32);
	input[0] = (u8)any(256);
	for (unsigned n = 1 + any(40); n && size < sizeof input - 16; n--) {
		unsigned p = any(sizeof pieces / sizeof *pieces);

		if (any(3)) {
			memcpy(input + size, pieces[p].bytes, pieces[p].n);
			size += pieces[p].n;
		} else {
			for (unsigned i = 1 + any(8); i; i--)
				input[size++] = (u8)any(256);
		}
	}
}

static void fell(int sig)
{
	int fd = open(leave, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd >= 0 && write(fd, input, size) == (ssize_t)size)
		(void)!write(2, "the input is in the file PROGRAM.input\n", 39);
	signal(sig, SIG_DFL);
	raise(sig);
}

static int from_file(const char *name)
{
	FILE *f = fopen(name, "rb");

	if (!f) {
		perror(name);
		return 2;
	}
	size = fread(input, 1, sizeof input, f);
	fclose(f);
	return LLVMFuzzerTestOneInput(input, size);
}

int main(int argc, char **argv)
{
	u64 runs = 0;

	snprintf(leave, sizeof leave, "%s.input", argv[0]);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--runs") && i + 1 < argc)
			runs = strtoull(argv[++i], NULL, 0);
		else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 0) * 0x9e3779b97f4a7c15ull | 1;
		else if (from_file(argv[i]))
			return 2;
	}
	signal(SIGABRT, fell);
	signal(SIGSEGV, fell);
	signal(SIGALRM, fell);
	for (u64 i = 0; i < runs; i++) {
		make();
		alarm(20); /* an input takes less than a millisecond */
		if (LLVMFuzzerTestOneInput(input, size))
			return 1;
	}
	printf("%llu passed, 0 failed, 0 skipped\n", (unsigned long long)(runs ? 1 : 0));
	return 0;
}
