/*
 * See semihost.h. Manual: Semihosting for AArch32 and AArch64 (ARM IHI0100), chapters 5 and 6; DUI0203, chapter 8. Time is virtual time. Paths are
 * resolved by the kernel with RESOLVE_BENEATH, so that neither ".." nor a symbolic link leads out of the folder.
 */
#define _GNU_SOURCE 1
#include "machine/semihost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "devices/report.h"

enum {
	SYS_OPEN = 0x01, SYS_CLOSE, SYS_WRITEC, SYS_WRITE0, SYS_WRITE, SYS_READ, SYS_READC, SYS_ISERROR, SYS_ISTTY, SYS_SEEK, SYS_FLEN = 0x0c,
	SYS_REMOVE = 0x0e, SYS_CLOCK = 0x10, SYS_TIME, SYS_ERRNO = 0x13, SYS_GET_CMDLINE = 0x15, SYS_HEAPINFO, SYS_EXIT = 0x18,
	SYS_EXIT_EXTENDED = 0x20, SYS_ELAPSED = 0x30, SYS_TICKFREQ = 0x31,
};
#define EXIT_APPLICATION 0x20026u /* ADP_Stopped_ApplicationExit */
#define FAILED           0xffffffffu
#define PATH_MAX_GUEST   256u
#define START_TIME       1704067200u /* as the board's clock has it by default */

/* One call: the block of arguments at r1. */
struct call {
	struct semihost *s;
	struct arm_cpu *c;
	struct machine *m;
	u32 arg;
};

static FILE *console(const struct semihost *s) { return s->cfg->out ? s->cfg->out : stdout; }

static bool word(const struct call *k, unsigned n, u32 *val) { return arm_read_virtual(k->c, k->arg + 4 * n, val, 4); }

static u32 fail(struct semihost *s, int why)
{
	s->error = (u32)why;
	return FAILED;
}

/* A path of n bytes at va, as a string. */
static bool path_at(const struct call *k, u32 va, u32 n, char path[PATH_MAX_GUEST])
{
	if (n >= PATH_MAX_GUEST || !arm_read_virtual(k->c, va, path, n))
		return false;
	path[n] = 0;
	return !memchr(path, 0, n);
}

static struct semihost_file *file_of(struct semihost *s, u32 handle)
{
	struct semihost_file *f = handle - 1 < SEMIHOST_FILES ? &s->file[handle - 1] : NULL;

	return f && f->kind ? f : NULL;
}

/* ---- files ---- */

/* IHI0100 5.6: modes as fopen has them: r, rb, r+, r+b, w, ..., a, ... */
static int open_flags(u32 mode)
{
	static const int base[3] = {0, O_CREAT | O_TRUNC, O_CREAT | O_APPEND};
	unsigned kind = mode >> 2;

	return base[kind % 3] | (mode & 2 ? O_RDWR : kind ? O_WRONLY : O_RDONLY) | O_CLOEXEC;
}

static u32 open_path(struct semihost *s, struct semihost_file *f, const char *path, u32 mode)
{
	struct open_how how = {.flags = (u64)open_flags(mode), .mode = open_flags(mode) & O_CREAT ? 0666 : 0, .resolve = RESOLVE_BENEATH};

	if (s->folder < 0)
		return fail(s, EACCES);
	f->fd = (int)syscall(SYS_openat2, s->folder, path, &how, sizeof how);
	if (f->fd < 0)
		return fail(s, errno);
	f->kind = SEMIHOST_FILE;
	return (u32)(f - s->file) + 1;
}

static u32 do_open(const struct call *k)
{
	struct semihost *s = k->s;
	char path[PATH_MAX_GUEST];
	u32 name, mode, n;

	if (!word(k, 0, &name) || !word(k, 1, &mode) || !word(k, 2, &n) || mode > 11 || !path_at(k, name, n, path))
		return fail(s, EINVAL);
	for (unsigned i = 0; i < SEMIHOST_FILES; i++) {
		struct semihost_file *f = &s->file[i];

		if (f->kind)
			continue;
		if (strcmp(path, ":tt"))
			return open_path(s, f, path, mode);
		*f = (struct semihost_file){SEMIHOST_CONSOLE, -1};
		return i + 1;
	}
	return fail(s, EMFILE);
}

