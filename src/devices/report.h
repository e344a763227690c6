/* What a guest asked of a device that the device cannot do is said once, on stderr. */
#ifndef DEVICES_REPORT_H
#define DEVICES_REPORT_H

#include "base/types.h"

/* Prints "unimplemented: ..." and a newline; a message that was printed before is dropped. Put the register and the
 * value into the message only when a new value is news. */
void device_unimplemented(const char *fmt, ...) PRINTF(1, 2) COLD;

#endif
