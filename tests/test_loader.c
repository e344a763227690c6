/*
 * The loaders: ELF bounds, Multiboot 1 and 2 (headers, modules, memory map, information), plain ELF entry, ACPI tables.
 * Kernels are assembled here into temporary files; damaged ones must fail with a message and never crash.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "loader/acpi_tables.h"
#include "loader/smbios.h"
#include "loader/multiboot.h"

#define RAM     (32u << 20)
#define TOP     (RAM - ACPI_TABLES_SIZE)
#define KERNEL  "kernel" /* in a directory of our own */
#define MODULE1 "module,1"
#define MODULE2 "module2"

static struct space mem;
static struct mem_map map;
static struct boot_options opt;
static struct boot_state st;
static struct error err;
static u8 image[16384];
static size_t image_size;

static void setup(void)
{
	ck_assert(space_init(&mem, "memory", 40, &err));
	ck_assert(space_add_ram(&mem, "ram", 0, RAM, false, &err) != NULL);
	ck_assert(space_add_ram(&mem, "bios", 0xe0000, 0x20000, true, &err) != NULL);
	mem_map_pc(&map, RAM, 1ull << 30, ACPI_TABLES_SIZE);
	opt = (struct boot_options){.kernel = KERNEL, .map = &map};
	memset(image, 0, sizeof image);
	image_size = 0;
	err.msg[0] = 0;
}

static void teardown(void)
{
	space_free(&mem);
	unlink(KERNEL);
	unlink(MODULE1);
	unlink(MODULE2);
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(name, "wb");

	ck_assert(f != NULL);
	ck_assert_uint_eq(fwrite(data, 1, size, f), size);
	fclose(f);
}

static bool load(void)
{
	write_file(KERNEL, image, image_size);
	return kernel_load(&mem, &opt, &st, &err);
}

static void fails(const char *part)
{
	ck_assert(!load());
	ck_assert_msg(strstr(err.msg, part) != NULL, "message: %s", err.msg);
	ck_assert_msg(strstr(err.msg, KERNEL) != NULL || strstr(err.msg, "-initrd") != NULL, "message: %s", err.msg);
}

static u32 peek32(u64 pa) { return (u32)space_peek(&mem, pa, 4); }
static const char *string_at(u64 pa)
{
	static char s[256];

	space_read_bytes(&mem, pa, s, sizeof s - 1);
	return s;
}
static void put(size_t off, unsigned size, u64 val) { store_le(image + off, size, val); }

/* An ELF file: header, one segment of file bytes 1000h-2000h, and a section table with one symbol-like section. */
static void make_elf(bool is64, u64 vaddr, u64 paddr, u64 entry)
{
	size_t ph = is64 ? 64 : 52, sh = 0x2100, p = ph;

	memcpy(image, "\177ELF", 4);
	image[4] = is64 ? 2 : 1;
	image[5] = image[6] = 1;
	put(16, 2, 2);
	put(18, 2, is64 ? ELF_EM_X86_64 : ELF_EM_386);
	put(20, 4, 1);
	put(24, is64 ? 8 : 4, entry);
	put(is64 ? 32 : 28, is64 ? 8 : 4, ph);
	put(is64 ? 40 : 32, is64 ? 8 : 4, sh);
	put(is64 ? 54 : 42, 2, is64 ? 56 : 32);
	put(is64 ? 56 : 44, 2, 1);
	put(is64 ? 58 : 46, 2, is64 ? 64 : 40);
	put(is64 ? 60 : 48, 2, 2);
	put(is64 ? 62 : 50, 2, 1);
	put(p, 4, ELF_PT_LOAD);
	if (is64) {
		put(p + 8, 8, 0x1000);
		put(p + 16, 8, vaddr);
		put(p + 24, 8, paddr);
		put(p + 32, 8, 0x1000);
		put(p + 40, 8, 0x1800);
		put(sh + 64 + 4, 4, 3);
		put(sh + 64 + 24, 8, 0x2000);
		put(sh + 64 + 32, 8, 0x20);
	} else {
		put(p + 4, 4, 0x1000);
		put(p + 8, 4, vaddr);
		put(p + 12, 4, paddr);
		put(p + 16, 4, 0x1000);
		put(p + 20, 4, 0x1800);
		put(sh + 40 + 4, 4, 3);
		put(sh + 40 + 16, 4, 0x2000);
		put(sh + 40 + 20, 4, 0x20);
	}
	memset(image + 0x1800, 0xc3, 0x800);
	memcpy(image + 0x2000, "symbols", 8);
	image_size = 0x2200;
}

