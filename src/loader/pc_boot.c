/* See pc_boot.h. */
#include "loader/pc_boot.h"

#include "loader/multiboot.h"
#include "loader/pc_acpi.h"
#include "loader/pc_bios.h"
#include "loader/pci_setup.h"

/* ---- what a BIOS leaves behind ---- */

/* Level-triggered: the SCI, and what the PCI links drive. */
enum { SMBIOS_AT = 0xf6000 };
enum { SCI_IRQ = 9, LEVEL_IRQS = 1 << SCI_IRQ | 1 << 10 | 1 << 11 };

static void out(struct pc *pc, u16 port, u8 val) { space_write(&pc->io, port, 1, val); }

/* 8254 counter 0 ticks 18.2 times a second. Both 8259A: vectors 08h and 70h; open are what SeaBIOS leaves open, the
 * timer among them. ELCR as the ACPI tables say. A20 by port 92h. */
static void program_devices(struct pc *pc)
{
	static const struct {
		u16 port;
		u8 val;
	} writes[] = {
		{0x43, 0x34},
		{0x40, 0},
		{0x40, 0},
		{0x20, 0x11},
		{0x21, 0x08},
		{0x21, 0x04},
		{0x21, 0x01},
		{0x21, 0xb8},
		{0xa0, 0x11},
		{0xa1, 0x70},
		{0xa1, 0x02},
		{0xa1, 0x01},
		{0xa1, 0x8e},
		{0x4d0, LEVEL_IRQS & 0xff},
		{0x4d1, LEVEL_IRQS >> 8},
		{0x92, 0x02},
	};

	for (size_t i = 0; i < ARRAY_SIZE(writes); i++)
		out(pc, writes[i].port, writes[i].val);
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		lapic_virtual_wire(&pc->cpu[i].lapic);
}

static void config(struct pc *pc, u8 devfn, unsigned off, unsigned size, u32 val)
{
	pci_config_write(pci_at(&pc->pci, devfn), off, size, val);
}

/* Links A-D go to interrupts 10, 10, 11, 11; the ACPI registers are at PC_ACPI_PM; C0000h-EFFFFh is RAM. */
static bool program_chipset(struct pc *pc, struct error *err)
{
	static const struct pci_windows windows = {
		.memory = 0xe0000000, .memory_end = 0xfec00000, .io = 0xc000, .io_end = 0x10000, .link_irq = {10, 10, 11, 11}};

	config(pc, PCI_DEVFN(1, 0), 0x60, 4, 0x0b0b0a0a);
	config(pc, PCI_DEVFN(1, 3), PCI_INTERRUPT_LINE, 1, SCI_IRQ);
	config(pc, PCI_DEVFN(1, 3), 0x40, 4, PC_ACPI_PM | 1);
	config(pc, PCI_DEVFN(1, 3), 0x80, 1, 1);
	config(pc, PCI_DEVFN(0, 0), 0x5a, 4, 0x33333333);
	config(pc, PCI_DEVFN(0, 0), 0x5e, 2, 0x3333);
	return pci_setup(&pc->pci, &windows, err);
}

/* Write-back memory but for the VGA window and the hole below 4 GB. APM2 7.7 */
static void memory_types(struct pc *pc, struct x86_cpu *c)
{
	struct x86_msrs *m = &c->msr;
	u64 hole = pc->ram_low > 0xc0000000 ? 0xe0000000 : 0xc0000000;

	m->mtrr_fix[0] = m->mtrr_fix[1] = 0x0606060606060606;
	m->mtrr_fix[2] = 0;
	for (unsigned i = 3; i < ARRAY_SIZE(m->mtrr_fix); i++)
		m->mtrr_fix[i] = 0x0505050505050505;
	m->mtrr_base[0] = hole;
	m->mtrr_mask[0] = (mask_low(c->model->pa_bits) & ~(BIT(32) - hole - 1)) | BIT(11);
	m->mtrr_def = 0xc06;
}

static bool acpi(struct pc_boot *b, struct pc *pc, struct error *err)
{
	struct acpi_config c;

	pc_acpi_config(pc, &c);
	b->opt.rsdp = c.rsdp;
	return acpi_tables_write(&pc->mem, &c, err);
}

