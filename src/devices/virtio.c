/* See virtio.h. Queues: what the driver put into the rings, and the answers. Virtio 1.2, 2.7. */
#include "devices/virtio.h"

#include <stdio.h>

enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_SIZE = 16 };
enum { AVAIL_NO_INTERRUPT = 1 };
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

const struct field virtio_queue_fields[VIRTIO_QUEUE_FIELDS] = {
	FIELD_HEX(struct virtio_queue_state, desc),         FIELD_HEX(struct virtio_queue_state, driver),
	FIELD_HEX(struct virtio_queue_state, device),       FIELD_DEC(struct virtio_queue_state, size),
	FIELD_DEC(struct virtio_queue_state, last_avail),   FIELD_DEC(struct virtio_queue_state, used_idx),
	FIELD_DEC(struct virtio_queue_state, signalled),    FIELD_HEX(struct virtio_queue_state, vector),
	FIELD_DEC(struct virtio_queue_state, enabled),      FIELD_DEC(struct virtio_queue_state, signalled_valid),
	FIELD_(struct virtio_queue_state, pad, FMT_PAD, 0),
};

/* ---- guest memory ---- */

static u16 get16(struct virtio *v, u64 pa)
{
	u8 b[2];

	pci_dma_read(&v->pci, pa, b, sizeof b);
	return (u16)load_le(b, 2);
}

static void put16(struct virtio *v, u64 pa, u16 val)
{
	u8 b[2];

	store_le(b, 2, val);
	pci_dma_write(&v->pci, pa, b, sizeof b);
}

/* 2.7.6, 2.7.8: flags, index, ring, and behind it the other side's event index. */
static u16 avail_idx(struct virtio *v, const struct virtio_queue_state *q) { return get16(v, q->driver + 2); }
static u64 used_event(const struct virtio_queue_state *q) { return q->driver + 4 + 2u * q->size; }
static u64 avail_event(const struct virtio_queue_state *q) { return q->device + 4 + 8u * q->size; }

/* ---- requests ---- */

bool virtio_ready(const struct virtio *v, unsigned queue)
{
	return v->s.status & VIRTIO_DRIVER_OK && !(v->s.status & VIRTIO_NEEDS_RESET) && v->s.queue[queue].enabled;
}

/* 2.1.2: the driver has to reset the device. */
static bool broken(struct virtio *v, unsigned queue, const char *what)
{
	if (!v->complained)
		fprintf(stderr, "undervisor: %s: queue %u: %s; the device stops until its driver resets it\n",
			v->type->name, queue, what);
	v->complained = true;
	v->s.status |= VIRTIO_NEEDS_RESET;
	virtio_interrupt(v, ISR_CONFIG, v->s.config_vector);
	return false;
}

unsigned virtio_waiting(struct virtio *v, unsigned queue)
{
	const struct virtio_queue_state *q = &v->s.queue[queue];

	return virtio_ready(v, queue) ? (u16)(avail_idx(v, q) - q->last_avail) : 0;
}

/* A table of descriptors: the queue's, or an indirect one. */
struct table {
	u64 base;
	u32 n;
	bool indirect;
};

static const char *add_segment(struct virtio_chain *c, const u8 *d, u16 flags)
{
	unsigned n = c->outs + c->ins;
	u32 len = (u32)load_le(d + 8, 4);
	bool in = flags & DESC_WRITE;
	u32 *sum = in ? &c->in_size : &c->out_size;

	if (n == VIRTIO_SEGMENTS)
		return "more descriptors in one request than this device takes";
	if (!in && c->ins)
		return "a readable descriptor behind a writable one";
	if (len > 0xffffffff - *sum)
		return "a request of more than 4 GB";
	c->seg[n] = (struct virtio_segment){load_le(d, 8), len};
	*sum += len;
	in ? c->ins++ : c->outs++;
	return NULL;
}

