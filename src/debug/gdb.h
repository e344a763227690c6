/*
 * The GDB remote stub: the remote serial protocol on a TCP or unix socket, one client at a time. Inferior 1 is the host, 2 and up are
 * the VMCBs seen, in their order; a thread is a CPU (number + 1). All-stop: the machine runs or stands as a whole. GDB manual, app. E.
 */
#ifndef DEBUG_GDB_H
#define DEBUG_GDB_H

#include "debug/monitor.h"

#define GDB_PACKET 0x4000

struct gdb {
	struct debugger *d;
	struct monitor monitor; /* of qRcmd */
	struct stat *stat;
	int listener, fd; /* -1: none */
	char path[108];   /* of a unix socket */
	bool noack, multiprocess;
	bool go; /* the client let the machine go (detach) */
	u8 in[GDB_PACKET + 8];
	size_t used;
	char out[2 * GDB_PACKET + 64];
	size_t out_used;
	/* H g and H c: process and thread; 0: any. */
	unsigned g_pid, g_tid;
	unsigned stop_pid; /* where it stopped last: what "any" means; 0: nowhere yet */
	bool owed;         /* something else than the thread that was named stopped: told when it goes on */
	unsigned detached; /* a bit for each process that the client has left */
	unsigned told;     /* and for each that it has heard of: GDB switches to new ones, so they are told when it stops there */
	u8 bits[2 + VIEW_GUESTS]; /* by process: of the target description that was told; 0: none yet */
	char *xfer; /* the object that is being read piece by piece */
	size_t xfer_size;
	char xfer_name[128];
};

/* "tcp::PORT", "tcp:HOST:PORT", "unix:PATH". Only the loopback address is used unless another is given. */
bool gdb_open(struct gdb *g, struct debugger *d, const char *spec, struct error *err);
void gdb_close(struct gdb *g);
bool gdb_connected(const struct gdb *g);
/* While the machine runs: takes a client that waits, and looks for its interrupt. True: the machine is to stop. */
bool gdb_look(struct gdb *g);
/* The machine stands: answers what has arrived; may let the machine run meanwhile. */
void gdb_serve(struct gdb *g);
/* Sleeps until something arrives. */
void gdb_wait(struct gdb *g, int ms);

/* ---- between the stub's files ---- */
/* The answer under construction. */
void gdb_puts(struct gdb *g, const char *s);
void gdb_printf(struct gdb *g, const char *fmt, ...) PRINTF(2, 3);
void gdb_hex(struct gdb *g, const void *bytes, size_t n);
/* n bytes of hexadecimal; false: malformed or too short. */
bool gdb_unhex(const char *s, void *bytes, size_t n);
/* The packet in text[0..len); the answer is left in g->out. False: no answer is to be sent now. */
bool gdb_packet(struct gdb *g, char *text, size_t len);
static inline unsigned gdb_pid(const struct gdb *g) { return g->g_pid ? g->g_pid : g->stop_pid ? g->stop_pid : 1; }
/* Process and thread as the client names them: the world of a CPU. False: there is none. */
bool gdb_view(struct gdb *g, unsigned pid, unsigned tid, struct view *v);
/* Registers by GDB's numbers. */
void gdb_registers_read(struct gdb *g);
bool gdb_registers_write(struct gdb *g, const char *hex, struct error *err);
bool gdb_register_read(struct gdb *g, unsigned n);
bool gdb_register_write(struct gdb *g, unsigned n, const char *hex, struct error *err);
/* The instruction pointer as part of a stop reply: what the present thread has now. */
void gdb_put_pc(struct gdb *g, u64 pc);
/* target.xml of the present process, into text; remembers what it said. */
void gdb_target_xml(struct gdb *g, struct text *out);
/* The same of an ARM. */
void gdb_arm_registers_read(struct gdb *g, const struct view *v);
bool gdb_arm_registers_write(struct view *v, const char *hex, struct error *err);
bool gdb_arm_register_read(struct gdb *g, const struct view *v, unsigned n);
bool gdb_arm_register_write(struct view *v, unsigned n, const char *hex, struct error *err);
void gdb_arm_target_xml(const struct view *v, struct text *out);
/* The process of the world that the CPU is in. */
unsigned gdb_live_pid(struct gdb *g, unsigned cpu);
bool gdb_xfer(struct gdb *g, char *args);
/* The image that the process runs, or NULL. */
const struct symbol_image *gdb_image(struct gdb *g, const struct view *v);
/* Z and z. */
void gdb_breakpoint(struct gdb *g, char *args, bool insert);
/* vCont, c, s: runs the machine and answers with the reason why it stopped. */
void gdb_resume(struct gdb *g, char *args);
void gdb_stop_reply(struct gdb *g);

#endif
