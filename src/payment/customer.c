/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/customers. One that is deleted stays as its id, for payments point to it; what is personal goes at once. (Events that told of it before
 * have it as it was then: they are deleted by age.) */
#include "payment/intent_int.h"

#include "base/arena.h"
#include "base/rand.h"
#include "base/time.h"
#include "payment/billing_api.h"
#include "payment/billing_int.h"
#include "payment/billing_int.h"
#include "payment/payment_api.h"
#include "payment/stripe_int.h"

typedef struct InvoiceSettings {
	Str method;
	bool has_method;
	const Json *left;
} InvoiceSettings;

typedef struct CustomerIn {
	Str email, name, description, phone, zone, method, kind, clock;
	bool has_email, has_name, has_description, has_phone, has_zone, has_method;
	InvoiceSettings invoice;
	bool has_invoice;
	const Json *metadata, *left;
} CustomerIn;

static const Field invoice_rows[] = {
	{ "default_payment_method", FIELD_STR, AT(InvoiceSettings, method),
	  GIVEN(InvoiceSettings, has_method), .max = 50,
	  .help = "what is charged when nothing else is said, pm_..." },
	{ "custom_fields", FIELD_JSON, AT(InvoiceSettings, left), .help = "taken and left" },
};
static const FieldTable invoice_in = { "InvoiceSettings", FIELD_ROWS(InvoiceSettings, invoice_rows),
	                               .help = "of a customer's invoices" };

#define LEFT(name_) \
	{ \
		name_, FIELD_JSON, AT(CustomerIn, left), .help = "taken and left" \
	}
static const Field rows_in[] = {
	{ "email", FIELD_STR, AT(CustomerIn, email), GIVEN(CustomerIn, has_email), .max = 254,
	  .help = "an address" },
	{ "name", FIELD_STR, AT(CustomerIn, name), GIVEN(CustomerIn, has_name), .max = 256,
	  .help = "what they are called" },
	{ "description", FIELD_STR, AT(CustomerIn, description), GIVEN(CustomerIn, has_description),
	  .controls = true, .help = "for yourself" },
	{ "phone", FIELD_STR, AT(CustomerIn, phone), GIVEN(CustomerIn, has_phone), .max = 30,
	  .help = "a number" },
	{ "time_zone", FIELD_STR, AT(CustomerIn, zone), GIVEN(CustomerIn, has_zone), .max = 64,
	  .help = "of their bills, Europe/Berlin; UTC where none is said" },
	{ "payment_method", FIELD_STR, AT(CustomerIn, method), GIVEN(CustomerIn, has_method),
	  .max = 200, .help = "one to attach, and to charge by default" },
	{ "invoice_settings", FIELD_OBJECT, AT(CustomerIn, invoice), GIVEN(CustomerIn, has_invoice),
	  .table = &invoice_in, .help = "of their invoices" },
	{ "metadata", FIELD_JSON, AT(CustomerIn, metadata), .help = "texts of your own, by key" },
	LEFT("address"),
	LEFT("shipping"),
	LEFT("preferred_locales"),
	LEFT("tax_exempt"),
	{ "test_clock", FIELD_STR, AT(CustomerIn, clock), .max = 60,
	  .help = "of a new one: the clock that they live by, in tests" },
};
static const FieldTable customer_in = { "CustomerFields", FIELD_ROWS(CustomerIn, rows_in),
	                                .help = "who pays" };
static const Field list_rows[] = {
	{ "email", FIELD_STR, AT(CustomerIn, email), .max = 254,
	  .help = "with exactly this address" },
};
static const FieldTable list_in = { "Customers", FIELD_ROWS(CustomerIn, list_rows),
	                            .help = "which" };

static Err *check(ServiceCall *c, const CustomerIn *in)
{
	const Zone *zone;

	if (in->email.len && !email_is(in->email))
		return stripe_wrong(c, "email", "email_invalid", "Invalid email address: %.*s",
		                    STR_ARG(in->email));
	if (in->zone.len && bill_zone(c->arena, in->zone, &zone))
		return stripe_wrong(c, "time_zone", "parameter_invalid_string",
		                    "time_zone is no zone that is known here");
	return NULL;
}

/* In a transaction: the method that is to be theirs. */
static Err *take_method(ServiceCall *c, Db *tx, const CustomerIn *in, CustomerRow *row)
{
	bool given = in->has_method || in->invoice.has_method, fresh;
	Str text = in->has_method ? in->method : in->invoice.method;
	MethodRow *method;

	if (!given)
		return NULL;
	stripe_of(c)->param =
		in->has_method ? "payment_method" : "invoice_settings[default_payment_method]";
	TRY(db_lock(tx, c->arena, text));
	TRY(method_named(tx, c->arena, text, &method, &fresh));
	if (method && method->customer_id.set && !uuid_eq(method->customer_id.v, row->id))
		return stripe_wrong(c, stripe_of(c)->param, "payment_method_customer_mismatch",
		                    "The payment method belongs to another customer.");
	stripe_of(c)->param = NULL;
	row->method_id = method ? opt_uuid(method->id) : (OptUuid){ 0 };
	if (fresh)
		TRY(db_exec_with(tx, c->arena, method_add, method, NULL));
	return method ? db_exec(tx, c->arena, method_attach, NULL, .id = method->id,
	                        .customer_id = opt_uuid(row->id))
	              : NULL;
}

static Err *fill(ServiceCall *c, const CustomerIn *in, CustomerRow *row)
{
	row->email = in->has_email ? in->email : row->email;
	row->name = in->has_name ? in->name : row->name;
	row->description = in->has_description ? in->description : row->description;
	row->phone = in->has_phone ? in->phone : row->phone;
	row->zone = in->has_zone ? in->zone : row->zone;
	return stripe_metadata(c, row->metadata, in->metadata, &row->metadata);
}

