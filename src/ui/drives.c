/* See drives.h. */
#include "ui/drives.h"

static bool open_one(struct disk *disk, const struct option_drive *d, bool snapshot, struct error *err)
{
	unsigned flags = (d->read_only ? DISK_READ_ONLY : 0u) | (d->snapshot || snapshot ? DISK_SNAPSHOT : 0u);

	return !*d->path || disk_open_format(disk, d->path, *d->format ? d->format : NULL, flags, err);
}

/* The first free place, or the one that was asked for. CD-ROMs go to the second channel first, as on QEMU. */
static bool place(struct pc_config *pc, const struct option_drive *d, struct disk *disk, struct error *err)
{
	int n = d->index;

	if (n < 0)
		for (n = d->cdrom ? 2 : 0; n < PC_IDE_DRIVES && pc->ide[n].kind; n++)
			;
	if (n >= PC_IDE_DRIVES || pc->ide[n].kind)
		return error_set(err, "%s: IDE drive %d: there is one already", *d->path ? d->path : "-drive", n);
	pc->ide[n] = (struct pc_ide_config){d->cdrom ? ATA_CD : ATA_DISK, *d->path ? disk : NULL};
	return true;
}

bool drives_open(struct drives *d, struct options *o, struct error *err)
{
	for (unsigned fixed = 2; fixed-- > 0;) /* those with an index first */
		for (unsigned i = 0; i < o->drives; i++) {
			const struct option_drive *od = &o->drive[i];

			if ((od->index >= 0) != fixed)
				continue;
			if (!open_one(&d->disk[i], od, o->snapshot, err))
				return false;
			if (od->interface == DRIVE_IDE && !place(&o->pc, od, &d->disk[i], err))
				return false;
		}
	for (unsigned n = 0; n < PC_VIRTIOS; n++)
		o->pc.virtio[n].disk = &d->disk[o->virtio_index[n]];
	return true;
}

bool drives_close(struct drives *d)
{
	bool ok = true;

	for (unsigned i = 0; i < OPTION_DRIVES; i++)
		ok &= disk_close(&d->disk[i]);
	return ok;
}
