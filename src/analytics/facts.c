/* SPDX-License-Identifier: Apache-2.0
 *
 * The side of a CQRS that reads: services write what happened in the transaction in which it did, their outboxes tell it in order, and here it
 * becomes an event like any other, in the transaction that notes that it was taken. An event that is told twice counts once, by its id, even
 * where a consumer was moved back.
 *
 * Only members that are in the table are kept. An event of a service may hold addresses, names, codes; what is counted is amounts, states
 * and kinds. Whom it is about is the id that the service has for them. */
#include "analytics/facts.h"

#include "analytics/intake.h"
#include "analytics/project.h"
#include "base/arena.h"
#include "base/time.h"
#include "service/service.h"

#include <string.h>

enum { HEARD_AT_ONCE = 256 };

/* Members of an event's data that become properties. */
static const Str kept[] = {
	S("amount"),     S("amount_received"), S("amount_refunded"),
	S("amount_due"), S("amount_paid"),     S("currency"),
	S("status"),     S("reason"),          S("provider"),
	S("plan"),       S("state"),           S("channel"),
	S("category"),   S("workflow"),        S("class"),
	S("attempts"),   S("source"),          S("method"),
	S("object"),     S("order"),           S("total"),
	S("sent"),       S("failed"),
};
/* Who it is about: the first of these that the data has, else the aggregate. */
static const Str persons[] = { S("customer"), S("recipient"), S("user") };
/* Told to one who writes mails, and of no interest here. */
static const char *const passed_over[] = { "user.mail_wanted", "user.mail_unwanted" };

static bool is_kept(Str name)
{
	for (size_t i = 0; i < COUNT(kept); i++)
		if (str_eq(name, kept[i]))
			return true;
	return false;
}

static void keep_members(Arena *a, const Json *data, Hit *hit)
{
	HitProp *props = ARENA_ARRAY(a, HitProp, COUNT(kept));
	const Json *value;
	void *at = NULL;
	Str key;

	while (hit->prop_count < COUNT(kept) && json_next(data, &at, &key, &value)) {
		HitProp prop = { key, hit_cell(a, value) };

		if (is_kept(key) && prop.value.kind != CELL_NONE && prop.value.kind != CELL_JSON &&
		    prop.value.text.len <= HIT_VALUE_MOST)
			props[hit->prop_count++] = prop;
	}
	hit->props = props;
}

bool facts_hit(Arena *a, const Event *event, Hit *out)
{
	const Json *data = NULL;

	if (event_type_in(event->type, passed_over, COUNT(passed_over)) ||
	    event->type.len > HIT_NAME_MOST)
		return false;
	if (event->data.len && json_read(a, event->data, 0, &data))
		return false;
	*out = (Hit){ .id = event->id,
		      .name = event->type,
		      .who = event->aggregate_id,
		      .time_ms = event->time_us / 1000 };
	for (size_t i = COUNT(persons); i-- > 0;)
		json_to_str(json_get(data, persons[i]), &out->who);
	keep_members(a, data, out);
	return out->who.len > 0 && out->who.len <= HIT_WHO_MOST && out->time_ms >= 0;
}

/* --- hearing ------------------------------------------------------------------------------------------------------------- */

static Err *project_of_facts(Db *tx, Arena *a, Project **out)
{
	Err *err = project_find(tx, a, FACTS_PROJECT, out);

	if (!err_is(err, "project.unknown"))
		return err;
	TRY(db_lock(tx, a, S("analytics.facts")));
	err = project_find(tx, a, FACTS_PROJECT, out);
	return err_is(err, "project.unknown")
	               ? project_make(tx, a, FACTS_PROJECT, PRIVACY_OPEN, NULL, 0, out)
	               : err;
}

/* As many as come together: one commit of the intake (intake.h), and a segment for each of their days. */
static Err *hear(Db *tx, Arena *a, const Event *const *events, size_t count, void *arg)
{
	Hit *hits = ARENA_ARRAY(a, Hit, count);
	int64_t now_ms = time_utc_us() / 1000;
	size_t hit_count = 0;
	Project *project;

	(void)arg;
	for (size_t i = 0; i < count; i++)
		if (facts_hit(a, events[i], &hits[hit_count]))
			hit_count++;
	if (!hit_count)
		return NULL;
	TRY(project_of_facts(tx, a, &project));
	for (size_t i = 0; i < hit_count; i++) {
		hits[i].project = project->id;
		hits[i].received_ms = now_ms;
	}
	return intake_take_alone(tx, a, hits, hit_count, ARENA_ARRAY(a, uint8_t, hit_count));
}

#define HEARD(source_) \
	{ \
		.name = "analytics." source_, .source = (source_), .many = hear, \
		.batch = HEARD_AT_ONCE \
	}

const ServiceConsumer *facts_consumers(size_t *count)
{
	static const ServiceConsumer rows[] = {
		HEARD("payment"),
		HEARD("user"),
		HEARD("notification"),
	};

	*count = COUNT(rows);
	return rows;
}
