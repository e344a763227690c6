/* For the limits. */
#include "boot.inc"
main:
	jmp main
