/* hypercall.h: what a guest may ask of tvmm by VMMCALL.
 * RAX holds the number, RBX, RCX and RDX the arguments; RAX returns the answer, all ones for an unknown number.
 * Only the low 32 bits count when the guest is not in 64-bit mode. Also read by the assembler. */
#ifndef FW_HYPERCALL_H
#define FW_HYPERCALL_H

#define HC_PUTC   0 /* RBX: a character for the VMM's console */
#define HC_EXIT   1 /* RBX: 0 when the guest is content, else its result; does not return */
#define HC_INJECT 2 /* RBX: EVENTINJ bits 31:0, RCX: error code, RDX: CR2 if the event is #PF */
#define HC_VIRQ   3 /* RBX: vector, RCX: priority: raise V_IRQ */
#define HC_ALARM  4 /* RBX: vector, priority 15: raise V_IRQ at the next timer tick, once */
#define HC_TICKS  5 /* -> timer ticks since the VMM started */
#define HC_COUNT  6 /* RBX: EXITCODE -> how many such #VMEXITs this guest has caused */
#define HC_CATCH  7 /* RBX: bitmap of exceptions that shall exit; tvmm prints each and reflects it */
#define HC_PROTECT                                                                                                     \
	8 /* RBX: gPA, RCX: HC_READ, HC_WRITE, HC_EXEC: rights in the nested tables until the first NPF there */
#define HC_FUNCTIONS 9

#define HC_READ  1 /* neither WRITE nor EXEC makes sense without READ: not present */
#define HC_WRITE 2
#define HC_EXEC  4

#define MSR_SCRATCH 0x40000000 /* a 64-bit MSR that only tvmm's guests have */

/* EVENTINJ and EXITINTINFO: APM2 15.20, figure 15-4. */
#define EVENT_VECTOR    0xff
#define EVENT_INTR      (0 << 8)
#define EVENT_NMI       (2 << 8)
#define EVENT_EXCEPTION (3 << 8)
#define EVENT_SOFTWARE  (4 << 8)
#define EVENT_TYPE      (7 << 8)
#define EVENT_ERROR     (1 << 11) /* bits 63:32 are an error code */
#define EVENT_VALID     0x80000000

#endif
