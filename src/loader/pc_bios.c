/* See pc_bios.h. The routines are machine code: each is short, and nothing else in the program is assembled. */
#include "loader/pc_bios.h"

/* Offsets in segment F000. */
enum {
	POST = 0xe05b,
	EOI_BOTH = 0xe0a0,
	EOI_MASTER = 0xe0b0,
	TIMER = 0xfea5,
	DUMMY = 0xff53,
	RESET = 0xfff0,
	MODEL = 0xfffe
};
enum { RESUME_EOI = 0x05, RESUME = 0x0a };

static const u8 post[] = {
	0xb0, 0x0f,       0xe6, 0x70, 0xe4, 0x71, /* mov al,0Fh; out 70h,al; in al,71h */
	0x3c, RESUME,     0x74, 0x0d,             /* cmp al,0Ah; je resume */
	0x3c, RESUME_EOI, 0x74, 0x09,             /* cmp al,05h; je resume */
	0xba, 0xf9,       0x0c,                   /* mov dx,0CF9h */
	0xb0, 0x06,       0xee,                   /* mov al,06h; out dx,al: a reset of the whole machine */
	0xf4, 0xeb,       0xfd,                   /* hlt; jmp there */
	0xff, 0x2e,       0x67, 0x04,             /* resume: jmp far [0467h] */
};
static const u8 eoi_both[] = {0x50, 0xb0, 0x20, 0xe6, 0xa0,
			      0xe6, 0x20, 0x58, 0xcf}; /* push ax; EOI to both; pop ax; iret */
static const u8 eoi_master[] = {0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf};
static const u8 timer[] = {
	0x50, 0x1e, 0x31, 0xc0, 0x8e, 0xd8, /* push ax; push ds; xor ax,ax; mov ds,ax */
	0x66, 0xff, 0x06, 0x6c, 0x04,       /* inc dword [046Ch] */
	0xb0, 0x20, 0xe6, 0x20,             /* EOI */
	0x1f, 0x58, 0xcf,                   /* pop ds; pop ax; iret */
};
static const u8 dummy[] = {0xcf};                         /* iret */
static const u8 reset[] = {0xea, 0x5b, 0xe0, 0x00, 0xf0}; /* jmp F000:E05B */
static const u8 model[] = {0xfc};                         /* PC/AT */

#define ROUTINE(off, code)                                                                                             \
	{                                                                                                              \
		off, sizeof code, code                                                                                 \
	}
static const struct {
	u16 off, size;
	const u8 *code;
} routines[] = {
	ROUTINE(POST, post),   ROUTINE(EOI_BOTH, eoi_both), ROUTINE(EOI_MASTER, eoi_master), ROUTINE(TIMER, timer),
	ROUTINE(DUMMY, dummy), ROUTINE(RESET, reset),       ROUTINE(MODEL, model),
};

static void install_rom(u8 *rom)
{
	memset(rom, 0xff, PC_BIOS_SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(routines); i++)
		memcpy(rom + routines[i].off, routines[i].code, routines[i].size);
}

/* 8259A inputs 0-7 are vectors 08h-0Fh, 8-15 are 70h-77h. */
static u16 handler(unsigned vector)
{
	if (vector == 8)
		return TIMER;
	if (vector > 8 && vector < 0x10)
		return EOI_MASTER;
	return vector >= 0x70 && vector < 0x78 ? EOI_BOTH : DUMMY;
}

/* The data area at 400h, and the length of the extended one. */
static void data_area(struct pc *pc)
{
	static const u16 com[PC_UARTS] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	struct space *m = &pc->mem;

	for (unsigned i = 0; i < pc->cfg.uarts; i++)
		space_write(m, 0x400 + 2 * i, 2, com[i]);
	space_write(m, 0x40e, 2, PC_BIOS_EBDA >> 4);
	space_write(m, 0x410, 2, pc->cfg.uarts << 9 | 0x26); /* serial ports; 80x25 colour, PS/2 mouse, x87 */
	space_write(m, 0x413, 2, PC_BIOS_EBDA >> 10);
	space_write(m, 0x449, 1, 3); /* video mode */
	space_write(m, 0x44a, 2, 80);
	space_write(m, 0x44c, 2, 80 * 25 * 2);
	space_write(m, 0x463, 2, 0x3d4);
	space_write(m, 0x484, 1, 24);
	space_write(m, 0x485, 2, 16);
	space_write(m, PC_BIOS_EBDA, 1, 1); /* KB */
}

void pc_bios_install(struct pc *pc)
{
	install_rom(pc->bios[0]);
	install_rom(pc->bios[1]);
	for (unsigned v = 0; v < 256; v++)
		space_write(&pc->mem, v * 4, 4, 0xf0000000 | handler(v));
	data_area(pc);
}

bool pc_bios_resumes(const struct pc *pc)
{
	u8 status = pc->rtc.s.cmos[0x0f];

	return status == RESUME || status == RESUME_EOI;
}
