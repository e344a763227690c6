/*
 * Access to a VMCB page by field: vmcb_NAME(page) and vmcb_set_NAME(page, value) for each row NAME of vmcb.def, and the
 * same rows as a field table for printing. The host state-save area of this processor has the layout of a VMCB's
 * state-save area: see host.c.
 */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "base/field.h"
#include "base/types.h"

#define VMCB_SIZE 4096

/* Clean bits, and what else a row's group can say. APM2 15.15.3 */
enum vmcb_group {
	VMCB_I,
	VMCB_IOPM,
	VMCB_ASID,
	VMCB_TPR,
	VMCB_NP,
	VMCB_CRX,
	VMCB_DRX,
	VMCB_DT,
	VMCB_SEG,
	VMCB_CR2,
	VMCB_LBR,
	VMCB_AVIC,
	VMCB_CET,
	VMCB_NONE = 32,
	VMCB_EXIT,
	VMCB_VMLOAD,
};

/* A segment as it lies in the VMCB. */
struct vmcb_seg {
	u16 sel, attr;
	u32 limit;
	u64 base;
} __attribute__((may_alias));

#define VMCB(id, off, width, group, label, names)                                                                      \
	static inline u##width vmcb_##id(const u8 *v)                                                                  \
	{                                                                                                              \
		u##width x;                                                                                            \
		memcpy(&x, v + (off), sizeof x);                                                                       \
		return x;                                                                                              \
	}                                                                                                              \
	static inline void vmcb_set_##id(u8 *v, u##width x) { memcpy(v + (off), &x, sizeof x); }
#define VMCB_SEG(id, off, group, label)                                                                                \
	static inline const struct vmcb_seg *vmcb_##id(const u8 *v)                                                    \
	{                                                                                                              \
		return (const struct vmcb_seg *)(const void *)(v + (off));                                             \
	}                                                                                                              \
	static inline struct vmcb_seg *vmcb_at_##id(u8 *v) { return (struct vmcb_seg *)(void *)(v + (off)); }
#define VMCB_BYTES(id, off, size, group, label)                                                                        \
	static inline const u8 *vmcb_##id(const u8 *v) { return v + (off); }                                           \
	static inline u8 *vmcb_at_##id(u8 *v) { return v + (off); }
#define VMCB_PAD(off, size)
#include "svm/vmcb.def"
#undef VMCB
#undef VMCB_SEG
#undef VMCB_BYTES
#undef VMCB_PAD

/* V_INTR, offset 60h. */
#define V_TPR          0xfull
#define V_IRQ          BIT(8)
#define V_GIF          BIT(9)
#define V_NMI          BIT(11)
#define V_NMI_MASK     BIT(12)
#define V_PRIO(x)      bits(x, 19, 16)
#define V_IGN_TPR      BIT(20)
#define V_INTR_MASKING BIT(24)
#define V_GIF_ENABLE   BIT(25)
#define V_NMI_ENABLE   BIT(26)
#define V_VECTOR(x)    bits(x, 39, 32)

/* NP_CONTROL, offset 90h; VIRT_EXT, offset B8h. */
#define NP_ENABLE     BIT(0)
#define LBR_ENABLE    BIT(0)
#define VMLOAD_ENABLE BIT(1)

/* EVENTINJ and EXITINTINFO. APM2 15.7.2, 15.20 */
#define EVENT_VECTOR(x) bits(x, 7, 0)
#define EVENT_TYPE(x)   bits(x, 10, 8)
#define EVENT_EV        BIT(11)
#define EVENT_V         BIT(31)
enum { EVENT_INTR = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFT = 4 };

/* The rows, in order of offset; a segment is four rows. They cover the page. */
extern const struct field vmcb_fields[];
extern const size_t vmcb_fields_n;
/* The group of row i. */
enum vmcb_group vmcb_group(size_t i);

#endif
