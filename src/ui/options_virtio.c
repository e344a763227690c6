/* Options that put drives, networks and virtio devices on the machine: -drive, -netdev, -nic, -net, -device virtio-*.
 * Names are resolved when all options are known. See options_part.h. */
#include "ui/options_part.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- values ---- */

static bool on_off(const char *what, const char *key, const char *val, bool *out, struct error *err)
{
	*out = !strcmp(val, "on") || !strcmp(val, "yes");
	return *out || !strcmp(val, "off") || !strcmp(val, "no") ||
	       error_set(err, "%s: %s=%s: expected on or off", what, key, val);
}

static bool copy_word(const char *what, const char *key, const char *val, char *to, size_t size, struct error *err)
{
	if (!*val || strlen(val) >= size)
		return error_set(err, "%s: %s=%s: expected 1 to %zu characters", what, key, val, size - 1);
	strcpy(to, val);
	return true;
}

static bool mac(const char *what, const char *val, u8 *to, struct error *err)
{
	unsigned b[6];
	char end;

	if (sscanf(val, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 || b[0] & 1)
		return error_set(err, "%s: mac=%s: expected six hexadecimal numbers, of one machine", what, val);
	for (unsigned i = 0; i < 6; i++)
		to[i] = (u8)b[i];
	return true;
}

/* ---- the list of devices ---- */

static struct pc_virtio_config *new_virtio(struct options *o, unsigned *n, struct error *err)
{
	for (*n = 0; *n < PC_VIRTIOS; ++*n)
		if (!o->pc.virtio[*n].type)
			return &o->pc.virtio[*n];
	error_set(err, "-device: expected at most %u virtio devices", PC_VIRTIOS);
	return NULL;
}

/* ---- networks ---- */

/* "user[,id=..][,model=..][,mac=..]", the rest is for net_user_open(). */
static bool net_items(struct option_net *net, char *list, const char *what, u8 *address, struct error *err)
{
	char *key, *v;

	while ((key = option_item(&list, &v))) {
		size_t used = strlen(net->args);

		if (v && !strcmp(key, "id")) {
			if (!copy_word(what, key, v, net->id, sizeof net->id, err))
				return false;
		} else if (v && address && !strcmp(key, "mac")) {
			if (!mac(what, v, address, err))
				return false;
		} else if (v && address && !strcmp(key, "model")) {
			if (!copy_word(what, key, v, net->model, sizeof net->model, err))
				return false;
		} else if (!v || snprintf(net->args + used, sizeof net->args - used, "%s%s=%s", used ? "," : "", key,
					  v) >= (int)(sizeof net->args - used)) {
			return error_set(err, "%s: '%s': expected KEY=VALUE, not too long", what, key);
		}
	}
	return true;
}

static bool new_net(struct options *o, const char *what, const char *val, u8 *address, struct error *err)
{
	char buf[512], *list = buf, *type, *v;
	struct option_net *net = &o->net[o->nets];

	if (o->nets == OPTION_NETS)
		return error_set(err, "%s: expected at most %u networks", what, OPTION_NETS);
	if (!option_list(what, val, buf, sizeof buf, err))
		return false;
	type = option_item(&list, &v);
	if (!type || v || strcmp(type, "user"))
		return error_set(err, "%s %s: not supported (expected user)", what, val);
	snprintf(net->id, sizeof net->id, "#net%u", o->nets);
	if (!net_items(net, list, what, address, err))
		return false;
	o->nets++;
	return true;
}

bool option_netdev(struct options *o, const char *val, struct error *err)
{
	return new_net(o, "-netdev", val, NULL, err);
}

static void default_mac(u8 *to, unsigned n)
{
	memcpy(to, "\x52\x54\x00\x12\x34", 5);
	to[5] = (u8)(0x56 + n);
}

/* The network and the card at once. */
bool option_nic(struct options *o, const char *val, struct error *err)
{
	struct pc_virtio_config *c;
	u8 address[6];
	unsigned n;

	if (!strcmp(val, "none"))
		return true;
	default_mac(address, o->nets);
	c = new_virtio(o, &n, err);
	if (!c || !new_net(o, "-nic", val, address, err))
		return false;
	*c = (struct pc_virtio_config){.type = PC_VIRTIO_NET};
	memcpy(c->mac, address, 6);
	strcpy(o->virtio_end[n], o->net[o->nets - 1].id);
	return true;
}

/* ---- -device virtio-* ---- */

static const struct {
	const char *name;
	enum pc_virtio_type type;
	enum virtio_kinds kind;
} virtios[] = {
	{"virtio-blk-pci", PC_VIRTIO_BLK, VIRTIO_TRANSITIONAL},
	{"virtio-net-pci", PC_VIRTIO_NET, VIRTIO_TRANSITIONAL},
	{"virtio-rng-pci", PC_VIRTIO_RNG, VIRTIO_TRANSITIONAL},
	{"virtio-blk-pci-transitional", PC_VIRTIO_BLK, VIRTIO_TRANSITIONAL},
	{"virtio-net-pci-transitional", PC_VIRTIO_NET, VIRTIO_TRANSITIONAL},
	{"virtio-rng-pci-transitional", PC_VIRTIO_RNG, VIRTIO_TRANSITIONAL},
	{"virtio-blk-pci-non-transitional", PC_VIRTIO_BLK, VIRTIO_MODERN},
	{"virtio-net-pci-non-transitional", PC_VIRTIO_NET, VIRTIO_MODERN},
	{"virtio-rng-pci-non-transitional", PC_VIRTIO_RNG, VIRTIO_MODERN},
};

static bool set_slot(struct pc_virtio_config *c, const char *val, struct error *err)
{
	char *end;
	unsigned long slot = strtoul(val, &end, 16);

	c->slot = (u8)slot;
	if (*end == '.' && !strcmp(end, ".0"))
		end += 2;
	return (end != val && !*end && slot >= 1 && slot < 32) ||
	       error_set(err, "-device: addr=%s: expected a slot of the PCI bus, 1 to 1f", val);
}

static bool virtio_item(struct options *o, unsigned n, const char *key, const char *val, struct error *err)
{
	struct pc_virtio_config *c = &o->pc.virtio[n];
	const char *end = c->type == PC_VIRTIO_BLK ? "drive" : c->type == PC_VIRTIO_NET ? "netdev" : "rng";
	bool on;

	if (!strcmp(key, end) && c->type != PC_VIRTIO_RNG)
		return copy_word("-device", key, val, o->virtio_end[n], sizeof o->virtio_end[n], err);
	if (!strcmp(key, "addr"))
		return set_slot(c, val, err);
	if (!strcmp(key, "id"))
		return true; /* nothing refers to it */
	if (!strcmp(key, "mac") && c->type == PC_VIRTIO_NET)
		return mac("-device", val, c->mac, err);
	if (!strcmp(key, "disable-legacy")) {
		c->kind = !strcmp(val, "on") ? VIRTIO_MODERN : c->kind;
		return on_off("-device", key, val, &on, err);
	}
	if (!strcmp(key, "disable-modern")) {
		c->kind = !strcmp(val, "on") || !strcmp(val, "true") ? VIRTIO_LEGACY : c->kind;
		return on_off("-device", key, val, &on, err);
	}
	return error_set(
		err, "-device: '%s=%s' is not supported here (expected %s, addr, id, disable-legacy, disable-modern)",
		key, val, end);
}

bool option_virtio(struct options *o, const char *name, char *list, bool *mine, struct error *err)
{
	struct pc_virtio_config *c;
	char *key, *v;
	unsigned n, k = 0;

	while (k < ARRAY_SIZE(virtios) && strcmp(name, virtios[k].name))
		k++;
	*mine = k < ARRAY_SIZE(virtios);
	if (!*mine)
		return true;
	c = new_virtio(o, &n, err);
	if (!c)
		return false;
	*c = (struct pc_virtio_config){.type = virtios[k].type, .kind = virtios[k].kind};
	default_mac(c->mac, n);
	while ((key = option_item(&list, &v)))
		if (!v)
			return error_set(err, "-device %s: '%s': expected KEY=VALUE", name, key);
		else if (!virtio_item(o, n, key, v, err))
			return false;
	return true;
}

/* ---- what belongs to what ---- */

static bool use_drive(struct options *o, unsigned n, unsigned drive, struct error *err)
{
	struct option_drive *d = &o->drive[drive];

	for (unsigned i = 0; i < n; i++)
		if (o->pc.virtio[i].type == PC_VIRTIO_BLK && o->virtio_index[i] == drive)
			return error_set(err, "-device virtio-blk-pci: drive=%s: it is used already", d->id);
	if (d->cdrom || !*d->path)
		return error_set(err, "-drive: a CD-ROM cannot be a virtio disk");
	o->virtio_index[n] = drive;
	o->pc.virtio[n].serial = d->serial;
	return true;
}

static bool resolve_drive(struct options *o, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < o->drives; i++)
		if (o->drive[i].interface == DRIVE_NONE && *o->virtio_end[n] &&
		    !strcmp(o->drive[i].id, o->virtio_end[n]))
			return use_drive(o, n, i, err);
	return error_set(err, "-device virtio-blk-pci: drive=%s: expected the id of a -drive with if=none",
			 o->virtio_end[n]);
}

