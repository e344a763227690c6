/*
 * Fuzz the decoder: any bytes in any mode. An instruction has 1 to 15 bytes, never more than there are; its length does not depend on what
 * follows; with one byte less the decoder asks for more, unless what is there is an error already.
 */
#include <stdlib.h>

#include "cpu_x86/insn.h"
#include "cpu_x86/op.h"
#include "fuzz.h"
#include "world.h"

static void need(bool good)
{
	if (!good)
		abort();
}

static enum decode_result decode(struct x86_cpu *c, const u8 *in, unsigned n, struct x86_op *o, struct x86_decoded *d)
{
	u8 *exact = malloc(n ? n : 1); /* the sanitizer sees a byte too many */
	enum decode_result r;

	memcpy(exact, in, n);
	r = x86_decode(c, exact, n, 0, o, d);
	free(exact);
	return r;
}

int LLVMFuzzerTestOneInput(const u8 *in, size_t size)
{
	static const u8 modes[] = {WORLD_REAL, WORLD_PROT0, WORLD_PROT3, WORLD_LONG0, WORLD_LONG3, WORLD_COMPAT3, WORLD_V86};
	static struct world *w;
	static unsigned now = ~0u;
	struct x86_op o, p;
	struct x86_decoded d, e;
	unsigned n, len, mode;

	if (size < 2)
		return 0;
	mode = in[0] % (unsigned)sizeof modes;
	if (!w)
		w = world_new();
	if (mode != now) {
		world_mode(w, modes[mode]);
		now = mode;
	}
	in++;
	n = size - 1 < 15 ? (unsigned)size - 1 : 15;
	if (decode(w->cpu, in, n, &o, &d) == DECODE_MORE) {
		need(n < 15);
		return 0;
	}
	len = op_len(&o);
	need(len >= 1 && len <= n);
	need(decode(w->cpu, in, len, &p, &e) == DECODE_OK);
	need(op_len(&p) == len && p.exec == o.exec && e.row == d.row);
	if (len > 1 && d.row)
		need(decode(w->cpu, in, len - 1, &p, &e) == DECODE_MORE);
	return 0;
}
