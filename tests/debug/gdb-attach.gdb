# Connecting when a guest has run: both inferiors are there at once.
set pagination off
set confirm off
target remote @SOCKET@
info inferiors
info threads
thread 2.1
backtrace 1
