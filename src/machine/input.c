/* See input.h. A byte is read from the host only when its device has room, so nothing waits in between. */
#include "machine/input.h"

#include <poll.h>

bool input_add(struct input *in, struct bytes *host, void *dev, unsigned (*room)(const void *),
	       void (*receive)(void *, u8))
{
	if (in->count == INPUT_SOURCES)
		return false;
	in->source[in->count++] = (struct input_source){host, NULL, dev, room, receive};
	return true;
}

bool input_add_feed(struct input *in, struct input_feed *feed, void *dev, unsigned (*room)(const void *),
		    void (*receive)(void *, u8))
{
	if (!input_add(in, NULL, dev, room, receive))
		return false;
	in->source[in->count - 1].feed = feed;
	return true;
}

bool input_feed_put(struct input_feed *f, const u8 *p, unsigned n)
{
	if (n > INPUT_FEED - f->count)
		return false;
	while (n--)
		f->byte[(f->head + f->count++) % INPUT_FEED] = *p++;
	return true;
}

static size_t feed_read(struct input_feed *f, u8 *buf, size_t n)
{
	size_t got = 0;

	for (; got < n && f->count; f->count--, f->head = (f->head + 1) % INPUT_FEED)
		buf[got++] = f->byte[f->head];
	return got;
}

static size_t source_read(struct input_source *s, u8 *buf, size_t n)
{
	return s->host ? bytes_read(s->host, buf, n) : feed_read(s->feed, buf, n);
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
		size_t n = room ? source_read(s, buf, room < sizeof buf ? room : sizeof buf) : 0;

		for (size_t k = 0; k < n; k++)
			input_enter(in, &(struct input_event){now, icount, (u16)i, buf[k]});
		any |= n > 0;
	}
	return any;
}

void input_flush(struct input *in)
{
	for (unsigned i = 0; i < in->count; i++)
		if (in->source[i].host)
			bytes_flush(in->source[i].host);
}

bool input_open(const struct input *in)
{
	for (unsigned i = 0; i < in->count; i++)
		if (!in->source[i].host || bytes_fd(in->source[i].host) >= 0)
			return true;
	return false;
}

bool input_wait(const struct input *in, int ms)
{
	struct pollfd p[INPUT_SOURCES];

	for (unsigned i = 0; i < in->count; i++) {
		const struct input_source *s = &in->source[i];

		if (!s->host && s->feed->count && s->room(s->dev))
			return true;
		p[i] = (struct pollfd){.fd = s->host ? bytes_fd(s->host) : -1, .events = POLLIN};
	}
	return poll(p, in->count, ms) > 0;
}
