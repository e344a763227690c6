/* #VMEXITs counted: by reason with the instructions that the guest ran before it, and by rip, port, MSR and guest-physical page. */
#ifndef DEBUG_STAT_H
#define DEBUG_STAT_H

#include "debug/hub.h"

#define STAT_REASONS 128
#define STAT_PLACES  4096 /* a power of two */

struct stat_reason {
	u64 code, count, min, max, sum;
};
struct stat_place {
	u64 code, key, count; /* key: rip, port, MSR or page */
	u8 kind;              /* enum stat_kind + 1; 0: unused */
};
enum stat_kind { STAT_RIP, STAT_PORT, STAT_MSR, STAT_GPA, STAT_KINDS };

struct stat {
	struct hub *hub;
	unsigned ear;
	u64 entered[PC_CPUS]; /* instruction count at VMRUN, of this CPU */
	struct stat_reason reason[STAT_REASONS];
	unsigned reasons;
	struct stat_place place[STAT_PLACES];
	u64 lost; /* not counted by place, for want of room */
};

void stat_init(struct stat *s, struct hub *hub);
void stat_reset(struct stat *s);
void stat_print(const struct stat *s, struct text *out);

#endif
