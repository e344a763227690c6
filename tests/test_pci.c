/*
 * Unit tests of the PCI core (configuration mechanism 1, write masks, base addresses, pins, MSI) on a small bus of its
 * own, and of the PC's chipset on the board: PAM, SMRAM, PIRQ routing, power management.
 */
#include "devices/pci.h"
#include "loader/pci_setup.h"
#include "machine/pc.h"

#include <check.h>
#include <stdlib.h>

/* ---- a bus with one card ---- */

static struct space mem, io;
static struct pci_bus bus;
static struct pci_ports ports;
static struct card {
	struct pci_device pci;
	u32 reg[8];
	unsigned changes;
} card;
static u64 msi_addr;
static u32 msi_data;
static unsigned messages;

static u64 reg_read(void *dev, u64 off, unsigned size)
{
	(void)size;
	return ((struct card *)dev)->reg[off / 4 % 8];
}
static void reg_write(void *dev, u64 off, unsigned size, u64 val)
{
	(void)size;
	((struct card *)dev)->reg[off / 4 % 8] = (u32)val;
}
static const struct region_ops reg_ops = {"card", reg_read, reg_write, NULL, 4, 4};

static void on_change(void *dev, unsigned off, unsigned size)
{
	(void)off, (void)size;
	((struct card *)dev)->changes++;
}
static void on_message(void *arg, u64 addr, u32 data)
{
	(void)arg;
	msi_addr = addr;
	msi_data = data;
	messages++;
}

enum { MSI_AT = 0x50, CARD = 0x18 };

static void bus_setup(void)
{
	static const struct pci_id id = {
		.vendor = 0x1234, .device = 0x5678, .class_code = 0x020000, .revision = 9, .pin = 1};
	struct error err;

	ck_assert(space_init(&mem, "memory", 52, &err) && space_init(&io, "ports", 16, &err));
	ck_assert_ptr_nonnull(space_add_ram(&mem, "ram", 0, 1 << 20, false, &err));
	pci_bus_init(&bus, &mem, &io);
	bus.message = on_message;
	messages = 0;
	memset(&card, 0, sizeof card);
	pci_init(&card.pci, "card", &id, &card);
	pci_bar_device(&card.pci, 0, PCI_IO, 32, &reg_ops);
	pci_bar_device(&card.pci, 1, PCI_MEMORY, 4096, &reg_ops);
	pci_bar_ram(&card.pci, 2, PCI_MEMORY64 | PCI_PREFETCH, 1 << 20);
	pci_bar_ram(&card.pci, PCI_ROM, PCI_MEMORY, 1 << 16);
	pci_msi(&card.pci, MSI_AT, 4, true);
	card.pci.changed = on_change;
	ck_assert(pci_add(&bus, &card.pci, PCI_DEVFN(3, 0), &err));
	ck_assert(!pci_add(&bus, &card.pci, PCI_DEVFN(3, 0), &err));
	pci_ports_init(&ports, &bus);
	space_add_device(&io, 0xcf8, 4, &pci_address_ops, &ports);
	space_add_device(&io, 0xcfc, 4, &pci_data_ops, &ports);
	pci_reset(&card.pci);
}
static void bus_teardown(void)
{
	space_free(&mem);
	space_free(&io);
}

static u32 cfg_read(u32 addr, unsigned off, unsigned size)
{
	space_write(&io, 0xcf8, 4, addr);
	return (u32)space_read(&io, 0xcfc + off, size);
}
static void cfg_write(u32 addr, unsigned off, unsigned size, u32 val)
{
	space_write(&io, 0xcf8, 4, addr);
	space_write(&io, 0xcfc + off, size, val);
}
#define AT_(reg) (0x80000000 | CARD << 8 | (reg))

