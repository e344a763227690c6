/* The command line's debugger options. Their texts are parsed when the machine exists. */
#include "debug/disasm.h"
#include "debug/symbols.h"
#include "debug/trace.h"
#include "devices/disk_nbd.h"
#include "ui/line_edit.h"
#include "ui/options_part.h"
#include "loader/arm_boot.h"

#define TEXT(name, field)                                                                                              \
	bool option_##name(struct options *o, const char *val, struct error *err)                                      \
	{                                                                                                              \
		(void)err;                                                                                             \
		o->debug.field = val;                                                                                  \
		return true;                                                                                           \
	}
TEXT(monitor_script, script)
TEXT(dump_on_exit, dump_on_exit)
TEXT(coverage, coverage)

bool option_monitor(struct options *o, const char *val, struct error *err)
{
	if (!strcmp(val, "mon:stdio"))
		val += 4;
	if (strcmp(val, "stdio") && strcmp(val, "none") && strcmp(val, "pty") && (strncmp(val, "unix:", 5) || !val[5]))
		return error_set(err, "-monitor %s: not supported (expected stdio, pty, unix:PATH[,server][,nowait] or none)", val);
	o->debug.monitor = val;
	return true;
}

bool option_gdb(struct options *o, const char *val, struct error *err)
{
	if (strncmp(val, "tcp:", 4) && (strncmp(val, "unix:", 5) || !val[5]) && strcmp(val, "none"))
		return error_set(err, "-gdb %s: not supported (expected tcp::PORT, tcp:ADDRESS:PORT or unix:PATH)", val);
	o->debug.gdb = strcmp(val, "none") ? val : NULL;
	return true;
}

bool option_gdb_default(struct options *o, const char *val, struct error *err)
{
	(void)val;
	return option_gdb(o, "tcp::1234", err);
}

bool option_trace(struct options *o, const char *val, struct error *err)
{
	o->debug.trace = val;
	return trace_library() || error_set(err, "--trace: built without jansson");
}

bool option_stat(struct options *o, const char *val, struct error *err)
{
	(void)val, (void)err;
	o->debug.stat = true;
	return true;
}

bool option_symbols(struct options *o, const char *val, struct error *err)
{
	if (o->debug.symbols_n == OPTIONS_SYMBOLS)
		return error_set(err, "--symbols: at most %u files", OPTIONS_SYMBOLS);
	o->debug.symbols[o->debug.symbols_n++] = val;
	return true;
}

bool option_trap(struct options *o, const char *val, struct error *err)
{
	if (o->debug.traps == OPTIONS_TRAPS)
		return error_set(err, "--trap: at most %u", OPTIONS_TRAPS);
	o->debug.trap[o->debug.traps++] = val;
	return true;
}

static void one(struct text *out, const char *name, const char *without) { text_printf(out, "%s%s", name ? name : "without ", name ? "" : without); }

void option_debug_libraries(struct text *out)
{
	one(out, disasm_library(), "capstone: no disassembly");
	text_puts(out, ", ");
	one(out, symbols_library(), "libelf: no symbols");
	text_puts(out, ", ");
	one(out, line_edit_library(), "libedit: no line editing");
	text_puts(out, ", ");
	one(out, trace_library(), "jansson: no traces");
	text_puts(out, ", ");
	one(out, disk_nbd_library(), "libnbd: raw disk images only");
	text_puts(out, ", ");
	one(out, arm_boot_library(), "libfdt: no -dtb");
}
