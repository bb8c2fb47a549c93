/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/products and /v1/prices. A price never changes what it costs: who wants to ask for more makes another one. */
#include "payment/billing_api.h"
#include "payment/billing_int.h"

#include "base/arena.h"
#include "base/time.h"
#include "base/money.h"

/* --- as they are shown --------------------------------------------------------------------------------------------------- */

void product_put(JsonWriter *w, Arena *a, const void *object)
{
	const ProductRow *p = object;

	stripe_begin(w, service_id_text(a, "prod_", p->id), "product");
	json_put_bool(w, "active", p->active);
	stripe_put_time(w, "created", p->created_at);
	stripe_put_time(w, "updated", p->updated_at);
	json_put_str(w, "name", p->name);
	stripe_put_text(w, "description", p->description);
	stripe_put_text(w, "unit_label", p->unit_label);
	stripe_put_id(w, a, "default_price", "price_", p->price_id);
	stripe_put_live(w);
	stripe_put_json(w, "metadata", p->metadata);
	json_end(w);
}

void price_put(JsonWriter *w, Arena *a, const void *object)
{
	const PriceRow *p = object;

	stripe_begin(w, service_id_text(a, "price_", p->id), "price");
	json_put_bool(w, "active", p->active);
	json_put_str(w, "billing_scheme", S("per_unit"));
	stripe_put_time(w, "created", p->created_at);
	json_put_str(w, "currency", p->currency);
	stripe_put_text(w, "lookup_key", p->lookup_key.set ? p->lookup_key.v : S(""));
	stripe_put_text(w, "nickname", p->nickname);
	json_put_str(w, "product", service_id_text(a, "prod_", p->product_id));
	json_key(w, S("recurring"));
	if (p->every.len) {
		json_begin_object(w);
		json_put_str(w, "interval", p->every);
		json_put_i64(w, "interval_count", p->every_count);
		json_put_str(w, "usage_type", S("licensed"));
		json_end(w);
	} else {
		json_add_null(w);
	}
	json_put_str(w, "type", p->every.len ? S("recurring") : S("one_time"));
	json_put_i64(w, "unit_amount", p->amount);
	json_put_str(w, "unit_amount_decimal", str_fmt(a, "%" PRId64, p->amount));
	stripe_put_live(w);
	stripe_put_json(w, "metadata", p->metadata);
	json_end(w);
}

/* --- what is sent -------------------------------------------------------------------------------------------------------- */

static const ConfWord every_words[] = {
	{ "day", EVERY_DAY, "each day" },
	{ "week", EVERY_WEEK, "each week" },
	{ "month", EVERY_MONTH, "each month" },
	{ "year", EVERY_YEAR, "each year" },
	{ 0 },
};

typedef struct RecurringIn {
	uint8_t interval;
	int64_t interval_count;
	Str usage_type;
} RecurringIn;
static const Field recurring_rows[] = {
	{ "interval", FIELD_ENUM, AT(RecurringIn, interval), .required = true, .names = every_words,
	  .help = "how often" },
	{ "interval_count", FIELD_INT, AT(RecurringIn, interval_count), .max = 1095,
	  .help = "every so many of them; 1" },
	{ "usage_type", FIELD_STR, AT(RecurringIn, usage_type), .max = 20, .help = "licensed" },
};
static const FieldTable recurring_in = { "RecurringIn", FIELD_ROWS(RecurringIn, recurring_rows),
	                                 .help = "that it comes again" };

typedef struct ProductDataIn {
	Str name, description, unit_label;
	bool has_metadata;
	const Json *metadata;
} ProductDataIn;
static const Field product_data_rows[] = {
	{ "name", FIELD_STR, AT(ProductDataIn, name), .required = true, .min = 1, .max = 250,
	  .help = "what it is called" },
	{ "description", FIELD_STR, AT(ProductDataIn, description), .max = 5000, .controls = true,
	  .help = "what it is" },
	{ "unit_label", FIELD_STR, AT(ProductDataIn, unit_label), .max = 50,
	  .help = "what is counted: seat" },
	{ "metadata", FIELD_JSON, AT(ProductDataIn, metadata), GIVEN(ProductDataIn, has_metadata),
	  .help = "anything of yours" },
};
static const FieldTable product_data_in = { "ProductDataIn",
	                                    FIELD_ROWS(ProductDataIn, product_data_rows),
	                                    .help = "a product made beside" };

