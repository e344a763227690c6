/*
 * The PC board: what there is, at which address and on which interrupt line. pc.c reads as the memory map, pc_irq.c as
 * the wiring. It boots nothing by itself: see loader/pc_boot.h.
 */
#ifndef MACHINE_PC_H
#define MACHINE_PC_H

#include "cpu_x86/block.h"
#include "cpu_x86/cpu.h"
#include "devices/acpi_pm.h"
#include "devices/apic_bus.h"
#include "devices/debug_port.h"
#include "devices/fdc.h"
#include "devices/fw_cfg.h"
#include "devices/hpet.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/i8254.h"
#include "devices/i8259.h"
#include "devices/ioapic.h"
#include "devices/isa_debug_exit.h"
#include "devices/lapic.h"
#include "devices/pc_testdev.h"
#include "devices/pci.h"
#include "devices/piix3.h"
#include "devices/piix_ide.h"
#include "devices/piix4_pm.h"
#include "devices/port92.h"
#include "devices/rtc.h"
#include "devices/uart16550.h"
#include "devices/vga.h"
#include "devices/virtio_blk.h"
#include "devices/virtio_net.h"
#include "devices/virtio_rng.h"
#include "machine/machine.h"

#define PC_CPUS      MACHINE_CPUS
#define PC_UARTS     4
#define PC_LINES     24 /* interrupt lines: 0-15 ISA, 16-23 on the I/O APIC only */
#define PC_RAM_MIN   (1ull << 20)
#define PC_RAM_MAX   (64ull << 30)
#define PC_WINDOW      0xa0000ull /* VGA memory, or SMRAM */
#define PC_WINDOW_SIZE 0x20000ull
#define PC_ROM         0xc0000ull /* ROM on the ISA bus; PAM puts RAM in its place */
#define PC_ROM_SIZE    0x40000ull
#define PC_BIOS        0xf0000ull /* the BIOS's last 64 KB: here and below 4 GB */
#define PC_BIOS_SIZE   0x10000ull
#define PC_BIOS_MAX    (16ull << 20)
#define PC_RAM_HIGH  (4ull << 30) /* where RAM goes on above the devices */
#define PC_TESTDEV   0xff000000ull
#define PC_ACPI_PM   0x600  /* where firmware puts PMBA */
#define PC_ACPI_GPE  0xafe0 /* as on QEMU */

#define PC_IDE_DRIVES 4

/* A drive of the IDE function: 0 and 1 on the first channel, 2 and 3 on the second. */
struct pc_ide_config {
	enum ata_kind kind;
	struct disk *disk; /* open, must stay; NULL: an empty CD-ROM drive */
};

#define PC_VIRTIOS 8

/* A virtio device on the PCI bus. */
struct pc_virtio_config {
	enum pc_virtio_type { PC_VIRTIO_NONE, PC_VIRTIO_BLK, PC_VIRTIO_NET, PC_VIRTIO_RNG } type;
	enum virtio_kinds kind;
	struct disk *disk; /* BLK: open, must stay */
	const char *serial;
	u8 mac[6]; /* NET */
	u64 seed;  /* RNG */
	u8 slot;   /* 0: the next free one from 3 on */
};

struct pc_config {
	struct x86_model model;
	u64 ram_size;         /* bytes; whole MB */
	u64 bios_size;        /* of the ROM below 4 GB: a multiple of 64 KB, at most 16 MB; 0: 64 KB */
	unsigned cpus, uarts; /* 1..16; 2..4 */
	int hot;              /* runs after which a block becomes host code; 0: X86_HOT; -1: never */
	s64 rtc_time;         /* seconds since 1970 */
	bool vga, testdev, debug_exit;
	u16 debug_exit_base, debug_exit_size;
	struct pc_ide_config ide[PC_IDE_DRIVES];
	u16 debugcon_port; /* of the debug console besides E9h; 0: none */
	struct pc_virtio_config virtio[PC_VIRTIOS];
};

struct pc;

struct pc_cpu {
	struct pc *pc;
	struct x86_cpu x86;
	struct lapic lapic;
	struct region *lapic_page;
};

/* Saved. */
struct pc_state {
	u32 line[PC_LINES]; /* who holds each interrupt line up: a bit per enum pc_source */
	u32 init_sent;      /* CPUs that were sent an INIT which they have not taken yet */
	u32 sipi_late;      /* and since then a start-up message */
	u8 sipi_vector[PC_CPUS];
	u8 nmi_masked; /* bit 7 of port 70h */
	u8 a20;        /* the gates let address bit 20 pass */
	u8 pad[6];
};

