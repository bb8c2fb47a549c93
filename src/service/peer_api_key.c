/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys of programs for one service, in its own database: `banyan NAME key add|list|revoke`. A key is shown once, when it is made;
 * its SHA-256 is what is kept. It is looked up with every request that brings it, so a revoked one is refused at once. */
#include "auth/api_key.h"
#include "base/arena.h"
#include "base/args.h"
#include "base/time.h"
#include "service/peer_int.h"
#include "service/service.h"
#include "service_api_key_sql.h"

#include <string.h>

static bool key_of(const ApiKeyRow *row, ApiKey *key)
{
	if (!row || row->hash.len != sizeof key->hash)
		return false;
	*key = (ApiKey){ .id = row->id,
		         .owner = row->owner,
		         .created_us = row->created_at,
		         .expires_us = row->until.set ? row->until.v : 0,
		         .revoked_us = row->revoked_at.set ? row->revoked_at.v : 0 };
	memcpy(key->hash, row->hash.at, sizeof key->hash);
	return true;
}

Err *peer_api_key(ServiceCall *c, Str token, ServiceWho *who)
{
	ApiKeyRow *row;
	ApiKey key;

	TRY(db_one(c->db, c->arena, api_key_by_id, &row, .id = str_sub(token, 0, API_KEY_ID)));
	TRY(api_key_prove(key_of(row, &key) ? &key : NULL, token, time_utc_us()));
	*who = (ServiceWho){ .known = true,
		             .name = str_fmt(c->arena, "key:%.*s", STR_ARG(row->id)),
		             .scopes = row->scopes };
	return NULL;
}

/* --- the command ---------------------------------------------------------------------------------------------------------- */

typedef struct KeyArgs {
	Str config, id, owner;
	uint8_t action;
	CONF_LIST_OF(Str) scopes;
	int64_t expires_us;
} KeyArgs;
enum { KEY_ADD, KEY_LIST, KEY_REVOKE };

static const ConfWord actions[] = {
	{ "add", KEY_ADD, "make one, and print it: it cannot be had again" },
	{ "list", KEY_LIST, "which there are" },
	{ "revoke", KEY_REVOKE, "end one" },
	{ 0 },
};
static const ConfKey options[] = {
	{ "config", CONF_STR, AT(KeyArgs, config), .letter = 'c', .value = "FILE",
	  .def = "banyan.yaml", .help = "the configuration that says where the service is" },
	{ "owner", CONF_STR, AT(KeyArgs, owner), .letter = 'o', .value = "NAME", .max = "200",
	  .help = "add: whose it is" },
	{ "scope", CONF_STR, AT_LIST(KeyArgs, scopes), .letter = 's', .value = "SCOPE",
	  .help = "add: what it may be used for" },
	{ "expires", CONF_DURATION, AT(KeyArgs, expires_us), .def = "0", .value = "TIME",
	  .help = "add: how long it is good for: 2160h; 0: for ever" },
};
static const ConfKey operands[] = {
	{ "ACTION", CONF_ENUM, AT(KeyArgs, action), .names = actions, .required = true,
	  .help = "add, list or revoke" },
	{ "ID", CONF_STR, AT(KeyArgs, id), .help = "revoke: its beginning, bk_0123456789ab" },
};

static void say(const Cmd *cmd, const Buf *b)
{
	fwrite(b->at, 1, b->len, cmd->out);
}

static void put_opt_time(JsonWriter *w, const char *key, OptInt us)
{
	json_key(w, str_of(key));
	if (us.set)
		json_add_time(w, us.v);
	else
		json_add_null(w);
}

static void put_row(JsonWriter *w, const ApiKeyRow *row)
{
	json_begin_object(w);
	json_put_str(w, "id", row->id);
	json_put_str(w, "owner", row->owner);
	json_put_str(w, "scopes", row->scopes);
	put_opt_time(w, "created", opt_int(row->created_at));
	put_opt_time(w, "expires", row->until);
	put_opt_time(w, "revoked", row->revoked_at);
	json_end(w);
}

