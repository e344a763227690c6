/* See input.h. A byte is read from the host only when its device has room, so nothing waits in between. */
#include "machine/input.h"

#include <poll.h>

bool input_add(struct input *in, struct bytes *host, void *dev, unsigned (*room)(const void *),
	       void (*receive)(void *, u8))
{
	if (in->count == INPUT_SOURCES)
		return false;
	in->source[in->count++] = (struct input_source){.host = host, .dev = dev, .room = room, .receive = receive};
	return true;
}

bool input_add_net(struct input *in, struct net_user *net, void *dev, unsigned (*room)(const void *),
		   void (*receive_frame)(void *, const u8 *, u32))
{
	if (in->count == INPUT_SOURCES)
		return false;
	in->source[in->count++] =
		(struct input_source){.net = net, .dev = dev, .room = room, .receive_frame = receive_frame};
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
	if (e->size)
		s->receive_frame(s->dev, e->frame, e->size);
	else
		s->receive(s->dev, e->byte);
}

/* Frames that the guest has no buffer for wait. */
static bool poll_net(struct input *in, unsigned i, u64 now, u64 icount)
{
	struct input_source *s = &in->source[i];
	const struct net_frame *f;
	bool any = false;

	net_user_poll(s->net);
	for (; (f = net_user_peek(s->net)) && s->room(s->dev); any = true) {
		input_enter(in,
			    &(struct input_event){
				    .now = now, .icount = icount, .source = (u16)i, .size = f->size, .frame = f->data});
		net_user_drop(s->net);
	}
	return any;
}

static bool poll_bytes(struct input *in, unsigned i, u64 now, u64 icount)
{
	struct input_source *s = &in->source[i];
	unsigned room = s->room(s->dev);
	u8 buf[64];
	size_t n = room ? source_read(s, buf, room < sizeof buf ? room : sizeof buf) : 0;

	for (size_t k = 0; k < n; k++)
		input_enter(in, &(struct input_event){.now = now, .icount = icount, .source = (u16)i, .byte = buf[k]});
	return n > 0;
}

bool input_poll(struct input *in, u64 now, u64 icount)
{
	bool any = false;

	for (unsigned i = 0; i < in->count; i++)
		any |= in->source[i].net ? poll_net(in, i, now, icount) : poll_bytes(in, i, now, icount);
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

bool input_busy(const struct input *in)
{
	for (unsigned i = 0; i < in->count; i++)
		if (in->source[i].net && net_user_busy(in->source[i].net))
			return true;
	return false;
}

bool input_wait(struct input *in, int ms)
{
	struct pollfd p[INPUT_SOURCES + NET_FDS];
	unsigned n = 0;

	for (unsigned i = 0; i < in->count; i++) {
		const struct input_source *s = &in->source[i];

		if (s->feed && s->feed->count && s->room(s->dev))
			return true;
		if (s->net)
			n += net_user_fds(s->net, p + n, (unsigned)ARRAY_SIZE(p) - n, &ms);
		else if (s->host)
			p[n++] = (struct pollfd){.fd = bytes_fd(s->host), .events = POLLIN};
	}
	return poll(p, n, ms) > 0;
}
