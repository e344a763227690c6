/*
 * The PC board as a memory map and a port map, in address order, and its life: power-on, reset, power-off. Addresses
 * are QEMU's (machine "pc"), so that what runs there runs here. Interrupts: pc_irq.c; PCI: pc_pci.c.
 */
#include "machine/pc.h"

#include "devices/report.h"

/* Timer ids decide ties: the order in which timers of one instant fire. */
enum { ID_PIT = 1, ID_RTC, ID_HPET, ID_PM = ID_HPET + HPET_TIMERS, ID_KBD, ID_UART, ID_LAPIC = ID_UART + PC_UARTS, ID_IDE = ID_LAPIC + PC_CPUS };

enum { ACPI_TIMER_BITS = 24 }; /* as the FADT says: flag TMR_VAL_EXT is not set */

/* ---- reset and power ---- */

/* 8042 and port 92h pull INIT# of all CPUs: memory and devices stay, and CPU 0 runs the ROM's reset vector. */
static void init_line(void *arg, unsigned n, bool level)
{
	(void)n;
	if (level)
		pc_init_cpus(arg);
}

static void debug_exit(void *arg, u32 status)
{
	struct pc *pc = arg;

	pc->machine.status = status;
	machine_stop(&pc->machine, STOP_DEBUG_EXIT);
}

static void acpi_sleep(void *arg, unsigned type)
{
	struct pc *pc = arg;

	if (type == ACPI_SLP_S5)
		machine_stop(&pc->machine, STOP_POWER_OFF);
	else
		device_unimplemented("acpi: sleep type %u (only S5 is in the DSDT)", type);
}

/* All CPUs see one map of memory, so one CPU with VM_CR.DIS_A20M opens the gate for all. APM2 15.30.1 */
void pc_a20_changed(void *arg)
{
	struct pc *pc = arg;
	bool open = pc->s.a20;

	for (unsigned i = 0; i < pc->cfg.cpus; i++)
		open |= (pc->cpu[i].x86.svm.vm_cr & VM_CR_DIS_A20M) != 0;
	space_set_a20(&pc->mem, open);
}

/* The last change of either gate counts, as on QEMU's board. */
static void a20_line(void *arg, unsigned n, bool level)
{
	struct pc *pc = arg;

	(void)n;
	pc->s.a20 = level;
	pc_a20_changed(pc);
}

/* F0h: the write that ends a coprocessor's interrupt request (IRQ 13). */
static u64 ferr_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off;
	return mask_low(size * 8);
}
static u64 ferr_read(void *dev, u64 off, unsigned size) { return ferr_peek(dev, off, size); }
static void ferr_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)off, (void)size, (void)val;
	pc_ignore_ferr(dev);
}
static const struct region_ops ferr_ops = {"coprocessor", ferr_read, ferr_write, ferr_peek, 1, 1};

/* ---- the map ---- */

struct pc_place {
	u64 base, size;
	const struct region_ops *ops;
	size_t dev;
};
#define AT(member) offsetof(struct pc, member)

static const struct pc_place ports[] = {
	{0x0020, 2, &i8259_master_ops, AT(pic)},
	{0x0040, 4, &i8254_ops, AT(pit)},
	{0x0060, 1, &i8042_data_ops, AT(kbd)},
	{0x0061, 1, &i8254_port61_ops, AT(pit)},
	{0x0064, 1, &i8042_command_ops, AT(kbd)},
	{0x0070, 4, &rtc_ops, AT(rtc)},
	{0x0080, 1, &debug_port_post_ops, AT(debug_port)},
	{0x0092, 1, &port92_ops, AT(port92)},
	{0x00a0, 2, &i8259_slave_ops, AT(pic)},
	{0x00b2, 2, &acpi_pm_smi_ops, AT(pm)},
	{0x00e9, 1, &debug_port_out_ops, AT(debug_port)},
	{0x00f0, 2, &ferr_ops, 0},
	{0x04d0, 2, &i8259_elcr_ops, AT(pic)},
	{0x0510, 2, &fw_cfg_ops, AT(fw_cfg)},
	{0x0514, 8, &fw_cfg_dma_ops, AT(fw_cfg)},
	{PC_ACPI_GPE, ACPI_GPE_PORTS, &acpi_pm_gpe_ops, AT(pm)},
	{0x0cf8, 4, &pci_address_ops, AT(pci_ports)},
	{0x0cfc, 4, &pci_data_ops, AT(pci_ports)},
	{0x0cf9, 1, &piix3_reset_ops, AT(piix3)}, /* byte accesses; a dword at CF8h is the address port's */
};

