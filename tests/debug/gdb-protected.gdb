# A 32-bit guest beside the 64-bit host.
set pagination off
set confirm off
target remote @SOCKET@
break switch.S:57
continue
continue
delete
stepi
info threads
break guest_main
continue
backtrace
print $pc
stepi
info registers eip
thread 1.1
backtrace 2
