/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates of messages: the first byte says of which kind. Whatever is taken can be put, with data that try to break out: of HTML no
 * tag or attribute comes that the template did not have, of JSON what comes is JSON if the template with harmless data is, a line is one
 * line, and nothing is longer than it may be. */
#include "base/arena.h"
#include "base/json.h"
#include "notification/mustache.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 16 << 10 };

static const char evil[] =
	"{\"a\":\"\\\"'><script>x</script>\",\"b\":\"javascript:alert(1)\",\"c\":[{\"a\":\"</b>\",\"d\":1},{\"a\":\"\\n\\r\"}],"
	"\"d\":{\"e\":{\"f\":\"&<>\\\"'\"}},\"e\":true,\"f\":-1.5,\"g\":null,\"h\":\"x y\\r\\nBcc: z\",\"x\":\"{{a}}\"}";
static const char tame[] =
	"{\"a\":\"a\",\"b\":\"b\",\"c\":[{\"a\":\"a\",\"d\":1},{\"a\":\"a\"}],\"d\":{\"e\":{\"f\":\"f\"}},\"e\":true,\"f\":-1.5,\"g\":null,"
	"\"h\":\"h\",\"x\":\"x\"}";

static const Json *read(Arena *a, const char *text)
{
	const Json *json;

	if (json_read(a, str_of(text), 0, &json))
		abort();
	return json;
}

static size_t count(Str text, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == c;
	return n;
}

static bool raw(Str text)
{
	return str_find(text, S("{{{")) >= 0 || str_find_char(text, '&') >= 0 ||
	       str_find_char(text, '=') >= 0;
}

static void check(Arena *a, Str text, MustacheKind kind, Str out, Str calm)
{
	const Json *json;

	if (out.len > MOST)
		abort();
	if (kind == MUSTACHE_LINE && (count(out, '\n') || count(out, '\r')))
		abort();
	if (kind == MUSTACHE_HTML && !raw(text) &&
	    (count(out, '<') != count(calm, '<') || count(out, '>') != count(calm, '>') ||
	     count(out, '"') != count(calm, '"') || count(out, '\'') != count(calm, '\'')))
		abort();
	if (kind == MUSTACHE_JSON && !json_read(a, calm, 0, &json) && json_read(a, out, 0, &json))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena_freep) Arena *a = arena_new(0);
	Str text = { (const char *)data + 1, size - 1 }, out, calm;
	MustacheKind kind;

	if (!size || size > 4096)
		return 0;
	kind = (MustacheKind)(data[0] % MUSTACHE_KINDS);
	if (mustache_render(a, text, kind, read(a, tame), MOST, &calm))
		return 0;
	if (!mustache_render(a, text, kind, read(a, evil), MOST, &out))
		check(a, text, kind, out, calm);
	return 0;
}
