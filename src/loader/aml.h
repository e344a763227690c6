/*
 * A small emitter of ACPI machine language: objects are appended to a buffer; those with a length (scopes,
 * processors) are opened and closed. Manual: ACPI specification 6.4, chapter 20.
 */
#ifndef LOADER_AML_H
#define LOADER_AML_H

#include "base/types.h"

struct aml {
	u8 *buf;
	size_t size, len;
	bool full; /* something did not fit */
	size_t open[8];
	unsigned depth;
};

void aml_init(struct aml *a, u8 *buf, size_t size);
/* Raw bytes and little-endian numbers of n bytes. */
void aml_bytes(struct aml *a, const void *p, size_t n);
void aml_le(struct aml *a, u64 val, unsigned n);
/* A path of 4-letter names with optional root: "\\_SB_", "PCI0", "\\_SB_.PCI0". */
void aml_path(struct aml *a, const char *path);

/* Each is ended by aml_end. */
void aml_scope(struct aml *a, const char *path);
void aml_processor(struct aml *a, const char *name, u8 id);
void aml_end(struct aml *a);

#endif