/* Between the RSDP and the routines of pc_bios.c */
static bool smbios(struct pc *pc, struct error *err)
{
	struct smbios_config c;

	pc_smbios_config(pc, &c);
	c.own_bios = true;
	return smbios_write(&pc->mem, &c, SMBIOS_AT, err);
}

/* ---- CPU 0 at the kernel's entry ---- */

enum { ATTR_CODE32 = 0xc9b, ATTR_CODE64 = 0xa9b, ATTR_DATA = 0xc93 };

static void start_cpu(struct x86_cpu *c, const struct boot_state *st)
{
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		c->seg[i] = (struct x86_seg){.sel = st->ds, .attr = ATTR_DATA, .limit = 0xffffffff};
	c->seg[SEG_CS].sel = st->cs;
	c->seg[SEG_CS].attr = st->long_mode ? ATTR_CODE64 : ATTR_CODE32;
	c->gdt = (struct x86_dt){.base = st->gdt, .limit = st->gdt_limit};
	memset(c->r, 0, sizeof c->r);
	c->r[R_AX] = st->eax;
	c->r[R_BX] = st->ebx;
	c->r[R_SI] = st->esi;
	c->r[R_SP] = st->sp;
	c->rip = st->ip;
	c->cr0 = CR0_PE | CR0_ET;
	if (st->long_mode) {
		c->cr0 |= CR0_PG | CR0_WP;
		c->cr3 = st->cr3;
		c->cr4 = CR4_PAE;
		c->efer = EFER_LME | EFER_LMA;
	}
	c->activity = ACT_RUN;
	x86_state_changed(c);
}

/* ---- all ---- */

static bool e820_file(struct pc_boot *b, struct pc *pc, struct error *err)
{
	for (unsigned i = 0; i < b->map.count; i++) {
		u8 *e = b->e820 + i * E820_ENTRY;

		store_le(e, 8, b->map.range[i].base);
		store_le(e + 8, 8, b->map.range[i].size);
		store_le(e + 16, 4, b->map.range[i].type);
	}
	return fw_cfg_add_file(&pc->fw_cfg, "etc/e820", b->e820, b->map.count * E820_ENTRY, err);
}

/* What firmware keeps at the top of low RAM, at most: an initrd goes below it. */
#define FIRMWARE_RESERVED (256u << 10)

static bool firmware_boot(struct pc_boot *b, struct pc *pc, const struct firmware_options *fo, struct error *err)
{
	const char *first = NULL;

	if (b->opt.kernel) {
		mem_map_pc(&b->map, pc->ram_low, pc->ram_high, FIRMWARE_RESERVED);
		if (!kernel_rom_init(&b->rom, pc, &b->opt, err))
			return false;
		first = "/rom@" KERNEL_ROM_FILE;
	}
	return firmware_describe(b->fw, pc, fo, first, err);
}

void pc_boot_free(struct pc_boot *b) { kernel_rom_free(&b->rom); }

bool pc_boot_init(struct pc_boot *b, struct pc *pc, struct firmware *fw, const struct firmware_options *fo,
		  const char *kernel, const char *append, const char *initrd, struct error *err)
{
	memset(b, 0, sizeof *b);
	mem_map_pc(&b->map, pc->ram_low, pc->ram_high, ACPI_TABLES_SIZE);
	b->opt = (struct boot_options){.kernel = kernel,
				       .append = append,
				       .initrd = initrd,
				       .map = &b->map,
				       .long_mode = x86_has(&pc->cfg.model, X86_F_LM),
				       .vga = pc->cfg.vga};
	b->fw = fw;
	if (fw->data)
		return firmware_boot(b, pc, fo, err);
	return e820_file(b, pc, err);
}

bool pc_boot_load(struct pc_boot *b, struct pc *pc, struct error *err)
{
	struct boot_state st;

	if (b->fw->data) {
		firmware_install(b->fw, pc);
		return true;
	}
	if (pc_bios_resumes(pc))
		return true;
	program_devices(pc);
	if (!program_chipset(pc, err))
		return false;
	pc_bios_install(pc);
	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		memory_types(pc, &pc->cpu[i].x86);
	if (!acpi(b, pc, err) || !smbios(pc, err) || !kernel_load(&pc->mem, &b->opt, &st, err))
		return false;
	start_cpu(&pc->cpu[0].x86, &st);
	return true;
}
