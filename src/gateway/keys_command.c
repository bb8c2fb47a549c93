/* SPDX-License-Identifier: Apache-2.0
 *
 * `banyan keys add|list|revoke`. The file is locked while it is changed and replaced as a whole, so that a gateway that reads
 * it just then finds the old one or the new one; whoever could read the old one can read the new one, or the gateway would not
 * know that a key was revoked. A key's text is printed once and is nowhere else. */
#include "gateway/keys_command.h"

#include "auth/api_key.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct KeysArgs {
	Str file, owner, id;
	CONF_LIST_OF(Str) scopes;
	int64_t expires_us;
} KeysArgs;

#define FILE_ROW \
	{ \
		"file", CONF_STR, AT(KeysArgs, file), \
			.letter = 'f', .required = true, .value = "FILE", \
			.help = "the keys, as `auth: { NAME: { keys: FILE } }` names them" \
	}

static const ConfKey add_options[] = {
	FILE_ROW,
	{ "owner", CONF_STR, AT(KeysArgs, owner), .letter = 'o', .required = true, .value = "NAME",
	  .min = "1", .max = "200", .help = "whose it is: the claim sub" },
	{ "scope", CONF_STR, AT_LIST(KeysArgs, scopes), .letter = 's', .value = "SCOPE",
	  .help = "what it may be used for" },
	{ "expires", CONF_DURATION, AT(KeysArgs, expires_us), .def = "0", .value = "TIME",
	  .help = "how long it is good for: 2160h; 0: for ever" },
};
static const ConfKey list_options[] = { FILE_ROW };
static const ConfKey revoke_operands[] = {
	{ "ID", CONF_STR, AT(KeysArgs, id), .required = true,
	  .help = "its beginning: bk_0123456789ab" },
};

/* --- the file ----------------------------------------------------------------------------------------------------------- */

typedef struct Held {
	int fd; /* -1: none */
} Held;

static void held_end(Held *held)
{
	if (held->fd >= 0)
		close(held->fd);
}

/* The lock is a file of its own beside it: the file itself is replaced. */
static Err *hold(Arena *a, Str path, Held *held)
{
	const char *name = str_z(a, str_fmt(a, "%.*s.lock", STR_ARG(path)));

	held->fd = open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (held->fd < 0 || flock(held->fd, LOCK_EX) != 0)
		return err_errno(a, errno, "base.file", "%s", name);
	return NULL;
}

static Err *load(Arena *a, Str path, ApiKeySet *set)
{
	Str text = { 0 };
	Err *err = file_read(a, path, API_KEYS_FILE_BYTES, &text);

	if (err && err->kind != ERR_NOT_FOUND)
		return err;
	return api_keys_read(a, text, set);
}

static Err *write_all(Arena *a, int fd, Str text, const char *name)
{
	while (text.len) {
		ssize_t wrote = write(fd, text.at, text.len);

		if (wrote < 0 && errno != EINTR)
			return err_errno(a, errno, "base.file", "%s", name);
		text = str_sub(text, wrote > 0 ? (size_t)wrote : 0, text.len);
	}
	return fsync(fd) == 0 ? NULL : err_errno(a, errno, "base.file", "%s", name);
}

static Err *keep_mode(Arena *a, int fd, Str path)
{
	struct stat st;

	if (stat(str_z(a, path), &st) != 0)
		return NULL;
	if (fchown(fd, st.st_uid, st.st_gid) != 0 || fchmod(fd, st.st_mode & 0777) != 0)
		return err_errno(a, errno, "base.file", "owner and mode of %.*s", STR_ARG(path));
	return NULL;
}

static Err *store(Arena *a, Str path, const ApiKeySet *set)
{
	const char *fresh = str_z(a, str_fmt(a, "%.*s.new", STR_ARG(path)));
	AUTO(held_end) Held held = { open(fresh, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600) };
	AUTO(buf_fini) Buf b = { 0 };

	if (held.fd < 0)
		return err_errno(a, errno, "base.file", "%s", fresh);
	TRY(keep_mode(a, held.fd, path));
	api_keys_put(set, &b);
	TRY(write_all(a, held.fd, buf_str(&b), fresh));
	if (rename(fresh, str_z(a, path)) != 0)
		return err_errno(a, errno, "base.file", "%.*s", STR_ARG(path));
	return NULL;
}

/* --- the verbs ---------------------------------------------------------------------------------------------------------- */

static void say(Cmd *cmd, const Buf *b)
{
	fwrite(b->at, 1, b->len, cmd->out);
}

static Err *add_key(Cmd *cmd)
{
	const KeysArgs *args = cmd->args;
	AUTO(held_end) Held held = { -1 };
	AUTO(buf_fini) Buf b = { 0 };
	ApiKeySet *set = ARENA_NEW(cmd->arena, ApiKeySet);
	int64_t now_us = time_utc_us();
	ApiKey *keys;
	Str text;

	TRY(hold(cmd->arena, args->file, &held));
	TRY(load(cmd->arena, args->file, set));
	keys = ARENA_ARRAY(cmd->arena, ApiKey, set->count + 1);
	for (size_t i = 0; i < set->count; i++)
		keys[i] = set->at[i];
	TRY(api_key_make(cmd->arena, args->owner, args->scopes.at, args->scopes.count, now_us,
	                 args->expires_us ? now_us + args->expires_us : 0, &keys[set->count],
	                 &text));
	set->at = keys;
	set->count++;
	TRY(store(cmd->arena, args->file, set));
	if (cmd->json) {
		JsonWriter w = json_writer(&b);

		json_begin_object(&w);
		json_put_str(&w, "id", keys[set->count - 1].id);
		json_put_str(&w, "key", text);
		json_end(&w);
		buf_putc(&b, '\n');
	} else {
		buf_fmt(&b, "%.*s\n", STR_ARG(text));
	}
	say(cmd, &b);
	return NULL;
}

