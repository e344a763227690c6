/* The PC's state as a list of field tables, and the hash over all of it. A device with a state struct has a row here.
 */
#include "machine/memory_hash.h"
#include "machine/pc.h"

const struct field pc_fields[] = {
	FIELD_ARRAY(struct pc_state, line),     FIELD_HEX(struct pc_state, init_sent),
	FIELD_HEX(struct pc_state, sipi_late),  FIELD_ARRAY(struct pc_state, sipi_vector),
	FIELD_DEC(struct pc_state, nmi_masked), FIELD_DEC(struct pc_state, a20),
	FIELD_(struct pc_state, pad, FMT_PAD, 0),
};
const size_t pc_fields_n = ARRAY_SIZE(pc_fields);

#define PART(name, table, member)                                                                                      \
	{                                                                                                              \
		name, table, ARRAY_SIZE(table), offsetof(struct pc, member)                                            \
	}
/* A device that is not there is all zeros. */
#define VIRTIO(n)                                                                                                      \
	PART("virtio" #n, virtio_fields, virtio[n].v.s),                                                               \
		PART("virtio" #n "-queue0", virtio_queue_fields, virtio[n].v.s.queue[0]),                              \
		PART("virtio" #n "-queue1", virtio_queue_fields, virtio[n].v.s.queue[1]),                              \
		PART("virtio" #n "-pci", pci_fields, virtio[n].v.pci.s),                                               \
		PART("virtio" #n "-msix", pci_msix_fields, virtio[n].v.msix.s)
#define UART(n) PART("com" #n, uart16550_fields, uart[n - 1].s)

const struct pc_part pc_parts[] = {
	PART("board", pc_fields, s),
	PART("ioapic", ioapic_fields, ioapic.s),
	PART("hpet", hpet_fields, hpet.s),
	PART("pic", i8259_fields, pic.s),
	PART("pit", i8254_fields, pit.s),
	PART("i8042", i8042_fields, kbd.s),
	PART("keyboard", ps2_kbd_fields, kbd.kbd.s),
	PART("mouse", ps2_mouse_fields, kbd.mouse.s),
	PART("rtc", rtc_fields, rtc.s),
	PART("port92", port92_fields, port92.s),
	UART(1),
	UART(2),
	UART(3),
	UART(4),
	PART("vga", vga_fields, vga.s),
	PART("vga-pci", pci_fields, vga.pci.s),
	PART("fdc", fdc_fields, fdc.s),
	PART("fw_cfg", fw_cfg_fields, fw_cfg.s),
	PART("debug-port", debug_port_fields, debug_port.s),
	PART("acpi-pm", acpi_pm_fields, pm.s),
	PART("pci-ports", pci_ports_fields, pci_ports.s),
	PART("i440fx", pci_fields, host.pci.s),
	PART("piix3", pci_fields, piix3.pci.s),
	PART("ide", pci_fields, ide.pci.s),
	PART("ide0", ata_channel_fields, ide.channel[0].s),
	PART("ide0-master", ata_drive_fields, ide.channel[0].drive[0].s),
	PART("ide0-slave", ata_drive_fields, ide.channel[0].drive[1].s),
	PART("ide1", ata_channel_fields, ide.channel[1].s),
	PART("ide1-master", ata_drive_fields, ide.channel[1].drive[0].s),
	PART("ide1-slave", ata_drive_fields, ide.channel[1].drive[1].s),
	PART("piix3-reset", piix3_fields, piix3.s),
	PART("piix4", pci_fields, piix4.pci.s),
	PART("piix4-smbus", piix4_pm_fields, piix4.s),
	PART("pc-testdev", pc_testdev_fields, testdev.s),
	VIRTIO(0),
	VIRTIO(1),
	VIRTIO(2),
	VIRTIO(3),
	VIRTIO(4),
	VIRTIO(5),
	VIRTIO(6),
	VIRTIO(7),
};
const size_t pc_parts_n = ARRAY_SIZE(pc_parts);

u64 pc_hash(const void *arg, u64 h)
{
	const struct pc *pc = arg;

	for (size_t i = 0; i < pc_parts_n; i++)
		h = field_hash(pc_parts[i].fields, pc_parts[i].n, (const char *)pc + pc_parts[i].off, h);
	return memory_hash(&pc->mem, h);
}

u64 pc_cpu_hash(const void *arg, u64 h)
{
	const struct pc_cpu *c = arg;

	h = field_hash(x86_fields, x86_fields_n, &c->x86, h);
	h = field_hash(svm_fields, svm_fields_n, &c->x86.svm, h);
	h = field_hash(tlb_fields, tlb_fields_n, &c->x86.tlb.arch, h);
	return field_hash(lapic_fields, LAPIC_FIELDS, &c->lapic.s, h);
}