START_TEST(mechanism_1)
{
	ck_assert_uint_eq(cfg_read(AT_(0), 0, 4), 0x56781234);
	ck_assert_uint_eq(cfg_read(AT_(0), 2, 2), 0x5678);
	ck_assert_uint_eq(cfg_read(AT_(2), 0, 2), 0x5678); /* CF8 bits 1:0 count too */
	ck_assert_uint_eq(cfg_read(AT_(1), 2, 1), 0x56);   /* 1 | 2 */
	ck_assert_uint_eq(cfg_read(AT_(8), 0, 4), 0x02000009);
	ck_assert_uint_eq(cfg_read(AT_(0) & 0x7fffffff, 0, 4), 0xffffffff); /* not enabled */
	ck_assert_uint_eq(cfg_read(AT_(0) | 0x10000, 0, 4), 0xffffffff);    /* bus 1 */
	ck_assert_uint_eq(cfg_read(0x80000000, 0, 2), 0xffff);              /* nobody */
	space_write(&io, 0xcf8, 4, AT_(0x10));
	space_write(&io, 0xcf8, 1, 0); /* not 4 bytes: nothing */
	ck_assert_uint_eq(space_read(&io, 0xcf8, 4), AT_(0x10));
	ck_assert_uint_eq(cfg_read(AT_(0xff), 0, 4), 0); /* past the end */
	cfg_write(AT_(0xff), 3, 4, ~0u);
}
END_TEST

START_TEST(write_masks)
{
	cfg_write(AT_(0), 0, 4, 0);
	ck_assert_uint_eq(cfg_read(AT_(0), 0, 4), 0x56781234);
	cfg_write(AT_(4), 0, 2, 0xffff);
	ck_assert_uint_eq(cfg_read(AT_(4), 0, 2), 0x507);
	store_le(card.pci.s.config + PCI_STATUS, 2, 0xf810);
	cfg_write(AT_(4), 2, 2, 0x3000); /* status: ones clear */
	ck_assert_uint_eq(cfg_read(AT_(4), 2, 2), 0xc810);
	cfg_write(AT_(0x3c), 0, 1, 11);
	ck_assert_uint_eq(cfg_read(AT_(0x3c), 0, 2), 0x10b);
	ck_assert_uint_gt(card.changes, 4);
}
END_TEST

static u32 sized(unsigned reg)
{
	cfg_write(AT_(reg), 0, 4, ~0u);
	return cfg_read(AT_(reg), 0, 4);
}

START_TEST(bars_tell_their_size)
{
	ck_assert_uint_eq(sized(0x10), 0xffffffe1);
	ck_assert_uint_eq(sized(0x14), 0xfffff000);
	ck_assert_uint_eq(sized(0x18), 0xfff0000c);
	ck_assert_uint_eq(sized(0x1c), 0xffffffff);
	ck_assert_uint_eq(sized(0x20), 0);
	ck_assert_uint_eq(sized(0x30), 0xffff0001);
	cfg_write(AT_(4), 0, 2, 7); /* while they are all ones they are nowhere */
	for (unsigned n = 0; n < PCI_BARS; n++)
		ck_assert(!card.pci.bar[n].region || card.pci.bar[n].region->off);
}
END_TEST

START_TEST(bars_are_mapped)
{
	card.reg[1] = 0xabcd;
	cfg_write(AT_(0x10), 0, 4, 0xc000);
	cfg_write(AT_(0x14), 0, 4, 0xe0000000);
	ck_assert_uint_eq(space_read(&io, 0xc004, 4), 0xffffffff);
	cfg_write(AT_(4), 0, 2, PCI_CMD_IO);
	ck_assert_uint_eq(space_read(&io, 0xc004, 4), 0xabcd);
	ck_assert_uint_eq(space_read(&mem, 0xe0000004, 4), 0xffffffff);
	cfg_write(AT_(4), 0, 2, PCI_CMD_MEMORY);
	ck_assert_uint_eq(space_read(&io, 0xc004, 4), 0xffffffff);
	ck_assert_uint_eq(space_read(&mem, 0xe0000004, 4), 0xabcd);
	cfg_write(AT_(0x14), 0, 4, 0xe1000000); /* it moves */
	ck_assert_uint_eq(space_read(&mem, 0xe0000004, 4), 0xffffffff);
	ck_assert_uint_eq(space_read(&mem, 0xe1000004, 4), 0xabcd);
	cfg_write(AT_(0x1c), 0, 4, 8); /* 64-bit, above 4 GB */
	space_write(&mem, 0x800000010, 4, 0x11223344);
	ck_assert_uint_eq(space_read(&mem, 0x800000010, 4), 0x11223344);
	cfg_write(AT_(0x14), 0, 4, 0x1000); /* RAM wins */
	space_write(&mem, 0x1004, 4, 5);
	ck_assert_uint_eq(card.reg[1], 0xabcd);
	ck_assert_uint_eq(space_read(&mem, 0x1004, 4), 5);
	card.pci.bar[PCI_ROM].region->host[0] = 0x55;
	cfg_write(AT_(0x30), 0, 4, 0xf0000000);
	ck_assert_uint_eq(space_read(&mem, 0xf0000000, 1), 0xff);
	cfg_write(AT_(0x30), 0, 4, 0xf0000001);
	ck_assert_uint_eq(space_read(&mem, 0xf0000000, 1), 0x55);
	space_write(&mem, 0xf0000000, 1, 0);
	ck_assert_uint_eq(space_read(&mem, 0xf0000000, 1), 0x55);
	pci_reset(&card.pci);
	ck_assert_uint_eq(space_read(&mem, 0xf0000000, 1), 0xff);
}
END_TEST