typedef struct PriceIn {
	Str product, currency, nickname, lookup_key, billing_scheme, tax_behavior;
	int64_t unit_amount;
	Str unit_amount_decimal;
	RecurringIn recurring;
	ProductDataIn product_data;
	bool has_recurring, has_product_data, has_amount, has_active, has_metadata, active,
		transfer_lookup_key, has_nickname, has_lookup_key;
	const Json *metadata;
} PriceIn;
#define PRICE_ROWS \
	{ "currency", FIELD_STR, AT(PriceIn, currency), .max = 3, .help = "ISO 4217" }, \
		{ "unit_amount", \
		  FIELD_INT, \
		  AT(PriceIn, unit_amount), \
		  GIVEN(PriceIn, has_amount), \
		  .max = MONEY_MOST, \
		  .help = "in minor units" }, \
		{ "unit_amount_decimal", FIELD_STR, AT(PriceIn, unit_amount_decimal), .max = 20, \
		  .help = "the same as text; whole units only" }, \
		{ "recurring", \
		  FIELD_OBJECT, \
		  AT(PriceIn, recurring), \
		  GIVEN(PriceIn, has_recurring), \
		  .table = &recurring_in, \
		  .help = "that it comes again" }, \
	{ \
		"tax_behavior", FIELD_STR, AT(PriceIn, tax_behavior), \
			.max = 20, .help = "taken, and not looked at" \
	}
#define PRICE_MORE \
	{ "active", FIELD_BOOL, AT(PriceIn, active), GIVEN(PriceIn, has_active), \
	  .help = "may it be sold" }, \
		{ "nickname", FIELD_STR,        AT(PriceIn, nickname), GIVEN(PriceIn, has_nickname), \
		  .max = 250, .help = "for you" }, \
		{ "lookup_key", \
		  FIELD_STR, \
		  AT(PriceIn, lookup_key), \
		  GIVEN(PriceIn, has_lookup_key), \
		  .max = 200, \
		  .help = "a name to find it by" }, \
		{ "transfer_lookup_key", FIELD_BOOL, AT(PriceIn, transfer_lookup_key), \
		  .help = "take the name from the price that has it" }, \
	{ \
		"metadata", FIELD_JSON, AT(PriceIn, metadata), GIVEN(PriceIn, has_metadata), \
			.help = "anything of yours" \
	}
static const Field price_rows[] = {
	{ "product", FIELD_STR, AT(PriceIn, product), .max = 60, .help = "of which product" },
	{ "product_data", FIELD_OBJECT, AT(PriceIn, product_data), GIVEN(PriceIn, has_product_data),
	  .table = &product_data_in, .help = "or of one that is made beside" },
	{ "billing_scheme", FIELD_STR, AT(PriceIn, billing_scheme), .max = 20, .help = "per_unit" },
	PRICE_ROWS,
	PRICE_MORE,
};
static const FieldTable price_in = { "PriceIn", FIELD_ROWS(PriceIn, price_rows),
	                             .help = "a price to make" };
static const Field price_change_rows[] = { PRICE_MORE };
static const FieldTable price_change = { "PriceChange", FIELD_ROWS(PriceIn, price_change_rows),
	                                 .help = "what changes of a price" };
static const Field default_price_rows[] = { PRICE_ROWS };
static const FieldTable default_price_in = { "DefaultPriceIn",
	                                     FIELD_ROWS(PriceIn, default_price_rows),
	                                     .help = "its price, made beside" };

