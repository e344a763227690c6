/*
 * Input from outside. Bytes that arrive at host streams enter the machine through one place, between two instructions,
 * stamped with virtual time and instruction count: what a run's input was is a list of struct input_event.
 */
#ifndef MACHINE_INPUT_H
#define MACHINE_INPUT_H

#include "base/types.h"
#include "devices/bytes.h"

#define INPUT_SOURCES 8

struct input_event {
	u64 now, icount; /* virtual time and instruction count at which the guest's device got it */
	u16 source;      /* index of the source */
	u8 byte;
};

/* Bytes from somewhere else than a host stream: a window's keyboard and mouse. */
#define INPUT_FEED 1024
struct input_feed {
	u8 byte[INPUT_FEED];
	unsigned head, count;
};

/* A host stream or a feed, and the device that hears it. */
struct input_source {
	struct bytes *host; /* NULL: feed */
	struct input_feed *feed;
	void *dev;
	unsigned (*room)(const void *dev); /* bytes that the device can take now */
	void (*receive)(void *dev, u8 byte);
};

struct input {
	struct input_source source[INPUT_SOURCES];
	unsigned count;
	u64 events; /* so far */
	/* Hears every event before the device does; may be NULL. */
	void (*record)(void *arg, const struct input_event *e);
	void *record_arg;
};

/* False when there are too many sources. */
bool input_add(struct input *in, struct bytes *host, void *dev, unsigned (*room)(const void *),
	       void (*receive)(void *, u8));
bool input_add_feed(struct input *in, struct input_feed *feed, void *dev, unsigned (*room)(const void *),
		    void (*receive)(void *, u8));
/* n bytes, or none when there is no room for all. */
bool input_feed_put(struct input_feed *f, const u8 *p, unsigned n);
/* Lets what has arrived enter; true if anything did. */
bool input_poll(struct input *in, u64 now, u64 icount);
/* Sends what waits in the streams' output buffers. */
void input_flush(struct input *in);
/* One event enters: from input_poll, or from whoever replays a list. */
void input_enter(struct input *in, const struct input_event *e);
/* Some stream may still bring input. */
bool input_open(const struct input *in);
/* Sleeps until input arrives, or ms milliseconds (-1: no limit), or a signal. True: there is input. */
bool input_wait(const struct input *in, int ms);

#endif
