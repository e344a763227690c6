/* The user network: options, and what a guest gets to hear: an ARP answer, an offer of an address, a caller on a
 * forwarded port. Without libslirp it must say so. */
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/net_user.h"

static struct net_user net;
static struct error err;
static const u8 mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

#ifdef HAVE_SLIRP

static void put16(u8 *p, unsigned v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

/* Who has 10.0.2.2? */
static void ask(void)
{
	u8 f[60] = {0};

	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	put16(f + 12, 0x0806);
	put16(f + 14, 1);
	put16(f + 16, 0x0800);
	f[18] = 6;
	f[19] = 4;
	put16(f + 20, 1);
	memcpy(f + 22, mac, 6);
	memcpy(f + 28, "\x0a\x00\x02\x0f", 4);
	memcpy(f + 38, "\x0a\x00\x02\x02", 4);
	net_user_send(&net, f, sizeof f);
}

/* The next frame for the guest, at most a second later. */
static const struct net_frame *next(void)
{
	for (unsigned i = 0; i < 100; i++) {
		net_user_poll(&net);
		if (net_user_peek(&net))
			return net_user_peek(&net);
		usleep(10000);
	}
	return NULL;
}

START_TEST(arp)
{
	const struct net_frame *f;

	ck_assert_msg(net_user_open(&net, "", &err), "%s", err.msg);
	ck_assert(!net_user_peek(&net));
	ask();
	f = next();
	ck_assert(f && f->size >= 42);
	ck_assert(!memcmp(f->data, mac, 6) && f->data[12] == 8 && f->data[13] == 6 && f->data[21] == 2);
	ck_assert(!memcmp(f->data + 28, "\x0a\x00\x02\x02", 4));
	ck_assert(net_user_busy(&net)); /* while it waits */
	net_user_drop(&net);
	ck_assert(!net_user_peek(&net));
	net_user_poll(&net);
	ck_assert(!net_user_busy(&net));
	net_user_close(&net);
	net_user_close(&net);
	net_user_send(&net, mac, 6); /* nobody there */
}
END_TEST

START_TEST(dhcp)
{
	u8 f[14 + 20 + 8 + 240 + 4] = {0}, *ip = f + 14, *udp = ip + 20, *b = udp + 8;
	const struct net_frame *got;
	u32 sum = 0;

	memset(f, 0xff, 6);
	memcpy(f + 6, mac, 6);
	put16(f + 12, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, sizeof f - 14);
	ip[8] = 64;
	ip[9] = 17;
	memset(ip + 16, 0xff, 4);
	for (unsigned i = 0; i < 20; i += 2)
		sum += (u32)ip[i] << 8 | ip[i + 1];
	put16(ip + 10, ~(sum + (sum >> 16)));
	put16(udp, 68);
	put16(udp + 2, 67);
	put16(udp + 4, sizeof f - 34);
	b[0] = b[1] = 1;
	b[2] = 6;
	memcpy(b + 28, mac, 6);
	memcpy(b + 236, "\x63\x82\x53\x63\x35\x01\x01\xff", 8); /* DISCOVER */
	ck_assert(net_user_open(&net, "", &err));
	net_user_send(&net, f, sizeof f);
	got = next();
	ck_assert(got && got->size > 300);
	ck_assert(!memcmp(got->data + 14 + 20 + 8 + 16, "\x0a\x00\x02\x0f", 4)); /* yiaddr */
	net_user_close(&net);
}
END_TEST

START_TEST(forward)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct net_frame *f;
	char options[64];
	int s, port = 21000 + getpid() % 20000;

	snprintf(options, sizeof options, "hostfwd=tcp:127.0.0.1:%d-:80,restrict=on", port);
	ck_assert_msg(net_user_open(&net, options, &err), "%s", err.msg);
	ask();
	ck_assert(next());
	net_user_drop(&net);
	net_user_poll(&net);
	ck_assert(!net_user_busy(&net)); /* a port that waits for callers is no conversation */
	s = socket(AF_INET, SOCK_STREAM, 0);
	fcntl(s, F_SETFL, O_NONBLOCK);
	a.sin_port = htons((u16)port);
	ck_assert(connect(s, (struct sockaddr *)&a, sizeof a) <= 0);
	f = next();
	ck_assert(f && f->size >= 54 && f->data[12] == 8 && f->data[13] == 0 && f->data[23] == 6);
	ck_assert_uint_eq(f->data[36] << 8 | f->data[37], 80);
	ck_assert_uint_eq(f->data[47] & 0x12, 2); /* SYN */
	ck_assert(net_user_busy(&net));
	close(s);
	net_user_close(&net);
}
END_TEST

START_TEST(refusals)
{
	static const char *const bad[] = {"hostfwd=tcp:1-2",
					  "hostfwd=tcp::0-:1",
					  "hostfwd=tcp::99999-:1",
					  "hostfwd=sctp::1-:1",
					  "hostfwd=tcp:no.such.host:1-:1",
					  "tftp=x",
					  "hostfwd=",
					  "hostfwd=tcp::1"};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		err.msg[0] = 0;
		ck_assert_msg(!net_user_open(&net, bad[i], &err), "%s", bad[i]);
		ck_assert(err.msg[0] && !net.slirp);
	}
}
END_TEST

#else

START_TEST(without)
{
	ck_assert(!net_user_open(&net, "", &err));
	ck_assert(strstr(err.msg, "without libslirp"));
	net_user_send(&net, mac, 6);
}
END_TEST

#endif

int main(void)
{
	Suite *s = suite_create("net_user");
	TCase *tc = tcase_create("net_user");
	SRunner *r = srunner_create(s);
	int failed;

#ifdef HAVE_SLIRP
	tcase_add_test(tc, arp);
	tcase_add_test(tc, dhcp);
	tcase_add_test(tc, forward);
	tcase_add_test(tc, refusals);
#else
	tcase_add_test(tc, without);
#endif
	suite_add_tcase(s, tc);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
