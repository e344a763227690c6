# The host alone, from its first instruction in protected mode: registers, memory, ranges, interrupts of the run, reconnecting.
set pagination off
set confirm off
target remote @SOCKET@
print $pc
break tvmm_main
continue
next
next
step
backtrace
print/x $cr0
print/x $efer
set variable $rbx = 0x1234
print/x $rbx
up
print boot
set variable boot.module_count = 3
print boot.module_count
hbreak machine_end
rwatch boot.module_count
continue
continue
info registers rip
p $xmm0
p $st0
detach
target remote @SOCKET@
info threads
monitor help
kill
