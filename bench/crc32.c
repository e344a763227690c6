/* CRC-32 by table: a chain of dependent loads and shifts. Op: one byte. */
#include "kernels.h"

static u32 table[256];
static u8 bytes[CRC_SIZE];

static struct result run(u64 n)
{
	u32 crc = 0;

	crc32_table(table);
	for (u32 i = 0; i < CRC_SIZE; i++)
		bytes[i] = (u8)(i * 167 >> 3);
	for (u64 i = 0; i < n; i++)
		crc = crc32_pass(table, crc, bytes, CRC_SIZE);
	return (struct result){ n * CRC_SIZE, crc };
}

const struct bench bench = { "crc32", 3000, run };
