# A guest in real mode.
set pagination off
set confirm off
target remote @SOCKET@
break switch.S:57
continue
continue
delete
stepi
info threads
x/2i $pc
stepi
stepi
print $pc
info registers cs