/* Follows the chain from descriptor i on; NULL, or what is wrong. */
static const char *walk(struct virtio *v, struct table t, u32 i, struct virtio_chain *c)
{
	for (u32 steps = 0;; steps++) {
		u8 d[DESC_SIZE];
		const char *wrong;
		u16 flags;

		if (i >= t.n)
			return "a descriptor number behind the table's end";
		if (steps > VIRTIO_SEGMENTS || (steps > t.n))
			return "a chain of descriptors without an end";
		pci_dma_read(&v->pci, t.base + (u64)i * DESC_SIZE, d, sizeof d);
		flags = (u16)load_le(d + 12, 2);
		if (flags & DESC_INDIRECT) {
			u32 len = (u32)load_le(d + 8, 4);

			if (t.indirect || !virtio_has(v, VIRTIO_F_INDIRECT_DESC))
				return "an indirect table that was not negotiated, or in another one";
			if (flags & DESC_NEXT || !len || len % DESC_SIZE)
				return "an indirect table of a bad size, or not at the chain's end";
			return walk(v, (struct table){load_le(d, 8), len / DESC_SIZE, true}, 0, c);
		}
		wrong = add_segment(c, d, flags);
		if (wrong || !(flags & DESC_NEXT))
			return wrong;
		i = (u32)load_le(d + 14, 2);
	}
}

bool virtio_next(struct virtio *v, unsigned queue, struct virtio_chain *c)
{
	struct virtio_queue_state *q = &v->s.queue[queue];
	unsigned waiting = virtio_waiting(v, queue);
	const char *wrong;

	if (waiting > q->size)
		return broken(v, queue, "an available index more than the queue's size ahead");
	if (virtio_ready(v, queue) && virtio_has(v, VIRTIO_F_EVENT_IDX))
		put16(v, avail_event(q), (u16)(q->last_avail + (waiting ? 1 : 0)));
	if (!waiting)
		return false;
	c->head = get16(v, q->driver + 4 + 2u * (q->last_avail % q->size));
	c->outs = c->ins = 0;
	c->out_size = c->in_size = 0;
	wrong = walk(v, (struct table){q->desc, q->size, false}, c->head, c);
	if (wrong)
		return broken(v, queue, wrong);
	q->last_avail++;
	return true;
}

/* The part of a chain's segments [first, first + n) from byte off on; a NULL buf of in or out is not touched. */
static u32 copy(struct virtio *v, const struct virtio_segment *s, unsigned n, u32 off, u8 *to, const u8 *from, u32 size)
{
	u32 done = 0;

	for (unsigned i = 0; i < n && done < size; i++) {
		u32 k = s[i].len > off ? s[i].len - off : 0;

		k = k < size - done ? k : size - done;
		if (k && to)
			pci_dma_read(&v->pci, s[i].pa + off, to + done, k);
		if (k && from)
			pci_dma_write(&v->pci, s[i].pa + off, from + done, k);
		off = s[i].len > off ? 0 : off - s[i].len;
		done += k;
	}
	return done;
}

u32 virtio_get(struct virtio *v, const struct virtio_chain *c, u32 off, void *buf, u32 n)
{
	return copy(v, c->seg, c->outs, off, buf, NULL, n);
}

u32 virtio_put(struct virtio *v, const struct virtio_chain *c, u32 off, const void *buf, u32 n)
{
	return copy(v, c->seg + c->outs, c->ins, off, NULL, buf, n);
}

void virtio_done(struct virtio *v, unsigned queue, const struct virtio_chain *c, u32 written)
{
	struct virtio_queue_state *q = &v->s.queue[queue];
	u8 e[8];

	if (!virtio_ready(v, queue))
		return;
	store_le(e, 4, c->head);
	store_le(e + 4, 4, written);
	pci_dma_write(&v->pci, q->device + 4 + 8u * (q->used_idx % q->size), e, sizeof e);
	put16(v, q->device + 2, ++q->used_idx);
}

/* 2.7.7.2: with event indexes, when used_idx has passed the one that the driver named. */
static bool wants_interrupt(struct virtio *v, struct virtio_queue_state *q)
{
	u16 old = q->signalled, new = q->used_idx, event;
	bool first = !q->signalled_valid;

	if (!virtio_has(v, VIRTIO_F_EVENT_IDX))
		return !(get16(v, q->driver) & AVAIL_NO_INTERRUPT);
	event = get16(v, used_event(q));
	q->signalled = new;
	q->signalled_valid = 1;
	return first || (u16)(new - event - 1) < (u16)(new - old);
}

void virtio_signal(struct virtio *v, unsigned queue)
{
	struct virtio_queue_state *q = &v->s.queue[queue];

	if (virtio_ready(v, queue) && wants_interrupt(v, q))
		virtio_interrupt(v, ISR_QUEUE, q->vector);
}

void virtio_queue_reset(struct virtio *v)
{
	for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
		v->s.queue[i] = (struct virtio_queue_state){.size = i < v->type->queues ? v->type->queue_size : 0,
							    .vector = VIRTIO_NO_VECTOR};
}
