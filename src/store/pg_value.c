/* SPDX-License-Identifier: Apache-2.0
 *
 * Every parameter has a type of its own, whatever column it meets: the server casts int8 to the column's int4, and an index on
 * int4 is used with an int8. Columns may be of any type that holds the same without loss: a sum() is a numeric, which is a
 * whole number nearly always, and an error when it is not.
 *
 * Times count microseconds from 2000 on the wire; what does not end on our side (the least and the greatest int64) are
 * -infinity and infinity there. timestamp without zone is taken for UTC, which is what our sessions run in. A type above
 * 16384 is one that somebody made: an enum or citext, text on the wire too. */
#include "store/pg_value.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_CHAR = 18,
	OID_NAME = 19,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_UNKNOWN = 705,
	OID_BPCHAR = 1042,
	OID_VARCHAR = 1043,
	OID_DATE = 1082,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
	OID_NUMERIC = 1700,
	OID_UUID = 2950,
	OID_JSONB = 3802,
	OID_FIRST_MADE = 16384,
};

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 */
#define DAY_US INT64_C(86400000000)
#define NUMERIC_NEGATIVE 0x4000
#define NUMERIC_SPECIAL 0xc000 /* NaN and the infinities have these two bits */
#define VALUE_MAX ((size_t)1 << 30)

static const PgOid oids[] = {
	[SQL_INT] = OID_INT8,         [SQL_REAL] = OID_FLOAT8, [SQL_BOOL] = OID_BOOL,
	[SQL_TEXT] = OID_TEXT,        [SQL_BYTES] = OID_BYTEA, [SQL_JSON] = OID_JSON,
	[SQL_TIME] = OID_TIMESTAMPTZ, [SQL_UUID] = OID_UUID,
};
_Static_assert(COUNT(oids) == SQL_TYPES, "a type has no OID");

PgOid pg_oid(SqlType type)
{
	return oids[type];
}

/* --- numbers as bytes ----------------------------------------------------------------------------------------------- */

static void put_be(char *at, uint64_t value, unsigned bytes)
{
	while (bytes--)
		*at++ = (char)(value >> (8 * bytes));
}

static uint64_t take_be(const char *at, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | (uint8_t)at[i];
	return value;
}

static int64_t time_to_wire(int64_t utc_us)
{
	if (utc_us == INT64_MAX || utc_us == INT64_MIN)
		return utc_us;
	return utc_us < INT64_MIN + EPOCH_US ? INT64_MIN + 1 : utc_us - EPOCH_US;
}

static int64_t time_from_wire(int64_t us)
{
	if (us == INT64_MAX || us == INT64_MIN)
		return us;
	return us > INT64_MAX - EPOCH_US ? INT64_MAX : us + EPOCH_US;
}

