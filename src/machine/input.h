/*
 * Input from outside. Bytes that arrive at host streams and frames from networks enter the machine through one place, between
 * two instructions, stamped with virtual time and instruction count: what a run's input was is a list of struct input_event.
 */
#ifndef MACHINE_INPUT_H
#define MACHINE_INPUT_H

#include "base/types.h"
#include "devices/bytes.h"
#include "devices/net_user.h"

#define INPUT_SOURCES 8

struct input_event {
	u64 now, icount; /* virtual time and instruction count at which the guest's device got it */
	u16 source;      /* index of the source */
	u16 size;        /* of a frame; 0: a byte */
	u8 byte;
	const u8 *frame;
};

/* Bytes from somewhere else than a host stream: a window's keyboard and mouse. */
#define INPUT_FEED 1024
struct input_feed {
	u8 byte[INPUT_FEED];
	unsigned head, count;
};

/* A host stream, a feed or a network, and the device that hears it. */
struct input_source {
	struct bytes *host; /* or */
	struct input_feed *feed; /* or */
	struct net_user *net;
	void *dev;
	unsigned (*room)(const void *dev); /* bytes or frames that the device can take now */
	void (*receive)(void *dev, u8 byte);
	void (*receive_frame)(void *dev, const u8 *frame, u32 size);
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
bool input_add_net(struct input *in, struct net_user *net, void *dev, unsigned (*room)(const void *),
		   void (*receive_frame)(void *, const u8 *, u32));
/* Lets what has arrived enter; true if anything did. */
bool input_poll(struct input *in, u64 now, u64 icount);
/* Sends what waits in the streams' output buffers. */
void input_flush(struct input *in);
/* One event enters: from input_poll, or from whoever replays a list. */
void input_enter(struct input *in, const struct input_event *e);
/* Some stream or network may still bring input. */
bool input_open(const struct input *in);
/* A network talks: the other end lives in the host's time. */
bool input_busy(const struct input *in);
/* Sleeps until input arrives, or ms milliseconds (-1: no limit), or a signal. True: there is input. */
bool input_wait(struct input *in, int ms);

#endif
