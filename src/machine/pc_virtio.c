/* The PC's virtio devices: which there are, and in which slots. The host's sides of them belong to the caller. */
#include "machine/pc.h"

enum { FIRST_SLOT = 3, SLOTS = 32 };

static void init(union pc_virtio *v, const struct pc_virtio_config *c)
{
	switch (c->type) {
	case PC_VIRTIO_NONE: break;
	case PC_VIRTIO_BLK: virtio_blk_init(&v->blk, c->kind, c->disk, c->serial); break;
	case PC_VIRTIO_NET: virtio_net_init(&v->net, c->kind, c->mac); break;
	case PC_VIRTIO_RNG: virtio_rng_init(&v->rng, c->kind, c->seed); break;
	}
}

/* The next slot whose function 0 is free, and that nobody asked for. */
static u8 free_slot(const struct pc *pc)
{
	for (u8 slot = FIRST_SLOT; slot < SLOTS; slot++) {
		bool taken = pci_at(&pc->pci, PCI_DEVFN(slot, 0));

		for (unsigned i = 0; i < PC_VIRTIOS; i++)
			taken |= pc->cfg.virtio[i].type && pc->cfg.virtio[i].slot == slot;
		if (!taken)
			return slot;
	}
	return 0; /* the host bridge's: adding it fails */
}

bool pc_virtio_init(struct pc *pc, struct error *err)
{
	for (unsigned i = 0; i < PC_VIRTIOS; i++) {
		const struct pc_virtio_config *c = &pc->cfg.virtio[i];

		init(&pc->virtio[i], c);
		if (c->type &&
		    !pci_add(&pc->pci, &pc->virtio[i].v.pci, PCI_DEVFN(c->slot ? c->slot : free_slot(pc), 0), err))
			return false;
	}
	return true;
}

void pc_virtio_reset(struct pc *pc)
{
	for (unsigned i = 0; i < PC_VIRTIOS; i++)
		if (pc->cfg.virtio[i].type)
			virtio_reset(&pc->virtio[i].v);
}

void pc_network(struct pc *pc, unsigned n, struct net_user *net)
{
	struct virtio_net *dev = &pc->virtio[n].net;

	virtio_net_connect(dev, net_user_send, net);
	input_add_net(&pc->machine.input, net, dev, virtio_net_room, virtio_net_receive);
}
