/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests, each closed once.
 *
 * The first delivery opens one, the database lets one be open for a workflow, recipient, channel and key. Joining and closing
 * hold the same lock, so nothing joins what is closed, and nothing is left in it. What closes it is a notification of its own with
 * the collected data, and notifications.digest_id is unique: however often its job is done, whichever process dies where, there is
 * one. Deliveries that were cancelled while they waited are not in it; if none is left, there is no message. */
#include "notification/digest.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/delivery.h"
#include "notification/notification_int.h"
#include "service/service.h"
#include "store/job.h"

#include "notification_delivery_sql.h"
#include "notification_inbox_sql.h"
#include "notification_sql.h"

enum {
	DIGEST_ITEMS = 200, /* whose data a message gets */
	DIGEST_BYTES =
		1
		<< 20, /* and of how much of it; a digest that is too large would never be closed */
	DIGEST_PAGE = 20 /* of 1 MiB each at most */
};

bool digest_wanted(const WorkflowRow *workflow)
{
	return workflow->digest_s > 0 || workflow->digest_at.set;
}

static Err *lock(Db *tx, Arena *a, Str workflow, Str recipient, Str channel, Str key)
{
	return db_lock(tx, a,
	               str_fmt(a, "digest/%.*s/%.*s/%.*s/%.*s", STR_ARG(workflow),
	                       STR_ARG(recipient), STR_ARG(channel), STR_ARG(key)));
}

static Err *digest_begin(Db *tx, Arena *a, const DigestRow *digest, int64_t priority)
{
	TRY(db_exec_with(tx, a, digest_add, digest, NULL));
	return job_put_id(tx, a, S(JOB_DIGEST), digest->id, priority, digest->closes_at, S(""));
}

Err *digest_join(Db *tx, Arena *a, const WorkflowRow *workflow, const Zone *zone, Str key,
                 int64_t now_us, DeliveryRow *row)
{
	DigestRow *open;

	TRY(lock(tx, a, workflow->name, row->recipient, row->channel, key));
	TRY(db_one(tx, a, digest_open, &open, .workflow = workflow->name,
	           .recipient = row->recipient, .channel = row->channel, .key = key));
	if (!open) {
		open = ARENA_NEW(a, DigestRow);
		*open = (DigestRow){ .id = uuid_new(),
			             .workflow = workflow->name,
			             .recipient = row->recipient,
			             .channel = row->channel,
			             .key = key,
			             .window_start = now_us,
			             .closes_at = digest_closes(workflow->digest_s,
			                                        workflow->digest_at.set
			                                                ? workflow->digest_at.v
			                                                : -1,
			                                        zone, now_us) };
		TRY(digest_begin(tx, a, open, row->priority));
	}
	row->digest_id = opt_uuid(open->id);
	row->due_at = opt_int(open->closes_at);
	return NULL;
}

/* --- closing --------------------------------------------------------------------------------------------------------------- */

typedef struct Closing {
	JobRun *run;
	DigestRow *digest;
	Str class, category; /* of what is in it: the workflow may be gone */
	JsonWriter w;
	Buf data;
	size_t count, kept;
} Closing;

static Err *take_item(Db *tx, Arena *a, Closing *c, const DigestItemsRow *item)
{
	DeliveryRow row = { .id = item->id,
		            .notification_id = item->notification_id,
		            .recipient = c->digest->recipient,
		            .channel = c->digest->channel,
		            .state = S("digesting"),
		            .attempts = item->attempts,
		            .tried = item->tried,
		            .digest_id = opt_uuid(c->digest->id),
		            .version = item->version };

	TRY(delivery_change(tx, a, &row, &(DeliveryChange){ .to = DELIVERY_DIGESTED }));
	if (c->count++ < DIGEST_ITEMS && c->data.len + item->data.len < DIGEST_BYTES) {
		json_add_raw(&c->w, item->data);
		c->kept++;
	}
	return NULL;
}

static Err *take_items(Db *tx, Arena *a, Closing *c)
{
	DigestItemsRow *items;
	size_t count;

	do {
		Mark mark = arena_mark(a);

		TRY(db_all(tx, a, digest_items, &items, &count, .digest_id = c->digest->id,
		           .most = DIGEST_PAGE));
		for (size_t i = 0; i < count; i++)
			TRY(take_item(tx, a, c, &items[i]));
		arena_reset(a, mark);
	} while (count == DIGEST_PAGE);
	return NULL;
}

/* What its message is, as its first item is. */
static Err *look_at_first(Db *tx, Arena *a, Closing *c)
{
	DigestItemsRow *items;
	size_t count;

	TRY(db_all(tx, a, digest_items, &items, &count, .digest_id = c->digest->id, .most = 1));
	c->class = count ? items[0].class : S("");
	c->category = count ? items[0].category : S("");
	return NULL;
}

static Err *collect(Db *tx, Arena *a, Closing *c, Str *data)
{
	buf_clear(&c->data);
	c->data.limit = 8 << 20;
	c->w = json_writer(&c->data);
	c->count = c->kept = 0;
	json_begin_object(&c->w);
	json_key(&c->w, S("items"));
	json_begin_array(&c->w);
	TRY(take_items(tx, a, c));
	json_end(&c->w);
	json_put_u64(&c->w, "count", c->count);
	json_put_u64(&c->w, "more", c->count - c->kept);
	json_put_str(&c->w, "key", c->digest->key);
	json_end(&c->w);
	return json_done(&c->w, data);
}

static Str recipients_of(Arena *a, const DigestRow *digest)
{
	AUTO(buf_fini) Buf text = { 0 };

	buf_put(&text, S("[{\"recipient\":"));
	json_put_quoted(&text, digest->recipient);
	buf_put(&text, S("}]"));
	return str_dup(a, buf_str(&text));
}

static Err *put_notification(Db *tx, Arena *a, const Closing *c, Str data)
{
	MessageClass class = CLASS_TRANSACTIONAL;
	NotificationRow row = { .id = uuid_new(),
		                .workflow = c->digest->workflow,
		                .class = c->class,
		                .category = c->category,
		                .state = S("accepted"),
		                .recipients = recipients_of(a, c->digest),
		                .channels = c->digest->channel,
		                .data = data,
		                .digest_id = opt_uuid(c->digest->id),
		                .author = S("digest"),
		                .created_at = time_utc_us() };

	class_read(c->class, &class);
	row.priority = class_rule(class)->priority;
	TRY(db_exec_with(tx, a, notification_add, &row, NULL));
	return job_put_id(tx, a, S(JOB_EXPAND), row.id, row.priority, 0, S(""));
}

static Err *close_digest(Db *tx, Arena *a, void *arg)
{
	Closing *c = arg;
	const DigestRow *d = c->digest;
	int64_t changed;
	Str data;

	TRY(lock(tx, a, d->workflow, d->recipient, d->channel, d->key));
	TRY(db_exec(tx, a, digest_close, &changed, .id = d->id, .now = time_utc_us()));
	if (changed) {
		TRY(look_at_first(tx, a, c));
		TRY(collect(tx, a, c, &data));
		if (c->count)
			TRY(put_notification(tx, a, c, data));
	}
	return job_done(tx, a, c->run);
}

static void closing_fini(Closing *c)
{
	buf_fini(&c->data);
}

Err *digest_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	AUTO(closing_fini) Closing c = { .run = run };
	Uuid id;

	TRY(job_read_id(run, &id));
	TRY(db_one(home->db, a, digest_by_id, &c.digest, .id = id));
	if (!c.digest)
		return NULL;
	return db_txn(home->db, a, DB_READ_COMMITTED, close_digest, &c);
}