static const struct pc_place serial_ports[PC_UARTS] = {
	{0x3f8, UART16550_PORTS, &uart16550_ops, AT(uart[0])},
	{0x2f8, UART16550_PORTS, &uart16550_ops, AT(uart[1])},
	{0x3e8, UART16550_PORTS, &uart16550_ops, AT(uart[2])},
	{0x2e8, UART16550_PORTS, &uart16550_ops, AT(uart[3])},
};

static const struct pc_place vga_ports[] = {
	{VGA_DISPI_PORT, VGA_DISPI_PORTS, &vga_dispi_ops, AT(vga)},
	{VGA_PORT, VGA_PORTS, &vga_ops, AT(vga)},
};

static const struct pc_place disk_ports[] = {
	{0x170, 8, &ata_command_ops, AT(ide.channel[1])},
	{0x1f0, 8, &ata_command_ops, AT(ide.channel[0])},
	{0x376, 1, &ata_control_ops, AT(ide.channel[1])},
	{0x3f0, FDC_PORTS, &fdc_ops, AT(fdc)},
	{0x3f6, 1, &ata_control_ops, AT(ide.channel[0])},
	{0x3f7, 1, &fdc_dir_ops, AT(fdc)},
};

static const struct pc_place testdev_ports[] = {
	{0x00e0, 4, &pc_testdev_latch_ops, AT(testdev)},
	{0x00e4, 4, &pc_testdev_flush_ops, AT(testdev)},
	{0x00e8, 4, &pc_testdev_latch_ops, AT(testdev)}, /* E9h goes to the debug port */
	{0x2000, PC_TESTDEV_LINES, &pc_testdev_line_ops, AT(testdev)},
};

static const struct pc_place testdev_memory[] = {
	{PC_TESTDEV, PC_TESTDEV_MEM, &pc_testdev_mem_ops, AT(testdev)},
};

static const struct pc_place memory[] = {
	{IOAPIC_BASE, IOAPIC_SIZE, &ioapic_ops, AT(ioapic)},
	{HPET_BASE, HPET_SIZE, &hpet_ops, AT(hpet)},
};

static bool place(struct pc *pc, struct space *s, const struct pc_place *p, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (!space_add_device(s, p[i].base, p[i].size, p[i].ops, (char *)pc + p[i].dev))
			return error_set(err, "%s: no room for %s at 0x%llx", s->name, p[i].ops->name,
					 (unsigned long long)p[i].base);
	return true;
}

static bool map_ports(struct pc *pc, struct error *err)
{
	const struct pc_config *c = &pc->cfg;
	const struct pc_place console = {c->debugcon_port, 1, &debug_port_out_ops, AT(debug_port)};
	const struct pc_place exit_port = {c->debug_exit_base, c->debug_exit_size, &isa_debug_exit_ops, AT(debug_exit)};

	return (!c->testdev || place(pc, &pc->io, testdev_ports, ARRAY_SIZE(testdev_ports), err)) &&
	       place(pc, &pc->io, ports, ARRAY_SIZE(ports), err) &&
	       place(pc, &pc->io, disk_ports, ARRAY_SIZE(disk_ports), err) && place(pc, &pc->io, serial_ports, c->uarts, err) &&
	       (!c->vga || place(pc, &pc->io, vga_ports, ARRAY_SIZE(vga_ports), err)) &&
	       (!c->debugcon_port || place(pc, &pc->io, &console, 1, err)) &&
	       (!c->debug_exit || place(pc, &pc->io, &exit_port, 1, err));
}

static bool map_ram(struct pc *pc, struct error *err)
{
	pc->ram = space_add_ram(&pc->mem, "ram", 0, pc->ram_low, false, err);
	return pc->ram;
}

