/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan payment key`: keys of programs that pay, as Stripe has them: secret, publishable, restricted. They are made beside the service, in
 * its database; one that is revoked is refused at once. */
#include "payment/payment_command.h"

#include "base/arena.h"
#include "base/time.h"
#include "payment/payment.h"
#include "payment/payment_conf.h"
#include "payment/stripe_keys.h"

typedef struct KeyArgs {
	Str config, id, name;
	uint8_t action, kind;
	CONF_LIST_OF(Str) scopes;
	int64_t expires_us;
} KeyArgs;
enum { DO_ADD, DO_LIST, DO_REVOKE };

static const ConfWord actions[] = {
	{ "add", DO_ADD, "make one, and print it: it cannot be had again" },
	{ "list", DO_LIST, "which there are" },
	{ "revoke", DO_REVOKE, "end one" },
	{ 0 },
};
static const ConfWord kinds[] = {
	{ "secret", KEY_SECRET, "may do everything: for servers only" },
	{ "publishable", KEY_PUBLISHABLE,
	  "stands in pages: may keep a payment method, and look at and confirm a payment whose secret it brings" },
	{ "restricted", KEY_RESTRICTED, "what its scopes say" },
	{ 0 },
};
static const ConfKey options[] = {
	{ "config", CONF_STR, AT(KeyArgs, config), .letter = 'c', .value = "FILE",
	  .def = "banyan.yaml", .help = "the configuration that says where the service is" },
	{ "kind", CONF_ENUM, AT(KeyArgs, kind), .letter = 'k', .names = kinds, .def = "secret",
	  .help = "add: what it may do" },
	{ "owner", CONF_STR, AT(KeyArgs, name), .letter = 'o', .value = "NAME", .max = "200",
	  .help = "add: who is to have it" },
	{ "scope", CONF_STR, AT_LIST(KeyArgs, scopes), .letter = 's', .value = "SCOPE",
	  .help = "add, of a restricted one: refunds:write; `customers` is customers:read and customers:write" },
	{ "expires", CONF_DURATION, AT(KeyArgs, expires_us), .def = "0", .value = "TIME",
	  .help = "add: how long it is good for: 2160h; 0: for ever" },
};
static const ConfKey operands[] = {
	{ "ACTION", CONF_ENUM, AT(KeyArgs, action), .names = actions, .required = true,
	  .help = "add, list or revoke" },
	{ "ID", CONF_STR, AT(KeyArgs, id), .help = "revoke: its id, as `list` shows it" },
};

static void say(const Cmd *cmd, const Buf *b)
{
	fwrite(b->at, 1, b->len, cmd->out);
}

static void put_opt_time(JsonWriter *w, const char *key, int64_t us)
{
	json_key(w, str_of(key));
	if (us)
		json_add_time(w, us);
	else
		json_add_null(w);
}

static void put_row(JsonWriter *w, Arena *a, const KeySeen *key)
{
	json_begin_object(w);
	json_put_str(w, "id", uuid_text(a, key->id));
	json_put_str(w, "kind", key->kind);
	json_put_str(w, "name", key->name);
	json_put_str(w, "hint", key->hint);
	json_put_str(w, "scopes", key->scopes);
	put_opt_time(w, "created", key->created_us);
	put_opt_time(w, "expires", key->until_us);
	put_opt_time(w, "revoked", key->revoked_us);
	json_end(w);
}

static void put_line(Buf *b, Arena *a, const KeySeen *key, int64_t now_us)
{
	const char *state = key->revoked_us                            ? "revoked"
	                    : key->until_us && key->until_us <= now_us ? "expired"
	                                                               : "good";

	buf_fmt(b, "%.*s  %-7s  %.*s  %.*s", STR_ARG(uuid_text(a, key->id)), state,
	        STR_ARG(key->hint), STR_ARG(key->name));
	if (key->scopes.len)
		buf_fmt(b, "  %.*s", STR_ARG(key->scopes));
	buf_putc(b, '\n');
}

static Err *list(Cmd *cmd, Db *db)
{
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	KeySeen *keys;
	size_t count;

	TRY(keys_list(db, cmd->arena, &keys, &count));
	if (cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		if (cmd->json)
			put_row(&w, cmd->arena, &keys[i]);
		else
			put_line(&b, cmd->arena, &keys[i], time_utc_us());
	if (cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(cmd, &b);
	return NULL;
}

static Err *scopes_of(Cmd *cmd, const KeyArgs *args, Str *out)
{
	AUTO(buf_fini) Buf b = { 0 };
	Str unknown;

	for (size_t i = 0; i < args->scopes.count; i++)
		buf_fmt(&b, " %.*s", STR_ARG(args->scopes.at[i]));
	*out = key_scopes_read(cmd->arena, buf_str(&b), &unknown);
	if (unknown.len)
		return err_new(cmd->arena, ERR_INVALID, "payment.scope", "%.*s is no scope",
		               STR_ARG(str_quote(cmd->arena, unknown)));
	if ((args->kind == KEY_RESTRICTED) != (out->len > 0))
		return err_new(cmd->arena, ERR_INVALID, "payment.scope",
		               "a restricted key has scopes, and no other has any");
	return NULL;
}

static Err *add(Cmd *cmd, const ServiceHome *home, const KeyArgs *args)
{
	const PaymentConf *conf = home->conf;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	KeyDraft draft = { .kind = args->kind,
		           .name = args->name,
		           .until_us = args->expires_us ? time_utc_us() + args->expires_us : 0,
		           .live = conf->live };
	KeySeen key;
	Str text;

	TRY(scopes_of(cmd, args, &draft.scopes));
	TRY(key_add(home->db, cmd->arena, &draft, &key, &text));
	if (cmd->json) {
		json_begin_object(&w);
		json_put_str(&w, "id", uuid_text(cmd->arena, key.id));
		json_put_str(&w, "key", text);
		json_end(&w);
	} else {
		buf_put(&b, text);
	}
	buf_putc(&b, '\n');
	say(cmd, &b);
	return NULL;
}

static Err *revoke(Cmd *cmd, Db *db, const KeyArgs *args)
{
	bool done = false;
	Uuid id;

	if (uuid_read(args->id, &id))
		TRY(key_revoke(db, cmd->arena, id, &done));
	if (done)
		return NULL;
	return err_new(cmd->arena, ERR_NOT_FOUND, "payment.key",
	               "there is no key %.*s that is not revoked",
	               STR_ARG(str_quote(cmd->arena, args->id)));
}

static Err *with_home(Cmd *cmd, ServiceHome *home, void *arg)
{
	const KeyArgs *args = arg;

	if (args->action == DO_LIST)
		return list(cmd, home->db);
	return args->action == DO_ADD ? add(cmd, home, args) : revoke(cmd, home->db, args);
}

static Err *run(Cmd *cmd)
{
	const KeyArgs *args = cmd->args;

	return service_command(cmd, payment_service(), args->config, with_home, cmd->args);
}

static const Command rows[] = {
	{ "payment key", .group = "services", .summary = "keys by which programs may charge",
	  .help = "A key is kept as a hash: whoever is to have it must be given it now. One that is revoked is refused at once.",
	  COMMAND_OPTIONS(options), COMMAND_OPERANDS(operands), .size = sizeof(KeyArgs), .run = run,
	  .json = true },
};

const Command *payment_commands(size_t *count)
{
	*count = COUNT(rows);
	return rows;
}
