/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire -- packets of the milter protocol on a socket: a 32-bit length, a
 * command, data.  What a command means is dialog's work.
 */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include "base/str.h"

enum wire_status {
	WIRE_OK,
	WIRE_CLOSED, /* end of file or reset by the other side */
	WIRE_TIMEOUT,
	WIRE_BAD /* a length that no packet has */
};

#define WIRE_OUT_BYTES 131072
#define WIRE_IN_MAX (1 << 20)

struct wire {
	int fd; /* -1: closed */
	int timeout_ms;
	unsigned slow_ms; /* wait before each packet */
	bool is_eager;    /* one write a packet, as Sendmail does */
	char *out;
	size_t out_len;
	char *in;
	size_t in_len, in_cap, taken;
};

/*
 * Connect to "unix:/path", "inet:port@host" or "inet6:port@host".  False: errno
 * tells.  `*w` is set in either case; wire_close() gives it back.
 */
MUST_CHECK bool wire_open(
    struct wire *w, const char *socket_name, int timeout_ms);
void wire_close(struct wire *w);
/* Send no more, still receive. */
void wire_half_close(struct wire *w);

/* Packets wait in the buffer until it is full or a reply is awaited. */
MUST_CHECK enum wire_status wire_send(
    struct wire *w, char command, struct str data);
MUST_CHECK enum wire_status wire_send_raw(struct wire *w, struct str bytes);
MUST_CHECK enum wire_status wire_flush(struct wire *w);

/* The next packet; its data lives until the next call. */
MUST_CHECK enum wire_status wire_receive(
    struct wire *w, char *ret_command, struct str *ret_data);
/* Something to read is already there. */
bool wire_has_input(const struct wire *w);

uint32_t wire_u32(struct str data, size_t at);
void wire_put_u32(char to[4], uint32_t value);

#endif
