/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of bytes that were written to a connection which then ended: docs/decisions/0012.
 *
 * That the peer's kernel has not acknowledged them is not enough: it may acknowledge late, and a reset carries no
 * acknowledgement that ours would note, so bytes that were read and acted upon can look unacknowledged for ever. Proof is
 * only this order of things: the peer's end came first, acknowledging none of them (so its application had closed before
 * they arrived), and a reset came after it (so no socket was there that could have taken them; one that is only half closed
 * takes bytes and acknowledges them). */
#include "rt/stream_int.h"

#include <linux/tcp.h>

#include <errno.h>
#include <stddef.h>

enum { LOOK_US = 1000, LOOKS = 50, STATE_CLOSE = 7 };

void stream_met(Stream *s, int errnum)
{
	if (s->fate != STREAM_GOES_ON)
		return;
	/* EPIPE before anything else: a reset behind the end, see tcp_reset() of Linux */
	s->fate = errnum == 0 || errnum == EPIPE ? STREAM_ENDED : STREAM_BROKE;
}

/* Looks for itself: TLS may have seen the end in a record, before the one of the connection. */
static void look(Stream *s)
{
	char byte;
	ssize_t n = recv(s->watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n == 0)
		stream_met(s, 0);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		stream_met(s, errno);
}

bool stream_untouched(Stream *s, uint64_t from, bool now)
{
	for (int i = 0; i < LOOKS && s->fate != STREAM_BROKE; i++) {
		struct tcp_info info = { 0 };
		socklen_t len = sizeof info;

		if (s->fate == STREAM_GOES_ON)
			look(s);
		if (getsockopt(s->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0 ||
		    len < offsetof(struct tcp_info, tcpi_bytes_acked) +
		                    sizeof info.tcpi_bytes_acked ||
		    info.tcpi_bytes_acked > from + 1) /* the SYN counts as one */
			return false;
		if (info.tcpi_state == STATE_CLOSE || now)
			return s->fate == STREAM_ENDED;
		if (fiber_sleep(LOOK_US))
			return false;
	}
	return false;
}
