/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of the inbox: what the application shows to whoever asks. */
#include "notification/inbox.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/notification_api.h"

#include "notification_inbox_sql.h"

/* --- items ----------------------------------------------------------------------------------------------------------------- */

typedef struct ItemOut {
	Uuid id;
	Str title, text, url, icon, category;
	const Json *data;
	int64_t created_at, seen_at, read_at;
} ItemOut;
static const Field item_rows[] = {
	{ "id", FIELD_ID, AT(ItemOut, id), .required = true, .prefix = "inb_", .help = "its id" },
	{ "title", FIELD_STR, AT(ItemOut, title), .help = "one line" },
	{ "text", FIELD_STR, AT(ItemOut, text), .help = "the rest" },
	{ "url", FIELD_STR, AT(ItemOut, url), .help = "where a click leads" },
	{ "icon", FIELD_STR, AT(ItemOut, icon), .help = "a picture's URL" },
	{ "category", FIELD_STR, AT(ItemOut, category), .help = "what preferences call it" },
	{ "data", FIELD_JSON, AT(ItemOut, data), .help = "for the application" },
	{ "created_at", FIELD_TIME, AT(ItemOut, created_at), .help = "when it came" },
	{ "seen_at", FIELD_TIME, AT(ItemOut, seen_at), .help = "null: not yet" },
	{ "read_at", FIELD_TIME, AT(ItemOut, read_at), .help = "null: not yet" },
};
static const FieldTable item_fields = { "InboxItem", FIELD_ROWS(ItemOut, item_rows),
	                                .help = "a message in the application" };

void inbox_put_item(JsonWriter *w, Arena *a, const ItemRow *item)
{
	json_begin_object(w);
	json_put_str(w, "id", service_id_text(a, "inb_", item->id));
	json_put_str(w, "title", item->title);
	json_put_str(w, "text", item->text);
	json_put_str(w, "url", item->url);
	json_put_str(w, "icon", item->icon);
	json_put_str(w, "category", item->category);
	json_key(w, S("data"));
	json_add_raw(w, item->data);
	put_time_or_null(w, "created_at", opt_int(item->created_at));
	put_time_or_null(w, "seen_at", item->seen_at);
	put_time_or_null(w, "read_at", item->read_at);
	put_time_or_null(w, "archived_at", item->archived_at);
	json_end(w);
}

static const ConfWord yes_no[] = { { "false", 0, "all" }, { "true", 1, "unread ones" }, { 0 } };
typedef struct InboxAsk {
	uint8_t unread;
} InboxAsk;
static const Field ask_rows[] = {
	{ "unread", FIELD_ENUM, AT(InboxAsk, unread), .names = yes_no, .help = "only those" },
};
static const FieldTable inbox_ask = { "InboxAsk", FIELD_ROWS(InboxAsk, ask_rows),
	                              .help = "which items" };

static Err *inbox_get(ServiceCall *c)
{
	const InboxAsk *ask = c->query;
	ServicePage page;
	uint64_t before = INT64_MAX;
	ItemRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	if (!page.first)
		str_to_u64(page.after, &before);
	if (ask->unread)
		TRY(db_all(c->db, c->arena, items_unread_before, &rows, &count,
		           .recipient = c->who.name, .before = (int64_t)before,
		           .most = (int64_t)page.limit + 1));
	else
		TRY(db_all(c->db, c->arena, items_before, &rows, &count, .recipient = c->who.name,
		           .before = (int64_t)before, .most = (int64_t)page.limit + 1));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		inbox_put_item(w, c->arena, &rows[i]);
	service_page_end(c, &page,
	                 page.shown ? str_fmt(c->arena, "%" PRId64, rows[page.shown - 1].seq)
	                            : S(""));
	return NULL;
}

static Err *put_counts(JsonWriter *w, Db *db, Arena *a, Str recipient)
{
	ItemsCountsRow *row;

	TRY(db_one(db, a, items_counts, &row, .recipient = recipient));
	json_begin_object(w);
	json_put_i64(w, "unread", row->unread);
	json_put_i64(w, "unseen", row->unseen);
	json_end(w);
	return NULL;
}

static Err *counts_get(ServiceCall *c)
{
	return put_counts(service_json(c), c->db, c->arena, c->who.name);
}

/* --- marks ------------------------------------------------------------------------------------------------------------------ */