static bool map_bios(struct pc *pc, struct error *err)
{
	u64 size = pc->cfg.bios_size ? pc->cfg.bios_size : PC_BIOS_SIZE;

	pc->rom = space_add_ram(&pc->mem, "bios", BIT(32) - size, size, true, err);
	if (!pc->rom)
		return false;
	pc->bios[1] = pc->rom->host + size - PC_BIOS_SIZE;
	return true;
}

static bool map_lapics(struct pc *pc, struct error *err)
{
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		struct pc_cpu *c = &pc->cpu[i];

		c->lapic_page = space_add_device(&pc->mem, LAPIC_BASE, LAPIC_SIZE, &pc_lapic_ops, c);
		if (!c->lapic_page)
			return error_set(err, "memory: no room for local APIC %u", i);
	}
	return true;
}

/* RAM is split where QEMU's pc does: from 3.5 GB of it on, all above 3 GB moves up. */
static void split_ram(struct pc *pc)
{
	u64 size = pc->cfg.ram_size;

	pc->ram_low = size < 0xe0000000 ? size : 0xc0000000;
	pc->ram_high = size - pc->ram_low;
}

static bool map_memory(struct pc *pc, struct error *err)
{
	split_ram(pc);
	return map_ram(pc, err) && pc_map_window(pc, err) &&
	       (!pc->cfg.vga || vga_init(&pc->vga, &pc->mem, &pc->machine.sched, err)) && pc_map_shadows(pc, err) &&
	       place(pc, &pc->mem, memory, ARRAY_SIZE(memory), err) && map_lapics(pc, err) &&
	       (!pc->cfg.testdev || place(pc, &pc->mem, testdev_memory, ARRAY_SIZE(testdev_memory), err)) &&
	       map_bios(pc, err) &&
	       (!pc->ram_high || space_add_ram(&pc->mem, "ram-high", PC_RAM_HIGH, pc->ram_high, false, err));
}

/* What the CPUs have looked up of the memory map is void. */
static void map_changed(void *code)
{
	struct x86_code *k = code;

	for (unsigned i = 0; i < k->cpus; i++)
		tlb_forget_hot(&k->cpu[i]->tlb);
}

/* ---- life ---- */

static void init_devices(struct pc *pc)
{
	struct sched *s = &pc->machine.sched;

	apic_bus_init(&pc->bus);
	ioapic_init(&pc->ioapic, apic_bus_device, &pc->bus);
	hpet_init(&pc->hpet, s, ID_HPET, HPET_ROUTES);
	i8259_init(&pc->pic);
	i8254_init(&pc->pit, s, ID_PIT);
	i8042_init(&pc->kbd, s, ID_KBD);
	rtc_init(&pc->rtc, s, ID_RTC, pc->cfg.rtc_time, pc->ram_low, pc->ram_high);
	port92_init(&pc->port92);
	for (unsigned i = 0; i < PC_UARTS; i++)
		uart16550_init(&pc->uart[i], s, ID_UART + i);
	fw_cfg_init(&pc->fw_cfg, &pc->mem, pc->cfg.ram_size, pc->cfg.cpus, pc->cfg.cpus);
	debug_port_init(&pc->debug_port);
	acpi_pm_init(&pc->pm, s, ID_PM, ACPI_TIMER_BITS);
	piix_ide_init(&pc->ide, s, ID_IDE);
	fdc_init(&pc->fdc);
	isa_debug_exit_init(&pc->debug_exit, debug_exit, pc);
	pc_testdev_init(&pc->testdev);
}

static void wire_power(struct pc *pc)
{
	irq_connect(&pc->kbd.reset, init_line, pc, 0);
	irq_connect(&pc->kbd.a20, a20_line, pc, 0);
	irq_connect(&pc->port92.reset, init_line, pc, 0);
	irq_connect(&pc->port92.a20, a20_line, pc, 0);
	pc->pm.sleep = acpi_sleep;
	pc->pm.arg = pc;
}

