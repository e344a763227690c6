/*
 * PCI: functions on bus 0, their configuration space, base address registers, interrupt pins and messages, and how a
 * CPU reaches configuration space (mechanism 1, ports CF8h-CFFh). A PCI device embeds a struct pci_device and fills it
 * in with the pci_set/pci_bar/pci_msi functions; the board puts it on the bus. Manual: PCI Local Bus Specification 3.0,
 * chapters 3.2.2.3.2 (mechanism 1), 6.1-6.2 (configuration space), 6.2.5 (base addresses), 6.8 (MSI).
 *
 * A new device, from its NAME_init to the board (pc.c):
 *   pci_init(&d->pci, "name", &pci_id, d);           identity; d is the argument of all calls back
 *   pci_bar_device(&d->pci, 0, PCI_IO, 32, &ops);    BARs; regions are made when the device is put on the bus
 *   pci_msi(&d->pci, 0x50, 1, true);                 capabilities
 *   pci_add(&pc->pci, &d->pci, PCI_DEVFN(3, 0), err) by the board
 *   pci_reset(&d->pci)                               in NAME_reset
 *   {"name", pci_fields, ...} for d->pci.s           in pc_state.c
 */
#ifndef DEVICES_PCI_H
#define DEVICES_PCI_H

#include "base/field.h"
#include "mmu/space.h"

#define PCI_CONFIG_SIZE    256
#define PCI_FUNCTIONS      32 /* on a bus, at most */
#define PCI_BARS           7  /* six, and the expansion ROM's */
#define PCI_ROM            6
#define PCI_DEVFN(slot, f) ((u8)((slot) << 3 | (f)))

/* Offsets in configuration space (6.1). */
enum {
	PCI_VENDOR = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION = 0x08,
	PCI_CLASS = 0x09,
	PCI_HEADER_TYPE = 0x0e,
	PCI_BAR0 = 0x10,
	PCI_SUBSYSTEM_VENDOR = 0x2c,
	PCI_SUBSYSTEM = 0x2e,
	PCI_ROM_BAR = 0x30,
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d
};
enum { PCI_CMD_IO = 1, PCI_CMD_MEMORY = 2, PCI_CMD_MASTER = 4, PCI_CMD_SERR = 0x100, PCI_CMD_NO_INTX = 0x400 };
enum { PCI_STS_INTX = 8, PCI_STS_CAPABILITIES = 0x10 };

enum pci_space { PCI_MEMORY, PCI_IO, PCI_MEMORY64, PCI_PREFETCH = 0x10 /* ORed */ };

struct pci_id {
	u16 vendor, device;
	u32 class_code; /* base class, subclass, programming interface: 24 bits */
	u8 revision;
	u16 subsystem_vendor, subsystem; /* vendor 0: QEMU's 1AF4h:1100h */
	u8 pin;                          /* 1-4: INTA#-INTD#; 0: none */
	bool multifunction;              /* function 0 of several */
};

/* Saved, with pci_fields. */
struct pci_state {
	u8 config[PCI_CONFIG_SIZE];
	u8 intx; /* the device asks for its interrupt pin */
	u8 pad[7];
};

struct pci_bar {
	u64 size; /* power of two; 0: none */
	u8 kind;  /* enum pci_space */
	bool ram;
	const struct region_ops *ops;
	struct region *region; /* from pci_add on; off while the device does not decode it */
};

struct pci_bus;

struct pci_device {
	struct pci_state s;
	const char *name;
	struct pci_bus *bus;
	u8 devfn;
	u8 msi;                        /* offset of the capability, or 0 */
	u8 next_cap_link;              /* where the next capability's offset goes */
	u8 initial[PCI_CONFIG_SIZE];   /* what reset restores */
	u8 writable[PCI_CONFIG_SIZE];  /* bits that software may write */
	u8 clearable[PCI_CONFIG_SIZE]; /* bits that writing 1 clears */
	struct pci_bar bar[PCI_BARS];
	void *dev; /* argument of what follows */
	/* Configuration space at [off, off + size) was written, s.config is as it is now; also after a reset and after
	 * state was loaded, for all of it. May be NULL. */
	void (*changed)(void *dev, unsigned off, unsigned size);
	/* Software is about to read there: s.config may be brought up to date. May be NULL. */
	void (*reading)(void *dev, unsigned off, unsigned size);
};

