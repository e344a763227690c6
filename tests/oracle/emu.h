/*
 * The emulated side: one CPU of ours in 64-bit mode under 4-level paging, at CPL 3, with the same linear addresses
 * mapped as in the native runner, and a GDT and LDT like the host's. Exceptions go through an IDT whose handlers halt.
 */
#ifndef ORACLE_EMU_H
#define ORACLE_EMU_H

#include "cpu_x86/model.h"
#include "layout.h"

struct emu;

/* NULL and a message on failure. Memory starts as s->initial says; has: the features that the CPU shall have. */
struct emu *emu_new(const struct shared *s, const u8 has[X86_F_COUNT], struct error *err);
void emu_free(struct emu *e);

/* Put the case's code into memory, and INT3s in its place again. */
void emu_load(struct emu *e, const struct ocase *c);
void emu_unload(struct emu *e, const struct ocase *c);
/* How the loaded case is executed: instruction by instruction, or in blocks as long as the decoder makes them. */
enum emu_mode { EMU_STEP, EMU_BLOCK };
void emu_run(struct emu *e, const struct ocase *c, enum emu_mode m, struct outcome *o);
/* Why the CPU gave up, after END_DIED; or the rule of the last exception. */
const char *emu_text(const struct emu *e);

/* How long our decoder says that the case's first instruction is; 16 when it is too long, or more bytes than there are.
 */
unsigned emu_length(struct emu *e, const struct ocase *c);

/* The descriptor that a selector names on both sides (8 bytes), 0 for none. */
u64 emu_descriptor(u16 sel);

#endif
