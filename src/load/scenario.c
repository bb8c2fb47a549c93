/* SPDX-License-Identifier: Apache-2.0
 *
 * Scenarios, row by row: what may be written, what it means and what it is when it is not there. The manual's page is made
 * of these rows. */
#include "load/scenario_int.h"

#include "base/arena.h"
#include "base/units.h"
#include "http/message.h"
#include "http/url.h"
#include "load/text.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static Err *refuse(Arena *a, Str text, const char *why)
{
	return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s", STR_ARG(str_quote(a, text)), why);
}

/* --- single values -------------------------------------------------------------------------------------------------- */

Err *span_split(Arena *a, Str text, int64_t *min_us, int64_t *max_us)
{
	ptrdiff_t dots = str_find(text, S(".."));

	if (dots < 0) {
		TRY(units_read_duration(a, text, min_us));
		*max_us = *min_us;
		return NULL;
	}
	TRY(units_read_duration(a, str_sub(text, 0, (size_t)dots), min_us));
	TRY(units_read_duration(a, str_sub(text, (size_t)dots + 2, text.len), max_us));
	return *max_us < *min_us ? refuse(a, text, "the second is shorter than the first") : NULL;
}

static Err *verify_span(Arena *a, Str text)
{
	int64_t min_us, max_us;

	return span_split(a, text, &min_us, &max_us);
}

static Err *verify_target(Arena *a, Str text)
{
	if (!str_starts(text, S("http://")) && !str_starts(text, S("https://")))
		return refuse(a, text, "expected http://host:port or https://host:port");
	return NULL;
}

static Err *verify_text(Arena *a, Str text)
{
	return text_mistake(a, text);
}

static Err *verify_pattern(Arena *a, Str text)
{
	char why[120];
	PCRE2_SIZE at;
	int error;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)text.at, text.len, 0, &error, &at, NULL);

	if (code) {
		pcre2_code_free(code);
		return NULL;
	}
	pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof why);
	return err_new(a, ERR_INVALID, "conf.value", "%.*s: %s, at letter %zu",
	               STR_ARG(str_quote(a, text)), why, (size_t)at + 1);
}

static Err *verify_name(Arena *a, Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-",
		            text.at[i]))
			return refuse(a, text, "a name has letters, digits, \"_\" and \"-\"");
	return text.len ? NULL : refuse(a, text, "a name is not empty");
}

static Err *verify_header(Arena *a, Str text)
{
	return http_is_token(text) ? NULL : refuse(a, text, "it is no name of a header");
}

bool load_status_split(Str text, uint16_t *min, uint16_t *max)
{
	ptrdiff_t dash = str_find_char(text, '-');
	uint64_t from, to;

	if (!str_to_u64(dash < 0 ? text : str_sub(text, 0, (size_t)dash), &from) ||
	    !str_to_u64(dash < 0 ? text : str_sub(text, (size_t)dash + 1, text.len), &to) ||
	    from < 100 || to > 599 || from > to)
		return false;
	*min = (uint16_t)from;
	*max = (uint16_t)to;
	return true;
}

static Err *verify_status(Arena *a, Str text)
{
	uint16_t min, max;

	return load_status_split(text, &min, &max) ? NULL
	                                           : refuse(a, text, "expected 200 or 200-399");
}

/* --- rows ----------------------------------------------------------------------------------------------------------- */

static const ConfKey header_keys[] = {
	{ "name", CONF_NAME, AT(NamedText, name), .verify = verify_header,
	  .help = "of the header" },
	{ "value", CONF_STR, AT(NamedText, text), .required = true, .expand = true,
	  .verify = verify_text, .help = "its value; may hold {NAME}" },
};
static const ConfTable header_table = { "header", CONF_ROWS(NamedText, header_keys),
	                                .shorthand = "value", .help = "one header" };

static const ConfKey field_keys[] = {
	{ "name", CONF_NAME, AT(NamedText, name), .verify = verify_text, .help = "of the field" },
	{ "value", CONF_STR, AT(NamedText, text), .required = true, .verify = verify_text,
	  .help = "its value; may hold {NAME}; it is escaped" },
};
static const ConfTable field_table = { "field", CONF_ROWS(NamedText, field_keys),
	                               .shorthand = "value", .help = "one field of a form" };

