/*
 * The PC's PCI bus: which functions are where (as on QEMU's pc), how the four interrupt links reach the ISA lines, who
 * answers in A0000h-FFFFFh (PAM, SMRAM), and where the power management function puts its ports. Slots: 0 host bridge,
 * 1 PIIX (0 ISA, 1 IDE, 3 power management), 2 VGA, others from 3 on.
 */
#include "machine/pc.h"

/* ---- A0000h-FFFFFh ---- */

static u64 nobody_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off;
	return mask_low(size * 8);
}
static u64 nobody_read(void *dev, u64 off, unsigned size) { return nobody_peek(dev, off, size); }
static void nobody_write(void *dev, u64 off, unsigned size, u64 val) { (void)dev, (void)off, (void)size, (void)val; }
static const struct region_ops nobody_ops = {"nobody", nobody_read, nobody_write, nobody_peek, 1, 8};

bool pc_map_window(struct pc *pc, struct error *err)
{
	return space_add_device(&pc->mem, PC_WINDOW, PC_WINDOW_SIZE, &nobody_ops, pc) ||
	       error_set(err, "memory: no room for the VGA window");
}

bool pc_map_shadows(struct pc *pc, struct error *err)
{
	struct region *rom = space_add_ram(&pc->mem, "isa-rom", PC_ROM, PC_ROM_SIZE, true, err);

	if (!rom)
		return false;
	pc->isa_rom = rom;
	pc->bios[0] = rom->host + (PC_BIOS - PC_ROM);
	pc->smram = space_add_alias(&pc->mem, "smram", PC_WINDOW, PC_WINDOW_SIZE);
	for (unsigned i = 0; i < I440FX_SEGMENTS; i++)
		pc->pam[i] = space_add_alias(&pc->mem, "shadow", i440fx_segment[i].base, i440fx_segment[i].size);
	return pc->pam[I440FX_SEGMENTS - 1] || error_set(err, "memory: no room for shadow RAM");
}

/* What is not RAM is the ROM below it in the map. */
static void pam(void *arg, unsigned segment, unsigned rights)
{
	struct pc *pc = arg;
	const struct region *read = rights & PAM_READ ? pc->ram : pc->isa_rom;

	if (!rights)
		read = NULL;
	region_view(&pc->mem, pc->pam[segment], read, rights & PAM_WRITE ? pc->ram : NULL);
}

/* The window is the bus's, or SMRAM: of the CPU that runs. */
void pc_smram_follow(struct pc *pc)
{
	bool open = i440fx_smram_open(&pc->host, pc_current(pc)->smm);

	if (open == !pc->smram->off)
		return;
	region_view(&pc->mem, pc->smram, open ? pc->ram : NULL, pc->ram);
}

static void smram(void *arg) { pc_smram_follow(arg); }

/* ---- power management ---- */

static void pm_place(void *arg)
{
	struct pc *pc = arg;
	const u16 base[2] = {piix4_pm_base(&pc->piix4), piix4_smbus_base(&pc->piix4)};
	struct region *r[2] = {pc->pm_ports, pc->smbus_ports};

	for (unsigned i = 0; i < 2; i++) {
		if (base[i])
			region_move(&pc->io, r[i], base[i]);
		region_enable(&pc->io, r[i], base[i] != 0);
	}
}

static bool map_pm(struct pc *pc, struct error *err)
{
	pc->pm_ports =
		region_under(&pc->io, space_add_device(&pc->io, PC_ACPI_PM, ACPI_PM_PORTS, &acpi_pm_ops, &pc->pm));
	pc->smbus_ports = region_under(
		&pc->io, space_add_device(&pc->io, 0xb100, PIIX4_SMBUS_PORTS, &piix4_smbus_ops, &pc->piix4));
	return (pc->pm_ports && pc->smbus_ports) || error_set(err, "ports: no room for power management");
}

/* The SMI command port: SCI_EN is done (acpi_pm.h), all other commands are firmware's. */
static void smi_command(void *arg, u8 cmd)
{
	struct pc *pc = arg;

	if (cmd != ACPI_ENABLE && cmd != ACPI_DISABLE && piix4_pm_smi_enabled(&pc->piix4))
		pc_smi(pc);
}

/* ---- the bus ---- */

static void intx(void *arg) { piix3_route(&((struct pc *)arg)->piix3); }
static void message(void *arg, u64 addr, u32 data) { apic_bus_msi(&((struct pc *)arg)->bus, addr, data); }

static void reset_control(void *arg, bool hard)
{
	struct pc *pc = arg;

	if (hard)
		machine_stop(&pc->machine, STOP_RESET);
	else
		pc_init_cpus(pc);
}

static void init_functions(struct pc *pc)
{
	i440fx_init(&pc->host, pc->ram_low);
	pc->host.pam = pam;
	pc->host.smram = smram;
	pc->host.arg = pc;
	piix3_init(&pc->piix3);
	pc->piix3.reset = reset_control;
	pc->piix3.arg = pc;
	for (unsigned i = 0; i < PC_IDE_DRIVES; i++)
		if (pc->cfg.ide[i].kind)
			ata_attach(&pc->ide.channel[i / 2], i % 2, pc->cfg.ide[i].kind, pc->cfg.ide[i].disk, i);
	piix4_pm_init(&pc->piix4);
	pc->piix4.place = pm_place;
	pc->piix4.arg = pc;
	pc->pm.smi = smi_command; /* its arg is the board's */
}

bool pc_pci_init(struct pc *pc, struct error *err)
{
	struct pci_bus *b = &pc->pci;

	pci_bus_init(b, &pc->mem, &pc->io);
	b->intx = intx;
	b->message = message;
	b->arg = pc;
	pci_ports_init(&pc->pci_ports, b);
	init_functions(pc);
	return map_pm(pc, err) && (!pc->cfg.vga || vga_add(&pc->vga, b, PCI_DEVFN(2, 0), err)) &&
	       pci_add(b, &pc->host.pci, PCI_DEVFN(0, 0), err) && pci_add(b, &pc->piix3.pci, PCI_DEVFN(1, 0), err) &&
	       pci_add(b, &pc->ide.pci, PCI_DEVFN(1, 1), err) && pci_add(b, &pc->piix4.pci, PCI_DEVFN(1, 3), err) &&
	       pc_virtio_init(pc, err);
}

void pc_pci_reset(struct pc *pc)
{
	pci_ports_reset(&pc->pci_ports);
	i440fx_reset(&pc->host);
	piix3_reset(&pc->piix3);
	piix_ide_reset(&pc->ide);
	piix4_pm_reset(&pc->piix4);
	pc_virtio_reset(pc);
}
