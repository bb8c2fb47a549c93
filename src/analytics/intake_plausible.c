/* SPDX-License-Identifier: Apache-2.0
 *
 * Plausible's shape: `POST /api/event` { n|name, u|url, d|domain, r|referrer, p|props, $|revenue }, sent by pages as text/plain. Who it
 * is, is nobody's to say: address, user agent and site make a visitor of the day (visitor.h). Its limits are kept: a name of 120
 * characters, 30 properties, addresses of 2000 bytes.
 *
 * An event has no id there. So that a page that sends it again does not count twice within a second, its id is that of what it says,
 * whom and which second; what the same visitor does again later is another. */
#include "analytics/batch.h"

#include "analytics/agent.h"
#include "analytics/visitor.h"
#include "base/arena.h"
#include "http/url.h"

enum { NAME_MOST = 120, PROPS_MOST = 30, URL_MOST = 2000, EXTRA_PROPS = 20 };

/* Either name. */
static const Json *either(const Json *body, Str one, Str other)
{
	const Json *value = json_get(body, one);

	return value ? value : json_get(body, other);
}

static Str text_of(const Json *value)
{
	Str text = S("");

	json_to_str(value, &text);
	return text;
}

static void add_prop(Hit *hit, HitProp *props, Str key, Str text)
{
	if (text.len && text.len <= HIT_VALUE_MOST)
		props[hit->prop_count++] = (HitProp){ key, { CELL_STR, text } };
}

static void add_page(Arena *a, Hit *hit, HitProp *props, Str url)
{
	static const Str marks[] = { S("utm_source"), S("utm_medium"), S("utm_campaign"),
		                     S("utm_content"), S("utm_term") };
	PageUrl page;

	if (!page_url_read(url, &page))
		return;
	add_prop(hit, props, S("$host"), page_site(a, page.host));
	add_prop(hit, props, S("$pathname"), page.path);
	for (size_t i = 0; i < COUNT(marks); i++) {
		Str raw, text;

		if (url_query_get(page.query, marks[i], &raw) && !url_decode(a, raw, &text))
			add_prop(hit, props, marks[i], text);
	}
}

static void add_referrer(Arena *a, Hit *hit, HitProp *props, Str referrer)
{
	PageUrl page;

	if (page_url_read(referrer, &page))
		add_prop(hit, props, S("$referring_domain"), page_site(a, page.host));
}

static void add_agent(Hit *hit, HitProp *props, const Agent *agent)
{
	add_prop(hit, props, S("$browser"), agent->browser);
	add_prop(hit, props, S("$os"), agent->os);
	add_prop(hit, props, S("$device_type"), agent->device);
}

static void add_revenue(Arena *a, Hit *hit, HitProp *props, const Json *revenue)
{
	const Json *amount = json_get(revenue, S("amount"));
	double n;

	if (json_kind(amount) == JSON_KIND_STR || json_to_real(amount, &n))
		props[hit->prop_count++] = (HitProp){ S("$revenue"), hit_cell(a, amount) };
	add_prop(hit, props, S("$currency"), text_of(json_get(revenue, S("currency"))));
}

/* Theirs, as an object or as the text of one. */
static bool add_theirs(Batch *b, const Json *body, Hit *hit, HitRefusal *refusal)
{
	const Json *props = either(body, S("p"), S("props"));
	Str text;
	Err *err;

	if (!props)
		props = either(body, S("m"), S("meta"));
	if (json_to_str(props, &text)) {
		err = json_read(b->arena, text, 0, &props);
		if (err) {
			*refusal = (HitRefusal){ "properties.type", err->text };
			return false;
		}
	}
	if (json_count(props) > PROPS_MOST) {
		*refusal =
			(HitRefusal){ "properties.too_many", S("it has more than 30 properties") };
		return false;
	}
	return hit_props(b->arena, props, hit, refusal);
}

static bool read_event(Batch *b, const Json *body, const Agent *agent, Hit *hit,
                       HitRefusal *refusal)
{
	HitProp *props = ARENA_ARRAY(b->arena, HitProp, PROPS_MOST + EXTRA_PROPS);
	Str url = text_of(either(body, S("u"), S("url")));

	hit->name = text_of(either(body, S("n"), S("name")));
	if (hit->name.len > NAME_MOST || url.len > URL_MOST) {
		*refusal = (HitRefusal){ "event", S("its name or its url is too long") };
		return false;
	}
	if (!add_theirs(b, body, hit, refusal))
		return false;
	for (uint32_t i = 0; i < hit->prop_count; i++)
		props[i] = hit->props[i];
	hit->props = props;
	add_page(b->arena, hit, props, url);
	add_referrer(b->arena, hit, props, text_of(either(body, S("r"), S("referrer"))));
	add_agent(hit, props, agent);
	add_revenue(b->arena, hit, props, either(body, S("$"), S("revenue")));
	return true;
}

static Err *find_site(Batch *b, const Json *body)
{
	Str rest = text_of(either(body, S("d"), S("domain"))), domain;
	Arena *a = b->arena;

	while (!b->project && rest.len && str_split(&rest, ',', &domain))
		TRY(project_of_domain(b->service, a, page_site(a, str_trim(domain)), &b->project));
	return b->project ? NULL
	                  : err_new(b->call->arena, ERR_INVALID, "analytics.site",
	                            "no project has this site");
}

static Err *take_event(Batch *b, const Json *body)
{
	Agent agent = agent_read(service_header(b->call, "User-Agent"));
	Hit hit = { .time_ms = b->limits.now_ms, .received_ms = b->limits.now_ms };
	HitRefusal refusal;

	if (agent.bot) {
		service_say_header(b->call, "X-Plausible-Dropped", S("1"));
		return NULL;
	}
	TRY(visitor_of(b->service->db, b->arena, b->limits.now_ms, b->call->address,
	               service_header(b->call, "User-Agent"), b->project->name, &b->visitor));
	b->hidden = true;
	hit.who = b->visitor;
	if (!read_event(b, body, &agent, &hit, &refusal))
		return batch_refuse(b, b->body, refusal.code, refusal.text);
	hit.id = hit_id(str_fmt(b->arena, "%.*s %" PRId64 " %.*s", STR_ARG(hit.who),
	                        hit.time_ms / 1000, STR_ARG(b->body)));
	return batch_add_hit(b, b->body, &hit);
}

static Err *plausible_post(ServiceCall *c)
{
	AUTO(batch_end) Batch b = { 0 };
	const Json *body;
	Err *err;

	batch_allow_origin(c);
	TRY(batch_begin(c, "plausible", &b));
	err = json_read(b.arena, b.body, 0, &body);
	if (!err)
		err = find_site(&b, body);
	if (!err)
		err = take_event(&b, body);
	if (!err && b.count)
		err = batch_take(&b);
	if (err)
		return err_copy(c->arena, err);
	if (b.refused)
		return err_new(c->arena, ERR_INVALID, b.rows[0].refusal.code, "%.*s",
		               STR_ARG(b.rows[0].refusal.text));
	service_say(c, 202, S("text/plain"), S("ok"));
	return NULL;
}

ServiceRoutes analytics_plausible_routes(void)
{
	static const ServiceRoute rows[] = {
		{ "POST", "/api/event", plausible_post, .kind = SERVICE_BODY_RAW, .status = 202,
		  .tag = "events", .help = "take an event in Plausible's shape" },
		{ "OPTIONS", "/api/event", batch_options, .status = 204, .hidden = true,
		  .help = "may a page of another origin send" },
	};

	return (ServiceRoutes)SERVICE_ROUTES(rows);
}