static void init_cpu(struct pc *pc, unsigned n)
{
	struct pc_cpu *c = &pc->cpu[n];
	struct machine *m = &pc->machine;
	const struct x86_model *model = &pc->cfg.model;

	c->pc = pc;
	lapic_init(&c->lapic, &m->sched, ID_LAPIC + n, n, n == 0);
	c->lapic.features.x2apic = x86_has(model, X86_F_X2APIC);
	c->lapic.features.tsc_deadline = x86_has(model, X86_F_TSC_DEADLINE);
	c->lapic.features.phys_bits = model->pa_bits;
	x86_init(&c->x86, n, model, &pc->mem, &pc->io, &m->sched, pc->code, &m->log, &pc_board, &m->s.icount);
	c->x86.board.arg = pc;
	pc_wire_cpu(c);
	apic_bus_add(&pc->bus, &c->lapic);
	machine_add_cpu(m, &pc_cpu_ops, c);
}

static void reset_devices(struct pc *pc)
{
	i8042_reset(&pc->kbd);
	port92_reset(&pc->port92);
	hpet_reset(&pc->hpet);
	i8254_reset(&pc->pit);
	rtc_reset(&pc->rtc);
	for (unsigned i = 0; i < PC_UARTS; i++)
		uart16550_reset(&pc->uart[i]);
	if (pc->cfg.vga)
		vga_reset(&pc->vga);
	fdc_reset(&pc->fdc);
	fw_cfg_reset(&pc->fw_cfg);
	debug_port_reset(&pc->debug_port);
	acpi_pm_reset(&pc->pm);
	pc_testdev_reset(&pc->testdev);
	i8259_reset(&pc->pic);
	ioapic_reset(&pc->ioapic);
	pc_pci_reset(pc);
}

/* A20 is open, CPU 0 starts and the others wait for a start-up message. Lines are as the devices hold them. */
static void pc_reset(void *arg)
{
	struct pc *pc = arg;

	reset_devices(pc);
	pc->s.init_sent = pc->s.sipi_late = 0;
	memset(pc->s.sipi_vector, 0, sizeof pc->s.sipi_vector);
	pc->s.nmi_masked = 0;
	pc->s.a20 = true;
	space_set_a20(&pc->mem, true);
	for (unsigned i = 0; i < pc->cfg.cpus; i++) {
		lapic_reset(&pc->cpu[i].lapic);
		x86_reset(&pc->cpu[i].x86, false);
		if (i)
			pc->cpu[i].x86.activity = ACT_WAIT_SIPI;
	}
	pc_map_lapics(pc);
}

static const struct board_ops pc_ops = {"pc", pc_reset, pc_may_nmi, pc_hash};

bool pc_init(struct pc *pc, const struct pc_config *cfg, struct error *err)
{
	memset(pc, 0, sizeof *pc);
	pc->cfg = *cfg;
	pc->cfg.model.cpus = (u8)cfg->cpus;
	machine_init(&pc->machine, &pc_ops, pc);
	if (!space_init(&pc->mem, "memory", 52, err) || !space_init(&pc->io, "ports", 16, err))
		return false;
	pc->code = x86_code_new(&pc->mem);
	if (!pc->code)
		return error_set(err, "the host has no memory for decoded code");
	if (cfg->hot)
		x86_code_set_hot(pc->code, cfg->hot < 0 ? 0 : (unsigned)cfg->hot);
	pc->mem.map_changed = map_changed;
	if (!map_memory(pc, err) || !map_ports(pc, err))
		return false;
	init_devices(pc);
	wire_power(pc);
	if (!pc_pci_init(pc, err))
		return false;
	pc_wire(pc);
	for (unsigned i = 0; i < cfg->cpus; i++)
		init_cpu(pc, i);
	machine_reset(&pc->machine);
	return true;
}

void pc_free(struct pc *pc)
{
	for (unsigned i = 0; i < pc->machine.cpus; i++)
		tlb_free(&pc->cpu[i].x86.tlb);
	if (pc->code)
		x86_code_free(pc->code);
	space_free(&pc->mem);
	space_free(&pc->io);
}

/* ---- host streams ---- */

static unsigned uart_room(const void *uart) { return uart16550_room(uart); }
static void uart_receive(void *uart, u8 byte) { uart16550_receive(uart, byte); }

void pc_serial(struct pc *pc, unsigned n, struct bytes *host)
{
	uart16550_connect(&pc->uart[n], bytes_out, host);
	input_add(&pc->machine.input, host, &pc->uart[n], uart_room, uart_receive);
}
