/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies from files. Over a plain HTTP/1 connection the kernel takes them from its own pages (sendfile), which are there
 * when disk_warm has been asked; over TLS and HTTP/2 they are read and written. Both in turns, so that a large file on a
 * fast connection does not keep its loop (rule 9). */
#include "http/exchange.h"

#include "http/buffers.h"
#include "rt/disk.h"

/* A turn of sendfile takes no longer than one of a quarter of its bytes that are read and written; in smaller ones the
 * pages of many files push each other out of the caches. */
enum { TURN_BYTES = 1 << 20, COPY_TURN_BYTES = 256 << 10, COPY_BYTES = 64 << 10 };

static Err cut = ERR_STATIC(IO, "http.file_cut", "a file became shorter while it was sent");

static Err *send_direct(Exchange *x, int fd, uint64_t from, size_t count, size_t *sent)
{
	TRY(disk_warm(fd, from, count));
	TRY(x->ops->send_file(x, fd, from, count, sent));
	x->bytes_out += *sent;
	return NULL;
}

static void give(char **buffer)
{
	http_buffer_give(*buffer);
}

static Err *send_copied(Exchange *x, int fd, uint64_t from, size_t count, size_t *sent)
{
	AUTO(give) char *buffer = http_buffer_take();

	TRY(disk_read(fd, buffer, MIN(count, (size_t)COPY_BYTES), from, sent));
	return http_write(x, (Str){ buffer, *sent });
}

Err *http_send_file(Exchange *x, int fd, uint64_t from, uint64_t count)
{
	bool direct = x->ops->send_file && !x->secure;
	size_t most = direct ? TURN_BYTES : COPY_TURN_BYTES;
	size_t turn = 0, sent;

	while (count && !x->ended) {
		size_t piece = (size_t)MIN(count, (uint64_t)most);

		TRY(direct ? send_direct(x, fd, from, piece, &sent)
		           : send_copied(x, fd, from, piece, &sent));
		if (!sent)
			return &cut;
		from += sent;
		count -= sent;
		turn += sent;
		if (turn >= most && count) {
			turn = 0;
			TRY(fiber_yield());
		}
	}
	return NULL;
}
