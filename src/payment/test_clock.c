/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/test_helpers/test_clocks: time that stands still until it is told to go on. A customer made with `test_clock` lives by it, and so do his
 * subscriptions and invoices: what takes months is tested in seconds. Going on is a job (billing_work.c): a clock is `advancing` until all
 * that was due on the way is done. */
#include "base/arena.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/billing_int.h"
#include "payment/payment.h"
#include "payment/payment_conf.h"

static void clock_put(JsonWriter *w, Arena *a, const void *object)
{
	const ClockRow *clock = object;

	stripe_begin(w, service_id_text(a, "clock_", clock->id), "test_helpers.test_clock");
	stripe_put_time(w, "created", clock->created_at);
	stripe_put_time(w, "frozen_time", clock->frozen_at);
	stripe_put_text(w, "name", clock->name);
	json_put_str(w, "status", clock->status);
	stripe_put_live(w);
	json_end(w);
}

typedef struct ClockIn {
	int64_t frozen_time;
	Str name;
} ClockIn;
static const Field new_rows[] = {
	{ "frozen_time", FIELD_INT, AT(ClockIn, frozen_time), .required = true,
	  .max = INT64_C(99999999999), .help = "where it stands, in seconds since 1970" },
	{ "name", FIELD_STR, AT(ClockIn, name), .max = 300, .help = "for you" },
};
static const FieldTable new_in = { "TestClockNew", FIELD_ROWS(ClockIn, new_rows),
	                           .help = "a clock" };
static const Field advance_rows[] = {
	{ "frozen_time", FIELD_INT, AT(ClockIn, frozen_time), .required = true,
	  .max = INT64_C(99999999999), .help = "where it goes, in seconds since 1970" },
};
static const FieldTable advance_in = { "TestClockAdvance", FIELD_ROWS(ClockIn, advance_rows),
	                               .help = "how far it goes" };

static Err *find(ServiceCall *c, Db *db, ClockRow **out)
{
	Uuid id;

	TRY(stripe_id(c, "clock_", &id));
	TRY(db_one(db, c->arena, clock_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "test clock", service_part(c, "id"), "id");
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const ClockIn *in = arg;
	ClockRow clock = { .id = bill_id(),
		           .name = in->name,
		           .status = S("ready"),
		           .frozen_at = in->frozen_time * US_PER_S,
		           .created_at = time_utc_us() };

	TRY(db_exec_with(tx, c->arena, clock_add, &clock, NULL));
	clock_put(stripe_json(c), c->arena, &clock);
	return NULL;
}

/* Months of invoices in a minute, from real cards. */
static Err *check_test(ServiceCall *c)
{
	if (!payment_of(c->home)->conf->live)
		return NULL;
	return stripe_wrong(c, "frozen_time", "testmode_only",
	                    "There are no test clocks where money is real.");
}

static Err *clock_post(ServiceCall *c)
{
	ClockIn in;

	TRY(stripe_take(c, &new_in, &in));
	TRY(check_test(c));
	return stripe_effect(c, add, &in);
}

static Err *go_on(ServiceCall *c, Db *tx, void *arg)
{
	const ClockIn *in = arg;
	ClockRow *clock;

	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(find(c, tx, &clock));
	if (!str_eq(clock->status, S("ready")))
		return stripe_wrong(c, "id", "test_clock_advancing",
		                    "The clock is advancing: wait until it is ready.");
	if (in->frozen_time * US_PER_S <= clock->frozen_at)
		return stripe_wrong(c, "frozen_time", "parameter_invalid_integer",
		                    "A clock goes forward only.");
	clock->status = S("advancing");
	clock->target_at = opt_int(in->frozen_time * US_PER_S);
	TRY(db_exec(tx, c->arena, clock_move, NULL, .id = clock->id, .status = clock->status,
	            .frozen_at = clock->frozen_at, .target_at = clock->target_at));
	TRY(job_put(tx, c->arena,
	            &(JobDraft){ .kind = S("billing.clock"),
	                         .unique_key = service_part(c, "id"),
	                         .data = str_fmt(c->arena, "\"%.*s\"",
	                                         STR_ARG(uuid_text(c->arena, clock->id))) },
	            NULL, NULL));
	clock_put(stripe_json(c), c->arena, clock);
	return NULL;
}

static Err *advance_post(ServiceCall *c)
{
	ClockIn in;

	TRY(stripe_take(c, &advance_in, &in));
	TRY(check_test(c));
	return stripe_effect(c, go_on, &in);
}

static Err *clock_get(ServiceCall *c)
{
	ClockRow *clock;

	TRY(stripe_take(c, NULL, NULL));
	TRY(find(c, c->db, &clock));
	clock_put(service_json(c), c->arena, clock);
	return NULL;
}

static Err *clocks_get(ServiceCall *c)
{
	StripeList list;
	ClockRow *rows;
	JsonWriter *w;
	size_t count;

	TRY(stripe_take(c, NULL, NULL));
	TRY(stripe_list_begin(c, "clock_", &list));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, clocks_page_back, &rows, &count, .after = list.after,
		           .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, clocks_page, &rows, &count, .after = list.after,
		           .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		clock_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

Err *billing_clock_of(ServiceCall *c, Db *tx, Uuid customer, Str text)
{
	ClockRow *clock;
	Uuid id;

	TRY(stripe_id_of(c, text, "clock_", "test_clock", &id));
	TRY(db_one(tx, c->arena, clock_by_id, &clock, .id = id));
	if (!clock)
		return stripe_missing(c, "test clock", text, "test_clock");
	TRY(db_exec(tx, c->arena, billing_customer_add, NULL, .customer_id = customer));
	return db_exec(tx, c->arena, billing_customer_clock, NULL, .customer_id = customer,
	               .clock_id = opt_uuid(id));
}

static const ServiceRoute routes[] = {
	STRIPE_POST("/v1/test_helpers/test_clocks", clock_post, &new_in, "billing:write",
	            "a clock for tests"),
	STRIPE_GET("/v1/test_helpers/test_clocks", clocks_get, "billing:read",
	           "clocks for tests, the newest first"),
	STRIPE_GET("/v1/test_helpers/test_clocks/{id}", clock_get, "billing:read",
	           "where a clock stands"),
	STRIPE_POST("/v1/test_helpers/test_clocks/{id}/advance", advance_post, &advance_in,
	            "billing:write", "let a clock go on"),
};

ServiceRoutes clock_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