START_TEST(pins)
{
	pci_intx(&card.pci, true); /* INTA# of slot 3: link 2 */
	for (unsigned link = 0; link < 4; link++)
		ck_assert_uint_eq(pci_link_level(&bus, link), link == 2);
	ck_assert_uint_eq(cfg_read(AT_(4), 2, 1) & 8, 8);
	cfg_write(AT_(4), 0, 2, PCI_CMD_NO_INTX);
	ck_assert(!pci_link_level(&bus, 2));
	cfg_write(AT_(4), 0, 2, 0);
	ck_assert(pci_link_level(&bus, 2));
	cfg_write(AT_(MSI_AT), 2, 2, 1);
	ck_assert(!pci_link_level(&bus, 2));
}
END_TEST

START_TEST(messages_and_masks)
{
	ck_assert_uint_eq(cfg_read(AT_(4), 2, 1) & 0x10, 0x10);
	ck_assert_uint_eq(cfg_read(AT_(0x34), 0, 1), MSI_AT);
	ck_assert_uint_eq(cfg_read(AT_(MSI_AT), 0, 4), 0x01840005);
	cfg_write(AT_(MSI_AT + 4), 0, 4, 0xfee01003);
	cfg_write(AT_(MSI_AT + 12), 0, 2, 0x4041);
	pci_msi_send(&card.pci, 0);
	ck_assert_uint_eq(messages, 0); /* off */
	cfg_write(AT_(4), 0, 2, PCI_CMD_MASTER);
	cfg_write(AT_(MSI_AT), 2, 2, 0x21); /* on, four messages */
	pci_msi_send(&card.pci, 3);
	ck_assert_uint_eq(messages, 1);
	ck_assert_uint_eq(msi_addr, 0xfee01000);
	ck_assert_uint_eq(msi_data, 0x4043);
	cfg_write(AT_(MSI_AT + 16), 0, 4, ~0u);
	ck_assert_uint_eq(cfg_read(AT_(MSI_AT + 16), 0, 4), 0xf);
	pci_msi_send(&card.pci, 1);
	ck_assert_uint_eq(messages, 1);
	ck_assert_uint_eq(cfg_read(AT_(MSI_AT + 20), 0, 4), 2);
	cfg_write(AT_(MSI_AT + 16), 0, 4, 0);
	ck_assert_uint_eq(messages, 2);
	ck_assert_uint_eq(msi_data, 0x4041);
	ck_assert_uint_eq(cfg_read(AT_(MSI_AT + 20), 0, 4), 0);
	cfg_write(AT_(MSI_AT), 2, 2, 0x01); /* one message: all are the same */
	pci_msi_send(&card.pci, 3);
	ck_assert_uint_eq(msi_data, 0x4041);
}
END_TEST

START_TEST(dma_wants_the_master_bit)
{
	u32 v = 0x12345678;

	ck_assert(!pci_dma_write(&card.pci, 0x100, &v, 4));
	ck_assert_uint_eq(space_read(&mem, 0x100, 4), 0);
	cfg_write(AT_(4), 0, 2, PCI_CMD_MASTER);
	ck_assert(pci_dma_write(&card.pci, 0x100, &v, 4));
	ck_assert(pci_dma_read(&card.pci, 0x102, &v, 2));
	ck_assert_uint_eq(v & 0xffff, 0x1234);
	ck_assert(pci_dma_write(&card.pci, 0xfee00000, &v, 4));
	ck_assert_uint_eq(messages, 1);
}
END_TEST

