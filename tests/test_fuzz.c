/*
 * What users and guests hand in, damaged at random from fixed seeds: command lines, -initrd and -append, kernels (ELF, Multiboot 1 and
 * 2), fw_cfg's DMA descriptors. Nothing may crash, run for ever or leave its memory (make san), and what is refused says why. The
 * number of rounds is FUZZ_ROUNDS times as many when that is set.
 */
#define _GNU_SOURCE 1
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/fw_cfg.h"
#include "loader/multiboot.h"
#include "ui/options.h"

static u64 seed;
static char dir[] = "/tmp/uv-fuzz-XXXXXX";
static struct error err;

static u32 any(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)(seed >> 16) % below;
}

static unsigned rounds(unsigned n)
{
	const char *more = getenv("FUZZ_ROUNDS");

	return more ? n * (unsigned)atoi(more) : n;
}

/* One to four changes: bytes flipped, numbers that are edges, pieces moved, the end cut off. Returns the new size. */
static size_t damage(u8 *p, size_t size)
{
	static const u64 edges[] = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, ~0ull, ~0ull >> 1};

	for (unsigned n = 1 + any(4); n-- && size;) {
		size_t at = any((u32)size), width = 1u << any(4), from = any((u32)size);

		switch (any(5)) {
		case 0: p[at] ^= (u8)(1 << any(8)); break;
		case 1: p[at] = (u8)any(256); break;
		case 2:
			if (at + width <= size)
				store_le(p + at, (unsigned)width, edges[any(ARRAY_SIZE(edges))]);
			break;
		case 3: memmove(p + at, p + from, size - (at > from ? at : from) < 16 ? 1 : 16); break;
		default:
			if (!any(8))
				size = at;
		}
	}
	return size;
}

/* ---- the command line ---- */

static const char *const lines[] = {
	"-machine pc,accel=tcg -cpu zen,+svm,-nrips,phys-bits=40 -m 512 -smp 2 -kernel k -append x -initrd a",
	"-cpu max,la57=on,model-id=abc,vendor=AuthenticAMD,family=25 -m size=2G -smp cpus=4,cores=2,sockets=2",
	"-serial file:out -serial null -monitor none -display none -device isa-debug-exit,iobase=0xf4,iosize=0x4",
	"-d vmexit,int,exc,walk,explain=NPF -D log --limit-insns 12k --limit-seconds 1.5 --stepwise --hash --report",
	"-nographic -S -no-reboot -device pc-testdev -rtc base=2006-06-17T16:01:21 -vga std -name n -net none",
	"walk --walk 0x1000@5",
	"-machine integratorcp -cpu arm926,-vfp -m 64 -kernel k -dtb t -initrd i -append a -sd c --semihosting d -nic user,model=smc91c111",
	"-smp 4,sockets=2,cores=2,maxcpus=4 -boot order=c -debugcon stdio -device isa-debugcon,iobase=0xe9,chardev=x",
};

START_TEST(command_lines)
{
	static struct options o;
	unsigned accepted = 0;

	seed = 1;
	for (unsigned i = 0; i < rounds(40000); i++) {
		char text[256], *argv[64] = {"undervisor"}, *save = NULL;
		const char *line = lines[any(ARRAY_SIZE(lines))];
		size_t n = strlen(line);
		int argc = 1;

		memcpy(text, line, n);
		n = i % 16 ? damage((u8 *)text, n) : n;
		for (size_t k = 0; k < n; k++) /* no early end, and no line of a message is the user's */
			text[k] = (u8)text[k] < ' ' ? 'x' : text[k];
		text[n] = 0;
		for (char *w = strtok_r(text, " ", &save); w && argc < 63; w = strtok_r(NULL, " ", &save))
			argv[argc++] = w;
		memset(&o, 0, sizeof o);
		err.msg[0] = 0;
		if (options_parse(&o, argc, argv, &err))
			accepted++;
		else
			ck_assert_msg(err.msg[0] && !strchr(err.msg, '\n'), "no single line for: %s", line);
	}
	ck_assert_uint_gt(accepted, 10);
}
END_TEST

/* ---- kernels ---- */

#define RAM (8u << 20)
static struct space mem;
static struct mem_map map;
static u8 good[0x1400], image[sizeof good];