static void put_line(Buf *b, const ApiKeyRow *row, int64_t now_us)
{
	const char *state = row->revoked_at.set                        ? "revoked"
	                    : row->until.set && row->until.v <= now_us ? "expired"
	                                                               : "good";
	AUTO(buf_fini) Buf until = { 0 };

	if (row->until.set)
		time_put_rfc3339(&until, row->until.v);
	buf_fmt(b, "%.*s  %-7s  %-10.*s  %.*s  %.*s\n", STR_ARG(row->id), state,
	        STR_ARG(until.len ? str_sub(buf_str(&until), 0, 10) : S("never")),
	        STR_ARG(row->owner), STR_ARG(row->scopes));
}

static Err *list_keys(Cmd *cmd, Db *db)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	ApiKeyRow *rows;
	size_t count;

	TRY(db_all(db, cmd->arena, api_keys_all, &rows, &count));
	if (cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		if (cmd->json)
			put_row(&w, &rows[i]);
		else
			put_line(&b, &rows[i], time_utc_us());
	if (cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(cmd, &b);
	return NULL;
}

static Err *add_key(Cmd *cmd, Db *db, const KeyArgs *args)
{
	AUTO(buf_fini) Buf b = { 0 };
	AUTO(buf_fini) Buf scopes = { 0 };
	JsonWriter w = json_writer(&b);
	int64_t now_us = time_utc_us(), until_us = args->expires_us ? now_us + args->expires_us : 0;
	ApiKey key;
	Str text;

	if (!args->owner.len)
		return err_new(cmd->arena, ERR_INVALID, "args.missing", "--owner says whose it is");
	for (size_t i = 0; i < args->scopes.count; i++)
		buf_fmt(&scopes, "%s%.*s", i ? " " : "", STR_ARG(args->scopes.at[i]));
	TRY(api_key_make(cmd->arena, args->owner, args->scopes.at, args->scopes.count, now_us,
	                 until_us, &key, &text));
	TRY(db_exec(db, cmd->arena, api_key_add, NULL, .id = key.id, .owner = args->owner,
	            .scopes = buf_str(&scopes), .hash = { (char *)key.hash, sizeof key.hash },
	            .created_at = now_us, .until = { until_us != 0, until_us }));
	if (cmd->json) {
		json_begin_object(&w);
		json_put_str(&w, "id", key.id);
		json_put_str(&w, "key", text);
		json_end(&w);
	} else {
		buf_put(&b, text);
	}
	buf_putc(&b, '\n');
	say(cmd, &b);
	return NULL;
}

static Err *revoke_key(Cmd *cmd, Db *db, const KeyArgs *args)
{
	Str id = str_sub(args->id, 0, API_KEY_ID);
	int64_t changed;

	TRY(db_exec(db, cmd->arena, api_key_revoke, &changed, .id = id, .now = time_utc_us()));
	if (changed)
		return NULL;
	return err_new(cmd->arena, ERR_NOT_FOUND, "keys.unknown",
	               "there is no key %.*s that is not revoked",
	               STR_ARG(str_quote(cmd->arena, id)));
}

static Err *with_db(Cmd *cmd, ServiceHome *home, void *arg)
{
	const KeyArgs *args = arg;

	if (args->action == KEY_LIST)
		return list_keys(cmd, home->db);
	return args->action == KEY_ADD ? add_key(cmd, home->db, args)
	                               : revoke_key(cmd, home->db, args);
}

static Err *run(Cmd *cmd)
{
	const KeyArgs *args = cmd->args;

	return service_command(cmd, service_of_command(cmd), args->config, with_db, cmd->args);
}

Command peer_key_command(const char *name)
{
	return (Command){
		.name = name,
		.group = "services",
		.summary = "keys by which programs may ask it",
		.help = "A key is for this service alone, and for the scopes that it is made with. It is kept as a hash: whoever is to have it "
			"must be given it now. One that is revoked is refused at once.",
		COMMAND_OPTIONS(options),
		COMMAND_OPERANDS(operands),
		.size = sizeof(KeyArgs),
		.run = run,
		.json = true,
	};
}