static const ConfKey variable_keys[] = {
	{ "name", CONF_NAME, AT(NamedText, name), .verify = verify_name,
	  .help = "what texts call it: {NAME}" },
	{ "value", CONF_STR, AT(NamedText, text), .required = true, .expand = true,
	  .help = "its value" },
};
static const ConfTable variable_table = { "variable", CONF_ROWS(NamedText, variable_keys),
	                                  .shorthand = "value", .help = "one variable" };

static const ConfKey extract_keys[] = {
	{ "variable", CONF_NAME, AT(ExtractConf, variable), .verify = verify_name,
	  .help = "the variable that gets it" },
	{ "pattern", CONF_STR, AT(ExtractConf, pattern), .verify = verify_pattern,
	  .value = "EXPRESSION",
	  .help = "regular expression in the body: its first group, or all of it" },
	{ "header", CONF_STR, AT(ExtractConf, header), .verify = verify_header, .value = "NAME",
	  .help = "a header of the answer" },
	{ "cookie", CONF_STR, AT(ExtractConf, cookie), .value = "NAME",
	  .help = "a cookie that the answer sets" },
	{ "jq", CONF_STR, AT(ExtractConf, jq), .value = "FILTER",
	  .help = "a jq filter of the body, which is JSON" },
	{ "otherwise", CONF_STR, AT(ExtractConf, otherwise), GIVEN(ExtractConf, has_otherwise),
	  .help = "what it is when it is not there; without it that is a failed check" },
};
static const ConfTable extract_table = { "extraction", CONF_ROWS(ExtractConf, extract_keys),
	                                 .shorthand = "pattern",
	                                 .help = "something taken out of an answer" };

static const ConfKey check_keys[] = {
	{ "status", CONF_STR, AT(CheckConf, status), .def = "200-399", .verify = verify_status,
	  .value = "STATUS", .help = "statuses that are right: 200 or 200-399" },
	{ "body", CONF_STR, AT(CheckConf, body), .verify = verify_text,
	  .help = "what the body contains" },
	{ "pattern", CONF_STR, AT(CheckConf, pattern), .verify = verify_pattern,
	  .value = "EXPRESSION", .help = "regular expression that is found in the body" },
	{ "headers", CONF_OBJECT, AT_MAP(CheckConf, headers), .table = &header_table,
	  .help = "headers of the answer, and what each contains" },
	{ "within", CONF_DURATION, AT(CheckConf, within_us), .def = "0", .max = "1h",
	  .help = "response time; 0: any" },
};
static const ConfTable check_table = { "check", CONF_ROWS(CheckConf, check_keys),
	                               .shorthand = "status",
	                               .help = "what makes an answer right" };

static const ConfKey weight_keys[] = {
	{ "name", CONF_NAME, AT(WeightConf, name), .help = "of a block" },
	{ "weight", CONF_REAL, AT(WeightConf, weight), .required = true, .min = "0",
	  .help = "its share" },
};
static const ConfTable weight_table = { "choice", CONF_ROWS(WeightConf, weight_keys),
	                                .shorthand = "weight", .help = "one of several blocks" };

static const ConfKey websocket_keys[] = {
	{ "path", CONF_STR, AT(WebSocketConf, path), .required = true, .verify = verify_text,
	  .help = "where it is opened" },
	{ "send", CONF_STR, AT_LIST(WebSocketConf, send), .verify = verify_text,
	  .help = "text messages; each waits for one in return" },
	{ "hold", CONF_DURATION, AT(WebSocketConf, hold_us), .def = "0", .max = "24h",
	  .help = "how long it stays open after them" },
};
static const ConfTable websocket_table = { "websocket", CONF_ROWS(WebSocketConf, websocket_keys),
	                                   .shorthand = "path",
	                                   .help = "a WebSocket conversation" };

#define METHOD_ROW(key, member, METHOD) \
	{ \
		key, CONF_STR, AT(StepConf, member), \
			.verify = verify_text, .value = "PATH", \
			.help = "path (or URL) of a " METHOD " request" \
	}