static void make_mb1(size_t off, u32 flags)
{
	put(off, 4, 0x1badb002);
	put(off + 4, 4, flags);
	put(off + 8, 4, -(0x1badb002 + flags));
}

static void make_mb2(size_t off, u32 length)
{
	put(off, 4, 0xe85250d6);
	put(off + 4, 4, 0);
	put(off + 8, 4, length);
	put(off + 12, 4, -(0xe85250d6 + length));
}

static size_t mb2_tag(size_t at, unsigned type, unsigned flags, const u32 *val, unsigned n)
{
	put(at, 2, type);
	put(at + 2, 2, flags);
	put(at + 4, 4, 8 + 4 * n);
	for (unsigned i = 0; i < n; i++)
		put(at + 8 + 4 * i, 4, val[i]);
	return at + 8 + ((4 * n + 7) & ~7u);
}

/* ----------------------------------------------------------------------------------------------------------- ELF */

START_TEST(elf_bounds)
{
	struct elf e;
	struct elf_segment s;
	struct elf_section sec;

	make_elf(true, 0x100000, 0x100000, 0x100000);
	ck_assert(elf_open(&e, "k", image, image_size, &err));
	ck_assert(elf_segment(&e, 0, &s, &err) && s.memsz == 0x1800);
	ck_assert(!elf_segment(&e, 1, &s, &err));
	ck_assert(elf_section(&e, 1, &sec, &err) && sec.size == 0x20);
	for (size_t n = 0; n < 120; n++)
		ck_assert(!elf_open(&e, "k", image, n, &err));
	ck_assert(elf_open(&e, "k", image, 0x1fff, &err)); /* sections are gone, the segment is cut */
	ck_assert_uint_eq(e.shnum, 0);
	ck_assert(!elf_segment(&e, 0, &s, &err));
	ck_assert(strstr(err.msg, "offset 0x40") != NULL);
	put(64 + 8, 8, ~0ull); /* an offset that wraps */
	ck_assert(elf_open(&e, "k", image, image_size, &err));
	ck_assert(!elf_segment(&e, 0, &s, &err));
	put(64 + 8, 8, 0x1000);
	put(64 + 24, 8, ~0xfffull); /* an address that wraps */
	ck_assert(!elf_segment(&e, 0, &s, &err));
	put(56, 2, 0xfffe);
	ck_assert(!elf_open(&e, "k", image, image_size, &err));
}
END_TEST

START_TEST(plain_elf32)
{
	make_elf(false, 0xc0100000, 0x100000, 0xc0100010);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert(!st.long_mode && st.cs == 8 && st.ds == 0x10);
	ck_assert_uint_eq(st.ip, 0x100010);
	ck_assert_uint_eq(st.sp, 0x8000);
	ck_assert_uint_eq(st.gdt, 0x800);
	ck_assert_uint_eq(peek32(0x100800), 0xc3c3c3c3);
	ck_assert_uint_eq(peek32(0x101000), 0);
	opt.append = "x";
	fails("-append");
}
END_TEST

START_TEST(plain_elf64)
{
	make_elf(true, 0x200000, 0x200000, 0x200020);
	space_write(&mem, 0x201100, 8, ~0ull); /* bss is cleared even if the RAM was used */
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert(st.long_mode && st.cs == 0x18);
	ck_assert_uint_eq(st.ip, 0x200020);
	ck_assert_uint_eq(st.cr3, 0x1000);
	ck_assert_uint_eq(space_peek(&mem, 0x201100, 8), 0);
	ck_assert_uint_eq(space_peek(&mem, 0x1000, 8), 0x2003);
	ck_assert_uint_eq(space_peek(&mem, 0x2000 + 3 * 8, 8), 0x6003);
	ck_assert_uint_eq(space_peek(&mem, 0x6000 + 511 * 8, 8), 0xffe00083);
	ck_assert_uint_eq(space_peek(&mem, st.gdt + 0x18, 8), 0x00af9b000000ffff);
}
END_TEST

