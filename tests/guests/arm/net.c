/* The network: an ARP request to the user network's gateway, and its answer, by polling. LAN91C111 data sheet, 8 and 7.6 */
#include "arm.h"

#define NIC 0xc8000000

static u16 in(u32 reg) { return *(volatile u16 *)(NIC + reg); }
static void out(u32 reg, u32 val) { *(volatile u16 *)(NIC + reg) = (u16)val; }
static void bank(u32 n) { out(14, n); }

static const u8 request[42] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 6,               /* everybody, from us, ARP */
	0, 1, 8, 0, 6, 4, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};
static u8 frame[2048];

static void start(void)
{
	bank(0);
	out(4, 0x8000); /* reset */
	out(4, 0);
	out(0, 0x81);   /* transmit, pad */
	out(4, 0x300);  /* receive, without CRC */
	bank(2);
	out(0, 2 << 5); /* the MMU's own reset */
}

static void send(const u8 *p, u32 size)
{
	out(0, 1 << 5);
	for (u32 i = 0; i < 100000 && !(in(12) & 8); i++)
		;
	check("allocated", in(2) >> 8 & 0x80, 0);
	*(volatile u8 *)(NIC + 2) = (u8)(in(2) >> 8);
	out(6, 0x4000);
	out(8, 0);
	out(8, size + 6);
	for (u32 i = 0; i < size; i += 2)
		out(8, p[i] | p[i + 1] << 8);
	out(8, 0);
	out(0, 6 << 5);
	for (u32 i = 0; i < 100000 && !(in(12) & 2); i++)
		;
	check("sent", in(12) >> 1 & 1, 1);
	*(volatile u8 *)(NIC + 12) = 2;
}

/* The bytes of the next frame, or 0. */
static u32 receive(void)
{
	u32 status, size;

	for (u32 i = 0; i < 200000000 && !(in(12) & 1); i++)
		;
	if (!(in(12) & 1))
		return 0;
	out(6, 0xe000);
	status = in(8);
	size = (in(8) & 0x7ff) - 6;
	for (u32 i = 0; i < size; i += 2) {
		u32 two = in(8);

		frame[i] = (u8)two;
		frame[i + 1] = (u8)(two >> 8);
	}
	out(0, 4 << 5);
	return status & 0x1000 ? size + 1 : size;
}

void test(void)
{
	u32 size;

	start();
	bank(1);
	for (u32 i = 0; i < 3; i++)
		check("address", in(4 + 2 * i), request[6 + 2 * i] | request[7 + 2 * i] << 8);
	bank(2);
	send(request, sizeof request);
	size = receive();
	check("an answer", size >= 42, 1);
	check("to us", frame[0] == 0x52 && frame[5] == 0x56, 1);
	check("ARP", frame[12] << 8 | frame[13], 0x0806);
	check("a reply", frame[20] << 8 | frame[21], 2);
	check("from 10.0.2.2", (u32)frame[28] << 24 | (u32)frame[29] << 16 | (u32)frame[30] << 8 | frame[31], 0x0a000202);
}
