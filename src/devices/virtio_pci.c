/* See virtio.h. Registers: modern ones by fields of a table, legacy ones by theirs; interrupts. Virtio 1.2, 4.1.4. */
#include "devices/virtio.h"

enum { VENDOR = 0x1af4, LEGACY_ID = 0x1000, MODERN_ID = 0x1040 };
enum { BAR_LEGACY = 0, BAR_MSIX = 1, BAR_MODERN = 4 };
enum { COMMON = 0, ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000, MODERN_SIZE = 0x4000, NOTIFY_STEP = 4 };
enum { CAP_VENDOR = 9, CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_ISR = 3, CFG_DEVICE = 4, CFG_WINDOW = 5 };
enum { CAPS_AT = 0x40, CAP_WINDOW_AT = 0x84, WINDOW_DATA = CAP_WINDOW_AT + 16, CAP_MSIX_AT = 0x98 };

const struct field virtio_fields[VIRTIO_FIELDS] = {
	FIELD_HEX(struct virtio_state, driver_features), FIELD_HEX(struct virtio_state, own),
	FIELD_DEC(struct virtio_state, device_select),   FIELD_DEC(struct virtio_state, driver_select),
	FIELD_DEC(struct virtio_state, queue_select),    FIELD_HEX(struct virtio_state, config_vector),
	FIELD_HEX(struct virtio_state, status),          FIELD_HEX(struct virtio_state, isr),
	FIELD_DEC(struct virtio_state, generation),      FIELD_(struct virtio_state, pad, FMT_PAD, 0),
};

/* ---- interrupts ---- */

void virtio_interrupt(struct virtio *v, u8 isr, u16 vector)
{
	v->s.isr |= isr;
	if (!pci_msix_on(&v->msix))
		pci_intx(&v->pci, true);
	else if (vector != VIRTIO_NO_VECTOR)
		pci_msix_send(&v->msix, vector);
}

/* 4.1.4.5: reading acknowledges. */
static u8 isr_read(struct virtio *v)
{
	u8 isr = v->s.isr;

	v->s.isr = 0;
	pci_intx(&v->pci, false);
	return isr;
}

static u64 msix_peek(const void *dev, u64 off, unsigned size)
{
	(void)size;
	return pci_msix_read(&((const struct virtio *)dev)->msix, off);
}
static u64 msix_read(void *dev, u64 off, unsigned size) { return msix_peek(dev, off, size); }
static void msix_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)size;
	pci_msix_write(&((struct virtio *)dev)->msix, off, (u32)val);
}
static const struct region_ops msix_ops = {"virtio-msix", msix_read, msix_write, msix_peek, 4, 4};

/* ---- status and features ---- */

static void device_reset(struct virtio *v)
{
	v->s = (struct virtio_state){
		.own = v->s.own, .queue_select = v->s.queue_select, .config_vector = VIRTIO_NO_VECTOR};
	virtio_queue_reset(v);
	pci_intx(&v->pci, false);
	if (v->type->reset)
		v->type->reset(v);
}

/* 2.1.1, 3.1.1: features that were not offered are not accepted; writing 0 resets. */
static void set_status(struct virtio *v, u8 status)
{
	if (!status) {
		device_reset(v);
		return;
	}
	if (v->s.driver_features & ~v->features)
		status &= (u8)~VIRTIO_FEATURES_OK;
	v->s.status = status | (v->s.status & VIRTIO_NEEDS_RESET);
}

static void set_features(struct virtio *v, u32 half, u32 val)
{
	if (half < 2 && !(v->s.status & VIRTIO_FEATURES_OK))
		v->s.driver_features = (v->s.driver_features & ~(0xffffffffull << 32 * half)) | (u64)val << 32 * half;
}

static u32 half_of(u64 features, u32 half) { return half < 2 ? (u32)(features >> 32 * half) : 0; }

static u16 checked_vector(const struct virtio *v, u64 vector)
{
	return vector < v->msix.vectors ? (u16)vector : VIRTIO_NO_VECTOR; /* 4.1.5.1.2.1 */
}

