/* Options about disks: -drive, -hda to -hdd, -cdrom, -snapshot. What they say is opened by drives.c. */
#include "ui/options_part.h"

static struct option_drive *drive_new(struct options *o, const char *what, const char *path, struct error *err)
{
	struct option_drive *d = &o->drive[o->drives];

	if (o->drives == OPTION_DRIVES) {
		error_set(err, "%s: more than %u drives", what, OPTION_DRIVES);
		return NULL;
	}
	if (strlen(path) >= sizeof d->path) {
		error_set(err, "%s: path longer than %zu characters", what, sizeof d->path - 1);
		return NULL;
	}
	*d = (struct option_drive){.index = -1};
	strcpy(d->path, path);
	o->drives++;
	return d;
}

bool option_sd(struct options *o, const char *val, struct error *err)
{
	struct option_drive *d = drive_new(o, "-sd", val, err);

	if (!d)
		return false;
	d->interface = DRIVE_SD;
	return d->interface_given = true;
}

bool option_disk(struct options *o, const char *name, const char *path, struct error *err)
{
	struct option_drive *d = drive_new(o, name, path, err);

	if (!d)
		return false;
	d->cdrom = !strcmp(name, "-cdrom");
	d->index = d->cdrom ? 2 : name[3] - 'a';
	d->read_only = d->cdrom;
	return true;
}

static bool on_off(const char *key, const char *v, bool *to, struct error *err)
{
	if (strcmp(v, "on") && strcmp(v, "off"))
		return error_set(err, "-drive %s=%s: expected on or off", key, v);
	*to = !strcmp(v, "on");
	return true;
}

static bool one_of(const char *key, const char *v, const char *const *words, unsigned n, u8 *to, struct error *err)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(v, words[i])) {
			*to = (u8)i;
			return true;
		}
	return error_set(err, "-drive %s=%s: not supported", key, v);
}

static bool text(const char *key, const char *v, char *to, size_t size, struct error *err)
{
	if (strlen(v) >= size)
		return error_set(err, "-drive %s: longer than %zu characters", key, size - 1);
	strcpy(to, v);
	return true;
}

/* All but raw go through qemu-nbd. */
static bool format(const char *v, struct option_drive *d, struct error *err)
{
	static const char *const formats[] = {"raw", "qcow2", "qcow", "qed", "vmdk", "vdi", "vpc", "vhdx", "parallels"};
	u8 n = 0;

	if (!one_of("format", v, formats, ARRAY_SIZE(formats), &n, err))
		return false;
	strcpy(d->format, formats[n]);
	return true;
}

static bool drive_key(struct option_drive *d, const char *key, const char *v, struct error *err)
{
	static const char *const interfaces[] = {"ide", "virtio", "none", "sd", "pflash"}, *const media[] = {"disk", "cdrom"};
	u64 n;
	u8 m = 0;

	if (!strcmp(key, "file"))
		return text(key, v, d->path, sizeof d->path, err);
	if (!strcmp(key, "id"))
		return text(key, v, d->id, sizeof d->id, err);
	if (!strcmp(key, "serial"))
		return text(key, v, d->serial, sizeof d->serial, err);
	if (!strcmp(key, "format"))
		return format(v, d, err);
	if (!strcmp(key, "if"))
		return (d->interface_given = true) &&
		       one_of(key, v, interfaces, ARRAY_SIZE(interfaces), &d->interface, err);
	if (!strcmp(key, "media")) {
		if (!one_of(key, v, media, ARRAY_SIZE(media), &m, err))
			return false;
		d->cdrom = m;
		return true;
	}
	if (!strcmp(key, "readonly") || !strcmp(key, "read-only"))
		return on_off(key, v, &d->read_only, err);
	if (!strcmp(key, "snapshot"))
		return on_off(key, v, &d->snapshot, err);
	if (!strcmp(key, "index")) {
		if (!option_number("-drive index", v, 1000, 1, &n, err))
			return false;
		d->index = n < 4 ? (int)n : 4;
		return d->index < 4 || error_set(err, "-drive index=%s: expected 0 to 3", v);
	}
	if (!strcmp(key, "cache") || !strcmp(key, "aio")) /* about the host's way of doing it: no difference to see */
		return true;
	return error_set(err,
			 "-drive: '%s' is not supported (expected file, format, if, index, media, readonly, snapshot, "
			 "id, serial)",
			 key);
}

bool option_drive(struct options *o, const char *val, struct error *err)
{
	char buf[1024], *list = buf, *key, *v;
	struct option_drive *d;

	if (!option_list("-drive", val, buf, sizeof buf, err) || !(d = drive_new(o, "-drive", "", err)))
		return false;
	while ((key = option_item(&list, &v)))
		if (!drive_key(d, key, v ? v : "", err))
			return false;
	if (!*d->path && !d->cdrom)
		return error_set(err, "-drive %s: expected file=", val);
	d->read_only |= d->cdrom;
	return true;
}
