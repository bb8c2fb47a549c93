/* SPDX-License-Identifier: Apache-2.0
 *
 * import-linter's own files. Two formats, one meaning: sections with keys whose values are lists of texts. Of INI what Python's configparser takes:
 * values go on in lines that are indented. A contract of a type that import-linter or a plug-in of it has and we have not is named, not left out in
 * silence; so is a pyproject.toml that cannot be read. */
#include "audit/links_linter.h"

#include "audit/links_int.h"
#include "audit/toml.h"
#include "base/arena.h"
#include "base/file.h"

#include <string.h>
#include <sys/stat.h>

enum { FILE_MOST = 4 << 20 };

typedef struct Reading {
	Arena *a;
	Str file;
	Vec contracts; /* LinkContract */
	Vec odd;       /* LinkContractState */
	Vec values;    /* Str, of the key at hand */
	Str key;
	bool inside;      /* of a contract's section */
	bool common;      /* of import-linter's own section */
	bool skip_typing; /* exclude_type_checking_imports */
	Str type;         /* of the contract at hand */
} Reading;

typedef enum ValueKind { VALUE_LIST, VALUE_TEXT, VALUE_BOOL } ValueKind;
typedef struct KeyRow {
	const char *key;
	ValueKind kind;
	size_t offset;
} KeyRow;

#define LIST(key, field) \
	{ \
		key, VALUE_LIST, offsetof(LinkContract, field) \
	}
static const KeyRow key_rows[] = {
	{ "name", VALUE_TEXT, offsetof(LinkContract, name) },
	LIST("layers", layers),
	LIST("containers", containers),
	LIST("modules", modules),
	LIST("source_modules", modules),
	LIST("forbidden_modules", forbidden),
	LIST("ignore_imports", ignore),
	{ "allow_indirect_imports", VALUE_BOOL, offsetof(LinkContract, direct) },
};

static LinkContract *contract_at_hand(Reading *r)
{
	return r->contracts.count ? (LinkContract *)r->contracts.at + r->contracts.count - 1 : NULL;
}

static bool is_true(Str text)
{
	return str_eq_nocase(text, S("true")) || str_eq_nocase(text, S("yes")) ||
	       str_eq_nocase(text, S("on")) || str_eq(text, S("1"));
}

/* The key at hand is complete. */
static void end_key(Reading *r)
{
	LinkContract *c = contract_at_hand(r);
	Str first = r->values.count ? *(const Str *)r->values.at : S("");

	if (r->common && str_eq(r->key, S("exclude_type_checking_imports")))
		r->skip_typing = is_true(first);
	if (r->inside && c && str_eq(r->key, S("type")))
		r->type = first;
	for (size_t i = 0; r->inside && c && i < COUNT(key_rows); i++) {
		void *field = (char *)c + key_rows[i].offset;

		if (!str_eq(r->key, str_of(key_rows[i].key)))
			continue;
		if (key_rows[i].kind == VALUE_TEXT) {
			*(Str *)field = first;
		} else if (key_rows[i].kind == VALUE_BOOL) {
			*(bool *)field = is_true(first);
		} else {
			CONF_LIST_OF(Str) *list = field;

			list->at = vec_keep(r->a, &r->values, sizeof(Str));
			list->count = r->values.count;
		}
	}
	r->key = S("");
	r->values.count = 0;
}

static void end_contract(Reading *r)
{
	static const char *const types[] = { [CONTRACT_LAYERS] = "layers",
		                             [CONTRACT_FORBIDDEN] = "forbidden",
		                             [CONTRACT_INDEPENDENCE] = "independence" };
	LinkContract *c = contract_at_hand(r);

	end_key(r);
	if (!r->inside || !c)
		return;
	r->inside = false;
	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(r->type, str_of(types[i]))) {
			c->kind = (uint8_t)i;
			return;
		}
	*(LinkContractState *)vec_add(&r->odd, sizeof(LinkContractState)) =
		(LinkContractState){ .name = c->name,
		                     .kind = "unknown",
		                     .from = r->file,
		                     .odd = str_fmt(r->a,
		                                    "contracts of the type \"%.*s\" are not judged",
		                                    STR_ARG(r->type)) };
	r->contracts.count--;
}

static void begin_contract(Reading *r, Str name)
{
	LinkContract *c;

	end_contract(r);
	c = vec_add(&r->contracts, sizeof(*c));
	c->name = name;
	c->from = r->file;
	r->inside = true;
	r->common = false;
	r->type = S("");
}

