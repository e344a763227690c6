/*
 * The Integrator/CP as a memory map, in address order, its wiring and its life. Addresses and interrupt numbers: Integrator/CP user guide,
 * DUI0159, 4.1 (memory map) and 4.2 (interrupts); they are QEMU's (machine "integratorcp"), too. Timer 0 runs at 25 MHz as on the board.
 */
#include "machine/integratorcp.h"

#include "devices/report.h"

/* Timer ids decide ties: the order in which timers of one instant fire. */
enum { ID_TIMERS = 1, ID_RTC = ID_TIMERS + INTEGRATOR_TIMERS, ID_UART, ID_LCD = ID_UART + ICP_UARTS, ID_MMC };

/* Lines of the primary controller and of the secondary one. */
enum {
	PIC_UART0 = 1, PIC_UART1, PIC_KBD, PIC_MOUSE, PIC_TIMER0, PIC_RTC = 8, PIC_LCD = 22, PIC_MMC0, PIC_MMC1, PIC_SECONDARY = 26, PIC_NIC,
};
enum { SIC_CARD = 3 };

#define UART_HZ    14745600u
#define TIMER0_NS  40u   /* 25 MHz */
#define TIMER12_NS 1000u /* 1 MHz */

/* ---- addresses with nobody behind them ---- */

static u64 nobody_peek(const void *dev, u64 off, unsigned size)
{
	(void)dev, (void)off, (void)size;
	return 0;
}
static u64 nobody_read(void *dev, u64 off, unsigned size)
{
	(void)dev;
	device_unimplemented("integratorcp: read of %u bytes at 0x%08llx, where nothing is", size, (unsigned long long)off);
	return 0;
}
static void nobody_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)dev, (void)val;
	device_unimplemented("integratorcp: write of %u bytes at 0x%08llx, where nothing is", size, (unsigned long long)off);
}
static const struct region_ops nobody_ops = {"nobody", nobody_read, nobody_write, nobody_peek, 1, 8};

/* ---- the map ---- */

struct icp_place {
	u64 base, size;
	const struct region_ops *ops;
	size_t dev;
};
#define AT(member) offsetof(struct icp, member)

static const struct icp_place devices[] = {
	{0x10000000, INTEGRATOR_CM_SIZE, &integrator_cm_ops, AT(cm)},
	{0x13000000, INTEGRATOR_TIMERS_SIZE, &integrator_timers_ops, AT(timers)},
	{0x14000000, INTEGRATOR_PIC_SIZE, &integrator_pic_ops, AT(pic)},
	{0x15000000, 0x1000, &pl031_ops, AT(rtc)},
	{0x16000000, 0x1000, &pl011_ops, AT(uart[0])},
	{0x17000000, 0x1000, &pl011_ops, AT(uart[1])},
	{0x18000000, 0x1000, &pl050_ops, AT(kbd)},
	{0x19000000, 0x1000, &pl050_ops, AT(mouse)},
	{0x1a000000, INTEGRATOR_CP_SIZE, &integrator_leds_ops, AT(cp)},
	{0x1c000000, 0x1000, &pl181_ops, AT(mmc)},
	{0x1d000000, 0x1000, &pl041_ops, 0},
	{0xc0000000, 0x1000, &pl110_ops, AT(lcd)},
	{0xc8000000, SMC_SIZE, &smc91c111_ops, AT(nic)},
	{0xca000000, INTEGRATOR_PIC_SIZE, &integrator_pic_ops, AT(sic)},
	{0xcb000000, INTEGRATOR_CP_SIZE, &integrator_cp_ops, AT(cp)},
};

static bool place(struct icp *b, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (!space_add_device(&b->mem, devices[i].base, devices[i].size, devices[i].ops, (char *)b + devices[i].dev))
			return error_set(err, "memory: no room for %s", devices[i].ops->name);
	return true;
}

/* RAM's own address is the one that bus masters use. At 0 it is behind the flash while REMAP is clear. There is no SSRAM, which on the board is the
 * first MB of memory and has a second address: RAM's first MB is seen there. Addresses: Linux, arch/arm/mach-versatile/integrator-hardware.h */
static bool map_memory(struct icp *b, struct error *err)
{
	b->ram = space_add_ram(&b->mem, "ram", ICP_RAM, b->cfg.ram_size, false, err);
	b->flash_rom = b->ram ? space_add_rom_device(&b->mem, ICP_FLASH, ICP_FLASH_SIZE, &cfi_flash_ops, &b->flash, err) : NULL;
	if (!b->flash_rom)
		return false;
	if (space_add_mirror(&b->mem, "ram-at-0", 0, b->cfg.ram_size, b->ram) && space_add_mirror(&b->mem, "ssram", ICP_SSRAM, ICP_BOOT_SIZE, b->ram))
		b->boot = space_add_mirror(&b->mem, "boot-flash", 0, ICP_BOOT_SIZE, b->flash_rom);
	return b->boot || error_set(err, "memory: no room for mirrors");
}

