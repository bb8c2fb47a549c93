/* SPDX-License-Identifier: Apache-2.0
 *
 * A record of another system as the draft of an account: which field means what, in tables.
 *
 * Fields have the names that systems use for them; those that nobody knows are counted and left. A Django dump has a row for every
 * model: users are those of the model that was named, devices of django-otp become second factors of the user they point to. A
 * value of the wrong kind makes the row wrong, with the field's name; nothing is guessed. In CSV everything is text: an empty field
 * is not there, true and false are written in the usual ways. Times are RFC 3339; what Django writes without a zone is UTC. */
#include "user/import.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "user/user_domain.h"

#include <string.h>

typedef struct Reading {
	Arena *a;
	const ImportConf *conf;
	ImportRow *row;
	Str first, last; /* names */
	bool has_verified, inactive, staff, superuser;
} Reading;

typedef void TakeField(Reading *r, const char *name, const Json *value);

static void wrong(Reading *r, const char *name, const char *what)
{
	if (!r->row->wrong)
		r->row->wrong = err_new(r->a, ERR_INVALID, "row.field", "%s is no %s", name, what);
}

/* --- kinds of values ------------------------------------------------------------------------------------------------ */

static bool take_str(Reading *r, const char *name, const Json *value, Str *out)
{
	if (json_kind(value) == JSON_KIND_NULL)
		return false;
	if (json_to_str(value, out))
		return true;
	wrong(r, name, "text");
	return false;
}

static bool word_is(Str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(text, str_of(words[i])))
			return true;
	return false;
}

static bool take_bool(Reading *r, const char *name, const Json *value, bool *out)
{
	static const char *const yes[] = { "true", "t", "1", "yes" }, *const no[] = { "false", "f",
		                                                                      "0", "no" };
	int64_t number;
	Str text;

	if (json_kind(value) == JSON_KIND_NULL)
		return false;
	if (json_to_bool(value, out))
		return true;
	if (json_to_i64(value, &number) && (number == 0 || number == 1)) {
		*out = number;
		return true;
	}
	if (json_to_str(value, &text) &&
	    (word_is(text, yes, COUNT(yes)) || word_is(text, no, COUNT(no)))) {
		*out = word_is(text, yes, COUNT(yes));
		return true;
	}
	wrong(r, name, "true or false");
	return false;
}

/* "2026-01-31T10:00:00.123Z", with a blank for the T, without a zone. */
static bool time_read(Arena *a, Str text, int64_t *us)
{
	Str zoned;

	if (text.len > 10 && text.at[10] == ' ')
		text = str_fmt(a, "%.*sT%.*s", 10, text.at, (int)(text.len - 11), text.at + 11);
	if (text.len == 10)
		text = str_fmt(a, "%.*sT00:00:00", STR_ARG(text));
	zoned = str_sub(text, 19, text.len);
	if (str_find_char(zoned, 'Z') < 0 && str_find_char(zoned, '+') < 0 &&
	    str_find_char(zoned, '-') < 0)
		text = str_fmt(a, "%.*sZ", STR_ARG(text));
	else if (text.len > 3 && (text.at[text.len - 3] == '+' || text.at[text.len - 3] == '-'))
		text = str_fmt(a, "%.*s:00", STR_ARG(text)); /* PostgreSQL's "+00" */
	return time_read_rfc3339(text, us);
}

static void take_time(Reading *r, const char *name, const Json *value, int64_t *out)
{
	Str text;

	if (take_str(r, name, value, &text) && text.len && !time_read(r->a, text, out))
		wrong(r, name, "time");
}

/* --- fields --------------------------------------------------------------------------------------------------------- */

static void take_id(Reading *r, const char *name, const Json *value)
{
	AccountDraft *d = &r->row->draft;
	int64_t number;
	Str text;

	if (json_to_i64(value, &number))
		text = str_fmt(r->a, "%" PRId64, number);
	else if (!take_str(r, name, value, &text) || !text.len)
		return;
	r->row->key = text;
	if (account_id_read(text, &d->id))
		return;
	if (!r->conf->source.len) {
		wrong(r, name, "id that can be kept: say where the rows come from (source)");
		return;
	}
	d->external = str_fmt(r->a, "%.*s:%.*s", STR_ARG(r->conf->source), STR_ARG(text));
}

#define TAKE_STR(fn, into) \
	static void fn(Reading *r, const char *name, const Json *value) \
	{ \
		take_str(r, name, value, &(into)); \
	}