static void file_close(struct semihost_file *f)
{
	if (f->kind == SEMIHOST_FILE)
		close(f->fd);
	f->kind = SEMIHOST_CLOSED;
}

static u32 do_close(const struct call *k)
{
	u32 handle;
	struct semihost_file *f = word(k, 0, &handle) ? file_of(k->s, handle) : NULL;

	if (!f)
		return fail(k->s, EBADF);
	file_close(f);
	return 0;
}

/* Handle, address and count of a read or write. */
static struct semihost_file *transfer(const struct call *k, u32 *va, u32 *n)
{
	u32 handle;

	return word(k, 0, &handle) && word(k, 1, va) && word(k, 2, n) ? file_of(k->s, handle) : NULL;
}

/* Answers how many bytes were not written. */
static u32 do_write(const struct call *k)
{
	u32 va, n = 0;
	struct semihost_file *f = transfer(k, &va, &n);
	u8 buf[1024];

	while (f && n) {
		u32 part = n < sizeof buf ? n : (u32)sizeof buf;
		ssize_t done = part;

		if (!arm_read_virtual(k->c, va, buf, part))
			break;
		if (f->kind == SEMIHOST_CONSOLE)
			fwrite(buf, 1, part, console(k->s));
		else
			done = write(f->fd, buf, part);
		if (done <= 0) {
			k->s->error = (u32)errno;
			break;
		}
		va += (u32)done;
		n -= (u32)done;
	}
	return n;
}

/* Answers how many bytes were not read. The console has no input: it comes from the serial ports. */
static u32 do_read(const struct call *k)
{
	u32 va, n = 0;
	struct semihost_file *f = transfer(k, &va, &n);
	u8 buf[1024];

	while (f && f->kind == SEMIHOST_FILE && n) {
		ssize_t got = read(f->fd, buf, n < sizeof buf ? n : sizeof buf);

		if (got <= 0 || !arm_write_virtual(k->c, va, buf, (size_t)got))
			break;
		va += (u32)got;
		n -= (u32)got;
	}
	return n;
}

static u32 do_seek(const struct call *k)
{
	u32 handle, to;
	struct semihost_file *f = word(k, 0, &handle) && word(k, 1, &to) ? file_of(k->s, handle) : NULL;

	if (!f || f->kind != SEMIHOST_FILE)
		return fail(k->s, EBADF);
	return lseek(f->fd, (off_t)to, SEEK_SET) < 0 ? fail(k->s, errno) : 0;
}

static u32 do_length(const struct call *k)
{
	u32 handle;
	struct semihost_file *f = word(k, 0, &handle) ? file_of(k->s, handle) : NULL;
	struct stat st;

	if (!f || f->kind != SEMIHOST_FILE || fstat(f->fd, &st) < 0)
		return fail(k->s, EBADF);
	return (u32)st.st_size;
}

/* The folder that holds the file is opened beneath ours first, for unlinkat() knows no RESOLVE_BENEATH. */
static u32 remove_path(struct semihost *s, char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int at, bad;

	if (s->folder < 0)
		return fail(s, EACCES);
	if (slash)
		*slash = 0;
	at = (int)syscall(SYS_openat2, s->folder, slash ? path : ".", &how, sizeof how);
	if (at < 0)
		return fail(s, errno);
	bad = unlinkat(at, name, 0) ? errno : 0;
	close(at);
	return bad ? fail(s, bad) : 0;
}

static u32 do_remove(const struct call *k)
{
	char path[PATH_MAX_GUEST];
	u32 name, n;

	if (!word(k, 0, &name) || !word(k, 1, &n) || !path_at(k, name, n, path))
		return fail(k->s, EINVAL);
	return remove_path(k->s, path);
}

/* ---- text, time, the rest ---- */

static u32 write_string(const struct call *k)
{
	char ch;

	for (u32 va = k->arg; arm_read_virtual(k->c, va, &ch, 1) && ch; va++)
		fputc(ch, console(k->s));
	return 0;
}

