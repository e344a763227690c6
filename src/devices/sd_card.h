/*
 * An SD memory card: commands in, responses out, data byte by byte; its memory is a disk image. Standard capacity up to 2 GB, high
 * capacity above. The bus that it sits on, and so CRCs and clocks, are the host controller's.
 */
#ifndef DEVICES_SD_CARD_H
#define DEVICES_SD_CARD_H

#include "base/field.h"
#include "devices/disk.h"

#define SD_BLOCK 512u

enum sd_response { SD_NONE, SD_SHORT, SD_LONG }; /* none: the host times out */

struct sd_card_state {
	u64 addr;       /* bytes: where the transfer is */
	u32 status;     /* error bits of the card status, cleared when told */
	u32 erase_from, erase_to;
	u32 blocks;     /* of CMD23 that are left, 0: until CMD12 */
	u32 written;    /* blocks of the last write, for ACMD22 */
	u16 rca, block_len;
	u16 pos, len;   /* of buf: what was moved, and of how much */
	u8 state;       /* enum in sd_card.c */
	u8 app, powered, counted, multiple, memory; /* app: an application command follows; memory: buf is of the card's memory */
	u8 pad[6];
	u8 buf[SD_BLOCK];
};

struct sd_card {
	struct sd_card_state s;
	struct disk *disk; /* NULL: no card */
};

#define SD_CARD_FIELDS 18
extern const struct field sd_card_fields[SD_CARD_FIELDS];

/* disk is open, or NULL. False: no card has the image's size. */
bool sd_card_init(struct sd_card *c, struct disk *disk, struct error *err);
/* Power off and on. */
void sd_card_reset(struct sd_card *c);
void sd_card_post_load(struct sd_card *c);
/* A command with its argument. The response's 32 or 128 bits, the highest first. */
enum sd_response sd_card_command(struct sd_card *c, u8 cmd, u32 arg, u32 response[4]);
/* The card has a byte for the host; or takes one. */
bool sd_card_sends(struct sd_card *c);
bool sd_card_takes(const struct sd_card *c);
u8 sd_card_get(struct sd_card *c);
void sd_card_put(struct sd_card *c, u8 byte);

#endif