static const ConfKey step_keys[] = {
	{ "name", CONF_STR, AT(StepConf, name), .max = "80",
	  .help = "what reports call it; without it method and path" },
	METHOD_ROW("get", get, "GET"),
	METHOD_ROW("post", post, "POST"),
	METHOD_ROW("put", put, "PUT"),
	METHOD_ROW("patch", patch, "PATCH"),
	METHOD_ROW("delete", delete, "DELETE"),
	METHOD_ROW("head", head, "HEAD"),
	{ "headers", CONF_OBJECT, AT_MAP(StepConf, headers), .table = &header_table,
	  .help = "headers, by name" },
	{ "body", CONF_STR, AT(StepConf, body), GIVEN(StepConf, has_body), .verify = verify_text,
	  .help = "the request's body" },
	{ "form", CONF_OBJECT, AT_MAP(StepConf, form), .table = &field_table,
	  .help = "or the fields of a form, by name" },
	{ "think", CONF_STR, AT(StepConf, think.text), .def = "0", .verify = verify_span,
	  .value = "SPAN", .help = "time that the user takes after it: 2s or 1s..3s" },
	{ "check", CONF_OBJECT, AT(StepConf, check), .table = &check_table,
	  .help = "what makes the answer right" },
	{ "extract", CONF_OBJECT, AT_MAP(StepConf, extract), .table = &extract_table,
	  .help = "variables that are taken out of the answer" },
	{ "expect", CONF_DURATION, AT(StepConf, expect_us), GIVEN(StepConf, has_expect),
	  .max = "1h",
	  .help = "how long it is expected to take; without it the median of the warm-up",
	  .more = "The next step is due so long after this one was, however long it really took: a slow answer must not make "
	          "the load lighter." },
	{ "timeout", CONF_DURATION, AT(StepConf, timeout_us), .def = "0", .max = "1h",
	  .help = "instead of the scenario's" },
	{ "redirects", CONF_BOOL, AT(StepConf, redirects), .def = "off",
	  .help = "follow them, at most 10, each counted as a request of its own" },
	{ "run", CONF_STR, AT(StepConf, run), .value = "BLOCK",
	  .help = "the steps of a block, in place of a request" },
	{ "repeat", CONF_UINT, AT(StepConf, repeat), .def = "1", .min = "1", .max = "100000",
	  .help = "so many times" },
	{ "choose", CONF_OBJECT, AT_MAP(StepConf, choose), .table = &weight_table,
	  .help = "one of several blocks, at random, by weight" },
	{ "websocket", CONF_OBJECT, AT(StepConf, websocket), GIVEN(StepConf, has_websocket),
	  .table = &websocket_table, .help = "a WebSocket conversation" },
};
static const ConfTable step_table = { "step", CONF_ROWS(StepConf, step_keys),
	                              .help = "one thing that a user does" };

static const ConfKey block_keys[] = {
	{ "name", CONF_NAME, AT(BlockConf, name), .verify = verify_name,
	  .help = "what steps call it" },
	{ "steps", CONF_OBJECT, AT_LIST(BlockConf, steps), .table = &step_table, .required = true,
	  .help = "its steps" },
};
static const ConfTable block_table = { "block", CONF_ROWS(BlockConf, block_keys),
	                               .help = "steps under a name" };

static const ConfKey journey_keys[] = {
	{ "name", CONF_NAME, AT(JourneyConf, name), .verify = verify_name,
	  .help = "what reports call it" },
	{ "weight", CONF_REAL, AT(JourneyConf, weight), .def = "1", .min = "0",
	  .help = "its share of the users" },
	{ "once", CONF_OBJECT, AT_LIST(JourneyConf, once), .table = &step_table,
	  .help = "steps that a user does when it begins: log in, say" },
	{ "steps", CONF_OBJECT, AT_LIST(JourneyConf, steps), .table = &step_table, .required = true,
	  .help = "steps of each round" },
	{ "think", CONF_STR, AT(JourneyConf, think.text), .def = "0", .verify = verify_span,
	  .value = "SPAN", .help = "time between two rounds: 2s or 1s..3s" },
};
static const ConfTable journey_table = { "journey", CONF_ROWS(JourneyConf, journey_keys),
	                                 .help = "what one kind of user does" };