static u32 write_char(const struct call *k)
{
	char ch;

	if (arm_read_virtual(k->c, k->arg, &ch, 1))
		fputc(ch, console(k->s));
	return 0;
}

static u32 is_tty(const struct call *k)
{
	u32 handle;
	struct semihost_file *f = word(k, 0, &handle) ? file_of(k->s, handle) : NULL;

	return f ? f->kind == SEMIHOST_CONSOLE : fail(k->s, EBADF);
}

static u32 is_error(const struct call *k)
{
	u32 status;

	return word(k, 0, &status) && (s32)status < 0;
}

static u32 command_line(const struct call *k)
{
	const char *text = k->s->cfg->cmdline ? k->s->cfg->cmdline : "";
	u32 va, room, n = (u32)strlen(text);

	if (!word(k, 0, &va) || !word(k, 1, &room) || n >= room || !arm_write_virtual(k->c, va, text, n + 1) ||
	    !arm_write_virtual(k->c, k->arg + 4, &n, 4))
		return fail(k->s, EINVAL);
	return 0;
}

static u32 elapsed(const struct call *k)
{
	u64 now = k->m->sched.now;

	return arm_write_virtual(k->c, k->arg, &now, 8) ? 0 : fail(k->s, EFAULT);
}

/* IHI0100 6.5: SYS_EXIT's argument is the reason itself; the extended form has a block of reason and status. */
static u32 leave(const struct call *k, bool extended)
{
	u32 reason = k->arg, status = 0;

	if (extended && (!word(k, 0, &reason) || !word(k, 1, &status)))
		return fail(k->s, EFAULT);
	k->m->status = reason == EXIT_APPLICATION ? status : 1;
	fflush(console(k->s));
	machine_stop(k->m, STOP_SEMIHOST);
	return 0;
}

static u32 perform(const struct call *k, u32 number)
{
	switch (number) {
	case SYS_OPEN: return do_open(k);
	case SYS_CLOSE: return do_close(k);
	case SYS_WRITEC: return write_char(k);
	case SYS_WRITE0: return write_string(k);
	case SYS_WRITE: return do_write(k);
	case SYS_READ: return do_read(k);
	case SYS_ISERROR: return is_error(k);
	case SYS_ISTTY: return is_tty(k);
	case SYS_SEEK: return do_seek(k);
	case SYS_FLEN: return do_length(k);
	case SYS_REMOVE: return do_remove(k);
	case SYS_CLOCK: return (u32)(k->m->sched.now / (NS_PER_SEC / 100));
	case SYS_TIME: return START_TIME + (u32)(k->m->sched.now / NS_PER_SEC);
	case SYS_ERRNO: return k->s->error;
	case SYS_GET_CMDLINE: return command_line(k);
	case SYS_EXIT: return leave(k, false);
	case SYS_EXIT_EXTENDED: return leave(k, true);
	case SYS_ELAPSED: return elapsed(k);
	case SYS_TICKFREQ: return (u32)NS_PER_SEC;
	default: device_unimplemented("semihosting: call 0x%02x", number); return fail(k->s, ENOSYS);
	}
}

bool semihost_do(struct semihost *s, struct arm_cpu *c, struct machine *m)
{
	const struct call k = {s, c, m, c->s.r[1]};

	c->s.r[0] = perform(&k, c->s.r[0]);
	return true;
}

void semihost_reset(struct semihost *s)
{
	for (unsigned i = 0; i < SEMIHOST_FILES; i++)
		file_close(&s->file[i]);
	s->error = 0;
}

bool semihost_init(struct semihost *s, const struct semihost_config *cfg, struct error *err)
{
	*s = (struct semihost){.cfg = cfg, .folder = -1};
	if (!cfg->on || !cfg->folder)
		return true;
	s->folder = open(cfg->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return s->folder >= 0 || error_set(err, "--semihosting: %s: %s", cfg->folder, strerror(errno));
}

void semihost_free(struct semihost *s)
{
	semihost_reset(s);
	if (s->cfg && s->folder >= 0)
		close(s->folder);
}
