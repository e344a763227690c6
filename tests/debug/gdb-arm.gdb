set confirm off
set pagination off
set architecture armv5te
file @FW@/../tests/guests/arm/mmu.elf
target remote @SOCKET@
break try_read
continue
monitor tables
break fault
continue
monitor backtrace
delete 1 2
break check if want == 15
continue
printf "condition: %d\n", want
set $control = 1