static void put(size_t off, unsigned size, u64 val) { store_le(good + off, size, val); }

/* 32 or 64 bits; two program headers and three sections; Multiboot 1 at 200h or 2 at 300h, or none. */
static void make_kernel(bool is64, unsigned multiboot)
{
	unsigned a = is64 ? 8 : 4, ph = is64 ? 64 : 52, phsize = is64 ? 56 : 32, sh = 0x1300, shsize = is64 ? 64 : 40;

	memset(good, 0x90, sizeof good);
	memset(good, 0, 0x400);
	memset(good + sh, 0, 0x100);
	memcpy(good, "\177ELF", 4);
	good[4] = is64 ? 2 : 1;
	good[5] = good[6] = 1;
	put(16, 2, 2);
	put(18, 2, is64 ? 62 : 3);
	put(20, 4, 1);
	put(24, a, 0x100000);
	put(is64 ? 32 : 28, a, ph);
	put(is64 ? 40 : 32, a, sh);
	put(is64 ? 54 : 42, 2, phsize);
	put(is64 ? 56 : 44, 2, 2);
	put(is64 ? 58 : 46, 2, shsize);
	put(is64 ? 60 : 48, 2, 3);
	put(is64 ? 62 : 50, 2, 2);
	for (unsigned i = 0; i < 2; i++) {
		unsigned p = ph + i * phsize;

		put(p, 4, 1);
		put(p + (is64 ? 8 : 4), a, i ? 0x800 : 0);
		put(p + (is64 ? 16 : 8), a, 0x100000 + i * 0x10000);
		put(p + (is64 ? 24 : 12), a, 0x100000 + i * 0x10000);
		put(p + (is64 ? 32 : 16), a, 0x800);
		put(p + (is64 ? 40 : 20), a, 0x1000);
	}
	for (unsigned i = 1; i < 3; i++) {
		put(sh + i * shsize + 4, 4, 3);
		put(sh + i * shsize + (is64 ? 24 : 16), a, 0x1100);
		put(sh + i * shsize + (is64 ? 32 : 20), a, 0x20);
	}
	if (multiboot == 1) {
		const u32 flags = is64 ? 0x10003 : 7;

		put(0x200, 4, 0x1badb002);
		put(0x204, 4, flags);
		put(0x208, 4, -(0x1badb002 + flags));
		for (unsigned i = 0; i < 5; i++)
			put(0x20c + 4 * i, 4, (u32[]){0x100200, 0x100000, 0x101000, 0x102000, 0x100000}[i]);
	} else if (multiboot == 2) {
		static const u32 words[] = {0xe85250d6, 0, 0x60, 0, 1, 16, 6, 8, 2, 24, 0x100300, 0x100000, 0x101000, 0x102000, 3,
					    12, 0x100000, 0, 4, 12, 3, 0, 0, 8};

		for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
			put(0x300 + 4 * i, 4, words[i]);
		put(0x30c, 4, -(0xe85250d6 + 0x60));
	}
}