static uint64_t bits_of_double(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static double double_of_bits(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static float float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* --- parameters ----------------------------------------------------------------------------------------------------- */

/* In the form of pg_oid(f->type), in 8 bytes of `space` or where it is. */
static Str plain_value(const SqlField *f, const void *in, char *space)
{
	switch (f->type) {
	case SQL_INT:
		put_be(space, (uint64_t)field_int(f, in), 8);
		return (Str){ space, 8 };
	case SQL_TIME:
		put_be(space, (uint64_t)time_to_wire(field_int(f, in)), 8);
		return (Str){ space, 8 };
	case SQL_REAL:
		put_be(space, bits_of_double(field_real(f, in)), 8);
		return (Str){ space, 8 };
	case SQL_BOOL:
		*space = field_bool(f, in);
		return (Str){ space, 1 };
	case SQL_UUID:
		return (Str){ (const char *)field_uuid(f, in)->at, 16 };
	case SQL_TEXT:
	case SQL_BYTES:
	case SQL_JSON:
	case SQL_TYPES:
		break;
	}
	return field_str(f, in);
}

static const int binary[SQL_FIELDS] = { [0 ... SQL_FIELDS - 1] = 1 };

/* One piece of memory for all of them, with eight bytes each for values that need some. */
static PgParams *params_alloc(Arena *a, size_t count, PgOid **oid, char **space)
{
	size_t each = sizeof(char *) + sizeof(int64_t) + sizeof(PgOid) + sizeof(int);
	char *at = arena_alloc_raw(a, sizeof(PgParams) + count * each);
	PgParams *p = (PgParams *)(void *)at;

	p->count = (int)count;
	p->values = (const char **)(void *)(p + 1);
	at += sizeof *p + count * sizeof(char *);
	*space = at;
	*oid = (PgOid *)(void *)(at + count * sizeof(int64_t));
	p->oids = *oid;
	p->lengths = (int *)(*oid + count);
	p->formats = binary;
	return p;
}

Err *pg_params_new(Arena *a, const Sql *sql, const void *in, PgParams **out)
{
	PgOid *oid;
	char *space;
	PgParams *p = params_alloc(a, sql->in_count, &oid, &space);

	for (size_t i = 0; i < sql->in_count; i++, space += sizeof(int64_t)) {
		const SqlField *f = &sql->in[i];
		Str value;

		oid[i] = pg_oid(f->type);
		p->values[i] = NULL;
		p->lengths[i] = 0;
		if (field_is_null(f, in))
			continue;
		value = plain_value(f, in, space);
		if (value.len >= VALUE_MAX)
			return db_err(a, DB_TOO_LARGE, sql, "%s has %zu bytes", f->name, value.len);
		p->values[i] = value.at ? value.at : "";
		p->lengths[i] = (int)value.len;
	}
	*out = p;
	return NULL;
}

/* --- values of a column that is not of the parameter's own type ---------------------------------------------------- */

/* At most five digits of base 10,000: 20 characters of a whole int64. */
static Str numeric_of(int64_t value, char *space)
{
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	uint16_t digits[5];
	unsigned count = 0;

	for (; rest; rest /= 10000)
		digits[count++] = (uint16_t)(rest % 10000);
	put_be(space, count, 2);
	put_be(space + 2, count ? count - 1 : 0, 2); /* weight of the first */
	put_be(space + 4, value < 0 ? NUMERIC_NEGATIVE : 0, 2);
	put_be(space + 6, 0, 2); /* digits to be shown after the point */
	for (unsigned i = 0; i < count; i++)
		put_be(space + 8 + 2 * i, digits[count - 1 - i], 2);
	return (Str){ space, 8 + 2 * count };
}

static bool int_as(int64_t value, PgOid column, char *space, Str *out)
{
	unsigned bytes = column == OID_INT8   ? 8
	                 : column == OID_INT4 ? 4
	                 : column == OID_INT2 ? 2
	                                      : 0;

	if (column == OID_NUMERIC) {
		*out = numeric_of(value, space);
		return true;
	}
	if (!bytes ||
	    (bytes < 8 && (value >> (8 * bytes - 1) != 0 && value >> (8 * bytes - 1) != -1)))
		return false;
	put_be(space, (uint64_t)value, bytes);
	*out = (Str){ space, bytes };
	return true;
}

static bool real_as(double value, PgOid column, char *space, Str *out)
{
	float narrow = (float)value;
	uint32_t bits;

	if (column != OID_FLOAT4)
		return false;
	memcpy(&bits, &narrow, sizeof bits);
	put_be(space, bits, 4);
	*out = (Str){ space, 4 };
	return true;
}

static bool is_text(PgOid oid)
{
	return oid == OID_TEXT || oid == OID_VARCHAR || oid == OID_BPCHAR || oid == OID_NAME ||
	       oid == OID_UNKNOWN || oid == OID_CHAR || oid >= OID_FIRST_MADE;
}

static bool date_as(int64_t utc_us, PgOid column, char *space, Str *out)
{
	int64_t us = time_to_wire(utc_us), days = us / DAY_US - (us % DAY_US < 0);

	if (column != OID_DATE || days > INT32_MAX || days < INT32_MIN)
		return false;
	put_be(space, (uint64_t)days, 4);
	*out = (Str){ space, 4 };
	return true;
}

static bool value_as(const SqlField *f, const void *in, PgOid column, char *space, Str *out)
{
	switch (f->type) {
	case SQL_INT:
		return int_as(field_int(f, in), column, space, out);
	case SQL_REAL:
		return real_as(field_real(f, in), column, space, out);
	case SQL_TIME:
		*out = plain_value(f, in, space);
		return column == OID_TIMESTAMP || date_as(field_int(f, in), column, space, out);
	case SQL_TEXT:
	case SQL_JSON:
		*out = field_str(f, in);
		return is_text(column) || column == OID_JSON;
	case SQL_BOOL:
	case SQL_BYTES:
	case SQL_UUID:
	case SQL_TYPES:
		break;
	}
	return false;
}

/* jsonb's binary form is a version and the text: that needs memory of its own. */
static Str jsonb_of(Arena *a, Str text)
{
	char *at = arena_alloc_raw(a, text.len + 1);

	*at = 1;
	if (text.len)
		memcpy(at + 1, text.at, text.len);
	return (Str){ at, text.len + 1 };
}

Err *pg_value_as(Arena *a, const SqlField *f, const void *in, PgOid column, char space[20],
                 Str *out)
{
	if (column == pg_oid(f->type)) {
		*out = plain_value(f, in, space);
	} else if (column == OID_JSONB && (f->type == SQL_JSON || f->type == SQL_TEXT)) {
		*out = jsonb_of(a, field_str(f, in));
	} else if (!value_as(f, in, column, space, out)) {
		return db_err(a, DB_SQL, NULL, "%s does not fit a column of type %u", f->name,
		              column);
	}
	if (out->len >= VALUE_MAX)
		return db_err(a, DB_TOO_LARGE, NULL, "%s has %zu bytes", f->name, out->len);
	return NULL;
}

/* --- columns -------------------------------------------------------------------------------------------------------- */

/* numeric: digits of base 10,000, the weight of the first, a sign. False: not a whole number, or too large a one. */
static bool numeric_to_int(Str value, int64_t *out)
{
	unsigned count, sign;
	int weight;
	uint64_t sum = 0;

	if (value.len < 8)
		return false;
	count = (unsigned)take_be(value.at, 2);
	weight = (int16_t)take_be(value.at + 2, 2);
	sign = (unsigned)take_be(value.at + 4, 2);
	if (sign & ~(unsigned)NUMERIC_NEGATIVE || value.len < 8 + 2 * (size_t)count)
		return false;
	for (int i = 0; i < MAX((int)count, weight + 1); i++) {
		uint64_t digit = (unsigned)i < count ? take_be(value.at + 8 + 2 * i, 2) : 0;

		if (i > weight && digit)
			return false;
		if (i <= weight && (__builtin_mul_overflow(sum, UINT64_C(10000), &sum) ||
		                    __builtin_add_overflow(sum, digit, &sum)))
			return false;
	}
	if (sum > (uint64_t)INT64_MAX + (sign != 0))
		return false;
	*out = (int64_t)(sign ? -sum : sum);
	return true;
}

/* By way of its text, which strtod rounds well: "12e0"'s digits of four, the point moved by the weight. */
static bool numeric_to_real(Str value, double *out)
{
	enum { DIGITS = 40 /* of base 10,000: more do not change a double */ };
	char text[DIGITS * 4 + 32];
	unsigned count, sign;
	int weight, len;

	if (value.len < 8)
		return false;
	count = MIN((unsigned)take_be(value.at, 2), (unsigned)((value.len - 8) / 2));
	weight = (int16_t)take_be(value.at + 2, 2);
	sign = (unsigned)take_be(value.at + 4, 2);
	if (sign >= NUMERIC_SPECIAL) {
		*out = sign == NUMERIC_SPECIAL ? __builtin_nan("")
		       : sign == 0xd000        ? __builtin_inf()
		                               : -__builtin_inf();
		return true;
	}
	len = snprintf(text, sizeof text, "%s0.", sign ? "-" : "");
	for (unsigned i = 0; i < MIN(count, (unsigned)DIGITS); i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "%04u",
		                (unsigned)take_be(value.at + 8 + 2 * i, 2) % 10000);
	snprintf(text + len, sizeof text - (size_t)len, "e%d", (weight + 1) * 4);
	*out = strtod(text, NULL);
	return true;
}

static bool take_int(PgOid oid, Str value, int64_t *out)
{
	if (oid == OID_INT8 && value.len == 8)
		*out = (int64_t)take_be(value.at, 8);
	else if (oid == OID_INT4 && value.len == 4)
		*out = (int32_t)take_be(value.at, 4);
	else if (oid == OID_OID && value.len == 4)
		*out = (int64_t)take_be(value.at, 4);
	else if (oid == OID_INT2 && value.len == 2)
		*out = (int16_t)take_be(value.at, 2);
	else
		return oid == OID_NUMERIC && numeric_to_int(value, out);
	return true;
}

static bool take_real(PgOid oid, Str value, double *out)
{
	int64_t whole;

	if (oid == OID_FLOAT8 && value.len == 8)
		*out = double_of_bits(take_be(value.at, 8));
	else if (oid == OID_FLOAT4 && value.len == 4)
		*out = float_of_bits((uint32_t)take_be(value.at, 4));
	else if ((oid == OID_INT4 || oid == OID_INT2) && take_int(oid, value, &whole))
		*out = (double)whole;
	else
		return oid == OID_NUMERIC && numeric_to_real(value, out);
	return true;
}

static bool take_time(PgOid oid, Str value, int64_t *out)
{
	int64_t days;

	if ((oid == OID_TIMESTAMPTZ || oid == OID_TIMESTAMP) && value.len == 8) {
		*out = time_from_wire((int64_t)take_be(value.at, 8));
		return true;
	}
	if (oid != OID_DATE || value.len != 4)
		return false;
	days = (int32_t)take_be(value.at, 4);
	*out = days == INT32_MAX   ? INT64_MAX
	       : days == INT32_MIN ? INT64_MIN
	                           : time_from_wire(days * DAY_US);
	return true;
}

static bool take_text(const SqlField *f, PgOid oid, Str value, Str *out)
{
	bool jsonb = oid == OID_JSONB && value.len && *value.at == 1;

	*out = jsonb ? str_sub(value, 1, value.len) : value;
	if (f->type == SQL_BYTES)
		return oid == OID_BYTEA;
	return is_text(oid) || oid == OID_JSON || jsonb;
}

static bool take_field(DbCall *call, const SqlField *f, void *row, PgOid oid, Str value)
{
	void *to = field_put(f, row);
	Str text;

	switch (f->type) {
	case SQL_INT:
		return take_int(oid, value, to);
	case SQL_TIME:
		return take_time(oid, value, to);
	case SQL_REAL:
		return take_real(oid, value, to);
	case SQL_BOOL:
		*(bool *)to = value.len == 1 && *value.at;
		return oid == OID_BOOL && value.len == 1;
	case SQL_UUID:
		if (value.len == 16)
			memcpy(to, value.at, 16);
		return oid == OID_UUID && value.len == 16;
	case SQL_TEXT:
	case SQL_BYTES:
	case SQL_JSON:
	case SQL_TYPES:
		break;
	}
	if (!take_text(f, oid, value, &text))
		return false;
	field_put_str(call, f, row, text);
	return true;
}

static Err *take_row(DbCall *call, const PGresult *result, int at, void *row)
{
	const Sql *sql = call->sql;

	for (int i = 0; i < sql->out_count; i++) {
		const SqlField *f = &sql->out[i];
		Str value = { PQgetvalue(result, at, i), (size_t)PQgetlength(result, at, i) };

		if (PQgetisnull(result, at, i)) {
			if (f->set_at == SQL_NEVER_NULL)
				return db_err(call->a, DB_ROWS, sql, "column %s is NULL", f->name);
		} else if (!take_field(call, f, row, PQftype(result, i), value)) {
			return db_err(call->a, DB_ROWS, sql,
			              "column %s, of type %u, holds what is none of its field's",
			              f->name, PQftype(result, i));
		}
	}
	return NULL;
}

Err *pg_rows(DbCall *call, const PGresult *result)
{
	if (PQnfields(result) != call->sql->out_count)
		return db_err(call->a, DB_SQL, call->sql, "%d columns came, not %u",
		              PQnfields(result), call->sql->out_count);
	for (int i = 0; i < PQntuples(result); i++) {
		void *row = db_call_row(call);

		TRY(take_row(call, result, i, row));
		TRY(db_call_row_done(call, row));
	}
	return NULL;
}