typedef struct MarkIn {
	bool seen, read, archived;
	bool has_seen, has_read, has_archived;
} MarkIn;
static const Field mark_rows[] = {
	{ "seen", FIELD_BOOL, AT(MarkIn, seen), GIVEN(MarkIn, has_seen), .help = "it was shown" },
	{ "read", FIELD_BOOL, AT(MarkIn, read), GIVEN(MarkIn, has_read), .help = "it was read" },
	{ "archived", FIELD_BOOL, AT(MarkIn, archived), GIVEN(MarkIn, has_archived),
	  .help = "it is not to be shown any more" },
};
static const FieldTable mark_in = { "InboxMark", FIELD_ROWS(MarkIn, mark_rows),
	                            .help = "what became of an item" };

static OptInt mark(bool given, bool yes, OptInt now, int64_t now_us)
{
	if (!given || (yes && now.set))
		return now;
	return yes ? opt_int(now_us) : (OptInt){ 0 };
}

static Err *set_marks(ServiceCall *c, Db *tx, void *arg)
{
	const MarkIn *in = c->in;
	int64_t now_us = time_utc_us();
	ItemRow *item;
	Uuid id;

	(void)arg;
	TRY(service_id(c, "id", "inb_", &id));
	TRY(db_lock(tx, c->arena, str_fmt(c->arena, "inbox/%.*s", STR_ARG(c->who.name))));
	TRY(db_one(tx, c->arena, item_by_id, &item, .id = id, .recipient = c->who.name));
	if (!item)
		return err_new(c->arena, ERR_NOT_FOUND, "inbox.unknown", "there is no such item");
	item->read_at = mark(in->has_read, in->read, item->read_at, now_us);
	item->seen_at = mark(in->has_seen, in->seen, item->seen_at, now_us);
	if (item->read_at.set && !item->seen_at.set)
		item->seen_at = item->read_at;
	item->archived_at = mark(in->has_archived, in->archived, item->archived_at, now_us);
	TRY(db_exec(tx, c->arena, item_mark, NULL, .id = id, .recipient = c->who.name,
	            .seen_at = item->seen_at, .read_at = item->read_at,
	            .archived_at = item->archived_at));
	inbox_put_item(service_json(c), c->arena, item);
	return NULL;
}

static Err *item_patch(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, set_marks, NULL);
}

static Err *read_all(ServiceCall *c, Db *tx, void *arg)
{
	(void)arg;
	TRY(db_exec(tx, c->arena, items_read_all, NULL, .recipient = c->who.name,
	            .now = time_utc_us()));
	return put_counts(service_json(c), tx, c->arena, c->who.name);
}

static Err *read_all_post(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, read_all, NULL);
}

static Err *seen_all(ServiceCall *c, Db *tx, void *arg)
{
	(void)arg;
	TRY(db_exec(tx, c->arena, items_seen_all, NULL, .recipient = c->who.name,
	            .now = time_utc_us()));
	return put_counts(service_json(c), tx, c->arena, c->who.name);
}

static Err *seen_all_post(ServiceCall *c)
{
	return service_effect(c, DB_READ_COMMITTED, seen_all, NULL);
}

static const ServiceRoute inbox_rows[] = {
	{ "GET", "/v1/inbox", inbox_get, .scopes = "", .query = &inbox_ask, .answer = &item_fields,
	  .list = true, .tag = "inbox", .help = "one's own items, newest first" },
	{ "GET", "/v1/inbox/counts", counts_get, .scopes = "", .tag = "inbox",
	  .help = "how many are unread, and unseen" },
	{ "GET", "/v1/inbox/stream", inbox_stream, .scopes = "", .kind = SERVICE_BODY_RAW,
	  .tag = "inbox",
	  .help = "new items as they come: Server-Sent Events, behind Last-Event-ID" },
	{ "PATCH", "/v1/inbox/{id}", item_patch, .scopes = "", .body = &mark_in,
	  .answer = &item_fields, .tag = "inbox", .help = "seen, read, archived, or not" },
	{ "POST", "/v1/inbox/read-all", read_all_post, .scopes = "", .status = 200, .tag = "inbox",
	  .help = "all are read" },
	{ "POST", "/v1/inbox/seen-all", seen_all_post, .scopes = "", .status = 200, .tag = "inbox",
	  .help = "all were shown" },
};

ServiceRoutes inbox_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(inbox_rows);
}