START_TEST(low_memory_is_shared)
{
	make_elf(false, 0x1000, 0x1000, 0x1000); /* where the page tables like to be */
	put(18, 2, ELF_EM_386);
	ck_assert_msg(load(), "%s", err.msg);
	make_elf(true, 0x1000, 0x1000, 0x1000);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(st.cr3, 0x8000); /* behind kernel and stack: 3000h-7000h is too small */
}
END_TEST

START_TEST(bad_files)
{
	image_size = 100;
	fails("expected a Multiboot header in the first 32768 bytes, a Linux bzImage or an ELF file");
	make_elf(false, 0, 0x100000, 0);
	put(18, 2, ELF_EM_ARM);
	fails("ELF machine 40");
	make_elf(false, 0, RAM - 0x1000, 0);
	fails("expected RAM");
	make_elf(false, 0, 0x9f000, 0);
	fails("expected RAM");
	make_elf(true, 0, 0x100000000, 0);
	fails("expected RAM below 4 GB");
	make_elf(true, 0, 0x100000, 0);
	image[5] = 2;
	fails("offset 5");
	opt.kernel = "/nonexistent" KERNEL;
	fails("No such file");
}
END_TEST

/* --------------------------------------------------------------------------------------------------- Multiboot 1 */

START_TEST(mb1_elf32)
{
	u32 mbi, mods, at, n = 0;
	u64 top = 0;

	write_file(MODULE1, "one", 3);
	memset(image, 'x', 5000);
	write_file(MODULE2, image, 5000);
	memset(image, 0, 5000);
	make_elf(false, 0xc0100000, 0x100000, 0xc0100020);
	make_mb1(0x1ffc - 0x1000, 7); /* anywhere in the first 8 KB */
	opt.append = "console=ttyS0 a,b";
	opt.initrd = "module,,1 arg,,1 arg2," MODULE2;
	ck_assert_msg(load(), "%s", err.msg);
	mbi = st.ebx;
	ck_assert_uint_eq(st.eax, 0x2badb002);
	ck_assert_uint_eq(mbi, 0x9000);
	ck_assert_uint_eq(st.ip, 0x100020);
	ck_assert(!st.long_mode);
	ck_assert_uint_eq(peek32(mbi), 1 << 0 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 9 | 1 << 12);
	ck_assert_uint_eq(peek32(mbi + 4), 639);
	ck_assert_uint_eq(peek32(mbi + 8), (TOP - (1 << 20)) / 1024);
	ck_assert_str_eq(string_at(peek32(mbi + 16)), KERNEL " console=ttyS0 a,b");
	ck_assert_str_eq(string_at(peek32(mbi + 64)), "Undervisor");
	ck_assert_uint_eq(peek32(mbi + 20), 2);
	mods = peek32(mbi + 24);
	ck_assert_uint_eq(peek32(mods), 0x102000); /* behind the bss, page-aligned */
	ck_assert_uint_eq(peek32(mods + 4), 0x102003);
	ck_assert_str_eq(string_at(peek32(mods + 8)), MODULE1 " arg,1 arg2");
	ck_assert_uint_eq(peek32(mods + 16), 0x103000);
	ck_assert_uint_eq(peek32(mods + 20), 0x103000 + 5000);
	ck_assert_str_eq(string_at(peek32(mods + 24)), MODULE2);
	ck_assert_uint_eq(peek32(0x103000 + 4996), 0x78787878);
	for (at = peek32(mbi + 48); at < peek32(mbi + 48) + peek32(mbi + 44); at += peek32(at) + 4, n++)
		if (peek32(at + 20) == MEM_RAM)
			top = space_peek(&mem, at + 4, 8) + space_peek(&mem, at + 12, 8);
	ck_assert_uint_eq(n, map.count);
	ck_assert_uint_eq(top, (4ull << 30) + (1ull << 30));
	ck_assert_uint_eq(peek32(mbi + 28), 2); /* sections */
	ck_assert_str_eq(string_at(peek32(peek32(mbi + 36) + 40 + 12)), "symbols");
	ck_assert_uint_eq(peek32(mbi + 109) & 0xff, 2);
}
END_TEST

