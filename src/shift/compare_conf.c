/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of a comparison in a configuration: rows only. Paths are checked where they stand. */
#include "shift/compare_conf.h"

#include "base/arena.h"

static Err *verify_key(Arena *a, Str text)
{
	TRY(compare_verify_path(a, text));
	if (!str_starts(text, S(".")) || str_find(text, S("[]")) >= 0 ||
	    str_find(text, S("*")) >= 0 || str_find(text, S("..")) >= 0)
		return err_new(a, ERR_INVALID, "compare.path",
		               "%.*s is no key of an item: it must name one field, as \".id\" does",
		               STR_ARG(str_quote(a, text)));
	return NULL;
}

static const ConfKey keyed_keys[] = {
	{ "path", CONF_STR, AT(CompareKeyed, path), .required = true, .verify = compare_verify_path,
	  .help = "the array" },
	{ "by", CONF_STR, AT(CompareKeyed, by), .def = ".id", .verify = verify_key,
	  .help = "the key within an item" },
};
static const ConfTable keyed_table = {
	"keyed array", CONF_ROWS(CompareKeyed, keyed_keys), .shorthand = "path",
	.help = "an array whose items are matched by a key of theirs"
};

static const ConfKey tolerance_keys[] = {
	{ "path", CONF_STR, AT(CompareTolerance, path), .required = true,
	  .verify = compare_verify_path, .help = "the number" },
	{ "absolute", CONF_REAL, AT(CompareTolerance, absolute), .def = "0", .min = "0",
	  .help = "how far apart the two may be" },
	{ "relative", CONF_REAL, AT(CompareTolerance, relative), .def = "0", .min = "0", .max = "1",
	  .help = "the same as a part of the larger one: 0.01 is one per cent" },
};
static const ConfTable tolerance_table = { "tolerance", CONF_ROWS(CompareTolerance, tolerance_keys),
	                                   .help = "a number that need not be exact" };

static const ConfKey mask_keys[] = {
	{ "names", CONF_STR, AT_LIST(MaskRules, names), .min = "1",
	  .help = "more names of keys, fields and parameters that hold secrets",
	  .more = "Always masked: password, token, secret, authorization, cookie, csrf, card, pan, cvc, email and their like, "
	          "and what looks like an e-mail address, a card number or a JWT." },
	{ "paths", CONF_STR, AT_LIST(MaskRules, paths), .verify = compare_verify_path,
	  .help = "values of bodies that are secret, with all that is below" },
};
static const ConfTable mask_table = { "mask", CONF_ROWS(MaskRules, mask_keys),
	                              .help = "what examples must not show" };

static const ConfWord form_words[] = {
	{ "auto", COMPARE_BY_TYPE, "by the content type of both answers" },
	{ "json", COMPARE_JSON, "JSON, whatever the content type says" },
	{ "html", COMPARE_HTML, "elements and texts" },
	{ "text", COMPARE_TEXT, "line by line" },
	{ "bytes", COMPARE_BYTES, "byte by byte" },
	{ "none", COMPARE_NOTHING, "only status and headers" },
	{ 0 },
};

static const ConfWord known_words[] = {
	{ "csrf_fields", COMPARE_CSRF_FIELDS,
	  "values of fields and <meta> that guard against forged requests" },
	{ "nonces", COMPARE_NONCES, "the attributes nonce and integrity" },
	{ 0 },
};

static const ConfKey rules_keys[] = {
	{ "ignore", CONF_STR, AT_LIST(CompareRules, ignore), .verify = compare_verify_path,
	  .help = "paths that are not compared, with all that is below",
	  .more = "In JSON as jq writes them: `.a`, `.items[].updated`, `.[\"odd key\"]`, `.prices.*`, and `..name` for any "
	          "depth. In HTML `/html/body/p`, `//footer`, `/html/body/a/@href`." },
	{ "unordered", CONF_STR, AT_LIST(CompareRules, unordered), .verify = compare_verify_path,
	  .help = "arrays whose order does not count" },
	{ "sets", CONF_STR, AT_LIST(CompareRules, sets), .verify = compare_verify_path,
	  .help = "arrays whose order does not count, nor how often an item is there" },
	{ "keyed", CONF_OBJECT, AT_LIST(CompareRules, keyed), .table = &keyed_table,
	  .help = "arrays whose items are matched by a key" },
	{ "maps", CONF_STR, AT_LIST(CompareRules, maps), .verify = compare_verify_path,
	  .help = "objects whose keys are data: they are counted together, as `.*`",
	  .more = "Objects with more than 50 keys, or with a key that is no name (a number, an id, an address), are maps anyway." },
	{ "tolerances", CONF_OBJECT, AT_LIST(CompareRules, tolerances), .table = &tolerance_table,
	  .help = "numbers that need not be exact" },
	{ "headers", CONF_STR, AT_LIST(CompareRules, headers), GIVEN(CompareRules, headers_given),
	  .min = "1", .help = "headers that are compared, instead of the chosen ones" },
	{ "map", CONF_STR, AT(CompareRules, map),
	  .help = "a jq filter that both bodies go through before they are compared" },
	{ "form", CONF_ENUM, AT(CompareRules, form), .names = form_words, .def = "auto",
	  .help = "how bodies are compared" },
	{ "keep", CONF_ENUM, AT_LIST(CompareRules, keep), .names = known_words,
	  .help = "known noise of HTML that is compared all the same" },
	{ "body", CONF_BYTES, AT(CompareRules, body_max), .def = "256KiB", .min = "1KiB",
	  .max = "16MiB", .help = "bodies above are not compared" },
	{ "mask", CONF_OBJECT, AT(CompareRules, mask), .table = &mask_table,
	  .help = "what examples must not show" },
};
static const ConfTable rules_table = { "compare", CONF_ROWS(CompareRules, rules_keys),
	                               .help = "how two answers are compared" };

const ConfTable *compare_conf_table(void)
{
	return &rules_table;
}
