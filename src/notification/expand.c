/* SPDX-License-Identifier: Apache-2.0
 *
 * From what was asked for to deliveries: one for each recipient, channel and device.
 *
 * The request is accepted with one row, however many it is for. Here its recipients are gone through in pages; what is known of a page's
 * people is read first, its deliveries and the place that was reached are written in one transaction. So a process that dies begins
 * again behind the last page, and a page that is written twice adds nothing: a delivery is unique. Whatever holds a message back
 * makes a delivery too, with the reason: a timeline that says nothing would be read as one that was lost. */
#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "notification/delivery.h"
#include "notification/digest.h"
#include "notification/figures.h"
#include "notification/notification_int.h"
#include "notification/person.h"
#include "service/service.h"
#include "store/job.h"

#include "notification_delivery_sql.h"
#include "notification_recipient_sql.h"
#include "notification_sql.h"

enum { PAGE = 100, CHANNELS_MOST = 8 };

typedef struct Planned {
	DeliveryRow row;
	const Zone *zone;
	bool digest;
} Planned;

typedef struct Expansion {
	JobRun *run;
	const NotificationState *state;
	Db *db;
	Arena *a; /* of the page */
	NotificationRow *n;
	WorkflowRow *workflow; /* NULL: it is gone; then there is no digest */
	MessageClass class;
	const Json *recipients;
	Str digest_key;
	Channel channels[CHANNELS_MOST];
	size_t channel_count;
	Planned *rows;
	size_t count, cap;
	size_t people;
	size_t item; /* the place: an item of recipients */
	Str member;  /* and the last of a topic's */
	bool over;   /* this page was the last */
} Expansion;

/* --- what becomes of one person ------------------------------------------------------------------------------------------ */

static Planned *plan_add(Expansion *x, const Person *p, Channel channel, Str target, Str address)
{
	int64_t now_us = time_utc_us();
	Planned *planned;

	if (x->count == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 4 * PAGE;
		Planned *more = ARENA_ARRAY(x->a, Planned, cap);

		for (size_t i = 0; i < x->count; i++)
			more[i] = x->rows[i];
		x->rows = more;
		x->cap = cap;
	}
	planned = &x->rows[x->count++];
	*planned = (Planned){ .zone = p->zone,
		              .row = { .id = uuid_new(),
		                       .notification_id = x->n->id,
		                       .recipient = p->id,
		                       .channel = str_of(channel_name(channel)),
		                       .target = target,
		                       .address = address,
		                       .state = S("queued"),
		                       .class = x->n->class,
		                       .category = x->n->category,
		                       .workflow = x->n->workflow,
		                       .locale = p->locale,
		                       .priority = x->n->priority,
		                       .collapse_key = x->n->collapse_key,
		                       .expires_at = x->n->expires_at,
		                       .version = 1,
		                       .created_at = now_us,
		                       .updated_at = now_us } };
	return planned;
}

static void plan_state(Planned *planned, DeliveryState state, Str reason)
{
	planned->row.state = str_of(delivery_state_name(state));
	planned->row.reason = reason;
}

static Err *plan_one(Expansion *x, const Person *p, Channel channel, Str target, Str address)
{
	Planned *planned = plan_add(x, p, channel, target, address);
	int64_t now_us = planned->row.created_at;
	Hold hold;

	if (x->n->expires_at.set && now_us >= x->n->expires_at.v) {
		plan_state(planned, DELIVERY_EXPIRED, S("expired"));
		return NULL;
	}
	TRY(person_hold(x->db, x->a, p, x->class, x->n->category, channel, address, now_us, &hold));
	planned->digest = hold.state != DELIVERY_SUPPRESSED && x->workflow && p->id.len &&
	                  !x->n->digest_id.set && digest_wanted(x->workflow);
	if (planned->digest) {
		plan_state(planned, DELIVERY_DIGESTING, S("digest"));
		return NULL;
	}
	plan_state(planned, hold.state, hold.reason);
	if (hold.state == DELIVERY_DEFERRED)
		planned->row.due_at = opt_int(hold.until_us);
	return NULL;
}

static void plan_none(Expansion *x, const Person *p, Channel channel, Str reason)
{
	plan_state(plan_add(x, p, channel, S(""), S("")), DELIVERY_SUPPRESSED, reason);
}

