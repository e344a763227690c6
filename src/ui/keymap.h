/* Keys of the host by their place on the keyboard (USB HID usage, as SDL numbers them), as scan codes of set 1. */
#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include "base/types.h"

#define KEYMAP_MAX 6 /* bytes of a scan code */

/* The bytes of a make or break code; 0: no such key on a PC keyboard. */
unsigned keymap_set1(unsigned usage, bool down, u8 code[KEYMAP_MAX]);

#endif
