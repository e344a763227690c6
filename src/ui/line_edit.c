/* See line_edit.h. */
#include "ui/line_edit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "debug/monitor.h"

#define IDLE_MS 20

/* One byte of the standard input, unbuffered. 0: end or gave up. */
static int wait_byte(struct line_edit *l, char *c)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t n;

	for (;;) {
		if (l->idle && l->idle(l->idle_arg)) {
			l->gave_up = true;
			return 0;
		}
		if (poll(&p, 1, l->idle ? IDLE_MS : -1) <= 0)
			continue;
		n = read(STDIN_FILENO, c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		l->eof |= n <= 0;
		return n > 0;
	}
}

static const char *plain_line(struct line_edit *l)
{
	size_t n = 0;
	char c;

	while (wait_byte(l, &c)) {
		if (c == '\n') {
			l->line[n] = 0;
			return l->line;
		}
		if (n + 1 < sizeof l->line)
			l->line[n++] = c;
	}
	l->line[n] = 0;
	return n ? l->line : NULL;
}

#ifdef HAVE_LIBEDIT
#include <histedit.h>

static struct line_edit *of(EditLine *el)
{
	void *arg;

	el_get(el, EL_CLIENTDATA, &arg);
	return arg;
}

static char *prompt(EditLine *el) { return of(el)->prompt; }

static int get_char(EditLine *el, wchar_t *c)
{
	char byte;
	int n = wait_byte(of(el), &byte);

	*c = (unsigned char)byte;
	return n;
}

/* The first word is a command's name; what several have in common is filled in. */
static unsigned char complete(EditLine *el, int ch)
{
	const LineInfo *li = el_line(el);
	size_t len = (size_t)(li->cursor - li->buffer), common;
	const char *first = monitor_complete(li->buffer, len, 0), *next;
	char rest[64];

	(void)ch;
	if (!first || memchr(li->buffer, ' ', len))
		return CC_ERROR;
	common = strlen(first);
	for (unsigned n = 1; (next = monitor_complete(li->buffer, len, n)); n++)
		while (strncmp(first, next, common))
			common--;
	snprintf(rest, sizeof rest, "%.*s%s", (int)(common - len), first + len, monitor_complete(li->buffer, len, 1) ? "" : " ");
	if (!*rest || el_insertstr(el, rest) < 0)
		return CC_REFRESH_BEEP;
	return CC_REFRESH;
}

static unsigned char go_back(EditLine *el, int ch)
{
	(void)ch;
	of(el)->back = true;
	return CC_NEWLINE;
}

void line_edit_init(struct line_edit *l, const char *text)
{
	HistEvent ev;

	memset(l, 0, sizeof *l);
	snprintf(l->prompt, sizeof l->prompt, "%s", text);
	l->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (!l->tty)
		return;
	l->el = el_init("undervisor", stdin, stdout, stderr);
	l->history = history_init();
	if (!l->el || !l->history)
		return;
	history(l->history, &ev, H_SETSIZE, 500);
	el_set(l->el, EL_CLIENTDATA, l);
	el_set(l->el, EL_PROMPT, prompt);
	el_set(l->el, EL_EDITOR, "emacs");
	el_set(l->el, EL_HIST, history, l->history);
	el_set(l->el, EL_GETCFN, get_char);
	el_set(l->el, EL_ADDFN, "uv-complete", "complete a command", complete);
	el_set(l->el, EL_ADDFN, "uv-back", "back to the serial port", go_back);
	el_set(l->el, EL_BIND, "^I", "uv-complete", NULL);
	el_set(l->el, EL_BIND, "^Ac", "uv-back", NULL);
}

static const char *edited_line(struct line_edit *l)
{
	HistEvent ev;
	int n;
	const char *s = el_gets(l->el, &n);

	if (!s || n <= 0 || l->gave_up)
		return NULL;
	snprintf(l->line, sizeof l->line, "%.*s", (int)strcspn(s, "\r\n"), s);
	if (l->line[0])
		history(l->history, &ev, H_ENTER, l->line);
	return l->line;
}

void line_edit_free(struct line_edit *l)
{
	if (l->el)
		el_end(l->el);
	if (l->history)
		history_end(l->history);
	l->el = l->history = NULL;
}

const char *line_edit_library(void) { return "libedit"; }
#else
void line_edit_init(struct line_edit *l, const char *text)
{
	memset(l, 0, sizeof *l);
	snprintf(l->prompt, sizeof l->prompt, "%s", text);
	l->tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static const char *edited_line(struct line_edit *l) { return plain_line(l); }
void line_edit_free(struct line_edit *l) { (void)l; }
const char *line_edit_library(void) { return NULL; }
#endif

const char *line_edit_get(struct line_edit *l)
{
	l->gave_up = l->back = false;
	if (l->el)
		return edited_line(l);
	if (l->tty) {
		printf("%s", l->prompt);
		fflush(stdout);
	}
	return plain_line(l);
}
