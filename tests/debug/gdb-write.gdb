# Registers of the world that waits, and those of a second inferior's VMCB. A breakpoint at VMRUN or at an instruction that leaves the guest:
# GDB steps over it.
set pagination off
set confirm off
define refused
  python
try:
    gdb.execute("set variable $arg0 = $arg1")
except gdb.error as e:
    print("refused: %s" % e)
  end
end
target remote @SOCKET@
break switch.S:57
continue
continue
echo -- a step over VMRUN with a breakpoint there\n
stepi
info threads
stepi
delete 1
unset tdesc filename
print $vmcb_asid
break touch_write
continue
echo -- the host, while the guest runs\n
thread 1.1
set variable $kept = $rax
set variable $rax = 0x1234
print/x $rax
set variable $rax = $kept
set variable $eflags = 2
print $eflags
set variable $cr3 = $cr3
refused $rbx 1
refused $fs_base 1
refused $msr_star 1
print/x $vmcb_asid
echo -- the guest, while the host runs\n
thread 2.1
stepi
info threads
set variable $rax = 0x777
print/x $vmcb_rax
set variable $rip = touch_end
print/x $vmcb_rip
set variable $cr2 = 0x5555
print/x $vmcb_cr2
set variable $cs_base = 0
set variable $vmcb_br_to = 0x4321
print/x $vmcb_br_to
refused $rdi 5
refused $vmcb_cpl 0x155
print/x $rip
echo -- it goes on there\n
delete
tbreak touch_end
continue
print $rax