static bool resolve_net(struct options *o, unsigned n, struct error *err)
{
	for (unsigned i = 0; i < o->nets; i++)
		if (!strcmp(o->net[i].id, o->virtio_end[n]) && !o->net[i].used) {
			o->net[i].used = true;
			o->virtio_index[n] = i;
			return true;
		}
	return error_set(err, "-device virtio-net-pci: netdev=%s: expected the id of a -netdev that is free",
			 o->virtio_end[n]);
}

/* A -drive with if=virtio is a device of its own. */
static bool drive_devices(struct options *o, struct error *err)
{
	struct pc_virtio_config *c;
	unsigned n;

	for (unsigned i = 0; i < o->drives; i++) {
		if (o->drive[i].interface != DRIVE_VIRTIO)
			continue;
		c = new_virtio(o, &n, err);
		if (!c)
			return false;
		*c = (struct pc_virtio_config){.type = PC_VIRTIO_BLK};
		if (!use_drive(o, n, i, err))
			return false;
	}
	return true;
}

bool option_pci_resolve(struct options *o, struct error *err)
{
	for (unsigned n = 0; n < PC_VIRTIOS; n++) {
		if (o->pc.virtio[n].type == PC_VIRTIO_BLK && !resolve_drive(o, n, err))
			return false;
		if (o->pc.virtio[n].type == PC_VIRTIO_NET && !resolve_net(o, n, err))
			return false;
		o->pc.virtio[n].seed = o->seed + n;
	}
	for (unsigned i = 0; i < o->nets; i++)
		if (!o->net[i].used)
			return error_set(err, "-netdev id=%s: no -device uses it", o->net[i].id);
	for (unsigned i = 0; i < o->nets; i++)
		if (*o->net[i].model && strcmp(o->net[i].model, "virtio") && strcmp(o->net[i].model, "virtio-net-pci"))
			return error_set(err, "-nic: model=%s is not supported (expected virtio-net-pci)", o->net[i].model);
	for (unsigned i = 0; i < o->drives; i++) {
		if (o->drive[i].interface == DRIVE_SD)
			return error_set(err, "-drive if=sd: a PC has no card socket (-machine integratorcp has one)");
		if (o->drive[i].interface == DRIVE_PFLASH)
			return error_set(err, "-drive if=pflash: not on a PC, whose firmware is named by -bios (-machine integratorcp has it)");
	}
	return drive_devices(o, err);
}