/* A digest is one for a channel: its devices come when it is closed. */
static Err *plan_push(Expansion *x, const Person *p)
{
	bool digest = x->workflow && digest_wanted(x->workflow) && !x->n->digest_id.set;

	if (!p->device_count)
		plan_none(x, p, CHANNEL_PUSH, S("no_device"));
	if (digest && p->device_count)
		return plan_one(x, p, CHANNEL_PUSH, S(""), S(""));
	for (size_t i = 0; i < p->device_count; i++)
		TRY(plan_one(x, p, CHANNEL_PUSH, uuid_text(x->a, p->devices[i].id),
		             p->devices[i].token));
	return NULL;
}

static Err *plan_person(Expansion *x, const Person *p)
{
	for (size_t i = 0; i < x->channel_count; i++) {
		Channel channel = x->channels[i];
		Str address = person_address(p, channel);

		if (channel == CHANNEL_PUSH && p->id.len)
			TRY(plan_push(x, p));
		else if (channel == CHANNEL_INBOX && p->id.len)
			TRY(plan_one(x, p, channel, S(""), S("")));
		else if (address.len)
			TRY(plan_one(x, p, channel, p->id.len ? S("") : address, address));
		else if (p->id.len)
			plan_none(x, p, channel, S("no_address"));
	}
	return NULL;
}

/* --- who they are -------------------------------------------------------------------------------------------------------- */

static Err *take_recipient(Expansion *x, Str id, const Json *item)
{
	Person person = { .id = id, .zone = zone_utc() };
	Str text;

	if (id.len)
		TRY(person_load(x->state->zones, x->db, x->a, id, &person));
	if (json_to_str(json_get(item, S("email")), &text))
		person.email = text;
	if (json_to_str(json_get(item, S("phone")), &text))
		person.phone = text;
	if (json_to_str(json_get(item, S("locale")), &text) && text.len)
		person.locale = text;
	x->people++;
	return plan_person(x, &person);
}

static Err *take_topic(Expansion *x, Str topic)
{
	TopicMembersAfterRow *members;
	size_t count, most = PAGE - x->people;

	TRY(db_all(x->db, x->a, topic_members_after, &members, &count, .topic = topic,
	           .after = x->member, .most = (int64_t)most));
	for (size_t i = 0; i < count; i++)
		TRY(take_recipient(x, members[i].recipient, NULL));
	if (count == most) {
		x->member = members[count - 1].recipient;
		return NULL;
	}
	x->item++;
	x->member = S("");
	return NULL;
}

static Err *take_page(Expansion *x)
{
	x->rows = NULL;
	x->count = x->cap = x->people = 0;
	while (x->people < PAGE && x->item < json_count(x->recipients)) {
		const Json *item = json_at(x->recipients, x->item);
		Str text = S("");

		if (json_to_str(json_get(item, S("topic")), &text) && text.len) {
			TRY(take_topic(x, text));
			continue;
		}
		json_to_str(json_get(item, S("recipient")), &text);
		TRY(take_recipient(x, text, item));
		x->item++;
	}
	x->over = x->item >= json_count(x->recipients);
	return NULL;
}

/* --- writing a page ---------------------------------------------------------------------------------------------------- */

static Err *collapse(Db *tx, Arena *a, const Expansion *x, const DeliveryRow *row)
{
	DeliveryRow *older;
	size_t count;

	if (!row->collapse_key.len || !row->recipient.len)
		return NULL;
	TRY(db_all(tx, a, deliveries_to_collapse, &older, &count, .recipient = row->recipient,
	           .channel = row->channel, .target = row->target,
	           .collapse_key = row->collapse_key, .not_of = row->notification_id));
	for (size_t i = 0; i < count; i++)
		TRY(delivery_change(tx, a, &older[i],
		                    &(DeliveryChange){
					    .to = DELIVERY_COLLAPSED,
					    .reason = S("collapse_key"),
					    .detail = str_fmt(a, "ntf_%.*s stands in for it",
		                                              STR_ARG(uuid_text(a, x->n->id))),
					    .traceparent = x->n->traceparent }));
	return NULL;
}

static Str send_kind(Arena *a, const DeliveryRow *row)
{
	return str_fmt(a, JOB_PART("%.*s"), STR_ARG(row->channel));
}

