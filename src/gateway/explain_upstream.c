/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of the story that is about an upstream: what it is asked, its servers, and the time, the tries and the memory
 * that a request has. */
#include "gateway/explain_int.h"

#include "base/arena.h"
#include "base/units.h"
#include "gateway/proxy_int.h"

typedef struct Amount {
	const char *key;
	int64_t us;
	bool zero_is_none;
} Amount;

static void tell_target(Explain *e)
{
	Passage *p = e->p;
	const UpstreamConf *up = p->route->conf->upstream;
	Str target;
	Err *err = proxy_target(p, &target);

	if (err)
		explain_refused(e, err);
	else
		explain_fmt(e, "asks", "%.*s %.*s", STR_ARG(p->x->request.method), STR_ARG(target));
	explain_fact(e, "host header",
	             up->host_header == HOST_SERVER ? S("the server's address")
	             : p->x->request.authority.len  ? p->x->request.authority
	                                            : S(""));
}

static void tell_server(Explain *e, const ServerConf *s)
{
	AUTO(buf_fini) Buf b = { 0 };

	buf_put(&b, s->address.text);
	if (!s->weight)
		buf_put(&b, S(", drained"));
	else if (s->weight > 1)
		buf_fmt(&b, ", weight %u", s->weight);
	if (s->max_connections)
		buf_fmt(&b, ", at most %u connections", s->max_connections);
	explain_item(e, "servers", str_dup(e->arena, buf_str(&b)));
}

/* Words of the configuration, by its rows: what is printed is what would be written. */
static void tell_words(Explain *e, const UpstreamConf *up)
{
	static const char *const shown[] = { "balance", "protocol" };
	AUTO(buf_fini) Buf b = { 0 };
	Str rest, line, key;

	conf_put_yaml(&b, gateway_upstream_table(), up);
	rest = buf_str(&b);
	while (str_split(&rest, '\n', &line)) {
		str_split(&line, ':', &key);
		for (size_t i = 0; i < COUNT(shown); i++)
			if (str_eq(key, str_of(shown[i])))
				explain_fact(e, shown[i], str_dup(e->arena, str_trim(line)));
	}
}

static void tell_times(Explain *e)
{
	const TimeoutsConf *t = &e->p->route->conf->timeouts;
	const Amount amounts[] = {
		{ "connect", t->connect_us, false }, { "head", t->head_us, false },
		{ "idle", t->idle_us, false },       { "request", t->request_us, true },
		{ "tunnel", t->tunnel_us, false },
	};

	explain_begin(e, "timeouts");
	for (size_t i = 0; i < COUNT(amounts); i++) {
		AUTO(buf_fini) Buf b = { 0 };

		if (amounts[i].zero_is_none && !amounts[i].us)
			buf_put(&b, S("no limit"));
		else
			units_put_duration(&b, amounts[i].us);
		explain_fact(e, amounts[i].key, str_dup(e->arena, buf_str(&b)));
	}
}

static void tell_retry(Explain *e)
{
	static const char *const words[] = {
		[RETRY_CONNECT] = "connect", [RETRY_REFUSED] = "refused", [RETRY_RESET] = "reset",
		[RETRY_TIMEOUT] = "timeout", [RETRY_502] = "502",         [RETRY_503] = "503",
		[RETRY_504] = "504",
	};
	const RetryConf *retry = &e->p->route->conf->retry;
	AUTO(buf_fini) Buf b = { 0 };

	explain_begin(e, "retry");
	explain_fmt(e, "attempts", "%u", retry->attempts);
	for (size_t i = 0; i < retry->on.count; i++)
		explain_item(e, "on", str_of(words[retry->on.at[i]]));
	units_put_share(&b, retry->budget_ppm);
	explain_fact(e, "budget", str_dup(e->arena, buf_str(&b)));
	explain_fact(e, "may be repeated",
	             http_is_idempotent(e->p->x->request.method) ? S("yes") : S("no"));
}

static void tell_buffering(Explain *e)
{
	const BufferingConf *conf = &e->p->route->conf->buffering;
	AUTO(buf_fini) Buf memory = { 0 }, file = { 0 };

	explain_begin(e, "buffering");
	explain_fact(e, "requests", conf->requests == BUFFERING_OFF ? S("off") : S("auto"));
	explain_fact(e, "answers", conf->answers == BUFFERING_OFF ? S("off") : S("auto"));
	units_put_bytes(&memory, conf->memory);
	explain_fact(e, "memory", str_dup(e->arena, buf_str(&memory)));
	units_put_bytes(&file, conf->file);
	explain_fact(e, "file", str_dup(e->arena, buf_str(&file)));
}

void explain_upstream(Explain *e)
{
	const UpstreamConf *up = e->p->route->conf->upstream;

	explain_fact(e, "to", up->name);
	tell_target(e);
	for (size_t i = 0; i < up->servers.count; i++)
		tell_server(e, &up->servers.at[i]);
	tell_words(e, up);
	if (up->max_connections)
		explain_fmt(e, "max_connections", "%u", up->max_connections);
	explain_fact(e, "tls", up->has_tls ? S("on") : S("off"));
	tell_times(e);
	tell_retry(e);
	tell_buffering(e);
}
