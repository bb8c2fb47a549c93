/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON of bandit, pylint, ruff and mypy. A result that has no rule or no words is counted as skipped; everything else is taken as far as it goes,
 * since members come and go with a tool's versions. */
#include "audit/tools_int.h"

#include "base/arena.h"

static void add(ToolReader *r, const ToolHit *hit)
{
	if (hit->id.len && hit->text.len)
		tool_add(r, hit);
	else
		r->about->skipped++;
}

/* --- bandit ----------------------------------------------------------------------------------------------------------------------------------- */

static void bandit_one(ToolReader *r, const Json *json)
{
	const Json *range = json_get(json, S("line_range"));
	int64_t end = 0;

	(void)json_to_i64(json_at(range, json_count(range) - (json_count(range) > 0)), &end);
	add(r, &(ToolHit){ .tool = S("bandit"),
	                   .id = tool_text(json, "test_id"),
	                   .name = tool_text(json, "test_name"),
	                   .path = tool_text(json, "filename"),
	                   .text = tool_text(json, "issue_text"),
	                   .severity = tool_text(json, "issue_severity"),
	                   .why = tool_text(json, "more_info"),
	                   .line = tool_number(json, "line_number", 0),
	                   .end_line = end });
}

/* --- pylint ----------------------------------------------------------------------------------------------------------------------------------- */

static void pylint_one(ToolReader *r, const Json *json)
{
	Str id = tool_text(json, "message-id"), path = tool_text(json, "path");

	add(r, &(ToolHit){ .tool = S("pylint"),
	                   .id = id.len ? id : tool_text(json, "messageId"),
	                   .name = tool_text(json, "symbol"),
	                   .path = path,
	                   .unit = tool_text(json, "obj"),
	                   .text = tool_text(json, "message"),
	                   .line = tool_number(json, "line", 0),
	                   .end_line = tool_number(json, "endLine", 0) });
}

/* --- ruff -------------------------------------------------------------------------------------------------------------------------------------- */

/* ".../rules/line-too-long" */
static Str name_of_address(Str url)
{
	return str_sub(url, (size_t)(str_rfind_char(url, '/') + 1), url.len);
}

static void ruff_one(ToolReader *r, const Json *json)
{
	Str id = tool_text(json, "code"), url = tool_text(json, "url");

	add(r, &(ToolHit){ .tool = S("ruff"),
	                   .id = id.len ? id : S("syntax-error"),
	                   .name = name_of_address(url),
	                   .path = tool_text(json, "filename"),
	                   .text = tool_text(json, "message"),
	                   .severity = S("code"),
	                   .why = url,
	                   .line = tool_number(json_get(json, S("location")), "row", 0),
	                   .end_line = tool_number(json_get(json, S("end_location")), "row", 0) });
}

/* --- mypy -------------------------------------------------------------------------------------------------------------------------------------- */

static void mypy_one(ToolReader *r, const Json *json)
{
	Str id = tool_text(json, "code"), severity = tool_text(json, "severity");

	if (!id.len && str_eq(severity, S("note")))
		return; /* it goes with the error before it */
	add(r, &(ToolHit){ .tool = S("mypy"),
	                   .id = id.len ? id : S("misc"),
	                   .path = tool_text(json, "file"),
	                   .text = tool_text(json, "message"),
	                   .severity = severity,
	                   .line = tool_number(json, "line", 0) });
}

/* --- which is it? ------------------------------------------------------------------------------------------------------------------------------ */

typedef void Reader(ToolReader *r, const Json *json);

static const struct {
	const char *has, *and, *format;
	Reader *read;
} kinds[] = {
	{ "message-id", "symbol", "pylint's JSON", pylint_one },
	{ "messageId", "symbol", "pylint's JSON", pylint_one },
	{ "filename", "location", "ruff's JSON", ruff_one },
	{ "file", "severity", "mypy's JSON", mypy_one },
};

static Reader *reader_of(ToolReader *r, const Json *one)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (json_get(one, str_of(kinds[i].has)) && json_get(one, str_of(kinds[i].and))) {
			r->about->format = kinds[i].format;
			return kinds[i].read;
		}
	return NULL;
}

bool tool_read_array(ToolReader *r, const Json *json)
{
	Reader *read;

	if (!json_count(json)) {
		r->about->format = "an empty list";
		return true;
	}
	read = reader_of(r, json_at(json, 0));
	for (size_t i = 0; read && i < json_count(json); i++)
		read(r, json_at(json, i));
	return read != NULL;
}

bool tool_read_object(ToolReader *r, const Json *json)
{
	const Json *results = json_get(json, S("results")),
		   *messages = json_get(json, S("messages"));

	if (json_kind(results) == JSON_KIND_ARRAY && json_get(json, S("metrics"))) {
		r->about->format = "bandit's JSON";
		r->about->skipped += json_count(json_get(json, S("errors")));
		for (size_t i = 0; i < json_count(results); i++)
			bandit_one(r, json_at(results, i));
		return true;
	}
	if (json_kind(messages) == JSON_KIND_ARRAY && json_get(json, S("statistics"))) {
		r->about->format = "pylint's JSON";
		for (size_t i = 0; i < json_count(messages); i++)
			pylint_one(r, json_at(messages, i));
		return true;
	}
	return false;
}

Err *tool_read_lines(ToolReader *r, Str text, bool *known)
{
	Reader *read = NULL;
	const Json *json;
	Str line;

	*known = false;
	while (str_split(&text, '\n', &line)) {
		Reader *reads;

		if (!str_starts(line, S("{")))
			continue;
		TRY(json_read(r->a, line, 0, &json));
		reads = reader_of(r, json);
		read = reads ? reads : read;
		if (reads)
			reads(r, json);
		else
			r->about->skipped++;
	}
	*known = read != NULL;
	return NULL;
}
