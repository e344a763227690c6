/* Options of -machine integratorcp, and which of the others are the PC's alone. See options_part.h. */
#include "ui/options_part.h"

#include "debug/log.h"

#define MB (1ull << 20)

/* What means something on a PC only: refused by name. */
static const char *const pc_only[] = {
	"smp", "vga", "device", "hda", "hdb", "hdc", "hdd", "cdrom", "debugcon", "chardev", "global", "netdev", "bios", "boot",
	"dump-screen", "stat", "smbios",
};
static const char *const arm_only[] = {"dtb", "semihosting", "sd"};

static bool among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

bool option_board_has(enum board board, const char *name, struct error *err)
{
	if (board == BOARD_ICP && among(name, pc_only, ARRAY_SIZE(pc_only)))
		return error_set(err, "-%s: not on the Integrator/CP", name);
	if (board == BOARD_PC && among(name, arm_only, ARRAY_SIZE(arm_only)))
		return error_set(err, "-%s: not on a PC (-machine integratorcp has it)", name);
	return true;
}

bool option_semihosting(struct options *o, const char *val, struct error *err)
{
	if (*val == '-' || !*val)
		return error_set(err, "--semihosting %s: expected a folder, or none for no files", val);
	o->icp.semihost.on = true;
	o->icp.semihost.folder = strcmp(val, "none") ? val : NULL;
	return true;
}

/* -cpu arm926[,+vfp]: as on QEMU the CPU has a VFP9-S unless it is taken away. */
static bool cpu(struct options *o, struct error *err)
{
	const char *val = o->cpu ? o->cpu : "arm926";

	o->icp.vfp = strcmp(val, "arm926,-vfp");
	if (strcmp(val, "arm926") && strcmp(val, "arm926,+vfp") && o->icp.vfp)
		return error_set(err, "-cpu %s: not on the Integrator/CP (expected arm926, arm926,+vfp or arm926,-vfp)", val);
	return true;
}

static bool flash(struct options *o, const struct option_drive *d, struct error *err)
{
	if (*d->format && strcmp(d->format, "raw"))
		return error_set(err, "-drive if=pflash: format=%s is not supported (expected raw)", d->format);
	o->icp.flash = d->path;
	o->icp.flash_flags = (d->read_only ? DISK_READ_ONLY : 0u) | (d->snapshot || o->snapshot ? DISK_SNAPSHOT : 0u);
	o->icp.flash_boot = !o->kernel;
	return true;
}

/* The card's becomes drive 0 and all that o->drives counts; the flash's goes behind it. */
static bool drives(struct options *o, struct error *err)
{
	struct option_drive given[OPTION_DRIVES], *d = &o->drive[0];
	unsigned cards = 0, flashes = 0;

	memcpy(given, o->drive, sizeof given);
	for (unsigned i = 0; i < o->drives; i++)
		if (given[i].interface == DRIVE_PFLASH)
			o->drive[1] = given[i], flashes++;
		else
			o->drive[0] = given[i], cards++;
	if (cards > 1 || flashes > 1)
		return error_set(err, "-drive: the Integrator/CP has one card socket and one flash");
	if (cards && ((d->interface != DRIVE_SD && d->interface_given) || d->cdrom))
		return error_set(err, "-drive %s: the Integrator/CP has a card socket and flash only (expected if=sd or if=pflash)", d->path);
	o->drives = cards;
	return !flashes || flash(o, &o->drive[1], err);
}

/* -nic user wrote down a card for the PC: the board's own takes its address. */
static bool network(struct options *o, struct error *err)
{
	static const u8 mac[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

	if (o->nets > 1)
		return error_set(err, "-nic: the Integrator/CP has one Ethernet port");
	memcpy(o->icp.mac, o->nets ? o->pc.virtio[0].mac : mac, sizeof mac);
	if (o->nets && *o->net[0].model && strcmp(o->net[0].model, "smc91c111"))
		return error_set(err, "-nic: model=%s is not on the Integrator/CP (expected smc91c111)", o->net[0].model);
	return true;
}

bool option_arm_resolve(struct options *o, struct error *err)
{
	if (o->pc.ram_size > ICP_RAM_MAX)
		return error_set(err, "-m: the Integrator/CP has at most %llu MB", (unsigned long long)(ICP_RAM_MAX / MB));
	if (o->serials > ICP_UARTS)
		return error_set(err, "-serial: the Integrator/CP has %u serial ports", ICP_UARTS);
	if (o->display == DISPLAY_TEXT)
		return error_set(err, "-display: not on the Integrator/CP (expected none or sdl)");
	if (o->log.mask & ~log_kinds(true) || o->log.explain)
		return error_set(err, "-d: the Integrator/CP has exc, int, mmio, walk, flush, exec, reset, cr and mode");
	o->icp.ram_size = o->pc.ram_size;
	o->icp.rtc_time = o->pc.rtc_time;
	o->icp.semihost.cmdline = o->append;
	return cpu(o, err) && drives(o, err) && network(o, err);
}