/* Files in memory: k and m stand in a directory that links to them. */
static void write_file(const char *name, const void *data, size_t size)
{
	int fd = open(name, O_WRONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert(!ftruncate(fd, 0));
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	close(fd);
}

static void file_in_memory(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", memfd_create(name, 0));
	ck_assert(!symlink(path, name));
}

static void memory_setup(void)
{
	ck_assert(mkdtemp(dir) && !chdir(dir));
	file_in_memory("k");
	file_in_memory("m");
	ck_assert(space_init(&mem, "memory", 40, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, RAM, false, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "bios", 0xe0000, 0x20000, true, &err));
	mem_map_pc(&map, RAM, 0, 0x10000);
}
static void memory_teardown(void)
{
	space_free(&mem);
	unlink("k");
	unlink("m");
	ck_assert(!chdir("/") && !rmdir(dir));
}

static void load(const char *append, const char *initrd)
{
	struct boot_options opt = {.kernel = "k", .append = append, .initrd = initrd, .map = &map, .long_mode = true, .vga = true};
	struct boot_state st;

	err.msg[0] = 0;
	if (!kernel_load(&mem, &opt, &st, &err))
		ck_assert_msg(err.msg[0], "no message");
}

START_TEST(kernels)
{
	seed = 2;
	for (unsigned kind = 0; kind < 6; kind++) {
		make_kernel(kind & 1, kind / 2);
		write_file("k", good, sizeof good);
		load(kind < 2 ? NULL : "arguments", NULL);
		ck_assert_str_eq(err.msg, "");
		for (unsigned i = 0; i < rounds(1500); i++) {
			size_t size = sizeof good;

			memcpy(image, good, sizeof good);
			damage(image, 0x100); /* the headers, most of the time */
			damage(image + 0x200, 0x180);
			if (!any(3))
				damage(image + 0x1300, 0x100);
			if (!any(8))
				size = damage(image, size);
			write_file("k", image, size);
			load(kind < 2 ? NULL : "arguments", NULL);
		}
	}
}
END_TEST

START_TEST(modules_and_arguments)
{
	static const char initrd[] = "m a=1 b,m c,,d,m,,,m  e", append[] = "console=ttyS0 a,b \"c d\" -- x";

	seed = 3;
	make_kernel(false, 1);
	write_file("k", good, sizeof good);
	write_file("m", "module", 6);
	for (unsigned i = 0; i < rounds(3000); i++) {
		char module[600] = "", args[600] = "";
		size_t n = 0;

		for (unsigned k = any(24); k--;) { /* up to more than there is room for */
			memcpy(module + n, initrd, sizeof initrd);
			n += any(sizeof initrd);
		}
		module[damage((u8 *)module, n + 1)] = 0;
		memcpy(args, append, sizeof append);
		args[damage((u8 *)args, sizeof append - 1)] = 0;
		load(args, module);
	}
}
END_TEST

/* ---- fw_cfg ---- */

static u32 swapped(u32 x) { return __builtin_bswap32(x); }

/* Lengths and addresses at and over the ends of memory and of the items; chains that never end do not exist: one descriptor is one
 * transfer. */
START_TEST(dma_descriptors)
{
	static const u64 places[] = {0, 0xffff8, RAM - 16, RAM - 8, RAM - 1, RAM, 1ull << 32, (1ull << 40) - 8, ~0ull - 7, ~0ull};
	static struct fw_cfg fw;

	seed = 4;
	fw_cfg_init(&fw, &mem, RAM, 2, 2);
	ck_assert(fw_cfg_add_file(&fw, "opt/a", "abcdefgh", 8, &err));
	for (unsigned i = 0; i < rounds(4000); i++) {
		u64 at = any(4) ? any(RAM - 16) : places[any(3)]; /* elsewhere a descriptor reads as ones: 4 GB, which takes a while */
		u64 to = any(2) ? any(RAM) : places[any(ARRAY_SIZE(places))];
		u32 size = any(4) ? any(64) : any(2) ? any(RAM) : 0x1000000 - any(16);
		u32 control = any(8) | (any(2) ? 8 | (any(0x40) ? any(0x30) : 0x4000 + any(8)) << 16 : 0) | (any(64) ? 0 : any(0x10000));

		if (size > 4096 && i % 1024) /* a long one takes a while */
			size = any(4096);
		space_write(&mem, at, 4, swapped(control));
		space_write(&mem, at + 4, 4, swapped(size));
		space_write(&mem, at + 8, 4, swapped((u32)(to >> 32)));
		space_write(&mem, at + 12, 4, swapped((u32)to));
		fw_cfg_dma_ops.write(&fw, 0, 4, swapped((u32)(at >> 32)));
		fw_cfg_dma_ops.write(&fw, 4, 4, swapped((u32)at));
		if ((at < 0xe0000 - 16 || at >= 0x100000) && at <= RAM - 16 && (to + size < at || to >= at + 4) && size < RAM)
			ck_assert_uint_eq(space_read(&mem, at, 4) & ~(u64)swapped(1), 0); /* done, or an error */
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fuzz");
	TCase *t = tcase_create("fuzz"), *m = tcase_create("memory");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_set_timeout(m, 60);
	tcase_add_test(t, command_lines);
	tcase_add_checked_fixture(m, memory_setup, memory_teardown);
	tcase_add_test(m, kernels);
	tcase_add_test(m, modules_and_arguments);
	tcase_add_test(m, dma_descriptors);
	suite_add_tcase(s, t);
	suite_add_tcase(s, m);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
