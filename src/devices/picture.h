/* What a screen shows, whatever device shows it: a window, --screenshot and tests ask through this. Looking changes nothing. */
#ifndef DEVICES_PICTURE_H
#define DEVICES_PICTURE_H

#include "base/types.h"

struct picture_size {
	unsigned width, height; /* at least 1 */
};

struct picture {
	const void *dev;
	struct picture_size (*size)(const void *dev);
	/* Fills width x height pixels 00RRGGBBh, rows of pitch pixels. */
	void (*render)(const void *dev, u32 *pixels, size_t pitch);
	/* A number that changes when the picture does (except by an accident of hashing). */
	u64 (*hash)(const void *dev);
};

#endif