static bool map(struct icp *b, struct error *err)
{
	struct region *background = region_under(&b->mem, space_add_device(&b->mem, 0, BIT(32), &nobody_ops, NULL));

	if (!background)
		return error_set(err, "memory: no room for a background");
	region_enable(&b->mem, background, true);
	return map_memory(b, err) && place(b, err);
}

/* ---- the flash's contents ---- */

static void flash_touched(void *arg, u32 off, u32 n)
{
	struct icp *b = arg;

	if (disk_is_open(&b->flash_disk))
		disk_write(&b->flash_disk, off, b->flash_rom->host + off, n); /* which reports errors of the host */
}

static void flash_show(void *arg, bool on)
{
	struct icp *b = arg;

	region_readable(&b->mem, b->flash_rom, on);
}

static bool open_flash(struct icp *b, struct error *err)
{
	u8 *contents = b->flash_rom->host;

	cfi_flash_init(&b->flash, contents, ICP_FLASH_SIZE);
	memset(contents, 0xff, ICP_FLASH_SIZE);
	if (b->cfg.flash) {
		if (!disk_open(&b->flash_disk, b->cfg.flash, b->cfg.flash_flags, err))
			return false;
		if (b->flash_disk.size != ICP_FLASH_SIZE)
			return error_set(err, "%s: %llu bytes, expected %llu: the size of the flash", b->cfg.flash, (unsigned long long)b->flash_disk.size,
					 (unsigned long long)ICP_FLASH_SIZE);
		if (!disk_read(&b->flash_disk, 0, contents, ICP_FLASH_SIZE))
			return error_set(err, "%s: cannot be read", b->cfg.flash);
	}
	b->flash.read_only = b->flash_disk.read_only;
	b->flash.touched = flash_touched;
	b->flash.show = flash_show;
	b->flash.arg = b;
	return true;
}

/* ---- wiring ---- */

static void irq_line(void *arg, unsigned n, bool level)
{
	struct icp *b = arg;

	b->s.irq = level ? b->s.irq | (u8)BIT(n) : b->s.irq & (u8)~BIT(n);
	arm_set_irq(&b->cpu, b->s.irq);
	if (level)
		machine_wake(&b->machine, 0);
}

static void fiq_line(void *arg, unsigned n, bool level)
{
	struct icp *b = arg;

	b->s.fiq = level ? b->s.fiq | (u8)BIT(n) : b->s.fiq & (u8)~BIT(n);
	arm_set_fiq(&b->cpu, b->s.fiq);
	if (level)
		machine_wake(&b->machine, 0);
}

static void board_reset(void *arg) { machine_stop(&((struct icp *)arg)->machine, STOP_RESET); }

static void remap(void *arg, bool on)
{
	struct icp *b = arg;

	region_enable(&b->mem, b->boot, !on);
}

static void flash_vpp(void *arg, bool on) { ((struct icp *)arg)->flash.vpp = on; }

static void lcd_mux(void *arg, u32 mux)
{
	struct icp *b = arg;

	pl110_mux(&b->lcd, mux == CM_LCD_VGA_555);
}

static void wire(struct icp *b)
{
	irq_connect(&b->pic.irq, irq_line, b, 0);
	irq_connect(&b->pic.fiq, fiq_line, b, 0);
	irq_connect(&b->cm.pic.irq, irq_line, b, 1);
	irq_connect(&b->cm.pic.fiq, fiq_line, b, 1);
	irq_connect(&b->sic.irq, integrator_pic_line, &b->pic, PIC_SECONDARY);
	for (unsigned i = 0; i < ICP_UARTS; i++)
		irq_connect(&b->uart[i].irq, integrator_pic_line, &b->pic, PIC_UART0 + i);
	irq_connect(&b->kbd.irq, integrator_pic_line, &b->pic, PIC_KBD);
	irq_connect(&b->mouse.irq, integrator_pic_line, &b->pic, PIC_MOUSE);
	for (unsigned i = 0; i < INTEGRATOR_TIMERS; i++)
		irq_connect(&b->timers.timer[i].irq, integrator_pic_line, &b->pic, PIC_TIMER0 + i);
	irq_connect(&b->rtc.irq, integrator_pic_line, &b->pic, PIC_RTC);
	irq_connect(&b->lcd.irq, integrator_pic_line, &b->pic, PIC_LCD);
	irq_connect(&b->mmc.irq[0], integrator_pic_line, &b->pic, PIC_MMC0);
	irq_connect(&b->mmc.irq[1], integrator_pic_line, &b->pic, PIC_MMC1);
	irq_connect(&b->nic.irq, integrator_pic_line, &b->pic, PIC_NIC);
	irq_connect(&b->cp.card, integrator_pic_line, &b->sic, SIC_CARD);
	b->cm.reset = board_reset;
	b->cm.remap = remap;
	b->cm.lcd_mux = lcd_mux;
	b->cm.arg = b;
	b->cp.flash_vpp = flash_vpp;
	b->cp.arg = b;
}

/* ---- the CPU as a machine's CPU ---- */

