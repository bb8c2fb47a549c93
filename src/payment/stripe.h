/* SPDX-License-Identifier: Apache-2.0
 *
 * What handlers in Stripe's manner have in common: forms with brackets or JSON in, objects out, Stripe's errors, lists, expand[],
 * Idempotency-Key. Beside a FieldTable for what is taken a handler is an effect:
 *
 *	static Err *add(ServiceCall *c, Db *tx, void *arg)            may run more than once; its answer is kept with its effect
 *	{
 *		const ProductIn *in = arg;
 *		...
 *		product_put(stripe_json(c), c->arena, &product);
 *		return stripe_event(c, tx, S("product.created"), product_id, object);
 *	}
 *	static Err *product_post(ServiceCall *c)
 *	{
 *		ProductIn in;
 *
 *		TRY(stripe_take(c, &product_in, &in));
 *		return stripe_effect(c, add, &in);
 *	}
 *	static const ServiceRoute product_routes[] = {
 *		STRIPE_POST("/v1/products", product_post, &product_in, "billing:write", "add a product"),
 *		STRIPE_GET("/v1/products/{id}", product_get, "billing:read", "one product"),
 *	};
 *
 * An error of any handler becomes a problem document with Stripe's `error` in it (stripe_reply.c): INVALID is
 * invalid_request_error, of stripe_wrong with its param; kind and code of others stand in a table there. */
#pragma once
#include "service/service.h"

#define STRIPE_ROUTE_(method_, path_, fn, scope, help_) \
	method_, (path_), (fn), .scopes = (scope), .kind = SERVICE_BODY_OWN, .fail = stripe_fail, \
				.status = 200, .tag = "payments", .help = (help_)
#define STRIPE_POST(path_, fn, table, scope, help_) \
	{ \
		STRIPE_ROUTE_("POST", path_, fn, scope, help_), .body = (table), \
								.body_max = STRIPE_BODY_MOST \
	}
#define STRIPE_GET(path_, fn, scope, help_) \
	{ \
		STRIPE_ROUTE_("GET", path_, fn, scope, help_) \
	}
#define STRIPE_LIST(path_, fn, table, scope, \
                    help_) /* and parameters beside those of every list */ \
	{ \
		STRIPE_ROUTE_("GET", path_, fn, scope, help_), .query = (table) \
	}
#define STRIPE_DELETE(path_, fn, scope, help_) \
	{ \
		STRIPE_ROUTE_("DELETE", path_, fn, scope, help_) \
	}

enum { STRIPE_BODY_MOST = 64 << 10, STRIPE_EXPAND_MOST = 20, STRIPE_METADATA_MOST = 50 };

ServiceFail stripe_fail;

/* --- what is taken ----------------------------------------------------------------------------------------------------- */

/* Reads the body (of a POST; a DELETE may have none) or the query into a table's struct; `expand` and what every list takes
 * (StripeList) need no rows. A card number or a CVC anywhere refuses all of it. Looks at Idempotency-Key too: see stripe_effect. Parks.
 * Once in a handler, first of all. table NULL: nothing but those. */
Err *stripe_take(ServiceCall *c, const FieldTable *table, void *into) MUST_USE;
/* "customer": did the request ask to have this in place of its id? Objects of payments are put there by themselves (stripe_expand.h): this is
 * for who has others to show. */
bool stripe_expands(const ServiceCall *c, const char *path);
/* An id of the path or of a parameter: NOT_FOUND "payment.unknown" (resource_missing) with its param when it is none. */
Err *stripe_id(ServiceCall *c, const char *prefix, Uuid *id) MUST_USE; /* {id} */
Err *stripe_id_of(ServiceCall *c, Str text, const char *prefix, const char *param, Uuid *id)
	MUST_USE;
Err *stripe_missing(ServiceCall *c, const char *what, Str id, const char *param)
	MUST_USE RETURNS_NONNULL;
/* An INVALID with its param and Stripe's code: stripe_wrong(c, "amount", "parameter_invalid_integer", "..."). */
Err *stripe_wrong(ServiceCall *c, const char *param, const char *code, const char *fmt, ...)
	PRINTF(4, 5) MUST_USE RETURNS_NONNULL;
/* metadata of a change, onto what there is: "" takes a key away, an empty whole takes all. Gives a JSON object of strings. */
Err *stripe_metadata(ServiceCall *c, Str before, const Json *change, Str *after) MUST_USE;

/* --- what is done ------------------------------------------------------------------------------------------------------ */

/* As service_effect, with Stripe's rules: the first answer of a key is kept a day, an error told by stripe_answer_error too; the same
 * key with other parameters is 422 (400 to Stripe's own clients, which look for that), one that runs 409. */
