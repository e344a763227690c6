/* See view.h. */
#include "debug/view.h"

struct guest *worlds_guest(struct worlds *w, u64 vmcb, bool make)
{
	for (unsigned i = 0; i < w->guests; i++)
		if (w->guest[i].vmcb == vmcb)
			return &w->guest[i];
	if (!make || w->guests == VIEW_GUESTS)
		return NULL;
	w->guest[w->guests] = (struct guest){.vmcb = vmcb};
	return &w->guest[w->guests++];
}

bool view_get(struct worlds *w, unsigned cpu, enum world world, u64 vmcb, struct view *v) { return w->t->ops->view(w, cpu, world, vmcb, v); }

/* ---- memory ---- */

/* The smallest pages are ARM's tiny ones. */
static size_t in_page(u64 addr, size_t n)
{
	size_t left = 1024 - (addr & 1023);

	return n < left ? n : left;
}

/* Reading asks for nothing but presence: privilege, SMAP and the like are the guest's matter. */
size_t view_read(const struct view *v, enum level l, u64 addr, void *buf, size_t n)
{
	size_t done = 0;
	struct walk w;
	u64 pa;

	while (done < n) {
		size_t part = in_page(addr + done, n - done);

		if (!view_translate(v, l, addr + done, ACC_READ | ACC_AC, &pa, &w))
			break;
		for (size_t i = 0; i < part; i++)
			((u8 *)buf)[done + i] = (u8)space_peek(v->mem, pa + i, 1);
		done += part;
	}
	return done;
}

/* As a bus master would, read-only pages included; devices are left alone. Code decoded from there is dropped. */
size_t view_write(const struct view *v, enum level l, u64 addr, const void *buf, size_t n)
{
	size_t done = 0;
	struct walk w;
	u64 pa;

	for (; done < n; done++) {
		if (!view_translate(v, l, addr + done, ACC_READ | ACC_AC, &pa, &w))
			break;
		if (!space_poke(v->mem, pa, 1, ((const u8 *)buf)[done]))
			break;
	}
	return done;
}

bool view_load(const struct view *v, enum level l, u64 addr, unsigned size, u64 *val)
{
	*val = 0;
	return view_read(v, l, addr, val, size) == size;
}
