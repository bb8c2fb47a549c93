/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan user add|list|show|suspend|erase|reset|token|audit`. An account is named by its id, by what another system calls it, by
 * e-mail address or by username. */
#include "user/user_command.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"
#include "user/account_change.h"
#include "user/secret.h"
#include "user/user_api.h"

#include "user_access_sql.h"

typedef struct Args {
	UserArgs where;
	Str name; /* of an account, or of a token */
	Str email, username, external, shown, locale, status, after, scopes, noted;
	CONF_LIST_OF(Str) roles;
	bool password_stdin, verified, lift, yes, dry_run, print, row, end, list, verify;
	int64_t life_us;
	uint32_t most;
} Args;

static void out_json(const Cmd *cmd, const Buf *b)
{
	fwrite(b->at, 1, b->len, cmd->out);
	fputc('\n', cmd->out);
}

static Err *find(Cmd *cmd, Accounts *accounts, User **user)
{
	Str name = ((const Args *)cmd->args)->name;

	TRY(account_by_name(accounts, cmd->arena, name, user));
	if (!*user)
		TRY(account_by_login(accounts, cmd->arena, name, user));
	if (*user)
		return NULL;
	return err_new(cmd->arena, ERR_NOT_FOUND, "user.unknown", "there is no user %.*s",
	               STR_ARG(str_quote(cmd->arena, name)));
}

/* The account as it is now: JSON, or a line. */
static void say_user(const Cmd *cmd, const User *u)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);

	if (cmd->json) {
		user_put(&w, cmd->arena, u);
		out_json(cmd, &b);
		return;
	}
	fprintf(cmd->out, "%.*s %-9.*s %.*s%s%.*s %.*s\n",
	        STR_ARG(account_id_text(cmd->arena, u->id)), STR_ARG(user_status_name(u->status)),
	        STR_ARG(u->email), u->email.len && u->username.len ? " " : "", STR_ARG(u->username),
	        STR_ARG(u->name));
}

static Err *say_again(Cmd *cmd, Accounts *accounts, Uuid id)
{
	User *user;

	TRY(account_by_id(accounts, cmd->arena, id, &user));
	if (user)
		say_user(cmd, user);
	return NULL;
}

/* --- add ---------------------------------------------------------------------------------------------------------------- */

typedef struct Adding {
	Accounts *accounts;
	AccountDraft draft;
	FieldMistakes *wrong;
	Uuid id;
} Adding;

static Err *mistakes(Arena *a, const FieldMistakes *wrong)
{
	Str text = S("");

	for (size_t i = 0; i < wrong->count; i++)
		text = str_fmt(a, "%.*s%s%.*s: %.*s", STR_ARG(text), i ? "; " : "",
		               STR_ARG(str_sub(wrong->at[i].pointer, 1, wrong->at[i].pointer.len)),
		               STR_ARG(wrong->at[i].text));
	return wrong->count ? err_new(a, ERR_INVALID, "user.fields", "%.*s", STR_ARG(text)) : NULL;
}

static Err *add_in(Db *tx, Arena *a, void *arg)
{
	Adding *in = arg;

	in->wrong->count = 0;
	TRY(account_put(in->accounts, tx, a, &in->draft, user_command_asker(), in->wrong, &in->id));
	return mistakes(a, in->wrong);
}

static Err *read_password(Cmd *cmd, Accounts *accounts, const Args *args, Adding *in)
{
	char line[4097];
	Str password;

	if (!args->password_stdin)
		return NULL;
	if (!fgets(line, sizeof(line), stdin))
		return err_new(cmd->arena, ERR_INVALID, "user.password",
		               "there was no line with a password");
	password = str_of(line);
	if (str_ends(password, S("\n")))
		password.len--;
	TRY(password_new(accounts, cmd->arena, password,
	                 (const Str[]){ args->email, args->username }, 2, S("/password"), in->wrong,
	                 &in->draft.password));
	in->draft.status = USER_ACTIVE;
	return mistakes(cmd->arena, in->wrong);
}

static Err *add(Cmd *cmd, Accounts *accounts, void *arg)
{
	const Args *args = arg;
	FieldMistakes wrong = { .arena = cmd->arena };
	Adding in = { .accounts = accounts, .wrong = &wrong };
	User *user;
	Str code;

	in.draft = (AccountDraft){ .id = uuid_new(),
		                   .status = USER_INVITED,
		                   .email = args->email,
		                   .email_verified = args->verified,
		                   .username = args->username,
		                   .external = args->external,
		                   .name = args->shown,
		                   .locale = args->locale,
		                   .source = S("native"),
		                   .roles = args->roles.at,
		                   .role_count = args->roles.count };
	if (!args->email.len && !args->username.len)
		return err_new(cmd->arena, ERR_INVALID, "args.missing",
		               "say --email, --username, or both");
	TRY(read_password(cmd, accounts, args, &in));
	TRY(db_txn(accounts_db(accounts), cmd->arena, DB_READ_COMMITTED, add_in, &in));
	TRY(account_by_id(accounts, cmd->arena, in.id, &user));
	say_user(cmd, user);
	if (user->status != USER_INVITED || !user->email.len)
		return NULL;
	TRY(account_send_code(accounts, cmd->arena, user, user_command_asker(), &code));
	if (args->print)
		fprintf(cmd->out, "%.*s\n", STR_ARG(code));
	return NULL;
}

static Err *user_add(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, add, cmd->args);
}

/* --- list, show --------------------------------------------------------------------------------------------------------- */

static Err *list(Cmd *cmd, Accounts *accounts, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Args *args = arg;
	UserStatus status = USER_ACTIVE;
	Uuid after = { { 0 } };
	User *users;
	size_t count;

	if (args->status.len && !user_status_read(args->status, &status))
		return err_new(cmd->arena, ERR_INVALID, "args.status",
		               "a status is invited, active, suspended or erased");
	if (args->after.len && !account_id_read(args->after, &after))
		return err_new(cmd->arena, ERR_INVALID, "args.after",
		               "that is no id of an account");
	TRY(users_after(accounts_db(accounts), cmd->arena, after, args->status.len ? &status : NULL,
	                args->most, &users, &count));
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		if (cmd->json)
			user_put(&w, cmd->arena, &users[i]);
		else
			say_user(cmd, &users[i]);
	}
	json_end(&w);
	if (cmd->json)
		out_json(cmd, &b);
	return NULL;
}

static Err *user_list(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, list, cmd->args);
}

static Err *show(Cmd *cmd, Accounts *accounts, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	Session *sessions;
	size_t count;
	User *u;

	(void)arg;
	TRY(find(cmd, accounts, &u));
	say_user(cmd, u);
	if (cmd->json)
		return NULL;
	TRY(session_list(accounts, cmd->arena, u->id, &sessions, &count));
	fprintf(cmd->out,
	        "  email verified: %s, second factor: %s, external: %.*s, locale: %.*s\n  roles:",
	        u->email_verified ? "yes" : "no", u->totp ? "yes" : "no", STR_ARG(u->external),
	        STR_ARG(u->locale));
	for (size_t i = 0; i < u->role_count; i++)
		fprintf(cmd->out, " %.*s", STR_ARG(u->roles[i]));
	fprintf(cmd->out, "\n  profile: %.*s\n  sessions: %zu\n", STR_ARG(u->profile), count);
	for (size_t i = 0; i < count; i++) {
		time_put_rfc3339(&b, sessions[i].used_us);
		fprintf(cmd->out, "    %.*s %.*s %.*s\n", STR_ARG(buf_str(&b)),
		        STR_ARG(sessions[i].address), STR_ARG(sessions[i].agent));
		buf_clear(&b);
	}
	return NULL;
}

static Err *user_show(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, show, cmd->args);
}

/* --- suspend, erase, reset ---------------------------------------------------------------------------------------------- */

typedef struct Doing {
	Uuid id;
	UserStatus status;
} Doing;

static Err *do_in(Db *tx, Arena *a, void *arg)
{
	const Doing *in = arg;

	if (in->status == USER_ERASED)
		return account_erase(tx, a, in->id, user_command_asker());
	return account_status(tx, a, in->id, in->status, user_command_asker());
}

static Err *become(Cmd *cmd, Accounts *accounts, const Args *args, UserStatus status)
{
	Doing in = { .status = status };
	User *user;

	TRY(find(cmd, accounts, &user));
	in.id = user->id;
	if (args->dry_run) {
		say_user(cmd, user);
		fprintf(stderr, "would become %.*s; nothing was done\n",
		        STR_ARG(user_status_name(status)));
		return NULL;
	}
	if (status == USER_ERASED)
		TRY(user_command_confirm(cmd, args->yes,
		                         str_fmt(cmd->arena, "erase %.*s for ever",
		                                 STR_ARG(args->name))));
	TRY(db_txn(accounts_db(accounts), cmd->arena, DB_READ_COMMITTED, do_in, &in));
	accounts_forget(accounts, cmd->arena, in.id);
	return say_again(cmd, accounts, in.id);
}

static Err *suspend(Cmd *cmd, Accounts *accounts, void *arg)
{
	const Args *args = arg;

	return become(cmd, accounts, args, args->lift ? USER_ACTIVE : USER_SUSPENDED);
}

static Err *user_suspend(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, suspend, cmd->args);
}

static Err *erase(Cmd *cmd, Accounts *accounts, void *arg)
{
	return become(cmd, accounts, arg, USER_ERASED);
}

static Err *user_erase_run(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, erase, cmd->args);
}

static Err *reset(Cmd *cmd, Accounts *accounts, void *arg)
{
	const Args *args = arg;
	User *user;
	Str code;

	TRY(find(cmd, accounts, &user));
	if (args->dry_run) {
		say_user(cmd, user);
		return NULL;
	}
	TRY(account_send_code(accounts, cmd->arena, user, user_command_asker(), &code));
	if (cmd->json)
		fprintf(cmd->out, "{\"user\":\"%.*s\",\"code\":%s%.*s%s}\n",
		        STR_ARG(account_id_text(cmd->arena, user->id)), args->print ? "\"" : "",
		        STR_ARG(args->print ? code : S("null")), args->print ? "\"" : "");
	else if (args->print)
		fprintf(cmd->out, "%.*s\n", STR_ARG(code));
	else
		fprintf(cmd->out, "a code is on its way to %.*s\n", STR_ARG(user->email));
	return NULL;
}

static Err *user_reset(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, reset, cmd->args);
}

/* --- token -------------------------------------------------------------------------------------------------------------- */

static Err *tokens_list(Cmd *cmd, Accounts *accounts)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	ServiceTokenRow *rows;
	size_t count;

	TRY(db_all(accounts_db(accounts), cmd->arena, service_tokens_all, &rows, &count));
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(&w);
		json_put_str(&w, "name", rows[i].name);
		json_put_str(&w, "scopes", rows[i].scopes);
		json_put_bool(&w, "ended", rows[i].ended_at.set);
		json_end(&w);
		if (!cmd->json)
			fprintf(cmd->out, "%.*s%s: %.*s\n", STR_ARG(rows[i].name),
			        rows[i].ended_at.set ? " (ended)" : "", STR_ARG(rows[i].scopes));
	}
	json_end(&w);
	if (cmd->json)
		out_json(cmd, &b);
	return NULL;
}

typedef struct Token {
	const Args *args;
	Str token;
	int64_t changed;
} Token;

static Err *token_in(Db *tx, Arena *a, void *arg)
{
	Token *t = arg;
	const Args *args = t->args;
	int64_t now_us = time_utc_us();
	AuditLine line = { .action = args->end ? "token.ended" : "token.made",
		           .detail = str_fmt(a, "{\"name\":\"%.*s\"}", STR_ARG(args->name)) };

	if (args->end)
		TRY(db_exec(tx, a, service_token_end, &t->changed, .name = args->name,
		            .now = now_us));
	else
		TRY(db_exec(tx, a, service_token_add, &t->changed, .id = uuid_new(),
		            .name = args->name, .token_hash = secret_hash(a, t->token),
		            .scopes = args->scopes, .now = now_us,
		            .until = { .set = args->life_us > 0, .v = now_us + args->life_us }));
	return t->changed ? audit_put(tx, a, user_command_asker(), &line) : NULL;
}

static Err *token(Cmd *cmd, Accounts *accounts, void *arg)
{
	Token t = { .args = arg };
	Arena *a = cmd->arena;
	Str unknown;
	Err *err;

	if (t.args->list)
		return tokens_list(cmd, accounts);
	if (!role_is(t.args->name))
		return err_new(a, ERR_INVALID, "args.name",
		               "a token's name is a-z, then a-z 0-9 . _ -");
	if (!t.args->end && !scopes_known(t.args->scopes, &unknown))
		return err_new(a, ERR_INVALID, "args.scopes", "there is no scope %.*s",
		               STR_ARG(str_quote(a, unknown)));
	t.token = str_fmt(a, "bst_%.*s", STR_ARG(secret_token(a)));
	if (t.args->row) {
		fprintf(cmd->out, "%.*s\n%.*s:%.*s:%.*s\n", STR_ARG(t.token), STR_ARG(t.args->name),
		        STR_ARG(t.args->scopes), STR_ARG(secret_hex(a, secret_hash(a, t.token))));
		return NULL;
	}
	err = db_txn(accounts_db(accounts), a, DB_READ_COMMITTED, token_in, &t);
	if (err_is(err, "db.unique"))
		return err_new(a, ERR_CONFLICT, "user.token_there",
		               "there is a token of that name");
	TRY(err);
	if (!t.changed)
		return err_new(a, ERR_NOT_FOUND, "user.no_token", "there is no such token");
	if (cmd->json)
		fprintf(cmd->out, "{\"name\":\"%.*s\",\"token\":%s%.*s%s}\n", STR_ARG(t.args->name),
		        t.args->end ? "" : "\"", STR_ARG(t.args->end ? S("null") : t.token),
		        t.args->end ? "" : "\"");
	else
		fprintf(cmd->out, "%.*s\n", STR_ARG(t.args->end ? S("it is ended") : t.token));
	return NULL;
}

static Err *user_token_run(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, token, cmd->args);
}

/* --- audit -------------------------------------------------------------------------------------------------------------- */

static Err *verify(Cmd *cmd, Accounts *accounts, const Args *args)
{
	Str noted = args->noted, seq_text = S("0");
	AuditVerdict v;
	uint64_t seq = 0;

	if (noted.len && (!str_split(&noted, ':', &seq_text) || !str_to_u64(seq_text, &seq)))
		return err_new(cmd->arena, ERR_INVALID, "args.noted",
		               "what was noted is PLACE:HASH");
	TRY(audit_verify(accounts_db(accounts), cmd->arena, (int64_t)seq, noted, &v));
	if (cmd->json)
		fprintf(cmd->out,
		        "{\"lines\":%" PRId64 ",\"broken_at\":%" PRId64 ",\"head\":\"%" PRId64
		        ":%.*s\"}\n",
		        v.lines, v.broken_at, v.head_seq, STR_ARG(v.head));
	else if (!v.broken_at)
		fprintf(cmd->out,
		        "%" PRId64 " lines, each as it was written; note this: %" PRId64 ":%.*s\n",
		        v.lines, v.head_seq, STR_ARG(v.head));
	if (v.broken_at)
		return err_new(cmd->arena, ERR_VERDICT, "audit.broken", "line %" PRId64 ": %.*s",
		               v.broken_at, STR_ARG(v.why));
	return NULL;
}

static Err *audit(Cmd *cmd, Accounts *accounts, void *arg)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const Args *args = arg;
	AuditEntry *entries;
	User *user = NULL;
	size_t count;

	if (args->verify || args->noted.len)
		return verify(cmd, accounts, args);
	if (args->name.len)
		TRY(find(cmd, accounts, &user));
	TRY(audit_list(accounts_db(accounts), cmd->arena, user ? user->id : (Uuid){ { 0 } }, 0,
	               args->most, &entries, &count));
	if (cmd->json)
		json_begin_array(&w);
	for (size_t i = count; i-- > 0;) {
		const AuditEntry *e = &entries[i];

		if (cmd->json) {
			audit_json(&w, cmd->arena, e);
			continue;
		}
		buf_fmt(&b, "%" PRId64 " ", e->seq);
		time_put_rfc3339(&b, e->at_us);
		buf_fmt(&b, " %.*s %.*s by %.*s %.*s\n", STR_ARG(e->action),
		        STR_ARG(uuid_is_nil(e->user) ? S("-")
		                                     : account_id_text(cmd->arena, e->user)),
		        STR_ARG(e->actor.len ? e->actor : S("-")), STR_ARG(e->address));
	}
	if (cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	fwrite(b.at ? b.at : "", 1, b.len, cmd->out);
	return NULL;
}

static Err *user_audit_run(Cmd *cmd)
{
	return user_command_run(cmd, &((const Args *)cmd->args)->where, audit, cmd->args);
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

#define DRY_RUN_ROW \
	{ \
		"dry-run", CONF_BOOL, AT(Args, dry_run), .help = "only say what would be done" \
	}
#define MOST_ROW \
	{ \
		"most", CONF_UINT, AT(Args, most), .letter = 'n', .def = "50", .min = "1", \
						   .max = "10000", .help = "how many at most" \
	}
#define PRINT_ROW \
	{ \
		"print", CONF_BOOL, AT(Args, print), \
			.help = "print the code of the mail too, to hand it over by another way" \
	}

static const ConfKey user_operand[] = {
	{ "USER", CONF_STR, AT(Args, name), .required = true,
	  .help = "an id, a name of another system, an e-mail address, a username" },
};
static const ConfKey maybe_user_operand[] = {
	{ "USER", CONF_STR, AT(Args, name), .help = "of this account only" },
};
static const ConfKey token_operand[] = {
	{ "NAME", CONF_STR, AT(Args, name), .help = "what the audit log calls who has it" },
};
static const ConfKey add_options[] = {
	USER_WHERE_ROWS(Args),
	{ "email", CONF_STR, AT(Args, email), .help = "where an invitation goes" },
	{ "verified", CONF_BOOL, AT(Args, verified), .help = "the address is known to be theirs" },
	{ "username", CONF_STR, AT(Args, username), .help = "another name to log in with" },
	{ "external", CONF_STR, AT(Args, external), .value = "SOURCE:ID",
	  .help = "what another system calls the account" },
	{ "name", CONF_STR, AT(Args, shown), .help = "how it is shown" },
	{ "locale", CONF_STR, AT(Args, locale), .help = "the language of its mails and pages" },
	{ "role", CONF_STR, AT_LIST(Args, roles), .help = "one of its roles; may be repeated" },
	{ "password-stdin", CONF_BOOL, AT(Args, password_stdin),
	  .help = "read a password from standard input; without it the account is invited" },
	PRINT_ROW,
};
static const ConfKey list_options[] = {
	USER_WHERE_ROWS(Args),
	{ "status", CONF_STR, AT(Args, status),
	  .help = "those only: invited, active, suspended, erased" },
	{ "after", CONF_STR, AT(Args, after), .value = "ID", .help = "begin behind this one" },
	MOST_ROW,
};
static const ConfKey where_options[] = { USER_WHERE_ROWS(Args) };
static const ConfKey suspend_options[] = {
	USER_WHERE_ROWS(Args),
	{ "lift", CONF_BOOL, AT(Args, lift), .help = "it may log in again" },
	DRY_RUN_ROW,
};
static const ConfKey erase_options[] = {
	USER_WHERE_ROWS(Args),
	{ "yes", CONF_BOOL, AT(Args, yes), .help = "do it without asking" },
	DRY_RUN_ROW,
};
static const ConfKey reset_options[] = { USER_WHERE_ROWS(Args), PRINT_ROW, DRY_RUN_ROW };
static const ConfKey token_options[] = {
	USER_WHERE_ROWS(Args),
	{ "scopes", CONF_STR, AT(Args, scopes), .def = "users:read",
	  .help = "what it may, with blanks between: users:read users:write audit:read" },
	{ "for", CONF_DURATION, AT(Args, life_us), .def = "0", .max = "3650d",
	  .help = "how long it is good; 0: until it is ended" },
	{ "row", CONF_BOOL, AT(Args, row),
	  .help = "write nothing down; print the token and a row for `tokens` of the configuration" },
	{ "end", CONF_BOOL, AT(Args, end), .help = "end it" },
	{ "list", CONF_BOOL, AT(Args, list), .help = "name those that there are" },
};
static const ConfKey audit_options[] = {
	USER_WHERE_ROWS(Args),
	{ "verify", CONF_BOOL, AT(Args, verify),
	  .help = "look whether a line was changed, taken out or put elsewhere" },
	{ "noted", CONF_STR, AT(Args, noted), .value = "PLACE:HASH",
	  .help = "what an earlier --verify said to note: also whether the log was made anew" },
	MOST_ROW,
};

static const Command rows[] = {
	{ "user add", .group = "services", .summary = "make an account", .run = user_add,
	  .json = true, .size = sizeof(Args), COMMAND_OPTIONS(add_options) },
	{ "user list", .group = "services", .summary = "accounts, oldest first", .run = user_list,
	  .json = true, .size = sizeof(Args), COMMAND_OPTIONS(list_options) },
	{ "user show", .group = "services", .summary = "one account, and where it is logged in",
	  .run = user_show, .json = true, .size = sizeof(Args), COMMAND_OPTIONS(where_options),
	  COMMAND_OPERANDS(user_operand) },
	{ "user suspend", .group = "services",
	  .summary = "keep somebody from logging in, or let them again", .run = user_suspend,
	  .json = true, .size = sizeof(Args), COMMAND_OPTIONS(suspend_options),
	  COMMAND_OPERANDS(user_operand) },
	{ "user erase", .group = "services", .summary = "erase an account; its id stays",
	  .run = user_erase_run, .json = true, .size = sizeof(Args), COMMAND_OPTIONS(erase_options),
	  COMMAND_OPERANDS(user_operand) },
	{ "user reset", .group = "services", .summary = "send a code to set a new password with",
	  .run = user_reset, .json = true, .size = sizeof(Args), COMMAND_OPTIONS(reset_options),
	  COMMAND_OPERANDS(user_operand) },
	{ "user token", .group = "services",
	  .summary = "tokens of programs that ask the user service", .run = user_token_run,
	  .json = true, .size = sizeof(Args), COMMAND_OPTIONS(token_options),
	  COMMAND_OPERANDS(token_operand) },
	{ "user audit", .group = "services",
	  .summary = "who did what, and whether the log is whole", .run = user_audit_run,
	  .json = true, .size = sizeof(Args), COMMAND_OPTIONS(audit_options),
	  COMMAND_OPERANDS(maybe_user_operand) },
};

const Command *user_commands(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}