static Err *tell(ServiceCall *c, Db *tx, const char *type, const CustomerRow *row)
{
	return stripe_event(c, tx, type, service_id_text(c->arena, "cus_", row->id),
	                    stripe_text(c->arena, customer_put, row));
}

static Err *load(ServiceCall *c, Db *db, CustomerRow **row)
{
	Uuid id;

	TRY(stripe_id(c, "cus_", &id));
	TRY(db_one(db, c->arena, customer_by_id, row, .id = id));
	return *row ? NULL : stripe_missing(c, "customer", service_part(c, "id"), "id");
}

static Err *say(ServiceCall *c, Db *db, const CustomerRow *row)
{
	(void)db;
	customer_put(stripe_json(c), c->arena, row);
	return NULL;
}

/* --- handlers ------------------------------------------------------------------------------------------------------------------------- */

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	const CustomerIn *in = arg;
	CustomerRow row = { .metadata = S("{}"), .next_invoice = 1, .version = 1 };
	OptUuid method;

	row.id = payment_id(&row.created_at);
	row.invoice_prefix = str_fmt(c->arena, "%08X", (unsigned)rand_u64());
	TRY(fill(c, in, &row));
	TRY(db_exec_with(tx, c->arena, customer_add, &row, NULL));
	TRY(take_method(c, tx, in, &row));
	if (in->clock.len)
		TRY(billing_clock_of(c, tx, row.id, in->clock));
	method = row.method_id;
	if (method.set)
		TRY(db_exec(tx, c->arena, customer_change, NULL, .id = row.id, .email = row.email,
		            .name = row.name, .description = row.description, .phone = row.phone,
		            .metadata = row.metadata, .zone = row.zone, .method_id = method,
		            .before = 1));
	TRY(tell(c, tx, "customer.created", &row));
	return say(c, tx, &row);
}

static Err *customers_post(ServiceCall *c)
{
	CustomerIn in;

	TRY(stripe_take(c, &customer_in, &in));
	TRY(check(c, &in));
	return stripe_effect(c, add, &in);
}

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const CustomerIn *in = arg;
	CustomerRow *row;
	int64_t done;

	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(load(c, tx, &row));
	if (row->deleted_at.set)
		return stripe_missing(c, "customer", service_part(c, "id"), "id");
	TRY(fill(c, in, row));
	TRY(take_method(c, tx, in, row));
	TRY(db_exec(tx, c->arena, customer_change, &done, .id = row->id, .email = row->email,
	            .name = row->name, .description = row->description, .phone = row->phone,
	            .metadata = row->metadata, .zone = row->zone, .method_id = row->method_id,
	            .before = row->version));
	if (!done) /* a card of his was detached meanwhile */
		return err_new(c->arena, ERR_BUSY, "db.serialization", "the customer has changed");
	TRY(tell(c, tx, "customer.updated", row));
	return say(c, tx, row);
}

static Err *customer_post(ServiceCall *c)
{
	CustomerIn in;

	TRY(stripe_take(c, &customer_in, &in));
	TRY(check(c, &in));
	return stripe_effect(c, change, &in);
}

static Err *erase(ServiceCall *c, Db *tx, void *arg)
{
	CustomerRow *row;

	(void)arg;
	TRY(db_lock(tx, c->arena, service_part(c, "id")));
	TRY(load(c, tx, &row));
	if (row->deleted_at.set)
		return stripe_missing(c, "customer", service_part(c, "id"), "id");
	row->deleted_at = opt_int(time_utc_us());
	TRY(db_exec(tx, c->arena, customer_remove, NULL, .id = row->id, .now = row->deleted_at.v));
	TRY(db_exec(tx, c->arena, methods_detach, NULL, .customer_id = row->id));
	TRY(tell(c, tx, "customer.deleted", row));
	return say(c, tx, row);
}

static Err *customer_delete(ServiceCall *c)
{
	TRY(stripe_take(c, NULL, NULL));
	return stripe_effect(c, erase, NULL);
}

static Err *customer_get(ServiceCall *c)
{
	CustomerRow *row;

	TRY(stripe_take(c, NULL, NULL));
	TRY(load(c, c->db, &row));
	TRY(say(c, c->db, row));
	return stripe_say(c);
}

static Err *customers_get(ServiceCall *c)
{
	StripeList list;
	CustomerRow *rows;
	JsonWriter *w;
	size_t count;
	CustomerIn in;

	TRY(stripe_take(c, &list_in, &in));
	TRY(stripe_list_begin(c, "cus_", &list));
	if (in.email.len)
		TRY(db_all(c->db, c->arena, customers_of_email, &rows, &count, .email = in.email,
		           .after = list.after, .before = list.before, .most = list.most));
	else if (list.backwards)
		TRY(db_all(c->db, c->arena, customers_page_back, &rows, &count, .after = list.after,
		           .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, customers_page, &rows, &count, .after = list.after,
		           .before = list.before, .most = list.most));
	list.backwards &= !in.email.len;
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		customer_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static const ServiceRoute customer_rows[] = {
	STRIPE_POST("/v1/customers", customers_post, &customer_in, "customers:write",
	            "add a customer"),
	STRIPE_LIST("/v1/customers", customers_get, &list_in, "customers:read",
	            "customers, newest first"),
	STRIPE_GET("/v1/customers/{id}", customer_get, "customers:read", "one customer"),
	STRIPE_POST("/v1/customers/{id}", customer_post, &customer_in, "customers:write",
	            "change one"),
	STRIPE_DELETE("/v1/customers/{id}", customer_delete, "customers:write",
	              "forget all that is personal of one"),
};

ServiceRoutes customer_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(customer_rows);
}