static struct virtio_queue_state *selected(struct virtio *v)
{
	return v->s.queue_select < v->type->queues ? &v->s.queue[v->s.queue_select] : NULL;
}

static void notify(struct virtio *v, u64 queue)
{
	if (queue < v->type->queues && virtio_ready(v, (unsigned)queue) && v->type->notify)
		v->type->notify(v, (unsigned)queue);
}

/* ---- the common structure, 4.1.4.3 ---- */

enum {
	C_DEVICE_SELECT = 0,
	C_DEVICE_FEATURES = 4,
	C_DRIVER_SELECT = 8,
	C_DRIVER_FEATURES = 12,
	C_CONFIG_VECTOR = 16,
	C_QUEUES = 18,
	C_STATUS = 20,
	C_GENERATION = 21,
	C_QUEUE_SELECT = 22,
	C_QUEUE_SIZE = 24,
	C_QUEUE_VECTOR = 26,
	C_QUEUE_ENABLE = 28,
	C_QUEUE_NOTIFY = 30,
	C_QUEUE_DESC = 32,
	C_QUEUE_DRIVER = 40,
	C_QUEUE_DEVICE = 48,
	C_END = 56
};

/* All registers as bytes. */
static void common_image(const struct virtio *v, u8 *m)
{
	static const struct virtio_queue_state none = {.vector = VIRTIO_NO_VECTOR};
	u16 n = v->s.queue_select;
	const struct virtio_queue_state *q = n < v->type->queues ? &v->s.queue[n] : &none;

	store_le(m + C_DEVICE_SELECT, 4, v->s.device_select);
	store_le(m + C_DEVICE_FEATURES, 4, half_of(v->features, v->s.device_select));
	store_le(m + C_DRIVER_SELECT, 4, v->s.driver_select);
	store_le(m + C_DRIVER_FEATURES, 4, half_of(v->s.driver_features, v->s.driver_select));
	store_le(m + C_CONFIG_VECTOR, 2, v->s.config_vector);
	store_le(m + C_QUEUES, 2, v->type->queues);
	m[C_STATUS] = v->s.status;
	m[C_GENERATION] = v->s.generation;
	store_le(m + C_QUEUE_SELECT, 2, n);
	store_le(m + C_QUEUE_SIZE, 2, q->size);
	store_le(m + C_QUEUE_VECTOR, 2, q->vector);
	store_le(m + C_QUEUE_ENABLE, 2, q->enabled);
	store_le(m + C_QUEUE_NOTIFY, 2, n < v->type->queues ? n : 0);
	store_le(m + C_QUEUE_DESC, 8, q->desc);
	store_le(m + C_QUEUE_DRIVER, 8, q->driver);
	store_le(m + C_QUEUE_DEVICE, 8, q->device);
}

static void set_queue(struct virtio *v, unsigned at, const u8 *m)
{
	struct virtio_queue_state *q = selected(v);
	u16 size = (u16)load_le(m + C_QUEUE_SIZE, 2);

	if (!q)
		return;
	if (at == C_QUEUE_VECTOR)
		q->vector = checked_vector(v, load_le(m + C_QUEUE_VECTOR, 2));
	if (q->enabled)
		return; /* 4.1.4.3.2: not to be changed any more */
	q->desc = load_le(m + C_QUEUE_DESC, 8);
	q->driver = load_le(m + C_QUEUE_DRIVER, 8);
	q->device = load_le(m + C_QUEUE_DEVICE, 8);
	if (is_pow2(size) && size <= v->type->queue_size)
		q->size = size;
	if (at == C_QUEUE_ENABLE && m[C_QUEUE_ENABLE] == 1)
		q->enabled = 1;
}

