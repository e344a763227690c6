/* console.h: text to the VGA screen and to COM1 at once. */
#ifndef TVMM_CONSOLE_H
#define TVMM_CONSOLE_H

#include "types.h"

#define VGA_FRAME     0xb8000 /* physical; 32 KB of text memory, passed through to the guest */
#define VGA_FRAME_END 0xc0000

void console_init(void);
void console_put(char c);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
