/* See acpi_tables.h. */
#include "loader/acpi_tables.h"

#include <stdio.h>

#include "loader/aml.h"

#define HEADER        36
#define FADT_SIZE     244
#define FACS_SIZE     64
#define HPET_BLOCK_ID 0x8086a201u /* as the device reports it */
#define CPUS_MAX      255         /* the SSDT numbers processors in a byte */

/* As the preprocessor and iasl made it of firmware/acpi/dsdt.asl, header and all. */
static const u8 dsdt[] = {
#include <dsdt.inc>
};

enum { FADT, SSDT, MADT, HPET, TABLES };

/* The tables as they are built: one buffer, appended with the AML emitter's bytes. */
struct builder {
	const struct acpi_config *c;
	struct acpi_tables *t;
	struct aml out;
	u32 dsdt, facs;
	u32 table[TABLES]; /* offsets of what RSDT and XSDT list; 0: none */
};

void acpi_config_pc(struct acpi_config *c)
{
	*c = (struct acpi_config){
		.rsdp = 0xf5a00,
		.cpus = 1,
		.lapic = 0xfee00000,
		.ioapic = 0xfec00000,
		.hpet = 0xfed00000,
		.sci_irq = 9,
		.level_irqs = 1 << 5 | 1 << 9 | 1 << 10 | 1 << 11,
		.pm1a_evt = 0x600,
		.pm1a_cnt = 0x604,
		.pm_timer = 0x608,
		.gpe0 = 0xafe0,
		.gpe0_len = 4,
		.smi_cmd = 0xb2,
		.acpi_enable = 0xf1,
		.acpi_disable = 0xf0,
		.reset_port = 0xcf9,
		.reset_value = 0x0f,
		.pci_memory_end = 0xfebfffff,
	};
}

static u32 apic_id(const struct acpi_config *c, unsigned cpu) { return c->apic_ids ? c->apic_ids[cpu] : cpu; }

/* ------------------------------------------------------------------------------------------------ tables (5.2.6) */

static u8 checksum(const u8 *p, size_t n)
{
	u8 sum = 0;

	while (n--)
		sum += *p++;
	return (u8)-sum;
}

static u32 here(const struct builder *b) { return (u32)b->out.len; }

/* The number of that size at an offset of the block is an offset that becomes an address. */
static void pointer(struct builder *b, u32 at, u8 size)
{
	struct acpi_tables *t = b->t;

	if (t->pointers == ARRAY_SIZE(t->pointer)) {
		b->out.full = true;
		return;
	}
	t->pointer[t->pointers].at = at;
	t->pointer[t->pointers++].size = size;
}

static void pad(struct builder *b, unsigned align)
{
	while (!b->out.full && b->out.len % align)
		aml_le(&b->out, 0, 1);
}

static void header(struct aml *a, const char *signature, u8 revision)
{
	aml_bytes(a, signature, 4);
	aml_le(a, 0, 4); /* length, by finish() */
	aml_le(a, revision, 1);
	aml_le(a, 0, 1); /* checksum, by finish() */
	aml_bytes(a,
		  "UNDERV"
		  "UVISORPC"
		  "\1\0\0\0",
		  18); /* OEM, OEM table, OEM revision */
	aml_bytes(a,
		  "UVSR"
		  "\1\0\0\0",
		  8); /* creator, its revision */
}

static size_t begin_table(struct builder *b, const char *signature, u8 revision)
{
	pad(b, 16);
	header(&b->out, signature, revision);
	return b->out.len - HEADER;
}

/* A table is complete but for its checksum. */
static void finish(struct builder *b, size_t start)
{
	struct acpi_tables *t = b->t;

	if (b->out.full || t->tables == ARRAY_SIZE(t->table)) {
		b->out.full = true;
		return;
	}
	store_le(b->out.buf + start + 4, 4, b->out.len - start);
	b->out.buf[start + 9] = 0;
	t->table[t->tables].start = (u32)start;
	t->table[t->tables++].size = (u32)(b->out.len - start);
}

/* ------------------------------------------------------------------------------------- DSDT and SSDT (5.2.11) */

/* Name (NAME, a double word) in the DSDT gets another value: 08h, the name, 0Ch, the value (20.2.5.1, 20.2.3). */
static void dsdt_set(u8 *aml, const char *name, u32 val)
{
	for (size_t i = HEADER; i + 10 <= sizeof dsdt; i++)
		if (aml[i] == 0x08 && !memcmp(aml + i + 1, name, 4) && aml[i + 5] == 0x0c)
			store_le(aml + i + 6, 4, val);
}