static const ConfWord order_words[] = {
	{ "next", DATA_NEXT, "one after the other, from the start again after the last" },
	{ "random", DATA_RANDOM, "any, for each user" },
	{ 0 },
};
static const ConfKey data_keys[] = {
	{ "name", CONF_NAME, AT(DataConf, name), .verify = verify_name,
	  .help = "what texts call it: {NAME.COLUMN}" },
	{ "file", CONF_PATH, AT(DataConf, file), .required = true,
	  .help = "a .csv file with a heading, or .ndjson with an object a line" },
	{ "order", CONF_ENUM, AT(DataConf, order), .names = order_words, .def = "next",
	  .help = "which row a user gets, for all its life" },
};
static const ConfTable data_table = { "data", CONF_ROWS(DataConf, data_keys), .shorthand = "file",
	                              .help = "rows for users" };

static const ConfKey stage_keys[] = {
	{ "rate", CONF_REAL, AT(StageConf, rate), .required = true, .min = "0", .max = "10000000",
	  .help = "users (with one target: requests) that arrive in a second" },
	{ "to", CONF_REAL, AT(StageConf, to), GIVEN(StageConf, has_to), .min = "0",
	  .max = "10000000", .help = "and at the stage's end, in a straight line" },
	{ "for", CONF_DURATION, AT(StageConf, for_us), .required = true, .min = "1ms",
	  .max = "168h", .help = "its length" },
};
static const ConfTable stage_table = { "stage", CONF_ROWS(StageConf, stage_keys),
	                               .help = "a part of the run, in the open model" };

static const ConfKey users_keys[] = {
	{ "count", CONF_UINT, AT(UsersConf, count), .required = true, .max = "1000000",
	  .help = "users at a time" },
	{ "ramp", CONF_DURATION, AT(UsersConf, ramp_us), .def = "0", .max = "24h",
	  .help = "time over which they begin" },
	{ "for", CONF_DURATION, AT(UsersConf, for_us), .required = true, .min = "1ms",
	  .max = "168h", .help = "length of the run, the ramp included" },
};
static const ConfTable users_table = {
	"users", CONF_ROWS(UsersConf, users_keys),
	.help = "the closed model: so many users, each with its next request only after the answer to the last"
};

static const ConfWord protocol_words[] = {
	{ "auto", PROTOCOL_AUTO, "HTTP/2 where TLS agrees on it, else HTTP/1.1" },
	{ "http1", PROTOCOL_HTTP1, "HTTP/1.1" },
	{ "h2", PROTOCOL_H2, "HTTP/2, without TLS with prior knowledge" },
	{ 0 },
};
static const ConfKey tls_keys[] = {
	{ "verify", CONF_BOOL, AT(LoadTlsConf, verify), .def = "on",
	  .help = "check the server's certificate and name" },
	{ "ca", CONF_PATH, AT(LoadTlsConf, ca),
	  .help = "PEM file of who may sign it; without it the system's" },
};
static const ConfTable tls_table = { "tls", CONF_ROWS(LoadTlsConf, tls_keys),
	                             .help = "TLS to the target" };
static const ConfKey connect_keys[] = {
	{ "keep", CONF_BOOL, AT(ConnectConf, keep), .def = "on",
	  .help = "a user keeps its connection between requests" },
	{ "protocol", CONF_ENUM, AT(ConnectConf, protocol), .names = protocol_words, .def = "auto",
	  .help = "what is spoken" },
	{ "from", CONF_STR, AT_LIST(ConnectConf, from), .value = "ADDRESS",
	  .help = "source addresses or networks, taken in turn; without them 127.0.0.0/8 for loopback" },
	{ "resolve", CONF_STR, AT_LIST(ConnectConf, resolve), .value = "HOST:ADDRESS",
	  .help = "names that are known here: shop.example.org:127.0.0.1" },
	{ "tls", CONF_OBJECT, AT(ConnectConf, tls), .table = &tls_table,
	  .help = "TLS to the target" },
};
static const ConfTable connect_table = { "connections", CONF_ROWS(ConnectConf, connect_keys),
	                                 .help = "how users reach the target" };

static const ConfWord arrival_words[] = {
	{ "constant", false, "evenly" },
	{ "poisson", true, "at random, as people who know nothing of each other" },
	{ 0 },
};