START_TEST(mb1_elf64)
{
	make_elf(true, 0xffffffff80200000, 0x200000, 0xffffffff80200040);
	make_mb1(0x1000, 0);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert(!st.long_mode);
	ck_assert_uint_eq(st.ip, 0x200040);
	make_elf(true, 0xffffffff80200000, 0x200000, 0xffffffff90000000);
	fails("entry point");
}
END_TEST

START_TEST(mb1_addresses)
{
	image_size = 0x1000;
	make_mb1(0x10, 0x10003);
	put(0x10 + 12, 4, 0x100010); /* header */
	put(0x10 + 16, 4, 0x100000); /* load */
	put(0x10 + 20, 4, 0x100400); /* load end */
	put(0x10 + 24, 4, 0x100800); /* bss end */
	put(0x10 + 28, 4, 0x100020);
	memset(image + 0x3fc, 0xee, 8);
	space_write(&mem, 0x100400, 4, 0x12345678);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(st.ip, 0x100020);
	ck_assert_uint_eq(peek32(0x1003fc), 0xeeeeeeee);
	ck_assert_uint_eq(peek32(0x100400), 0); /* bss, not file */
	put(0x10 + 20, 4, 0);
	put(0x10 + 24, 4, 0);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(peek32(0x100400), 0xeeeeeeee); /* to the file's end */
	put(0x10 + 20, 4, 0x101001);
	fails("offset 0x24: load end 0x101001");
	put(0x10 + 20, 4, 0x100400);
	put(0x10 + 24, 4, 0x100300);
	fails("bss end");
	put(0x10 + 16, 4, 0xffff0);
	fails("load address");
	image_size = 0x10 + 20;
	fails("expected address fields");
}
END_TEST

START_TEST(mb1_refusals)
{
	make_elf(false, 0x100000, 0x100000, 0x100000);
	make_mb1(0x1000, 0x8);
	fails("required bits 0x8");
	make_mb1(0x1000, 3);
	image[0] = 0;
	fails("bit 16");
	image[0] = 0x7f;
	opt.initrd = "/nonexistent/m args";
	ck_assert(!load());
	ck_assert(strstr(err.msg, "/nonexistent/m: ") != NULL);
	opt.initrd = KERNEL ",";
	fails("module 2");
	opt.initrd = NULL;
	make_mb1(0x1002, 0); /* not aligned: no header */
	put(0x1000, 2, 0);
	ck_assert(load());
	ck_assert_uint_eq(st.eax, 0);
}
END_TEST

/* --------------------------------------------------------------------------------------------------- Multiboot 2 */

static u32 find_tag(u32 type)
{
	for (u32 at = st.ebx + 8; at < st.ebx + peek32(st.ebx); at += (peek32(at + 4) + 7) & ~7u)
		if (peek32(at) == type)
			return at;
	return 0;
}

START_TEST(mb2_elf)
{
	size_t at;
	u32 tag;

	make_elf(true, 0x100000, 0x100000, 0x100000);
	at = mb2_tag(0x1800 + 16, 1, 0, (u32[]){4, 6, 9, 14}, 4);
	at = mb2_tag(at, 4, 0, (u32[]){3}, 1);
	at = mb2_tag(at, 5, 0, (u32[]){1024, 768, 32}, 3);
	at = mb2_tag(at, 6, 0, NULL, 0);
	at = mb2_tag(at, 7, 1, NULL, 0);
	at = mb2_tag(at, 9, 1, (u32[]){0x100500}, 1);
	at = mb2_tag(at, 77, 1, NULL, 0);
	at = mb2_tag(at, 3, 0, (u32[]){0x100123}, 1);
	at = mb2_tag(at, 10, 0, (u32[]){0x100000, 0xffffff, 4096, 0}, 4);
	at = mb2_tag(at, 0, 0, NULL, 0);
	make_mb2(0x1800, (u32)(at - 0x1800));
	write_file(MODULE2, "two", 3);
	opt.initrd = MODULE2 " x";
	opt.append = "y";
	opt.rsdp = 0xf0000;
	space_poke(&mem, 0xf0000, 8, load_le("RSD PTR ", 8));
	space_poke(&mem, 0xf000f, 1, 2);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(st.eax, 0x36d76289);
	ck_assert_uint_eq(st.ip, 0x100123);
	ck_assert_uint_eq(st.ebx, 0x9000);
	ck_assert_str_eq(string_at(find_tag(1) + 8), KERNEL " y");
	ck_assert_str_eq(string_at(find_tag(2) + 8), "Undervisor");
	tag = find_tag(3);
	ck_assert_str_eq(string_at(tag + 16), MODULE2 " x");
	ck_assert_uint_eq(peek32(tag + 12) - peek32(tag + 8), 3);
	ck_assert_str_eq(string_at(peek32(tag + 8)), "two");
	ck_assert_uint_eq(peek32(find_tag(4) + 8), 639);
	ck_assert_uint_eq(peek32(find_tag(6) + 8), 24);
	ck_assert_uint_eq(peek32(find_tag(6) + 4), 16 + 24 * map.count);
	ck_assert_uint_eq(peek32(find_tag(8) + 8), 0xb8000);
	ck_assert_str_eq(string_at(peek32(find_tag(9) + 20 + 64 + 16)), "symbols");
	ck_assert_uint_eq(peek32(find_tag(14) + 4), 28);
	ck_assert_uint_eq(peek32(find_tag(15) + 4), 44);
	ck_assert_uint_eq(peek32(find_tag(21) + 8), 0x100000);
	ck_assert_uint_eq(find_tag(12), 0);
	tag = find_tag(0);
	ck_assert_uint_eq(tag + 8, st.ebx + peek32(st.ebx));
}
END_TEST

