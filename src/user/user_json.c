/* SPDX-License-Identifier: Apache-2.0
 *
 * Accounts and sessions as clients see them, and the same as rows for the documentation. */
#include "user/user_api.h"

#include "base/arena.h"

#include <string.h>

static void put_time(JsonWriter *w, const char *key, int64_t us)
{
	json_key(w, str_of(key));
	if (us)
		json_add_time(w, us);
	else
		json_add_null(w);
}

static void put_text(JsonWriter *w, const char *key, Str text)
{
	json_key(w, str_of(key));
	if (text.len)
		json_add_str(w, text);
	else
		json_add_null(w);
}

void user_put(JsonWriter *w, Arena *a, const User *u)
{
	json_begin_object(w);
	json_put_str(w, "id", account_id_text(a, u->id));
	json_put_str(w, "status", user_status_name(u->status));
	put_text(w, "email", u->email);
	json_put_bool(w, "email_verified", u->email_verified);
	put_text(w, "username", u->username);
	put_text(w, "external", u->external);
	json_put_str(w, "name", u->name);
	put_text(w, "locale", u->locale);
	json_key(w, S("profile"));
	json_add_raw(w, u->profile);
	json_key(w, S("roles"));
	json_begin_array(w);
	for (size_t i = 0; i < u->role_count; i++)
		json_add_str(w, u->roles[i]);
	json_end(w);
	json_put_bool(w, "second_factor", u->totp);
	put_time(w, "created_at", u->created_us);
	put_time(w, "updated_at", u->updated_us);
	put_time(w, "login_at", u->login_us);
	put_time(w, "password_at", u->password_us);
	json_end(w);
}

typedef struct UserOut {
	Uuid id;
	uint8_t status;
	OptStr email, username, external, locale;
	bool email_verified, second_factor;
	Str name;
	const Json *profile;
	CONF_LIST_OF(Str) roles;
	int64_t created_at, updated_at, login_at, password_at;
} UserOut;

static const ConfWord status_words[] = {
	{ "invited", USER_INVITED, "made by an administrator, without a password yet" },
	{ "active", USER_ACTIVE, "may log in" },
	{ "suspended", USER_SUSPENDED, "may not" },
	{ "erased", USER_ERASED, "gone but for its id" },
	{ 0 },
};

static const Field user_rows[] = {
	{ "id", FIELD_ID, AT(UserOut, id), .prefix = "usr_", .required = true,
	  .help = "for ever its own" },
	{ "status", FIELD_ENUM, AT(UserOut, status), .names = status_words, .required = true,
	  .help = "what may be done with it" },
	{ "email", FIELD_STR, AT(UserOut, email), .nullable = true, .max = 254, .format = "email",
	  .help = "its address" },
	{ "email_verified", FIELD_BOOL, AT(UserOut, email_verified),
	  .help = "has its owner answered a mail there" },
	{ "username", FIELD_STR, AT(UserOut, username), .nullable = true, .max = 254,
	  .help = "another name to log in with" },
	{ "external", FIELD_STR, AT(UserOut, external), .nullable = true, .max = 200,
	  .help = "what another system calls it, as shop:42" },
	{ "name", FIELD_STR, AT(UserOut, name), .max = 1000, .help = "how it is shown" },
	{ "locale", FIELD_STR, AT(UserOut, locale), .nullable = true, .max = 35,
	  .help = "the language of its mails and pages" },
	{ "profile", FIELD_JSON, AT(UserOut, profile),
	  .help = "custom fields, by the configured JSON Schema" },
	{ "roles", FIELD_STR, AT_LIST(UserOut, roles), .max = ROLE_BYTES, .items_max = USER_ROLES,
	  .help = "what it may, to whoever asks" },
	{ "second_factor", FIELD_BOOL, AT(UserOut, second_factor),
	  .help = "has it an authenticator" },
	{ "created_at", FIELD_TIME, AT(UserOut, created_at), .help = "when it was made" },
	{ "updated_at", FIELD_TIME, AT(UserOut, updated_at),
	  .help = "when something of it changed last" },
	{ "login_at", FIELD_TIME, AT(UserOut, login_at), .help = "the last login, or null" },
	{ "password_at", FIELD_TIME, AT(UserOut, password_at),
	  .help = "when its password was set, or null" },
};
static const FieldTable user_table = { "User", FIELD_ROWS(UserOut, user_rows),
	                               .help = "an account" };

const FieldTable *user_fields(void)
{
	return &user_table;
}

/* --- sessions ----------------------------------------------------------------------------------------------------------- */

void session_json(JsonWriter *w, Arena *a, const Session *s, bool current)
{
	Str methods = s->methods, method;

	json_begin_object(w);
	json_put_str(w, "id", session_id_text(a, s->id));
	json_put_i64(w, "level", s->level);
	json_key(w, S("methods"));
	json_begin_array(w);
	while (methods.len && str_split(&methods, ' ', &method))
		json_add_str(w, method);
	json_end(w);
	json_put_str(w, "address", s->address);
	json_put_str(w, "agent", s->agent);
	json_put_bool(w, "current", current);
	put_time(w, "created_at", s->created_us);
	put_time(w, "proved_at", s->proved_us);
	put_time(w, "used_at", s->used_us);
	put_time(w, "expires_at", s->idle_until_us);
	json_end(w);
}

typedef struct SessionOut {
	Uuid id;
	int64_t level;
	CONF_LIST_OF(Str) methods;
	Str address, agent;
	bool current;
	int64_t created_at, proved_at, used_at, expires_at;
} SessionOut;

static const Field session_rows[] = {
	{ "id", FIELD_ID, AT(SessionOut, id), .prefix = "ses_", .required = true,
	  .help = "to end it by; not its token" },
	{ "level", FIELD_INT, AT(SessionOut, level), .max = 2,
	  .help = "factors that were shown; 0: one is due" },
	{ "methods", FIELD_STR, AT_LIST(SessionOut, methods), .help = "which, as in RFC 8176" },
	{ "address", FIELD_STR, AT(SessionOut, address), .help = "where it began" },
	{ "agent", FIELD_STR, AT(SessionOut, agent), .help = "with which program" },
	{ "current", FIELD_BOOL, AT(SessionOut, current), .help = "is it the one that asks" },
	{ "created_at", FIELD_TIME, AT(SessionOut, created_at), .help = "when it began" },
	{ "proved_at", FIELD_TIME, AT(SessionOut, proved_at),
	  .help = "when a password or code was given last" },
	{ "used_at", FIELD_TIME, AT(SessionOut, used_at),
	  .help = "when it was used last, within a minute" },
	{ "expires_at", FIELD_TIME, AT(SessionOut, expires_at),
	  .help = "when it ends unless it is used" },
};
static const FieldTable session_table = { "Session", FIELD_ROWS(SessionOut, session_rows),
	                                  .help = "somebody logged in somewhere" };

const FieldTable *session_fields(void)
{
	return &session_table;
}
