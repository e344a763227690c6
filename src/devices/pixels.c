/* See pixels.h. Manuals: W3C PNG 2nd edition 5.3 (chunks), 11.2 (IHDR, IDAT, IEND); ppm(5). */
#include "devices/pixels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef HAVE_ZLIB
#include <zlib.h>

const char *pixels_library(void) { return "zlib " ZLIB_VERSION; }

static void big_endian(u8 *p, u32 v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (u8)(v >> (24 - 8 * i));
}

/* Length, type, data, and a CRC of type and data. */
static void chunk(FILE *f, const char *type, const u8 *data, u32 n)
{
	u8 word[4];
	uLong crc = crc32(0, (const u8 *)type, 4);

	big_endian(word, n);
	fwrite(word, 1, 4, f);
	fwrite(type, 1, 4, f);
	if (n) {
		fwrite(data, 1, n, f);
		crc = crc32(crc, data, n);
	}
	big_endian(word, (u32)crc);
	fwrite(word, 1, 4, f);
}

/* Each row begins with its filter: none. */
static u8 *rows(const u32 *pixels, unsigned width, unsigned height)
{
	u8 *all = malloc(((size_t)width * 3 + 1) * height), *p = all;

	for (unsigned y = 0; all && y < height; y++) {
		*p++ = 0;
		for (unsigned x = 0; x < width; x++, p += 3) {
			u32 rgb = *pixels++;

			p[0] = (u8)(rgb >> 16);
			p[1] = (u8)(rgb >> 8);
			p[2] = (u8)rgb;
		}
	}
	return all;
}

static bool write_png(FILE *f, const u32 *pixels, unsigned width, unsigned height)
{
	uLong size = ((uLong)width * 3 + 1) * height;
	uLongf packed_size = compressBound(size);
	u8 *raw = rows(pixels, width, height), *packed = malloc(packed_size);
	u8 header[13] = {[8] = 8, [9] = 2}; /* bits, truecolour */
	bool ok = raw && packed && compress2(packed, &packed_size, raw, size, 9) == Z_OK;

	big_endian(header, width);
	big_endian(header + 4, height);
	if (ok) {
		fwrite("\x89PNG\r\n\x1a\n", 1, 8, f);
		chunk(f, "IHDR", header, sizeof header);
		chunk(f, "IDAT", packed, (u32)packed_size);
		chunk(f, "IEND", NULL, 0);
	}
	free(raw);
	free(packed);
	return ok;
}

#else

const char *pixels_library(void) { return NULL; }

static bool write_png(FILE *f, const u32 *pixels, unsigned width, unsigned height)
{
	(void)f, (void)pixels, (void)width, (void)height;
	errno = ENOTSUP;
	return false;
}

#endif

static void write_ppm(FILE *f, const u32 *pixels, unsigned width, unsigned height)
{
	fprintf(f, "P6\n%u %u\n255\n", width, height);
	for (size_t i = 0; i < (size_t)width * height; i++) {
		u8 rgb[3] = {(u8)(pixels[i] >> 16), (u8)(pixels[i] >> 8), (u8)pixels[i]};

		fwrite(rgb, 1, 3, f);
	}
}

bool pixels_write(const char *path, const u32 *pixels, unsigned width, unsigned height, struct error *err)
{
	size_t len = strlen(path);
	bool png = len > 4 && !strcmp(path + len - 4, ".png"), ok = true;
	FILE *f;

	if (png && !pixels_library())
		return error_set(err, "%s: built without zlib: no PNG (any other name gives a PPM)", path);
	f = fopen(path, "wb");
	if (!f)
		return error_set(err, "%s: cannot be written: %s", path, strerror(errno));
	if (png)
		ok = write_png(f, pixels, width, height);
	else
		write_ppm(f, pixels, width, height);
	ok = !ferror(f) && ok;
	return (fclose(f) == 0 && ok) || error_set(err, "%s: cannot be written: %s", path, strerror(errno));
}

bool pixels_write_picture(const char *path, const struct picture *p, struct error *err)
{
	struct picture_size size = p->size(p->dev);
	u32 *pixels = malloc((size_t)size.width * size.height * sizeof *pixels);
	bool ok;

	if (!pixels)
		return error_set(err, "%s: no memory for a picture of %u x %u", path, size.width, size.height);
	p->render(p->dev, pixels, size.width);
	ok = pixels_write(path, pixels, size.width, size.height, err);
	free(pixels);
	return ok;
}
