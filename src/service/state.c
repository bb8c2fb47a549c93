/* SPDX-License-Identifier: Apache-2.0
 *
 * `/services` on the admin port: how each service of this process is, in numbers. What it answered is counted since the start; what
 * lies in its database (jobs, events that wait or were given up) is counted when somebody asks, up to a limit, so that a long queue
 * costs the page nothing. A database that does not answer in time is what there is to see then. */
#include "base/arena.h"
#include "base/time.h"
#include "http/admin.h"
#include "http/exchange.h"
#include "service/home_int.h"
#include "service/route_int.h"
#include "service/services.h"
#include "service_state_sql.h"
#include "store/outbox.h"

#define LOOK_US US_PER_S
enum { COUNT_MOST = 100000 };

static void put_answers(JsonWriter *w, const Home *home)
{
	static const char *const names[6] = { "none", "1xx", "2xx", "3xx", "4xx", "5xx" };
	int64_t counts[6] = { 0 };

	for (size_t i = 0; i <= home->routes->count; i++)
		for (size_t k = 0; k < COUNT(counts); k++)
			counts[k] += metric_value(home->cells[i].answers[k]);
	json_key(w, S("answers"));
	json_begin_object(w);
	for (size_t k = 0; k < COUNT(counts); k++)
		json_put_i64(w, names[k], counts[k]);
	json_end(w);
}

static Err *put_readers(JsonWriter *w, Arena *a, Db *db, int64_t last)
{
	OutboxReader *readers;
	size_t count;

	TRY(outbox_readers(db, a, &readers, &count));
	json_key(w, S("readers"));
	json_begin_object(w);
	for (size_t i = 0; i < count; i++)
		json_put_i64(w, str_z(a, readers[i].name), last - readers[i].seq);
	json_end(w);
	return NULL;
}

/* All of it is read before any of it is written, so that a failure leaves the text whole. */
static Err *put_database(JsonWriter *w, Arena *a, Db *db)
{
	AUTO(deadline_end) Deadline limit = deadline_begin(LOOK_US);
	ServiceNumbersRow *numbers;
	DbStatus status;
	int64_t last;

	TRY(db_status(db, a, &status));
	TRY(db_one(db, a, service_numbers, &numbers, .most = COUNT_MOST));
	TRY(outbox_last(db, a, &last));
	json_put_str(w, "engine", status.version);
	json_put_u64(w, "bytes", status.bytes + status.log_bytes);
	json_key(w, S("jobs"));
	json_begin_object(w);
	json_put_i64(w, "waiting", numbers->waiting);
	json_put_i64(w, "running", numbers->running);
	json_put_i64(w, "failed", numbers->failed);
	json_end(w);
	json_key(w, S("events"));
	json_begin_object(w);
	json_put_i64(w, "told", last);
	json_put_i64(w, "held", numbers->held);
	json_put_i64(w, "dead", numbers->dead);
	TRY(put_readers(w, a, db, last));
	json_end(w);
	return NULL;
}

static Err *put_home(JsonWriter *w, Arena *a, const Home *home)
{
	AUTO(buf_fini) Buf own = { 0 };
	JsonWriter inner = json_writer(&own);
	bool up = __atomic_load_n(&home->up, __ATOMIC_ACQUIRE);
	Err *err = NULL;

	json_begin_object(w);
	json_put_str(w, "name", str_of(home->pub.service->name));
	json_put_str(w, "summary", str_of(home->pub.service->summary));
	put_answers(w, home);
	json_begin_object(&inner);
	if (up)
		err = put_database(&inner, a, home->pub.db);
	if (err && err->kind == ERR_CANCELLED)
		return err;
	json_end(&inner);
	json_put_str(w, "status", !up ? S("starting") : err ? S("down") : S("ok"));
	if (err)
		json_put_str(w, "code", str_of(err->slug));
	if (!err) {
		json_key(w, S("database"));
		json_add_raw(w, buf_str(&own));
	}
	json_end(w);
	return NULL;
}

static Err *page_services(Exchange *x, Str rest)
{
	AUTO(buf_fini) Buf out = { 0 };
	JsonWriter w = json_writer(&out);

	(void)rest;
	json_begin_object(&w);
	json_key(&w, S("now"));
	json_add_time(&w, time_utc_us());
	json_key(&w, S("services"));
	json_begin_array(&w);
	for (size_t i = 0; i < services_count(); i++)
		if (home_at(i))
			TRY(put_home(&w, x->arena, home_at(i)));
	json_end(&w);
	json_end(&w);
	buf_putc(&out, '\n');
	return http_reply(x, 200, S("application/json"), buf_str(&out));
}

static const AdminPage pages[] = { { S("/services"), S("GET"), page_services } };

const AdminPage *services_pages(size_t *count)
{
	*count = COUNT(pages);
	return pages;
}
