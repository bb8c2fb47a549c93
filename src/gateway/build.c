/* SPDX-License-Identifier: Apache-2.0
 *
 * Building a configuration. */
#include "gateway/build.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "gateway/changes.h"
#include "gateway/passthrough.h"
#include "gateway/record.h"
#include "gateway/waiting.h"
#include "rt/tls.h"

static Err many_logs = ERR_STATIC(CONFLICT, "gateway.access_logs",
                                  "too many different access logs since the start: restart");

static Err *load_tls(Build *b, const ListenConf *listen, TlsContext **out)
{
	TlsServerConf *confs = ARENA_ARRAY(b->arena, TlsServerConf, listen->tls.count);

	*out = NULL;
	for (size_t i = 0; i < listen->tls.count; i++)
		confs[i] = (TlsServerConf){ listen->tls.at[i].certificate, listen->tls.at[i].key,
			                    listen->http2, listen->client_ca, listen->client_must };
	return listen->tls.count ? tls_server_new(b->arena, confs, listen->tls.count, out) : NULL;
}

/* The log this configuration asks for: one that is open, or a new one. */
static Err *find_recorder(Recorders *r, Arena *a, const AccessConf *conf, Recorder **out)
{
	*out = NULL;
	if (conf->to == ACCESS_OFF)
		return NULL;
	for (size_t i = 0; i < r->count; i++)
		if (recorder_is(r->at[i], conf)) {
			*out = r->at[i];
			return NULL;
		}
	if (r->count == RECORDERS_MAX)
		return &many_logs;
	TRY(recorder_open(a, conf, out));
	r->at[r->count++] = *out;
	return NULL;
}

void build_begin(Build *b, const GatewayArgs *args, Recorders *recorders, const Snapshot *before)
{
	*b = (Build){
		.args = args, .before = before, .recorders = recorders, .arena = arena_new(0)
	};
	b->hold = conf_hold_new(b->arena);
	b->conf = conf_new(b->arena);
}

static bool gateway_wanted(const GatewayArgs *args)
{
	for (size_t i = 0; i < args->only.count; i++)
		if (str_eq(args->only.at[i], S("gateway")))
			return true;
	return !args->only.count;
}

/* A process of services has the admin port and what belongs to it. */
static void leave_gateway_out(GatewayConf *conf)
{
	conf->listen.count = 0;
	conf->routes.count = 0;
	conf->upstreams.count = 0;
	conf->service_upstreams = 0;
	conf->has_shift = false;
	conf->shift.webhooks.count = 0;
	conf->warnings.count = 0;
}

/* As the file's own address is checked: where others may come, a token is needed. */
static Err *move_admin(Arena *a, Str address, AdminConf *admin)
{
	AddressConf at = { .text = address };

	admin->on = !str_eq(address, S("off"));
	if (admin->on && (!address_split(address, &at) || !address_is_local_form(&at)))
		return err_new(a, ERR_INVALID, "args.admin",
		               "--admin: %.*s is no address to listen on",
		               STR_ARG(str_quote(a, address)));
	if (admin->on && !address_is_loopback(&at) && !admin->token.len && !admin->tokens.count &&
	    !admin->has_openid)
		return err_new(a, ERR_INVALID, "args.admin",
		               "--admin: beyond this machine it takes an admin.token");
	admin->address = at;
	return NULL;
}

Err *build_load(Build *b)
{
	const GatewayArgs *args = b->args;

	if (b->loaded)
		return NULL;
	if (args->passthrough.len)
		return passthrough_load(b->arena, b->conf, args, &b->loaded);
	TRY(gateway_conf_load(b->arena, b->conf, str_dup(b->arena, args->file), &b->loaded));
	if (!gateway_wanted(args))
		leave_gateway_out(b->loaded);
	return args->admin.len ? move_admin(b->arena, args->admin, &b->loaded->admin) : NULL;
}

Err *build_make(Build *b)
{
	const GatewayConf *conf;
	Recorder *recorder;

	TRY(build_load(b));
	conf = b->loaded;
	b->tls = ARENA_ARRAY(b->arena, TlsContext *, conf->listen.count);
	for (size_t i = 0; i < conf->listen.count; i++)
		TRY(load_tls(b, &conf->listen.at[i], &b->tls[i]));
	TRY(find_recorder(b->recorders, b->arena, &conf->access_log, &recorder));
	TRY(snapshot_new(b->arena, b->hold, conf, b->before, &b->snap));
	b->snap->recorder = recorder;
	return NULL;
}

void build_let_tls_go(Build *b)
{
	for (size_t i = 0; b->tls && i < b->loaded->listen.count; i++)
		tls_unref(b->tls[i]);
	b->tls = NULL;
}

void build_end(Build *b)
{
	build_let_tls_go(b);
	if (!b->applied)
		snapshot_unref(b->snap);
	b->snap = NULL;
	conf_hold_unref(TAKE(b->hold));
}

/* --- what came of it ------------------------------------------------------------------------------------------------ */

void build_say_mistakes(const Build *b)
{
	size_t count;
	const ConfMistake *mistakes = conf_mistakes(b->conf, &count);

	for (size_t i = 0; i < count; i++)
		log_error("%.*s:%u:%u: %.*s", STR_ARG(b->args->file), mistakes[i].line,
		          mistakes[i].column, STR_ARG(mistakes[i].text));
}

void build_say_warnings(const Build *b)
{
	const GatewayConf *conf = b->snap->conf;

	for (size_t i = 0; i < conf->warnings.count; i++)
		log_warn("%.*s", STR_ARG(conf->warnings.at[i]));
}

void build_put_changes(const Build *b, Buf *out)
{
	const GatewayConf *conf = b->snap->conf;
	JsonWriter w = json_writer(out);
	Str waiting[HOOKS_WAITING];

	json_begin_object(&w);
	json_put_str(&w, "file", b->args->file);
	changes_put(&w, b->before, b->snap, waiting, gateway_waiting(conf, waiting));
	json_key(&w, S("warnings"));
	json_begin_array(&w);
	for (size_t i = 0; i < conf->warnings.count; i++)
		json_add_str(&w, conf->warnings.at[i]);
	json_end(&w);
	json_end(&w);
	buf_putc(out, '\n');
}

/* What is in the file is the sender's to change (422); the rest is the machine's. */
unsigned build_status(const Err *err)
{
	switch ((unsigned)err->kind) {
	case ERR_INVALID:
	case ERR_DENIED:
	case ERR_NOT_FOUND:
	case ERR_CONFLICT:
		return 422;
	default:
		return (unsigned)err_status(err);
	}
}

void build_put_mistakes(const Build *b, const Err *err, Buf *out)
{
	JsonWriter w = json_writer(out);

	json_begin_object(&w);
	json_put_str(&w, "type", str_fmt(b->arena, "urn:banyan:problem:%s", err->slug));
	json_put_str(&w, "title", S("The configuration stays as it was"));
	json_put_u64(&w, "status", build_status(err));
	json_put_str(&w, "detail", err_chain(b->arena, err));
	json_put_str(&w, "file", b->args->file);
	json_key(&w, S("mistakes"));
	conf_json_mistakes(b->conf, &w);
	json_end(&w);
	buf_putc(out, '\n');
}
