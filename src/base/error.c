/* See error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return false;
}
