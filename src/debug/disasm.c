/* See disasm.h. */
#include "debug/disasm.h"

#include <stdio.h>

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>

static bool library_text(const u8 *bytes, unsigned len, unsigned bits, u64 rip, char *out, size_t size)
{
	cs_mode mode = bits == 64 ? CS_MODE_64 : bits == 32 ? CS_MODE_32 : CS_MODE_16;
	cs_insn *insn;
	csh handle;
	size_t n;

	if (cs_open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK)
		return false;
	n = cs_disasm(handle, bytes, len, rip, 1, &insn);
	if (n) {
		snprintf(out, size, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
		cs_free(insn, n);
	}
	cs_close(&handle);
	return n != 0;
}

static unsigned library_arm(const u8 *bytes, unsigned len, bool thumb, u32 pc, char *out, size_t size)
{
	unsigned used = 0;
	cs_insn *insn;
	csh handle;

	if (cs_open(CS_ARCH_ARM, thumb ? CS_MODE_THUMB : CS_MODE_ARM, &handle) != CS_ERR_OK)
		return 0;
	if (cs_disasm(handle, bytes, len, pc, 1, &insn)) {
		snprintf(out, size, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
		used = insn->size;
		cs_free(insn, 1);
	}
	cs_close(&handle);
	return used;
}

const char *disasm_library(void)
{
	static char name[32];
	int major, minor;

	cs_version(&major, &minor);
	snprintf(name, sizeof name, "capstone %d.%d", major, minor);
	return name;
}
#else
static bool library_text(const u8 *bytes, unsigned len, unsigned bits, u64 rip, char *out, size_t size)
{
	(void)bytes, (void)len, (void)bits, (void)rip, (void)out, (void)size;
	return false;
}

static unsigned library_arm(const u8 *bytes, unsigned len, bool thumb, u32 pc, char *out, size_t size)
{
	(void)bytes, (void)len, (void)thumb, (void)pc, (void)out, (void)size;
	return 0;
}

const char *disasm_library(void) { return NULL; }
#endif

unsigned disasm_arm(const u8 *bytes, unsigned len, bool thumb, u32 pc, char *out, size_t size)
{
	unsigned n = thumb ? 2 : 4, used;

	if (len < n) {
		snprintf(out, size, "(not readable)");
		return n;
	}
	used = library_arm(bytes, len, thumb, pc, out, size);
	if (!used)
		snprintf(out, size, ".%s 0x%0*llx", thumb ? "short" : "word", (int)n * 2, (unsigned long long)load_le(bytes, n));
	return used ? used : n;
}

/* Instructions that capstone 4.0.2 does not know or takes for others. APM3 */
static const struct {
	u8 prefix; /* F2, F3 or 0: none of the two */
	u8 op[3];  /* after the prefixes */
	const char *text;
} corrections[] = {
	{0, {0x0f, 0x01, 0xfa}, "monitorx"},   {0xf3, {0x0f, 0x01, 0xfa}, "mcommit"},
	{0, {0x0f, 0x01, 0xfb}, "mwaitx"},     {0, {0x0f, 0x01, 0xfc}, "clzero"},
	{0, {0x0f, 0x01, 0xfd}, "rdpru"},      {0, {0x0f, 0x01, 0xfe}, "invlpgb"},
	{0, {0x0f, 0x01, 0xff}, "tlbsync"},    {0xf2, {0x0f, 0x01, 0xd9}, "vmgexit"},
	{0xf3, {0x0f, 0x01, 0xd9}, "vmgexit"},
};

static bool is_prefix(u8 b, unsigned bits)
{
	static const u8 legacy[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

	return memchr(legacy, b, sizeof legacy) || (bits == 64 && (b & 0xf0) == 0x40);
}

/* F3 0F C7 /7 with a register is RDPID; capstone says RDSEED. */
static bool rdpid(const u8 *op, unsigned left, u8 prefix, char *out, size_t size)
{
	if (prefix != 0xf3 || left < 3 || op[0] != 0x0f || op[1] != 0xc7 || (op[2] & 0xf8) != 0xf8)
		return false;
	snprintf(out, size, "rdpid r%u", op[2] & 7u);
	return true;
}

static bool correction(const u8 *bytes, unsigned len, unsigned bits, char *out, size_t size)
{
	unsigned n = 0;
	u8 prefix = 0;

	for (; n < len && is_prefix(bytes[n], bits); n++)
		if (bytes[n] == 0xf2 || bytes[n] == 0xf3)
			prefix = bytes[n];
	for (unsigned i = 0; i < ARRAY_SIZE(corrections); i++)
		if (len - n == 3 && prefix == corrections[i].prefix && !memcmp(bytes + n, corrections[i].op, 3)) {
			snprintf(out, size, "%s", corrections[i].text);
			return true;
		}
	return rdpid(bytes + n, len - n, prefix, out, size);
}

void disasm_x86(const u8 *bytes, unsigned len, unsigned bits, u64 rip, char *out, size_t size)
{
	size_t used = 0;

	if (correction(bytes, len, bits, out, size) || library_text(bytes, len, bits, rip, out, size))
		return;
	for (unsigned i = 0; i < len && used + 4 < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%02x", i ? " " : "db ", bytes[i]);
}