static Err *write_one(Db *tx, Arena *a, const Expansion *x, Planned *planned)
{
	DeliveryRow row = planned->row;
	DeliveryState state = delivery_state_of(&row);
	bool added;

	if (planned->digest)
		TRY(digest_join(tx, a, x->workflow, planned->zone, x->digest_key, row.created_at,
		                &row));
	if (delivery_unsent(state))
		TRY(collapse(tx, a, x, &row));
	TRY(delivery_begin(tx, a, &row, x->n->traceparent, &added));
	if (added && (state == DELIVERY_QUEUED || state == DELIVERY_DEFERRED))
		TRY(job_put_id(tx, a, send_kind(a, &row), row.id, row.priority,
		               row.due_at.set ? row.due_at.v : 0, x->n->traceparent));
	return NULL;
}

static Err *write_page(Db *tx, Arena *a, void *arg)
{
	Expansion *x = arg;
	NotificationLockRow *now;
	Str place = str_fmt(a, "%zu:%.*s", x->item, STR_ARG(x->member));

	TRY(db_one(tx, a, notification_lock, &now, .id = x->n->id));
	if (!now || str_eq(now->state, S("cancelled")) || !str_eq(now->place, x->n->place)) {
		x->over = true; /* it was cancelled, or somebody else is at it */
		return NULL;
	}
	for (size_t i = 0; i < x->count; i++)
		TRY(write_one(tx, a, x, &x->rows[i]));
	TRY(db_exec(tx, a, notification_placed, NULL, .id = x->n->id,
	            .state = x->over ? S("expanded") : S("expanding"), .place = place,
	            .expanded_at = x->over ? opt_int(time_utc_us()) : (OptInt){ 0 }));
	return x->over ? job_done(tx, a, x->run) : NULL;
}

/* What nothing more becomes of. */
static void count_page(const Expansion *x)
{
	for (size_t i = 0; i < x->count; i++) {
		const DeliveryRow *row = &x->rows[i].row;

		if (delivery_final(delivery_state_of(row)))
			figures_delivery(delivery_channel(row), delivery_state_of(row));
	}
}

/* --- the job ------------------------------------------------------------------------------------------------------------- */

static void read_place(Expansion *x)
{
	Str rest = x->n->place, number;
	uint64_t item;

	x->item = 0;
	x->member = S("");
	if (str_split(&rest, ':', &number) && str_to_u64(number, &item)) {
		x->item = item;
		x->member = rest.at ? rest : S("");
	}
}

/* What digests of a workflow are told apart by: a member of the data. */
static Err *read_key(Expansion *x, Arena *a)
{
	const Json *data;
	Str key = S("");
	int64_t number;

	if (x->workflow && x->workflow->digest_key.len) {
		TRY(json_read(a, x->n->data, 0, &data));
		data = json_get(data, x->workflow->digest_key);
		if (!json_to_str(data, &key) && json_to_i64(data, &number))
			key = str_fmt(a, "%" PRId64, number);
	}
	x->digest_key = str_sub(key, 0, 200);
	return NULL;
}

static Err *read_all(Expansion *x, Arena *a, Uuid id)
{
	Str names, word;

	TRY(db_one(x->db, a, notification_by_id, &x->n, .id = id));
	if (!x->n)
		return NULL;
	TRY(db_one(x->db, a, workflow_by_name, &x->workflow, .name = x->n->workflow));
	TRY(json_read(a, x->n->recipients, 0, &x->recipients));
	TRY(read_key(x, a));
	class_read(x->n->class, &x->class);
	names = x->n->channels;
	while (str_split(&names, ' ', &word) && x->channel_count < CHANNELS_MOST)
		if (channel_read(word, &x->channels[x->channel_count]))
			x->channel_count++;
	return NULL;
}

Err *expand_job(JobRun *run, void *arg)
{
	const ServiceHome *home = arg;
	Arena *a = job_arena(run);
	Expansion x = { .run = run, .state = home->state, .db = home->db };
	Uuid id;

	TRY(job_read_id(run, &id));
	TRY(read_all(&x, a, id));
	if (!x.n || str_eq(x.n->state, S("cancelled")) || str_eq(x.n->state, S("expanded")))
		return NULL;
	while (!x.over) {
		AUTO(arena_freep) Arena *page = arena_new(64 << 20);
		Err *err;

		x.a = page;
		read_place(&x);
		err = take_page(&x);
		err = err ? err : db_txn(x.db, page, DB_READ_COMMITTED, write_page, &x);
		if (err)
			return err_copy(a, err);
		count_page(&x);
		x.n->place = str_fmt(a, "%zu:%.*s", x.item, STR_ARG(x.member));
	}
	return NULL;
}