START_TEST(setup_without_a_bios)
{
	static const struct pci_windows w = {0xe0000000, 0xe0800000, 0xc000, 0xc100, {10, 10, 11, 5}};
	struct pci_windows small = w;
	struct error err;

	ck_assert_msg(pci_setup(&bus, &w, &err), "%s", err.msg);
	ck_assert_uint_eq(cfg_read(AT_(0x10), 0, 4), 0xc001);
	ck_assert_uint_eq(cfg_read(AT_(0x14), 0, 4), 0xe0000000);
	ck_assert_uint_eq(cfg_read(AT_(0x18), 0, 4), 0xe010000c); /* aligned to its size */
	ck_assert_uint_eq(cfg_read(AT_(0x1c), 0, 4), 0);
	ck_assert_uint_eq(cfg_read(AT_(0x3c), 0, 1), 11); /* slot 3, INTA#: link C */
	ck_assert_uint_eq(cfg_read(AT_(4), 0, 2), 7);
	card.reg[0] = 0x55;
	ck_assert_uint_eq(space_read(&mem, 0xe0000000, 4), 0x55);
	small.memory_end = 0xe0180000;
	ck_assert(!pci_setup(&bus, &small, &err));
}
END_TEST

/* ---- the PC ---- */

static struct pc *pc;

static void board_setup(void)
{
	struct pc_config cfg = {.ram_size = 16 << 20, .cpus = 2, .uarts = 2, .vga = true};
	struct error err;

	pc = malloc(sizeof *pc);
	ck_assert(x86_model_parse(&cfg.model, "zen", &err));
	ck_assert_msg(pc_init(pc, &cfg, &err), "%s", err.msg);
}
static void board_teardown(void)
{
	pc_free(pc);
	free(pc);
}

static void set(u8 devfn, unsigned off, unsigned size, u32 val)
{
	space_write(&pc->io, 0xcf8, 4, 0x80000000 | devfn << 8 | (off & 0xfc));
	space_write(&pc->io, 0xcfc + (off & 3), size, val);
}
static u32 get(u8 devfn, unsigned off, unsigned size)
{
	space_write(&pc->io, 0xcf8, 4, 0x80000000 | devfn << 8 | (off & 0xfc));
	return (u32)space_read(&pc->io, 0xcfc + (off & 3), size);
}