static const ConfKey scenario_keys[] = {
	{ "name", CONF_STR, AT(ScenarioConf, name), .max = "80", .help = "what reports call it" },
	{ "target", CONF_STR, AT(ScenarioConf, target), .required = true, .expand = true,
	  .verify = verify_target, .value = "URL",
	  .help = "http://host:port or https://host:port, before each path" },
	{ "load", CONF_OBJECT, AT_LIST(ScenarioConf, load), .table = &stage_table,
	  .help = "the open model: rates of arrival, one stage after another" },
	{ "users", CONF_OBJECT, AT(ScenarioConf, users), GIVEN(ScenarioConf, has_users),
	  .table = &users_table, .help = "the closed model, instead or beside it" },
	{ "arrivals", CONF_ENUM, AT(ScenarioConf, poisson), .names = arrival_words,
	  .def = "constant", .help = "how they are spread" },
	{ "warmup", CONF_DURATION, AT(ScenarioConf, warmup_us), .def = "0", .max = "1h",
	  .help = "first part of the run that no figure counts" },
	{ "timeout", CONF_DURATION, AT(ScenarioConf, timeout_us), .def = "10s", .min = "1ms",
	  .max = "1h", .help = "of a request; counted as at least that long" },
	{ "grace", CONF_DURATION, AT(ScenarioConf, grace_us), .def = "5s", .max = "1h",
	  .help = "how long what is in flight at the end may take; what is not over then is counted as at least that long" },
	{ "connections", CONF_OBJECT, AT(ScenarioConf, connections), .table = &connect_table,
	  .help = "how users reach the target" },
	{ "headers", CONF_OBJECT, AT_MAP(ScenarioConf, headers), .table = &header_table,
	  .help = "headers of every request, by name" },
	{ "variables", CONF_OBJECT, AT_MAP(ScenarioConf, variables), .table = &variable_table,
	  .help = "variables that every user begins with" },
	{ "data", CONF_OBJECT, AT_MAP(ScenarioConf, data), .table = &data_table,
	  .help = "rows of files, one for each user" },
	{ "blocks", CONF_OBJECT, AT_MAP(ScenarioConf, blocks), .table = &block_table,
	  .help = "steps that several journeys share, by name" },
	{ "journeys", CONF_OBJECT, AT_MAP(ScenarioConf, journeys), .table = &journey_table,
	  .required = true, .help = "what users do, by name" },
	{ "thresholds", CONF_STR, AT_LIST(ScenarioConf, thresholds), .value = "CONDITION",
	  .help = "what must hold for the run to pass: \"p99 < 200ms\", \"errors < 0.1%\", \"login.p95 < 1s\"" },
	{ "abort_on_fail", CONF_BOOL, AT(ScenarioConf, abort_on_fail), .def = "off",
	  .help = "end the run as soon as one of them cannot hold any more" },
};

static const ConfTable scenario_rows = { "scenario", CONF_ROWS(ScenarioConf, scenario_keys),
	                                 .check = scenario_check,
	                                 .help = "what users do, and how many of them" };

const ConfTable *scenario_table(void)
{
	return &scenario_rows;
}

Err *scenario_read(Arena *a, Conf *conf, Str name, Str text, ScenarioConf **out)
{
	ScenarioConf *s = ARENA_NEW(a, ScenarioConf);

	TRY(conf_read(conf, name, text, &(ConfPart){ &scenario_rows, s }, 1));
	scenario_finish(a, s);
	*out = s;
	return NULL;
}

Err *scenario_load(Arena *a, Conf *conf, Str path, ScenarioConf **out)
{
	ScenarioConf *s = ARENA_NEW(a, ScenarioConf);

	TRY(conf_load(conf, path, &(ConfPart){ &scenario_rows, s }, 1));
	scenario_finish(a, s);
	*out = s;
	return NULL;
}

Str step_label(Arena *a, const StepConf *step)
{
	if (step->name.len)
		return step->name;
	if (step->kind == STEP_WEBSOCKET)
		return str_fmt(a, "WebSocket %.*s", STR_ARG(step->websocket.path));
	return str_fmt(a, "%.*s %.*s", STR_ARG(step->method), STR_ARG(step->path));
}

