set pagination off
set confirm off
target remote @SOCKET@
break switch.S:57
continue
continue
delete
stepi
info threads
break hello.c:22
continue
backtrace
thread 1.1
backtrace
