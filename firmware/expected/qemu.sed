# Where QEMU 7.2 differs from the manual: expected text -> QEMU's text.
# A reserved bit is found in a present entry: error code RSV and P (APM2 8.4.2). QEMU leaves P out.
s/#PF: error code 09, CR2 80000000/#PF: error code 08, CR2 80000000/