TAKE_STR(take_external, r->row->draft.external)
TAKE_STR(take_source, r->row->draft.source)
TAKE_STR(take_email, r->row->draft.email)
TAKE_STR(take_username, r->row->draft.username)
TAKE_STR(take_name, r->row->draft.name)
TAKE_STR(take_first, r->first)
TAKE_STR(take_last, r->last)
TAKE_STR(take_locale, r->row->draft.locale)
TAKE_STR(take_password, r->row->draft.password)

static void take_created(Reading *r, const char *name, const Json *value)
{
	take_time(r, name, value, &r->row->draft.created_us);
}

static void take_login(Reading *r, const char *name, const Json *value)
{
	take_time(r, name, value, &r->row->draft.last_login_us);
}

static void take_verified(Reading *r, const char *name, const Json *value)
{
	r->has_verified |= take_bool(r, name, value, &r->row->draft.email_verified);
}

static void take_active(Reading *r, const char *name, const Json *value)
{
	bool active = true;

	take_bool(r, name, value, &active);
	r->inactive |= !active;
}

static void take_staff(Reading *r, const char *name, const Json *value)
{
	take_bool(r, name, value, &r->staff);
}

static void take_superuser(Reading *r, const char *name, const Json *value)
{
	take_bool(r, name, value, &r->superuser);
}

static void take_status(Reading *r, const char *name, const Json *value)
{
	Str text;

	if (take_str(r, name, value, &text) && text.len &&
	    (!user_status_read(text, &r->row->draft.status) || r->row->draft.status == USER_ERASED))
		wrong(r, name, "status (active, suspended, invited)");
}

/* Of text in CSV: with blanks between. */
static void take_roles(Reading *r, const char *name, const Json *value)
{
	size_t count = json_count(value), got = 0;
	Str *roles, text;

	if (json_to_str(value, &text)) {
		r->row->draft.roles = roles_read(r->a, text, &r->row->draft.role_count);
		return;
	}
	if (json_kind(value) != JSON_KIND_ARRAY) {
		if (json_kind(value) != JSON_KIND_NULL)
			wrong(r, name, "list of roles");
		return;
	}
	roles = ARENA_ARRAY(r->a, Str, count + 3);
	for (size_t i = 0; i < count; i++)
		if (take_str(r, name, json_at(value, i), &roles[got]))
			got++;
	r->row->draft.roles = roles;
	r->row->draft.role_count = got;
}

static void take_profile(Reading *r, const char *name, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	if (json_kind(value) == JSON_KIND_NULL)
		return;
	if (json_to_str(value, &text)) {
		r->row->draft.profile = text;
		return;
	}
	if (json_kind(value) != JSON_KIND_OBJECT) {
		wrong(r, name, "object");
		return;
	}
	json_put(&w, value);
	r->row->draft.profile = str_dup(r->a, buf_str(&b));
}

static void take_totp(Reading *r, const char *name, const Json *value)
{
	Totp totp = { .digits = 6, .period_s = 30 };
	Str text;
	bool fine;

	if (!take_str(r, name, value, &text) || !text.len)
		return;
	fine = str_starts(text, S("otpauth:")) ? !totp_uri_read(r->a, text, &totp, NULL, NULL)
	                                       : totp_secret_read(r->a, text, &totp.secret);
	if (!fine || totp_verify(r->a, &totp)) {
		wrong(r, name, "secret of an authenticator (otpauth://totp/... or base32)");
		return;
	}
	r->row->totp = totp;
	r->row->has_totp = true;
}

static void take_nothing(Reading *r UNUSED, const char *name UNUSED, const Json *value UNUSED)
{
}

typedef struct NamedField {
	const char *name;
	TakeField *take;
} NamedField;

static const NamedField fields[] = {
	{ "id", take_id },
	{ "external", take_external },
	{ "source", take_source },
	{ "email", take_email },
	{ "email_verified", take_verified },
	{ "username", take_username },
	{ "name", take_name },
	{ "first_name", take_first },
	{ "last_name", take_last },
	{ "locale", take_locale },
	{ "profile", take_profile },
	{ "roles", take_roles },
	{ "password", take_password },
	{ "status", take_status },
	{ "is_active", take_active },
	{ "is_staff", take_staff },
	{ "is_superuser", take_superuser },
	{ "created_at", take_created },
	{ "date_joined", take_created },
	{ "last_login_at", take_login },
	{ "last_login", take_login },
	{ "totp", take_totp },
	{ "user_permissions", take_nothing },
	{ "groups", take_nothing },
};

static const NamedField *field_find(Str name)
{
	for (size_t i = 0; i < COUNT(fields); i++)
		if (str_eq(name, str_of(fields[i].name)))
			return &fields[i];
	return NULL;
}