START_TEST(mb2_addresses_and_refusals)
{
	size_t at, tags = 0x40 + 16;

	image_size = 0x800;
	at = mb2_tag(tags, 2, 0, (u32[]){0x200040, 0xffffffff, 0, 0}, 4);
	at = mb2_tag(at, 3, 0, (u32[]){0x200100}, 1);
	at = mb2_tag(at, 0, 0, NULL, 0);
	make_mb2(0x40, (u32)(at - 0x40));
	put(0x7fc, 4, 0xabcdef01);
	ck_assert_msg(load(), "%s", err.msg);
	ck_assert_uint_eq(st.ip, 0x200100);
	ck_assert_uint_eq(peek32(0x2007fc), 0xabcdef01);
	put(tags + 24, 2, 0); /* no entry tag */
	fails("entry address tag");
	make_mb2(0x40, 0x10000);
	fails("within the file");
	make_mb2(0x40, (u32)(at - 0x40));
	mb2_tag(tags, 1, 0, (u32[]){4, 22}, 2);
	fails("required Multiboot2 information 22");
	mb2_tag(tags, 99, 0, NULL, 0);
	fails("tag 99");
	mb2_tag(tags, 4, 0, (u32[]){1}, 1);
	fails("EGA text");
	mb2_tag(tags, 4, 0, NULL, 0);
	fails("more bytes");
	put(tags + 4, 4, 7);
	fails("a size within the header");
}
END_TEST

/* Random damage: either it loads, or there is a message. */
START_TEST(damaged_kernels)
{
	u32 seed = 12345;
	u8 good[0x2200];

	for (unsigned kind = 0; kind < 4; kind++) {
		setup();
		make_elf(kind & 1, 0x100000, 0x100000, 0x100000);
		if (kind < 2) {
			make_mb1(0x1000, 3);
		} else {
			size_t at = mb2_tag(0x1010, 1, 0, (u32[]){4, 6}, 2);

			at = mb2_tag(at, 2, 0, (u32[]){0x100000, 0x100000, 0, 0}, 4);
			at = mb2_tag(at, 3, 0, (u32[]){0x100000}, 1);
			at = mb2_tag(at, 0, 0, NULL, 0);
			make_mb2(0x1000, (u32)(at - 0x1000));
		}
		memcpy(good, image, sizeof good);
		for (unsigned i = 0; i < 500; i++) {
			memcpy(image, good, sizeof good);
			image_size = sizeof good;
			for (unsigned k = 0; k < 3; k++) {
				static const u16 spots[] = {0, 0x20, 0x40, 0x60, 0x1010, 0x1020, 0x2100, 0x2140};

				seed = seed * 1103515245 + 12345;
				image[spots[seed >> 28 & 7] + (seed >> 20 & 31)] = (u8)(seed >> 9);
			}
			if (i % 5 == 0)
				image_size = seed >> 8 & 0x1fff;
			err.msg[0] = 0;
			if (!load())
				ck_assert(err.msg[0]);
		}
		teardown();
	}
	setup();
}
END_TEST

