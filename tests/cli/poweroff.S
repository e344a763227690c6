/* ACPI S5: SLP_TYP 0 with SLP_EN in PM1a control. */
#include "boot.inc"
main:
	outw 0x604, 0x2000
	hlt