Err *stripe_effect(ServiceCall *c, ServiceEffect *fn, void *arg) MUST_USE;
/* The answer of an effect: what was written before is forgotten. (Who only reads uses service_json.) */
JsonWriter *stripe_json(ServiceCall *c) RETURNS_NONNULL;

/* What takes more than one transaction, for a provider is asked between them: the first one claims the key for what it makes, the last
 * one settles it with the answer in stripe_json. `within_us`: when that is over and nothing was settled, whoever sends the key again goes
 * on: stripe_resumes tells what the first one had made. */
Err *stripe_claim(ServiceCall *c, Db *tx, Uuid object, int64_t within_us) MUST_USE;
Err *stripe_settle(ServiceCall *c, Db *tx) MUST_USE;
/* In place of settling: nothing was done, and whoever sends the key again goes on at once. */
Err *stripe_release(ServiceCall *c, Db *tx) MUST_USE;
bool stripe_resumes(const ServiceCall *c, Uuid *object);
/* Runs fn as a transaction of such; what a rival did is found as stripe_effect finds it. *kept: it says the answer. */
Err *stripe_step(ServiceCall *c, ServiceEffect *fn, void *arg) MUST_USE;
/* The answer in stripe_json goes out. */
Err *stripe_say(ServiceCall *c) MUST_USE;
/* An answer that says no and is kept: a card that was declined. object: the intent as JSON, under error.payment_intent. */
typedef struct StripeRefusal {
	unsigned status; /* 402 */
	Str code, decline_code, message, charge, object;
} StripeRefusal;
void stripe_refuse(ServiceCall *c, const StripeRefusal *refusal);
/* What has happened, in the transaction of it: object is Stripe's object as it is now. Kept for /v1/events and put into the outbox
 * (type as given, aggregate type the part before the first dot, data the object). c NULL: nobody's request. */
typedef struct StripeEvent {
	Str type;      /* "payment_intent.succeeded" */
	Str object_id; /* "pi_..." */
	Str object;    /* JSON */
	Str previous;  /* JSON of what an update changed; empty: none */
	Str traceparent;
	Str request, request_key; /* "req_..." and its Idempotency-Key; empty: none */
} StripeEvent;
Err *stripe_event_put(Db *tx, Arena *a, const StripeEvent *event) MUST_USE;
/* The same, of this request. */
Err *stripe_event(ServiceCall *c, Db *tx, const char *type, Str object_id, Str object) MUST_USE;

/* --- what is said ------------------------------------------------------------------------------------------------------ */

/* Members that objects begin with. */
void stripe_begin(JsonWriter *w, Str id, const char *object);
void stripe_put_time(JsonWriter *w, const char *key, int64_t us); /* seconds; 0: null */
void stripe_put_text(JsonWriter *w, const char *key, Str text);   /* empty: null */
void stripe_put_json(JsonWriter *w, const char *key, Str json);   /* empty: null */
void stripe_put_id(JsonWriter *w, Arena *a, const char *key, const char *prefix, OptUuid id);
void stripe_put_live(JsonWriter *w); /* livemode */
void stripe_live(bool live);         /* at the start: is this real money? */
/* The object as text, for an event and an answer at once. */
typedef void StripePut(JsonWriter *w, Arena *a, const void *object);
Str stripe_text(Arena *a, StripePut *put, const void *object);

/* Lists, newest first: `limit` (1 to 100, 10), `starting_after`, `ending_before`. Ids are UUIDs version 7, so their order is that of
 * their making.
 *	TRY(stripe_list_begin(c, "prod_", &list));
 *	TRY(db_all(db, a, products_page, &rows, &count, .after = list.after, .before = list.before, .most = list.most));
 *	... of a list that is `backwards` (ending_before) rows come oldest first: products_page_back
 *	w = stripe_list_open(c, &list, count);
 *	for (i = 0; i < list.shown; i++) product_put(w, &rows[stripe_list_at(&list, i)]);
 *	return stripe_list_end(c, &list);                                                                                        */
typedef struct StripeList {
	int64_t limit, most; /* most: limit + 1, for the statement */
	Uuid after,
		before; /* ids lie below `after` and above `before`; all ones and nil where none was said */
	bool backwards; /* ask in ascending order */
	size_t shown;
	bool more;
	JsonWriter *w;
} StripeList;
Err *stripe_list_begin(ServiceCall *c, const char *prefix, StripeList *list) MUST_USE;
JsonWriter *stripe_list_open(ServiceCall *c, StripeList *list, size_t found) RETURNS_NONNULL;
size_t stripe_list_at(const StripeList *list,
                      size_t i); /* the row that stands at this place of the page */
Err *stripe_list_end(ServiceCall *c, StripeList *list) MUST_USE;