static void dsdt_copy(struct builder *b)
{
	pad(b, 16);
	b->dsdt = here(b);
	aml_bytes(&b->out, dsdt, sizeof dsdt);
	if (b->out.full)
		return;
	dsdt_set(b->out.buf + b->dsdt, "MEMB", b->c->pci_memory);
	dsdt_set(b->out.buf + b->dsdt, "MEML", b->c->pci_memory_end - b->c->pci_memory + 1);
	finish(b, b->dsdt);
}

/* 8.4: the processors, C000..C0FE. */
static void ssdt(struct builder *b)
{
	const struct acpi_config *c = b->c;
	struct aml *a = &b->out;
	size_t start = begin_table(b, "SSDT", 2);
	char name[8];

	b->table[SSDT] = (u32)start;
	aml_scope(a, "\\_PR_");
	for (unsigned i = 0; i < c->cpus; i++) {
		snprintf(name, sizeof name, "C%03X", i & 0xfff);
		aml_processor(a, name, (u8)i);
		aml_end(a);
	}
	aml_end(a);
	finish(b, start);
}

/* -------------------------------------------------------------------------------------------- FACS, FADT (5.2.9) */

static void facs(struct builder *b)
{
	u8 t[FACS_SIZE] = "FACS";

	pad(b, 64);
	b->facs = here(b);
	store_le(t + 4, 4, FACS_SIZE);
	t[32] = 1; /* version */
	aml_bytes(&b->out, t, sizeof t);
}

/* 5.2.3.2: a generic address in port space; access is 1 byte, 2 word, 3 dword. */
static void port_address(u8 *p, u16 port, unsigned bytes, u8 access)
{
	if (!port)
		return;
	p[0] = 1;
	p[1] = (u8)(bytes * 8);
	p[3] = access;
	store_le(p + 4, 8, port);
}

static void fadt_ports(u8 *t, const struct acpi_config *c)
{
	store_le(t + 56, 4, c->pm1a_evt);
	store_le(t + 64, 4, c->pm1a_cnt);
	store_le(t + 76, 4, c->pm_timer);
	store_le(t + 80, 4, c->gpe0);
	t[88] = 4; /* lengths */
	t[89] = 2;
	t[91] = 4;
	t[92] = c->gpe0 ? c->gpe0_len : 0;
	port_address(t + 116, c->reset_port, 1, 1);
	port_address(t + 148, c->pm1a_evt, 4, 2);
	port_address(t + 172, c->pm1a_cnt, 2, 2);
	port_address(t + 208, c->pm_timer, 4, 3);
	port_address(t + 220, c->gpe0, c->gpe0_len, 1);
}

static void fadt(struct builder *b)
{
	const struct acpi_config *c = b->c;
	u8 t[FADT_SIZE] = {0};
	size_t start;

	store_le(t + 36, 4, b->facs);
	store_le(t + 40, 4, b->dsdt);
	t[45] = 1; /* desktop */
	store_le(t + 46, 2, c->sci_irq);
	store_le(t + 48, 4, c->smi_cmd);
	t[52] = c->smi_cmd ? c->acpi_enable : 0;
	t[53] = c->smi_cmd ? c->acpi_disable : 0;
	store_le(t + 96, 2, 0xfff); /* no C2, no C3 */
	store_le(t + 98, 2, 0xfff);
	t[108] = 0x32; /* century in the RTC */
	t[109] = 3;    /* legacy devices, 8042 */
	/* WBINVD, C1 on all processors, no sleep button, RTC wakes from S4 not by fixed hardware, reset register */
	store_le(t + 112, 4, 1 | 1 << 2 | 1 << 5 | 1 << 7 | (c->reset_port ? 1 << 10 : 0));
	t[128] = c->reset_value;
	store_le(t + 140, 8, b->dsdt); /* X_DSDT; X_FIRMWARE_CTRL stays 0 beside FIRMWARE_CTRL (5.2.9) */
	fadt_ports(t, c);
	start = begin_table(b, "FACP", 4);
	b->table[FADT] = (u32)start;
	aml_bytes(&b->out, t + HEADER, FADT_SIZE - HEADER);
	pointer(b, (u32)start + 36, 4);
	pointer(b, (u32)start + 40, 4);
	pointer(b, (u32)start + 140, 8);
	finish(b, start);
}

/* ------------------------------------------------------------------------------------------------- MADT (5.2.12) */

static void madt_cpu(struct aml *a, unsigned cpu, u32 id)
{
	if (id < 255) { /* 5.2.12.2 */
		aml_bytes(a, "\0\x08", 2);
		aml_le(a, cpu, 1);
		aml_le(a, id, 1);
		aml_le(a, 1, 4); /* enabled */
	} else {                 /* 5.2.12.12 */
		aml_bytes(a, "\x09\x10\0\0", 4);
		aml_le(a, id, 4);
		aml_le(a, 1, 4);
		aml_le(a, cpu, 4);
	}
}