static const char *state_of(const ApiKey *key, int64_t now_us)
{
	return key->revoked_us                                ? "revoked"
	       : key->expires_us && now_us >= key->expires_us ? "expired"
	                                                      : "good";
}

static void put_when(Buf *b, int64_t us)
{
	AUTO(buf_fini) Buf time = { 0 };

	if (us)
		time_put_rfc3339(&time, us);
	else
		buf_put(&time, S("never     "));
	buf_fmt(b, "  %.*s", STR_ARG(str_sub(buf_str(&time), 0, 10)));
}

static void put_line(Buf *b, const ApiKey *key, int64_t now_us)
{
	buf_fmt(b, "%.*s  %-7s", STR_ARG(key->id), state_of(key, now_us));
	put_when(b, key->expires_us);
	buf_fmt(b, "  %.*s", STR_ARG(key->owner));
	for (size_t i = 0; i < key->scope_count; i++)
		buf_fmt(b, "%s%.*s", i ? " " : "  ", STR_ARG(key->scopes[i]));
	buf_putc(b, '\n');
}

static void put_json(JsonWriter *w, const ApiKey *key, int64_t now_us)
{
	json_begin_object(w);
	json_put_str(w, "id", key->id);
	json_put_str(w, "owner", key->owner);
	json_put_str(w, "state", str_of(state_of(key, now_us)));
	json_key(w, S("scopes"));
	json_begin_array(w);
	for (size_t i = 0; i < key->scope_count; i++)
		json_add_str(w, key->scopes[i]);
	json_end(w);
	json_key(w, S("created"));
	json_add_time(w, key->created_us);
	if (key->expires_us) {
		json_key(w, S("expires"));
		json_add_time(w, key->expires_us);
	}
	json_end(w);
}

static Err *list_keys(Cmd *cmd)
{
	const KeysArgs *args = cmd->args;
	AUTO(buf_fini) Buf b = { 0 };
	JsonWriter w = json_writer(&b);
	ApiKeySet *set = ARENA_NEW(cmd->arena, ApiKeySet);
	int64_t now_us = time_utc_us();

	TRY(load(cmd->arena, args->file, set));
	if (cmd->json)
		json_begin_array(&w);
	for (size_t i = 0; i < set->count; i++)
		if (cmd->json)
			put_json(&w, &set->at[i], now_us);
		else
			put_line(&b, &set->at[i], now_us);
	if (cmd->json) {
		json_end(&w);
		buf_putc(&b, '\n');
	}
	say(cmd, &b);
	return NULL;
}

static Err *revoke_key(Cmd *cmd)
{
	const KeysArgs *args = cmd->args;
	AUTO(held_end) Held held = { -1 };
	ApiKeySet *set = ARENA_NEW(cmd->arena, ApiKeySet);
	ApiKey *key;

	TRY(hold(cmd->arena, args->file, &held));
	TRY(load(cmd->arena, args->file, set));
	key = map_get(&set->by_id, str_sub(args->id, 0, API_KEY_ID));
	if (!key)
		return err_new(cmd->arena, ERR_NOT_FOUND, "keys.unknown",
		               "there is no key %.*s in %.*s",
		               STR_ARG(str_sub(args->id, 0, API_KEY_ID)), STR_ARG(args->file));
	if (!key->revoked_us)
		key->revoked_us = time_utc_us();
	return store(cmd->arena, args->file, set);
}

static const Command commands[] = {
	{ "keys add", .group = "decompose", .summary = "make a key for a program", .run = add_key,
	  .json = true,
	  .help = "Makes a key and prints it: it is kept as a hash, so nobody can be told it again. Gateways that run know it within "
	          "two seconds.",
	  .examples =
	          "banyan keys add -f keys.json --owner billing --scope orders:read --expires 2160h",
	  COMMAND_OPTIONS(add_options), .size = sizeof(KeysArgs) },
	{ "keys list", .group = "decompose", .summary = "list the keys of programs",
	  .run = list_keys, .json = true,
	  .help = "Says of each key its beginning, whether it is good, when it ends, whose it is and what it is for.",
	  .examples = "banyan keys list -f keys.json", COMMAND_OPTIONS(list_options),
	  .size = sizeof(KeysArgs) },
	{ "keys revoke", .group = "decompose", .summary = "end a key", .run = revoke_key,
	  .help = "The key is refused from then on, by gateways that run within two seconds; its row stays in the file.",
	  .examples = "banyan keys revoke -f keys.json bk_0123456789ab",
	  COMMAND_OPTIONS(list_options), COMMAND_OPERANDS(revoke_operands),
	  .size = sizeof(KeysArgs) },
};

const Command *keys_commands(size_t *count)
{
	*count = COUNT(commands);
	return commands;
}
