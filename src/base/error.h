/*
 * Errors below main() are a false (or NULL) return and a message in a struct error that the caller passes. The message
 * names the file, the offset and what was expected. Only main() exits.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/types.h"

struct error {
	char msg[512];
};

/* Store the message (truncated at 511 bytes); returns false, so that "return error_set(e, ...)" reads well. */
bool error_set(struct error *e, const char *fmt, ...) PRINTF(2, 3);

#endif