/* m: the registers after the write; at: the register that was written. */
static void common_set(struct virtio *v, unsigned at, const u8 *m)
{
	switch (at) {
	case C_DEVICE_SELECT: v->s.device_select = (u32)load_le(m + at, 4); break;
	case C_DRIVER_SELECT: v->s.driver_select = (u32)load_le(m + at, 4); break;
	case C_DRIVER_FEATURES: set_features(v, v->s.driver_select, (u32)load_le(m + at, 4)); break;
	case C_CONFIG_VECTOR: v->s.config_vector = checked_vector(v, load_le(m + at, 2)); break;
	case C_STATUS: set_status(v, m[at]); break;
	case C_QUEUE_SELECT: v->s.queue_select = (u16)load_le(m + at, 2); break;
	case C_DEVICE_FEATURES:
	case C_QUEUES:
	case C_GENERATION:
	case C_QUEUE_NOTIFY: break; /* read-only */
	default: set_queue(v, at, m); break;
	}
}

/* The register that byte off belongs to. */
static unsigned register_at(u64 off)
{
	static const u8 start[] = {C_DEVICE_SELECT, C_DEVICE_FEATURES, C_DRIVER_SELECT, C_DRIVER_FEATURES,
				   C_CONFIG_VECTOR, C_QUEUES,          C_STATUS,        C_GENERATION,
				   C_QUEUE_SELECT,  C_QUEUE_SIZE,      C_QUEUE_VECTOR,  C_QUEUE_ENABLE,
				   C_QUEUE_NOTIFY,  C_QUEUE_DESC,      C_QUEUE_DRIVER,  C_QUEUE_DEVICE};
	unsigned n = ARRAY_SIZE(start);

	while (start[--n] > off)
		;
	return start[n];
}

static void common_write(struct virtio *v, u64 off, unsigned size, u64 val)
{
	u8 m[C_END];

	if (off + size > C_END)
		return;
	common_image(v, m);
	store_le(m + off, size, val);
	common_set(v, register_at(off), m);
}

/* ---- BAR 4 ---- */

static u64 image_get(const u8 *m, u64 end, u64 off, unsigned size)
{
	return off + size <= end ? load_le(m + off, size) : 0;
}

static u64 modern_peek(const void *dev, u64 off, unsigned size)
{
	const struct virtio *v = dev;
	u8 m[C_END];

	if (off < ISR) {
		common_image(v, m);
		return image_get(m, C_END, off, size);
	}
	if (off < DEVICE)
		return off == ISR ? v->s.isr : 0;
	return off < NOTIFY ? image_get(v->config, v->type->config_size, off - DEVICE, size) : 0;
}

static u64 modern_read(void *dev, u64 off, unsigned size)
{
	return off == ISR ? isr_read(dev) : modern_peek(dev, off, size);
}

static void modern_write(void *dev, u64 off, unsigned size, u64 val)
{
	if (off < ISR)
		common_write(dev, off, size, val);
	else if (off >= NOTIFY)
		notify(dev, (off - NOTIFY) / NOTIFY_STEP);
}

static const struct region_ops modern_ops = {"virtio", modern_read, modern_write, modern_peek, 1, 4};

/* ---- a window on BAR 4 in configuration space, 4.1.4.9 ---- */

/* How many bytes the data register at [off, off + size) stands for, at *at in the BAR; 0: it is not touched, or was set
 * up wrongly. */
static unsigned window(const struct virtio *v, unsigned off, unsigned size, u64 *at)
{
	u32 length = pci_get(&v->pci, CAP_WINDOW_AT + 12, 4);

	*at = pci_get(&v->pci, CAP_WINDOW_AT + 8, 4);
	if (!v->pci.reading || off < WINDOW_DATA || off + size > WINDOW_DATA + 4 ||
	    v->pci.s.config[CAP_WINDOW_AT + 4] != BAR_MODERN)
		return 0;
	if ((length != 1 && length != 2 && length != 4) || *at % length || *at + length > MODERN_SIZE)
		return 0;
	return length;
}

static void window_read(void *dev, unsigned off, unsigned size)
{
	struct virtio *v = dev;
	u64 at;
	unsigned n = window(v, off, size, &at);

	if (n)
		store_le(v->pci.s.config + WINDOW_DATA, n, modern_read(v, at, n));
}

