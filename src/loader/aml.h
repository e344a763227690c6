/*
 * A small emitter of ACPI machine language: objects are appended to a buffer; those with a length (scopes, devices,
 * packages, buffers) are opened and closed. Manual: ACPI specification 6.4, chapter 20 (grammar) and 6.4 (resource
 * descriptors).
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
	size_t resources; /* where the resource template that is being built begins */
};

void aml_init(struct aml *a, u8 *buf, size_t size);
/* Raw bytes and little-endian numbers of n bytes. */
void aml_bytes(struct aml *a, const void *p, size_t n);
void aml_le(struct aml *a, u64 val, unsigned n);
/* A path of 4-letter names with optional root: "\\_SB_", "PCI0", "\\_SB_.PCI0". */
void aml_path(struct aml *a, const char *path);
void aml_int(struct aml *a, u64 val);
/* Name (name, ...): the value follows. */
void aml_name(struct aml *a, const char *name);
void aml_name_int(struct aml *a, const char *name, u64 val);
/* Name (name, EisaId (id)): id as in "PNP0A03". */
void aml_name_eisa(struct aml *a, const char *name, const char *id);

/* Each is ended by aml_end. */
void aml_scope(struct aml *a, const char *path);
void aml_device(struct aml *a, const char *name);
void aml_processor(struct aml *a, const char *name, u8 id);
void aml_package(struct aml *a, u8 elements);
void aml_end(struct aml *a);

/* Name (_CRS, ResourceTemplate () {...}): descriptors between begin and end. */
void aml_crs(struct aml *a);
void aml_crs_end(struct aml *a);
void aml_res_io(struct aml *a, u16 base, u8 len);
void aml_res_irq(struct aml *a, unsigned irq);
void aml_res_mem32(struct aml *a, u32 base, u32 len);
/* Windows of a bus bridge, min..max inclusive: bus numbers, ports, memory. */
void aml_res_bus(struct aml *a, u16 min, u16 max);
void aml_res_ports(struct aml *a, u16 min, u16 max);
void aml_res_memory(struct aml *a, u32 min, u32 max);

#endif
