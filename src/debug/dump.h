/* A CPU for people: its registers, and how it came to a triple fault. */
#ifndef DEBUG_DUMP_H
#define DEBUG_DUMP_H

#include "base/field.h"
#include "cpu_x86/cpu.h"

/* "#PF", "#GP", "NMI"; vectors without a name as "vector 50h" in buf. */
const char *exception_name(unsigned vector, char *buf, size_t size);
/* "#GP error 0010: offset beyond the segment limit (APM2 4.12)", without a newline. */
void dump_exception(struct text *out, unsigned vector, bool has_error, u32 error, u64 cr2, unsigned rule);
/* All rows of a table, several on a line. MSR-like rows that are zero are left out when brief. */
void dump_fields(struct text *out, const struct field *t, size_t n, const void *base, bool brief);
void dump_cpu(struct text *out, const struct x86_cpu *c);
/* The first fault and what it led to. */
void dump_triple_fault(struct text *out, const struct x86_cpu *c);

#endif