static void config_changed(void *dev, unsigned off, unsigned size)
{
	struct virtio *v = dev;
	u64 at;
	unsigned n = window(v, off, size, &at);

	if (n)
		modern_write(v, at, n, pci_get(&v->pci, WINDOW_DATA, n));
	pci_msix_changed(&v->msix);
	if (pci_msix_on(&v->msix) && v->pci.s.intx)
		pci_intx(&v->pci, false);
}

/* ---- BAR 0: legacy, 4.1.4.10 ---- */

enum {
	L_DEVICE_FEATURES = 0,
	L_DRIVER_FEATURES = 4,
	L_QUEUE_PFN = 8,
	L_QUEUE_SIZE = 12,
	L_QUEUE_SELECT = 14,
	L_NOTIFY = 16,
	L_STATUS = 18,
	L_ISR = 19,
	L_CONFIG_VECTOR = 20,
	L_QUEUE_VECTOR = 22,
	L_END = 24
};

/* The vectors are there only while MSI-X is on; the device's configuration follows. */
static unsigned legacy_config(const struct virtio *v) { return pci_msix_on(&v->msix) ? L_END : L_CONFIG_VECTOR; }

static u64 legacy_peek(const void *dev, u64 off, unsigned size)
{
	const struct virtio *v = dev;
	const struct virtio_queue_state *q =
		v->s.queue_select < v->type->queues ? &v->s.queue[v->s.queue_select] : NULL;
	u8 m[L_END] = {0};

	if (off >= legacy_config(v))
		return image_get(v->config, v->type->config_size, off - legacy_config(v), size);
	store_le(m + L_DEVICE_FEATURES, 4, (u32)v->features);
	store_le(m + L_DRIVER_FEATURES, 4, (u32)v->s.driver_features);
	store_le(m + L_QUEUE_PFN, 4, q ? q->desc >> 12 : 0);
	store_le(m + L_QUEUE_SIZE, 2, q ? q->size : 0);
	store_le(m + L_QUEUE_SELECT, 2, v->s.queue_select);
	m[L_STATUS] = v->s.status;
	m[L_ISR] = v->s.isr;
	store_le(m + L_CONFIG_VECTOR, 2, v->s.config_vector);
	store_le(m + L_QUEUE_VECTOR, 2, q ? q->vector : VIRTIO_NO_VECTOR);
	return image_get(m, L_END, off, size);
}

static u64 legacy_read(void *dev, u64 off, unsigned size)
{
	return off == L_ISR ? isr_read(dev) : legacy_peek(dev, off, size);
}

/* 2.7.2: descriptors, available ring, and on the next page the used ring. */
static void set_pfn(struct virtio *v, u32 pfn)
{
	struct virtio_queue_state *q = selected(v);

	if (!q)
		return;
	q->desc = (u64)pfn << 12;
	q->driver = q->desc + 16u * q->size;
	q->device = (q->driver + 6u + 2u * q->size + 4095) & ~4095ull;
	q->enabled = pfn != 0;
	q->last_avail = q->used_idx = q->signalled = q->signalled_valid = 0;
}

static void legacy_write(void *dev, u64 off, unsigned size, u64 val)
{
	struct virtio *v = dev;
	struct virtio_queue_state *q = selected(v);

	(void)size;
	if (off >= legacy_config(v))
		return;
	switch (off) {
	case L_DRIVER_FEATURES: v->s.driver_features = (u32)(val & v->features); break;
	case L_QUEUE_PFN: set_pfn(v, (u32)val); break;
	case L_QUEUE_SELECT: v->s.queue_select = (u16)val; break;
	case L_NOTIFY: notify(v, (u16)val); break;
	case L_STATUS: set_status(v, (u8)val); break;
	case L_CONFIG_VECTOR: v->s.config_vector = checked_vector(v, val); break;
	case L_QUEUE_VECTOR:
		if (q)
			q->vector = checked_vector(v, val);
		break;
	default: break;
	}
}

