/* Was it a BIOS that started this? Exit 4: yes: INT 10h leads to the video BIOS, the memory map has what SeaBIOS reserves, and the ACPI
 * root pointer is in its segment. Other values say what was wrong. */
#include "boot.inc"
main:
	mov $1, %eax
	testl $0x40, (%ebx)		/* a memory map */
	jz done
	mov $2, %eax
	mov 44(%ebx), %ecx		/* its length */
	mov 48(%ebx), %esi
	add %esi, %ecx
1:	cmpl $0xf0000, 4(%esi)		/* the BIOS's own segment is in it, reserved */
	jne 2f
	cmpl $2, 20(%esi)
	je found
2:	add (%esi), %esi
	add $4, %esi
	cmp %ecx, %esi
	jb 1b
	jmp done
found:	mov $3, %eax
	mov 0x40, %ecx			/* INT 10h */
	mov %ecx, %edx
	shr $16, %ecx
	cmp $0xc000, %cx		/* the video BIOS has it */
	jb done
	cmp $0xf000, %cx
	jae done
	mov $5, %eax			/* "RSD " in F0000h-FFFFFh */
	mov $0xf0000, %esi
3:	cmpl $0x20445352, (%esi)
	je ok
	add $16, %esi
	cmp $0x100000, %esi
	jb 3b
	jmp done
ok:	mov $4, %eax
done:	out %eax, $0xf4
	hlt
