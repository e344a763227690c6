/*
 * Pictures as files: PNG (a subset of it: 8 bits of red, green and blue, no filter), or PPM. PNG needs zlib, which is
 * optional when the program is built.
 */
#ifndef DEVICES_PIXELS_H
#define DEVICES_PIXELS_H

#include "base/error.h"
#include "devices/picture.h"

/* Writes width x height pixels 00RRGGBBh: as PNG if path ends in .png, else as PPM. */
bool pixels_write(const char *path, const u32 *pixels, unsigned width, unsigned height, struct error *err);
/* What is shown now. */
bool pixels_write_picture(const char *path, const struct picture *p, struct error *err);
/* The library behind PNG and its version, or NULL. */
const char *pixels_library(void);

#endif
