/* SPDX-License-Identifier: Apache-2.0
 *
 * New items of an inbox as they come: Server-Sent Events.
 *
 * A stream begins behind Last-Event-ID, or now. The id of an event is the item's place; the places of one recipient rise in the order in
 * which items can be seen (they are written under a lock), so a client that comes back misses none and gets none twice. The database
 * tells that there may be something, on one of a few channels by recipient; a look every few seconds makes good for what was not told.
 *
 * A stream would outlive its service: when that drains, every loop ends its own, in order, and clients come back to another process. */
#include "notification/inbox.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/list.h"
#include "base/time.h"
#include "http/exchange.h"
#include "rt/fiber.h"
#include "rt/loop.h"

#include "notification_inbox_sql.h"

enum { STREAM_PAGE = 50 };
#define STREAM_LOOK_US (15 * US_PER_S)
#define STREAM_MOST_US (4 * 3600 * US_PER_S) /* then the client comes back, with a fresh token */
#define FAREWELL_US US_PER_S

/* One client, in the frame of its fiber. */
typedef struct InboxStream {
	Node node; /* in the list of its loop */
	Fiber *fiber;
} InboxStream;
static __thread List streams;
static bool ending; /* no stream begins any more */

const char *inbox_channel(Str recipient)
{
	static const char *const channels[] = {
		"inbox_00", "inbox_01", "inbox_02", "inbox_03", "inbox_04", "inbox_05", "inbox_06",
		"inbox_07", "inbox_08", "inbox_09", "inbox_10", "inbox_11", "inbox_12", "inbox_13",
		"inbox_14", "inbox_15", "inbox_16", "inbox_17", "inbox_18", "inbox_19", "inbox_20",
		"inbox_21", "inbox_22", "inbox_23", "inbox_24", "inbox_25", "inbox_26", "inbox_27",
		"inbox_28", "inbox_29", "inbox_30", "inbox_31",
	};

	return channels[hash_stable(recipient, 1, 2) % COUNT(channels)];
}

static Err *stream_begin(ServiceCall *c)
{
	Head head = { .status = 200, .body = HTTP_BODY_CHUNKED, .content_length = -1 };

	headers_add_id(&head.headers, c->arena, HTTP_CONTENT_TYPE, S("text/event-stream"));
	headers_add_id(&head.headers, c->arena, HTTP_CACHE_CONTROL, S("no-store"));
	headers_add(&head.headers, c->arena, S("X-Accel-Buffering"), S("no"));
	TRY(http_begin(c->x, &head));
	TRY(http_write(c->x, S("retry: 3000\n\n")));
	return http_flush(c->x);
}

static Err *put_event(Exchange *x, Arena *a, const ItemRow *item)
{
	AUTO(buf_fini) Buf text = { .limit = 1 << 20 };
	JsonWriter w;

	buf_fmt(&text, "id: %" PRId64 "\nevent: item\ndata: ", item->seq);
	w = json_writer(&text);
	inbox_put_item(&w, a, item);
	buf_put(&text, S("\n\n"));
	return http_write(x, buf_str(&text));
}

/* What came after *last. *wrote: something did. */
static Err *put_new(ServiceCall *c, int64_t *last, bool *wrote)
{
	size_t count = STREAM_PAGE;

	while (count == STREAM_PAGE) {
		AUTO(arena_freep) Arena *a = arena_new(32 << 20);
		ItemRow *rows;
		Err *err = db_all(c->db, a, items_after, &rows, &count, .recipient = c->who.name,
		                  .after = *last, .most = STREAM_PAGE);

		if (err)
			return err_copy(c->arena, err);
		for (size_t i = 0; i < count; i++) {
			TRY(put_event(c->x, a, &rows[i]));
			*last = rows[i].seq;
			*wrote = true;
		}
	}
	return NULL;
}

static Err *stream_from(ServiceCall *c, int64_t *last)
{
	Str id = service_header(c, "Last-Event-ID");
	ItemsLastRow *row;

	if (id.len && str_to_i64(id, last) && *last >= 0)
		return NULL;
	TRY(db_one(c->db, c->arena, items_last, &row, .recipient = c->who.name));
	*last = row ? row->seq : 0;
	return NULL;
}

static bool is_ending(void)
{
	return __atomic_load_n(&ending, __ATOMIC_ACQUIRE);
}

static void stream_leave(InboxStream *stream)
{
	list_remove(&stream->node);
}

static void end_all(void *arg)
{
	(void)arg;
	if (streams.head.next)
		LIST_EACH (&streams, InboxStream, node, stream)
			fiber_cancel(stream->fiber);
}

void inbox_drain(ServiceHome *home)
{
	(void)home;
	__atomic_store_n(&ending, true, __ATOMIC_RELEASE);
	loop_each(end_all, NULL);
}

void inbox_begin(void)
{
	__atomic_store_n(&ending, false, __ATOMIC_RELEASE);
}

static Err *look_on(ServiceCall *c, DbWatch *watch, int64_t last)
{
	int64_t until_us = time_mono_us() + STREAM_MOST_US;

	while (time_mono_us() < until_us && !is_ending()) {
		bool wrote = false;

		TRY(put_new(c, &last, &wrote));
		if (!wrote)
			TRY(http_write(c->x, S(":\n\n"))); /* a client that is gone shows */
		TRY(http_flush(c->x));
		fiber_trim();
		TRY(db_watch_wait(watch, STREAM_LOOK_US));
	}
	return NULL;
}

Err *inbox_stream(ServiceCall *c)
{
	AUTO(db_watch_end) DbWatch watch = { 0 };
	AUTO(stream_leave) InboxStream stream = { .fiber = fiber_self() };
	AUTO(shield_end) Shield shield = { 0 };
	int64_t last;
	Err *err;

	TRY(stream_from(c, &last));
	TRY(db_watch_begin(&watch, c->db, c->arena, inbox_channel(c->who.name)));
	TRY(stream_begin(c));
	if (!streams.head.next)
		list_init(&streams);
	list_add(&streams, &stream.node);
	err = look_on(c, &watch, last);
	if (err && !(err->kind == ERR_CANCELLED && is_ending()))
		return err;
	if (err)
		shield = shield_begin(FAREWELL_US);
	return http_end(c->x, NULL);
}
