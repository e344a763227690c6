/*
 * ATA channels: the task file of two drives, PIO, and the commands of disks (ata.c, ata_disk.c) and CD-ROM drives
 * (atapi.c). A bus master (piix_ide.h) moves the data of DMA commands. Manuals: ATA/ATAPI-6 (T13/1410D), INF-8090
 * (MMC) for the packet commands.
 */
#ifndef DEVICES_ATA_H
#define DEVICES_ATA_H

#include "base/field.h"
#include "base/irq.h"
#include "base/sched.h"
#include "devices/disk.h"
#include "mmu/space.h"

#define ATA_BUFFER 32768u
#define ATA_PACKET 12u

/* Status and error bits (7.15, 7.9 of ATA-6). */
enum { ATA_BSY = 0x80, ATA_DRDY = 0x40, ATA_DF = 0x20, ATA_DSC = 0x10, ATA_DRQ = 0x08, ATA_ERR = 0x01 };
enum { ATA_UNC = 0x40, ATA_IDNF = 0x10, ATA_ABRT = 0x04 };

enum ata_kind { ATA_NONE, ATA_DISK, ATA_CD };

/* What the channel is doing. */
enum ata_phase {
	ATA_IDLE,
	ATA_BUSY,     /* the timer ends it */
	ATA_DATA_IN,  /* the host takes buffer[pos..end) */
	ATA_DATA_OUT, /* the host fills it */
	ATA_DMA,      /* waits for the bus master */
};

/* Saved, for each drive. */
struct ata_drive_state {
	u8 feature, count, lba[3], hob_feature, hob_count, hob_lba[3]; /* what was written, and before that */
	u8 device, status, error;
	u8 multiple; /* sectors per READ MULTIPLE, 0: not set */
	u8 dma_mode; /* SET FEATURES 03h: 20h + n multiword, 40h + n ultra */
	u8 no_write_cache;
	u8 sense, asc, ascq; /* CD: why the last command failed */
	u8 ejected, locked;  /* CD: its tray */
	u8 heads, sectors;   /* CHS as the host has set it */
	u8 pad[1];
};

struct ata_drive {
	struct ata_drive_state s;
	enum ata_kind kind;
	struct disk *disk; /* CD: NULL is an empty tray */
	char serial[21];
};

/* Saved, for each channel. */
struct ata_channel_state {
	u64 lba;  /* next sector: 512 bytes of a disk, 2048 of a CD */
	u32 left; /* sectors to do after what is in the buffer */
	u32 pos, end;
	u32 block;  /* disk: sectors per DRQ block; CD: bytes in the buffer, of which pos..end are on offer */
	u8 unit;    /* selected drive */
	u8 control; /* device control register */
	u8 command; /* in progress */
	u8 phase;   /* enum ata_phase */
	u8 writes, ext;
	u8 packet_stage; /* CD: 0 none, 1 waits for the packet, 2 it runs */
	u8 packet_dma;
	u8 intrq;                 /* the drive asks; seen on the line unless nIEN */
	u8 bm_command, bm_status; /* the bus master's: piix_ide.c */
	u8 pad[5];
	u32 bm_table;
	u8 packet[ATA_PACKET];
	u8 buffer[ATA_BUFFER];
};

struct ata_channel {
	struct ata_channel_state s;
	struct ata_drive drive[2];
	struct irq irq;
	struct timer timer;
	struct sched *sched;
	/* Moves the data of a DMA command: calls ata_dma_take or ata_dma_give until it has no more, then ata_dma_done.
	 * NULL: no DMA. */
	void (*dma)(void *arg);
	void (*raised)(void *arg); /* the interrupt line went up */
	void *arg;
};

extern const struct region_ops ata_command_ops; /* 8 ports */
extern const struct region_ops ata_control_ops; /* 1 port: 3F6h or 376h */
#define ATA_DRIVE_FIELDS   19
#define ATA_CHANNEL_FIELDS 19
extern const struct field ata_drive_fields[ATA_DRIVE_FIELDS];
extern const struct field ata_channel_fields[ATA_CHANNEL_FIELDS];

void ata_init(struct ata_channel *c, struct sched *sched, u32 timer_id);
/* Before the first reset. disk must stay; n tells drives' serial numbers apart. */
void ata_attach(struct ata_channel *c, unsigned unit, enum ata_kind kind, struct disk *disk, unsigned n);
void ata_reset(struct ata_channel *c);
void ata_post_load(struct ata_channel *c);

/* ---- for the bus master ---- */
/* Is a DMA command waiting, and does it write to the drive? */
bool ata_dma_waits(const struct ata_channel *c);
bool ata_dma_writes(const struct ata_channel *c);
/* The bus master may start: it is called back after a while of virtual time. */
void ata_dma_ready(struct ata_channel *c);
/* Up to max bytes that the drive has for memory, in *data: 0 when all are through, or after an error. */
u32 ata_dma_take(struct ata_channel *c, u32 max, const u8 **data);
/* Up to max bytes that the drive wants from memory, to be put at *data; then ata_dma_given with as many. 0: no more. */
u32 ata_dma_want(struct ata_channel *c, u32 max, u8 **data);
void ata_dma_given(struct ata_channel *c, u32 n);
/* Has all data passed? */
bool ata_dma_complete(const struct ata_channel *c);
/* The command ends: status and interrupt. */
void ata_dma_done(struct ata_channel *c);

/* ---- between ata.c, ata_disk.c, atapi.c ---- */
static inline struct ata_drive *ata_selected(struct ata_channel *c) { return &c->drive[c->s.unit]; }
void ata_interrupt(struct ata_channel *c);
/* Busy for a while, then ata_continue. */
void ata_busy(struct ata_channel *c, u64 ns);
/* The command ends well, or with error bits; with an interrupt. */
void ata_finish(struct ata_channel *c);
void ata_abort(struct ata_channel *c, u8 error);
/* The host shall take, or fill, the buffer's first n bytes. */
void ata_data_in(struct ata_channel *c, u32 n, bool interrupt);
void ata_data_out(struct ata_channel *c, u32 n, bool interrupt);

void ata_disk_command(struct ata_channel *c, u8 command);
/* Busy is over, or the host has taken or filled the buffer. */
void ata_disk_continue(struct ata_channel *c);
void ata_disk_data(struct ata_channel *c);
bool ata_disk_fill(struct ata_channel *c);  /* next sectors into the buffer; false: error, ended */
bool ata_disk_drain(struct ata_channel *c); /* the buffer to the disk */
void ata_identify_disk(const struct ata_drive *d, u8 *page);

void atapi_command(struct ata_channel *c, u8 command);
void atapi_continue(struct ata_channel *c);
void atapi_data(struct ata_channel *c);
bool atapi_fill(struct ata_channel *c);
void atapi_finish(struct ata_channel *c);
void atapi_identify(const struct ata_drive *d, u8 *page);
/* A string of an IDENTIFY page: words of two swapped characters, padded with spaces (7.16.8). */
void ata_string(u8 *page, unsigned word, unsigned words, const char *text);

#endif
