/* The field table of struct arm_state: what monitor, state hash and snapshot read. */
#include "cpu_arm/cpu.h"

static const char *const psr_names[] = {0, 0, 0, 0, 0, "T", "F", "I", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "J", 0, 0, "Q", "V", "C", "Z", "N",
                                        FIELD_END};
static const char *const control_names[] = {"M", "A", "C", 0, 0, 0, 0, "B", "S", "R", 0, 0, "I", "V", "RR", "L4", FIELD_END};
static const char *const fpexc_names[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "EN", "EX", FIELD_END};

#define M(m) FIELD_HEX(struct arm_state, m)
#define AT(n, m) {n, offsetof(struct arm_state, m), 4, 1, FMT_HEX, 0}
#define PSR(n, m) {n, offsetof(struct arm_state, m), 4, 1, FMT_BITS, psr_names}

const struct field arm_fields[] = {
        AT("r0", r[0]), AT("r1", r[1]), AT("r2", r[2]), AT("r3", r[3]), AT("r4", r[4]), AT("r5", r[5]), AT("r6", r[6]), AT("r7", r[7]),
        AT("r8", r[8]), AT("r9", r[9]), AT("r10", r[10]), AT("r11", r[11]), AT("r12", r[12]), AT("sp", r[13]), AT("lr", r[14]), AT("pc", r[15]),
        PSR("cpsr", cpsr), AT("spsr_none", spsr[0]), PSR("spsr_fiq", spsr[BANK_FIQ]), PSR("spsr_irq", spsr[BANK_IRQ]),
        PSR("spsr_svc", spsr[BANK_SVC]), PSR("spsr_abt", spsr[BANK_ABT]), PSR("spsr_und", spsr[BANK_UND]),
        AT("r13_usr", r13[BANK_USR]), AT("r13_fiq", r13[BANK_FIQ]), AT("r13_irq", r13[BANK_IRQ]), AT("r13_svc", r13[BANK_SVC]),
        AT("r13_abt", r13[BANK_ABT]), AT("r13_und", r13[BANK_UND]), AT("r14_usr", r14[BANK_USR]), AT("r14_fiq", r14[BANK_FIQ]),
        AT("r14_irq", r14[BANK_IRQ]), AT("r14_svc", r14[BANK_SVC]), AT("r14_abt", r14[BANK_ABT]), AT("r14_und", r14[BANK_UND]),
        FIELD_ARRAY(struct arm_state, r8_usr), FIELD_ARRAY(struct arm_state, r8_fiq), M(irq), M(fiq), M(waiting),
        FIELD_(struct arm_state, pad, FMT_PAD, 0),
        FIELD_BITS(struct arm_state, cp15.control, control_names), M(cp15.ttbr), M(cp15.dacr), M(cp15.dfsr), M(cp15.ifsr), M(cp15.far),
        M(cp15.dlock), M(cp15.ilock), M(cp15.fcse), M(cp15.context), M(cp15.debug_override), M(cp15.test_address),
        M(cp15.region_remap), M(cp15.trace_control), M(cp15.cache_debug),
        FIELD_ARRAY(struct arm_state, vfp.s), M(vfp.fpscr), FIELD_BITS(struct arm_state, vfp.fpexc, fpexc_names), M(vfp.fpinst), M(vfp.fpinst2),
        FIELD_(struct arm_state, pad1, FMT_PAD, 0), FIELD_DEC(struct arm_state, retired),
};
const size_t arm_fields_n = ARRAY_SIZE(arm_fields);
