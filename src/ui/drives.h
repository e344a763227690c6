/* The disks of the command line: opening their images, and giving them to the machine. */
#ifndef UI_DRIVES_H
#define UI_DRIVES_H

#include "devices/disk.h"
#include "ui/options.h"

struct drives {
	struct disk disk[OPTION_DRIVES]; /* disk[i] is that of options.drive[i] */
};

/* Opens all images and fills in o->pc.ide and the disks of o->pc.virtio. */
bool drives_open(struct drives *d, struct options *o, struct error *err);
/* What was written is on the host's disk. False: it is not, which was said. */
bool drives_close(struct drives *d);

#endif