/* What QEMU's pc shows after power-on (read with its monitor). */
START_TEST(chipset_as_qemu)
{
	static const struct {
		u8 devfn, off;
		u32 val;
	} rows[] = {
		{0x00, 0x00, 0x12378086}, {0x00, 0x04, 0x00000000}, {0x00, 0x08, 0x06000002}, {0x00, 0x2c, 0x11001af4},
		{0x00, 0x58, 0x00000000}, {0x00, 0x70, 0x00020000}, {0x08, 0x00, 0x70008086}, {0x08, 0x04, 0x02000000},
		{0x08, 0x08, 0x06010000}, {0x08, 0x0c, 0x00800000}, {0x08, 0x4c, 0x0003004d}, {0x08, 0x60, 0x80808080},
		{0x08, 0x68, 0x00000200}, {0x08, 0x70, 0x00000080}, {0x08, 0x74, 0x0c0c0000}, {0x08, 0x78, 0x00000002},
		{0x08, 0xa0, 0x00000008}, {0x08, 0xa8, 0x0000000f}, {0x0b, 0x00, 0x71138086}, {0x0b, 0x04, 0x02800000},
		{0x0b, 0x08, 0x06800003}, {0x0b, 0x3c, 0x00000100}, {0x0b, 0x40, 0x00000001}, {0x0b, 0x90, 0x0000b101},
		{0x0b, 0xd0, 0x00090000},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		ck_assert_msg(get(rows[i].devfn, rows[i].off, 4) == rows[i].val, "%02x.%02x is %08x, expected %08x",
			      rows[i].devfn, rows[i].off, get(rows[i].devfn, rows[i].off, 4), rows[i].val);
}
END_TEST

/* Each segment alone: ROM, ROM with stores to RAM, RAM without stores, RAM. */
START_TEST(pam_switches)
{
	const struct i440fx_segment *g = &i440fx_segment[_i];
	unsigned reg = 0x59 + (_i + 1) / 2, shift = _i & 1 ? 0 : 4;
	u64 pa[] = {g->base, g->base + g->size - 1};

	if (_i)
		ck_assert_uint_eq(shift, (_i + 1) & 1 ? 4 : 0);
	for (unsigned i = 0; i < 2; i++) {
		pc->isa_rom->host[pa[i] - PC_ROM] = 0xa5;
		pc->ram->host[pa[i]] = 1;
		space_write(&pc->mem, pa[i], 1, 2); /* ROM */
		ck_assert_uint_eq(space_read(&pc->mem, pa[i], 1), 0xa5);
		set(0, reg, 1, PAM_WRITE << shift);
		space_write(&pc->mem, pa[i], 1, 3);
		ck_assert_uint_eq(space_read(&pc->mem, pa[i], 1), 0xa5);
		ck_assert_uint_eq(pc->ram->host[pa[i]], 3);
		set(0, reg, 1, PAM_READ << shift);
		space_write(&pc->mem, pa[i], 1, 4);
		ck_assert_uint_eq(space_read(&pc->mem, pa[i], 1), 3);
		set(0, reg, 1, (PAM_READ | PAM_WRITE) << shift);
		space_write(&pc->mem, pa[i], 1, 5);
		ck_assert_uint_eq(space_read(&pc->mem, pa[i], 1), 5);
		ck_assert_uint_eq(pc->ram->host[pa[i]], 5);
		set(0, reg, 1, 0);
		ck_assert_uint_eq(space_read(&pc->mem, pa[i], 1), 0xa5);
	}
	for (unsigned i = 0; i < I440FX_SEGMENTS; i++)
		ck_assert(pc->pam[i]->off);
	set(0, reg, 1, 0x33);
	machine_reset(&pc->machine);
	ck_assert_uint_eq(space_read(&pc->mem, pa[0], 1), 0xa5);
}
END_TEST

/* Blocks that were decoded from what is not seen any more must not run. */
START_TEST(pam_drops_code)
{
	struct x86_cpu *c = &pc->cpu[0].x86;

	pc->isa_rom->host[0] = 0x40; /* inc ax */
	pc->isa_rom->host[1] = 0xeb; /* jmp back */
	pc->isa_rom->host[2] = 0xfd;
	memcpy(pc->ram->host + PC_ROM, pc->isa_rom->host, 3);
	pc->ram->host[PC_ROM] = 0x48; /* dec ax */
	c->seg[SEG_CS].base = PC_ROM;
	c->rip = 0;
	x86_state_changed(c);
	machine_run(&pc->machine, 100);
	ck_assert_uint_eq(c->r[R_AX], 50);
	set(0, 0x5a, 1, PAM_READ);
	machine_run(&pc->machine, 200);
	ck_assert_uint_eq(c->r[R_AX], 0);
	set(0, 0x5a, 1, 0);
	machine_run(&pc->machine, 300);
	ck_assert_uint_eq(c->r[R_AX], 50);
}
END_TEST

START_TEST(smram_opens_and_locks)
{
	space_write(&pc->mem, 0xb8000, 1, 0x11);
	set(0, 0x72, 1, 0x4a); /* D_OPEN */
	ck_assert_uint_eq(get(0, 0x72, 1), 0x4a);
	space_write(&pc->mem, 0xb8000, 1, 0x22);
	ck_assert_uint_eq(pc->ram->host[0xb8000], 0x22);
	set(0, 0x72, 1, 0x0a);
	ck_assert_uint_eq(space_read(&pc->mem, 0xb8000, 1), 0x11);
	pc->cpu[0].x86.smm = 1; /* a CPU in SMM sees it */
	pc_smram_follow(pc);
	ck_assert_uint_eq(space_read(&pc->mem, 0xb8000, 1), 0x22);
	pc->machine.s.turn_cpu = 1; /* another one does not */
	pc_smram_follow(pc);
	ck_assert_uint_eq(space_read(&pc->mem, 0xb8000, 1), 0x11);
	set(0, 0x72, 1, 0x5a); /* D_LCK */
	ck_assert_uint_eq(get(0, 0x72, 1), 0x1a);
	set(0, 0x72, 1, 0x42);
	ck_assert_uint_eq(get(0, 0x72, 1), 0x1a);
	machine_reset(&pc->machine);
	ck_assert_uint_eq(get(0, 0x72, 1), 0x02);
	set(0, 0x72, 1, 0x4a);
	ck_assert_uint_eq(space_read(&pc->mem, 0xb8000, 1), 0x22);
}
END_TEST

START_TEST(links_reach_lines)
{
	struct pci_device *d = &pc->piix4.pci; /* INTA# of slot 1: link 0 */

	pci_intx(d, true);
	ck_assert_uint_eq(pc->s.line[10], 0);
	set(8, 0x60, 1, 10);
	ck_assert_uint_ne(pc->s.line[10], 0);
	ck_assert_uint_eq(pc->ioapic.s.pins >> 10 & 1, 1);
	set(8, 0x60, 1, 11);
	ck_assert_uint_eq(pc->s.line[10], 0);
	ck_assert_uint_ne(pc->s.line[11], 0);
	set(8, 0x60, 1, 8); /* not one that a link may go to */
	ck_assert_uint_eq(pc->s.line[8], 0);
	set(8, 0x60, 1, 0x8b);
	ck_assert_uint_eq(pc->s.line[11], 0);
}
END_TEST

START_TEST(power_management_moves)
{
	set(0x0b, 0x40, 4, 0xb001);
	ck_assert_uint_eq(space_read(&pc->io, 0xb004, 2), 0xffff);
	set(0x0b, 0x80, 1, 1);
	ck_assert_uint_eq(space_read(&pc->io, 0xb004, 2), 0);
	set(0x0b, 0x40, 4, 0x4001);
	ck_assert_uint_eq(space_read(&pc->io, 0xb004, 2), 0xffff);
	ck_assert_uint_eq(space_read(&pc->io, 0x4004, 2), 0);
	space_write(&pc->io, 0xafe2, 2, 0x8002);
	acpi_pm_gpe(&pc->pm, 1);
	ck_assert(!pc->pm.sci.level);
	space_write(&pc->io, 0xb2, 1, ACPI_ENABLE);
	ck_assert(pc->pm.sci.level);
	ck_assert_uint_eq(space_read(&pc->io, 0xafe0, 4), 0x80020002);
	space_write(&pc->io, 0xafe0, 1, 2);
	ck_assert(!pc->pm.sci.level);
	space_write(&pc->io, 0xb102, 1, 0x48); /* SMBus: nobody answers */
	ck_assert_uint_eq(space_read(&pc->io, 0xb100, 1), 4);
}
END_TEST

START_TEST(smi_command_port)
{
	space_write(&pc->io, 0xb2, 1, 1);
	ck_assert(!(pc->cpu[0].x86.pending & PEND_SMI));
	set(0x0b, 0x5b, 1, 2);
	space_write(&pc->io, 0xb2, 1, ACPI_DISABLE);
	ck_assert(!(pc->cpu[0].x86.pending & PEND_SMI));
	space_write(&pc->io, 0xb2, 1, 1);
	ck_assert(pc->cpu[0].x86.pending & PEND_SMI);
	ck_assert(!(pc->cpu[1].x86.pending & PEND_SMI));
}
END_TEST

/* What a driver does that looks for a floppy controller: there is one, and no drive answers. */
START_TEST(floppy_controller)
{
	struct space *p = &pc->io;

	ck_assert_uint_eq(space_read(p, 0x3f4, 1), 0);
	space_write(p, 0x3f2, 1, 0x0c); /* run, with interrupts */
	ck_assert_uint_eq(space_read(p, 0x3f4, 1), 0x80);
	ck_assert(pc->fdc.irq.level);
	for (unsigned i = 0; i < 4; i++) {
		space_write(p, 0x3f5, 1, 8); /* SENSE INTERRUPT */
		ck_assert_uint_eq(space_read(p, 0x3f4, 1), 0xd0);
		ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0xc0 + i);
		ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0);
		ck_assert(!pc->fdc.irq.level);
	}
	space_write(p, 0x3f5, 1, 8);
	ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0x80); /* none is left */
	space_write(p, 0x3f5, 1, 0x10);
	ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0x90);
	space_write(p, 0x3f5, 1, 7); /* RECALIBRATE drive 1 */
	ck_assert_uint_eq(space_read(p, 0x3f4, 1), 0x90);
	space_write(p, 0x3f5, 1, 1);
	ck_assert_uint_ne(pc->s.line[6], 0);
	space_write(p, 0x3f5, 1, 8);
	ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0x71);
	ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0);
	for (unsigned i = 0; i < 9; i++)
		space_write(p, 0x3f5, 1, i ? i : 0xe6); /* READ */
	ck_assert(pc->fdc.irq.level);
	ck_assert_uint_eq(space_read(p, 0x3f5, 1), 0x49);
	ck_assert(!pc->fdc.irq.level);
	for (unsigned i = 0; i < 6; i++)
		space_read(p, 0x3f5, 1);
	ck_assert_uint_eq(space_read(p, 0x3f4, 1), 0x80);
	for (u32 i = 0, x = 1; i < 20000; i++) {
		x = x * 1664525 + 1013904223;
		if (x >> 31)
			space_write(p, 0x3f0 + (x >> 8) % 8, 1, x >> 16 & 0xff);
		else
			space_read(p, 0x3f0 + (x >> 8) % 8, 1);
	}
	machine_reset(&pc->machine);
	ck_assert(!pc->fdc.irq.level);
}
END_TEST

