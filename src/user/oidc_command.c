/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan user client add|list|remove` and `banyan user keys list|rotate`: who may ask the provider, and what it signs with. Both
 * work on the service's database, beside the processes that use it, which see a change within seconds.
 *
 * A secret is shown once, when it is made: only its hash is kept. */
#include "user/oidc_command.h"

#include "base/args.h"
#include "base/arena.h"
#include "base/time.h"
#include "rt/file_away.h"
#include "user/accounts_int.h"
#include "user/oidc_clients.h"
#include "user/oidc_int.h"
#include "user/user_command.h"

enum { JWKS_FILE_BYTES = 256 << 10 };

typedef enum Verb { VERB_LIST, VERB_ADD, VERB_REMOVE, VERB_ROTATE } Verb;

typedef struct ClientArgs {
	UserArgs where;
	Str id, name, scope, audience, jwks;
	uint8_t verb, auth;
	CONF_LIST_OF(Str) redirects;
	CONF_LIST_OF(Str) logouts;
	CONF_LIST_OF(Str) grants;
	bool trusted, rs256;
} ClientArgs;

static void say(const Cmd *cmd, const Buf *b)
{
	if (b->len)
		fwrite(b->at, 1, b->len, cmd->out);
}

/* --- clients ------------------------------------------------------------------------------------------------------------ */

static Str join(Arena *a, const Str *at, size_t count)
{
	AUTO(buf_fini) Buf text = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (i)
			buf_putc(&text, ' ');
		buf_put(&text, at[i]);
	}
	return str_dup(a, buf_str(&text));
}

static Err *read_client(Arena *a, const ClientArgs *args, OidcClient *out)
{
	OidcClientFault fault;

	*out = (OidcClient){ .id = args->id,
		             .name = args->name.len ? args->name : args->id,
		             .auth = (OidcAuth)args->auth,
		             .scope = args->scope,
		             .audience = args->audience,
		             .trusted = args->trusted,
		             .rs256 = args->rs256 };
	if (!out->id.len)
		out->id = uuid_text(a, uuid_new());
	out->redirects = join(a, args->redirects.at, args->redirects.count);
	out->logout_redirects = join(a, args->logouts.at, args->logouts.count);
	out->grants = oidc_grants_read(join(a, args->grants.at, args->grants.count));
	if (args->jwks.len)
		TRY(file_read_away(a, args->jwks, JWKS_FILE_BYTES, &out->jwks));
	fault = oidc_client_check(a, out);
	return fault.at ? err_new(a, ERR_INVALID, "oidc.client", "%s: %.*s", fault.at,
	                          STR_ARG(fault.why))
	                : NULL;
}

static Err *say_client(const Cmd *cmd, const OidcClient *c, Str secret)
{
	AUTO(buf_fini) Buf b = { 0 };

	if (cmd->json) {
		JsonWriter w = json_writer(&b);

		TRY(oidc_client_put(&w, cmd->arena, c, secret));
		buf_putc(&b, '\n');
	} else {
		buf_fmt(&b, "client_id     %.*s\n", STR_ARG(c->id));
		if (secret.len)
			buf_fmt(&b, "client_secret %.*s\n(shown this once)\n", STR_ARG(secret));
	}
	say(cmd, &b);
	return NULL;
}

/* --- the audit log ------------------------------------------------------------------------------------------------------ */

typedef struct Told {
	const OidcClient *add; /* to be stored; or: */
	Str remove;            /* the id of one that is to go; or: */
	const char *action;    /* of keys, done already */
	bool removed;
} Told;

static Err *do_and_tell(Db *tx, Arena *a, void *arg)
{
	Told *t = arg;

	if (t->add)
		return oidc_client_add_told(tx, a, t->add, user_command_asker());
	if (t->remove.len)
		return oidc_client_remove_told(tx, a, t->remove, user_command_asker(), &t->removed);
	return audit_put(tx, a, user_command_asker(), &(AuditLine){ .action = t->action });
}

/* --- clients ------------------------------------------------------------------------------------------------------------ */

static Err *client_add(Cmd *cmd, Db *db)
{
	Arena *a = cmd->arena;
	OidcClient client;
	Told told = { .add = &client };
	Str secret;
	Err *err;

	TRY(read_client(a, cmd->args, &client));
	secret = oidc_client_secret(a, &client);
	err = db_txn(db, a, DB_READ_COMMITTED, do_and_tell, &told);
	if (err_is(err, "db.unique"))
		return err_new(a, ERR_CONFLICT, "oidc.client_taken", "there is a client %.*s",
		               STR_ARG(client.id));
	TRY(err);
	return say_client(cmd, &client, secret);
}

static Err *client_list(Cmd *cmd, Db *db)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	OidcClient *clients;
	size_t count;

	TRY(oidc_client_list(db, cmd->arena, &clients, &count));
	if (cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		const OidcClient *c = &clients[i];

		if (cmd->json)
			TRY(oidc_client_put(&w, cmd->arena, c, (Str){ 0 }));
		else
			buf_fmt(&b, "%.*s  %.*s  %.*s  %.*s\n", STR_ARG(c->id), STR_ARG(c->name),
			        STR_ARG(oidc_auth_name(c->auth)), STR_ARG(c->redirects));
	}
	if (cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(cmd, &b);
	return NULL;
}

static Err *client_remove(Cmd *cmd, Db *db)
{
	const ClientArgs *args = cmd->args;
	Told told = { .remove = args->id };

	if (args->id.len)
		TRY(db_txn(db, cmd->arena, DB_READ_COMMITTED, do_and_tell, &told));
	if (!told.removed)
		return err_new(cmd->arena, ERR_NOT_FOUND, "oidc.client", "there is no client %.*s",
		               STR_ARG(str_quote(cmd->arena, args->id)));
	return NULL;
}

static Err *client_do(Cmd *cmd, Accounts *accounts, void *arg)
{
	const ClientArgs *args = cmd->args;

	(void)arg;
	if (args->verb == VERB_ADD)
		return client_add(cmd, accounts->db);
	return args->verb == VERB_REMOVE ? client_remove(cmd, accounts->db)
	                                 : client_list(cmd, accounts->db);
}

static Err *client_run(Cmd *cmd)
{
	const ClientArgs *args = cmd->args;

	return user_command_run(cmd, &args->where, client_do, NULL);
}

/* --- keys --------------------------------------------------------------------------------------------------------------- */

typedef struct KeysArgs {
	UserArgs where;
	uint8_t verb;
} KeysArgs;

static const char *state_of(const OidcRing *ring, const OidcKey *key, int64_t now_us)
{
	const char *state = "signs";

	if (key->signs_us > now_us)
		return "next";
	for (size_t i = 0; i < ring->count; i++)
		if (ring->keys[i].alg == key->alg && ring->keys[i].signs_us <= now_us &&
		    ring->keys[i].signs_us > key->signs_us)
			state = "was";
	return state;
}

static Err *keys_list(Cmd *cmd, Db *db)
{
	int64_t now_us = time_utc_us();
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	const OidcRing *ring;

	TRY(oidc_keys_list(db, cmd->arena, now_us, &ring, NULL));
	if (cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < ring->count; i++) {
		const OidcKey *key = &ring->keys[i];
		const char *state = state_of(ring, key, now_us);

		if (cmd->json) {
			json_begin_object(&w);
			json_put_str(&w, "kid", key->jwk->kid);
			json_put_str(&w, "alg", jws_alg_name(key->alg));
			json_put_str(&w, "state", str_of(state));
			json_key(&w, S("signs_from"));
			json_add_time(&w, key->signs_us);
			json_end(&w);
			continue;
		}
		buf_fmt(&b, "%.*s  %.*s  %-5s  from ", STR_ARG(key->jwk->kid),
		        STR_ARG(jws_alg_name(key->alg)), state);
		time_put_rfc3339(&b, key->signs_us);
		buf_putc(&b, '\n');
	}
	if (cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(cmd, &b);
	return NULL;
}

static Err *keys_do(Cmd *cmd, Accounts *accounts, void *arg)
{
	const KeysArgs *args = cmd->args;
	OidcKeyPlan plan = oidc_key_plan(&accounts->conf->openid, accounts->seal);

	(void)arg;
	if (args->verb == VERB_ROTATE) {
		TRY(accounts_may_seal(accounts, cmd->arena));
		TRY(oidc_keys_rotate(accounts->db, cmd->arena, &plan, time_utc_us()));
		TRY(db_txn(accounts->db, cmd->arena, DB_READ_COMMITTED, do_and_tell,
		           &(Told){ .action = "keys.rotated" }));
	}
	return keys_list(cmd, accounts->db);
}

static Err *keys_run(Cmd *cmd)
{
	const KeysArgs *args = cmd->args;

	return user_command_run(cmd, &args->where, keys_do, NULL);
}

/* --- the rows ----------------------------------------------------------------------------------------------------------- */

static const ConfWord client_verbs[] = {
	{ "list", VERB_LIST, "all there are" },
	{ "add", VERB_ADD, "register one" },
	{ "remove", VERB_REMOVE, "and all that was granted to it" },
	{ 0 },
};
static const ConfWord key_verbs[] = {
	{ "list", VERB_LIST, "those published now" },
	{ "rotate", VERB_ROTATE, "the next ones sign from now on" },
	{ 0 },
};
static const ConfWord auth_words[] = {
	{ "none", OIDC_AUTH_NONE, "a public client: an application on people's devices" },
	{ "client_secret_basic", OIDC_AUTH_BASIC, "a secret, in the Authorization header" },
	{ "client_secret_post", OIDC_AUTH_POST, "a secret, in the body" },
	{ "private_key_jwt", OIDC_AUTH_KEY, "a key of its own, by --jwks" },
	{ 0 },
};

static const ConfKey client_operands[] = {
	{ "VERB", CONF_ENUM, AT(ClientArgs, verb), .names = client_verbs, .required = true,
	  .help = "what to do" },
	{ "ID", CONF_STR, AT(ClientArgs, id), .help = "the client; of add: made up when left out" },
};
static const ConfKey client_options[] = {
	USER_WHERE_ROWS(ClientArgs),
	{ "name", CONF_STR, AT(ClientArgs, name), .max = "100", .help = "what people are shown" },
	{ "auth", CONF_ENUM, AT(ClientArgs, auth), .names = auth_words,
	  .def = "client_secret_basic", .help = "how it proves who it is" },
	{ "redirect", CONF_STR, AT_LIST(ClientArgs, redirects), .value = "URL",
	  .help = "where people may be sent back to, byte for byte" },
	{ "logout-redirect", CONF_STR, AT_LIST(ClientArgs, logouts), .value = "URL",
	  .help = "where they may be sent after a log-out" },
	{ "grant", CONF_STR, AT_LIST(ClientArgs, grants),
	  .def = "authorization_code, refresh_token", .help = "what it may ask tokens for" },
	{ "scope", CONF_STR, AT(ClientArgs, scope), .max = "1000", .def = OIDC_CLIENT_SCOPE,
	  .help = "the most it may have" },
	{ "audience", CONF_STR, AT(ClientArgs, audience), .max = "300",
	  .help = "who its access tokens are for; none: the issuer" },
	{ "jwks", CONF_PATH, AT(ClientArgs, jwks), .value = "FILE",
	  .help = "its public keys, a JWK set" },
	{ "trusted", CONF_BOOL, AT(ClientArgs, trusted),
	  .help = "one's own: people are not asked for consent" },
	{ "rs256", CONF_BOOL, AT(ClientArgs, rs256),
	  .help = "its ID tokens are signed with RS256, for clients that know no other" },
};
static const ConfKey keys_operands[] = {
	{ "VERB", CONF_ENUM, AT(KeysArgs, verb), .names = key_verbs, .def = "list",
	  .help = "what to do" },
};
static const ConfKey keys_options[] = { USER_WHERE_ROWS(KeysArgs) };

static const Command commands[] = {
	{ "user client", .group = "services", .summary = "who may log people in by OpenID Connect",
	  .run = client_run, .json = true, COMMAND_OPERANDS(client_operands),
	  COMMAND_OPTIONS(client_options), .size = sizeof(ClientArgs),
	  .help = "A secret is shown once, when it is made.",
	  .examples =
	          "banyan user client add shop --name Shop --redirect https://shop.example/callback\n"
	          "banyan user client add --auth none --redirect com.example.app:/back\n"
	          "banyan user client list\n"
	          "banyan user client remove shop" },
	{ "user keys", .group = "services",
	  .summary = "what the OpenID Connect provider signs with", .run = keys_run, .json = true,
	  COMMAND_OPERANDS(keys_operands), COMMAND_OPTIONS(keys_options), .size = sizeof(KeysArgs),
	  .help = "Of each algorithm one key signs and the next is published already. They rotate by themselves; "
	          "`rotate` does it now. Twice in a row, and no client has seen the key before it signs.",
	  .examples = "banyan user keys\nbanyan user keys rotate" },
};

const Command *oidc_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}