typedef struct ProductIn {
	Str name, description, unit_label, default_price;
	bool active, has_active, has_name, has_description, has_unit, has_metadata, has_price_data,
		shippable;
	PriceIn default_price_data;
	const Json *metadata;
	Str url, type, statement;
	CONF_LIST_OF(Str) images;
} ProductIn;
static const Field product_rows[] = {
	{ "name", FIELD_STR, AT(ProductIn, name), GIVEN(ProductIn, has_name), .min = 1, .max = 250,
	  .help = "what it is called" },
	{ "active", FIELD_BOOL, AT(ProductIn, active), GIVEN(ProductIn, has_active),
	  .help = "may it be sold" },
	{ "description", FIELD_STR, AT(ProductIn, description), GIVEN(ProductIn, has_description),
	  .max = 5000, .controls = true, .help = "what it is" },
	{ "unit_label", FIELD_STR, AT(ProductIn, unit_label), GIVEN(ProductIn, has_unit), .max = 50,
	  .help = "what is counted: seat" },
	{ "default_price", FIELD_STR, AT(ProductIn, default_price), .max = 60,
	  .help = "one of its prices" },
	{ "default_price_data", FIELD_OBJECT, AT(ProductIn, default_price_data),
	  GIVEN(ProductIn, has_price_data), .table = &default_price_in,
	  .help = "a price that is made beside" },
	{ "metadata", FIELD_JSON, AT(ProductIn, metadata), GIVEN(ProductIn, has_metadata),
	  .help = "anything of yours" },
	{ "shippable", FIELD_BOOL, AT(ProductIn, shippable), .help = "taken, and not looked at" },
	{ "type", FIELD_STR, AT(ProductIn, type), .max = 20, .help = "taken, and not looked at" },
	{ "url", FIELD_STR, AT(ProductIn, url), .max = 2048, .help = "taken, and not looked at" },
	{ "statement_descriptor", FIELD_STR, AT(ProductIn, statement), .max = 22,
	  .help = "taken, and not looked at" },
	{ "images", FIELD_STR, AT_LIST(ProductIn, images), .items_max = 8, .max = 2048,
	  .help = "taken, and not looked at" },
};
static const FieldTable product_in = { "ProductIn", FIELD_ROWS(ProductIn, product_rows),
	                               .help = "a product" };

/* --- prices -------------------------------------------------------------------------------------------------------------- */

static Err *price_amount(ServiceCall *c, const PriceIn *in, int64_t *out)
{
	if (in->unit_amount_decimal.len && !in->has_amount) {
		if (!str_to_i64(in->unit_amount_decimal, out) || *out < 0 || *out > MONEY_MOST)
			return stripe_wrong(c, "unit_amount_decimal", "parameter_invalid_string",
			                    "unit_amount_decimal is no whole number of units");
		return NULL;
	}
	if (!in->has_amount)
		return stripe_wrong(c, "unit_amount", "parameter_missing",
		                    "Missing required param: unit_amount.");
	*out = in->unit_amount;
	return NULL;
}

/* What is made of it, without its id and its product. */
static Err *price_of_in(ServiceCall *c, const PriceIn *in, PriceRow *row)
{
	Str currency = money_currency(in->currency);

	if (!currency.len)
		return stripe_wrong(c, "currency",
		                    in->currency.len ? "parameter_invalid_string"
		                                     : "parameter_missing",
		                    "Invalid currency: %.*s", STR_ARG(in->currency));
	if (in->has_recurring && in->recurring.usage_type.len &&
	    !str_eq(in->recurring.usage_type, S("licensed")))
		return stripe_wrong(c, "recurring[usage_type]", "parameter_invalid_string",
		                    "usage_type is licensed");
	if (in->billing_scheme.len && !str_eq(in->billing_scheme, S("per_unit")))
		return stripe_wrong(c, "billing_scheme", "parameter_invalid_string",
		                    "billing_scheme is per_unit");
	*row = (PriceRow){ .id = bill_id(),
		           .active = !in->has_active || in->active,
		           .currency = currency,
		           .every = in->has_recurring ? every_name((Every)in->recurring.interval)
		                                      : S(""),
		           .every_count = MAX(in->recurring.interval_count, INT64_C(1)),
		           .nickname = in->nickname,
		           .lookup_key = { in->lookup_key.len > 0, in->lookup_key },
		           .metadata = S("{}"),
		           .created_at = time_utc_us() };
	TRY(price_amount(c, in, &row->amount));
	return stripe_metadata(c, S(""), in->metadata, &row->metadata);
}

static Err *tell_price(ServiceCall *c, Db *tx, const char *type, const PriceRow *row)
{
	return stripe_event(c, tx, type, service_id_text(c->arena, "price_", row->id),
	                    stripe_text(c->arena, price_put, row));
}

static Err *tell_product(ServiceCall *c, Db *tx, const char *type, const ProductRow *row)
{
	return stripe_event(c, tx, type, service_id_text(c->arena, "prod_", row->id),
	                    stripe_text(c->arena, product_put, row));
}