static enum cpu_stop cpu_run(void *cpu, u64 budget)
{
	static const enum cpu_stop why[] = {[ARM_STOP_BUDGET] = CPU_BUDGET, [ARM_STOP_KICK] = CPU_KICK, [ARM_STOP_IDLE] = CPU_IDLE,
					    [ARM_STOP_UNIMPLEMENTED] = CPU_UNIMPLEMENTED, [ARM_STOP_REQUEST] = CPU_KICK};

	return why[arm_run(cpu, budget)];
}
static bool cpu_awake(const void *cpu) { return arm_awake(cpu); }
static bool cpu_deaf(const void *cpu) { return arm_deaf(cpu); }
static u64 cpu_hash(const void *cpu, u64 seed) { return arm_hash(cpu, seed); }

static const struct cpu_ops cpu_ops = {"arm926", cpu_run, cpu_awake, cpu_deaf, cpu_hash};

static bool semihost_call(void *arg, struct arm_cpu *c)
{
	struct icp *b = arg;

	return semihost_do(&b->semihost, c, &b->machine);
}

/* ---- life ---- */

static void reset(void *arg)
{
	struct icp *b = arg;

	integrator_cm_reset(&b->cm);
	integrator_timers_reset(&b->timers);
	pl031_reset(&b->rtc);
	for (unsigned i = 0; i < ICP_UARTS; i++)
		pl011_reset(&b->uart[i]);
	pl050_reset(&b->kbd);
	pl050_reset(&b->mouse);
	pl181_reset(&b->mmc);
	pl110_reset(&b->lcd);
	smc91c111_reset(&b->nic);
	cfi_flash_reset(&b->flash);
	integrator_cp_reset(&b->cp);
	integrator_pic_reset(&b->sic);
	integrator_pic_reset(&b->pic);
	semihost_reset(&b->semihost);
	arm_reset(&b->cpu);
}

/* There is no line that an ARM cannot mask. */
static bool may_nmi(const void *b)
{
	(void)b;
	return false;
}

static const struct board_ops board_ops = {"integratorcp", reset, may_nmi, icp_hash};

static bool init_devices(struct icp *b, struct error *err)
{
	struct sched *s = &b->machine.sched;

	integrator_cm_init(&b->cm, s, b->cfg.ram_size);
	b->cm.flash_boot = b->cfg.flash_boot;
	integrator_timers_init(&b->timers, s, ID_TIMERS, TIMER0_NS, TIMER12_NS);
	integrator_pic_init(&b->pic);
	integrator_pic_init(&b->sic);
	pl031_init(&b->rtc, s, ID_RTC, b->cfg.rtc_time);
	for (unsigned i = 0; i < ICP_UARTS; i++)
		pl011_init(&b->uart[i], s, ID_UART + i, UART_HZ);
	pl050_init(&b->kbd, false);
	pl050_init(&b->mouse, true);
	integrator_cp_init(&b->cp);
	pl110_init(&b->lcd, s, ID_LCD, &b->mem);
	smc91c111_init(&b->nic, b->cfg.mac);
	return open_flash(b, err) && pl181_init(&b->mmc, s, ID_MMC, UART_HZ, b->cfg.card, err);
}

bool icp_init(struct icp *b, const struct icp_config *cfg, struct error *err)
{
	memset(b, 0, sizeof *b);
	b->cfg = *cfg;
	machine_init(&b->machine, &board_ops, b);
	if (!space_init(&b->mem, "memory", 32, err) || !map(b, err) || !init_devices(b, err))
		return false;
	if (!arm_init(&b->cpu, &b->mem, &b->machine.sched, &b->machine.log, &b->machine.s.icount))
		return error_set(err, "the host has no memory for decoded code");
	b->cpu.has_vfp = cfg->vfp;
	if (cfg->hot)
		arm_set_hot(&b->cpu, cfg->hot < 0 ? 0 : (unsigned)cfg->hot);
	if (!semihost_init(&b->semihost, &b->cfg.semihost, err))
		return false;
	if (cfg->semihost.on) {
		b->cpu.semihost = semihost_call;
		b->cpu.semihost_arg = b;
	}
	wire(b);
	machine_add_cpu(&b->machine, &cpu_ops, &b->cpu);
	machine_reset(&b->machine);
	if (cfg->card)
		integrator_cp_card(&b->cp, true, cfg->card->read_only);
	return true;
}

void icp_free(struct icp *b)
{
	semihost_free(&b->semihost);
	arm_free(&b->cpu);
	if (disk_is_open(&b->flash_disk))
		disk_close(&b->flash_disk);
	space_free(&b->mem);
}

/* ---- the host's side ---- */

static unsigned uart_room(const void *uart) { return pl011_room(uart); }
static void uart_receive(void *uart, u8 byte) { pl011_receive(uart, byte); }

void icp_serial(struct icp *b, unsigned n, struct bytes *host)
{
	pl011_connect(&b->uart[n], bytes_out, host);
	input_add(&b->machine.input, host, &b->uart[n], uart_room, uart_receive);
}

void icp_network(struct icp *b, struct net_user *net)
{
	smc91c111_connect(&b->nic, net_user_send, net);
	input_add_net(&b->machine.input, net, &b->nic, smc91c111_room, smc91c111_receive);
}
