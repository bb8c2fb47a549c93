/* SPDX-License-Identifier: Apache-2.0
 *
 * The API of those who look after accounts: programs with a token that holds users:read, users:write or audit:read. An account is
 * named by its id or by what another system calls it ("shop:42"). */
#include "user/user_api.h"

#include "base/arena.h"
#include "user/account_export.h"
#include "user/secret.h"

static Str json_text(Arena *a, const Json *value)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (json_kind(value) == JSON_KIND_NULL)
		return S("");
	json_put(&w, value);
	return str_dup(a, buf_str(&b));
}

static Err *unknown(Arena *a)
{
	return err_new(a, ERR_NOT_FOUND, "user.unknown", "there is no such user");
}

static Err *named(ServiceCall *c, User **user)
{
	TRY(account_by_name(accounts_of(c->home), c->arena, service_part(c, "id"), user));
	return *user ? NULL : unknown(c->arena);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static Err *user_make(ServiceCall *c)
{
	User *user;

	TRY(named(c, &user));
	service_etag(c, user->version);
	user_put(service_json(c), c->arena, user);
	return NULL;
}

/* What another system calls it is looked up each time; by its id it may be kept. */
static Err *user_get(ServiceCall *c)
{
	Uuid id;

	if (!account_id_read(service_part(c, "id"), &id))
		return user_make(c);
	return service_cached(c, account_cache_key(c->arena, id), user_make);
}

typedef struct UsersQuery {
	uint8_t status;
	bool has_status;
	Str login, external;
	int64_t limit; /* of the page: service_page reads them */
	Str cursor;
} UsersQuery;
static const ConfWord status_words[] = {
	{ "invited", USER_INVITED, "made by an administrator, without a password yet" },
	{ "active", USER_ACTIVE, "may log in" },
	{ "suspended", USER_SUSPENDED, "may not" },
	{ "erased", USER_ERASED, "gone but for its id" },
	{ 0 },
};
static const Field query_rows[] = {
	{ "status", FIELD_ENUM, AT(UsersQuery, status), GIVEN(UsersQuery, has_status),
	  .names = status_words, .help = "those only" },
	{ "login", FIELD_STR, AT(UsersQuery, login), .max = 254,
	  .help = "the one with this e-mail address or username" },
	{ "external", FIELD_STR, AT(UsersQuery, external), .max = 200,
	  .help = "the one that another system calls so" },
	{ "limit", FIELD_INT, AT(UsersQuery, limit), .min = 1, .max = 100,
	  .help = "how many at most; 20" },
	{ "cursor", FIELD_STR, AT(UsersQuery, cursor), .help = "the `next` of the page before" },
};
static const FieldTable users_query = { "UsersQuery", FIELD_ROWS(UsersQuery, query_rows),
	                                .help = "which accounts" };

static Err *find_users(ServiceCall *c, const ServicePage *page, User **users, size_t *count)
{
	Accounts *accounts = accounts_of(c->home);
	const UsersQuery *q = c->query;
	UserStatus status = (UserStatus)q->status;

	if (!q->login.len && !q->external.len)
		return users_after(c->db, c->arena, page->after_id, q->has_status ? &status : NULL,
		                   page->limit + 1, users, count);
	if (q->login.len)
		TRY(account_by_login(accounts, c->arena, q->login, users));
	else
		TRY(account_by_name(accounts, c->arena, q->external, users));
	*count = *users != NULL && (!q->has_status || (*users)->status == status);
	return NULL;
}

static Err *users_get(ServiceCall *c)
{
	ServicePage page;
	JsonWriter *w;
	User *users;
	size_t count;

	TRY(service_page(c, &page));
	TRY(find_users(c, &page, &users, &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		user_put(w, c->arena, &users[i]);
	service_page_end(c, &page,
	                 page.shown ? service_page_key(c->arena, users[page.shown - 1].id) : S(""));
	return NULL;
}

static Err *export_get(ServiceCall *c)
{
	User *user;

	TRY(named(c, &user));
	return account_export(accounts_of(c->home), c->arena, user, service_json(c));
}

Err *user_sessions(ServiceCall *c, Uuid user, Uuid current)
{
	Session *sessions;
	JsonWriter *w;
	size_t count;

	TRY(session_list(accounts_of(c->home), c->arena, user, &sessions, &count));
	w = service_json(c);
	json_begin_object(w);
	json_key(w, S("data"));
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		session_json(w, c->arena, &sessions[i], uuid_eq(sessions[i].id, current));
	json_end(w);
	json_end(w);
	return NULL;
}

static Err *sessions_get(ServiceCall *c)
{
	User *user;

	TRY(named(c, &user));
	return user_sessions(c, user->id, (Uuid){ { 0 } });
}

/* --- making ------------------------------------------------------------------------------------------------------------- */

typedef struct UserIn {
	Str email, username, external, name, locale, password;
	const Json *profile;
	CONF_LIST_OF(Str) roles;
	bool email_verified;
} UserIn;
static const Field new_rows[] = {
	{ "email", FIELD_STR, AT(UserIn, email), .max = 1000, .format = "email",
	  .help = "its address; without a password an invitation goes there" },
	{ "email_verified", FIELD_BOOL, AT(UserIn, email_verified),
	  .help = "is it known to be theirs" },
	{ "username", FIELD_STR, AT(UserIn, username), .max = 254,
	  .help = "another name to log in with" },
	{ "external", FIELD_STR, AT(UserIn, external), .max = 200,
	  .help = "what another system calls it, as shop:42" },
	{ "name", FIELD_STR, AT(UserIn, name), .max = 1000, .help = "how it is shown" },
	{ "locale", FIELD_STR, AT(UserIn, locale), .max = 35,
	  .help = "the language of mails and pages" },
	{ "profile", FIELD_JSON, AT(UserIn, profile), .help = "custom fields" },
	{ "roles", FIELD_STR, AT_LIST(UserIn, roles), .max = 200, .items_max = 100,
	  .help = "what it may, to whoever asks" },
	{ "password", FIELD_STR, AT(UserIn, password), .max = 4096, .controls = true,
	  .secret = true, .help = "none: it is invited by mail to set one" },
};
static const FieldTable new_user = { "NewUser", FIELD_ROWS(UserIn, new_rows),
	                             .help = "an account that an administrator makes" };

typedef struct Adding {
	AccountDraft draft;
	const Asker *asker;
	Mail mail;
	User *user;
} Adding;

static Err *invite(ServiceCall *c, Db *tx, const Adding *in, Uuid id)
{
	Accounts *accounts = accounts_of(c->home);
	CodeDraft code = { .purpose = "invitation",
		           .user = id,
		           .email = in->mail.to,
		           .life_us = accounts->conf->codes.invitation_us };

	TRY(code_put(tx, c->arena, &code, in->mail.code));
	return account_mail(accounts, tx, c->arena, &in->mail, in->asker);
}

static Err *add(ServiceCall *c, Db *tx, void *arg)
{
	Adding *in = arg;
	Uuid id;

	TRY(account_put(accounts_of(c->home), tx, c->arena, &in->draft, in->asker, &c->mistakes,
	                &id));
	TRY(service_mistakes(c));
	if (in->draft.status == USER_INVITED && in->draft.email.len)
		TRY(invite(c, tx, in, id));
	TRY(user_by_id(tx, c->arena, id, &in->user));
	service_etag(c, in->user->version);
	service_say_header(c, "Location",
	                   str_fmt(c->arena, "/v1/users/%.*s",
	                           STR_ARG(account_id_text(c->arena, id))));
	user_put(service_json(c), c->arena, in->user);
	return NULL;
}

static Err *user_post(ServiceCall *c)
{
	Accounts *accounts = accounts_of(c->home);
	const UserIn *in = c->in;
	int64_t retry_us;
	Adding adding = { .asker = user_asker(c, &retry_us) };
	AccountDraft *d = &adding.draft;

	*d = (AccountDraft){ .id = uuid_new(),
		             .status = in->password.len ? USER_ACTIVE : USER_INVITED,
		             .email = in->email,
		             .username = in->username,
		             .external = in->external,
		             .name = in->name,
		             .locale = in->locale,
		             .profile = json_text(c->arena, in->profile),
		             .email_verified = in->email_verified,
		             .source = S("native"),
		             .roles = in->roles.at,
		             .role_count = in->roles.count };
	if (!in->email.len && !in->username.len)
		service_mistake(c, "/email", "required",
		                "an e-mail address or a username is needed");
	if (in->password.len)
		TRY(password_new(accounts, c->arena, in->password,
		                 (const Str[]){ in->email, in->username, in->name }, 3,
		                 S("/password"), &c->mistakes, &d->password));
	TRY(service_mistakes(c));
	adding.mail = (Mail){ .template = "invitation",
		              .to = str_trim(in->email),
		              .name = in->name,
		              .locale = in->locale,
		              .purpose = "invitation",
		              .code = secret_token(c->arena) };
	TRY(service_effect(c, DB_READ_COMMITTED, add, &adding));
	if (adding.user && d->status == USER_INVITED)
		account_mailed(accounts, c->arena, &adding.mail);
	return NULL;
}

/* --- changing ----------------------------------------------------------------------------------------------------------- */

typedef struct ChangeIn {
	OptStr name, locale, username;
	const Json *profile;
	CONF_LIST_OF(Str) roles;
	bool has_name, has_locale, has_username, has_profile, has_roles;
} ChangeIn;
#define CHANGE_ROWS \
	{ "name",           FIELD_STR,   AT(ChangeIn, name),       GIVEN(ChangeIn, has_name), \
	  .nullable = true, .max = 1000, .help = "how it is shown" }, \
		{ "locale", \
		  FIELD_STR, \
		  AT(ChangeIn, locale), \
		  GIVEN(ChangeIn, has_locale), \
		  .nullable = true, \
		  .max = 35, \
		  .help = "the language of mails and pages" }, \
		{ "username", \
		  FIELD_STR, \
		  AT(ChangeIn, username), \
		  GIVEN(ChangeIn, has_username), \
		  .nullable = true, \
		  .max = 254, \
		  .help = "another name to log in with; null: none" }, \
		{ "profile", FIELD_JSON, AT(ChangeIn, profile), GIVEN(ChangeIn, has_profile), \
		  .help = "custom fields, all of them" },
static const Field own_change_rows[] = { CHANGE_ROWS };
static const FieldTable own_change = { "AccountChange", FIELD_ROWS(ChangeIn, own_change_rows),
	                               .help = "what is to change" };
static const Field change_rows[] = {
	CHANGE_ROWS{ "roles", FIELD_STR, AT_LIST(ChangeIn, roles), GIVEN(ChangeIn, has_roles),
	             .max = 200, .items_max = 100, .help = "all of them" },
};
static const FieldTable user_change_table = { "UserChange", FIELD_ROWS(ChangeIn, change_rows),
	                                      .help = "what is to change" };

const FieldTable *user_change_fields(void)
{
	return &own_change;
}

typedef struct Changing {
	Uuid id;
	AccountChange change;
	const Asker *asker;
} Changing;

static Err *change(ServiceCall *c, Db *tx, void *arg)
{
	const Changing *in = arg;
	UserHold hold;
	User *user;

	service_forget(c, account_cache_key(c->arena, in->id));
	TRY(user_hold(tx, c->arena, in->id, &hold));
	TRY(service_match(c, hold.version));
	TRY(account_change(accounts_of(c->home), tx, c->arena, in->id, &in->change, in->asker,
	                   &c->mistakes));
	TRY(service_mistakes(c));
	TRY(user_by_id(tx, c->arena, in->id, &user));
	service_etag(c, user->version);
	user_put(service_json(c), c->arena, user);
	return NULL;
}

Err *user_change(ServiceCall *c, Uuid id, bool roles)
{
	const ChangeIn *in = c->in;
	int64_t retry_us;
	Changing changing = { .id = id, .asker = user_asker(c, &retry_us) };

	changing.change = (AccountChange){
		.has_name = in->has_name,
		.name = in->name.v,
		.has_locale = in->has_locale,
		.locale = in->locale.v,
		.has_username = in->has_username,
		.username = in->username.v,
		.has_profile = in->has_profile,
		.profile = json_text(c->arena, in->profile),
		.has_roles = roles && in->has_roles,
		.roles = in->roles.at,
		.role_count = in->roles.count,
	};
	return service_effect(c, DB_READ_COMMITTED, change, &changing);
}

static Err *user_patch(ServiceCall *c)
{
	User *user;

	TRY(named(c, &user));
	return user_change(c, user->id, true);
}

typedef struct Doing {
	Uuid id;
	UserStatus status;
	const Asker *asker;
} Doing;

static Err *set_status(ServiceCall *c, Db *tx, void *arg)
{
	const Doing *in = arg;
	UserHold hold;
	User *user;

	service_forget(c, account_cache_key(c->arena, in->id));
	TRY(user_hold(tx, c->arena, in->id, &hold));
	TRY(service_match(c, hold.version));
	if (in->status == USER_ERASED)
		return account_erase(tx, c->arena, in->id, in->asker);
	TRY(account_status(tx, c->arena, in->id, in->status, in->asker));
	TRY(user_by_id(tx, c->arena, in->id, &user));
	service_etag(c, user->version);
	user_put(service_json(c), c->arena, user);
	return NULL;
}

static Err *become(ServiceCall *c, UserStatus status)
{
	int64_t retry_us;
	Doing in = { .status = status, .asker = user_asker(c, &retry_us) };
	User *user;

	TRY(named(c, &user));
	in.id = user->id;
	return service_effect(c, DB_READ_COMMITTED, set_status, &in);
}

static Err *user_suspend(ServiceCall *c)
{
	return become(c, USER_SUSPENDED);
}

static Err *user_activate(ServiceCall *c)
{
	return become(c, USER_ACTIVE);
}

static Err *user_delete(ServiceCall *c)
{
	return become(c, USER_ERASED);
}

static Err *recovery_post(ServiceCall *c)
{
	int64_t retry_us;
	User *user;
	Str code;

	TRY(named(c, &user));
	TRY(account_send_code(accounts_of(c->home), c->arena, user, user_asker(c, &retry_us),
	                      &code));
	c->status = 202;
	return NULL;
}

static Err *sessions_delete(ServiceCall *c)
{
	int64_t retry_us, ended;
	User *user;

	TRY(named(c, &user));
	return session_revoke(accounts_of(c->home), c->arena, user->id, (Uuid){ { 0 } },
	                      (Uuid){ { 0 } }, user_asker(c, &retry_us), &ended);
}

/* --- the audit log ------------------------------------------------------------------------------------------------------ */

typedef struct AuditQuery {
	Uuid user;
	int64_t limit; /* of the page: service_page reads them */
	Str cursor;
} AuditQuery;
static const Field audit_rows[] = {
	{ "user", FIELD_ID, AT(AuditQuery, user), .prefix = "usr_",
	  .help = "of this account only" },
	{ "limit", FIELD_INT, AT(AuditQuery, limit), .min = 1, .max = 100,
	  .help = "how many at most; 20" },
	{ "cursor", FIELD_STR, AT(AuditQuery, cursor), .help = "the `next` of the page before" },
};
static const FieldTable audit_query = { "AuditQuery", FIELD_ROWS(AuditQuery, audit_rows),
	                                .help = "which lines" };

static Err *audit_get(ServiceCall *c)
{
	const AuditQuery *q = c->query;
	uint64_t before = 0;
	ServicePage page;
	AuditEntry *entries;
	JsonWriter *w;
	size_t count;

	TRY(service_page(c, &page));
	if (!page.first && !str_to_u64(page.after, &before))
		service_mistake(c, "?cursor", "invalid", "the cursor is none of ours");
	TRY(service_mistakes(c));
	TRY(audit_list(c->db, c->arena, q->user, (int64_t)before, page.limit + 1, &entries,
	               &count));
	w = service_page_begin(c, &page, count);
	for (size_t i = 0; i < page.shown; i++)
		audit_json(w, c->arena, &entries[i]);
	service_page_end(c, &page,
	                 page.shown ? str_fmt(c->arena, "%" PRId64, entries[page.shown - 1].seq)
	                            : S(""));
	return NULL;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

#define READ .scopes = "users:read", .tag = "users"
#define WRITE .scopes = "users:write", .tag = "users"

ServiceRoutes user_admin_routes(void)
{
	static ServiceRoute routes[] = {
		{ "GET", "/v1/users", users_get, READ, .query = &users_query, .list = true,
		  .help = "accounts, oldest first" },
		{ "GET", "/v1/users/{id}", user_get, READ, .etag = true,
		  .help = "one account, by its id or as another system calls it" },
		{ "POST", "/v1/users", user_post, WRITE, .body = &new_user, .status = 201,
		  .idempotent = true, .help = "make an account" },
		{ "PATCH", "/v1/users/{id}", user_patch, WRITE, .body = &user_change_table,
		  .etag = true, .help = "change it, roles too" },
		{ "POST", "/v1/users/{id}/suspend", user_suspend, WRITE, .etag = true,
		  .help = "it may not log in any more; its sessions end" },
		{ "POST", "/v1/users/{id}/activate", user_activate, WRITE, .etag = true,
		  .help = "it may again" },
		{ "DELETE", "/v1/users/{id}", user_delete, WRITE, .etag = true,
		  .help = "erase it: only its id stays" },
		{ "POST", "/v1/users/{id}/recovery", recovery_post, WRITE,
		  .help = "send it a code to set a password with" },
		{ "GET", "/v1/users/{id}/sessions", sessions_get, READ,
		  .help = "where it is logged in" },
		{ "DELETE", "/v1/users/{id}/sessions", sessions_delete, WRITE,
		  .help = "log it out everywhere" },
		{ "GET", "/v1/users/{id}/export", export_get, READ,
		  .help = "all that is kept of it" },
		{ "GET", "/v1/audit", audit_get, .scopes = "audit:read", .tag = "audit",
		  .query = &audit_query, .list = true, .help = "who did what, newest first" },
	};

	for (size_t i = 0; i < 6; i++)
		routes[i].answer = user_fields();
	return (ServiceRoutes)SERVICE_ROUTES(routes);
}