/* --- one target ----------------------------------------------------------------------------------------------------- */

/* "http://host:port" and what follows it, which begins with "/". */
static Err *split_url(Arena *a, Str url, Str *target, Str *path)
{
	ptrdiff_t scheme = str_find(url, S("://"));
	size_t from = scheme < 0 ? 0 : (size_t)scheme + 3;
	ptrdiff_t slash = str_find_char(str_sub(url, from, url.len), '/');
	size_t end = slash < 0 ? url.len : from + (size_t)slash;

	*target = str_sub(url, 0, end);
	*path = slash < 0 ? S("/") : str_sub(url, end, url.len);
	if (scheme < 0)
		*target = str_fmt(a, "http://%.*s", STR_ARG(*target));
	if (!str_starts(*target, S("http://")) && !str_starts(*target, S("https://")))
		return err_new(a, ERR_INVALID, "load.url", "%.*s: expected http://host:port/path",
		               STR_ARG(str_quote(a, url)));
	return NULL;
}

/* Braces in an URL are meant as they stand. */
static Str plain_text(Arena *a, Str text)
{
	AUTO(buf_fini) Buf b = { 0 };

	for (size_t i = 0; i < text.len; i++) {
		buf_putc(&b, text.at[i]);
		if (text.at[i] == '{' || text.at[i] == '}')
			buf_putc(&b, text.at[i]);
	}
	return str_dup(a, buf_str(&b));
}

static Err *take_headers(Arena *a, const OneTarget *one, StepConf *step)
{
	step->headers.at = ARENA_ARRAY(a, NamedText, one->headers.count + 1);
	for (size_t i = 0; i < one->headers.count; i++) {
		Str line = one->headers.at[i];
		ptrdiff_t colon = str_find_char(line, ':');
		Str name = str_trim(str_sub(line, 0, colon < 0 ? 0 : (size_t)colon));

		if (!http_is_token(name))
			return err_new(a, ERR_INVALID, "load.header",
			               "%.*s: expected \"Name: value\"",
			               STR_ARG(str_quote(a, line)));
		step->headers.at[step->headers.count++] = (NamedText){
			name, plain_text(a, str_trim(str_sub(line, (size_t)colon + 1, line.len)))
		};
	}
	return NULL;
}

static Err *take_method(Arena *a, const OneTarget *one, StepConf *step, Str path)
{
	struct {
		Str method;
		Str *path;
	} rows[] = { { S("GET"), &step->get },       { S("POST"), &step->post },
		     { S("PUT"), &step->put },       { S("PATCH"), &step->patch },
		     { S("DELETE"), &step->delete }, { S("HEAD"), &step->head } };

	step->method = one->method.len ? one->method : one->body.len ? S("POST") : S("GET");
	step->path = path;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (str_eq(rows[i].method, step->method)) {
			*rows[i].path = path;
			return NULL;
		}
	return err_new(a, ERR_INVALID, "load.method",
	               "%.*s: expected GET, POST, PUT, PATCH, DELETE or HEAD",
	               STR_ARG(str_quote(a, step->method)));
}

Err *scenario_of_url(Arena *a, const OneTarget *one, ScenarioConf **out)
{
	ScenarioConf *s = ARENA_NEW(a, ScenarioConf);
	JourneyConf *journey = ARENA_NEW(a, JourneyConf);
	StepConf *step = ARENA_NEW(a, StepConf);
	Str path;

	conf_defaults(a, &scenario_rows, s);
	conf_defaults(a, &journey_table, journey);
	conf_defaults(a, &step_table, step);
	TRY(split_url(a, one->url, &s->target, &path));
	TRY(take_headers(a, one, step));
	step->kind = STEP_REQUEST;
	TRY(take_method(a, one, step, plain_text(a, path)));
	step->body = plain_text(a, one->body);
	step->has_body = one->body.len > 0;
	step->expect_us = -1;
	step->check.status_min = 200;
	step->check.status_max = 399;
	journey->name = S("url");
	journey->steps.at = step;
	journey->steps.count = 1;
	s->journeys.at = journey;
	s->journeys.count = 1;
	s->shared = true;
	scenario_finish(a, s);
	*out = s;
	return NULL;
}