/* 5.2.12.5: flags 0 = as the bus has it, 0Dh = active high, level-triggered. */
static void madt_override(struct aml *a, u8 irq, u32 gsi, u16 flags)
{
	aml_bytes(a, "\x02\x0a\0", 3);
	aml_le(a, irq, 1);
	aml_le(a, gsi, 4);
	aml_le(a, flags, 2);
}

static void madt(struct builder *b)
{
	const struct acpi_config *c = b->c;
	struct aml *a = &b->out;
	size_t start = begin_table(b, "APIC", 3);

	b->table[MADT] = (u32)start;
	aml_le(a, c->lapic, 4);
	aml_le(a, 1, 4); /* there are two 8259As as well */
	for (unsigned i = 0; i < c->cpus; i++)
		madt_cpu(a, i, apic_id(c, i));
	aml_bytes(a, "\x01\x0c", 2); /* 5.2.12.3 */
	aml_le(a, c->ioapic_id, 2);
	aml_le(a, c->ioapic, 4);
	aml_le(a, 0, 4);
	madt_override(a, 0, 2, 0); /* the PIT is on pin 2 */
	for (u8 irq = 3; irq < 16; irq++)
		if (c->level_irqs >> irq & 1)
			madt_override(a, irq, irq, 0x0d);
	aml_bytes(a, "\x04\x06\xff\0\0\x01", 6); /* 5.2.12.7: NMI on LINT1 of all CPUs */
	finish(b, start);
}

/* ------------------------------------------------------------------------------------------------ HPET and roots */

/* IA-PC HPET specification 3.2.4 */
static void hpet(struct builder *b)
{
	struct aml *a = &b->out;
	size_t start;

	if (!b->c->hpet)
		return;
	start = begin_table(b, "HPET", 1);
	b->table[HPET] = (u32)start;
	aml_le(a, HPET_BLOCK_ID, 4);
	aml_le(a, 0, 4); /* memory space */
	aml_le(a, b->c->hpet, 8);
	aml_le(a, 0, 1);   /* number */
	aml_le(a, 100, 2); /* minimum tick in periodic mode */
	aml_le(a, 0, 1);
	finish(b, start);
}

/* 5.2.7, 5.2.8: RSDT has 4-byte entries, XSDT 8-byte ones. */
static u32 root(struct builder *b, const char *signature, unsigned entry)
{
	size_t start = begin_table(b, signature, 1);

	for (unsigned i = 0; i < TABLES; i++)
		if (b->table[i]) {
			pointer(b, here(b), (u8)entry);
			aml_le(&b->out, b->table[i], entry);
		}
	finish(b, start);
	return (u32)start;
}

/* 5.2.5.3 */
static void rsdp(u8 *p, u32 rsdt, u32 xsdt)
{
	memset(p, 0, ACPI_RSDP_SIZE);
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "UNDERV", 6);
	p[15] = 2;
	store_le(p + ACPI_RSDP_RSDT, 4, rsdt);
	store_le(p + 20, 4, ACPI_RSDP_SIZE);
	store_le(p + ACPI_RSDP_XSDT, 8, xsdt);
}

bool acpi_tables_build(struct acpi_tables *t, const struct acpi_config *c, struct error *err)
{
	struct builder b = {.c = c, .t = t};
	u32 rsdt, xsdt;

	if (c->cpus < 1 || c->cpus > CPUS_MAX)
		return error_set(err, "ACPI tables: %u CPUs, expected 1 to %u", c->cpus, CPUS_MAX);
	t->pointers = t->tables = 0;
	aml_init(&b.out, t->block, sizeof t->block);
	facs(&b);
	dsdt_copy(&b);
	ssdt(&b);
	fadt(&b);
	madt(&b);
	hpet(&b);
	rsdt = root(&b, "RSDT", 4);
	xsdt = root(&b, "XSDT", 8);
	if (b.out.full)
		return error_set(err, "ACPI tables: more than 0x%x bytes", ACPI_TABLES_SIZE);
	t->size = (u32)b.out.len;
	rsdp(t->rsdp, rsdt, xsdt);
	return true;
}

/* ------------------------------------------------------------------------------------------- without firmware */

static void add(u8 *p, unsigned size, u32 base) { store_le(p, size, load_le(p, size) + base); }

