/* See input.h. A byte is read from the host only when its device has room, so nothing waits in between. */
#include "machine/input.h"

#include <poll.h>

bool input_add(struct input *in, struct bytes *host, void *dev, unsigned (*room)(const void *),
	       void (*receive)(void *, u8))
{
	if (in->count == INPUT_SOURCES)
		return false;
	in->source[in->count++] = (struct input_source){host, dev, room, receive};
	return true;
}

void input_enter(struct input *in, const struct input_event *e)
{
	struct input_source *s = &in->source[e->source];

	in->events++;
	if (in->record)
		in->record(in->record_arg, e);
	s->receive(s->dev, e->byte);
}

bool input_poll(struct input *in, u64 now, u64 icount)
{
	bool any = false;

	for (unsigned i = 0; i < in->count; i++) {
		struct input_source *s = &in->source[i];
		unsigned room = s->room(s->dev);
		u8 buf[64];
		size_t n = room ? bytes_read(s->host, buf, room < sizeof buf ? room : sizeof buf) : 0;

		for (size_t k = 0; k < n; k++)
			input_enter(in, &(struct input_event){now, icount, (u16)i, buf[k]});
		any |= n > 0;
	}
	return any;
}

void input_flush(struct input *in)
{
	for (unsigned i = 0; i < in->count; i++)
		bytes_flush(in->source[i].host);
}

bool input_open(const struct input *in)
{
	for (unsigned i = 0; i < in->count; i++)
		if (bytes_fd(in->source[i].host) >= 0)
			return true;
	return false;
}

void input_wait(const struct input *in, int ms)
{
	struct pollfd p[INPUT_SOURCES];

	for (unsigned i = 0; i < in->count; i++)
		p[i] = (struct pollfd){.fd = bytes_fd(in->source[i].host), .events = POLLIN};
	poll(p, in->count, ms);
}
