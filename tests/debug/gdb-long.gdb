# The host, a step into VMRUN, the guest at a source line, both stacks, memory of the side that waits.
set pagination off
set confirm off
target remote @SOCKET@
break switch.S:57
continue
continue
delete
stepi
info threads
info inferiors
break hello.c:22 if text[0] == 'H'
continue
backtrace
print text
thread 1.1
backtrace
x/1i $pc
print/x $vmcb_rip
thread 2.1
delete
watch -l *(long *)($rsp - 8)
continue
monitor backtrace
print $rip
delete
thread 1.1
break exit_handle
continue
print vm->name
print/x $vmcb_exitinfo2
thread 2.1
x/1i $pc
set variable $rbx = 1
detach