static Err *product_find(ServiceCall *c, Db *db, Str text, const char *param, ProductRow **out)
{
	Uuid id;

	TRY(stripe_id_of(c, text, "prod_", param, &id));
	TRY(db_one(db, c->arena, product_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "product", text, param);
}

static Err *product_beside(ServiceCall *c, Db *tx, const ProductDataIn *in, ProductRow *row)
{
	int64_t now_us = time_utc_us();

	*row = (ProductRow){ .id = bill_id(),
		             .active = true,
		             .name = in->name,
		             .description = in->description,
		             .unit_label = in->unit_label,
		             .created_at = now_us,
		             .updated_at = now_us };
	TRY(stripe_metadata(c, S(""), in->metadata, &row->metadata));
	TRY(db_exec_with(tx, c->arena, product_add, row, NULL));
	return tell_product(c, tx, "product.created", row);
}

static Err *add_price(ServiceCall *c, Db *tx, void *arg)
{
	const PriceIn *in = arg;
	ProductRow made, *product = &made;
	PriceRow row;
	Err *err;

	TRY(price_of_in(c, in, &row));
	if (in->has_product_data)
		TRY(product_beside(c, tx, &in->product_data, &made));
	else
		TRY(product_find(c, tx, in->product, "product", &product));
	row.product_id = product->id;
	err = db_exec_with(tx, c->arena, price_add, &row, NULL);
	if (err_is(err, "db.unique"))
		return stripe_wrong(c, "lookup_key", "resource_already_exists",
		                    "A price already uses that lookup key.");
	TRY(err);
	TRY(tell_price(c, tx, "price.created", &row));
	price_put(stripe_json(c), c->arena, &row);
	return NULL;
}

static Err *price_post(ServiceCall *c)
{
	PriceIn in;

	TRY(stripe_take(c, &price_in, &in));
	return stripe_effect(c, add_price, &in);
}

static Err *price_find(ServiceCall *c, Db *db, PriceRow **out)
{
	Uuid id;

	TRY(stripe_id(c, "price_", &id));
	TRY(db_one(db, c->arena, price_by_id, out, .id = id));
	return *out ? NULL : stripe_missing(c, "price", service_part(c, "id"), "id");
}

Err *price_named(ServiceCall *c, Db *db, Str text, const char *param, PriceRow **out)
{
	Uuid id;

	TRY(stripe_id_of(c, text, "price_", param, &id));
	TRY(db_one(db, c->arena, price_by_id, out, .id = id));
	if (!*out)
		return stripe_missing(c, "price", text, param);
	if (!(*out)->active)
		return stripe_wrong(c, param, "resource_missing",
		                    "The price specified is inactive.");
	return NULL;
}

static Err *change_price(ServiceCall *c, Db *tx, void *arg)
{
	const PriceIn *in = arg;
	PriceRow *row;

	TRY(price_find(c, tx, &row));
	if (in->has_active)
		row->active = in->active;
	if (in->has_nickname)
		row->nickname = in->nickname;
	if (in->has_lookup_key)
		row->lookup_key = (OptStr){ in->lookup_key.len > 0, in->lookup_key };
	if (in->has_metadata)
		TRY(stripe_metadata(c, row->metadata, in->metadata, &row->metadata));
	TRY(db_exec(tx, c->arena, price_store, NULL, .id = row->id, .active = row->active,
	            .nickname = row->nickname, .lookup_key = row->lookup_key,
	            .metadata = row->metadata));
	TRY(tell_price(c, tx, "price.updated", row));
	price_put(stripe_json(c), c->arena, row);
	return NULL;
}

static Err *price_change_post(ServiceCall *c)
{
	PriceIn in;

	TRY(stripe_take(c, &price_change, &in));
	return stripe_effect(c, change_price, &in);
}

static Err *price_get(ServiceCall *c)
{
	PriceRow *row;

	TRY(stripe_take(c, NULL, NULL));
	TRY(price_find(c, c->db, &row));
	price_put(service_json(c), c->arena, row);
	return NULL;
}

typedef struct PricesIn {
	Str product, type;
	CONF_LIST_OF(Str) lookup_keys;
	bool active, has_active;
} PricesIn;
static const Field prices_rows[] = {
	{ "product", FIELD_STR, AT(PricesIn, product), .max = 60, .help = "of this product" },
	{ "active", FIELD_BOOL, AT(PricesIn, active), GIVEN(PricesIn, has_active),
	  .help = "that may be sold, or may not" },
	{ "lookup_keys", FIELD_STR, AT_LIST(PricesIn, lookup_keys), .items_max = 1, .max = 200,
	  .help = "of this name" },
	{ "type", FIELD_STR, AT(PricesIn, type), .max = 20, .help = "taken, and not looked at" },
};
static const FieldTable prices_in = { "PricesIn", FIELD_ROWS(PricesIn, prices_rows),
	                              .help = "which prices" };

static Err *prices_get(ServiceCall *c)
{
	OptUuid product = { 0 };
	StripeList list;
	PriceRow *rows;
	JsonWriter *w;
	size_t count;
	PricesIn in;

	TRY(stripe_take(c, &prices_in, &in));
	TRY(stripe_list_begin(c, "price_", &list));
	if (in.product.len) {
		TRY(stripe_id_of(c, in.product, "prod_", "product", &product.v));
		product.set = true;
	}
	if (list.backwards)
		TRY(db_all(c->db, c->arena, prices_page_back, &rows, &count, .product_id = product,
		           .active = { in.has_active, in.active },
		           .lookup_key = { in.lookup_keys.count > 0,
		                           in.lookup_keys.count ? in.lookup_keys.at[0] : S("") },
		           .after = list.after, .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, prices_page, &rows, &count, .product_id = product,
		           .active = { in.has_active, in.active },
		           .lookup_key = { in.lookup_keys.count > 0,
		                           in.lookup_keys.count ? in.lookup_keys.at[0] : S("") },
		           .after = list.after, .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		price_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

/* --- products ------------------------------------------------------------------------------------------------------------ */

static Err *add_default_price(ServiceCall *c, Db *tx, const ProductIn *in, ProductRow *row)
{
	PriceRow price;

	TRY(price_of_in(c, &in->default_price_data, &price));
	price.product_id = row->id;
	TRY(db_exec_with(tx, c->arena, price_add, &price, NULL));
	row->price_id = opt_uuid(price.id);
	return tell_price(c, tx, "price.created", &price);
}

static Err *store_product(ServiceCall *c, Db *tx, const ProductRow *row)
{
	return db_exec(tx, c->arena, product_store, NULL, .id = row->id, .active = row->active,
	               .name = row->name, .description = row->description,
	               .unit_label = row->unit_label, .price_id = row->price_id,
	               .metadata = row->metadata, .updated_at = row->updated_at);
}

static Err *add_product(ServiceCall *c, Db *tx, void *arg)
{
	const ProductIn *in = arg;
	int64_t now_us = time_utc_us();
	ProductRow row = { .id = bill_id(),
		           .active = !in->has_active || in->active,
		           .name = in->name,
		           .description = in->description,
		           .unit_label = in->unit_label,
		           .created_at = now_us,
		           .updated_at = now_us };

	if (!in->has_name)
		return stripe_wrong(c, "name", "parameter_missing",
		                    "Missing required param: name.");
	TRY(stripe_metadata(c, S(""), in->metadata, &row.metadata));
	TRY(db_exec_with(tx, c->arena, product_add, &row, NULL));
	if (in->has_price_data) {
		TRY(add_default_price(c, tx, in, &row));
		TRY(store_product(c, tx, &row));
	}
	TRY(tell_product(c, tx, "product.created", &row));
	product_put(stripe_json(c), c->arena, &row);
	return NULL;
}

static Err *product_post(ServiceCall *c)
{
	ProductIn in;

	TRY(stripe_take(c, &product_in, &in));
	return stripe_effect(c, add_product, &in);
}

static Err *change_product(ServiceCall *c, Db *tx, void *arg)
{
	const ProductIn *in = arg;
	ProductRow *row;
	PriceRow *price;

	TRY(product_find(c, tx, service_part(c, "id"), "id", &row));
	row->active = in->has_active ? in->active : row->active;
	row->name = in->has_name ? in->name : row->name;
	row->description = in->has_description ? in->description : row->description;
	row->unit_label = in->has_unit ? in->unit_label : row->unit_label;
	if (in->has_metadata)
		TRY(stripe_metadata(c, row->metadata, in->metadata, &row->metadata));
	if (in->default_price.len) {
		TRY(price_named(c, tx, in->default_price, "default_price", &price));
		row->price_id = opt_uuid(price->id);
	}
	row->updated_at = time_utc_us();
	TRY(store_product(c, tx, row));
	TRY(tell_product(c, tx, "product.updated", row));
	product_put(stripe_json(c), c->arena, row);
	return NULL;
}

static Err *product_change_post(ServiceCall *c)
{
	ProductIn in;

	TRY(stripe_take(c, &product_in, &in));
	return stripe_effect(c, change_product, &in);
}

static Err *product_get(ServiceCall *c)
{
	ProductRow *row;

	TRY(stripe_take(c, NULL, NULL));
	TRY(product_find(c, c->db, service_part(c, "id"), "id", &row));
	product_put(service_json(c), c->arena, row);
	return NULL;
}

static Err *drop_product(ServiceCall *c, Db *tx, void *arg)
{
	ProductRow *row;
	int64_t gone;
	JsonWriter *w;

	(void)arg;
	TRY(product_find(c, tx, service_part(c, "id"), "id", &row));
	TRY(db_exec(tx, c->arena, product_drop, &gone, .id = row->id));
	if (!gone)
		return stripe_wrong(
			c, "id", "resource_in_use",
			"This product cannot be deleted because it has one or more user-created prices.");
	TRY(tell_product(c, tx, "product.deleted", row));
	w = stripe_json(c);
	stripe_begin(w, service_id_text(c->arena, "prod_", row->id), "product");
	json_put_bool(w, "deleted", true);
	json_end(w);
	return NULL;
}

static Err *product_delete(ServiceCall *c)
{
	TRY(stripe_take(c, NULL, NULL));
	return stripe_effect(c, drop_product, NULL);
}

typedef struct ProductsIn {
	bool active, has_active;
} ProductsIn;
static const Field products_rows[] = {
	{ "active", FIELD_BOOL, AT(ProductsIn, active), GIVEN(ProductsIn, has_active),
	  .help = "that may be sold, or may not" },
};
static const FieldTable products_in = { "ProductsIn", FIELD_ROWS(ProductsIn, products_rows),
	                                .help = "which products" };

static Err *products_get(ServiceCall *c)
{
	StripeList list;
	ProductRow *rows;
	ProductsIn in;
	JsonWriter *w;
	size_t count;

	TRY(stripe_take(c, &products_in, &in));
	TRY(stripe_list_begin(c, "prod_", &list));
	if (list.backwards)
		TRY(db_all(c->db, c->arena, products_page_back, &rows, &count,
		           .active = { in.has_active, in.active }, .after = list.after,
		           .before = list.before, .most = list.most));
	else
		TRY(db_all(c->db, c->arena, products_page, &rows, &count,
		           .active = { in.has_active, in.active }, .after = list.after,
		           .before = list.before, .most = list.most));
	w = stripe_list_open(c, &list, count);
	for (size_t i = 0; i < list.shown; i++)
		product_put(w, c->arena, &rows[stripe_list_at(&list, i)]);
	return stripe_list_end(c, &list);
}

static const ServiceRoute routes[] = {
	STRIPE_POST("/v1/products", product_post, &product_in, "billing:write", "add a product"),
	STRIPE_GET("/v1/products", products_get, "billing:read", "products, the newest first"),
	STRIPE_GET("/v1/products/{id}", product_get, "billing:read", "one product"),
	STRIPE_POST("/v1/products/{id}", product_change_post, &product_in, "billing:write",
	            "change a product"),
	STRIPE_DELETE("/v1/products/{id}", product_delete, "billing:write",
	              "remove a product without prices"),
	STRIPE_POST("/v1/prices", price_post, &price_in, "billing:write", "add a price"),
	STRIPE_GET("/v1/prices", prices_get, "billing:read", "prices, the newest first"),
	STRIPE_GET("/v1/prices/{id}", price_get, "billing:read", "one price"),
	STRIPE_POST("/v1/prices/{id}", price_change_post, &price_change, "billing:write",
	            "change what may change of a price"),
};

ServiceRoutes product_routes(void)
{
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