static const struct region_ops legacy_ops = {"virtio-legacy", legacy_read, legacy_write, legacy_peek, 1, 4};

/* ---- building ---- */

/* 4.1.4: where each structure is. */
static unsigned capability(struct virtio *v, unsigned at, u8 type, u32 off, u32 length)
{
	struct pci_device *d = &v->pci;
	unsigned size = type == CFG_NOTIFY || type == CFG_WINDOW ? 20 : 16;

	pci_set(d, at + 2, 1, size, 0);
	pci_set(d, at + 3, 1, type, 0);
	pci_set(d, at + 4, 1, BAR_MODERN, 0);
	pci_set(d, at + 8, 4, off, 0);
	pci_set(d, at + 12, 4, length, 0);
	if (type == CFG_NOTIFY)
		pci_set(d, at + 16, 4, NOTIFY_STEP, 0);
	pci_capability(d, at, CAP_VENDOR);
	return at + size;
}

static void add_modern(struct virtio *v)
{
	unsigned at = CAPS_AT;

	pci_bar_device(&v->pci, BAR_MODERN, PCI_MEMORY64 | PCI_PREFETCH, MODERN_SIZE, &modern_ops);
	at = capability(v, at, CFG_COMMON, COMMON, C_END);
	at = capability(v, at, CFG_ISR, ISR, 1);
	at = capability(v, at, CFG_DEVICE, DEVICE, 0x1000);
	at = capability(v, at, CFG_NOTIFY, NOTIFY, 0x1000);
	capability(v, at, CFG_WINDOW, 0, 0);
	pci_set(&v->pci, at + 4, 1, 0, 0xff);
	for (unsigned i = 8; i < 20; i += 4)
		pci_set(&v->pci, at + i, 4, 0, 0xffffffff);
	v->pci.reading = window_read;
}

/* Legacy and transitional IDs (4.1.2.3): 1000h + a number of their own. */
static u16 legacy_id(u16 type)
{
	static const u8 number[] = {[1] = 0, [2] = 1, [4] = 5};

	return LEGACY_ID + number[type];
}

void virtio_init(struct virtio *v, const struct virtio_type *type, enum virtio_kinds kind)
{
	const struct pci_id id = {
		.vendor = VENDOR,
		.device = kind == VIRTIO_MODERN ? MODERN_ID + type->id : legacy_id(type->id),
		.class_code = type->class_code,
		.revision = kind == VIRTIO_MODERN,
		.subsystem_vendor = VENDOR,
		.subsystem = kind == VIRTIO_MODERN ? 0x1100 : type->id,
		.pin = 1,
	};
	unsigned io = L_END + type->config_size, size = 32;

	memset(v, 0, sizeof *v);
	v->type = type;
	v->features = type->features | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
	v->features |= kind == VIRTIO_LEGACY ? 0 : VIRTIO_F_VERSION_1;
	v->features |= kind == VIRTIO_MODERN ? 0 : VIRTIO_F_ANY_LAYOUT;
	pci_init(&v->pci, type->name, &id, v);
	v->pci.changed = config_changed;
	while (size < io)
		size *= 2;
	if (kind != VIRTIO_MODERN)
		pci_bar_device(&v->pci, BAR_LEGACY, PCI_IO, size, &legacy_ops);
	pci_bar_device(&v->pci, BAR_MSIX, PCI_MEMORY, PCI_MSIX_BAR_SIZE, &msix_ops);
	if (kind != VIRTIO_LEGACY)
		add_modern(v);
	pci_msix_init(&v->msix, &v->pci, CAP_MSIX_AT, BAR_MSIX, type->queues + 1u);
	v->s.config_vector = VIRTIO_NO_VECTOR;
	virtio_queue_reset(v);
}

void virtio_reset(struct virtio *v)
{
	pci_msix_reset(&v->msix);
	v->s.queue_select = 0;
	device_reset(v);
	pci_reset(&v->pci);
}
