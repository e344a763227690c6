/* See acpi_tables.h. */
#include "loader/acpi_tables.h"

#include <stdio.h>

#include "loader/aml.h"

#define HEADER         36
#define FADT_SIZE      244
#define FACS_SIZE      64
#define RSDP_SIZE      36
#define HPET_BLOCK_ID  0x8086a201u /* as the device reports it */
#define CPUS_MAX       255         /* the DSDT numbers processors in a byte */
#define PCI_SLOTS      32
#define PM_DEVICE_SLOT 1

enum { FADT, MADT, HPET, TABLES };

/* The tables as they are built: one buffer, appended with the AML emitter's bytes. */
struct builder {
	const struct acpi_config *c;
	struct aml out;
	u32 dsdt, facs;
	u32 table[TABLES]; /* addresses of what RSDT and XSDT list; 0: none */
	u8 buf[ACPI_TABLES_SIZE];
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
		.s3 = true,
		.s3_type = 1,
		.s5_type = 0,
		.pci_memory_end = 0xfebfffff,
		.pci_irq = {10, 10, 11, 11},
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

/* Where the buffer's next byte will be in guest memory. */
static u32 here(const struct builder *b) { return b->c->tables + (u32)b->out.len; }

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

static void finish(struct aml *a, size_t start)
{
	if (a->full)
		return;
	store_le(a->buf + start + 4, 4, a->len - start);
	a->buf[start + 9] = checksum(a->buf + start, a->len - start);
}

static size_t begin_table(struct builder *b, const char *signature, u8 revision)
{
	pad(b, 16);
	header(&b->out, signature, revision);
	return b->out.len - HEADER;
}

/* ------------------------------------------------------------------------------------------------- DSDT (5.2.11) */

/* 7.4.2: the sleep types of PM1a_CNT and PM1b_CNT. */
static void dsdt_sleep(struct aml *a, const char *name, u8 type)
{
	aml_name(a, name);
	aml_package(a, 4);
	aml_int(a, type);
	for (unsigned i = 0; i < 3; i++)
		aml_int(a, i == 0 ? type : 0);
	aml_end(a);
}

/* 8.4: names C000..C0FE. */
static void dsdt_processors(struct aml *a, unsigned cpus)
{
	char name[8];

	aml_scope(a, "\\_PR_");
	for (unsigned i = 0; i < cpus; i++) {
		snprintf(name, sizeof name, "C%03X", i & 0xfff);
		aml_processor(a, name, (u8)i);
		aml_end(a);
	}
	aml_end(a);
}

/* 6.2.13: pin p of slot s reaches PIRQ (s + p - 1) mod 4; the power management function has the SCI. */
static void dsdt_routing(struct aml *a, const struct acpi_config *c)
{
	aml_name(a, "_PRT");
	aml_package(a, PCI_SLOTS * 4);
	for (unsigned i = 0; i < PCI_SLOTS * 4; i++) {
		unsigned slot = i / 4, pin = i % 4;
		bool sci = slot == PM_DEVICE_SLOT && pin == 0;

		aml_package(a, 4);
		aml_int(a, slot << 16 | 0xffff);
		aml_int(a, pin);
		aml_int(a, 0);
		aml_int(a, sci ? c->sci_irq : c->pci_irq[(slot + pin + 3) % 4]);
		aml_end(a);
	}
	aml_end(a);
}

/* A device of the ISA bus; the caller adds resources and ends it with crs_end and end. */
static void dsdt_isa(struct aml *a, const char *name, const char *id, u16 port, u8 ports, unsigned irq)
{
	aml_device(a, name);
	aml_name_eisa(a, "_HID", id);
	aml_crs(a);
	aml_res_io(a, port, ports);
	if (!strcmp(id, "PNP0303"))
		aml_res_io(a, 0x64, 1);
	aml_res_irq(a, irq);
	aml_crs_end(a);
	aml_end(a);
}

static void dsdt_mouse(struct aml *a)
{
	aml_device(a, "MOU_");
	aml_name_eisa(a, "_HID", "PNP0F13");
	aml_crs(a);
	aml_res_irq(a, 12);
	aml_crs_end(a);
	aml_end(a);
}

static void dsdt_bus(struct aml *a, const struct acpi_config *c)
{
	aml_device(a, "PCI0");
	aml_name_eisa(a, "_HID", "PNP0A03");
	aml_name_int(a, "_UID", 0);
	aml_crs(a);
	aml_res_bus(a, 0, 255);
	aml_res_io(a, 0xcf8, 8);
	aml_res_ports(a, 0, 0xcf7);
	aml_res_ports(a, 0xd00, 0xffff);
	aml_res_memory(a, 0xa0000, 0xbffff);
	aml_res_memory(a, c->pci_memory, c->pci_memory_end);
	aml_crs_end(a);
	dsdt_routing(a, c);
	aml_device(a, "ISA_");
	aml_name_int(a, "_ADR", 0x10000);
	dsdt_isa(a, "RTC_", "PNP0B00", 0x70, 2, 8);
	dsdt_isa(a, "KBD_", "PNP0303", 0x60, 1, 1);
	dsdt_mouse(a);
	dsdt_isa(a, "COM1", "PNP0501", 0x3f8, 8, 4);
	aml_end(a);
	aml_end(a);
}

static void dsdt_hpet(struct aml *a, u32 base)
{
	aml_device(a, "HPET");
	aml_name_eisa(a, "_HID", "PNP0103");
	aml_name_int(a, "_UID", 0);
	aml_crs(a);
	aml_res_mem32(a, base, 0x400);
	aml_crs_end(a);
	aml_end(a);
}

static void dsdt(struct aml *a, const struct acpi_config *c)
{
	size_t start = a->len;

	header(a, "DSDT", 2);
	dsdt_sleep(a, "\\_S5_", c->s5_type);
	if (c->s3)
		dsdt_sleep(a, "\\_S3_", c->s3_type);
	dsdt_processors(a, c->cpus);
	aml_scope(a, "\\_SB_");
	if (c->pci_memory_end)
		dsdt_bus(a, c);
	if (c->hpet)
		dsdt_hpet(a, c->hpet);
	aml_end(a);
	finish(a, start);
}

size_t acpi_dsdt(const struct acpi_config *c, u8 *buf, size_t size)
{
	struct aml a;

	if (size < HEADER)
		return 0;
	aml_init(&a, buf, size);
	dsdt(&a, c);
	return a.full ? 0 : a.len;
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
	b->table[FADT] = b->c->tables + (u32)start;
	aml_bytes(&b->out, t + HEADER, FADT_SIZE - HEADER);
	finish(&b->out, start);
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

	b->table[MADT] = b->c->tables + (u32)start;
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
	finish(a, start);
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
	b->table[HPET] = b->c->tables + (u32)start;
	aml_le(a, HPET_BLOCK_ID, 4);
	aml_le(a, 0, 4); /* memory space */
	aml_le(a, b->c->hpet, 8);
	aml_le(a, 0, 1);   /* number */
	aml_le(a, 100, 2); /* minimum tick in periodic mode */
	aml_le(a, 0, 1);
	finish(a, start);
}

/* 5.2.7, 5.2.8: RSDT has 4-byte entries, XSDT 8-byte ones. */
static u32 root(struct builder *b, const char *signature, unsigned entry)
{
	size_t start = begin_table(b, signature, 1);

	for (unsigned i = 0; i < TABLES; i++)
		if (b->table[i])
			aml_le(&b->out, b->table[i], entry);
	finish(&b->out, start);
	return b->c->tables + (u32)start;
}

/* 5.2.5.3 */
static void rsdp(u8 *p, u32 rsdt, u32 xsdt)
{
	memset(p, 0, RSDP_SIZE);
	memcpy(p, "RSD PTR ", 8);
	memcpy(p + 9, "UNDERV", 6);
	p[15] = 2;
	store_le(p + 16, 4, rsdt);
	store_le(p + 20, 4, RSDP_SIZE);
	store_le(p + 24, 8, xsdt);
	p[8] = checksum(p, 20);
	p[32] = checksum(p, RSDP_SIZE);
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
	if (c->cpus < 1 || c->cpus > CPUS_MAX)
		return error_set(err, "ACPI tables: %u CPUs, expected 1 to %u", c->cpus, CPUS_MAX);
	if (c->rsdp < 0xe0000 || c->rsdp > 0xfffd0 || c->rsdp % 16)
		return error_set(err, "ACPI tables: RSDP at 0x%x, expected a multiple of 16 in 0xe0000-0xfffd0",
				 c->rsdp);
	if (c->tables % 64 || c->tables > 0xffffffff - ACPI_TABLES_SIZE)
		return error_set(err, "ACPI tables at 0x%x, expected a multiple of 64 below 4 GB", c->tables);
	return true;
}

bool acpi_tables_write(struct space *mem, const struct acpi_config *c, struct error *err)
{
	struct builder b = {.c = c};
	u8 root_pointer[RSDP_SIZE];
	u32 rsdt, xsdt;

	if (!check(c, err))
		return false;
	aml_init(&b.out, b.buf, sizeof b.buf);
	facs(&b);
	pad(&b, 16);
	b.dsdt = here(&b);
	dsdt(&b.out, c);
	fadt(&b);
	madt(&b);
	hpet(&b);
	rsdt = root(&b, "RSDT", 4);
	xsdt = root(&b, "XSDT", 8);
	if (b.out.full)
		return error_set(err, "ACPI tables: more than 0x%x bytes", ACPI_TABLES_SIZE);
	rsdp(root_pointer, rsdt, xsdt);
	return poke_bytes(mem, c->tables, b.buf, b.out.len, err) &&
	       poke_bytes(mem, c->rsdp, root_pointer, RSDP_SIZE, err);
}
