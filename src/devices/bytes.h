/*
 * Host byte streams: the far end of a serial port, a debug port or the monitor. null, stdio, file:PATH, pty, and
 * unix:PATH[,server[,nowait]] with QEMU's meaning. Output is buffered and leaves at a newline, when the buffer is full
 * and at bytes_flush(). Input never blocks. No device of the guest: nothing here is saved.
 */
#ifndef DEVICES_BYTES_H
#define DEVICES_BYTES_H

#include "base/error.h"
#include "base/types.h"

#define BYTES_BUFFER 4096

struct bytes_out {
	int fd;
	u32 used;
	bool socket, stalled;
	u8 buf[BYTES_BUFFER];
};

struct bytes;

/* The process' standard input and output, which several streams may share: output goes through one buffer and stays in
 * order, input goes to the stream in focus. A terminal is switched to unbuffered input without echo while it is in use.
 */
struct bytes_stdio {
	struct bytes_out out;
	struct bytes *focus; /* who gets the input; at first the stream opened first */
	unsigned users;
	bool raw;               /* the terminal's mode was changed ... */
	unsigned char mode[64]; /* ... from this struct termios */
	/* Ctrl-A and a key are not input but commands, when somebody wants them; Ctrl-A Ctrl-A is a Ctrl-A. */
	void (*escape)(void *arg, u8 key);
	void *escape_arg;
	bool escaped; /* a Ctrl-A was read */
	u8 held[256]; /* input that was read to look for them */
	u32 holds;
};

enum bytes_kind { BYTES_NULL, BYTES_STDIO, BYTES_FILE, BYTES_PTY, BYTES_UNIX };

struct bytes {
	enum bytes_kind kind;
	int in;         /* file descriptor to read, or -1 */
	int listener;   /* unix server socket, or -1 */
	bool eof;       /* the input has ended */
	char name[108]; /* the path, or the pty's name */
	struct bytes_stdio *std;
	struct bytes_out *out; /* &own or &std->out, NULL when nobody listens */
	struct bytes_out own;
};

void bytes_stdio_init(struct bytes_stdio *std);
void bytes_stdio_escape(struct bytes_stdio *std, void (*escape)(void *arg, u8 key), void *arg);
/* Gives the terminal its own mode for a while (a prompt), and takes it back. */
void bytes_stdio_pause(struct bytes_stdio *std, bool pause);
/* Looks for Ctrl-A in what was typed, even if no stream wants input now. */
void bytes_stdio_look(struct bytes_stdio *std);
/* Sends what waits in the shared output buffer. */
void bytes_stdio_flush(struct bytes_stdio *std);
/* Opens the stream that spec names. The struct must stay where it is until bytes_close(). */
bool bytes_open(struct bytes *b, struct bytes_stdio *std, const char *spec, struct error *err);
void bytes_close(struct bytes *b);
void bytes_write(struct bytes *b, const void *data, size_t n);
/* One byte; the arguments fit a device's out() callback. */
void bytes_out(void *bytes, u8 byte);
void bytes_flush(struct bytes *b);
/* Takes up to n bytes that have arrived; 0 when there are none. Accepts a unix client that waits. */
size_t bytes_read(struct bytes *b, void *buf, size_t n);
/* Gives this stream the standard input (no effect on other kinds). */
void bytes_focus(struct bytes *b);
/* A descriptor that becomes readable when bytes_read() has something to do, or -1. For poll() in an idle machine. */
int bytes_fd(const struct bytes *b);

#endif