struct pci_bus {
	struct space *mem, *io;
	struct pci_device *function[PCI_FUNCTIONS];
	unsigned functions;
	/* The pin (0: INTA#) of a device changed, or what decides where it goes. */
	void (*intx)(void *arg);
	void (*message)(void *arg, u64 addr, u32 data); /* MSI */
	void *arg;
};

#define PCI_FIELDS 3
extern const struct field pci_fields[PCI_FIELDS];

void pci_bus_init(struct pci_bus *b, struct space *mem, struct space *io);
/* Puts a device on the bus and maps its BARs' regions, off. False: the place is taken, or no room for regions. */
bool pci_add(struct pci_bus *b, struct pci_device *d, u8 devfn, struct error *err);
/* The function at devfn, or NULL. */
struct pci_device *pci_at(const struct pci_bus *b, u8 devfn);
/* Is a pin up that the interrupt router sends to link 0-3 (PIRQA-PIRQD)? Pin p of slot s is on link (s + p - 1) mod 4,
 * p from 0, as QEMU's pc wires them. */
bool pci_link_level(const struct pci_bus *b, unsigned link);

/* ---- building a device ---- */
/* All of *d is overwritten. */
void pci_init(struct pci_device *d, const char *name, const struct pci_id *id, void *dev);
/* A register of 1, 2 or 4 bytes: value after reset, and what software may write of it. */
void pci_set(struct pci_device *d, unsigned off, unsigned size, u32 val, u32 writable);
/* All device-specific registers (from 40h on) keep what is written, as QEMU's chipset does. Before pci_set of single
 * ones. */
void pci_specific(struct pci_device *d);
/* BAR n (0-5; 64-bit ones take two, PCI_ROM is the expansion ROM) of a device region with ops, whose dev is d->dev. */
void pci_bar_device(struct pci_device *d, unsigned n, unsigned kind, u64 size, const struct region_ops *ops);
/* BAR n of RAM (video memory; the ROM at PCI_ROM): after pci_add d->bar[n].region->host is its memory. */
void pci_bar_ram(struct pci_device *d, unsigned n, unsigned kind, u64 size);
/* A vendor-independent capability of size bytes at off: links it, and sets its ID. */
void pci_capability(struct pci_device *d, unsigned off, u8 id);
/* An MSI capability at off (24 bytes at most) for 1, 2, 4, .. 32 messages, 64-bit address; masks: with a mask register.
 */
void pci_msi(struct pci_device *d, unsigned off, unsigned messages, bool masks);

/* ---- life ---- */
/* Configuration space as after power-on; BARs are off and the pin is down. */
void pci_reset(struct pci_device *d);
void pci_post_load(struct pci_device *d);

/* ---- what a device does ---- */
static inline u32 pci_get(const struct pci_device *d, unsigned off, unsigned size)
{
	return (u32)load_le(d->s.config + off, size);
}
/* The interrupt pin. While MSI is on the pin stays down (6.8.1.3). */
void pci_intx(struct pci_device *d, bool level);
bool pci_msi_on(const struct pci_device *d);
/* Sends message n (masked: it is pending until unmasked). Nothing while MSI is off. */
void pci_msi_send(struct pci_device *d, unsigned n);
/* DMA. Without the command register's bus master bit reads give ones and writes vanish: false. Messages (FEEx_xxxxh)
 * are delivered as such when written as 4 bytes. */
bool pci_dma_read(struct pci_device *d, u64 pa, void *buf, size_t n);
bool pci_dma_write(struct pci_device *d, u64 pa, const void *buf, size_t n);

/* ---- configuration accesses (also for the board's own setup) ---- */
u32 pci_config_read(const struct pci_device *d, unsigned off, unsigned size); /* no side effects */
u32 pci_config_fetch(struct pci_device *d, unsigned off, unsigned size);      /* as software reads */
void pci_config_write(struct pci_device *d, unsigned off, unsigned size, u32 val);

/* ---- ports CF8h-CFFh ---- */
struct pci_ports_state {
	u32 address; /* CF8h */
	u8 pad[4];
};
struct pci_ports {
	struct pci_ports_state s;
	struct pci_bus *bus;
};
extern const struct region_ops pci_address_ops; /* CF8h, 4 ports */
extern const struct region_ops pci_data_ops;    /* CFCh, 4 ports */
#define PCI_PORTS_FIELDS 2
extern const struct field pci_ports_fields[PCI_PORTS_FIELDS];
void pci_ports_init(struct pci_ports *p, struct pci_bus *bus);
void pci_ports_reset(struct pci_ports *p);

#endif