/* Whatever is written to the configuration space, nothing breaks, and what must not change does not. */
START_TEST(config_survives_noise)
{
	u64 x = 88172645463325252ull;

	for (unsigned i = 0; i < 200000; i++) {
		static const u8 functions[] = {0x00, 0x08, 0x09, 0x0b, 0x10};
		unsigned size;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		size = 1u << (x >> 8) % 3;
		space_write(&pc->io, 0xcf8, 4, 0x80000000 | (u32)functions[x % 5] << 8 | (x >> 16 & 0xff));
		if (x >> 24 & 1)
			space_write(&pc->io, 0xcfc + (x >> 32) % 4, size, x >> 28);
		else
			space_read(&pc->io, 0xcfc + (x >> 32) % 4, size);
		if (i % 64 == 0)
			space_write(&pc->mem, x >> 20 & 0xfffff, 4, x);
	}
	ck_assert_uint_eq(get(0, 0, 4), 0x12378086);
	ck_assert_uint_eq(get(8, 0, 4), 0x70008086);
	machine_reset(&pc->machine);
	ck_assert_uint_eq(get(8, 0x60, 4), 0x80808080);
}
END_TEST

START_TEST(fields_cover)
{
	ck_assert_int_eq(field_gap(pci_fields, PCI_FIELDS, sizeof(struct pci_state)), -1);
	ck_assert_int_eq(field_gap(pci_ports_fields, PCI_PORTS_FIELDS, sizeof(struct pci_ports_state)), -1);
	ck_assert_int_eq(field_gap(fdc_fields, FDC_FIELDS, sizeof(struct fdc_state)), -1);
	ck_assert_int_eq(field_gap(piix3_fields, PIIX3_FIELDS, sizeof(struct piix3_state)), -1);
	ck_assert_int_eq(field_gap(piix4_pm_fields, PIIX4_PM_FIELDS, sizeof(struct piix4_pm_state)), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pci");
	TCase *t = tcase_create("bus"), *b = tcase_create("board");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, bus_setup, bus_teardown);
	tcase_add_test(t, mechanism_1);
	tcase_add_test(t, write_masks);
	tcase_add_test(t, bars_tell_their_size);
	tcase_add_test(t, bars_are_mapped);
	tcase_add_test(t, pins);
	tcase_add_test(t, messages_and_masks);
	tcase_add_test(t, dma_wants_the_master_bit);
	tcase_add_test(t, setup_without_a_bios);
	tcase_add_test(t, fields_cover);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(b, board_setup, board_teardown);
	tcase_set_timeout(b, 60);
	tcase_add_test(b, chipset_as_qemu);
	tcase_add_loop_test(b, pam_switches, 0, I440FX_SEGMENTS);
	tcase_add_test(b, pam_drops_code);
	tcase_add_test(b, smram_opens_and_locks);
	tcase_add_test(b, links_reach_lines);
	tcase_add_test(b, power_management_moves);
	tcase_add_test(b, smi_command_port);
	tcase_add_test(b, floppy_controller);
	tcase_add_test(b, config_survives_noise);
	suite_add_tcase(s, b);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
