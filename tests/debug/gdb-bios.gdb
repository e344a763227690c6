# Firmware from the reset vector, without symbols: 8086.
set pagination off
set confirm off
target remote @SOCKET@
show architecture
x/1i $pc
stepi
print/x $pc
info registers cs eip
break *0xf0000
delete
stepi 20
print/x $cr0
detach