static void finish(Reading *r, LinterContracts *out)
{
	end_contract(r);
	for (uint32_t i = 0; i < r->contracts.count; i++)
		((LinkContract *)r->contracts.at)[i].typing = !r->skip_typing;
	out->at = vec_keep(r->a, &r->contracts, sizeof(LinkContract));
	out->count = r->contracts.count;
	out->odd = vec_keep(r->a, &r->odd, sizeof(LinkContractState));
	out->odd_count = r->odd.count;
}

static void reading_fini(Reading *r)
{
	vec_fini(&r->contracts);
	vec_fini(&r->odd);
	vec_fini(&r->values);
}

static void add_value(Reading *r, Str text)
{
	text = str_trim(text);
	if (text.len)
		*(Str *)vec_add(&r->values, sizeof(Str)) = text;
}

static Str next_line(Str *rest)
{
	Str line = S("");

	str_split(rest, '\n', &line);
	return str_ends(line, S("\r")) ? str_sub(line, 0, line.len - 1) : line;
}

/* --- INI ------------------------------------------------------------------------------------------------------------------------------- */

static void ini_section(Reading *r, Str line)
{
	static const char prefix[] = "[importlinter:contract:";
	ptrdiff_t close = str_find_char(line, ']');

	end_contract(r);
	r->common = str_starts(line, S("[importlinter]"));
	if (close > 0 && str_starts(line, str_of(prefix)))
		begin_contract(r, str_sub(line, sizeof(prefix) - 1, (size_t)close));
}

void linter_read_ini(Arena *a, Str name, Str text, LinterContracts *out)
{
	AUTO(reading_fini) Reading r = { .a = a, .file = name };

	while (text.at) {
		Str line = next_line(&text), bare = str_trim(line);
		size_t sign = 0;

		if (!bare.len || bare.at[0] == '#' || bare.at[0] == ';')
			continue;
		if (line.at[0] == ' ' || line.at[0] == '\t') {
			add_value(&r, bare);
			continue;
		}
		if (bare.at[0] == '[') {
			ini_section(&r, bare);
			continue;
		}
		end_key(&r);
		while (sign < bare.len && bare.at[sign] != '=' && bare.at[sign] != ':')
			sign++;
		r.key = str_trim(str_sub(bare, 0, sign));
		add_value(&r, str_sub(bare, sign + 1, bare.len));
	}
	finish(&r, out);
}

/* --- TOML ------------------------------------------------------------------------------------------------------------------------------ */

static void toml_keys(Reading *r, const Toml *table)
{
	TOML_EACH(table, value)
	{
		end_key(r);
		r->key = value->key;
		if (value->kind == TOML_TEXT || value->kind == TOML_WORD)
			add_value(r, value->text);
		else if (value->kind == TOML_ARRAY)
			TOML_EACH(value, item)
		add_value(r, item->kind == TOML_TEXT ? item->text : S(""));
	}
	end_key(r);
}

void linter_read_toml(Arena *a, Str name, Str text, LinterContracts *out)
{
	AUTO(reading_fini) Reading r = { .a = a, .file = name };
	const Toml *whole = NULL, *own;
	Err *err = str_find(text, S("importlinter")) < 0 ? NULL : toml_read(a, name, text, &whole);

	if (err)
		*(LinkContractState *)vec_add(&r.odd, sizeof(LinkContractState)) =
			(LinkContractState){
				.name = name, .kind = "unknown", .from = name, .odd = err->text
			};
	own = whole ? toml_path(whole, S("tool.importlinter")) : NULL;
	r.common = true;
	toml_keys(&r, own);
	TOML_EACH(own ? toml_get(own, S("contracts")) : NULL, contract)
	{
		begin_contract(&r, S(""));
		toml_keys(&r, contract);
	}
	finish(&r, out);
}

/* --- the files ------------------------------------------------------------------------------------------------------------------------- */

typedef void LinterRead(Arena *a, Str name, Str text, LinterContracts *out);
static const struct {
	const char *name;
	LinterRead *read;
} files[] = {
	{ "setup.cfg", linter_read_ini },
	{ ".importlinter", linter_read_ini },
	{ "pyproject.toml", linter_read_toml },
};

Err *linter_load(Arena *a, Str root, LinterContracts *out)
{
	for (size_t i = 0; i < COUNT(files); i++) {
		Str path = str_fmt(a, "%.*s/%s", STR_ARG(root), files[i].name), text;
		struct stat about;

		*out = (LinterContracts){ 0 };
		if (stat(str_z(a, path), &about) != 0 || !S_ISREG(about.st_mode))
			continue;
		TRY(file_read(a, path, FILE_MOST, &text));
		files[i].read(a, str_of(files[i].name), text, out);
		if (out->count + out->odd_count)
			return NULL;
	}
	return NULL;
}