/* ---------------------------------------------------------------------------------------------------------- ACPI */

static u8 sum(u32 pa, u32 n)
{
	u8 s = 0;

	for (u32 i = 0; i < n; i++)
		s = (u8)(s + space_peek(&mem, pa + i, 1));
	return s;
}

static u32 table(u32 rsdt, const char *signature)
{
	for (u32 i = 36; i < peek32(rsdt + 4); i += 4)
		if (peek32(peek32(rsdt + i)) == (u32)load_le(signature, 4))
			return peek32(rsdt + i);
	return 0;
}

START_TEST(acpi)
{
	static const char *const signatures[] = {"FACP", "SSDT", "APIC", "HPET"};
	struct acpi_config c;
	u32 rsdt, fadt, madt, n = 0;

	acpi_config_pc(&c);
	c.tables = TOP;
	c.pci_memory = RAM;
	c.cpus = 255;
	ck_assert_msg(acpi_tables_write(&mem, &c, &err), "%s", err.msg);
	ck_assert_uint_eq(space_peek(&mem, c.rsdp, 8), load_le("RSD PTR ", 8));
	ck_assert_uint_eq(sum(c.rsdp, 20), 0);
	ck_assert_uint_eq(sum(c.rsdp, 36), 0);
	rsdt = peek32(c.rsdp + 16);
	ck_assert_uint_eq(sum(rsdt, peek32(rsdt + 4)), 0);
	ck_assert_uint_eq(sum(peek32(c.rsdp + 24), peek32(peek32(c.rsdp + 24) + 4)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(signatures); i++) {
		u32 t = table(rsdt, signatures[i]);

		ck_assert_uint_ne(t, 0);
		ck_assert_uint_eq(sum(t, peek32(t + 4)), 0);
		ck_assert_uint_eq(space_peek(&mem, peek32(c.rsdp + 24) + 36 + 8 * i, 8), t);
	}
	fadt = table(rsdt, "FACP");
	ck_assert_uint_eq(peek32(fadt + 4), 244);
	ck_assert_uint_eq(sum(peek32(fadt + 40), peek32(peek32(fadt + 40) + 4)), 0);
	ck_assert_uint_eq(peek32(fadt + 140), peek32(fadt + 40));
	ck_assert_uint_eq(peek32(peek32(fadt + 36)), (u32)load_le("FACS", 4));
	ck_assert_uint_eq(peek32(fadt + 36) % 64, 0);
	ck_assert_uint_eq(space_peek(&mem, fadt + 176, 8), 0x604);
	for (n = peek32(fadt + 40) + 36; peek32(n) != (u32)load_le("MEMB", 4); n++) /* the window of PCI memory */
		ck_assert_uint_lt(n, peek32(fadt + 40) + 200);
	ck_assert_uint_eq(peek32(n + 5), RAM);
	n = 0;
	madt = table(rsdt, "APIC");
	for (u32 at = madt + 44; at < madt + peek32(madt + 4); at += (u32)space_peek(&mem, at + 1, 1))
		n += !space_peek(&mem, at, 1);
	ck_assert_uint_eq(n, 255);
}
END_TEST

/* What firmware does with the script gives the tables that are written without firmware. */
START_TEST(acpi_script)
{
	static struct acpi_tables t;
	static u8 script[ACPI_SCRIPT_SIZE];
	struct acpi_config c;
	u32 size;

	acpi_config_pc(&c);
	c.tables = TOP;
	c.pci_memory = RAM;
	ck_assert(acpi_tables_write(&mem, &c, &err));
	ck_assert(acpi_tables_build(&t, &c, &err));
	size = acpi_tables_script(&t, script);
	ck_assert_uint_eq(size % 128, 0);
	for (const u8 *p = script; p < script + size; p += 128) {
		u8 *file = strcmp((const char *)p + 4, "etc/acpi/rsdp") ? t.block : t.rsdp;
		u32 off = (u32)load_le(p + 60, 4), sum_of = 0;

		if (load_le(p, 4) == 2) { /* add pointer: destination, source, offset, size */
			off = (u32)load_le(p + 116, 4);
			ck_assert_str_eq((const char *)p + 60, "etc/acpi/tables");
			store_le(file + off, p[120], load_le(file + off, p[120]) + TOP);
		} else if (load_le(p, 4) == 3) { /* add checksum: offset, start, length */
			for (u32 i = 0; i < load_le(p + 68, 4); i++)
				sum_of += file[load_le(p + 64, 4) + i];
			file[off] = (u8)(file[off] - sum_of);
		}
	}
	for (u32 i = 0; i < t.size; i++)
		ck_assert_uint_eq(t.block[i], space_peek(&mem, TOP + i, 1));
	for (u32 i = 0; i < ACPI_RSDP_SIZE; i++)
		ck_assert_uint_eq(t.rsdp[i], space_peek(&mem, c.rsdp + i, 1));
}
END_TEST

START_TEST(acpi_refusals)
{
	struct acpi_config c;
	acpi_config_pc(&c);
	c.tables = TOP;
	c.rsdp = 0xf0008;
	ck_assert(!acpi_tables_write(&mem, &c, &err));
	c.rsdp = 0xf0000;
	c.cpus = 256;
	ck_assert(!acpi_tables_write(&mem, &c, &err));
	c.cpus = 1;
	c.tables = RAM;
	ck_assert(!acpi_tables_write(&mem, &c, &err));
	ck_assert(strstr(err.msg, "0x2000000") != NULL);
}
END_TEST

/* Each structure ends with an empty string; the entry point counts them and sums to 0. DSP0134 5.2.1, 6.1 */
START_TEST(smbios)
{
	static const u32 at = 0xf6000;
	const struct smbios_config c = {.cpus = 16, .ram_low = 0xc0000000, .ram_high = 1ull << 33, .processor_id = {0xa20f10}, .own_bios = true};
	unsigned n = 0, cpus = 0;
	u32 p, end;

	ck_assert_msg(smbios_write(&mem, &c, at, &err), "%s", err.msg);
	ck_assert_uint_eq(peek32(at), (u32)load_le("_SM_", 4));
	ck_assert_uint_eq(sum(at, 31), 0);
	ck_assert_uint_eq(sum(at + 16, 15), 0);
	p = peek32(at + 24);
	end = p + (u32)space_peek(&mem, at + 22, 2);
	for (; p < end; n++) {
		u8 type = (u8)space_peek(&mem, p, 1);

		cpus += type == 4 && peek32(p + 8) == 0xa20f10;
		if (type == 17) /* 11 GB are more than 15 bits of MB */
			ck_assert_uint_eq(space_peek(&mem, p + 12, 2), 11 << 10);
		if (type == 127)
			break;
		for (p += (u32)space_peek(&mem, p + 1, 1); space_peek(&mem, p, 2); p++)
			;
		p += 2;
	}
	ck_assert_uint_eq(p + 6, end);
	ck_assert_uint_eq(n + 1, space_peek(&mem, at + 28, 2));
	ck_assert_uint_eq(cpus, 16);
	ck_assert(!smbios_write(&mem, &(struct smbios_config){.cpus = 100}, at, &err));
	ck_assert(!smbios_write(&mem, &c, TOP + RAM, &err));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loader");
	TCase *tc = tcase_create("loader");
	SRunner *r = srunner_create(s);
	char dir[] = "/tmp/undervisor-test-XXXXXX";
	int failed;

	if (!mkdtemp(dir) || chdir(dir))
		return EXIT_FAILURE;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, elf_bounds);
	tcase_add_test(tc, plain_elf32);
	tcase_add_test(tc, plain_elf64);
	tcase_add_test(tc, low_memory_is_shared);
	tcase_add_test(tc, bad_files);
	tcase_add_test(tc, mb1_elf32);
	tcase_add_test(tc, mb1_elf64);
	tcase_add_test(tc, mb1_addresses);
	tcase_add_test(tc, mb1_refusals);
	tcase_add_test(tc, mb2_elf);
	tcase_add_test(tc, mb2_addresses_and_refusals);
	tcase_add_test(tc, damaged_kernels);
	tcase_add_test(tc, acpi);
	tcase_add_test(tc, acpi_script);
	tcase_add_test(tc, acpi_refusals);
	tcase_add_test(tc, smbios);
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	rmdir(dir);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
