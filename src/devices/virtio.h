/*
 * Virtio on PCI: what all virtio devices share. virtio.c: queues (split rings, indirect descriptors, event indexes);
 * virtio_pci.c: the registers, modern (BAR 4) and legacy (BAR 0), and interrupts by pin or MSI-X (BAR 1). A device is a
 * struct that begins with a struct virtio, and a struct virtio_type. Requests are worked on when the guest notifies, at
 * once. Manual: Virtual I/O Device Version 1.2: 2.1 (status), 2.2 (features), 2.7 (split queues), 4.1 (PCI), 4.1.4.10
 * (legacy).
 */
#ifndef DEVICES_VIRTIO_H
#define DEVICES_VIRTIO_H

#include "devices/pci.h"
#include "devices/pci_msix.h"

#define VIRTIO_QUEUES    2
#define VIRTIO_QUEUE_MAX 256
#define VIRTIO_SEGMENTS  1024 /* descriptors of one request, at most */
#define VIRTIO_NO_VECTOR 0xffff

/* Feature bits of all devices (6). */
#define VIRTIO_F_ANY_LAYOUT    BIT(27)
#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1     BIT(32)

enum virtio_status { VIRTIO_DRIVER_OK = 4, VIRTIO_FEATURES_OK = 8, VIRTIO_NEEDS_RESET = 0x40 };
enum virtio_kinds { VIRTIO_TRANSITIONAL, VIRTIO_LEGACY, VIRTIO_MODERN };

struct virtio_queue_state {
	u64 desc, driver, device; /* addresses: descriptors, available ring, used ring */
	u16 size;
	u16 last_avail, used_idx;
	u16 signalled; /* used_idx at the last interrupt */
	u16 vector;
	u8 enabled, signalled_valid;
	u8 pad[4];
};

/* Saved. */
struct virtio_state {
	u64 driver_features;
	u64 own;                          /* the device's own; the driver's reset of the device leaves it */
	u32 device_select, driver_select; /* which half of the features the registers show */
	u16 queue_select, config_vector;
	u8 status, isr, generation;
	u8 pad[1];
	struct virtio_queue_state queue[VIRTIO_QUEUES];
};

struct virtio;

struct virtio_type {
	const char *name;
	u16 id; /* 5 */
	u32 class_code;
	u16 queues, queue_size;
	u64 features;
	unsigned config_size;
	/* Called with the struct that begins with the struct virtio; may be NULL. */
	void (*notify)(struct virtio *v, unsigned queue); /* the guest added requests */
	void (*reset)(struct virtio *v);
};

struct virtio {
	struct virtio_state s;
	struct pci_device pci;
	struct pci_msix msix;
	const struct virtio_type *type;
	bool complained; /* about a driver that does it wrong: once */
	u64 features;    /* offered: type's, and what the instance adds */
	u8 config[64];   /* the device's configuration; the device changes it, the guest reads it */
};

#define VIRTIO_FIELDS       10
#define VIRTIO_QUEUE_FIELDS 11
extern const struct field virtio_fields[VIRTIO_FIELDS]; /* without the queues */
extern const struct field virtio_queue_fields[VIRTIO_QUEUE_FIELDS];

void virtio_init(struct virtio *v, const struct virtio_type *type, enum virtio_kinds kind);
void virtio_reset(struct virtio *v);

/* ---- for the devices ---- */

/* A request: readable bytes (from the guest) first, then writable ones. */
struct virtio_chain {
	u16 head;
	u16 outs, ins; /* segments */
	u32 out_size, in_size;
	struct virtio_segment {
		u64 pa;
		u32 len;
	} seg[VIRTIO_SEGMENTS];
};

static inline bool virtio_has(const struct virtio *v, u64 feature) { return v->s.driver_features & feature; }
/* The driver runs, and the queue is set up. */
bool virtio_ready(const struct virtio *v, unsigned queue);
/* How many requests wait in a queue. */
unsigned virtio_waiting(struct virtio *v, unsigned queue);
/* Takes the next request; false: none. A request that cannot be is the driver's fault: the device stops (2.1.2). */
bool virtio_next(struct virtio *v, unsigned queue, struct virtio_chain *c);
/* Bytes of the readable or the writable part, from offset on; returns how many there were. */
u32 virtio_get(struct virtio *v, const struct virtio_chain *c, u32 off, void *buf, u32 n);
u32 virtio_put(struct virtio *v, const struct virtio_chain *c, u32 off, const void *buf, u32 n);
/* The request is done, written bytes were put. */
void virtio_done(struct virtio *v, unsigned queue, const struct virtio_chain *c, u32 written);
/* After a batch of virtio_done: interrupts if the driver wants it. */
void virtio_signal(struct virtio *v, unsigned queue);

/* ---- between virtio.c and virtio_pci.c ---- */
void virtio_queue_reset(struct virtio *v);
void virtio_interrupt(struct virtio *v, u8 isr, u16 vector);

#endif