static void take_fields(Reading *r, const Json *object, ImportIgnore *ignore, void *arg)
{
	const NamedField *field;
	const Json *value;
	void *at = NULL;
	Str name;

	while (json_next(object, &at, &name, &value)) {
		field = field_find(name);
		if (field)
			field->take(r, field->name, value);
		else
			ignore(arg, name);
	}
}

/* "shop" of "shop:42"; of one that is there before us no source is known otherwise. */
static Str external_source(Str external)
{
	ptrdiff_t at = str_find_char(external, ':');

	return at < 0 ? S("") : str_sub(external, 0, (size_t)at);
}

/* What several fields say together. */
static void finish(Reading *r)
{
	AccountDraft *d = &r->row->draft;
	Str *roles;

	if (!d->name.len && (r->first.len || r->last.len))
		d->name = str_trim(str_fmt(r->a, "%.*s %.*s", STR_ARG(r->first), STR_ARG(r->last)));
	if (r->inactive)
		d->status = USER_SUSPENDED;
	if (!r->has_verified)
		d->email_verified = r->conf->verified;
	if (!d->source.len)
		d->source = r->conf->source.len ? r->conf->source : external_source(d->external);
	if (str_starts(d->password, S("!"))) /* Django's "cannot be used" */
		d->password = S("");
	if (!r->staff && !r->superuser)
		return;
	roles = ARENA_ARRAY(r->a, Str, d->role_count + 2);
	for (size_t i = 0; i < d->role_count; i++)
		roles[i] = d->roles[i];
	if (r->staff)
		roles[d->role_count++] = S("staff");
	if (r->superuser)
		roles[d->role_count++] = S("superuser");
	d->roles = roles;
}

/* --- records -------------------------------------------------------------------------------------------------------- */

/* { "model": "auth.user", "pk": 42, "fields": {...} } */
static const Json *django_fields(Reading *r, const Json *object)
{
	Str wanted = r->conf->model.len ? r->conf->model : S("auth.user"), model = { 0 };
	const Json *inner = json_get(object, S("fields"));

	if (!json_to_str(json_get(object, S("model")), &model) ||
	    json_kind(inner) != JSON_KIND_OBJECT) {
		wrong(r, "the row", "object of dumpdata: model, pk, fields");
		return NULL;
	}
	r->row->model = model;
	r->row->other = !str_eq_nocase(model, wanted);
	if (r->row->other)
		return NULL;
	if (json_kind(json_get(object, S("pk"))) == JSON_KIND_NULL)
		wrong(r, "pk", "key: the dump was made with natural keys");
	else
		take_id(r, "pk", json_get(object, S("pk")));
	return inner;
}

static bool is_of_dump(const Json *object)
{
	return json_kind(json_get(object, S("model"))) == JSON_KIND_STR &&
	       json_kind(json_get(object, S("fields"))) == JSON_KIND_OBJECT;
}

static void read_object(Reading *r, const Json *object, bool django, ImportIgnore *ignore,
                        void *arg)
{
	r->row->draft.status = USER_ACTIVE;
	if (json_kind(object) != JSON_KIND_OBJECT) {
		wrong(r, "the row", "JSON object");
		return;
	}
	if (django || (r->conf->shape == IMPORT_GUESS && is_of_dump(object)))
		object = django_fields(r, object);
	if (!object || r->row->wrong)
		return;
	take_fields(r, object, ignore, arg);
	finish(r);
}

void import_row_json(Arena *a, const ImportConf *conf, Str text, bool django, ImportRow *row,
                     ImportIgnore *ignore, void *arg)
{
	Reading r = { .a = a, .conf = conf, .row = row };
	const Json *object = NULL;
	Err *err = json_read(a, text, 0, &object);

	if (err)
		row->wrong = err;
	else
		read_object(&r, object, django, ignore, arg);
}

void import_row_csv(Arena *a, const ImportConf *conf, const Str *names, const Str *values,
                    size_t count, ImportRow *row, ImportIgnore *ignore, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	Str text;

	json_begin_object(&w);
	for (size_t i = 0; i < count; i++) {
		if (!values[i].len)
			continue;
		json_key(&w, str_trim(names[i]));
		json_add_str(&w, values[i]);
	}
	json_end(&w);
	if (json_done(&w, &text))
		row->wrong = err_new(a, ERR_INVALID, "row.columns", "the columns cannot be read");
	else
		import_row_json(a, conf, str_dup(a, text), false, row, ignore, arg);
}