static void place(struct acpi_tables *t, u32 base)
{
	for (unsigned i = 0; i < t->pointers; i++)
		add(t->block + t->pointer[i].at, t->pointer[i].size, base);
	for (unsigned i = 0; i < t->tables; i++)
		t->block[t->table[i].start + 9] = checksum(t->block + t->table[i].start, t->table[i].size);
	add(t->rsdp + ACPI_RSDP_RSDT, 4, base);
	add(t->rsdp + ACPI_RSDP_XSDT, 8, base);
	t->rsdp[ACPI_RSDP_SUM] = checksum(t->rsdp, 20);
	t->rsdp[ACPI_RSDP_SUM_LONG] = checksum(t->rsdp, ACPI_RSDP_SIZE);
}

static bool poke_bytes(struct space *mem, u32 pa, const u8 *p, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!space_poke(mem, pa + i, 1, p[i]))
			return error_set(err, "ACPI tables: expected RAM or ROM at 0x%x", (unsigned)(pa + i));
	return true;
}

static bool check(const struct acpi_config *c, struct error *err)
{
	if (c->rsdp < 0xe0000 || c->rsdp > 0xfffd0 || c->rsdp % 16)
		return error_set(err, "ACPI tables: RSDP at 0x%x, expected a multiple of 16 in 0xe0000-0xfffd0",
				 c->rsdp);
	if (c->tables % 64 || c->tables > 0xffffffff - ACPI_TABLES_SIZE)
		return error_set(err, "ACPI tables at 0x%x, expected a multiple of 64 below 4 GB", c->tables);
	return true;
}

bool acpi_tables_write(struct space *mem, const struct acpi_config *c, struct error *err)
{
	struct acpi_tables t;

	if (!check(c, err) || !acpi_tables_build(&t, c, err))
		return false;
	place(&t, c->tables);
	return poke_bytes(mem, c->tables, t.block, t.size, err) &&
	       poke_bytes(mem, c->rsdp, t.rsdp, ACPI_RSDP_SIZE, err);
}

/* -------------------------------------------- for firmware (QEMU's table loader: docs/specs,
 * hw/acpi/bios-linker-loader) */

#define COMMAND   128u
#define FILE_NAME 56u
static const char block_file[] = "etc/acpi/tables", rsdp_file[] = "etc/acpi/rsdp";
enum { ALLOCATE = 1, ADD_POINTER, ADD_CHECKSUM };
enum { ZONE_HIGH = 1, ZONE_F_SEGMENT };

static u8 *command(u8 **at, u32 what, const char *file)
{
	u8 *p = *at;

	memset(p, 0, COMMAND);
	store_le(p, 4, what);
	strcpy((char *)p + 4, file);
	*at += COMMAND;
	return p + 4 + FILE_NAME;
}

static void allocate(u8 **at, const char *file, u32 align, u8 zone)
{
	u8 *p = command(at, ALLOCATE, file);

	store_le(p, 4, align);
	p[4] = zone;
}

static void add_pointer(u8 **at, const char *file, u32 off, u8 size)
{
	u8 *p = command(at, ADD_POINTER, file);

	strcpy((char *)p, block_file);
	store_le(p + FILE_NAME, 4, off);
	p[FILE_NAME + 4] = size;
}

static void add_checksum(u8 **at, const char *file, u32 off, u32 start, u32 size)
{
	u8 *p = command(at, ADD_CHECKSUM, file);

	store_le(p, 4, off);
	store_le(p + 4, 4, start);
	store_le(p + 8, 4, size);
}

_Static_assert(sizeof((struct acpi_tables *)0)->pointer / sizeof((struct acpi_tables *)0)->pointer[0] +
			       sizeof((struct acpi_tables *)0)->table / sizeof((struct acpi_tables *)0)->table[0] + 6 <=
		       ACPI_SCRIPT_SIZE / 128,
	       "all commands fit");

u32 acpi_tables_script(const struct acpi_tables *t, u8 *script)
{
	u8 *at = script;

	allocate(&at, rsdp_file, 16, ZONE_F_SEGMENT);
	allocate(&at, block_file, 64, ZONE_HIGH);
	for (unsigned i = 0; i < t->pointers; i++)
		add_pointer(&at, block_file, t->pointer[i].at, t->pointer[i].size);
	for (unsigned i = 0; i < t->tables; i++)
		add_checksum(&at, block_file, t->table[i].start + 9, t->table[i].start, t->table[i].size);
	add_pointer(&at, rsdp_file, ACPI_RSDP_RSDT, 4);
	add_pointer(&at, rsdp_file, ACPI_RSDP_XSDT, 8);
	add_checksum(&at, rsdp_file, ACPI_RSDP_SUM, 0, 20);
	add_checksum(&at, rsdp_file, ACPI_RSDP_SUM_LONG, 0, ACPI_RSDP_SIZE);
	return (u32)(at - script);
}