/* One of them, all beginning with the struct virtio. */
union pc_virtio {
	struct virtio v;
	struct virtio_blk blk;
	struct virtio_net net;
	struct virtio_rng rng;
};

struct pc {
	struct machine machine;
	struct pc_config cfg;
	struct pc_state s;
	struct space mem, io;
	u64 ram_low, ram_high; /* bytes of RAM from 0 and from 4 GB on */
	struct x86_code *code;
	u8 *bios[2];          /* F0000h and FFFF0000h */
	struct region *rom;   /* below 4 GB */
	struct region *ram, *isa_rom, *smram, *pam[I440FX_SEGMENTS];
	struct region *pm_ports, *smbus_ports;
	struct pci_bus pci;
	struct pci_ports pci_ports;
	struct i440fx host;
	struct piix3 piix3;
	struct piix4_pm piix4;
	struct piix_ide ide;
	struct apic_bus bus;
	struct ioapic ioapic;
	struct hpet hpet;
	struct i8259 pic;
	struct i8254 pit;
	struct i8042 kbd;
	struct rtc rtc;
	struct port92 port92;
	struct uart16550 uart[PC_UARTS];
	struct vga vga;
	struct fdc fdc;
	struct fw_cfg fw_cfg;
	struct debug_port debug_port;
	struct acpi_pm pm;
	struct isa_debug_exit debug_exit;
	struct pc_testdev testdev;
	union pc_virtio virtio[PC_VIRTIOS];
	struct pc_cpu cpu[PC_CPUS];
};

/* cfg is copied. All of *pc is overwritten; it must not move afterwards. The machine is as after power-on. */
bool pc_init(struct pc *pc, const struct pc_config *cfg, struct error *err);
void pc_free(struct pc *pc);
/* The guest's serial port n talks to the host stream. */
void pc_serial(struct pc *pc, unsigned n, struct bytes *host);
/* Virtio device n, a network device, is on this network. */
void pc_network(struct pc *pc, unsigned n, struct net_user *net);
/* The NMI button. */
void pc_nmi(struct pc *pc);
/* The CPU that runs, or ran last. */
static inline struct x86_cpu *pc_current(struct pc *pc) { return &pc->cpu[pc->machine.s.turn_cpu].x86; }

/* ---- pc_irq.c, for pc.c ---- */
extern const struct x86_board pc_board;
extern const struct region_ops pc_lapic_ops; /* dev is the struct pc_cpu whose page it is */
extern const struct cpu_ops pc_cpu_ops;      /* cpu is the struct pc_cpu */
void pc_wire(struct pc *pc);
void pc_wire_cpu(struct pc_cpu *c);
/* Shows the local APICs' pages where IA32_APIC_BASE puts them. */
void pc_map_lapics(struct pc *pc);
/* VM_CR.DIS_A20M or a gate changed. */
void pc_a20_changed(void *pc);
bool pc_may_nmi(const void *pc);
/* The INIT# pin of all CPUs. */
void pc_init_cpus(struct pc *pc);
/* The SMI# pin of CPU 0. */
void pc_smi(struct pc *pc);
/* The FERR# latch: IRQ 13. */
void pc_ignore_ferr(struct pc *pc);

/* ---- pc_pci.c, for pc.c and pc_irq.c ---- */
bool pc_map_window(struct pc *pc, struct error *err);  /* A0000h-BFFFFh: nobody; before a VGA */
bool pc_map_shadows(struct pc *pc, struct error *err); /* C0000h-FFFFFh, SMRAM; after the VGA */
bool pc_pci_init(struct pc *pc, struct error *err);
void pc_pci_reset(struct pc *pc);
/* pc_virtio.c, for pc_pci.c */
bool pc_virtio_init(struct pc *pc, struct error *err);
void pc_virtio_reset(struct pc *pc);
/* Another CPU runs, or one went into or out of SMM. */
void pc_smram_follow(struct pc *pc);

/* ---- pc_state.c: all state as field tables ---- */
struct pc_part {
	const char *name;
	const struct field *fields;
	size_t n;
	size_t off; /* of the state struct in struct pc */
};
extern const struct pc_part pc_parts[];
extern const size_t pc_parts_n;
extern const struct field pc_fields[];
extern const size_t pc_fields_n;
u64 pc_hash(const void *pc, u64 seed);
u64 pc_cpu_hash(const void *cpu, u64 seed);

#endif
